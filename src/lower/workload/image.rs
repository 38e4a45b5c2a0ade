//! What a Dockerfile makes of an image.

use super::HealthCheck;
use crate::files::Files;
use crate::source::Site;
use crate::syntax::words::{Command, Text};

/// How an image is built.
#[derive(Clone, Debug)]
pub struct Build {
    /// The folder whose files can be copied, relative to the root of the repository.
    pub context: Box<str>,
    /// The Dockerfile.
    pub dockerfile: Dockerfile,
    /// The stage that is asked for; the last one, if none.
    pub target: Option<Text>,
    /// Build arguments that are given.
    pub args: Vec<(Box<str>, Text)>,
}

/// Where a Dockerfile stands.
#[derive(Clone, Debug)]
pub enum Dockerfile {
    /// In a file of the repository, relative to its root.
    At(Box<str>),
    /// Within another file.
    Inline(Text),
}

/// What a Dockerfile makes: the final stage, and what it takes over from those before it.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// The image that it begins with, after following stages; a hole in it is a build argument that nobody gives.
    pub base: Option<Text>,
    /// Variables that it sets.
    pub environment: Vec<(Box<str>, Text)>,
    /// TCP ports of `EXPOSE`.
    pub exposed: Vec<(u16, Site)>,
    /// Whether an `EXPOSE` could not be read.
    pub exposed_open: bool,
    /// What it starts.
    pub entrypoint: Option<Command>,
    /// The words after that, or what it starts when there is no entrypoint.
    pub command: Option<Command>,
    /// What it copies out of the context, in order; a later one hides an earlier one.
    pub copies: Vec<Copied>,
    /// The folder in which it starts.
    pub working_dir: Option<Text>,
    /// The user as whom it starts.
    pub user: Option<Text>,
    /// Its own health check.
    pub health: Option<HealthCheck>,
    /// What it runs while it is built, one text a `RUN`.
    pub runs: Vec<Text>,
}

/// A file or folder of the context that lies in an image.
#[derive(Clone, Debug)]
pub struct Copied {
    /// In the repository, relative to its root; `None`: from another stage, from the net, or not to be known.
    pub from: Option<Box<str>>,
    /// In the image, absolute; with a `/` at its end for a folder into which it is copied.
    pub to: Box<str>,
    /// The instruction.
    pub site: Site,
}

/// Reads a Dockerfile. `None` when there is none, or none that can be read.
#[must_use]
pub fn image(_files: &mut Files<'_>, _build: &Build) -> Option<Image> {
    None
}
