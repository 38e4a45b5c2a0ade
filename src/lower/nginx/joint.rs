//! Where the path of a location ends and that of its target begins.

use super::Lowering;
use super::block::Locations;
use super::hop::Pending;
use crate::source::{Site, clean};
use crate::topology::{Fault, FaultKind, FaultWeight, Matcher};

/// How many locations of a server are looked through for one that takes the requests in question.
const LOCATIONS: usize = 200;

impl Lowering<'_, '_> {
    /// Notes a target whose path does not fit to that of its location: nginx puts the one in the place of the other,
    /// letter by letter.
    pub(super) fn check_joint(&mut self, pending: &Pending, uri: &str, site: Site) {
        let route = &self.out.topology.routes[pending.route];
        let Matcher::Prefix(prefix) = &route.matcher else { return };
        if uri.is_empty() || uri.contains(['?', '#']) || pending.rewrites || self.is_template(site) {
            return;
        }
        let word = |text: &str| {
            let last = text.rsplit('/').next().unwrap_or("");
            // A name with a dot is a file, and nothing comes behind it.
            !last.contains('.') && last.ends_with(|c: char| c.is_ascii_alphanumeric())
        };
        let ends = (prefix.ends_with('/'), uri.ends_with('/'));
        let (asked, weight) = match ends {
            (false, true) if word(prefix) => (format!("{prefix}/users"), FaultWeight::Remark),
            (true, false) if word(uri) => (format!("{prefix}users"), FaultWeight::MayFail),
            _ => return,
        };
        let rest = asked.strip_prefix(&**prefix).unwrap_or("");
        let sent = format!("{uri}{rest}");
        // `location /api/` beside `location /api` takes whatever has a slash.
        if !ends.0 {
            let longer = |matcher: &Matcher| matches!(matcher, Matcher::Prefix(other) if other.strip_prefix(&**prefix) == Some("/"));
            let routes = route.virtual_host.map(|host| &self.out.topology.virtual_hosts[host].routes);
            let Some(routes) = routes.filter(|routes| routes.len() <= LOCATIONS) else { return };
            if routes.iter().any(|&route| longer(&self.out.topology.routes[route].matcher)) {
                return;
            }
        }
        let cut = |text: &str| clean(text).chars().take(80).collect::<String>();
        let help = match ends.0 {
            false => format!("write `location {}/`, or leave the path out of `proxy_pass`", cut(prefix)),
            true => format!("end the target in a slash: `{}/`", cut(uri)),
        };
        self.out.topology.load.faults.push(
            Fault::new(
                FaultKind::ShadowedRoute,
                self.proxy,
                (site, format!("`{}` takes the place of `{}`", cut(uri), cut(prefix))),
                format!("`{}` is passed on as `{}`", cut(&asked), cut(&sent)),
            )
            .other(pending.site, "the location's path")
            .help(help)
            .weight(weight, true),
        );
    }

    /// Notes a location with the pattern of an earlier one: nginx takes the first pattern that fits.
    pub(super) fn same_pattern(&mut self, pattern: Box<str>, site: Site, seen: &mut Locations) {
        // No path begins like this: a modifier and a blank stand before the pattern.
        let first = *seen.entry((false, pattern)).or_insert(site);
        // A file that is included twice says the same twice.
        if first.span == site.span || self.is_template(site) || self.is_template(first) {
            return;
        }
        self.out.topology.load.faults.push(
            Fault::new(
                FaultKind::ShadowedRoute,
                self.proxy,
                (site, "never reached"),
                "this location never gets a request: another one above has the same pattern",
            )
            .other(first, "takes them all")
            .why("nginx tries the patterns of a server from top to bottom and takes the first that fits")
            .help("put both into one location, or take one away")
            .weight(FaultWeight::MayFail, true),
        );
    }
}
