#!/usr/bin/env bash
# The section of CHANGELOG.md about one version: .ci/changes.sh v1.2.3
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=${1#v}
section=$(awk -v head="## [$version]" '
  /^## / { within = index($0, head) == 1; next }
  /^\[.*\]: / { next }
  within { print }
' CHANGELOG.md)
if [[ ! $section =~ [^[:space:]] ]]; then
  echo "CHANGELOG.md has no section about $version." >&2
  exit 1
fi
printf '%s\n' "$section"
