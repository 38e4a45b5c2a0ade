//! Which files a run looks at, and as what.
//!
//! As JSON `version` is 1; it is raised when a member changes its meaning or goes away.

use super::{counted, plain, plain_line};
use crate::engine::Report;
use crate::source::{Site, SourceMap};
use crate::topology::{Dialect, Placed};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

/// All files of a run.
#[derive(Debug, Serialize)]
pub struct Listing {
    version: u32,
    files: Vec<Listed>,
    unread: Vec<Unread>,
}

/// A file.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its path from the root.
    path: String,
    /// As what it is linted: `nginx`, `haproxy`, `kubernetes`; missing for what is only read.
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    role: Role,
    /// Whether the configuration file excludes it: then nothing is reported in it.
    excluded: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    included_from: Vec<At>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    includes: Vec<Include>,
    /// Who reads it where it is deployed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs_in: Vec<RunsIn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    /// A proxy starts from it, and all of its configuration was found.
    Main,
    /// What it belongs to was not found.
    Fragment,
    Included,
    Manifest,
    Surroundings,
    /// The configuration of this program.
    Settings,
}

#[derive(Debug, Serialize)]
struct At {
    file: String,
    line: u32,
}

#[derive(Debug, Serialize)]
struct Include {
    line: u32,
    file: String,
}

#[derive(Debug, Serialize)]
struct RunsIn {
    service: String,
    how: &'static str,
    file: String,
    line: u32,
}

#[derive(Debug, Serialize)]
struct Unread {
    file: String,
    why: String,
}

/// Most places of one kind that people are told.
const SHOWN: usize = 10;

/// Widest column of paths.
const WIDEST: usize = 60;

impl Listing {
    /// The files of a report. `settings` is the path of the configuration file, `excluded` says which paths it excludes.
    #[must_use]
    pub fn of(report: &Report, settings: Option<&str>, excluded: impl Fn(&str) -> bool) -> Self {
        let sources = &report.sources;
        let linted: HashMap<&str, Dialect> =
            report.files.iter().map(|(path, dialect)| (path.as_str(), *dialect)).collect();
        let unread: HashMap<&str, &str> =
            report.unread.iter().map(|file| (file.path.as_str(), file.why.as_str())).collect();
        let mut files: BTreeMap<&str, Listed> = BTreeMap::new();
        for (_, file) in sources.files().filter(|(_, file)| !unread.contains_key(file.path())) {
            let path = file.path();
            let dialect = linted.get(path).copied();
            files.entry(path).or_insert_with(|| Listed {
                path: plain(path).into_owned(),
                dialect: dialect.map(Dialect::key),
                role: match dialect {
                    Some(Dialect::Kubernetes) => Role::Manifest,
                    Some(_) => Role::Fragment,
                    None if settings == Some(path) => Role::Settings,
                    None => Role::Surroundings,
                },
                excluded: excluded(path),
                included_from: Vec::new(),
                includes: Vec::new(),
                runs_in: Vec::new(),
            });
        }
        let path_of = |id| sources.file(id).path();
        // A file that is included ten times says ten times what it includes itself.
        let mut told = HashSet::new();
        for include in sources.includes() {
            if !told.insert((include.at.span.file, include.at.span.start, include.file)) {
                continue;
            }
            let at = at(sources, include.at);
            if let Some(from) = files.get_mut(path_of(include.at.span.file)) {
                from.includes.push(Include { line: at.line, file: plain(path_of(include.file)).into_owned() });
            }
            if let Some(included) = files.get_mut(path_of(include.file)) {
                included.role = Role::Included;
                included.included_from.push(at);
            }
        }
        for (_, proxy) in report.topology.proxies.iter().filter(|(_, proxy)| proxy.whole) {
            if let Some(file) = files.get_mut(path_of(proxy.entry)).filter(|file| file.role == Role::Fragment) {
                file.role = Role::Main;
            }
        }
        for placement in &report.topology.placements {
            let At { file, line } = at(sources, placement.site);
            if let Some(listed) = files.get_mut(path_of(placement.file)) {
                let service = plain(&report.topology.workloads[placement.workload].name).into_owned();
                let how = match placement.how {
                    Placed::Mounted => "mounted",
                    Placed::Copied => "copied",
                    Placed::Rendered => "rendered",
                    Placed::Near => "near",
                };
                listed.runs_in.push(RunsIn { service, how, file, line });
            }
        }
        let of = |(file, why): (&str, &str)| Unread { file: plain(file).into_owned(), why: plain(why).into_owned() };
        let mut unread: Vec<Unread> = unread.into_iter().map(of).collect();
        unread.sort_by(|a, b| a.file.cmp(&b.file));
        Self { version: 1, files: files.into_values().collect(), unread }
    }

    /// One file of them.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&Listed> {
        let path = plain(path);
        self.files.iter().find(|file| file.path == path)
    }

    /// Why a file could not be read.
    #[must_use]
    pub fn unread(&self, path: &str) -> Option<&str> {
        let path = plain(path);
        self.unread.iter().find(|file| file.file == path).map(|file| file.why.as_str())
    }

    /// Writes JSON.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// Writes a line for each file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn human(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let paths = self.files.iter().map(|file| &file.path).chain(self.unread.iter().map(|file| &file.file));
        let width = paths.map(|path| path.chars().count()).filter(|width| *width <= WIDEST).max().unwrap_or(0);
        for file in &self.files {
            writeln!(out, "{:width$}  {}", plain_line(&file.path), file.words())?;
        }
        for file in &self.unread {
            writeln!(out, "{:width$}  could not be read: {}", plain_line(&file.file), file.why)?;
        }
        let linted = self.files.iter().filter(|file| file.dialect.is_some()).count();
        write!(out, "{} linted", counted(linted, "file"))?;
        match self.files.len() - linted {
            0 => {}
            others => write!(out, ", {others} more read")?,
        }
        match self.unread.len() {
            0 => writeln!(out),
            unread => writeln!(out, ", {unread} could not be read"),
        }
    }
}

impl Listed {
    /// What it is, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let dialect = match self.dialect {
            Some("nginx") => Dialect::Nginx.name(),
            Some("haproxy") => Dialect::Haproxy.name(),
            Some(_) => Dialect::Kubernetes.name(),
            None => "",
        };
        let words = match self.role {
            Role::Main => format!("{dialect}, the main file of a whole configuration"),
            Role::Fragment => format!("{dialect}, a part of a configuration"),
            Role::Manifest => format!("{dialect}, a manifest"),
            Role::Surroundings => "read for what it says of the proxies' surroundings".into(),
            Role::Settings => "the settings of gw502-lint".into(),
            Role::Included => {
                let from = self.included_from.first();
                let from = from.map_or_else(String::new, |at| format!(" from {}:{}", at.file, at.line));
                let more = match self.included_from.len() {
                    0 | 1 => String::new(),
                    count => format!(" and {}", counted(count - 1, "more place")),
                };
                format!("{dialect}, included{from}{more}")
            }
        };
        if self.excluded { format!("{words}; excluded, nothing is reported in it") } else { words }
    }

    /// Whether others include it.
    #[must_use]
    pub fn is_included(&self) -> bool {
        self.role == Role::Included
    }

    /// How it hangs together with others, a line for each.
    #[must_use]
    pub fn relations(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for at in self.included_from.iter().take(SHOWN) {
            lines.push(format!("included from {}:{}", at.file, at.line));
        }
        more(self.included_from.len(), "includes it", &mut lines);
        for include in self.includes.iter().take(SHOWN) {
            lines.push(format!("line {} includes {}", include.line, include.file));
        }
        more(self.includes.len(), "is included", &mut lines);
        for by in self.runs_in.iter().take(SHOWN) {
            let how = match by.how {
                "near" => "perhaps: it lies near".to_owned(),
                how => how.to_owned(),
            };
            lines.push(format!("`{}` runs it ({how}, {}:{})", by.service, by.file, by.line));
        }
        more(self.runs_in.len(), "runs it", &mut lines);
        lines
    }
}

fn more(count: usize, what: &str, lines: &mut Vec<String>) {
    if count > SHOWN {
        lines.push(format!("and {} more: {what}", count - SHOWN));
    }
}

fn at(sources: &SourceMap, site: Site) -> At {
    let file = sources.file(site.span.file);
    At { file: plain(file.path()).into_owned(), line: file.line_index(site.span.start) as u32 + 1 }
}
