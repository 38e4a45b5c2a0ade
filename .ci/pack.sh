#!/usr/bin/env bash
# Packs what a release offers for one system: .ci/pack.sh TARGET PROGRAM FOLDER. action/install.sh unpacks it.
set -euo pipefail
target=$1
program=$2
folder=$3
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=gw502-lint
case $target in *windows*) name=gw502-lint.exe ;; esac
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp "$program" "$place/$name"
chmod 755 "$place/$name"
cp -R "$top/README.md" "$top/CHANGELOG.md" "$top/LICENSE-MIT" "$top/LICENSE-APACHE" "$top/completions" "$top/man" "$place"
mkdir -p "$folder"
# Written to standard output: tar on Windows takes the `D:` of a path for a host.
tar -C "$place" -czf - "$name" README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE completions man >"$folder/gw502-lint-$target.tar.gz"
