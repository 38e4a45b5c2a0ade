#!/usr/bin/env bash
# The pre-commit hook that builds gw502-lint from source, tried as pre-commit does it for a user: minutes, because it is a
# release build of a fresh clone. `tests/hook.sh dev` leaves the optimisation out.
#
# Needs pre-commit, cargo and the network. Only what is committed is tried.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
top=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'echo "tests/hook.sh: line $LINENO does not hold." >&2' ERR
if [ "${1:-release}" = dev ]; then
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi
export PRE_COMMIT_HOME=$place/cache
export GIT_AUTHOR_NAME=Somebody GIT_AUTHOR_EMAIL=somebody@example.org
export GIT_COMMITTER_NAME=Somebody GIT_COMMITTER_EMAIL=somebody@example.org
git clone -q --no-local "$top" "$place/hooks"

mkdir "$place/repository"
cd "$place/repository"
git init -q .
cat >.pre-commit-config.yaml <<YAML
repos:
  - repo: $place/hooks
    rev: $(git -C "$place/hooks" rev-parse HEAD)
    hooks:
      - id: gw502-lint
YAML
for side in good bad; do
  cp -R "$top/fixtures/port-mismatch/nginx-compose-ports/$side/." .
  # One file is committed; the other says that it is wrong.
  git add nginx .pre-commit-config.yaml
  code=0
  pre-commit run --verbose >"$place/log" 2>&1 || code=$?
  cat "$place/log"
  case $side in
    good) [ "$code" -eq 0 ] ;;
    bad) [ "$code" -eq 1 ] && grep -q GW101 "$place/log" ;;
  esac
  git commit -q --no-verify -m "$side"
done
