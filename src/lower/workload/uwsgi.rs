//! uWSGI: flags and `uwsgi.ini`, which have the same names.

use super::gather::{Gather, Inside, MAX_SOCKETS, Manner, bytes, limit, number, says};
use super::lines;
use crate::defaults::servers;
use crate::source::{FileId, Site};
use crate::syntax::ini;
use crate::syntax::words::{HOLE, Text};
use crate::topology::{SocketAccess, Spoken, Weight};

/// A setting, from whichever place.
struct Option_ {
    name: String,
    value: Text,
    site: Site,
    words: String,
}

/// What each listening option speaks; `None`: what `protocol` says.
const SOCKETS: &[(&str, Option<Spoken>)] = &[
    ("http", Some(Spoken::Http)),
    ("http-socket", Some(Spoken::Http)),
    ("http11-socket", Some(Spoken::Http)),
    ("https", Some(Spoken::Https)),
    ("https-socket", Some(Spoken::Https)),
    ("socket", None),
    ("s", None),
    ("uwsgi-socket", Some(Spoken::Uwsgi)),
    ("fastcgi-socket", Some(Spoken::Fastcgi)),
    ("scgi-socket", Some(Spoken::Scgi)),
];

/// Options without a value that stand alone on a command line.
const ALONE: &[&str] = &[
    "master",
    "M",
    "vacuum",
    "enable-threads",
    "T",
    "die-on-term",
    "need-app",
    "lazy",
    "lazy-apps",
    "single-interpreter",
    "i",
    "thunder-lock",
    "strict",
    "auto-procname",
    "disable-logging",
    "L",
    "http-keepalive",
    "so-keepalive",
    "catch-exceptions",
];

/// A command line.
pub(super) fn command(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.serves(&servers::UWSGI, at);
    let mut options = Vec::new();
    let mut files = Vec::new();
    let mut index = 0;
    while let Some(word) = arguments.get(index) {
        index += 1;
        let text = &*word.text;
        let Some(flag) = text.strip_prefix("--").or_else(|| text.strip_prefix('-').filter(|flag| flag.len() == 1))
        else {
            // A file alone is its configuration.
            if text.ends_with(".ini") || text.ends_with(".yaml") || text.ends_with(".yml") || text.ends_with(".xml") {
                files.push(word.clone());
            } else if text.starts_with(HOLE) {
                gather.open = true;
            }
            continue;
        };
        let (name, value, site) = match flag.split_once('=') {
            Some((name, value)) => (name, Text::new(value, word.site), word.site),
            None if ALONE.contains(&flag) => (flag, Text::new("true", word.site), word.site),
            None => match arguments.get(index) {
                Some(next) if !next.text.starts_with("--") => {
                    index += 1;
                    (flag, next.clone(), super::sites::joined(word.site, next.site))
                }
                _ => (flag, Text::new("true", word.site), word.site),
            },
        };
        if matches!(name, "ini" | "ini-paste" | "yaml" | "yml" | "xml" | "json" | "y" | "x" | "paste") {
            files.push(value);
            continue;
        }
        let words = says("the command", &format!("{text} {}", if flag.contains('=') { "" } else { &*value.text }));
        options.push(Option_ { name: name.replace('_', "-"), value, site, words });
    }
    for (name, option) in [("UWSGI_HTTP", "http"), ("UWSGI_HTTP_SOCKET", "http-socket"), ("UWSGI_SOCKET", "socket")] {
        if let Some(value) = gather.deciding(name) {
            let words = says("the environment", &format!("{name}={}", value.text));
            options.push(Option_ { name: option.into(), site: value.site, value, words });
        }
    }
    if let Some(value) = gather.deciding("UWSGI_INI") {
        files.push(value);
    }
    for file in files {
        let path = file.text.split(':').next().unwrap_or("").to_owned();
        match gather.inside(&path) {
            Inside::File(id) if path.ends_with(".ini") || !path.contains(".") => read(gather, id, &mut options),
            _ => gather.open = true,
        }
    }
    apply(gather, options);
}

/// A `uwsgi.ini` by itself, as an emperor or a service starts it.
pub(super) fn file(gather: &mut Gather<'_, '_>, id: FileId) {
    gather.serves(&servers::UWSGI, Gather::in_file(id, 0..0));
    let mut options = Vec::new();
    read(gather, id, &mut options);
    apply(gather, options);
}

fn read(gather: &mut Gather<'_, '_>, id: FileId, options: &mut Vec<Option_>) {
    let file = gather.files.sources.share(id);
    let name = lines::base_name(file.path()).to_owned();
    for entry in ini::entries(file.text(), ini::Kind::Pool) {
        if entry.section != "uwsgi" {
            continue;
        }
        if matches!(entry.key, "ini" | "include" | "inherit" | "import") {
            gather.open = true;
        }
        // `$(VAR)`, `%n` and the like are filled in by uwsgi.
        let value = if entry.value.contains(['%', '$', '@']) { HOLE.to_string() } else { entry.value.to_owned() };
        let site = Gather::in_file(id, entry.range.clone());
        let words = says(&format!("`{name}`"), &format!("{} = {}", entry.key, entry.value));
        options.push(Option_ { name: entry.key.replace('_', "-"), value: Text::new(value, site), site, words });
    }
}

fn apply(gather: &mut Gather<'_, '_>, options: Vec<Option_>) {
    let value = |name: &str| options.iter().rev().find(|option| option.name == name);
    let protocol = match value("protocol").map(|option| &*option.value.text) {
        Some("http") => Some(Spoken::Http),
        Some("fastcgi") => Some(Spoken::Fastcgi),
        Some("scgi") => Some(Spoken::Scgi),
        Some("uwsgi") | None => Some(Spoken::Uwsgi),
        Some(_) => None,
    };
    let mode = value("chmod-socket").or_else(|| value("chmod"));
    let owner = value("chown-socket").or_else(|| value("chown"));
    for option in &options {
        let Some((_, spoken)) = SOCKETS.iter().find(|(name, _)| *name == option.name) else { continue };
        let manner = Manner { spoken: spoken.or(protocol), weight: Weight::Decisive, port: None };
        gather.listens(&option.value.text, manner, option.site, option.words.clone());
        if option.value.text.starts_with('/') && gather.server.sockets.len() < MAX_SOCKETS {
            let user = value("uid").map(|option| (option.value.text.clone(), option.site));
            let group = value("gid").map(|option| (option.value.text.clone(), option.site));
            let chown = |part: usize| {
                let option = owner?;
                let name = option.value.text.split([':', '.']).nth(part).filter(|name| !name.is_empty())?;
                Some((name.into(), option.site))
            };
            gather.server.sockets.push(SocketAccess {
                path: option.value.text.clone(),
                owner: chown(0).or(user),
                group: chown(1).or(group),
                mode: mode.and_then(|mode| {
                    // Alone it means: for everybody.
                    let bits = if &*mode.value.text == "true" { "666" } else { &mode.value.text };
                    Some((u32::from_str_radix(bits, 8).ok()?, mode.site))
                }),
                more: false,
            });
        }
    }
    if let Some(option) = value("harakiri") {
        gather.server.worker_timeout = Some(limit(&option.value, "harakiri"));
    }
    if let Some(option) = value("buffer-size").or_else(|| value("b")) {
        gather.server.request_header = Some(bytes(&option.value, "buffer-size"));
    }
    if value("http-keepalive").is_some() || value("so-keepalive").is_some() || value("add-header").is_some() {
        gather.server.idle = None;
    }
    // With threads or greenlets each process works on several requests.
    let several = ["threads", "enable-threads", "async", "gevent", "asyncio"].iter().any(|name| value(name).is_some());
    if let Some(option) = value("processes").or_else(|| value("workers")).or_else(|| value("p")).filter(|_| !several) {
        gather.server.workers = Some(number(&option.value, "processes"));
    }
}
