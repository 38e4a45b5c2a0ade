
use builtin;
use str;

set edit:completion:arg-completer[gw502-lint] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'gw502-lint'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'gw502-lint'= {
            cand --dialect 'What a file is, where it cannot be told: PATH_OR_GLOB=nginx or =haproxy (repeatable)'
            cand --stdin-filename 'The name that standard input goes by'
            cand --target 'The versions that run the configuration: nginx=1.24,haproxy=2.8. Without it: nginx 1.22 or newer, HAProxy 2.6 or newer'
            cand --config 'The configuration file, instead of the nearest .gw502.yaml between the root and the repository''s root'
            cand --format 'How to write the findings; with =FILE into a file (repeatable)'
            cand --output 'Where the format without a file of its own goes, instead of to standard output'
            cand --color 'Use colours'
            cand --hyperlinks 'Link the codes of rules to their pages, in terminals that know such links'
            cand --select 'Run only these rules: codes, names or beginnings of codes (GW2), separated by commas'
            cand --ignore 'Do not run these rules'
            cand --min-severity 'Show and count only findings at least this bad'
            cand --fail-on 'Exit with 1 when a finding is at least this bad'
            cand --explain-file 'Say what a file is taken for, and why (human, json)'
            cand --no-ignore 'Lint what .gitignore and .ignore name, and node_modules, vendor and target, too'
            cand --no-config 'Read no configuration file'
            cand --statistics 'Count the findings of each rule instead of showing them (human, concise)'
            cand --fix 'Apply safe fixes, and report what is left; of standard input the fixed text goes to standard output'
            cand --unsafe-fixes 'With --fix or --diff: the fixes that somebody has to look at, too'
            cand --diff 'Print what --fix would change as a diff, and write nothing; exit with 1 when there is something'
            cand --list-files 'List the files that would be linted, and as what, instead of linting them (human, json)'
            cand --timings 'Say on standard error how long each part of the run and each rule takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand explain 'Explains a rule: what it looks for, why that fails, what to write instead'
            cand rules 'Lists all rules'
            cand graph 'Draws what was found: proxies, sites, pools, addresses, services, and the findings on them'
            cand init 'Writes a configuration file to start from: .gw502.yaml, all commented out'
            cand config 'Says what may stand in the configuration file, and what it says for a path'
            cand completions 'Writes a completion script for a shell to standard output'
            cand man 'Writes the manual pages'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'gw502-lint;explain'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'gw502-lint;rules'= {
            cand --format 'How to write the list'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'gw502-lint;graph'= {
            cand --dialect 'What a file is, where it cannot be told: PATH_OR_GLOB=nginx or =haproxy (repeatable)'
            cand --stdin-filename 'The name that standard input goes by'
            cand --target 'The versions that run the configuration: nginx=1.24,haproxy=2.8. Without it: nginx 1.22 or newer, HAProxy 2.6 or newer'
            cand --config 'The configuration file, instead of the nearest .gw502.yaml between the root and the repository''s root'
            cand --format 'How to write it'
            cand -o 'Where it goes, instead of to standard output'
            cand --output 'Where it goes, instead of to standard output'
            cand --no-ignore 'Lint what .gitignore and .ignore name, and node_modules, vendor and target, too'
            cand --no-config 'Read no configuration file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'gw502-lint;init'= {
            cand --force 'Replace a file that is there'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'gw502-lint;config'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand schema 'Prints the JSON Schema of .gw502.yaml'
            cand show 'Shows the settings that hold for a path, and where each is written'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'gw502-lint;config;schema'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'gw502-lint;config;show'= {
            cand --format 'How to write it; JSON has the rules that nobody set, too'
            cand --config 'The configuration file, instead of the nearest .gw502.yaml'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'gw502-lint;config;help'= {
            cand schema 'Prints the JSON Schema of .gw502.yaml'
            cand show 'Shows the settings that hold for a path, and where each is written'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'gw502-lint;config;help;schema'= {
        }
        &'gw502-lint;config;help;show'= {
        }
        &'gw502-lint;config;help;help'= {
        }
        &'gw502-lint;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'gw502-lint;man'= {
            cand --folder 'Writes all pages into this folder, instead of the main one to standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'gw502-lint;help'= {
            cand explain 'Explains a rule: what it looks for, why that fails, what to write instead'
            cand rules 'Lists all rules'
            cand graph 'Draws what was found: proxies, sites, pools, addresses, services, and the findings on them'
            cand init 'Writes a configuration file to start from: .gw502.yaml, all commented out'
            cand config 'Says what may stand in the configuration file, and what it says for a path'
            cand completions 'Writes a completion script for a shell to standard output'
            cand man 'Writes the manual pages'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'gw502-lint;help;explain'= {
        }
        &'gw502-lint;help;rules'= {
        }
        &'gw502-lint;help;graph'= {
        }
        &'gw502-lint;help;init'= {
        }
        &'gw502-lint;help;config'= {
            cand schema 'Prints the JSON Schema of .gw502.yaml'
            cand show 'Shows the settings that hold for a path, and where each is written'
        }
        &'gw502-lint;help;config;schema'= {
        }
        &'gw502-lint;help;config;show'= {
        }
        &'gw502-lint;help;completions'= {
        }
        &'gw502-lint;help;man'= {
        }
        &'gw502-lint;help;help'= {
        }
    ]
    $completions[$command]
}
