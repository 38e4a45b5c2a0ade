//! `gw502-lint rules`: the list of rules.

use super::Exit;
use super::output::to_stdout;
use crate::catalog::{CATALOG, Proof, RuleMeta};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Debug, Args)]
pub struct RulesArguments {
    /// How to write the list
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// One line for each rule
    #[default]
    Human,
    /// Everything that is known of the rules, as JSON
    Json,
}

#[derive(Serialize)]
struct Rule {
    code: &'static str,
    slug: &'static str,
    title: &'static str,
    family: &'static str,
    severity: &'static str,
    confidence: &'static str,
    since: &'static str,
    summary: &'static str,
    why: &'static str,
    remedy: &'static str,
    dialects: Vec<OfDialect>,
    options: Vec<OptionOf>,
    references: &'static [&'static str],
    page: String,
}

#[derive(Serialize)]
struct OfDialect {
    dialect: &'static str,
    outcome: String,
    log: &'static str,
    effect: &'static str,
    check: &'static str,
    verdicts: Vec<&'static str>,
    proof: &'static str,
}

#[derive(Serialize)]
struct OptionOf {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    default: &'static str,
    doc: &'static str,
}

pub fn run(arguments: &RulesArguments) -> Result<Exit, String> {
    to_stdout(|out| match arguments.format {
        Format::Human => human(out),
        Format::Json => {
            let rules: Vec<Rule> = CATALOG.iter().map(rule).collect();
            serde_json::to_writer_pretty(&mut *out, &rules)?;
            writeln!(out)
        }
    })?;
    Ok(Exit::Clean)
}

fn human(out: &mut dyn Write) -> io::Result<()> {
    let widest = CATALOG.iter().map(|meta| meta.slug.len()).max().unwrap_or(0);
    for meta in CATALOG {
        let dialects: Vec<_> = meta.dialects.iter().map(|about| about.dialect).collect();
        writeln!(out, "{}  {:widest$}  {:7}  {}", meta.code, meta.slug, meta.severity.word(), dialects.join(", "))?;
        writeln!(out, "       {}", meta.title)?;
    }
    writeln!(out, "\n{} rules. Read about one: gw502-lint explain CODE", CATALOG.len())
}

fn rule(meta: &RuleMeta) -> Rule {
    Rule {
        code: meta.code,
        slug: meta.slug,
        title: meta.title,
        family: meta.family,
        severity: meta.severity.word(),
        confidence: meta.confidence.word(),
        since: meta.since,
        summary: meta.summary,
        why: meta.why,
        remedy: meta.remedy,
        dialects: meta
            .dialects
            .iter()
            .map(|about| OfDialect {
                dialect: about.dialect,
                outcome: about.outcome.to_string(),
                log: about.log,
                effect: about.effect,
                check: about.check,
                verdicts: about.verdicts.iter().map(|verdict| verdict.word()).collect(),
                proof: proof(about.proof),
            })
            .collect(),
        options: meta
            .options
            .iter()
            .map(|option| OptionOf { name: option.name, kind: option.kind, default: option.default, doc: option.doc })
            .collect(),
        references: meta.references,
        page: meta.page(),
    }
}

pub const fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Live => "live",
        Proof::Docs => "docs",
    }
}
