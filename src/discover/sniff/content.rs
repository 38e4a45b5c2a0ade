//! What a text looks like, told by its first lines that say something.

use super::haproxy::{HaproxyLine, haproxy_line};
use super::nginx::{Statement, nginx_statement};
use crate::topology::Dialect;

/// What the content looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Unmistakably this dialect.
    Clear(Dialect),
    /// Nothing speaks against it, and words that other formats use, too, speak for it.
    Weak(Dialect),
    /// Another format.
    Other,
    /// Nothing but blanks and comments.
    Empty,
    /// No sign of anything.
    Nothing,
}

/// How far a look goes, in bytes.
pub(super) const FAR: usize = 256 * 1024;

/// Looks at a text until something is clear.
pub fn look(bytes: &[u8]) -> Look {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.get(..FAR).unwrap_or(bytes);
    if bytes.starts_with(b"#!") {
        return Look::Other;
    }
    let (mut words, mut blocks, mut empty) = (0_u32, 0_u32, true);
    // How many lines there are, and how many of them end as lines of nginx do.
    let (mut lines, mut ended) = (0_u32, 0_u32);
    let mut section = false;
    let mut note_closes = true;
    let mut start = 0;
    while start < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
        let line = bytes[start..end].trim_ascii();
        let line_start = start + (bytes[start..end].len() - bytes[start..end].trim_ascii_start().len());
        start = end + 1;
        if let Some(close) = note_close(line).filter(|_| note_closes) {
            match memchr::memmem::find(&bytes[line_start..], close) {
                Some(length) if line_start + length > end => {
                    // Behind a note that spans lines, reading goes on with the next line.
                    let at = line_start + length;
                    start = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |rest| at + rest + 1);
                    continue;
                }
                Some(_) => {}
                None => note_closes = false,
            }
        }
        if line.is_empty() || line.starts_with(b"#") || is_tag(line) {
            continue;
        }
        empty = false;
        let line = without_comment(line);
        if is_other(line) {
            return Look::Other;
        }
        lines += 1;
        ended += u32::from(line.ends_with(b";") || line.ends_with(b"{") || line.ends_with(b"}"));
        // Inside a block of nginx, `listen 80` is no section.
        match haproxy_line(line) {
            _ if blocks > 0 => {}
            HaproxyLine::Section if section => return Look::Clear(Dialect::Haproxy),
            HaproxyLine::Section => {
                section = true;
                continue;
            }
            HaproxyLine::Keyword if section => return Look::Clear(Dialect::Haproxy),
            _ => section = false,
        }
        // Statements of nginx: at the start of the line, and behind each `;`, `{` and `}` in it.
        let mut at = line_start;
        while at < end {
            match nginx_statement(bytes, at, end) {
                Statement::Clear => return Look::Clear(Dialect::Nginx),
                Statement::Block => blocks += 1,
                Statement::Word => words += 1,
                Statement::Assignment => return Look::Other,
                Statement::Unknown => {}
            }
            if blocks > 0 && words > 0 {
                return Look::Clear(Dialect::Nginx);
            }
            at = memchr::memchr3(b';', b'{', b'}', &bytes[at..end]).map_or(end, |length| at + length + 1);
        }
    }
    if blocks > 1 {
        Look::Clear(Dialect::Nginx)
    } else if section {
        Look::Weak(Dialect::Haproxy)
    } else if blocks + words > 0 && ended * 2 >= lines {
        Look::Weak(Dialect::Nginx)
    } else if empty {
        Look::Empty
    } else {
        Look::Nothing
    }
}

/// What ends the template's own comment, or code, that a line begins with: it may span lines.
fn note_close(line: &[u8]) -> Option<&'static [u8]> {
    if line.starts_with(b"{#") {
        return Some(b"#}");
    }
    if line.starts_with(b"<%") && memchr::memmem::find(line, b"%>").is_none() {
        return Some(b"%>");
    }
    let inside = line.strip_prefix(b"{{")?;
    let inside = inside.strip_prefix(b"-").unwrap_or(inside).trim_ascii_start();
    if inside.starts_with(b"/*") { Some(b"*/") } else { inside.starts_with(b"!--").then_some(b"--") }
}

/// Whether a line is a template's alone.
fn is_tag(line: &[u8]) -> bool {
    line.starts_with(b"{%")
        || line.starts_with(b"{#")
        || line.starts_with(b"{{") && line.ends_with(b"}}")
        || line.starts_with(b"<%") && line.ends_with(b"%>")
}

/// A line without the comment at its end.
fn without_comment(line: &[u8]) -> &[u8] {
    let comment = memchr::memchr_iter(b'#', line).find(|at| {
        at.checked_sub(1).and_then(|before| line.get(before)).is_some_and(|b| b.is_ascii_whitespace() || *b == b';')
    });
    comment.and_then(|at| line.get(..at)).unwrap_or(line).trim_ascii_end()
}

/// A line that neither nginx nor HAProxy has: what only a shell says; `[section]` of ini files, systemd, php-fpm and supervisord; `<Tag>` of
/// Apache and XML; Apache's `ServerName x` without `;`; the first words of monit and logrotate.
fn is_other(line: &[u8]) -> bool {
    if let Some(inner) = line.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
        return !inner.is_empty() && inner.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    }
    if matches!(line, b"fi" | b"done" | b"esac" | b"then" | b";;")
        || line.ends_with(b"; then")
        || line.ends_with(b"; do")
        || line.starts_with(b"export ") && memchr::memchr(b'=', line).is_some()
        || line.starts_with(b"alias ") && memchr::memchr(b'=', line).is_some() && !line.ends_with(b";")
    {
        return true;
    }
    if let Some(rest) = line.strip_prefix(b"<") {
        return rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'?' | b'!' | b'/'));
    }
    const APACHE: [&[u8]; 8] = [
        b"ServerName ",
        b"ServerRoot ",
        b"DocumentRoot ",
        b"LoadModule ",
        b"Listen ",
        b"ProxyPass ",
        b"RewriteEngine ",
        b"check process ",
    ];
    APACHE.iter().any(|word| line.starts_with(word)) && !line.ends_with(b";")
}
