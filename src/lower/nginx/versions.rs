//! Directives and parameters that not every release of nginx knows, or only its commercial edition.

use super::place::contexts;
use super::{Block, Context, Item, Lowering};
use crate::defaults::nginx_directives::{self as table, Contexts, Directive};
use crate::defaults::nginx_parameters::{self as parameters, Known};
use crate::lower::unavailable::Change;
use crate::source::Site;
use crate::value::Version;

impl Lowering<'_, '_> {
    /// Notes a directive that the release may lack.
    pub(super) fn check_available(&mut self, item: Item, name: &str, rows: &'static [Directive], block: &Block) {
        let here = match contexts(block.context, self.whole) {
            Some(here) => here,
            None if matches!(block.context, Context::Http | Context::Stream) => Contexts::HTTP | Contexts::STREAM,
            None => return,
        };
        let ever = rows.iter().any(|row| row.since.is_none() && row.until.is_none() && !row.commercial);
        // Most directives are as old as nginx.
        if (ever && rows.len() == 1 || rows.is_empty()) && !parameters::has_parameters(name) {
            return;
        }
        let listed = parameters::has_parameters(name);
        let fits = |row: &&Directive| row.contexts.intersects(here);
        let all = block.partial && !rows.iter().any(|row| fits(&row));
        let change = change_of(|| rows.iter().filter(move |row| all || fits(row)));
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
            self.check_parameters(item, name, here, site);
        }
    }

    fn check_parameters(&mut self, item: Item, name: &str, here: Contexts, site: Site) {
        let found: Vec<(String, Site, &parameters::Parameter)> = (1..)
            .map_while(|index| Some((index, self.arg(item, index)?)))
            .filter_map(|(index, (word, site))| {
                let row = parameters::parameter(name, here, &word).filter(|_| !self.is_hole(item, index))?;
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
