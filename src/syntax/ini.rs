//! Files of `[section]` and `key = value`: php-fpm pools, uwsgi, systemd units, supervisor; and `.env` files.

use std::ops::Range;

/// One `key = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The section it stands in; empty before the first.
    pub section: &'a str,
    /// The key.
    pub key: &'a str,
    /// The value, without blanks around it and without a comment.
    pub value: &'a str,
    /// The whole entry, from key to value.
    pub range: Range<usize>,
    /// The value alone.
    pub value_range: Range<usize>,
}

/// How a kind of file marks comments and goes on over lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// php-fpm, uwsgi: `;` or `#` begin a line; ` ;` also ends one.
    Pool,
    /// systemd: `;` or `#` begin a line; a `\` at the end goes on with the next line.
    Unit,
}

/// The entries of a text, in order. Lines that are none are passed over.
pub fn entries(text: &str, kind: Kind) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    let mut section = "";
    let mut at = 0;
    while at < text.len() {
        let mut end = line_end(text, at);
        // Continued lines belong to the value; a comment between them does not end it.
        if kind == Kind::Unit {
            while text.get(at..end).unwrap_or("").trim_end().ends_with('\\') && end < text.len() {
                end = line_end(text, end);
            }
        }
        let line = text.get(at..end).unwrap_or("");
        let trimmed = line.trim_start();
        let start = at + (line.len() - trimmed.len());
        at = end;
        if trimmed.starts_with([';', '#']) {
            continue;
        }
        if let Some(header) = trimmed.strip_prefix('[') {
            section = header.split(']').next().unwrap_or("").trim();
            continue;
        }
        let Some((key, value)) = trimmed.split_once('=') else { continue };
        let key = key.trim();
        let mut value = value;
        if kind == Kind::Pool
            && let Some(comment) = value.find([';']).filter(|&at| at == 0 || value[..at].ends_with(char::is_whitespace))
        {
            value = value.get(..comment).unwrap_or("");
        }
        let lead = value.len() - value.trim_start().len();
        let value_start = start + trimmed.find('=').unwrap_or(0) + 1 + lead;
        let value = value.trim();
        found.push(Entry {
            section,
            key,
            value,
            range: start..value_start + value.len(),
            value_range: value_start..value_start + value.len(),
        });
    }
    found
}

/// The variables of an `.env` file: `KEY=value`, with quotes and `export` taken off. In order; a later one wins.
pub fn variables(text: &str) -> Vec<(&str, String, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at);
        let line = text.get(at..end).unwrap_or("");
        let trimmed = line.trim_start();
        let start = at + (line.len() - trimmed.len());
        at = end;
        let body = trimmed.strip_prefix("export ").unwrap_or(trimmed);
        let Some((key, value)) = body.split_once('=') else { continue };
        let key = key.trim();
        if key.is_empty() || key.starts_with('#') || key.contains(char::is_whitespace) {
            continue;
        }
        let value = value.trim();
        let plain = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inside = value.get(1..).unwrap_or("");
                inside.split(quote).next().unwrap_or("").to_owned()
            }
            _ => value.split(" #").next().unwrap_or("").trim_end().to_owned(),
        };
        found.push((key, plain, start..start + trimmed.trim_end().len()));
    }
    found
}

/// Just behind the line that holds an offset.
fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_read() {
        let text = "; note\n[www]\nlisten = /run/php.sock ; here\n  listen.mode=0660\r\n;x = y\njunk\n";
        let found = entries(text, Kind::Pool);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].section, found[0].key, found[0].value), ("www", "listen", "/run/php.sock"));
        assert_eq!(&text[found[0].value_range.clone()], "/run/php.sock");
        assert_eq!((found[1].key, found[1].value), ("listen.mode", "0660"));
        assert_eq!(&text[found[1].range.clone()], "listen.mode=0660");
    }

    #[test]
    fn units_go_on_over_lines() {
        let text = "[Service]\nExecStart=/usr/bin/a \\\n  --port 1\nUser=x\n";
        let found = entries(text, Kind::Unit);
        assert_eq!(found[0].value, "/usr/bin/a \\\n  --port 1");
        assert_eq!((found[1].key, found[1].value), ("User", "x"));
    }

    #[test]
    fn env_files_are_read() {
        let found = variables("# x\nexport A=1\nB=\"two 2\" # c\nC='a#b'\nD=x # y\n=z\n");
        let said: Vec<_> = found.iter().map(|(key, value, _)| (*key, &**value)).collect();
        assert_eq!(said, [("A", "1"), ("B", "two 2"), ("C", "a#b"), ("D", "x")]);
    }

    #[test]
    fn hostile_text_costs_little() {
        for piece in ["\\\n", "[", "=", "a=\\\n", "\"", ";\n"] {
            let text = piece.repeat(20_000);
            entries(&text, Kind::Unit);
            entries(&text, Kind::Pool);
            variables(&text);
        }
    }
}
