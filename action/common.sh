# shellcheck shell=bash
# What the steps of the action have in common. Nothing that comes from outside is ever put into a script or a command
# line as text: it arrives in environment variables, and leaves as arguments or escaped.

# A message for a workflow command: no line end, no escape of the runner's own.
escaped() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '%s' "$text"
}

# The step ends here, and the log says why.
fail() {
  printf '::error title=gw502-lint::%s\n' "$(escaped "$1")"
  exit 2
}

warn() {
  printf '::warning title=gw502-lint::%s\n' "$(escaped "$1")"
}

# An output of the step. Values are one line: one with a line end could set other outputs.
output() {
  case $2 in
    *$'\n'* | *$'\r'*) fail "The value of the output $1 has a line end in it." ;;
  esac
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# An input that has no business with line ends.
one_line() {
  case $2 in
    *$'\n'* | *$'\r'*) fail "The input \`$1\` must be one line." ;;
  esac
}
