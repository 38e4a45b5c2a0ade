//! Targets without variables: a group, an address, or something that nginx refuses.

use super::Lowering;
use super::hop::Pending;
use super::settings::Family;
use super::upstream::no_active_check;
use super::values::{self, Place};
use crate::defaults::nginx as built_in;
use crate::edit::Applicability;
use crate::source::{Site, clean};
use crate::topology::{Endpoint, Known, LoadEffect, Lookup, MalformedTarget, Port, Reason, Setting, Target};
use crate::value::{Address, Host};

/// A target, cut.
pub(super) struct Aim<'t> {
    pub tls: bool,
    pub rest: &'t str,
}

impl Lowering<'_, '_> {
    /// Takes the scheme off a target without variables.
    pub(super) fn aim<'t>(&mut self, pending: &Pending, text: &'t str, site: Site) -> Option<Aim<'t>> {
        let strip = |scheme| values::strip_prefix_ignore_case(text, scheme);
        let plain = |rest| Some(Aim { tls: false, rest });
        let secure = |rest| Some(Aim { tls: true, rest });
        match pending.family {
            Family::Proxy => {
                if let Some(rest) = strip("http://") {
                    return plain(rest);
                }
                if let Some(rest) = strip("https://") {
                    return secure(rest);
                }
                let help = match text.split_once("://") {
                    Some((_, rest)) => format!("write `http://{0}` or `https://{0}`", clean(rest)),
                    None => format!("write `http://{}`", clean(text)),
                };
                self.malformed(
                    site,
                    format!("`{}` does not begin with `http://` or `https://`", clean(text)),
                    "the scheme is missing",
                    "nginx refuses the file: invalid URL prefix",
                    Some(help),
                    LoadEffect::Refused,
                );
                let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
                // On the port of HTTPS either scheme may be meant; so it may behind another one.
                let secure = values::url(rest)
                    .is_ok_and(|url| matches!(url.place, Place::Net { port: Some(443 | 8443 | 6443 | 9443), .. }));
                let sure = scheme.is_empty() && values::url(rest).is_ok();
                if !secure {
                    let applicability = if sure { Applicability::Safe } else { Applicability::Unsafe };
                    self.mend_target(applicability, site, text, format!("http://{rest}"));
                }
                None
            }
            Family::Grpc => match (strip("grpc://"), strip("grpcs://")) {
                (Some(rest), _) => plain(rest),
                (_, Some(rest)) => secure(rest),
                _ => plain(text),
            },
            Family::Uwsgi => match (strip("uwsgi://"), strip("suwsgi://")) {
                (Some(rest), _) => plain(rest),
                (_, Some(rest)) => secure(rest),
                _ => plain(text),
            },
            _ => plain(text),
        }
    }

    /// A target without variables: a group, an address, or something nginx refuses. Also: is the path kept?
    pub(super) fn literal(&mut self, pending: &Pending, aim: &Aim<'_>, text: &str, site: Site) -> (Target, bool) {
        let family = pending.family;
        let http = family == Family::Proxy;
        let directive = match family {
            Family::Fastcgi => "`fastcgi_pass`",
            Family::Uwsgi => "`uwsgi_pass`",
            Family::Scgi => "`scgi_pass`",
            Family::Memcached => "`memcached_pass`",
            Family::Grpc => "`grpc_pass`",
            Family::Stream => "`proxy_pass` in `stream`",
            Family::Proxy => "`proxy_pass`",
        };
        let refused = (Target::Unknown(Reason::Malformed), false);
        let cut = values::url(aim.rest);
        if !http || cut.is_err() {
            // A name alone may be a group: only an address needs a port.
            let name = aim.rest.split(['/', '?', ':']).next().unwrap_or_default().to_ascii_lowercase();
            let group = self.pools.contains_key(&(family == Family::Stream, name));
            let no_default = !matches!(family, Family::Grpc | Family::Proxy);
            let port_needed = no_default && !group && (self.whole || self.alone);
            let takes_scheme = matches!(family, Family::Proxy | Family::Uwsgi | Family::Grpc);
            let checked = if takes_scheme { aim.rest } else { text };
            if self.check_address(checked, site, directive, family, port_needed) {
                return refused;
            }
        }
        let Ok(url) = cut else { return refused };
        let slash_kept = |uri: &str| uri.is_empty() || pending.prefix.as_deref() == Some(uri);
        if http
            && !url.uri.is_empty()
            && let Some(restriction) = pending.restriction
        {
            let bare = text.strip_suffix(url.uri).unwrap_or(text);
            self.malformed(
                    site,
                    format!("`proxy_pass` {restriction} may not have a path: `{}`", clean(url.uri)),
                    "the path begins after the host and port",
                    "nginx refuses the file: \"proxy_pass\" cannot have URI part here, because it would not know what to replace",
                    Some(format!("write `proxy_pass {};`, and change the path with `rewrite` where that is needed", clean(bare))),
                    LoadEffect::Refused,
                );
            if url.uri == "/" {
                self.mend_target(Applicability::Unsafe, site, text, bare.to_owned());
            }
            return refused;
        }
        if http {
            self.check_joint(pending, url.uri, site);
        }
        match url.place {
            Place::Socket(path) => {
                if let Some(end) = path.find(".sock/").filter(|_| http) {
                    let (socket, rest) = path.split_at(end + 5);
                    self.malformed(
                        site,
                        format!("the path of the socket goes on to `{}`: the colon before the request path is missing", clean(rest)),
                        "all of this is taken for the socket's path",
                        "nginx looks for a socket below the socket; every request fails: connect() failed (20: Not a directory)",
                        Some(format!("write `http://unix:{}:{}`", clean(socket), clean(rest))),
                        LoadEffect::Status(502),
                    );
                    let mended = text.replacen(".sock/", ".sock:/", 1);
                    self.mend_target(Applicability::Safe, site, text, mended);
                }
                let address = Known::Yes(Address::Socket(path.into()));
                (self.single(pending, address, Known::Yes(Port::None), site), slash_kept(url.uri))
            }
            Place::Net { host, port } => {
                let key = (family == Family::Stream, host.to_ascii_lowercase());
                // `upstream app:8080` is a group whose name has a colon; `app:8080` elsewhere does not mean it.
                if let Some(declared) = self.pools.get(&key) {
                    let (pool, group_site, group_file) = (declared.pool, declared.site, declared.file);
                    if let Some(port) = port {
                        if self.whole || group_file == site.span.file {
                            self.named_group_with_port(host, port, text, site, group_site);
                            return refused;
                        }
                        return (Target::Unknown(Reason::OutsideRepository), slash_kept(url.uri));
                    }
                    return (Target::Pool(pool), slash_kept(url.uri));
                }
                let port = match port {
                    Some(port) => Known::Yes(Port::Written(port)),
                    None => match family {
                        Family::Proxy | Family::Grpc => {
                            let default = if aim.tls { &built_in::HTTPS_PORT } else { &built_in::HTTP_PORT };
                            default
                                .value
                                .parse()
                                .map_or(Known::Unknown(Reason::Malformed), |n| Known::Yes(Port::OfScheme(n)))
                        }
                        _ => Known::Unknown(Reason::OutsideRepository),
                    },
                };
                let bare_name = host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[');
                if bare_name && !self.whole && !self.alone && !matches!(port, Known::Yes(Port::Written(_))) {
                    // In a fragment a name without a port is a group elsewhere as likely as a host.
                    return (Target::Unknown(Reason::OutsideRepository), slash_kept(url.uri));
                }
                let address = Known::Yes(Address::Net(Host::parse(host)));
                (self.single(pending, address, port, site), slash_kept(url.uri))
            }
        }
    }

    fn named_group_with_port(&mut self, host: &str, port: u16, text: &str, site: Site, group: Site) {
        let fixed = text.replacen(&format!(":{port}"), "", 1);
        self.out.topology.load.malformed.push(MalformedTarget {
            fix: None,
            proxy: self.proxy,
            site,
            message: format!("`{}` is an upstream group, and a group may not have a port", clean(host)),
            label: format!("port {port} stands here"),
            other: Some((group, "the group is defined here; its `server` lines have the ports".into())),
            why: "nginx refuses the file: upstream may not have port",
            help: Some(format!("write `{}`", clean(&fixed))),
            effect: LoadEffect::Refused,
        });
        self.mend_target(Applicability::Unsafe, site, text, fixed);
    }

    /// A target that is one address.
    fn single(&mut self, pending: &Pending, address: Known<Address>, port: Known<Port>, site: Site) -> Target {
        self.own_name(&address, &port, site);
        let lookup = match &address {
            Known::Yes(Address::Net(Host::Name(_))) => Lookup::AtStart,
            _ => Lookup::NotNeeded,
        };
        Target::Endpoint(self.out.topology.endpoints.push(Endpoint {
            proxy: self.proxy,
            pool: None,
            site: self.site_of(pending.target).unwrap_or(site),
            address_site: site,
            name: None,
            address,
            port,
            lookup,
            backup: false,
            down: None,
            weight: Setting::default(1, &built_in::SERVER_WEIGHT),
            refuses_over: None,
            takes: None,
            check: no_active_check(),
            passive: None,
            tls: None,
            send_proxy: None,
            leads_to: None,
        }))
    }
}
