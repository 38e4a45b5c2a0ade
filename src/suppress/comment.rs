//! What a comment says: `gw502: ignore GW201, missing-sni -- the reason`.

use super::Fault;
use crate::catalog::RuleId;
use crate::source::clean;
use std::ops::Range;

/// How far a suppression reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `ignore`: one statement; of a block its opening line.
    Statement,
    /// `ignore-block`: a block with all that is in it.
    Block,
    /// `ignore-file`: the file.
    File,
}

impl Scope {
    const ALL: [(&'static str, Self); 3] =
        [("ignore", Self::Statement), ("ignore-block", Self::Block), ("ignore-file", Self::File)];
}

/// A comment that speaks to this linter.
#[derive(Debug, PartialEq, Eq)]
pub struct Comment {
    /// From the word `gw502` to its end.
    pub at: Range<u32>,
    /// How far it reaches.
    pub scope: Scope,
    /// The rules that it names, each with its place.
    pub rules: Vec<(RuleId, Range<u32>)>,
    /// The reason.
    pub reason: String,
}

/// Why some rules cannot be suppressed in a comment.
const NEVER: [(RuleId, &str); 4] = [
    (RuleId::GW000, "what could not be read was not checked, whatever a comment says"),
    (RuleId::GW013, "take away the suppression that does nothing, or turn the rule off in `.gw502.yaml`"),
    (RuleId::GW014, "mend the comment that is meant, or turn the rule off in `.gw502.yaml`"),
    (RuleId::GW015, "mend the configuration file"),
];

/// Reads a comment. `at` is its range in the file, without the `#`; `text` is what stands there. `None` when the
/// comment only speaks of the linter and not to it, or when nothing of it can be followed.
pub fn read(text: &str, at: Range<u32>, faults: &mut Vec<Fault>) -> Option<Comment> {
    const MARK: &str = "gw502:";
    let lead = text.len() - text.trim_start_matches(['#', ' ', '\t']).len();
    let text_at = at.start + lead as u32;
    let text = text.get(lead..)?.trim_end();
    let said = text.strip_prefix(MARK)?;
    let whole = text_at..text_at + text.len() as u32;
    let mut words = Words { text: said, from: text_at + MARK.len() as u32, at: 0 };
    let Some((verb, verb_at)) = words.next() else {
        faults.push(Fault::new(whole, "this comment says nothing to gw502-lint", "nothing follows").help(HOW));
        return None;
    };
    let Some(&(_, scope)) = Scope::ALL.iter().find(|(word, _)| *word == verb) else {
        let near = Scope::ALL.iter().find(|(word, _)| strsim::damerau_levenshtein(word, verb) <= 2);
        faults.push(
            Fault::new(
                verb_at,
                format!("gw502-lint does not know the word `{}` in a comment", clean(verb)),
                near.map_or_else(|| "nothing is suppressed".into(), |(word, _)| format!("did you mean `{word}`?")),
            )
            .help(HOW),
        );
        return None;
    };
    let mut rules = Vec::new();
    let mut named = 0;
    let mut reason = None;
    while let Some((word, word_at)) = words.next() {
        if let Some(first) = word.strip_prefix("--") {
            let rest = words.rest();
            reason = Some(format!("{first} {rest}").trim().to_owned());
            break;
        }
        if word.chars().all(|c| matches!(c, '-' | '–' | '—' | ':')) {
            // Meant for the separator, and not it.
            break;
        }
        named += 1;
        match RuleId::find(word) {
            None => faults.push(unknown(word, word_at)),
            Some(rule) => match NEVER.iter().find(|(never, _)| *never == rule) {
                Some((_, help)) => faults.push(
                    Fault::new(word_at, format!("{rule} cannot be suppressed in a comment"), "this has no effect")
                        .help(*help),
                ),
                None => rules.push((rule, word_at)),
            },
        }
    }
    if named == 0 {
        faults.push(Fault::new(whole, "this comment names no rule, so it suppresses nothing", "no rule").help(HOW));
        return None;
    }
    let Some(reason) = reason.filter(|reason| reason.chars().any(char::is_alphanumeric)) else {
        faults.push(
            Fault::new(whole, "this comment gives no reason, so it suppresses nothing", "no reason stands here")
                .help(format!("write the reason behind two hyphens: `{} -- why this is meant`", clean(text))),
        );
        return None;
    };
    Some(Comment { at: whole, scope, rules, reason })
}

/// What to write.
const HOW: &str = "write `# gw502: ignore GW201 -- reason` for one statement, `ignore-block` for a block or section, \
                   `ignore-file` for the file";

fn unknown(word: &str, at: Range<u32>) -> Fault {
    let label = match RuleId::near(word) {
        Some(near) => format!("did you mean {near}?"),
        None => "this has no effect".into(),
    };
    Fault::new(at, format!("there is no rule `{}`", clean(word)), label)
        .help("name each rule by its code or name; see all of them with: gw502-lint rules")
}

/// The words of a text, between blanks and commas, with their places.
struct Words<'a> {
    text: &'a str,
    from: u32,
    at: usize,
}

impl<'a> Words<'a> {
    const BETWEEN: [char; 3] = [' ', '\t', ','];

    fn next(&mut self) -> Option<(&'a str, Range<u32>)> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + (rest.len() - rest.trim_start_matches(Self::BETWEEN).len());
        let rest = self.text.get(start..)?;
        let word = rest.split(Self::BETWEEN).next().filter(|word| !word.is_empty())?;
        self.at = start + word.len();
        Some((word, self.from + start as u32..self.from + self.at as u32))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> (Option<Comment>, Vec<String>) {
        let mut faults = Vec::new();
        let comment = read(text, 100..100 + text.len() as u32, &mut faults);
        (comment, faults.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn rules_are_named_by_code_and_slug() {
        let (comment, faults) = said(" gw502: ignore GW201,missing-sni  gw003 -- behind a proxy, -- really");
        let comment = comment.unwrap();
        assert!(faults.is_empty());
        assert_eq!(comment.scope, Scope::Statement);
        assert_eq!(comment.rules, [(RuleId::GW201, 115..120), (RuleId::GW403, 121..132), (RuleId::GW003, 134..139)]);
        assert_eq!(comment.reason, "behind a proxy, -- really");
        assert_eq!(said("## gw502: ignore-file GW201 --legacy").0.unwrap().reason, "legacy");
        assert_eq!(said("gw502: ignore-block GW201 -- x\r").0.unwrap().reason, "x");
    }

    #[test]
    fn what_does_not_suppress_is_told() {
        let fault = |text: &str| {
            let (comment, faults) = said(text);
            assert_eq!(comment, None, "{text}");
            faults.join("; ")
        };
        assert_eq!(fault("gw502: ignore GW201"), "this comment gives no reason, so it suppresses nothing");
        assert_eq!(fault("gw502: ignore GW201 -- "), "this comment gives no reason, so it suppresses nothing");
        assert_eq!(fault("gw502: ignore GW201 — dash"), "this comment gives no reason, so it suppresses nothing");
        assert_eq!(fault("gw502: ignore -- why"), "this comment names no rule, so it suppresses nothing");
        assert_eq!(fault("gw502: allow GW201 -- why"), "gw502-lint does not know the word `allow` in a comment");
        assert_eq!(fault("gw502:"), "this comment says nothing to gw502-lint");
        assert_eq!(fault("is checked by gw502: see the README"), "");
    }

    #[test]
    fn one_bad_name_does_not_undo_the_others() {
        let (comment, faults) = said("gw502: ignore GW999 GW000 GW201 -- why");
        assert_eq!(comment.unwrap().rules.len(), 1);
        assert_eq!(faults, ["there is no rule `GW999`", "GW000 cannot be suppressed in a comment"]);
    }
}
