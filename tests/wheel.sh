#!/usr/bin/env bash
# The Python package: built, installed into a fresh environment, run; its metadata and what it holds are compared.
#
#   tests/wheel.sh            as it is released (minutes)
#   tests/wheel.sh dev        the same, without optimisation
#
# Needs Python 3 with venv, and maturin; where that is not installed, the network for what .ci/requirements-wheel.txt lists.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
profile=${1:-release}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'echo "tests/wheel.sh: line $LINENO does not hold." >&2' ERR

maturin=$(command -v maturin || true)
if [ -z "$maturin" ]; then
  python3 -m venv "$place/tools"
  "$place/tools/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r .ci/requirements-wheel.txt
  maturin=$place/tools/bin/maturin
fi
"$maturin" build --profile "$profile" --locked --compatibility linux --out "$place/wheels"
"$maturin" sdist --out "$place/sdist"

python3 -m venv "$place/fresh"
"$place/fresh/bin/python" -m pip install -q --disable-pip-version-check --no-index "$place"/wheels/*.whl
program=$place/fresh/bin/gw502-lint
version=$(sed -n '/^version = "/{s/^version = "\(.*\)"$/\1/p;q;}' Cargo.toml)

[ "$("$program" --version)" = "gw502-lint $version" ]
fixture=fixtures/short-read-timeout/nginx
"$program" "$fixture/good"
code=0
"$program" "$fixture/bad" >/dev/null || code=$?
[ "$code" -eq 1 ]

"$place/fresh/bin/python" - "$version" <<'PYTHON'
import sys
from importlib.metadata import distribution

found = distribution("gw502-lint")
said = found.metadata
assert said["Version"] == sys.argv[1], said["Version"]
assert said["License-Expression"] == "MIT OR Apache-2.0", said["License-Expression"]
assert said["Description-Content-Type"].startswith("text/markdown"), said["Description-Content-Type"]
# The page of the package knows no other file of the repository: its links are whole.
text = said.get_payload() or said["Description"]
assert text.startswith("# gw502-lint") and "](" in text, text[:80]
assert text.count("](") == text.count("](https://"), text
assert not said.get_all("Requires-Dist"), said.get_all("Requires-Dist")
files = sorted(str(path) for path in found.files)
assert any(path.endswith("licenses/LICENSE-MIT") for path in files), files
assert any(path.endswith("licenses/LICENSE-APACHE") for path in files), files
outside = [path for path in files if ".dist-info/" not in path]
assert len(outside) == 1 and outside[0].endswith("bin/gw502-lint"), outside
PYTHON

# The source package builds the program; fixtures and tests are not in it.
listed=$(tar -tzf "$place"/sdist/*.tar.gz)
for file in Cargo.toml Cargo.lock build.rs pyproject.toml docs/package.md src/main.rs rules/GW201-short-read-timeout.yaml LICENSE-MIT; do
  grep -qx "gw502_lint-$version/$file" <<<"$listed" || { echo "The source package lacks $file." >&2; exit 1; }
done
if grep -E "^gw502_lint-$version/(fixtures|tests|benches)/" <<<"$listed"; then
  echo "The source package holds what is not needed to build." >&2
  exit 1
fi

"$place/fresh/bin/python" -m pip uninstall -q -y gw502-lint
[ ! -e "$program" ]
echo "wheel: $(du -h "$place"/wheels/*.whl | cut -f 1), source: $(du -h "$place"/sdist/*.tar.gz | cut -f 1)"
