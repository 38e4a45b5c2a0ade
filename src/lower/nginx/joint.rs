//! Where the path of a location ends and that of its target begins.

use super::Lowering;
use super::hop::Pending;
use crate::source::{Site, clean};
use crate::topology::{Fault, FaultKind, FaultWeight, Matcher};

/// How many locations of a server are looked through for one that takes the requests in question.
const LOCATIONS: usize = 1000;

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
}
