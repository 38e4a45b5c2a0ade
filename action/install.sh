#!/usr/bin/env bash
# Puts gw502-lint in place: the release's binary for this system, with its checksum verified; built with cargo where
# there is none that fits.
#
# In: INPUT_VERSION (empty: the version that this action is; a version; latest; source), RUNNER_OS, RUNNER_ARCH,
# RUNNER_TEMP, GITHUB_OUTPUT; GW502_LINT_DOWNLOAD_URL instead of the repository's releases (a mirror, or a test).
# Out: binary, version.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
# shellcheck source=action/common.sh
source "$here/common.sh"

# A field of the action's own Cargo.toml.
field() {
  sed -n "/^$1 = \"/{s/^$1 = \"\\(.*\\)\"\$/\\1/p;q;}" "$root/Cargo.toml"
}

wanted=${INPUT_VERSION:-}
one_line version "$wanted"
own=$(field version)
case $wanted in
  '') wanted=$own ;;
  latest | source) ;;
  *)
    wanted=${wanted#v}
    [[ $wanted =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
      fail "The input \`version\` is a version such as $own, \`latest\` or \`source\`, and not \`$wanted\`."
    ;;
esac

case ${RUNNER_OS:-}/${RUNNER_ARCH:-} in
  Linux/X64) target=x86_64-unknown-linux-musl ;;
  Linux/ARM64) target=aarch64-unknown-linux-musl ;;
  macOS/X64) target=x86_64-apple-darwin ;;
  macOS/ARM64) target=aarch64-apple-darwin ;;
  Windows/X64) target=x86_64-pc-windows-msvc ;;
  *) target='' ;;
esac
case ${RUNNER_OS:-} in
  Windows) program=gw502-lint.exe ;;
  *) program=gw502-lint ;;
esac

# Everything happens in a folder of our own, with names that have no folder in them: tar on Windows takes `D:` for a host.
place=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/gw502-lint.XXXXXX")
cd "$place"
mkdir bin

# SHA-256 of a file.
if command -v sha256sum >/dev/null 2>&1; then
  digest() { sha256sum "$1" | cut -d ' ' -f 1; }
elif command -v shasum >/dev/null 2>&1; then
  digest() { shasum -a 256 "$1" | cut -d ' ' -f 1; }
else
  fail "Neither sha256sum nor shasum is installed, so a download could not be verified."
fi

download() {
  local protocols='=https'
  # A mirror may be a folder.
  [ -z "${GW502_LINT_DOWNLOAD_URL:-}" ] || protocols='=https,file'
  curl --proto "$protocols" --proto-redir '=https' --tlsv1.2 --fail --silent --show-error --location \
    --retry 3 --connect-timeout 20 --output "$1" --url "$2"
}

# 0: bin/ has the program. 1: there is no download for this system. Anything wrong with a download ends the step:
# nothing is built in place of a file that somebody has changed.
fetch() {
  [ "$wanted" != source ] || return 1
  if [ -z "$target" ]; then
    warn "There is no binary for ${RUNNER_OS:-this system} on ${RUNNER_ARCH:-this processor}; gw502-lint is built from source, which takes minutes."
    return 1
  fi
  local asset=gw502-lint-$target.tar.gz base
  if [ -n "${GW502_LINT_DOWNLOAD_URL:-}" ]; then
    base=${GW502_LINT_DOWNLOAD_URL%/}
  elif [ "$wanted" = latest ]; then
    base=$(field repository)/releases/latest/download
  else
    base=$(field repository)/releases/download/v$wanted
  fi
  if ! download "$asset" "$base/$asset" || ! download SHA256SUMS "$base/SHA256SUMS"; then
    warn "gw502-lint $wanted could not be downloaded from $base; it is built from source, which takes minutes."
    return 1
  fi
  local said is
  said=$(awk -v name="$asset" '$2 == name || $2 == "*" name { print $1 }' SHA256SUMS)
  [[ $said =~ ^[0-9a-f]{64}$ ]] || fail "SHA256SUMS of the release does not say once what $asset should be."
  is=$(digest "$asset") || fail "The checksum of $asset cannot be computed."
  [ "$said" = "$is" ] || fail "The checksum of $asset is $is, and not $said as the release says. Nothing was installed."
  tar -xzf "$asset" -C bin "$program" || fail "$program could not be unpacked from $asset."
  rm -f "$asset"
}

# Never in the linted tree: a .cargo/config.toml or a rust-toolchain file there would have a say in the build.
build() {
  command -v cargo >/dev/null 2>&1 ||
    fail "gw502-lint has to be built here, and cargo is not installed. Install Rust in a step before this one, or use a runner for which there is a binary."
  case $wanted in
    latest) cargo install --locked --root "$place" gw502-lint ;;
    source | "$own") (cd "$root" && cargo install --locked --root "$place" --path .) ;;
    *) cargo install --locked --root "$place" --version "=$wanted" gw502-lint ;;
  esac || fail "gw502-lint could not be built; the log says why."
}

fetch || build

binary=$place/bin/$program
version=$("$binary" --version) || fail "gw502-lint was installed, and does not start here."
version=${version#gw502-lint }
output binary "$binary"
output version "$version"
echo "gw502-lint $version"
