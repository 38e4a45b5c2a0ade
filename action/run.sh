#!/usr/bin/env bash
# Lints, and keeps the exit code for the last step, so that what was found can be uploaded before the job fails.
#
# In: BINARY, and the inputs of the action as INPUT_…; RUNNER_TEMP, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY.
# Out: exit-code, sarif-file, json-file, findings, errors, warnings, notes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=action/common.sh
source "$here/common.sh"

one_line format "${INPUT_FORMAT:-}"
one_line fail-on "${INPUT_FAIL_ON:-}"
one_line target "${INPUT_TARGET:-}"
one_line config "${INPUT_CONFIG:-}"
one_line baseline "${INPUT_BASELINE:-}"
one_line changed-since "${INPUT_CHANGED_SINCE:-}"
one_line sarif-file "${INPUT_SARIF_FILE:-}"
one_line working-directory "${INPUT_WORKING_DIRECTORY:-}"

format=${INPUT_FORMAT:-github}
[[ $format =~ ^[a-z][a-z-]*$ ]] || fail "The input \`format\` is the name of a format, and not \`$format\`."

# A folder as it is, without a slash at its end.
folder=${INPUT_WORKING_DIRECTORY:-.}
while [ "$folder" != / ] && [ "${folder%/}" != "$folder" ]; do folder=${folder%/}; done
case $folder in
  -*) folder=./$folder ;;
  ./?*) folder=${folder#./} ;;
esac
[ -d "$folder" ] || fail "The input \`working-directory\` names \`$folder\`, which is no folder here."

# A path of the linted tree, seen from the top: annotations and code scanning count from there. Never an option,
# never standard input.
seen_from_top() {
  case $1 in
    /* | [A-Za-z]:[\\/]*) printf '%s' "$1" ;;
    *)
      case $folder/$1 in
        ./.) printf '.' ;;
        ./-*) printf '%s' "$folder/$1" ;;
        ./*) printf '%s' "$1" ;;
        */.) printf '%s' "$folder" ;;
        *) printf '%s' "$folder/$1" ;;
      esac
      ;;
  esac
}

paths=()
while IFS= read -r line || [ -n "$line" ]; do
  line=${line%$'\r'}
  [ -n "$line" ] || continue
  paths+=("$(seen_from_top "$line")")
done <<<"${INPUT_PATHS:-}"
[ ${#paths[@]} -gt 0 ] || paths=("$(seen_from_top .)")

# Further arguments: split at white space, quotes are understood, nothing is expanded.
further=()
if [[ ${INPUT_ARGS:-} =~ [^[:space:]] ]]; then
  split=$(mktemp "$RUNNER_TEMP/gw502-lint.XXXXXX")
  printf '%s\n' "${INPUT_ARGS//$'\r'/}" | xargs printf '%s\0' >"$split" || fail "The input \`args\` has a quote that is not closed."
  while IFS= read -r -d '' argument; do further+=("$argument"); done <"$split"
  rm -f "$split"
fi

reports=$(mktemp -d "$RUNNER_TEMP/gw502-lint.XXXXXX")
json=$reports/gw502-lint.json
page=$reports/summary.md
sarif=${INPUT_SARIF_FILE:-$reports/gw502-lint.sarif}
case $sarif in -*) sarif=./$sarif ;; esac
mkdir -p "$(dirname "$sarif")"
# What another run has left must not pass for what this one found.
rm -f "$sarif"

call=("--format=$format" "--format=code-scanning=$sarif" "--format=json=$json")
[ "${INPUT_SUMMARY:-true}" != true ] || call+=("--format=markdown=$page")
[ -z "${INPUT_FAIL_ON:-}" ] || call+=("--fail-on=$INPUT_FAIL_ON")
[ -z "${INPUT_TARGET:-}" ] || call+=("--target=$INPUT_TARGET")
[ -z "${INPUT_BASELINE:-}" ] || call+=("--baseline=$(seen_from_top "$INPUT_BASELINE")")
[ -z "${INPUT_CHANGED_SINCE:-}" ] || call+=("--changed-since=$INPUT_CHANGED_SINCE")
if [ -n "${INPUT_CONFIG:-}" ]; then
  call+=("--config=$(seen_from_top "$INPUT_CONFIG")")
else
  # The nearest configuration of the folder. From the top on the program finds it by itself.
  above=$folder
  while [ "$above" != . ] && [ "$above" != / ]; do
    if [ -f "$above/.gw502.yaml" ]; then
      call+=("--config=$above/.gw502.yaml")
      break
    fi
    parent=$(dirname "$above")
    # `D:\` has no folder above it either.
    [ "$parent" != "$above" ] || break
    above=$parent
  done
fi

# Text that is not meant for the runner must not be read by it. `github` is meant for it, and escapes what it quotes.
fence=''
if [ "$format" != github ]; then
  fence=$(od -An -N 16 -t x1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$fence"
fi
code=0
"$BINARY" "${call[@]}" ${further[@]+"${further[@]}"} -- "${paths[@]}" </dev/null || code=$?
[ -z "$fence" ] || printf '\n::%s::\n' "$fence"

output exit-code "$code"
if [ -f "$sarif" ]; then output sarif-file "$sarif"; fi
if [ -f "$json" ]; then
  output json-file "$json"
  findings=0
  for kind in errors warnings notes; do
    # The summary stands at the top of the document; four blanks deep there is no other number.
    count=$(sed -n "/^    \"$kind\": [0-9]/{s/[^0-9]//gp;q;}" "$json")
    output "$kind" "${count:-0}"
    findings=$((findings + ${count:-0}))
  done
  output findings "$findings"
fi

# The table ends by itself before the size that GitHub refuses.
if [ -f "$page" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  cat "$page" >>"$GITHUB_STEP_SUMMARY"
fi

# 0: clean, 1: findings. Anything else is no verdict on the files.
if [ "$code" -gt 1 ]; then
  printf '::error title=gw502-lint::gw502-lint could not do its work (exit code %s); the log says why.\n' "$code"
fi
