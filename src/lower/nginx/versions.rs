//! Directives and parameters that not every release of nginx knows, or only its commercial edition.

use super::block::Spelled;
use super::place::contexts;
use super::{Block, Context, Item, Lowering};
use crate::defaults::nginx as built_in;
use crate::defaults::nginx_directives::{self as table, Contexts, Directive};
use crate::defaults::nginx_names::Name;
use crate::defaults::nginx_parameters::{self as parameters, Known};
use crate::lower::unavailable::Change;
use crate::source::Site;
use crate::topology::TlsVersions;
use crate::value::{DefaultRef, Version, Versions};

/// What releases of nginx do without a word, as far as it changed: asked for at every server and location.
pub(super) struct ByItself {
    /// Whether connections to groups are kept, and HTTP/1.1 is spoken; `None`: the versions differ.
    pub keeps: Option<bool>,
    pub http_1_1: Option<bool>,
    /// The versions of TLS that clients may speak.
    pub protocols: &'static DefaultRef,
    pub tls: Option<TlsVersions>,
}

impl ByItself {
    pub fn of(versions: &Versions) -> Self {
        let since = |default: &DefaultRef| versions.reach(default.since.and_then(Version::parse)?.0);
        let protocols = in_versions(&built_in::SSL_PROTOCOLS, versions);
        Self {
            keeps: since(&built_in::UPSTREAM_KEEPALIVE),
            http_1_1: since(&built_in::PROXY_HTTP_VERSION),
            protocols,
            tls: protocols.value.split(' ').try_fold(TlsVersions::default(), TlsVersions::with),
        }
    }
}

impl Lowering<'_, '_> {
    /// Notes a directive that the release may lack.
    pub(super) fn check_available(&mut self, item: Item, name: Spelled<'_>, block: &Block) {
        let Some(known) = name.known else { return };
        let listed = !known.parameters.is_empty();
        // Most directives are older than any release in question.
        let complete = known.complete_since.is_some_and(|since| self.unavailable.versions.reach(since) == Some(true));
        if complete && !listed {
            return;
        }
        let (name, rows) = (name.text, known.rows);
        let here = match contexts(block.context, self.whole) {
            Some(here) => here,
            None if matches!(block.context, Context::Http | Context::Stream) => Contexts::HTTP | Contexts::STREAM,
            None => return,
        };
        let ever = rows.iter().any(|row| row.since.is_none() && row.until.is_none() && !row.commercial);
        let fits = |row: &&Directive| row.contexts.intersects(here);
        let all = block.partial && !rows.iter().any(|row| fits(&row));
        let change = (!complete).then(|| change_of(|| rows.iter().filter(move |row| all || fits(row)))).flatten();
        if change.is_none() && !listed {
            return;
        }
        let Some((_, site)) = self.arg(item, 0) else { return };
        // In a template a condition on the version may stand around it.
        if let Some(change) = change {
            if self.is_hole(item, 0) || self.is_broken(site) || self.is_foreign(item, name) {
                return;
            }
            let what = match here.names().next().map(|place| place.split_once(' ').unwrap_or((place, ""))) {
                Some((place, "")) if ever => format!("`{name}` in `{place}`"),
                Some((place, whose)) if ever => format!("`{name}` in `{place}` {whose}"),
                _ => format!("`{name}`"),
            };
            if self.unavailable.note(&what, site, change, parameters::instead(name)) {
                return;
            }
        }
        if listed {
            self.check_parameters(item, known, here, site);
        }
    }

    fn check_parameters(&mut self, item: Item, known: &'static Name, here: Contexts, site: Site) {
        let name = known.text();
        let found: Vec<(String, Site, &parameters::Parameter)> = (1..)
            .zip(self.args_of(item))
            .filter_map(|(index, (word, site))| {
                let row =
                    parameters::parameter(known.parameters, here, &word).filter(|_| !self.is_hole(item, index))?;
                let shown = match word.split_once('=') {
                    Some((start, _)) => format!("`{start}=` on a `{name}` line"),
                    None if word.contains('$') => format!("a variable in `{name}`"),
                    None => format!("`{word}` on a `{name}` line"),
                };
                Some((shown, site, row))
            })
            .collect();
        if found.is_empty() || self.is_hole(item, 0) || self.is_broken(site) || self.is_foreign(item, name) {
            return;
        }
        for (what, site, row) in found {
            let change = match row.known {
                Known::Since(since, false) => Change::Since(since),
                Known::Since(since, true) => Change::Opened(since),
                Known::Until(gone) => Change::Gone(gone),
                Known::Commercial => Change::Commercial,
            };
            let _ = self.unavailable.note(&what, site, change, Some(row.instead));
        }
    }

    /// Whether a module that nginx does not ship may have brought this use of the name.
    fn is_foreign(&self, item: Item, name: &str) -> bool {
        match name {
            // nginx-sticky-module: `sticky;`, `sticky name=route;`
            "sticky" => !self.arg(item, 1).is_some_and(|(word, _)| matches!(&*word, "cookie" | "route" | "learn")),
            // Modules of these names exist; what people write is nearly always that of the commercial edition.
            "health_check" | "queue" => false,
            _ => table::third_party(name),
        }
    }
}

/// The built-in value for the versions in question.
pub(super) fn in_versions(newest: &'static DefaultRef, versions: &Versions) -> &'static DefaultRef {
    if newest.since.is_none() {
        return newest;
    }
    built_in::default_in(newest.manual, versions).unwrap_or(newest)
}

/// What makes that a release may lack all of these; `None`: each has one of them.
fn change_of<'d, I: Iterator<Item = &'d Directive>>(rows: impl Fn() -> I) -> Option<Change> {
    let open = || rows().filter(|row| !row.commercial);
    if open().next().is_none() {
        return rows().next().map(|_| Change::Commercial);
    }
    if open().any(|row| row.since.is_none() && row.until.is_none()) {
        return None;
    }
    let oldest = open().filter(|row| row.until.is_none()).min_by_key(|row| row.since);
    match oldest.and_then(|row| Some((row.since?, row.opened))) {
        Some((since, true)) => Some(Change::Opened(since)),
        Some((since, false)) => Some(Change::Since(since)),
        None => open().filter_map(|row| row.until).max().map(|last| Change::Gone(after(last))),
    }
}

/// The release after the last one that had it: lines with an even number get repairs only.
const fn after(last: Version) -> Version {
    if last.1.is_multiple_of(2) { Version(last.0, last.1 + 1, 0) } else { Version(last.0, last.1, last.2 + 1) }
}
