//! Where a workload listens and how long it waits, from all that describes it: command lines, environment, its own
//! configuration files, its image.
//!
//! The caller knows what a compose file, a manifest or a unit means, and hands in [`Evidence`]; [`learn`] says what
//! follows from it. `ports:`, `expose:` and labels are the caller's own evidence: it adds those claims itself, after
//! these.

mod environment;
mod fpm;
mod gather;
mod image;
mod javascript;
mod jvm;
mod lines;
mod literals;
pub mod machine;
mod programs;
mod python;
mod sites;
mod sources;
#[cfg(test)]
mod tests;
mod tomcat;
mod units;
mod uwsgi;

pub use image::{Build, Copied, Dockerfile, Image, found, image};

use crate::defaults::servers;
use crate::files::Files;
use crate::source::{FileId, Site, SourceMap};
use crate::syntax::words::{Command, Text};
use crate::topology::{Claim, Known, OwnCheck, Reason, Server, Spoken};
use gather::{Family, Gather};
use std::cell::Cell;

/// What describes one workload. Values are interpolated already; what is not known in them is a
/// [`HOLE`](crate::syntax::words::HOLE).
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The image it runs, where none is built.
    pub image: Option<Text>,
    /// The image that is built for it, from [`image`].
    pub built: Option<Image>,
    /// Whether an image is built that could not be read: then nothing is known of its command.
    pub built_unread: bool,
    /// What it is told to start: replaces the image's entrypoint *and* command.
    pub entrypoint: Option<Command>,
    /// What it is told to start, or the words for the entrypoint: replaces the image's command.
    pub command: Option<Command>,
    /// Its variables, without those of the image.
    pub environment: Vec<(Box<str>, Text)>,
    /// Whether it may have variables that could not be read (an `env_file` outside the repository).
    pub environment_open: bool,
    /// The folder in which it starts, where one is said.
    pub working_dir: Option<Text>,
    /// Its health check.
    pub health: Option<HealthCheck>,
    /// What of the repository lies where in it: (in the repository, relative to the root; in it, absolute). Mounts and
    /// configs, without what its image copies.
    pub mounts: Vec<(Box<str>, Box<str>)>,
    /// The folder of the repository in which its programs look for files by a relative path, when they are not in a
    /// container.
    pub folder: Option<Box<str>>,
}

/// How much text of files with variables is still read. Very many services may each name a large file, and name it very
/// often.
#[derive(Debug)]
pub struct Room(Cell<usize>);

impl Default for Room {
    fn default() -> Self {
        Self(Cell::new(16 << 20))
    }
}

/// Longest file with variables that is read, and most variables of one workload that more are added to.
const MAX_VARIABLES_TEXT: usize = 1 << 20;
const MAX_VARIABLES: usize = 4096;

impl Room {
    /// A text with variables, unless the workload has very many already or too much has been read.
    pub(super) fn of<'t>(&self, text: &'t str, known: usize) -> Option<&'t str> {
        if text.len() > MAX_VARIABLES_TEXT || known > MAX_VARIABLES {
            return None;
        }
        // A file that says nothing costs something, too.
        self.0.set(self.0.get().checked_sub(text.len() + 64)?);
        Some(text)
    }
}

/// A health check.
#[derive(Clone, Debug)]
pub enum HealthCheck {
    /// This is run.
    Runs(Command, Site),
    /// It is switched off.
    Off(Site),
    /// There is one, and it could not be read.
    Unknown(Site),
}

/// What follows from [`Evidence`].
#[derive(Debug)]
pub struct Learned {
    /// Where it listens.
    pub claims: Vec<Claim>,
    /// Whether something that decides where it listens could not be read.
    pub claims_open: bool,
    /// What is known of its server program.
    pub server: Server,
    /// Where a check of its health is written; `Yes(None)`: nothing checks it.
    pub health: Known<Option<Site>>,
    /// What that check does.
    pub check: Option<Box<OwnCheck>>,
}

/// What follows from all that describes a workload.
#[must_use]
pub fn learn(files: &mut Files<'_>, evidence: &Evidence) -> Learned {
    let mut gather = Gather::new(files, evidence);
    match started(&gather.files.sources, evidence) {
        Some(command) => programs::command(&mut gather, &command),
        // The image's own command is in a Dockerfile that nobody can read.
        None if evidence.built_unread => gather.open = true,
        None => {}
    }
    let base = environment::base(&gather).map(|image| image.text.to_string()).unwrap_or_default();
    fpm::pools(&mut gather);
    fpm::installed(&mut gather);
    if gather.program.is_some_and(|(program, _)| std::ptr::eq(program, &servers::TOMCAT)) || base.contains("tomcat") {
        tomcat::configuration(&mut gather);
    }
    if let Some(context) = environment::context(&mut gather) {
        let built = evidence.built.is_some() && evidence.folder.is_none();
        if built && gather.family.is_none() && gather.program.is_none() && gather.claims.is_empty() {
            sources::go(&mut gather, &context);
        }
        let java = ["openjdk", "temurin", "corretto", "java", "jre", "jdk"].iter().any(|word| base.contains(word));
        if gather.family == Some(Family::Java) || java {
            jvm::spring(&mut gather, &context);
        }
        if gather.family == Some(Family::Dotnet) || base.contains("dotnet/") {
            gather.family = Some(Family::Dotnet);
            environment::appsettings(&mut gather, &context);
        }
    }
    environment::variables(&mut gather);
    let built = evidence.built.as_ref();
    let health = evidence.health.as_ref().or(built.and_then(|built| built.health.as_ref()));
    let check = health.and_then(|health| environment::health(&mut gather, health));
    environment::image(&mut gather);
    if gather.claims.iter().any(|claim| claim.spoken == Some(Spoken::Http)) {
        let read = std::mem::take(&mut gather.read);
        // Whether a port that is said to speak HTTP has TLS around it is decided there.
        if speaks_tls(evidence) || read.into_iter().any(|id| holds_tls(gather.files, id)) {
            for claim in gather.claims.iter_mut().filter(|claim| claim.spoken == Some(Spoken::Http)) {
                claim.spoken = None;
            }
        }
    }
    let health = match health {
        Some(HealthCheck::Runs(_, site) | HealthCheck::Unknown(site)) => Known::Yes(Some(*site)),
        Some(HealthCheck::Off(_)) => Known::Yes(None),
        // An image from elsewhere may bring one.
        None => Known::Unknown(Reason::OutsideRepository),
    };
    Learned { claims: gather.claims, claims_open: gather.open, server: gather.server, health, check }
}

/// Whether a command or a variable speaks of certificates: then nothing is known of what a port speaks.
fn speaks_tls(evidence: &Evidence) -> bool {
    let built = evidence.built.as_ref();
    let commands = [
        evidence.entrypoint.as_ref(),
        evidence.command.as_ref(),
        built.and_then(|built| built.entrypoint.as_ref()),
        built.and_then(|built| built.command.as_ref()),
    ];
    let texts = commands.into_iter().flatten().flat_map(|command| match command {
        Command::Words(words) => words.as_slice(),
        Command::Shell(text) | Command::Split(text) => std::slice::from_ref(text),
    });
    let names = evidence.environment.iter().chain(built.into_iter().flat_map(|built| &built.environment));
    let speaks = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["certfile", "keyfile", "ssl-", "ssl_", "tls-", "tls_", "ssl:", "--cert", "keystore"]
            .iter()
            .any(|word| text.contains(word))
    };
    texts.into_iter().any(|text| speaks(&text.text)) || names.into_iter().any(|(name, _)| speaks(name))
}

/// Signs of certificates in the files of a program: those of Python, Ruby, Node.js, Java, .NET, Go and uwsgi.
const TLS_SIGNS: &[&str] = &[
    "ssl",
    "SSL",
    "Ssl",
    "tls",
    "TLS",
    "Tls",
    "certfile",
    "keyfile",
    "cert:",
    "'https'",
    "\"https\"",
    "node:https",
    "https.",
    "https =",
    "https=",
    "https: {",
    "https: true",
    "Https",
];

/// Whether a file of a program speaks of certificates.
fn holds_tls(files: &mut Files<'_>, id: FileId) -> bool {
    files.holds(id, "certificates", |text| {
        TLS_SIGNS.iter().any(|sign| memchr::memmem::find(text.as_bytes(), sign.as_bytes()).is_some())
    })
}

/// What is started in the end: the entrypoint with the command behind it.
fn started(sources: &SourceMap, evidence: &Evidence) -> Option<Command> {
    let built = evidence.built.as_ref();
    let (entrypoint, command) = match &evidence.entrypoint {
        // A new entrypoint drops the image's command.
        Some(entrypoint) => (Some(entrypoint), evidence.command.as_ref()),
        None => (
            built.and_then(|built| built.entrypoint.as_ref()),
            evidence.command.as_ref().or(built.and_then(|built| built.command.as_ref())),
        ),
    };
    let words = |command: &Command| match command {
        Command::Words(words) => words.clone(),
        Command::Split(text) => lines::split(sources, text),
        Command::Shell(text) => vec![Text::new("sh", text.site), Text::new("-c", text.site), text.clone()],
    };
    match (entrypoint, command) {
        (None, command) => command.cloned(),
        (Some(entrypoint), None) => Some(entrypoint.clone()),
        // A shell takes no words behind its own.
        (Some(Command::Shell(text)), Some(_)) => Some(Command::Shell(text.clone())),
        (Some(entrypoint), Some(command)) => Some(Command::Words([words(entrypoint), words(command)].concat())),
    }
}
