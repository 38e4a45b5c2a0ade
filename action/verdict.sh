#!/usr/bin/env bash
# Ends the job as the linter would have. In: EXIT_CODE.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=action/common.sh
source "$here/common.sh"

case ${EXIT_CODE:-} in
  0) ;;
  1) echo "gw502-lint: there are findings at or above the threshold." ;;
  [0-9] | [0-9][0-9] | [0-9][0-9][0-9]) ;;
  *) fail "gw502-lint has not run." ;;
esac
exit "$EXIT_CODE"
