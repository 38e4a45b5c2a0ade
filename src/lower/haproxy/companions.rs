//! Settings that HAProxy refuses without another one.

use super::bind::Bind;
use super::failing::append;
use super::file::File;
use super::options::ServerOptions;
use super::section::Section;
use super::server::Server;
use super::text::Statement;
use crate::source::Site;
use crate::syntax::haproxy::{SectionId, SectionKeyword};
use crate::topology::{Fault, FaultKind, FaultWeight, Known, LoadEffect, ProxyId};
use std::collections::HashMap;

const KIND: FaultKind = FaultKind::MissingCompanion;

/// Notes what the lines of one server lack.
pub(super) fn server(file: &File<'_>, section: &mut Section, server: &Server) {
    let (options, endpoint) = (&server.options, &server.endpoint);
    if file.facts.conditional || options.filled_in.is_some() || section.profile.beyond.is_some() {
        return;
    }
    let proxy = file.facts.proxy;
    let ssl = options.ssl.as_ref().filter(|(on, _)| *on).map(|(_, site)| *site);
    if let Some(asked) = ssl.or(options.check_ssl) {
        let verifies = match &options.verify {
            Some((on, _)) => *on,
            None => file.global.verify(section.extent.header).value == Known::Yes(true),
        };
        if verifies && !options.ca_file {
            let mut fault = Fault::new(
                KIND,
                proxy,
                (endpoint.site, "TLS, without a `ca-file` to check the certificate with"),
                "HAProxy does not start: this server is to speak TLS, and nothing says whose certificates are trusted",
            )
            .help(
                "write `ca-file @system-ca` (2.6 and later) or the file of your own authority; `verify none` only where \
                 the network is trusted",
            )
            .fix(append("trust the authorities of the system", endpoint.site, "ca-file @system-ca"));
            if section.extent.holds(asked) && asked != endpoint.site {
                fault = fault.other(asked, "TLS is asked for here");
            }
            section.faults.push(fault);
        }
    }
    if let Some((true, site)) = options.agent_check
        && !options.agent_port
    {
        section.faults.push(
            Fault::new(
                KIND,
                proxy,
                (endpoint.site, "no `agent-port`"),
                "HAProxy does not start: an agent is to be asked, and `agent-port` is missing",
            )
            .other(site, "the agent is asked for here")
            .why("the agent listens on a port of its own, and `agent-check` has no default for it")
            .help("write `agent-port NUMBER`, or remove `agent-check`"),
        );
    }
    if let (Some((true, check)), Some((_, track))) = (&options.check, &options.track) {
        section.faults.push(
            Fault::new(
                KIND,
                proxy,
                (*track, "follows another server"),
                "HAProxy does not start: a server cannot be checked and follow another one's state at the same time",
            )
            .other(*check, "has a check of its own")
            .why("`check` and `track` exclude each other")
            .help("remove one of the two; `no-check` undoes a `check` of `default-server`"),
        );
    }
}

/// The servers of a section whose state nobody finds out.
pub(super) fn silent(section: &Section) -> HashMap<Box<str>, Site> {
    let silent = |options: &ServerOptions| {
        let on = |at: &Option<(bool, _)>| at.as_ref().is_some_and(|(on, _)| *on);
        !on(&options.check) && !on(&options.agent_check) && options.track.is_none() && options.filled_in.is_none()
    };
    let servers = section.servers.iter().filter(|server| silent(&server.options));
    servers.filter_map(|server| Some((server.name.as_ref()?.0.clone(), server.endpoint.site))).collect()
}

/// Notes servers that follow one of the same section whose state nobody finds out.
pub(super) fn tracked(file: &File<'_>, section: &mut Section) {
    if section.tracked.is_empty() || section.profile.beyond.is_some() || section.open_ended {
        return;
    }
    let unchecked = silent(section);
    let mut faults = Vec::new();
    for (name, site) in &section.tracked {
        let own = match name.split_once('/') {
            Some((pool, server)) if *pool == *section.name => server,
            Some(_) => continue,
            None => name,
        };
        if let Some(&target) = unchecked.get(own) {
            faults.push(follows_nobody(file.facts.proxy, *site, target));
        }
    }
    section.faults.extend(faults);
}

/// A server that follows one that is not checked.
pub(super) fn follows_nobody(proxy: ProxyId, site: Site, target: Site) -> Fault {
    Fault::new(
        KIND,
        proxy,
        (site, "follows a server that is not checked"),
        "HAProxy does not start: the server that is followed has no check of its own",
    )
    .other(target, "write `check` here")
    .why("`track` copies the result of another server's check; where there is none, HAProxy refuses it")
    .help("write `check` on the server that is followed")
    .fix(append("check that server", target, "check"))
}

/// Notes a `bind` line with TLS and without a certificate.
pub(super) fn certificate(file: &File<'_>, section: &mut Section, statement: &Statement<'_>, binds: &[Bind]) {
    if file.facts.conditional || file.certificates_apart || !binds.iter().any(|bind| bind.bare_tls) {
        return;
    }
    section.faults.push(
        Fault::new(
            KIND,
            file.facts.proxy,
            (statement.site, "TLS, without a certificate"),
            "HAProxy does not start: TLS is to be spoken here, and the line names no certificate",
        )
        .why("`haproxy -c` says: no SSL certificate specified for bind")
        .help("write `crt /path/to/file.pem`, or a folder of such files; `crt-list` for many"),
    );
}

/// An address behind the name of a section: HAProxy has refused it since 1.6 (measured on 2.6.12: "please use the 'bind'
/// keyword for listening addresses").
fn address_in_header(file: &mut File<'_>, id: SectionId, section: &Section) {
    let listens = matches!(section.keyword, SectionKeyword::Frontend | SectionKeyword::Listen);
    if file.template || !listens || section.condition.is_some() {
        return;
    }
    let (source, tree) = (file.source, file.tree);
    let Some(word) = tree.words(tree.section(id).header).get(2) else { return };
    let word = source.arg(tree, word);
    if &*word.text == "from" || word.live.is_some() {
        return;
    }
    let text = crate::source::clean(&word.text).into_owned();
    let help = Some(format!("write `bind {text}` on a line of its own below it"));
    file.facts.refused(word.site, "an address may not stand behind the name of a section".to_owned(), "not here", help);
}

/// Notes a frontend that nobody can connect to.
pub(super) fn bind(file: &mut File<'_>, id: SectionId, section: &Section) {
    address_in_header(file, id, section);
    let unsure = file.template || file.misspelt.contains(&id) || section.condition.is_some();
    if unsure || section.keyword != SectionKeyword::Frontend || section.profile.disabled.is_some() {
        return;
    }
    let (source, tree) = (file.source, file.tree);
    let words = |line| {
        let words = tree.words(line);
        let word = |at: usize| words.get(at).map(|word| source.arg(tree, word).text);
        (word(0).unwrap_or_default(), word(1).unwrap_or_default())
    };
    // Old files have the address in the header; another word says that it was meant there.
    let header = tree.words(tree.section(id).header).get(2).map(|word| source.arg(tree, word).text);
    let elsewhere = header.is_some_and(|word| word != "from");
    if elsewhere || tree.lines_of(id).any(|(line, _)| words(line).0 == "bind") {
        return;
    }
    let listens = |id| {
        tree.lines_of(id).any(|(line, _)| {
            let (first, second) = words(line);
            first.ends_with("bind") || (first == "stats" && second == "socket")
        })
    };
    let fault = Fault::new(
        KIND,
        file.facts.proxy,
        (section.extent.header, "no `bind` line"),
        "nobody can connect to this frontend: it has no `bind` line",
    )
    .why("a frontend without `bind` listens nowhere; if nothing else listens, HAProxy does not start at all")
    .help("write `bind :80` with the port that clients use, or `backend` if this is one");
    let somebody = *file.listens.get_or_init(|| tree.sections().any(|(id, _)| listens(id)));
    let alone = file.accuses() && !somebody;
    let fault = match alone {
        true => fault,
        false => fault.weight(FaultWeight::MayFail, true).effect(LoadEffect::Ignored),
    };
    file.facts.load.faults.push(fault);
}
