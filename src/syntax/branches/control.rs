//! What a tag of a template does about the lines around it.

/// What a control tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    If,
    /// Another condition of the same chain.
    Elif,
    Else,
    Loop,
    /// A definition, a block of inheritance, text that is not looked at: neither branch nor loop.
    Other,
    End,
}

/// What a condition asks for, blanks evened out, and whether it asks for the contrary.
pub(super) fn condition(tag: &str) -> (Box<str>, bool) {
    let inside = inside(tag);
    let mut words: Vec<&str> = inside.split_whitespace().collect();
    if words.last() == Some(&"{") || words.last() == Some(&"then") {
        words.pop();
    }
    let first = if words.is_empty() { "" } else { words.remove(0) };
    let mut negated = matches!(first, "unless" | "#unless");
    if let Some(&next) = words.first() {
        if next == "not" {
            negated = !negated;
            words.remove(0);
        } else if let Some(rest) = next.strip_prefix('!').filter(|rest| !rest.is_empty() && !rest.starts_with('=')) {
            negated = !negated;
            words[0] = rest;
        }
    }
    (words.join(" ").into(), negated)
}

/// What stands in a tag, without its marks.
fn inside(tag: &str) -> &str {
    let marks: &[char] = &['-', '~', '+'];
    let inside = tag.get(2..tag.len().saturating_sub(if tag.starts_with("%{") { 1 } else { 2 })).unwrap_or_default();
    inside.trim_start_matches(marks).trim_end_matches(marks).trim()
}

/// What a tag does about other lines, if it does anything.
pub(super) fn control(tag: &str) -> Option<Control> {
    let inside = inside(tag);
    let word = inside.split(|end: char| !end.is_ascii_alphanumeric() && end != '_').next().unwrap_or_default();
    let rest = inside.get(word.len()..).unwrap_or_default().trim_start();
    if tag.starts_with("{%") {
        return Some(match word {
            "if" | "ifchanged" => Control::If,
            "elif" | "elsif" | "elseif" => Control::Elif,
            "else" => Control::Else,
            "for" => Control::Loop,
            "macro" | "block" | "call" | "filter" | "raw" => Control::Other,
            "set" if !rest.contains('=') => Control::Other,
            "endif" | "endifchanged" | "endfor" | "endmacro" | "endblock" | "endcall" | "endfilter" | "endraw"
            | "endset" => Control::End,
            _ => return None,
        });
    }
    if tag.starts_with("%{") {
        return Some(match word {
            "if" => Control::If,
            "else" => Control::Else,
            "for" => Control::Loop,
            "endif" | "endfor" => Control::End,
            _ => return None,
        });
    }
    if tag.starts_with("{{") {
        if let Some(name) = inside.strip_prefix('#') {
            return Some(match name.split_whitespace().next().unwrap_or_default() {
                "each" => Control::Loop,
                _ => Control::If,
            });
        }
        if inside.starts_with('/') && !inside.starts_with("/*") {
            return Some(Control::End);
        }
        if let Some(name) = inside.strip_prefix('^') {
            return Some(if name.trim().is_empty() { Control::Else } else { Control::If });
        }
        return Some(match word {
            "if" | "with" => Control::If,
            "range" => Control::Loop,
            "define" | "block" => Control::Other,
            "else" if rest.is_empty() => Control::Else,
            "else" => Control::Elif,
            "end" => Control::End,
            _ => return None,
        });
    }
    if tag.starts_with("<%") && !tag.starts_with("<%=") && !tag.starts_with("<%#") && !tag.starts_with("<%%") {
        return code(inside, word);
    }
    None
}

/// The same for code of Ruby (ERB) and of Puppet (EPP).
fn code(inside: &str, word: &str) -> Option<Control> {
    let whole = |closer: &str| inside.lines().last().is_some_and(|line| line.trim() == closer);
    let opens = inside.ends_with('{') || inside.ends_with(" do");
    let last = inside.rsplit(['\n', ';']).next().unwrap_or_default().trim();
    if let Some(rest) = inside.strip_prefix('}') {
        let rest = rest.trim_start();
        return Some(match () {
            () if rest.starts_with("elsif") => Control::Elif,
            () if rest.starts_with("else") => Control::Else,
            () => Control::End,
        });
    }
    match word {
        "elsif" | "when" => return Some(Control::Elif),
        "else" => return Some(Control::Else),
        "end" => return Some(Control::End),
        "if" | "unless" | "case" if !whole("end") && !last.ends_with(" end") => return Some(Control::If),
        _ => {}
    }
    // `x.each do |y|`, `x.each |$y| {`, `x.each { |y|`.
    let block = last.ends_with('|') && (last.contains(" do |") || last.contains("{ |") || last.contains("{|"));
    if opens || block || matches!(word, "for" | "while" | "until") && !whole("end") {
        return Some(Control::Loop);
    }
    // Code with several statements may end in the head of a condition.
    let head = last.split_whitespace().next().unwrap_or_default();
    (inside.len() > last.len() && matches!(head, "if" | "unless")).then_some(Control::If)
}
