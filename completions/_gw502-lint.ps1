
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'gw502-lint' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'gw502-lint'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'gw502-lint' {
            [CompletionResult]::new('--dialect', '--dialect', [CompletionResultType]::ParameterName, 'What a file is, where it cannot be told: PATH_OR_GLOB=nginx or =haproxy (repeatable)')
            [CompletionResult]::new('--stdin-filename', '--stdin-filename', [CompletionResultType]::ParameterName, 'The name that standard input goes by')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The versions that run the configuration: nginx=1.24,haproxy=2.8. Without it: nginx 1.22 or newer, HAProxy 2.6 or newer')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The configuration file, instead of the nearest .gw502.yaml between the root and the repository''s root')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write the findings; with =FILE into a file (repeatable)')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Where the format without a file of its own goes, instead of to standard output')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours')
            [CompletionResult]::new('--hyperlinks', '--hyperlinks', [CompletionResultType]::ParameterName, 'Link the codes of rules to their pages, in terminals that know such links')
            [CompletionResult]::new('--select', '--select', [CompletionResultType]::ParameterName, 'Run only these rules: codes, names or beginnings of codes (GW2), separated by commas')
            [CompletionResult]::new('--ignore', '--ignore', [CompletionResultType]::ParameterName, 'Do not run these rules')
            [CompletionResult]::new('--min-severity', '--min-severity', [CompletionResultType]::ParameterName, 'Show and count only findings at least this bad')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit with 1 when a finding is at least this bad')
            [CompletionResult]::new('--explain-file', '--explain-file', [CompletionResultType]::ParameterName, 'Say what a file is taken for, and why (human, json)')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Lint what .gitignore and .ignore name, and node_modules, vendor and target, too')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no configuration file')
            [CompletionResult]::new('--statistics', '--statistics', [CompletionResultType]::ParameterName, 'Count the findings of each rule instead of showing them (human, concise)')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Apply safe fixes, and report what is left; of standard input the fixed text goes to standard output')
            [CompletionResult]::new('--unsafe-fixes', '--unsafe-fixes', [CompletionResultType]::ParameterName, 'With --fix or --diff: the fixes that somebody has to look at, too')
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'Print what --fix would change as a diff, and write nothing; exit with 1 when there is something')
            [CompletionResult]::new('--list-files', '--list-files', [CompletionResultType]::ParameterName, 'List the files that would be linted, and as what, instead of linting them (human, json)')
            [CompletionResult]::new('--timings', '--timings', [CompletionResultType]::ParameterName, 'Say on standard error how long each part of the run and each rule takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explains a rule: what it looks for, why that fails, what to write instead')
            [CompletionResult]::new('rules', 'rules', [CompletionResultType]::ParameterValue, 'Lists all rules')
            [CompletionResult]::new('graph', 'graph', [CompletionResultType]::ParameterValue, 'Draws what was found: proxies, sites, pools, addresses, services, and the findings on them')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Writes a configuration file to start from: .gw502.yaml, all commented out')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Says what may stand in the configuration file, and what it says for a path')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Writes a completion script for a shell to standard output')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Writes the manual pages')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'gw502-lint;explain' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gw502-lint;rules' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write the list')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gw502-lint;graph' {
            [CompletionResult]::new('--dialect', '--dialect', [CompletionResultType]::ParameterName, 'What a file is, where it cannot be told: PATH_OR_GLOB=nginx or =haproxy (repeatable)')
            [CompletionResult]::new('--stdin-filename', '--stdin-filename', [CompletionResultType]::ParameterName, 'The name that standard input goes by')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The versions that run the configuration: nginx=1.24,haproxy=2.8. Without it: nginx 1.22 or newer, HAProxy 2.6 or newer')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The configuration file, instead of the nearest .gw502.yaml between the root and the repository''s root')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write it')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Where it goes, instead of to standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Where it goes, instead of to standard output')
            [CompletionResult]::new('--no-ignore', '--no-ignore', [CompletionResultType]::ParameterName, 'Lint what .gitignore and .ignore name, and node_modules, vendor and target, too')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no configuration file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gw502-lint;init' {
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace a file that is there')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gw502-lint;config' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Prints the JSON Schema of .gw502.yaml')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Shows the settings that hold for a path, and where each is written')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'gw502-lint;config;schema' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gw502-lint;config;show' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write it; JSON has the rules that nobody set, too')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The configuration file, instead of the nearest .gw502.yaml')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gw502-lint;config;help' {
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Prints the JSON Schema of .gw502.yaml')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Shows the settings that hold for a path, and where each is written')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'gw502-lint;config;help;schema' {
            break
        }
        'gw502-lint;config;help;show' {
            break
        }
        'gw502-lint;config;help;help' {
            break
        }
        'gw502-lint;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gw502-lint;man' {
            [CompletionResult]::new('--folder', '--folder', [CompletionResultType]::ParameterName, 'Writes all pages into this folder, instead of the main one to standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gw502-lint;help' {
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explains a rule: what it looks for, why that fails, what to write instead')
            [CompletionResult]::new('rules', 'rules', [CompletionResultType]::ParameterValue, 'Lists all rules')
            [CompletionResult]::new('graph', 'graph', [CompletionResultType]::ParameterValue, 'Draws what was found: proxies, sites, pools, addresses, services, and the findings on them')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Writes a configuration file to start from: .gw502.yaml, all commented out')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Says what may stand in the configuration file, and what it says for a path')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Writes a completion script for a shell to standard output')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Writes the manual pages')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'gw502-lint;help;explain' {
            break
        }
        'gw502-lint;help;rules' {
            break
        }
        'gw502-lint;help;graph' {
            break
        }
        'gw502-lint;help;init' {
            break
        }
        'gw502-lint;help;config' {
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Prints the JSON Schema of .gw502.yaml')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Shows the settings that hold for a path, and where each is written')
            break
        }
        'gw502-lint;help;config;schema' {
            break
        }
        'gw502-lint;help;config;show' {
            break
        }
        'gw502-lint;help;completions' {
            break
        }
        'gw502-lint;help;man' {
            break
        }
        'gw502-lint;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
