//! Commands as lists of words, without what only starts another program.

use super::sites;
use crate::source::SourceMap;
use crate::syntax::words::{self, Command, HOLE, Text, Variable};

/// One simple command.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Variables that are set for it alone.
    pub assignments: Vec<(Box<str>, Text)>,
    /// The program and its arguments; never empty.
    pub words: Vec<Text>,
}

impl Line {
    /// The program's name, without its folder.
    pub fn program(&self) -> &str {
        self.words.first().map_or("", |word| base_name(&word.text))
    }

    /// What follows the program's name.
    pub fn arguments(&self) -> &[Text] {
        self.words.get(1..).unwrap_or(&[])
    }
}

/// Most simple commands of one text that are looked at.
const MAX_LINES: usize = 256;

/// How deep shells within shells are followed.
const MAX_SHELLS: usize = 4;

/// The last part of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The simple commands of a command.
pub(super) fn lines(sources: &SourceMap, command: &Command, lookup: &dyn Fn(&str) -> Variable) -> Vec<Line> {
    let mut out = Vec::new();
    match command {
        Command::Words(words) => push(sources, words.clone(), lookup, 0, &mut out),
        Command::Split(text) => push(sources, split(sources, text), lookup, 0, &mut out),
        Command::Shell(text) => shell(sources, text, lookup, 0, &mut out),
    }
    out
}

/// A text's words, each with its place.
pub(super) fn split(sources: &SourceMap, text: &Text) -> Vec<Text> {
    let words = words::split(&text.text).into_iter();
    words.map(|word| Text::new(word.text, sites::part(sources, text, word.range))).collect()
}

fn shell(sources: &SourceMap, text: &Text, lookup: &dyn Fn(&str) -> Variable, depth: usize, out: &mut Vec<Line>) {
    if depth >= MAX_SHELLS {
        return;
    }
    for command in words::commands(&text.text, lookup) {
        if out.len() >= MAX_LINES {
            return;
        }
        let words: Vec<_> =
            command.into_iter().map(|word| Text::new(word.text, sites::part(sources, text, word.range))).collect();
        push(sources, words, lookup, depth, out);
    }
}

/// Takes off what only starts another program, and follows `sh -c`.
fn push(sources: &SourceMap, words: Vec<Text>, lookup: &dyn Fn(&str) -> Variable, depth: usize, out: &mut Vec<Line>) {
    let mut assignments = Vec::new();
    let mut rest = &words[..];
    while let Some(first) = rest.first() {
        let name = base_name(&first.text);
        let after = rest.get(1..).unwrap_or(&[]);
        // Words that stand before the program, by the number of their own arguments.
        let skipped = match name {
            "exec"
            | "nohup"
            | "time"
            | "then"
            | "do"
            | "else"
            | "!"
            | "{"
            | "if"
            | "while"
            | "until"
            | "ddtrace-run"
            | "opentelemetry-instrument"
            | "setsid"
            | "catchsegv"
            | "docker-entrypoint.sh"
            | "docker-php-entrypoint"
            | "entrypoint.sh"
            | "docker-entrypoint"
                if !after.is_empty() =>
            {
                flags(after, &["-a"])
            }
            "sudo" => flags(after, &["-u", "-g"]),
            "dumb-init" | "tini" | "catatonit" | "docker-init" => {
                let flags = flags(after, &["-p"]);
                flags + usize::from(after.get(flags).is_some_and(|word| &*word.text == "--"))
            }
            "gosu" | "su-exec" => 1,
            "nice" => flags(after, &["-n"]),
            "stdbuf" => flags(after, &["-o", "-i", "-e"]),
            "newrelic-admin" => 1,
            "timeout" => flags(after, &["-s", "-k"]) + 1,
            "env" => {
                let mut at = flags(after, &["-u"]);
                while let Some(word) = after.get(at)
                    && let Some((name, value)) = assignment(&word.text)
                {
                    assignments.push((name.into(), Text::new(value, word.site)));
                    at += 1;
                }
                at
            }
            "poetry" | "uv" | "pipenv" | "pdm" | "hatch" | "rye"
                if after.first().is_some_and(|w| &*w.text == "run") =>
            {
                1 + flags(after.get(1..).unwrap_or(&[]), &["--with", "--project", "--directory", "-p", "--extra"])
            }
            "bundle" if after.first().is_some_and(|word| &*word.text == "exec") => 1,
            "npx" | "pnpx" | "bunx" => flags(after, &["-p", "--package"]),
            "pnpm" | "npm" | "yarn" if after.first().is_some_and(|w| matches!(&*w.text, "exec" | "dlx")) => {
                let flags = flags(after.get(1..).unwrap_or(&[]), &[]);
                1 + flags + usize::from(after.get(1 + flags).is_some_and(|word| &*word.text == "--"))
            }
            "wait-for-it.sh" | "wait-for-it" | "wait-for" | "wait-for.sh" | "wait" => {
                match after.iter().position(|word| &*word.text == "--") {
                    Some(at) => at + 1,
                    None => break,
                }
            }
            name if name.starts_with("python") || name.starts_with("pypy") => {
                // `python -m module` is the module's program.
                match after.iter().position(|word| &*word.text == "-m") {
                    Some(at) if after.iter().take(at).all(|word| word.text.starts_with('-')) => at + 1,
                    _ => break,
                }
            }
            _ => match assignment(&first.text) {
                Some((name, value)) => {
                    assignments.push((name.into(), Text::new(value, first.site)));
                    0
                }
                None => break,
            },
        };
        rest = after.get(skipped..).unwrap_or(&[]);
    }
    let Some(first) = rest.first() else { return };
    if matches!(base_name(&first.text), "sh" | "bash" | "ash" | "dash" | "zsh") {
        let told = rest.iter().position(|word| {
            word.text.strip_prefix('-').is_some_and(|flags| !flags.starts_with('-') && flags.ends_with('c'))
        });
        match told.and_then(|at| rest.get(at + 1)) {
            Some(text) => shell(sources, text, lookup, depth + 1, out),
            // `bash start.sh` is the script.
            None => {
                let rest = rest.get(1..).unwrap_or(&[]);
                let rest = rest.get(flags(rest, &["-o"])..).unwrap_or(&[]);
                if !rest.is_empty() {
                    out.push(Line { assignments, words: rest.to_vec() });
                }
            }
        }
        return;
    }
    out.push(Line { assignments, words: rest.to_vec() });
}

/// How many of the first words are flags; those of `with_value` take the next word along.
fn flags(words: &[Text], with_value: &[&str]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at)
        && word.text.starts_with('-')
        && &*word.text != "--"
    {
        at += 1 + usize::from(with_value.contains(&&*word.text));
    }
    at
}

/// `NAME=value`.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then_some((name, value))
}

/// A flag that was given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// Its value.
    pub value: Text,
    /// Flag and value, as a person would quote them.
    pub words: String,
    /// From the flag to its value.
    pub site: crate::source::Site,
}

/// All values of a flag: `--name value`, `--name=value`, `-n value`, `-nvalue`.
pub(super) fn given(arguments: &[Text], names: &[&str]) -> Vec<Given> {
    let mut found = Vec::new();
    for (at, word) in arguments.iter().enumerate() {
        if names.contains(&&*word.text) {
            if let Some(value) = arguments.get(at + 1) {
                let site = sites::joined(word.site, value.site);
                found.push(Given { value: value.clone(), words: format!("{} {}", word.text, value.text), site });
            }
            continue;
        }
        for name in names {
            let Some(value) = word.text.strip_prefix(name) else { continue };
            let value = match (name.starts_with("--"), value.strip_prefix('=')) {
                (_, Some(value)) => value,
                (false, None) if name.len() == 2 && !value.is_empty() => value,
                _ => continue,
            };
            found.push(Given { value: Text::new(value, word.site), words: word.text.to_string(), site: word.site });
        }
    }
    found
}

/// The last value of a flag.
pub(super) fn last(arguments: &[Text], names: &[&str]) -> Option<Given> {
    given(arguments, names).pop()
}

/// Whether a word that may be flags is not known.
pub(super) fn has_unknown(arguments: &[Text]) -> bool {
    arguments.iter().enumerate().any(|(at, word)| {
        word.text.starts_with(HOLE)
            && !at
                .checked_sub(1)
                .and_then(|before| arguments.get(before))
                .is_some_and(|word| word.text.starts_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Site, SourceFile, Span};

    fn said(command: &str) -> Vec<String> {
        let mut sources = SourceMap::default();
        let id = sources.add(SourceFile::new("a", command.as_bytes().to_vec()));
        let text = Text::new(command, Site::direct(Span::new(id, 0, command.len() as u32)));
        let vars = |name: &str| match name {
            "PORT" => Variable::Is("8000".into()),
            _ => Variable::Unset,
        };
        let lines = lines(&sources, &Command::Shell(text), &vars);
        lines.iter().map(|line| line.words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn what_only_starts_another_program_is_taken_off() {
        for command in [
            "exec gunicorn app",
            "A=1 B=2 gunicorn app",
            "env A=1 /usr/bin/gunicorn app",
            "poetry run gunicorn app",
            "uv run --no-dev gunicorn app",
            "bundle exec gunicorn app",
            "npx --yes gunicorn app",
            "dumb-init -- gunicorn app",
            "/sbin/tini -g -- gunicorn app",
            "python3.12 -u -m gunicorn app",
            "sh -c \"exec gunicorn app\"",
            "bash -lc 'cd /x; gunicorn app'",
            "gosu app gunicorn app",
            "./wait-for-it.sh db:5432 -t 30 -- gunicorn app",
            "docker-entrypoint.sh gunicorn app",
        ] {
            let lines = said(command);
            let last = lines.last().unwrap();
            assert_eq!(last.rsplit('/').next().unwrap(), "gunicorn app", "{command}");
        }
        assert_eq!(said("python app.py --port 1"), ["python app.py --port 1"]);
        assert_eq!(said("bash ./start.sh x"), ["./start.sh x"]);
    }

    #[test]
    fn flags_are_found_in_all_spellings() {
        let sources = SourceMap::default();
        let site = Site::direct(Span::new(crate::source::FileId::new(0), 0, 0));
        let words = |text: &str| -> Vec<Text> {
            let _ = &sources;
            text.split(' ').map(|word| Text::new(word, site)).collect()
        };
        let values = |text: &str| -> Vec<String> {
            given(&words(text), &["--bind", "-b"]).iter().map(|given| given.value.text.to_string()).collect()
        };
        assert_eq!(values("-b :1 --bind=:2 --bind :3 -b:4 --binder :5 --bindx=6"), [":1", ":2", ":3", ":4"]);
        assert!(values("-b").is_empty());
    }
}
