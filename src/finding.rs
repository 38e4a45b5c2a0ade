//! What rules say: findings, labels, notes. Layer 4.

use crate::catalog::{Confidence, Outcome, RuleId, Severity};
use crate::edit::Fix;
use crate::source::{Site, Span};
use crate::topology::Dialect;
use std::sync::Arc;

/// One rule's statement about one place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// How bad if real.
    pub severity: Severity,
    /// What the user's configuration makes of it, where it says something. See [`Finding::level`].
    pub set_level: Option<Severity>,
    /// How sure.
    pub confidence: Confidence,
    /// Whose configuration it is; none where no proxy is concerned.
    pub dialect: Option<Dialect>,
    /// What the client will see.
    pub outcome: Outcome,
    /// What will happen, in one sentence.
    pub message: String,
    /// Places: the first is the primary one, the others tell the story.
    pub labels: Vec<Label>,
    /// Text without a place.
    pub notes: Vec<Note>,
    /// How to mend it, where there is one certain or likely way.
    pub fix: Option<Box<Fix>>,
    /// Same for the same hazard after lines have moved, the file was renamed, or a message got other words. Two findings may
    /// have one key.
    pub key: u64,
    /// As the key, for this file, and each finding's own.
    pub fingerprint: u64,
    /// What another run knew of it, where one was compared.
    pub state: Option<State>,
    /// Who has decided to live with it.
    pub suppressed: Option<Box<Suppressed>>,
}

/// A decision to live with a finding. It stays in the report, and fails no run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// Where it was decided.
    pub by: SuppressedIn,
    /// Why, in the words of whoever decided it.
    pub reason: Arc<str>,
    /// The words that say so, where somebody wrote some.
    pub at: Option<Span>,
}

/// What another run knew of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    New,
    /// The same.
    Unchanged,
    /// The same, and lines that it points at have changed since.
    Updated,
}

impl State {
    /// As machine formats write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Updated => "updated",
        }
    }
}

/// Where a finding was suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuppressedIn {
    /// A comment in the linted file.
    Source,
    /// The linter's own configuration file.
    Configuration,
    /// A baseline: it was there when that was written.
    Baseline,
    /// The call, which asks for what changed: it was there before.
    History,
}

/// Underlined text with a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub site: Site,
    /// The words; the labels of a finding read as one story.
    pub text: String,
}

/// Text without a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Why it fails, and in which event.
    Why(String),
    /// Words to look for in the proxy's log.
    Log(&'static str),
    /// What to write instead.
    Help(String),
    /// What was taken for granted, because these files do not show it.
    Assumed(String),
}

impl Finding {
    /// A finding with its primary label. Severity, confidence, outcome, log words and the explanation are the
    /// rule's own for this dialect, until something else is said.
    #[must_use]
    pub fn new(rule: RuleId, dialect: Dialect, at: (Site, String), message: impl Into<String>) -> Self {
        let meta = rule.meta();
        let about = meta.of(dialect);
        Self {
            rule,
            severity: meta.severity,
            set_level: None,
            confidence: meta.confidence,
            dialect: Some(dialect),
            outcome: about.map_or(Outcome::NotChecked, |about| about.outcome),
            message: message.into(),
            labels: vec![Label { site: at.0, text: at.1 }],
            notes: about.into_iter().filter(|about| !about.log.is_empty()).map(|about| Note::Log(about.log)).collect(),
            fix: None,
            key: 0,
            fingerprint: 0,
            state: None,
            suppressed: None,
        }
    }

    /// As what it is shown and counted: what the user's configuration says, else its severity.
    #[must_use]
    pub fn level(&self) -> Severity {
        self.set_level.unwrap_or(self.severity)
    }

    /// The primary label.
    ///
    /// # Panics
    /// Never: every constructor puts one in, and nothing takes it out.
    #[must_use]
    pub fn primary(&self) -> &Label {
        &self.labels[0]
    }

    /// Another place that belongs to the story. One that is already there is not shown twice.
    #[must_use]
    pub fn label(mut self, at: (Site, String)) -> Self {
        if !self.labels.iter().any(|label| label.site == at.0) {
            self.labels.push(Label { site: at.0, text: at.1 });
        }
        self
    }

    /// As [`Finding::label`], where there is such a place.
    #[must_use]
    pub fn label_if(self, at: Option<(Site, String)>) -> Self {
        match at {
            Some(at) => self.label(at),
            None => self,
        }
    }

    /// A lower severity than the rule's: the evidence is weaker. Never raises it.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity.min(self.rule.meta().severity);
        self
    }

    /// How sure this finding is.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Another outcome than the rule's for this dialect. The log words of the rule no longer apply.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        if self.outcome != outcome {
            self.notes.retain(|note| !matches!(note, Note::Log(_)));
        }
        self.outcome = outcome;
        self
    }

    /// Other words to look for in the log than the rule's for this dialect; empty for none.
    #[must_use]
    pub fn log(mut self, words: &'static str) -> Self {
        self.notes.retain(|note| !matches!(note, Note::Log(_)));
        if !words.is_empty() {
            self.notes.push(Note::Log(words));
        }
        self
    }

    /// Why it fails, and in which event.
    #[must_use]
    pub fn why(mut self, text: impl Into<String>) -> Self {
        self.notes.push(Note::Why(text.into()));
        self
    }

    /// What happens in the proxy's own terms, from the rule's page.
    #[must_use]
    pub fn why_of_dialect(self) -> Self {
        match self.dialect.and_then(|dialect| self.rule.meta().of(dialect)) {
            Some(about) if !about.effect.is_empty() => self.why(about.effect),
            _ => self,
        }
    }

    /// What to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.notes.push(Note::Help(text.into()));
        self
    }

    /// What was taken for granted.
    #[must_use]
    pub fn assumed(mut self, text: impl Into<String>) -> Self {
        self.notes.push(Note::Assumed(text.into()));
        self
    }

    /// How to mend it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Box<Fix>>>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Orders findings: by file, place, rule.
    #[must_use]
    pub fn order(&self) -> impl Ord + use<> {
        let span = self.primary().site.span;
        (span.file, span.start, span.end, self.rule, self.message.clone())
    }
}

/// Where rules put what they find.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one. A rule has no say about a dialect that its page does not speak of.
    pub fn push(&mut self, finding: Finding) {
        if finding.dialect.is_none_or(|dialect| finding.rule.meta().of(dialect).is_some()) {
            self.0.push(finding);
        }
    }

    /// Takes out those for which `keep` says no.
    pub fn retain(&mut self, keep: impl FnMut(&mut Finding) -> bool) {
        self.0.retain_mut(keep);
    }

    /// All of them, to be marked.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.0.iter_mut()
    }

    /// All of them, sorted, each hazard once (a file that is included ten times says it once). What makes each the same
    /// in another run is put in later.
    #[must_use]
    pub fn finish(mut self) -> Vec<Finding> {
        self.0.sort_by_cached_key(Finding::order);
        self.0.dedup_by(|later, first| {
            later.rule == first.rule
                && later.primary().site.span == first.primary().site.span
                && later.message == first.message
        });
        self.0
    }
}
