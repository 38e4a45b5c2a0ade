//! `gw502-lint explain RULE`: a rule's page, in the terminal.

use super::Exit;
use super::lint::unknown_rule;
use super::output::to_stdout;
use super::terminal_width;
use crate::catalog::{Proof, RuleId, RuleMeta};
use crate::output::human::wrap;
use clap::Args;
use std::io::{self, Write};

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A rule's code or name: GW201, timeout-shorter-than-work
    #[arg(value_name = "RULE")]
    rule: String,
}

pub fn run(arguments: &ExplainArguments) -> Result<Exit, String> {
    let Some(rule) = RuleId::find(arguments.rule.trim()) else { return Err(unknown_rule(&arguments.rule)) };
    let width = terminal_width().min(100);
    to_stdout(|out| page(rule.meta(), width, out))?;
    Ok(Exit::Clean)
}

fn page(meta: &RuleMeta, width: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}  {}", meta.code, meta.slug)?;
    paragraph(meta.title, "", width, out)?;
    let (severity, confidence) = (meta.severity.word(), meta.confidence.word());
    writeln!(out, "\n{severity}, {confidence}; family {}; since {}", meta.family, meta.since)?;
    for (heading, text) in
        [("What it looks for", meta.summary), ("Why it fails", meta.why), ("What to do", meta.remedy)]
    {
        writeln!(out, "\n{heading}")?;
        for part in text.split("\n\n").filter(|part| !part.trim().is_empty()) {
            paragraph(part, "  ", width, out)?;
        }
    }
    for about in meta.dialects {
        let proof = match about.proof {
            Proof::Live => "seen on the real proxy",
            Proof::Docs => "read in the manual",
        };
        writeln!(out, "\n{}: {} ({proof})", about.dialect, about.outcome)?;
        paragraph(about.effect, "  ", width, out)?;
        if !about.log.is_empty() {
            paragraph(&format!("Log: {}", about.log), "  ", width, out)?;
        }
        if !about.check.is_empty() {
            let verdicts: Vec<_> = about.verdicts.iter().map(|verdict| verdict.word()).collect();
            let measured = if verdicts.is_empty() { String::new() } else { format!(" ({})", verdicts.join(", ")) };
            paragraph(&format!("The proxy's own check{measured}: {}", about.check), "  ", width, out)?;
        }
    }
    if !meta.options.is_empty() {
        writeln!(out, "\nOptions")?;
    }
    for option in meta.options {
        paragraph(
            &format!("{} ({}, default {}): {}", option.name, option.kind, option.default, option.doc),
            "  ",
            width,
            out,
        )?;
    }
    if !meta.references.is_empty() {
        writeln!(out, "\nReferences")?;
    }
    for reference in meta.references {
        writeln!(out, "  {reference}")?;
    }
    writeln!(out, "\n{}", meta.page())
}

fn paragraph(text: &str, indent: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for line in wrap(text, width.saturating_sub(indent.len())) {
        writeln!(out, "{indent}{line}")?;
    }
    Ok(())
}
