//! From what a section says to the objects of the model.

use super::file::File;
use super::global::Global;
use super::profile::{Sharing, Slot};
use super::section::Section;
use crate::defaults::haproxy as built_in;
use crate::source::Site;
use crate::topology::{
    Hop, HopId, Known, Lately, Listener, Opening, Origin, Pool, Protocol, ProxyId, Reason, Retry, RetryOn, Reuse,
    Setting, Shared, Target, Timeouts, Topology, VirtualHost, VirtualHostId, Websockets, speaks_of_websockets,
};
use crate::value::Wait;
use std::time::Duration;

/// The virtual host of a frontend with its listeners.
pub(super) fn virtual_host(
    proxy: ProxyId,
    global: &Global,
    section: &mut Section,
    out: &mut Topology,
) -> VirtualHostId {
    let listeners = section
        .binds
        .iter_mut()
        .map(|(bind, _)| {
            out.listeners.push(Listener {
                proxy,
                site: bind.site,
                bind: bind.bind.clone(),
                tls: bind.tls,
                proxy_protocol: match (section.expects_proxy, section.may_expect_proxy) {
                    (true, _) => Known::Yes(true),
                    (false, true) if bind.accept_proxy != Known::Yes(true) => Known::Unknown(Reason::Variable),
                    _ => bind.accept_proxy,
                },
                refuses_unknown_names: bind.strict_sni,
                idle: section.profile.idle(&section.extent),
                client: Some(section.profile.timeout(
                    &section.profile.client,
                    &built_in::TIMEOUT_CLIENT,
                    &section.extent,
                )),
                virtual_hosts: Vec::new(),
                tls_versions: Setting::unknown(Reason::OutsideRepository, bind.site, "ssl-min-ver"),
                ciphers: None,
                speaks_http: Known::Unknown(Reason::OutsideRepository),
                // It is recognised by its first bytes.
                http2: Known::Yes(true),
                only_http2: bind.only_http2.map(|site| (site, None)),
            })
        })
        .collect::<Vec<_>>();
    let host = out.virtual_hosts.push(VirtualHost {
        proxy,
        site: section.extent.header,
        names: Vec::new(),
        listeners: listeners.clone(),
        routes: Vec::new(),
        wants_certificate: None,
        clients: clients(section),
        // One buffer for the whole header, less what is kept back.
        request_header: section.is_http().then(|| Shared::from(global.header(section.extent.header))),
    });
    for listener in listeners {
        out.listeners[listener].virtual_hosts.push(host);
    }
    host
}

/// How many clients a frontend takes, where that is written.
fn clients(section: &Section) -> Option<Box<Setting<u64>>> {
    let Slot::Set(value, site) = &section.profile.maxconn else { return None };
    Some(Box::new(Setting { value: *value, origin: section.extent.origin(*site), spelling: "maxconn" }))
}

/// The pool and the hop of a backend.
pub(super) fn hop(file: &mut File<'_>, section: &mut Section, out: &mut Topology) -> HopId {
    let proxy = file.facts.proxy;
    let http = section.is_http();
    let timeouts = timeouts(section, &mut file.lately.waits);
    let reuse = reuse(section, http, &mut file.lately.waits);
    let retry = retry(section, http, &mut file.lately.waits);
    let retry = file.lately.retry.share(retry);
    let buffers = file.lately.buffers.share(file.global.buffers(http, section.extent.header));
    let protocol = protocol(section, http);
    let profile = &section.profile;
    let header = section.extent.header;
    let balance = match (&profile.balance, profile.beyond) {
        (Slot::Set(value, _), _) => *value,
        (Slot::Nothing, Some(reason)) => Known::Unknown(reason),
        _ => Known::Yes(crate::topology::Balance::Any),
    };
    // `http-check` rules act only where `option httpchk` asks for such checks.
    let (mut check_rules, rules) =
        (std::mem::take(&mut section.check_rules), std::mem::take(&mut section.http_check_rules));
    let asked = match (&profile.http_check, profile.beyond) {
        (Slot::Set(Known::Yes(asked), _), _) => *asked,
        (Slot::Nothing, None) => false,
        // Not to be known: nobody is accused of rules that do nothing.
        _ => true,
    };
    if let Slot::Set(Known::Yes(true), site) = &profile.http_check
        && !section.extent.holds(*site)
    {
        check_rules.push(*site);
    }
    let ignored_check_rules = if asked {
        check_rules.extend(rules);
        Vec::new()
    } else {
        rules
    };
    let pool = out.pools.push(Pool {
        proxy,
        site: header,
        name_site: section.name_site,
        name: section.name.clone(),
        members: Vec::new(),
        open_ended: section.open_ended,
        balance,
        sticky: section.sticky,
        persists_when_down: profile.persist,
        disabled: profile.disabled,
        answers_itself: section.answers_itself,
        check_rules,
        ignored_check_rules,
        used: false,
        refuses_empty: false,
        backup_alone_works: true,
        counts_together: true,
    });
    out.pools[pool].members.reserve_exact(section.servers.len());
    // With the room that they took.
    for server in std::mem::take(&mut section.servers) {
        let mut endpoint = server.endpoint;
        endpoint.check.own_port |= section.profile.check_port;
        endpoint.check.asks_port =
            endpoint.check.asks_port.filter(|_| !section.profile.check_port && !section.connects);
        endpoint.pool = Some(pool);
        // Where nobody reads the answers, nobody counts them.
        endpoint.passive = endpoint.passive.filter(|passive| http || !passive.counts_answers);
        let id = out.endpoints.push(endpoint);
        out.pools[pool].members.push(id);
    }
    out.hops.push(Hop {
        proxy,
        site: header,
        target_site: header,
        target: Target::Pool(pool),
        protocol,
        timeouts,
        retry,
        buffers,
        reuse,
        tls: None,
        host_sent: section.host_sent.clone(),
        path_kept: section.path_kept,
        routes: Vec::new(),
        lost_headers: None,
        sends_proxy: Known::Unknown(Reason::OutsideRepository),
        unheard: false,
        websockets: speaks_of_websockets(&section.name)
            .filter(|_| http)
            .map(|sure| Box::new(websockets(sure, section.name_site))),
    })
}

/// HAProxy passes the request that opens a websocket on by itself.
pub(super) const fn websockets(sure: bool, shown_by: Site) -> Websockets {
    Websockets { shown_by, sure, opening: Known::Yes(Opening::Passed) }
}

fn protocol(section: &Section, http: bool) -> Protocol {
    let all_speak = |word: &str| {
        !section.servers.is_empty()
            && section.servers.iter().all(|s| s.options.proto.as_ref().is_some_and(|(proto, _)| &**proto == word))
    };
    if !http {
        Protocol::Tcp
    } else if section.fastcgi || all_speak("fcgi") {
        Protocol::Fastcgi
    } else if all_speak("h2") {
        Protocol::Http2
    } else {
        Protocol::Http
    }
}

fn timeouts(section: &Section, lately: &mut Lately<Setting<Wait>>) -> Timeouts {
    let (profile, extent) = (&section.profile, &section.extent);
    let connect = profile.timeout(&profile.connect, &built_in::TIMEOUT_CONNECT, extent);
    let server = profile.timeout(&profile.server, &built_in::TIMEOUT_SERVER, extent);
    let queue = section.servers.iter().any(|server| server.options.has_maxconn).then(|| match &profile.queue {
        Slot::Set(..) => profile.timeout(&profile.queue, &built_in::TIMEOUT_QUEUE, extent),
        Slot::Nothing if profile.beyond.is_some() => profile.timeout(&profile.queue, &built_in::TIMEOUT_QUEUE, extent),
        // Unset, it is that of the connection.
        _ => Setting {
            value: connect.value,
            origin: Origin::Default(&built_in::TIMEOUT_QUEUE),
            spelling: built_in::TIMEOUT_QUEUE.setting,
        },
    });
    let tunnel = match (&profile.tunnel, profile.beyond) {
        (Slot::Set(..), _) | (Slot::Nothing, Some(_)) => {
            Some(profile.timeout(&profile.tunnel, &built_in::TIMEOUT_TUNNEL, extent))
        }
        _ => None,
    };
    let client = section.listens().then(|| profile.timeout(&profile.client, &built_in::TIMEOUT_CLIENT, extent));
    let [queue, tunnel, client] = [queue, tunnel, client].map(|setting| setting.map(Box::new));
    Timeouts { connect: lately.share(connect), send: lately.share(server.clone()), read: server, queue, tunnel, client }
}

fn retry(section: &Section, http: bool, lately: &mut Lately<Setting<Wait>>) -> Retry {
    let (profile, extent) = (&section.profile, &section.extent);
    let connect_only = RetryOn { connect: true, ..RetryOn::default() };
    // In a TCP proxy `retry-on` is accepted and does nothing.
    let on = if http {
        profile.setting(&profile.retry_on, connect_only, &built_in::RETRY_ON, extent)
    } else {
        Setting::default(connect_only, &built_in::RETRY_ON)
    };
    let tries = profile.setting(&profile.retries, 3, &built_in::RETRIES, extent);
    let tries = Setting {
        value: match tries.value {
            Known::Yes(tries) => Known::Yes(Some(tries)),
            Known::Unknown(reason) => Known::Unknown(reason),
        },
        origin: tries.origin,
        spelling: tries.spelling,
    };
    Retry {
        on,
        tries,
        elsewhere: profile.setting(&profile.redispatch, false, &built_in::REDISPATCH, extent),
        window: lately.share(Setting::default(Wait::Forever, &built_in::RETRY_WINDOW)),
        body_kept: Setting::default(true, &built_in::BODY_KEPT),
        counts_answers: Known::Yes(false),
    }
}

fn reuse(section: &Section, http: bool, lately: &mut Lately<Setting<Wait>>) -> Reuse {
    let (profile, extent) = (&section.profile, &section.extent);
    let default_delay = Wait::For(Duration::from_secs(5));
    let delay = section.servers.iter().find_map(|server| server.options.purge_delay.as_ref());
    let idle = match delay.or(profile.servers.purge_delay.as_ref()) {
        Some((value, site)) => {
            Setting { value: *value, origin: extent.origin(*site), spelling: built_in::POOL_PURGE_DELAY.setting }
        }
        None => profile.setting(&Slot::Nothing, default_delay, &built_in::POOL_PURGE_DELAY, extent),
    };
    let idle = lately.share(idle);
    if !http {
        let kept = match &profile.http {
            Slot::Set(_, site) => Setting { value: Known::Yes(false), origin: extent.origin(*site), spelling: "mode" },
            _ => Setting::default(false, &built_in::MODE),
        };
        return Reuse { kept, idle, race_hidden: Known::Yes(false), shared: false, lost: None };
    }
    let all_off = !section.servers.is_empty() && section.servers.iter().all(|s| s.options.pool_off.is_some());
    let pool_off = section.servers.first().and_then(|server| server.options.pool_off).filter(|_| all_off);
    let kept = match (&profile.closes, pool_off, &profile.sharing) {
        (Slot::Set(closes, site), _, _) if *closes != Known::Yes(false) => Setting {
            value: match closes {
                Known::Yes(closes) => Known::Yes(!closes),
                Known::Unknown(reason) => Known::Unknown(*reason),
            },
            origin: extent.origin(*site),
            spelling: "option http-server-close",
        },
        (_, Some(site), _) => {
            Setting { value: Known::Yes(false), origin: extent.origin(site), spelling: "pool-max-conn" }
        }
        (_, _, Slot::Set(_, site)) => {
            Setting { value: Known::Yes(true), origin: extent.origin(*site), spelling: built_in::HTTP_REUSE.setting }
        }
        _ => profile.setting(&Slot::Nothing, true, &built_in::HTTP_REUSE, extent),
    };
    let race_hidden = match (&profile.retry_on, profile.beyond) {
        (Slot::Set(Known::Yes(on), _), _) => Known::Yes(on.empty),
        (Slot::Set(Known::Unknown(reason), _), _) => Known::Unknown(*reason),
        (Slot::Nothing, Some(reason)) => Known::Unknown(reason),
        _ => Known::Yes(false),
    };
    Reuse { kept, idle, race_hidden, shared: profile.sharing.known() == Some(&Sharing::Shared), lost: None }
}
