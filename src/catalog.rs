//! The catalogue of rules, generated from `rules/*.yaml` by `build.rs`. Layer 4.

use crate::topology::Dialect;
use std::fmt;

/// How bad a finding is if it is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It fails in an ordinary event: a restart, a slow request, a login.
    Warning,
    /// It fails as written.
    Error,
}

/// How sure it is that a finding is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It depends on something that these files do not show.
    Possible,
    /// It is so in ordinary setups.
    Likely,
    /// The files prove it.
    Certain,
}

/// What the client will see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// This HTTP status.
    Status(u16),
    /// One of two statuses, the likelier first.
    Either(u16, u16),
    /// The connection ends without an answer.
    ConnectionClosed,
    /// The client waits without end.
    Hangs,
    /// The proxy does not start; a reload is refused and the old configuration lives on.
    DoesNotStart,
    /// Requests are answered by another part of the configuration than the one meant.
    WrongAnswer,
    /// Nothing can be said, because something could not be read.
    NotChecked,
    /// Nothing: it is about the linter's own comments and configuration.
    Unseen,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the client sees {status}"),
            Self::Either(one, other) => write!(f, "the client sees {one} or {other}"),
            Self::ConnectionClosed => f.write_str("the client's connection is closed without an answer"),
            Self::Hangs => f.write_str("the client waits without an answer"),
            Self::DoesNotStart => f.write_str("the proxy does not start; a reload is refused"),
            Self::WrongAnswer => f.write_str("the client gets another answer than the one meant"),
            Self::NotChecked => f.write_str("not checked"),
            Self::Unseen => f.write_str("clients see nothing of it"),
        }
    }
}

/// What a proxy's own check (`nginx -t`, `haproxy -c`) makes of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It accepts it without a word.
    Silent,
    /// It accepts it, and warns.
    Warns,
    /// It refuses it.
    Refuses,
}

impl Verdict {
    /// The word for it in `rules/*.yaml` and `case.yaml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Warns => "warns",
            Self::Refuses => "refuses",
        }
    }
}

/// How a rule's claim about a dialect is backed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A live test sees the failure on the real proxy, and its absence on the mended configuration.
    Live,
    /// Read in the official documentation; not run.
    Docs,
}

/// What a rule says of one dialect.
#[derive(Debug)]
pub struct DialectMeta {
    /// The dialect's key: `nginx`.
    pub dialect: &'static str,
    /// What the client sees.
    pub outcome: Outcome,
    /// Words to look for in the proxy's log; empty where it logs nothing.
    pub log: &'static str,
    /// What happens, in the proxy's own terms, in one or two sentences.
    pub effect: &'static str,
    /// What the proxy's own check says of it.
    pub check: &'static str,
    /// What that check made of the fixtures, on nginx 1.22.1 and HAProxy 2.6.12; empty where it was not run.
    pub verdicts: &'static [Verdict],
    /// How this is backed.
    pub proof: Proof,
}

/// An option of a rule.
#[derive(Debug)]
pub struct OptionMeta {
    /// Its name.
    pub name: &'static str,
    /// Its type: `duration`, `size`, `integer`.
    pub kind: &'static str,
    /// Its value unless the user says otherwise.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// Everything that is known of a rule besides its check.
#[derive(Debug)]
pub struct RuleMeta {
    /// The id.
    pub id: RuleId,
    /// The id as text: `GW201`.
    pub code: &'static str,
    /// The hazard in a few words joined by hyphens.
    pub slug: &'static str,
    /// The hazard in one line.
    pub title: &'static str,
    /// The family: `timeout`.
    pub family: &'static str,
    /// The highest severity that its findings have.
    pub severity: Severity,
    /// How sure its findings are, where nothing else is said.
    pub confidence: Confidence,
    /// The version of gw502-lint that brought it.
    pub since: &'static str,
    /// What it looks for.
    pub summary: &'static str,
    /// Why that fails.
    pub why: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// What it says of each dialect.
    pub dialects: &'static [DialectMeta],
    /// What can be set.
    pub options: &'static [OptionMeta],
    /// Manual pages.
    pub references: &'static [&'static str],
}

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

impl RuleId {
    /// Everything that is known of the rule besides its check.
    #[must_use]
    pub fn meta(self) -> &'static RuleMeta {
        &CATALOG[self as usize]
    }

    /// Finds a rule by its code or slug, in any letter case.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        CATALOG
            .iter()
            .find(|meta| meta.code.eq_ignore_ascii_case(text) || meta.slug.eq_ignore_ascii_case(text))
            .map(|meta| meta.id)
    }

    /// The code or slug that may be meant by a word that is none.
    #[must_use]
    pub fn near(word: &str) -> Option<&'static str> {
        nearest(word, CATALOG.iter().flat_map(|meta| [meta.code, meta.slug]))
    }

    /// Whether a finding of this rule says something about a proxy, and not about what the linter was told or could
    /// not read.
    #[must_use]
    pub const fn is_about_proxies(self) -> bool {
        !matches!(self, Self::GW000 | Self::GW013 | Self::GW014 | Self::GW015)
    }
}

/// The known word that may be meant by another one, in any letter case; none when all are far from it.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody misspells so much; and the distance of long words is dear.
    if word.len() > 100 {
        return None;
    }
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&word, &known.to_lowercase()), known))
        .min()
        .filter(|(distance, known)| *distance <= 1.max(known.len() / 3))
        .map(|(_, known)| known)
}

impl RuleMeta {
    /// What the rule says of a dialect, if it speaks of it.
    #[must_use]
    pub fn of(&self, dialect: Dialect) -> Option<&'static DialectMeta> {
        self.dialects.iter().find(|meta| meta.dialect == dialect.key())
    }

    /// The page that explains the rule.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}/blob/main/docs/rules/{}-{}.md", env!("CARGO_PKG_REPOSITORY"), self.code, self.slug)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meta().code)
    }
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Confidence {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_code_and_slug() {
        for meta in CATALOG {
            assert_eq!(RuleId::find(meta.code), Some(meta.id));
            assert_eq!(RuleId::find(meta.slug), Some(meta.id));
            assert!(std::ptr::eq(meta.id.meta(), meta));
        }
        assert_eq!(RuleId::find("GW999"), None);
    }
}
