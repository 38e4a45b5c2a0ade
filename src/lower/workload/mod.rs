//! Where a workload listens and how long it waits, from all that describes it: command lines, environment, its own
//! configuration files, its image.
//!
//! The caller knows what a compose file, a manifest or a unit means, and hands in [`Evidence`]; [`learn`] says what
//! follows from it. `ports:`, `expose:` and labels are the caller's own evidence: it adds those claims itself, after
//! these.

mod image;
mod sites;

pub use image::{Build, Copied, Dockerfile, Image, found, image};

use crate::files::Files;
use crate::source::Site;
use crate::syntax::words::{Command, Text};
use crate::topology::{Claim, Known, Server};

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
}

/// What follows from all that describes a workload.
#[must_use]
pub fn learn(_files: &mut Files<'_>, evidence: &Evidence) -> Learned {
    Learned {
        claims: Vec::new(),
        claims_open: true,
        server: Server::default(),
        health: match &evidence.health {
            Some(HealthCheck::Runs(_, site) | HealthCheck::Unknown(site)) => Known::Yes(Some(*site)),
            Some(HealthCheck::Off(_)) => Known::Yes(None),
            None => Known::Unknown(crate::topology::Reason::OutsideRepository),
        },
    }
}
