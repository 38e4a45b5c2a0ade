//! Scripts that write nginx's configuration: what a shell makes of a here-document before nginx reads it.
//!
//! Where the delimiter stands without quotes, the shell replaces each `$name`; one that it does not know becomes nothing.
//! Measured with dash and bash, and nginx 1.22.1: `proxy_set_header Host $host;` arrives as `proxy_set_header Host ;`,
//! which nginx refuses; so do the other directives of [`WITH_VALUE`]. Elsewhere it starts, and reads the line without
//! the variable.

use super::Lowered;
use super::compose::{is_nginx_path, variables};
use crate::defaults::nginx_variables;
use crate::files::{Files, Loaded};
use crate::source::{Site, Span, clean};
use crate::topology::{Dialect, Fault, FaultKind, FaultWeight, LoadEffect, Proxy};
use crate::value::Versions;
use memchr::memmem;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Longest script that is read.
const MAX_BYTES: usize = 1 << 20;

/// Most here-documents of one script, and variables of one of them, that are looked at.
const MAX_DOCUMENTS: usize = 1000;

/// Longest part of a statement that is looked at on each side of a variable.
const LONGEST_STATEMENT: usize = 1024;

/// Directives that take a name and a value, so that nginx refuses them without the value.
const WITH_VALUE: [&str; 6] =
    ["proxy_set_header", "grpc_set_header", "add_header", "fastcgi_param", "uwsgi_param", "scgi_param"];

/// Beginnings of lines that nobody writes but for nginx.
const TELLING: [&str; 5] = ["proxy_set_header ", "proxy_pass ", "fastcgi_pass ", "fastcgi_param ", "uwsgi_pass "];

/// Whether a path's name is one of a shell script or a Dockerfile. It is not read for that.
#[must_use]
pub fn is_script_name(path: &str) -> bool {
    let name = path.rfind('/').map_or(path, |slash| &path[slash + 1..]);
    [".sh", ".bash"].iter().any(|ending| name.ends_with(ending))
        || matches!(name, "entrypoint" | "docker-entrypoint")
        || is_dockerfile(name)
}

fn is_dockerfile(name: &str) -> bool {
    name == "Dockerfile"
        || name.starts_with("Dockerfile.")
        || name.ends_with(".Dockerfile")
        || name.ends_with(".dockerfile")
}

/// Whether the head of a script shows that it may write a file of nginx.
#[must_use]
pub fn may_write_configuration(head: &[u8]) -> bool {
    memmem::find(head, b"<<").is_some() && memmem::find(head, b"nginx").is_some()
}

/// Looks at the scripts that were met.
pub(super) fn lower(files: &mut Files<'_>, versions: Versions, out: &mut Lowered) {
    for path in files.deployments().iter().filter(|path| is_script_name(path)) {
        let Loaded::File(file) = files.load_text(path) else { continue };
        let source = files.sources.share(file);
        if source.text().len() > MAX_BYTES {
            continue;
        }
        let script = Script::new(source.text(), is_dockerfile(path.rsplit('/').next().unwrap_or(path)));
        let documents: Vec<&Document<'_>> =
            script.documents.iter().filter(|document| script.is_configuration(document)).collect();
        if documents.is_empty() {
            continue;
        }
        out.told.push(file);
        let mut proxy = None;
        for document in documents.into_iter().filter(|document| !document.quoted) {
            let Some(eaten) = script.eaten(document) else { continue };
            let proxies = &mut out.topology.proxies;
            let proxy = *proxy.get_or_insert_with(|| {
                proxies.push(Proxy {
                    dialect: Dialect::Nginx,
                    versions,
                    entry: file,
                    whole: false,
                    again: false,
                    limits: None,
                })
            });
            let site = |at: Range<usize>| Site::direct(Span::new(file, at.start as u32, at.end as u32));
            let name = clean(eaten.name);
            let message = match eaten.refused {
                true => format!("the shell puts nothing in place of `${name}`, so nginx refuses what this writes"),
                false => format!("the shell puts nothing in place of `${name}`, so nginx reads this line without it"),
            };
            let help = match eaten.wanted {
                true => "write `\\$` instead of `$` for each of nginx's own variables".to_owned(),
                false => {
                    format!("quote the delimiter, so that the shell replaces nothing: `<<'{}'`", document.delimiter)
                }
            };
            let fails = eaten.refused && eaten.certain && script.is_known_path(document);
            let fault =
                Fault::new(FaultKind::UnsetVariable, proxy, (site(eaten.at), "emptied before nginx reads it"), message)
                    .effect(if eaten.refused { LoadEffect::Refused } else { LoadEffect::Ignored })
                    .other(
                        site(document.opener.clone()),
                        "without quotes around the delimiter, the shell replaces each `$name`",
                    )
                    .why("nginx's own variables are none of the shell's; what the shell does not know becomes nothing")
                    .help(help)
                    .weight(if fails { FaultWeight::Fails } else { FaultWeight::MayFail }, fails);
            out.topology.load.faults.push(fault);
        }
    }
}

/// A here-document.
struct Document<'t> {
    delimiter: &'t str,
    /// Whether the shell leaves it as it is.
    quoted: bool,
    /// The `<<` and the delimiter.
    opener: Range<usize>,
    body: Range<usize>,
    /// Where it goes to, as written; `None`: nobody knows.
    to: Option<String>,
}

/// The first variable of nginx that a shell empties.
struct Eaten<'t> {
    name: &'t str,
    at: Range<usize>,
    /// Whether nginx refuses what is left.
    refused: bool,
    /// Whether the shell is sure not to know it.
    certain: bool,
    /// Whether the document has something that the shell is to put in.
    wanted: bool,
}

struct Script<'t> {
    text: &'t str,
    documents: Vec<Document<'t>>,
    /// Words of the commands that may be names of the script's own variables.
    names: HashSet<&'t str>,
    /// Paths that variables hold; `None` for one that is set more than once.
    paths: HashMap<&'t str, Option<&'t str>>,
    /// Whether variables may come from another file.
    open: bool,
    dockerfile: bool,
}

impl<'t> Script<'t> {
    fn new(text: &'t str, dockerfile: bool) -> Self {
        let mut script =
            Self { text, documents: Vec::new(), names: HashSet::new(), paths: HashMap::new(), open: false, dockerfile };
        script.read();
        script
    }

    /// Tells commands and here-documents apart, line by line.
    fn read(&mut self) {
        let mut waiting: Vec<(Document<'t>, bool)> = Vec::new();
        let mut command = String::new();
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let at = start;
            start += line.len();
            let bare = line.trim_end_matches(['\n', '\r']);
            if let Some((document, tabs)) = waiting.first_mut() {
                let end = if *tabs { bare.trim_start_matches('\t') } else { bare };
                if end != document.delimiter {
                    continue;
                }
                document.body.end = at;
                self.documents.push(waiting.remove(0).0);
                if let Some((next, _)) = waiting.first_mut() {
                    next.body.start = start;
                }
                continue;
            }
            if bare.trim_start().starts_with('#') {
                continue;
            }
            self.code(bare);
            command.push_str(bare.trim_end_matches('\\'));
            waiting = openers(bare, at);
            if self.documents.len() + waiting.len() > MAX_DOCUMENTS {
                return;
            }
            // Of several the last one is what the command is given.
            if let Some((document, _)) = waiting.last_mut() {
                let runs = command.trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("RUN "));
                document.to = target(&command).filter(|_| runs || !self.dockerfile);
            }
            if let Some((document, _)) = waiting.first_mut() {
                document.body.start = start;
            }
            if !bare.ends_with('\\') || !waiting.is_empty() {
                command.clear();
            }
        }
    }

    /// What a line of commands says of variables.
    fn code(&mut self, line: &'t str) {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut rest = line;
        let mut before = "";
        while let Some(start) = rest.find(is_word) {
            before = if start > 0 { &rest[..start] } else { before };
            let length = rest[start..].find(|c| !is_word(c)).unwrap_or(rest.len() - start);
            let (word, after) = rest[start..].split_at(length);
            if !before.ends_with(['$']) && !before.ends_with("${") {
                self.names.insert(word);
                let value = after.strip_prefix('=').map(|value| value.trim_start_matches(['"', '\'']));
                if let Some(value) = value {
                    let end = value.find([' ', ';', '"', '\'']).unwrap_or(value.len());
                    self.paths.entry(word).and_modify(|path| *path = None).or_insert(Some(&value[..end]));
                }
            }
            before = "";
            rest = after;
        }
        let mut commands = line.split(['&', ';', '|']).map(str::trim_start);
        self.open |= commands.any(|command| {
            [". ", "source ", "eval ", "set -a", "set -o allexport"].iter().any(|word| command.starts_with(word))
        });
    }

    /// Where a document goes to, with the variable that its path begins with put in.
    fn path(&self, document: &Document<'_>) -> Option<String> {
        let to = document.to.as_deref()?;
        let Some(inside) = to.strip_prefix('$') else { return Some(to.to_owned()) };
        let inside = inside.strip_prefix('{').unwrap_or(inside);
        let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
        let (name, rest) = inside.split_at(end);
        let value = self.paths.get(name).copied().flatten()?;
        Some(format!("{value}{}", rest.trim_start_matches('}')))
    }

    fn is_known_path(&self, document: &Document<'_>) -> bool {
        !self.dockerfile && self.path(document).is_some_and(|path| is_nginx_path(&path))
    }

    /// Whether a document is one of nginx's files: by where it goes to, or by what it says.
    fn is_configuration(&self, document: &Document<'_>) -> bool {
        let body = &self.text[document.body.clone()];
        let path = self.path(document);
        if body.contains("<<") || document.to.is_none() {
            return false;
        }
        path.is_some_and(|path| is_nginx_path(&path))
            || body.lines().any(|line| TELLING.iter().any(|word| line.trim_start().starts_with(word)))
    }

    /// The variable that is pointed at: one that nginx misses, or else the first that is emptied.
    fn eaten(&self, document: &Document<'_>) -> Option<Eaten<'t>> {
        let start = document.body.start;
        let body = &self.text[document.body.clone()];
        let mut first = None;
        let mut wanted = body.contains("$(") || body.contains('`');
        let mut found = Vec::new();
        for variable in variables(body) {
            let before = &body[..variable.at.0];
            let escaped = (before.len() - before.trim_end_matches('\\').len()) % 2 == 1;
            if escaped || before.ends_with('$') {
                continue;
            }
            let own = nginx_variables::exists(variable.name, false)
                && variable.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                && variable.rest.is_empty()
                && !self.names.contains(variable.name)
                && (!self.open || variable.name.contains('_'));
            if own { found.push(variable) } else { wanted = true }
        }
        let names: HashSet<&str> = found.iter().map(|variable| variable.name).collect();
        for variable in found.into_iter().take(MAX_DOCUMENTS) {
            let refused = is_value(body, variable.at, &names);
            if refused || first.is_none() {
                first = Some((variable, refused));
            }
            if refused {
                break;
            }
        }
        let (variable, refused) = first?;
        let at = start + variable.at.0..start + variable.at.1;
        Some(Eaten { name: variable.name, at, refused, certain: !self.open, wanted })
    }
}

/// Whether a variable is all, or one of those that are all, of the value that its directive cannot do without.
fn is_value(body: &str, at: (usize, usize), emptied: &HashSet<&str>) -> bool {
    let ends = |byte: u8| matches!(byte, b';' | b'{' | b'}' | b'\n');
    let back = match body[..at.0].bytes().rev().take(LONGEST_STATEMENT).position(ends) {
        Some(back) => back,
        None if at.0 < LONGEST_STATEMENT => at.0,
        None => return false,
    };
    let Some(length) = body[at.1..].bytes().take(LONGEST_STATEMENT).position(|byte| matches!(byte, b';' | b'\n'))
    else {
        return false;
    };
    let start = at.0 - back;
    // The `{` of `${name}` begins no statement.
    if body[..start].ends_with("${") || !body[at.1 + length..].starts_with(';') {
        return false;
    }
    let words: Vec<&str> = body[start..at.1 + length].split_whitespace().collect();
    let [directive, _, value] = words[..] else { return false };
    if !WITH_VALUE.contains(&directive) {
        return false;
    }
    let mut parts = value.split('$');
    parts.next() == Some("")
        && parts.all(|part| emptied.contains(part.strip_prefix('{').map_or(part, |part| part.trim_end_matches('}'))))
}

/// The here-documents that a line opens, each with whether tabs before its end count for nothing.
fn openers(line: &str, start: usize) -> Vec<(Document<'_>, bool)> {
    let mut found = Vec::new();
    let mut quote = None;
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, quote) {
            (b'\\', None | Some(b'"')) => at += 1,
            (b'\'' | b'"', None) => quote = Some(byte),
            (_, Some(open)) if open == byte => quote = None,
            (b'#', None) if at == 0 || bytes[at - 1].is_ascii_whitespace() => break,
            (b'<', None) if line[at..].starts_with("<<<") => at += 2,
            (b'<', None) if line[at..].starts_with("<<") => {
                let after = &line[at + 2..];
                let tabs = after.starts_with('-');
                let word = after.strip_prefix('-').unwrap_or(after).trim_start_matches([' ', '\t']);
                let name = word.trim_start_matches(['\'', '"', '\\']);
                let length = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
                let delimiter = &name[..length];
                let end = line.len() - name.len() + length;
                if delimiter.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                    let quoted = name.len() != word.len();
                    let opener = start + at..start + end;
                    found.push((Document { delimiter, quoted, opener, body: 0..0, to: None }, tabs));
                }
                at = end.saturating_sub(1).max(at + 1);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The file that a command writes what it is given to: `> FILE`, `tee FILE`.
fn target(command: &str) -> Option<String> {
    let spaced = command.replace(">>", ">").replace('>', " > ").replace('|', " | ");
    let words: Vec<&str> = spaced.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    let redirected = words.windows(3).filter(|three| three[1] == ">" && !matches!(three[0], "2" | "&")).map(|it| it[2]);
    let tee = words.iter().position(|word| *word == "tee").and_then(|at| {
        words[at + 1..]
            .iter()
            .take_while(|word| !matches!(**word, "|" | ">"))
            .find(|word| !word.starts_with(['-', '<']))
    });
    tee.copied().or_else(|| redirected.clone().find(|path| !path.starts_with("/dev/"))).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let script = Script::new(text, false);
        let documents = script.documents.iter().filter(|document| script.is_configuration(document));
        documents
            .map(|document| match script.eaten(document).filter(|_| !document.quoted) {
                Some(eaten) => format!(
                    "{}{}{}",
                    eaten.name,
                    if eaten.refused { " refused" } else { "" },
                    if script.is_known_path(document) { " known" } else { "" }
                ),
                None => String::new(),
            })
            .collect()
    }

    #[test]
    fn what_a_shell_empties() {
        let write = |to: &str, body: &str| format!("#!/bin/sh\ncat {to}\n{body}\nEOF\n");
        let host = "proxy_set_header Host $host;";
        let known = "> /etc/nginx/conf.d/app.conf <<EOF";
        assert_eq!(said(&write(known, host)), ["host refused known"]);
        assert_eq!(said(&write("<<EOF >/etc/nginx/conf.d/app.conf", host)), ["host refused known"]);
        assert_eq!(said(&write("<< EOF | sudo tee -a \"/etc/nginx/x\" > /dev/null", host)), ["host refused known"]);
        assert_eq!(said(&write("> ./app.conf <<EOF", host)), ["host refused"]);
        assert_eq!(said(&write("> \"$OUT\" <<EOF", host)), [""; 1].map(|_| "host refused".to_owned()));
        assert_eq!(said(&format!("OUT=/etc/nginx/x\n{}", write("> $OUT <<EOF", host))), ["host refused known"]);
        assert_eq!(
            said(&write(known, "fastcgi_param A $document_root${fastcgi_script_name};")),
            ["document_root refused known"]
        );
        assert_eq!(said(&write(known, "try_files $uri $uri/ =404;\nadd_header A $host;")), ["host refused known"]);
        assert_eq!(said(&write(known, "return 301 https://$host$request_uri;")), ["host known"]);
        assert_eq!(said(&write(known, "proxy_set_header A \"$host\";")), ["host known"]);
    }

    #[test]
    fn what_a_shell_leaves() {
        let host = "proxy_set_header Host $host;";
        for quoted in ["'EOF'", "\"EOF\"", "\\EOF"] {
            assert_eq!(said(&format!("cat > /etc/nginx/x <<{quoted}\n{host}\nEOF\n")), [""]);
        }
        let write = |before: &str, body: &str| format!("{before}\ncat > /etc/nginx/x <<-EOF\n{body}\n\tEOF\n");
        assert_eq!(said(&write("", "proxy_set_header Host \\$host;")), [""]);
        for own in ["host=a", "read -r host", "for host in a b; do", "local host=$1", ": ${1:?host}"] {
            assert_eq!(said(&write(own, host)), [""], "{own}");
        }
        assert_eq!(said(&write(". ./settings", host)), [""]);
        assert_eq!(said(&write(". ./settings", "proxy_set_header A $remote_addr;")), ["remote_addr refused known"]);
        assert_eq!(said(&write("", "proxy_set_header Host $APP_HOST; # ${host:-x} $1 $$")), [""]);
        for nothing in [
            "cat <<EOF\nproxy_set_header Host $host;\nEOF\n",
            "cat > /etc/nginx/x <<EOF\nproxy_set_header Host $host;\n",
            "echo 'cat > /etc/nginx/x <<EOF'\nproxy_set_header Host $host;\nEOF\n",
            "# cat > /etc/nginx/x <<EOF\nproxy_set_header Host $host;\nEOF\n",
            "cat > /etc/nginx/x <<<EOF\nproxy_set_header Host $host;\nEOF\n",
            "cat > /etc/motd <<EOF\nto $host\nEOF\n",
        ] {
            assert!(said(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn odd_scripts_cost_little() {
        for piece in ["<<A ", "<<", "<<A\n", "'", "\\", "$host ", "$", "=", "<<é", "é<<A\n", "a=b\\\n"] {
            let text = format!("cat > /etc/nginx/x <<EOF\n{}\nEOF\n{0}", piece.repeat(20_000));
            assert!(said(&text).len() <= 1, "{piece}");
        }
    }
}
