# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_gw502_lint_global_optspecs
    string join \n no-ignore dialect= stdin-filename= target= config= no-config format= output= statistics color= hyperlinks= select= ignore= min-severity= fail-on= fix unsafe-fixes diff baseline= no-baseline write-baseline= changed-since= list-files explain-file= timings h/help V/version
end

function __fish_gw502_lint_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_gw502_lint_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_gw502_lint_using_subcommand
    set -l cmd (__fish_gw502_lint_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l dialect -d 'What a file is, where it cannot be told: PATH_OR_GLOB=nginx or =haproxy (repeatable)' -r
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l stdin-filename -d 'The name that standard input goes by' -r
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l target -d 'The versions that run the configuration: nginx=1.24,haproxy=2.8. Without it: nginx 1.22 or newer, HAProxy 2.6 or newer' -r
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l config -d 'The configuration file, instead of the nearest .gw502.yaml between the root and the repository\'s root' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l format -d 'How to write the findings; with =FILE into a file (repeatable)' -r -f -a "human\t''
concise\t''
json\t''
json-lines\t''
sarif\t''
code-scanning\t''
github\t''
gitlab\t''
junit\t''
checkstyle\t''
markdown\t''"
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l output -d 'Where the format without a file of its own goes, instead of to standard output' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l color -d 'Use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l hyperlinks -d 'Link the codes of rules to their pages, in terminals that know such links' -r -f -a "auto\t'On a terminal that knows them, where colours are wanted'
always\t'Always'
never\t'Never'"
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l select -d 'Run only these rules: codes, names or beginnings of codes (GW2), separated by commas' -r
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l ignore -d 'Do not run these rules' -r
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l min-severity -d 'Show and count only findings at least this bad' -r -f -a "error\t''
warning\t''
note\t''"
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l fail-on -d 'Exit with 1 when a finding is at least this bad' -r -f -a "error\t''
warning\t''
note\t''
never\t''"
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l baseline -d 'Findings that FILE lists do not count: they were there when it was written' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l write-baseline -d 'Write all findings of this run into FILE, as a baseline for later ones' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l changed-since -d 'Only findings count that came with what changed since REF (a branch, tag or commit of git), or that point at lines that changed' -r
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l explain-file -d 'Say what a file is taken for, and why (human, json)' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l no-ignore -d 'Lint what .gitignore and .ignore name, and node_modules, vendor and target, too'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l no-config -d 'Read no configuration file'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l statistics -d 'Count the findings of each rule instead of showing them (human, concise)'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l fix -d 'Apply safe fixes, and report what is left; of standard input the fixed text goes to standard output'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l unsafe-fixes -d 'With --fix or --diff: the fixes that somebody has to look at, too'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l diff -d 'Print what --fix would change as a diff, and write nothing; exit with 1 when there is something'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l no-baseline -d 'Do not use the baseline that the configuration file names'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l list-files -d 'List the files that would be linted, and as what, instead of linting them (human, json)'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -l timings -d 'Say on standard error how long each part of the run and each rule takes'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -s V -l version -d 'Print version'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -a "explain" -d 'Explains a rule: what it looks for, why that fails, what to write instead'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -a "rules" -d 'Lists all rules'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -a "graph" -d 'Draws what was found: proxies, sites, pools, addresses, services, and the findings on them'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -a "init" -d 'Writes a configuration file to start from: .gw502.yaml, all commented out'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -a "config" -d 'Says what may stand in the configuration file, and what it says for a path'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -a "completions" -d 'Writes a completion script for a shell to standard output'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -a "man" -d 'Writes the manual pages'
complete -c gw502-lint -n "__fish_gw502_lint_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand explain" -s h -l help -d 'Print help'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand rules" -l format -d 'How to write the list' -r -f -a "human\t'One line for each rule'
json\t'Everything that is known of the rules, as JSON'"
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand rules" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -l dialect -d 'What a file is, where it cannot be told: PATH_OR_GLOB=nginx or =haproxy (repeatable)' -r
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -l stdin-filename -d 'The name that standard input goes by' -r
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -l target -d 'The versions that run the configuration: nginx=1.24,haproxy=2.8. Without it: nginx 1.22 or newer, HAProxy 2.6 or newer' -r
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -l config -d 'The configuration file, instead of the nearest .gw502.yaml between the root and the repository\'s root' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -l format -d 'How to write it' -r -f -a "svg\t'A picture for any browser'
dot\t'For Graphviz'
mermaid\t'For Markdown'
json\t'Everything, for scripts'"
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -s o -l output -d 'Where it goes, instead of to standard output' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -l no-ignore -d 'Lint what .gitignore and .ignore name, and node_modules, vendor and target, too'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -l no-config -d 'Read no configuration file'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand graph" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand init" -l force -d 'Replace a file that is there'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand init" -s h -l help -d 'Print help'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and not __fish_seen_subcommand_from schema show help" -s h -l help -d 'Print help'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and not __fish_seen_subcommand_from schema show help" -f -a "schema" -d 'Prints the JSON Schema of .gw502.yaml'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and not __fish_seen_subcommand_from schema show help" -f -a "show" -d 'Shows the settings that hold for a path, and where each is written'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and not __fish_seen_subcommand_from schema show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and __fish_seen_subcommand_from show" -l format -d 'How to write it; JSON has the rules that nobody set, too' -r -f -a "human\t'What is set, and the options of all rules'
json\t'Everything, as JSON'"
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'The configuration file, instead of the nearest .gw502.yaml' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Prints the JSON Schema of .gw502.yaml'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "show" -d 'Shows the settings that hold for a path, and where each is written'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand completions" -s h -l help -d 'Print help'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand man" -l folder -d 'Writes all pages into this folder, instead of the main one to standard output' -r -F
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand man" -s h -l help -d 'Print help'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and not __fish_seen_subcommand_from explain rules graph init config completions man help" -f -a "explain" -d 'Explains a rule: what it looks for, why that fails, what to write instead'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and not __fish_seen_subcommand_from explain rules graph init config completions man help" -f -a "rules" -d 'Lists all rules'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and not __fish_seen_subcommand_from explain rules graph init config completions man help" -f -a "graph" -d 'Draws what was found: proxies, sites, pools, addresses, services, and the findings on them'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and not __fish_seen_subcommand_from explain rules graph init config completions man help" -f -a "init" -d 'Writes a configuration file to start from: .gw502.yaml, all commented out'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and not __fish_seen_subcommand_from explain rules graph init config completions man help" -f -a "config" -d 'Says what may stand in the configuration file, and what it says for a path'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and not __fish_seen_subcommand_from explain rules graph init config completions man help" -f -a "completions" -d 'Writes a completion script for a shell to standard output'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and not __fish_seen_subcommand_from explain rules graph init config completions man help" -f -a "man" -d 'Writes the manual pages'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and not __fish_seen_subcommand_from explain rules graph init config completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "schema" -d 'Prints the JSON Schema of .gw502.yaml'
complete -c gw502-lint -n "__fish_gw502_lint_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Shows the settings that hold for a path, and where each is written'
