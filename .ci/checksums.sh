#!/usr/bin/env bash
# Writes SHA256SUMS for the archives of a folder: .ci/checksums.sh FOLDER. action/install.sh compares with it.
set -euo pipefail
cd "$1"
if command -v sha256sum >/dev/null 2>&1; then
  sha256sum -- *.tar.gz >SHA256SUMS
else
  shasum -a 256 -- *.tar.gz >SHA256SUMS
fi
