//! `--timings`: how long each part of a run takes.

use crate::catalog::RuleId;
use crate::engine::{Probe, Step};
use std::cmp::Reverse;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// A clock that is stopped at the end of each part.
#[derive(Debug)]
pub struct Timings {
    started: Instant,
    last: Instant,
    parts: Vec<(&'static str, Duration)>,
    rules: Vec<(RuleId, Duration)>,
}

/// What all rules together are called.
const RULES: &str = "rules";

impl Timings {
    /// Starts the clock.
    pub fn start() -> Self {
        let now = Instant::now();
        Self { started: now, last: now, parts: Vec::new(), rules: Vec::new() }
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// A part is done; one that is done several times, as `--fix` does, is one sum.
    pub fn done_with(&mut self, part: &'static str) {
        let took = self.lap();
        add(&mut self.parts, part, took);
    }

    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.last, now)
    }

    /// Writes a line for each part, and below one for each rule, the slowest first.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let total = self.last - self.started;
        let row = |out: &mut dyn Write, took: Duration, what: &str| {
            let share = 100.0 * took.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
            writeln!(out, "{:10.1} ms {share:5.1} %  {what}", took.as_secs_f64() * 1000.0)
        };
        for (part, took) in &self.parts {
            row(out, *took, part)?;
        }
        row(out, total, "all")?;
        let mut rules = self.rules.clone();
        rules.sort_by_key(|(rule, took)| (Reverse(*took), *rule));
        for (rule, took) in rules {
            row(out, took, &format!("{rule} {}", rule.meta().slug))?;
        }
        Ok(())
    }
}

impl Probe for Timings {
    fn done(&mut self, step: Step) {
        let took = self.lap();
        let part = match step {
            Step::Lower => "includes, surroundings, topology",
            Step::Link => "linking",
            Step::Rule(rule) => {
                add(&mut self.rules, rule, took);
                RULES
            }
            Step::Suppress => "suppressions",
            Step::Report => "sorting, fingerprints, fixes",
        };
        add(&mut self.parts, part, took);
    }
}

fn add<K: PartialEq>(sums: &mut Vec<(K, Duration)>, key: K, took: Duration) {
    match sums.iter_mut().find(|(known, _)| *known == key) {
        Some((_, sum)) => *sum += took,
        None => sums.push((key, took)),
    }
}
