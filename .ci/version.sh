#!/usr/bin/env bash
# A tag and what is built from it must have one version: .ci/version.sh v1.2.3
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(sed -n '/^version = "/{s/^version = "\(.*\)"$/\1/p;q;}' Cargo.toml)
if [ "$1" != "v$version" ]; then
  echo "The tag is $1, and Cargo.toml says $version." >&2
  exit 1
fi
# Whoever reads the release has to find what is in it.
.ci/changes.sh "$1" >/dev/null
