//! Values that a template prints, as far as their text says what they come to: the name of a variable, and what is
//! written for the case that nobody sets it.

use super::{branches, tags};
use std::collections::HashSet;
use std::ops::Range;

/// Longest value that is put in.
const LONGEST: usize = 200;

/// What a template prints at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The whole tag.
    pub at: Range<u32>,
    /// The variable: `port`, `.Values.port`. Empty where it is none that has a name, or one that the template itself sets.
    pub name: Box<str>,
    /// What is printed if nobody sets it.
    pub default: Option<Box<str>>,
}

/// The values that a template prints whose variable or default is known. Others are not told.
#[must_use]
pub fn holes(text: &str) -> Vec<Hole> {
    let own = own_names(text);
    let mut found: Vec<Hole> = Vec::new();
    for at in tags::find(text) {
        let Some(tag) = text.get(at.start as usize..at.end as usize) else { continue };
        let inside = match (tag.strip_prefix("{{"), tag.strip_prefix("<%=")) {
            (Some(rest), _) => rest.strip_suffix("}}"),
            (_, Some(rest)) => rest.strip_suffix("%>"),
            _ => None,
        };
        if let Some((name, default)) = inside.and_then(read) {
            found.push(Hole { at, name, default });
        }
    }
    for at in branches::terraform_values(text) {
        let name = text.get(at.start + 2..at.end - 1).unwrap_or_default();
        if is_name(name) {
            found.push(Hole { at: at.start as u32..at.end as u32, name: name.into(), default: None });
        }
    }
    for hole in &mut found {
        let first = hole.name.split('.').next().unwrap_or_default();
        if own.contains(first) {
            hole.name = "".into();
        }
    }
    found.retain(|hole| !hole.name.is_empty() || hole.default.is_some());
    found.sort_by_key(|hole| hole.at.start);
    found
}

/// Names that the template gives values to itself: variables of loops, of `set` and of macros.
fn own_names(text: &str) -> HashSet<Box<str>> {
    let mut names = HashSet::new();
    for at in tags::find(text) {
        let Some(inside) = text.get(at.start as usize..at.end as usize).and_then(|tag| tag.strip_prefix("{%")) else {
            continue;
        };
        let inside = inside.trim_start_matches(['-', '+', '~']).trim_start();
        let bound = match inside.split_whitespace().next() {
            Some("for") => inside.split(" in ").next(),
            Some("set" | "with") => inside.split('=').next(),
            Some("macro" | "import" | "from" | "call") => Some(inside),
            _ => None,
        };
        let words = bound.unwrap_or_default().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').skip(1);
        names.extend(words.filter(|word| !word.is_empty()).map(Box::from));
    }
    names
}

/// The variable and the default of an expression; `None`: it is another one.
fn read(inside: &str) -> Option<(Box<str>, Option<Box<str>>)> {
    let inside = inside.trim_matches(['-', '~', '+']).trim();
    if inside.is_empty() || inside.len() > LONGEST || inside.starts_with('{') || inside.contains('\n') {
        return None;
    }
    let parts = split(inside, "||");
    if let [name, value] = &*parts {
        return Some((variable(name).unwrap_or_default(), Some(literal(value)?)));
    }
    let parts = split(inside, "|");
    let (head, filters) = parts.split_first()?;
    let words = split(head, " ");
    let (name, mut default) = match &*words {
        [one] => (variable(one)?, None),
        // Go: `default "4" .X`.
        ["default", value, name] => (variable(name).unwrap_or_default(), Some(literal(value)?)),
        ["envOrDefault" | "keyOrDefault" | "getv", _, value] => (Box::default(), Some(literal(value)?)),
        // Jinja: `port or 3000`.
        [name, "or", value] => (variable(name)?, Some(literal(value)?)),
        _ => return None,
    };
    for filter in filters {
        let words = split(filter, " ");
        let call =
            filter.strip_prefix("default(").or(filter.strip_prefix("d(")).and_then(|call| call.strip_suffix(')'));
        match (&*words, call) {
            (["int" | "string" | "trim" | "toString" | "quote" | "squote"], _) => {}
            (["default", value], None) => default = Some(literal(value)?),
            // A second argument says that an empty value counts as none.
            (_, Some(call)) if default.is_none() => default = Some(literal(split(call, ",").first()?)?),
            _ => return None,
        }
    }
    Some((name, default))
}

/// Cuts a text at a mark outside quotes and brackets; blanks around the parts are taken off.
fn split<'t>(text: &'t str, mark: &str) -> Vec<&'t str> {
    let bytes = text.as_bytes();
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    let (mut quote, mut depth) = (None, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 && bytes[at..].starts_with(mark.as_bytes()) => {
                parts.push(&text[from..at]);
                at += mark.len();
                from = at;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts.into_iter().map(str::trim).filter(|part| mark != " " || !part.is_empty()).collect()
}

/// The name of a variable.
fn variable(text: &str) -> Option<Box<str>> {
    let name = text.strip_prefix('@').or(text.strip_prefix('$')).unwrap_or(text);
    let plain = name.strip_prefix('.').unwrap_or(name);
    is_name(plain).then(|| name.into())
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

/// A number or a text in quotes, if it can stand in a configuration as it is.
fn literal(text: &str) -> Option<Box<str>> {
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    match quoted('"').or_else(|| quoted('\'')) {
        Some(value) => plain(value),
        None => plain(text).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

/// A value that is one word of a configuration, whatever stands beside it.
#[must_use]
pub fn plain(value: &str) -> Option<Box<str>> {
    let may = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':' | b'/' | b'@');
    (!value.is_empty() && value.len() <= LONGEST && value.bytes().all(may)).then(|| value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Option<(String, Option<String>)> {
        let holes = holes(text);
        assert!(holes.len() < 2);
        holes.first().map(|hole| (hole.name.to_string(), hole.default.as_deref().map(str::to_owned)))
    }

    #[test]
    fn defaults_of_all_languages_are_read() {
        for (text, name, default) in [
            ("{{ port | default(3000) }}", "port", Some("3000")),
            ("{{ shop.port|d('3000', true)|int }}", "shop.port", Some("3000")),
            ("{{ port or 3000 }}", "port", Some("3000")),
            ("{{- default \"4\" .X -}}", ".X", Some("4")),
            ("{{ .Values.a.b | default 8080 | quote }}", ".Values.a.b", Some("8080")),
            ("{{ .Values.a }}", ".Values.a", None),
            ("{{ envOrDefault \"PORT\" \"3000\" }}", "", Some("3000")),
            ("<%= @port || '80' %>", "port", Some("80")),
            ("<%= @port || 80 -%>", "port", Some("80")),
            ("{{ port }}", "port", None),
            ("${x.y}", "x.y", None),
        ] {
            assert_eq!(one(text), Some((name.to_owned(), default.map(str::to_owned))), "{text}");
        }
        for text in [
            "{{ f(x) }}",
            "{{ a + 1 }}",
            "{{ x | default(y) }}",
            "{{ x | default('') }}",
            "{{ x | default('a b') }}",
            "{{ x | upper }}",
            "{{ 'a' if x else 'b' }}",
            "{{{ x }}}",
            "{{ include \"x\" . }}",
            "${x}",
            "<% x %>",
            "{{ x | default(omit) }}",
            "{{ x || }}",
            "{{}}",
        ] {
            assert_eq!(one(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_template_sets_itself_has_no_name() {
        let text =
            "{% set port = 1 %}{% for x in xs %}{{ x.port }}{{ port }}{{ other }}{{ x.y | default(1) }}{% endfor %}";
        let names: Vec<_> = holes(text).into_iter().map(|hole| hole.name).collect();
        assert_eq!(names, ["other".into(), Box::<str>::default()]);
    }
}
