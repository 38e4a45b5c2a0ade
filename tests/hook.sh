#!/usr/bin/env bash
# The pre-commit hook that builds gw502-lint from source, tried as `pre-commit try-repo` does it for a user: minutes, because
# it is a release build of a fresh copy. `tests/hook.sh dev` leaves the optimisation out.
#
# Needs pre-commit, git, and cargo with the crates of Cargo.lock or the network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'echo "tests/hook.sh: line $LINENO does not hold." >&2' ERR
if [ "${1:-release}" = dev ]; then
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi
export PRE_COMMIT_HOME=$place/cache
export GIT_AUTHOR_NAME=Somebody GIT_AUTHOR_EMAIL=somebody@example.org
export GIT_COMMITTER_NAME=Somebody GIT_COMMITTER_EMAIL=somebody@example.org
# Nobody's own configuration of git.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE

# What lies in the folder, committed or not, as a repository of its own.
mkdir "$place/hooks"
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
  tar --null -T - -cf - | tar -xf - -C "$place/hooks"
git -C "$place/hooks" init -q .
git -C "$place/hooks" add --all .
git -C "$place/hooks" commit -q -m hooks

# One file is staged; another one says that it is wrong. (That a sound repository passes is seen with the other hook.)
cp -R fixtures/port-mismatch/nginx-compose-ports/bad "$place/repository"
cd "$place/repository"
git init -q .
git add nginx
code=0
pre-commit try-repo "$place/hooks" gw502-lint --verbose >"$place/log" 2>&1 || code=$?
cat "$place/log"
[ "$code" -eq 1 ]
grep -q GW101 "$place/log"
