//! The kinds of block, and which of them a file is meant for.

use super::settings::{Role, Word, role};
use crate::defaults::nginx_names;
use crate::files::{Files, Tree};
use crate::lower::compose::Surroundings;
use crate::source::FileId;
use crate::syntax::nginx::{Body, NodeId, Tree as NginxTree};
use crate::topology::Scope;

/// The contexts in which directives stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Context {
    Main,
    Events,
    Http,
    Server,
    Location,
    /// `if` inside a location.
    IfInLocation,
    /// `if` inside a server.
    IfInServer,
    LimitExcept,
    Upstream,
    Stream,
    StreamServer,
    StreamUpstream,
    /// `map`, `geo`, `types` …: lines of data.
    Data,
    /// A block of another module: not looked into.
    Other,
}

impl Context {
    pub(super) const fn scope(self) -> Scope {
        match self {
            Self::Main | Self::Events => Scope::Process,
            Self::Http | Self::Stream => Scope::Shared,
            _ => Scope::Local,
        }
    }

    pub(super) const fn is_stream(self) -> bool {
        matches!(self, Self::Stream | Self::StreamServer | Self::StreamUpstream)
    }
}

/// The least context in which every statement at the top of a file is legal: what nginx would see if it were included
/// where it makes sense.
pub(super) fn context_of_file(files: &Files<'_>, id: FileId) -> Context {
    let Some(tree) = files.tree(id) else { return Context::Other };
    let Tree::Nginx(parsed) = &*tree else { return Context::Other };
    let source = files.sources.file(id);
    let text = source.text();
    let tree = &parsed.tree;
    let mut least = Context::Http;
    let mut decided = false;
    // The first few hundred statements decide; a file of data lines has no more to say.
    for node in tree.roots().take(500) {
        let name = tree.name(node, text);
        let block = !matches!(tree.node(node).body(), Body::None);
        match &*name {
            "events" | "http" | "stream" | "mail" if block => return Context::Main,
            "worker_processes" | "load_module" | "pid" | "user" | "worker_rlimit_nofile" if !block => {
                return Context::Main;
            }
            "server" if block => {
                return if is_stream_server(tree, node, text) { Context::Stream } else { Context::Http };
            }
            "upstream" if block => {
                least = Context::Http;
                decided = true;
            }
            "server" => return Context::Upstream,
            "location" if block => return Context::Server,
            "listen" | "server_name" if !decided => {
                least = Context::Server;
                decided = true;
            }
            "proxy_pass" | "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "grpc_pass" if !decided => {
                least = Context::Location;
                decided = true;
            }
            _ => {}
        }
    }
    least
}

/// Whether a container of the official image reads just these files beside the image's own, and each says all that holds
/// for it.
pub(super) fn stand_alone(files: &Files<'_>, around: &Surroundings, entries: &[FileId]) -> bool {
    // What one file says at its top holds for the servers of the others, too.
    let only_blocks = |id: FileId| {
        files.tree(id).is_some_and(|tree| {
            let Tree::Nginx(parsed) = &*tree else { return false };
            let text = files.sources.file(id).text();
            parsed.tree.roots().take(500).all(|node| {
                let role = nginx_names::name(&parsed.tree.name(node, text)).and_then(role);
                !matches!(role, Some(Role::Setting(_) | Role::Header(_))) && role != Some(Role::Word(Word::Include))
            })
        })
    };
    around.are_all_beside_own_main(entries)
        && entries.iter().all(|&id| context_of_file(files, id) == Context::Http)
        && (entries.len() == 1 || entries.iter().all(|&id| only_blocks(id)))
}

/// `proxy_pass` straight in a `server` is legal in stream only.
fn is_stream_server(tree: &NginxTree, server: NodeId, text: &str) -> bool {
    let mut passes = false;
    for node in tree.children(server) {
        match &*tree.name(node, text) {
            "location" | "server_name" | "root" | "return" => return false,
            "proxy_pass" => passes = true,
            _ => {}
        }
    }
    passes
}
