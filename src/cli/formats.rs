//! `--format` and its companions: which reports are written, how, and where.

use super::output::{to_file, to_stderr, to_stdout};
use super::{ColorChoice, terminal_width};
use crate::engine::Report;
use crate::output::human::Options;
use crate::output::{checkstyle, concise, github, gitlab, human, json, json_lines, junit, markdown, sarif, statistics};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, ValueEnum};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArguments {
    /// How to write the findings; with =FILE into a file (repeatable)
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = WantedParser)]
    format: Vec<Wanted>,

    /// Where the format without a file of its own goes, instead of to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Count the findings of each rule instead of showing them (human, concise)
    #[arg(long)]
    statistics: bool,

    /// Use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    color: ColorChoice,

    /// Link the codes of rules to their pages, in terminals that know such links
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    hyperlinks: LinkChoice,
}

/// When to write links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LinkChoice {
    /// On a terminal that knows them, where colours are wanted
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Human,
    Concise,
    Json,
    JsonLines,
    Sarif,
    CodeScanning,
    Github,
    Gitlab,
    Junit,
    Checkstyle,
    Markdown,
}

/// The formats and their names.
const FORMATS: [(&str, Format); 11] = [
    ("human", Format::Human),
    ("concise", Format::Concise),
    ("json", Format::Json),
    ("json-lines", Format::JsonLines),
    ("sarif", Format::Sarif),
    ("code-scanning", Format::CodeScanning),
    ("github", Format::Github),
    ("gitlab", Format::Gitlab),
    ("junit", Format::Junit),
    ("checkstyle", Format::Checkstyle),
    ("markdown", Format::Markdown),
];

/// `FORMAT[=FILE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    format: Format,
    file: Option<PathBuf>,
}

impl Wanted {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("there is no file behind the `=`".into()),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        match FORMATS.iter().find(|(known, _)| *known == name) {
            Some(&(_, format)) => Ok(Self { format, file }),
            None => {
                let names = FORMATS.map(|(name, _)| name);
                let (last, others) = names.split_last().unwrap_or((&"", &[]));
                Err(format!("`{name}` is no format; there are {} and {last}", others.join(", ")))
            }
        }
    }
}

/// Reads [`Wanted`], and tells help and completions which formats there are.
#[derive(Clone, Copy, Debug)]
struct WantedParser;

impl TypedValueParser for WantedParser {
    type Value = Wanted;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&Arg>, value: &OsStr) -> Result<Wanted, clap::Error> {
        StringValueParser::new().try_map(|text| Wanted::parse(&text)).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(FORMATS.iter().map(|(name, _)| PossibleValue::new(*name))))
    }
}

/// The reports that are to be written.
#[derive(Debug)]
pub struct Outputs {
    all: Vec<Wanted>,
    statistics: bool,
    color: ColorChoice,
    links: LinkChoice,
}

/// How a report is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// How long the run took.
    pub elapsed: Duration,
    /// How many findings were fixed, where somebody asked for that.
    pub fixed: Option<usize>,
    /// Whether standard output is for something else: then reports for it go to standard error.
    pub piped: bool,
}

impl OutputArguments {
    /// For what is no report: whether it is to be JSON, and the file that it goes to.
    ///
    /// # Errors
    /// When something else is asked for, in words.
    pub fn human_or_json(&self, what: &str) -> Result<(bool, Option<PathBuf>), String> {
        let Outputs { mut all, .. } = self.outputs()?;
        match (all.pop(), all.is_empty()) {
            (Some(Wanted { format: Format::Human, file }), true) => Ok((false, file)),
            (Some(Wanted { format: Format::Json, file }), true) => Ok((true, file)),
            _ => Err(format!("{what} knows the formats human and json, one at a time")),
        }
    }

    /// What is to be written where; standard output takes one format only.
    ///
    /// # Errors
    /// When the arguments do not go together, in words.
    pub fn outputs(&self) -> Result<Outputs, String> {
        let mut all = self.format.clone();
        if all.is_empty() {
            all.push(Wanted { format: Format::Human, file: None });
        }
        let mut without_file = all.iter_mut().filter(|wanted| wanted.file.is_none());
        let first = without_file.next();
        if without_file.next().is_some() {
            return Err("only one format can go to standard output; write the others as --format FORMAT=FILE".into());
        }
        match (first, &self.output) {
            (Some(wanted), Some(path)) => wanted.file = Some(path.clone()),
            (None, Some(_)) => return Err("--output is for the format without a file of its own; each has one".into()),
            _ => {}
        }
        let mut files: Vec<&Path> = all.iter().filter_map(|wanted| wanted.file.as_deref()).collect();
        files.sort_unstable();
        if let Some(twice) = files.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two formats would be written to {}", twice[0].display()));
        }
        if self.statistics && !all.iter().any(|wanted| matches!(wanted.format, Format::Human | Format::Concise)) {
            return Err("--statistics is for the formats human and concise; the others hold all findings".into());
        }
        Ok(Outputs { all, statistics: self.statistics, color: self.color, links: self.hyperlinks })
    }
}

impl Outputs {
    /// Writes all of them.
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn write(&self, report: &Report, shown: Shown) -> Result<(), String> {
        let terminal = Options {
            color: self.color.wanted(),
            width: terminal_width(),
            elapsed: Some(shown.elapsed),
            fixed: shown.fixed,
            hyperlinks: match self.links {
                LinkChoice::Always => true,
                LinkChoice::Never => false,
                LinkChoice::Auto => self.color.wanted() && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout),
            },
        };
        let in_file = Options {
            color: self.color == ColorChoice::Always,
            hyperlinks: self.links == LinkChoice::Always,
            ..terminal
        };
        for wanted in &self.all {
            match &wanted.file {
                None if shown.piped => to_stderr(|out| self.write_one(report, wanted.format, &terminal, out)),
                None => to_stdout(|out| self.write_one(report, wanted.format, &terminal, out))?,
                Some(path) => to_file(path, |out| self.write_one(report, wanted.format, &in_file, out))?,
            }
        }
        Ok(())
    }

    fn write_one(&self, report: &Report, format: Format, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Human | Format::Concise if self.statistics => statistics::write(report, options, out),
            Format::Human => human::write(report, options, out),
            Format::Concise => concise::write(report, options, out),
            Format::Json => json::write(report, out),
            Format::JsonLines => json_lines::write(report, out),
            Format::Sarif => sarif::write(report, out),
            Format::CodeScanning => sarif::write_open(report, out),
            Format::Github => github::write(report, out),
            Format::Gitlab => gitlab::write(report, out),
            Format::Junit => junit::write(report, out),
            Format::Checkstyle => checkstyle::write(report, out),
            Format::Markdown => markdown::write(report, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_one_place_each() {
        assert_eq!(Wanted::parse("sarif=a=b").map(|wanted| wanted.file), Ok(Some(PathBuf::from("a=b"))));
        assert!(Wanted::parse("sarif=").is_err());
        assert!(Wanted::parse("xml").is_err_and(|words| words.contains("junit, checkstyle and markdown")));
    }
}
