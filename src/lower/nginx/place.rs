//! Directives in blocks where nginx does not take them.

use super::block::Spelled;
use super::settings::Word;
use super::{Block, Context, Item, Lowering};
use crate::defaults::nginx_directives::{self as table, Contexts};
use crate::files::Tree;
use crate::source::Site;
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};

/// No reader wants more of them from one run.
const MOST: usize = 200;

impl Lowering<'_, '_> {
    /// Reports a directive that may not stand in this block.
    pub(super) fn check_place(&mut self, item: Item, name: Spelled<'_>, block: &Block) {
        let Some(known) = name.known else { return };
        let Some(here) = contexts(block.context, self.whole).filter(|&here| !known.contexts.intersects(here)) else {
            return;
        };
        // What stands at the top of a fragment is pasted elsewhere, nobody knows where.
        if block.partial || self.misplaced >= MOST {
            return;
        }
        let name = name.text;
        if table::third_party(name) || self.is_hole(item, 0) {
            return;
        }
        let Some((_, site)) = self.arg(item, 0) else { return };
        // A brace that is missing moves everything below it into another block.
        if self.is_broken(site) || block.site.is_some_and(|site| self.is_broken(site)) {
            return;
        }
        let all = known.contexts;
        let names: Vec<_> = all.names().map(|name| format!("`{name}`")).collect();
        let place = match block.context {
            Context::Main => "at the top of the main file".to_owned(),
            _ => here.names().next().map_or_else(String::new, |name| format!("in `{name}`")),
        };
        let help = if all.contains(Contexts::LOCATION) && here.contains(Contexts::SERVER) {
            format!("put it into a `location` of this server: `location / {{ {name} …; }}`")
        } else if name == "upstream" {
            "move the group out, beside the `server` blocks".to_owned()
        } else {
            format!("move it; it may stand in {}", names.join(", "))
        };
        let others = block.site.map(|site| (site, "this block does not take it".to_owned())).into_iter().collect();
        self.misplaced(
            site,
            format!("`{name}` may not stand {place}, so nginx does not start"),
            "not allowed here",
            others,
            help,
        );
    }

    /// `backup` below a balancing method that knows none. Above the method nginx takes it.
    pub(super) fn check_backups(&mut self, block: &Block) {
        let mut method: Option<(String, Site)> = None;
        let mut found = Vec::new();
        for &item in &block.items {
            match item.word {
                Word::Balancer => {
                    let Some((name, _)) = self.arg(item, 0) else { continue };
                    let name = name.into_owned();
                    method = self.site_of(item).map(|site| (name, site));
                }
                Word::Server => {
                    let Some((name, line)) = &method else { continue };
                    if !matches!(&**name, "ip_hash" | "hash" | "random") {
                        continue;
                    }
                    let backup = self.args(item).into_iter().skip(1).find(|(word, _)| word == "backup");
                    if let Some((_, site)) = backup {
                        found.push((site, name.clone(), *line));
                    }
                }
                _ => {}
            }
        }
        for (site, name, line) in found {
            // Of two lines in a template one may stand in a branch that the other does not.
            if self.is_template(site) || self.is_template(line) {
                continue;
            }
            self.misplaced(
                site,
                format!("`{name}` takes no `backup`, so nginx does not start"),
                "not with this balancing method",
                vec![(line, format!("`{name}` is chosen here"))],
                "leave `backup` out, or balance with `least_conn` or without a method".to_owned(),
            );
        }
    }

    fn misplaced(&mut self, site: Site, message: String, label: &str, others: Vec<(Site, String)>, help: String) {
        let mut fault = Fault::new(FaultKind::Misplaced, self.proxy, (site, label), message);
        fault.weight = FaultWeight::MayFail;
        fault.effect = Some(LoadEffect::Refused);
        fault.others = others;
        fault.help = Some(help);
        self.misplaced += 1;
        self.out.topology.load.faults.push(fault);
    }

    /// Whether a file has faults of syntax, so that its blocks may not be what they seem.
    pub(super) fn is_broken(&self, site: Site) -> bool {
        self.files
            .tree(site.span.file)
            .is_none_or(|tree| matches!(&*tree, Tree::Nginx(parsed) if parsed.template || !parsed.errors.is_empty()))
    }
}

/// What a block is in the table of directives. In a fragment a `server` may be one of http or of stream.
pub(super) const fn contexts(context: Context, whole: bool) -> Option<Contexts> {
    Some(match (context, whole) {
        (Context::Main, _) => Contexts::MAIN,
        (Context::Events, _) => Contexts::EVENTS,
        (Context::Http, true) => Contexts::HTTP,
        (Context::Server, true) => Contexts::SERVER,
        (Context::Location, _) => Contexts::LOCATION,
        (Context::IfInLocation, _) => Contexts::LOCATION_IF,
        (Context::IfInServer, _) => Contexts::SERVER_IF,
        (Context::LimitExcept, _) => Contexts::LIMIT_EXCEPT,
        (Context::Upstream, true) => Contexts::UPSTREAM,
        (Context::Stream, true) => Contexts::STREAM,
        (Context::StreamServer, true) => Contexts::STREAM_SERVER,
        (Context::StreamUpstream, true) => Contexts::STREAM_UPSTREAM,
        (Context::Server | Context::StreamServer, false) => Contexts::SERVER.union(Contexts::STREAM_SERVER),
        (Context::Upstream | Context::StreamUpstream, false) => Contexts::UPSTREAM.union(Contexts::STREAM_UPSTREAM),
        (Context::Http | Context::Stream, false) | (Context::Data | Context::Other, _) => return None,
    })
}
