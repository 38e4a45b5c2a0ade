//! Calls in the source of a program that say where it listens, as far as they can be read without running it.

use super::gather::{Gather, Inside, Manner, bind_of, says};
use super::lines::base_name;
use super::literals::scalar;
use crate::source::FileId;
use crate::syntax::words::{HOLE, Text};
use crate::topology::{Bind, Listens, Spoken, Weight};

/// Longest source file that is looked at.
const MAX_SOURCE: usize = 256 * 1024;

/// Longest call that is read.
const MAX_CALL: usize = 1000;

/// Most calls of one file that are read.
const MAX_CALLS: usize = 16;

/// What a call says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The port.
    pub port: u16,
    /// The host, where one is said.
    pub host: Option<String>,
}

/// The arguments of a call whose opening bracket stands just before this text, up to its own closing one.
pub(super) fn call(text: &str) -> Option<&str> {
    let (mut depth, mut quote) = (0usize, None);
    for (at, c) in text.char_indices() {
        if at > MAX_CALL {
            return None;
        }
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), '\n') => return None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth == 0 => return text.get(..at),
            (None, ')' | ']' | '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

/// The arguments of a call, cut at the commas between them.
fn arguments(call: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut from, mut found) = (0usize, None, 0, Vec::new());
    for (at, c) in call.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                found.push(call.get(from..at).unwrap_or("").trim());
                from = at + 1;
            }
            (None, _) => {}
        }
    }
    let last = call.get(from..).unwrap_or("").trim();
    if !last.is_empty() {
        found.push(last);
    }
    found
}

/// `listen(3000)`, `listen(3000, '0.0.0.0', …)`, `listen({ port: 3000, host: '0.0.0.0' })`.
pub(super) fn node_listen(call: &str, value: &dyn Fn(&str) -> String) -> Option<Said> {
    let arguments = arguments(call);
    let first = arguments.first()?;
    let port = |text: &str| value(text).trim().parse::<u16>().ok().filter(|&port| port > 0);
    let host = |text: &str| match value(text) {
        known if known.contains(HOLE) => HOLE.to_string(),
        known => known,
    };
    if let Some(object) = first.strip_prefix('{').and_then(|object| object.strip_suffix('}')) {
        let (mut said_port, mut said_host) = (None, None);
        for field in self::arguments(object) {
            // `{ port }` names a constant.
            let (name, text) = field.split_once(':').unwrap_or((field, field));
            match name.trim() {
                "port" => said_port = Some(port(text.trim())?),
                "host" => said_host = Some(host(text.trim())),
                "path" | "fd" => return None,
                name if name.starts_with("...") => return None,
                _ => {}
            }
        }
        return Some(Said { port: said_port?, host: said_host });
    }
    let is_function = |text: &str| text.contains("=>") || text.starts_with("function") || text.starts_with("async ");
    let second = arguments.get(1).filter(|text| !is_function(text) && text.parse::<u32>().is_err());
    let said_host = match second {
        None => None,
        Some(text) => match host(text) {
            // A name may be that of a function.
            unknown if unknown.contains(HOLE) && arguments.len() == 2 => Some(HOLE.to_string()),
            known => Some(known),
        },
    };
    Some(Said { port: port(first)?, host: said_host })
}

/// A program of Go that is built from the context: its `main.go` says where it listens.
pub(super) fn go(gather: &mut Gather<'_, '_>, context: &str) {
    let join = |path: &str| crate::files::join(context, path);
    let (Some(main), Some(below)) = (join("main.go"), join("cmd/*/main.go")) else { return };
    let mut paths: Vec<String> = gather.files.glob(&below).iter().take(2).cloned().collect();
    if gather.files.exists(&main) {
        paths.push(main);
    }
    // Several programs: which of them is started is not known.
    let [path] = &paths[..] else { return };
    let Inside::File(id) = gather.load(path) else { return };
    let file = gather.files.sources.share(id);
    let text = file.text();
    let mut found = Vec::new();
    for start in ["ListenAndServe(", ".Run(", ".Listen(", ".Start(", "Addr:"] {
        for (at, _) in text.match_indices(start).take(MAX_CALLS) {
            let line = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
            let after = text.get(at + start.len()..).unwrap_or("").trim_start();
            // An address is a literal with a colon; what else is called so has other arguments.
            let literal = after.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(literal, _)| literal);
            let commented = text.get(line..at).is_some_and(|before| before.contains("//"));
            if !commented
                && (start != "Addr:" || literal.is_some())
                && (start == "ListenAndServe(" || literal.is_some())
            {
                let literal = literal.filter(|literal| literal.contains(':'));
                let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
                found.push((literal.map(str::to_owned), at, end));
            }
        }
    }
    // `server.ListenAndServe()` takes the address of the structure.
    let taken = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with("ListenAndServe()"));
    found.retain(|(literal, at, _)| literal.is_some() || !taken(*at));
    let [(Some(address), at, end)] = &found[..] else { return };
    let who = format!("`{}`", base_name(file.path()));
    let shown = text.get(*at..*end).unwrap_or("").trim().to_owned();
    let manner = Manner { spoken: None, weight: Weight::Source, port: None };
    if let Some((listens, bind)) = super::gather::read_address(address, None) {
        let site = Gather::in_file(id, *at..*at + text.get(*at..*end).unwrap_or("").trim_end().len());
        gather.claim(listens, bind, manner, site, says(&who, &shown));
    }
}

/// `server: { host: true, port: 3000 }` of Vite's configuration: host and port, where they are said. `None`: it cannot
/// be read.
pub(super) fn vite(gather: &Gather<'_, '_>, id: FileId, part: &str) -> Option<(Option<Text>, Option<Text>)> {
    let file = gather.files.sources.share(id);
    let text = file.text();
    let key = format!("{part}:");
    let mut found = text.match_indices(&key).filter(|(at, _)| {
        !text.get(..*at).unwrap_or("").ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
    });
    let first = found.next();
    // Built of other parts, or said twice.
    if text.len() > MAX_SOURCE || text.contains("mergeConfig") || found.next().is_some() {
        return None;
    }
    let Some((at, _)) = first else { return (!text.contains("...")).then_some((None, None)) };
    let after = text.get(at + key.len()..)?;
    let open = after.len() - after.trim_start().len();
    let from = at + key.len() + open + 1;
    let inside = after.trim_start().strip_prefix('{').and_then(call)?;
    let (mut host, mut port) = (None, None);
    let mut offset = from;
    for field in arguments(inside) {
        let place = text.get(offset..).and_then(|rest| rest.find(field)).map_or(offset, |at| at + offset);
        offset = place + field.len();
        let Some((name, value)) = field.split_once(':') else {
            // `port,` or `...shared`
            if field.starts_with("...") || matches!(field, "host" | "port") {
                return None;
            }
            continue;
        };
        let value = match value.trim() {
            "true" => "0.0.0.0".to_owned(),
            "false" => "localhost".to_owned(),
            value => scalar(gather, value),
        };
        if value.contains(HOLE) && matches!(name.trim(), "host" | "port") {
            return None;
        }
        let said = Text::new(value, Gather::in_file(id, place..offset));
        match name.trim() {
            "host" => host = Some(said),
            "port" => port = Some(said),
            _ => {}
        }
    }
    Some((host, port))
}

/// What Python calls to serve, how it is found in the file, and where it listens unless it is told.
struct Python {
    call: &'static str,
    /// The file has one of these, too.
    with: &'static [&'static str],
    name: &'static str,
    host: &'static str,
    port: u16,
}

/// The defaults stand in the manuals: <https://flask.palletsprojects.com/en/stable/api/#flask.Flask.run>,
/// <https://www.uvicorn.org/settings/>, <https://docs.pylonsproject.org/projects/waitress/en/latest/arguments.html>,
/// <https://docs.aiohttp.org/en/stable/web_reference.html#aiohttp.web.run_app>,
/// <https://flask-socketio.readthedocs.io/en/latest/api.html>.
const PYTHON: &[Python] = &[
    Python { call: "uvicorn.run(", with: &["import uvicorn"], name: "uvicorn", host: "127.0.0.1", port: 8000 },
    Python { call: "socketio.run(", with: &["SocketIO("], name: "Flask-SocketIO", host: "127.0.0.1", port: 5000 },
    Python { call: "app.run(", with: &["Flask(", "create_app("], name: "Flask", host: "127.0.0.1", port: 5000 },
    Python { call: "application.run(", with: &["Flask("], name: "Flask", host: "127.0.0.1", port: 5000 },
    Python { call: "web.run_app(", with: &["aiohttp"], name: "aiohttp", host: "0.0.0.0", port: 8080 },
    Python { call: "serve(", with: &["from waitress import"], name: "waitress", host: "0.0.0.0", port: 8080 },
];

/// `python app.py`: the calls in that file.
pub(super) fn python(gather: &mut Gather<'_, '_>, path: &str) {
    let Inside::File(id) = gather.inside(path) else { return };
    let file = gather.files.sources.share(id);
    let text = file.text();
    // What is configured otherwise may say where to listen, too.
    if text.len() > MAX_SOURCE || text.contains("SERVER_NAME") {
        return;
    }
    let who = format!("`{}`", base_name(file.path()));
    let constants = constants(gather, text);
    let mut found = Vec::new();
    let mut unread = false;
    for kind in PYTHON.iter().filter(|kind| kind.with.iter().any(|word| text.contains(word))) {
        for (at, _) in text.match_indices(kind.call).take(MAX_CALLS) {
            let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
            let before = text.get(start..at).unwrap_or("");
            // A comment, another name, or another object's method.
            let part = before.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
            if before.contains('#') || part || before.trim_start().starts_with("def ") {
                continue;
            }
            let Some(inside) = call(text.get(at + kind.call.len()..).unwrap_or("")) else {
                unread = true;
                continue;
            };
            let value = |text: &str| {
                let known = constants.iter().find(|(name, _)| name == text);
                known.map_or_else(|| scalar(gather, text), |(_, value)| value.clone())
            };
            let mut said = (None, None);
            for argument in arguments(inside) {
                let Some((name, text)) = argument.split_once('=') else {
                    // `app.run("0.0.0.0", 80)`; the first of the others is the application.
                    if argument.starts_with('*') {
                        unread = true;
                    } else if kind.call.ends_with(".run(") && kind.name == "Flask" {
                        let value = value(argument);
                        if said.0.is_none() { said.0 = Some(value) } else { said.1 = Some(value) }
                    }
                    continue;
                };
                match name.trim() {
                    "host" => said.0 = Some(value(text.trim())),
                    "port" => said.1 = Some(value(text.trim())),
                    "uds" | "fd" | "path" | "sock" | "unix_socket" | "listen" => unread = true,
                    _ => {}
                }
            }
            let port = match &said.1 {
                Some(text) => text.parse::<u16>().ok().filter(|&port| port > 0),
                None => Some(kind.port),
            };
            let Some(port) = port else {
                unread = true;
                continue;
            };
            let bind = match said.0.as_deref() {
                Some(host) if host.contains(HOLE) => Bind::Unknown,
                Some(host) => bind_of(host),
                None => match bind_of(kind.host) {
                    Bind::Loopback => Bind::LoopbackByDefault,
                    bind => bind,
                },
            };
            let end = at + kind.call.len() + inside.len() + 1;
            let shown = text.get(at..end).unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
            let words = match said {
                (Some(_), Some(_)) => says(&who, &shown),
                _ => format!(
                    "{}, and {} listens on {}:{} unless it is told",
                    says(&who, &shown),
                    kind.name,
                    kind.host,
                    kind.port
                ),
            };
            let site = Gather::in_file(id, at..end);
            found.push((port, bind, site, words, kind.name));
        }
    }
    // A server of gRPC without TLS speaks nothing but HTTP/2.
    for (at, _) in text.match_indices("add_insecure_port(").take(MAX_CALLS).filter(|_| text.contains("grpc")) {
        let inside = call(text.get(at + "add_insecure_port(".len()..).unwrap_or(""));
        let Some(inside) = inside.map(|inside| inside.trim().trim_start_matches("f")) else { continue };
        let value = constants.iter().find(|(name, _)| name == inside);
        let value = value.map_or_else(|| scalar(gather, inside), |(_, value)| value.clone());
        if let Some((listens, bind)) = super::gather::read_address(&value, None) {
            let manner = Manner { spoken: Some(Spoken::H2c), weight: Weight::Source, port: None };
            let shown = format!("add_insecure_port({inside})");
            let site = Gather::in_file(id, at..at + "add_insecure_port".len());
            gather.claim(listens, bind, manner, site, says(&who, &shown));
        }
    }
    let weight = if unread || found.len() > 1 { Weight::Weak } else { Weight::Source };
    for (port, bind, site, words, name) in found {
        if gather.server.program.is_none() {
            gather.server.program = Some((name.into(), site));
        }
        let manner = Manner { spoken: Some(Spoken::Http), weight, port: None };
        gather.claim(Listens::Port(port), bind, manner, site, words);
    }
}

/// `PORT = int(os.environ.get("PORT", 8000))` and the like, each said once.
fn constants(gather: &Gather<'_, '_>, text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines().take(5000) {
        let Some((name, value)) = line.trim().split_once('=') else { continue };
        let name = name.split(':').next().unwrap_or(name).trim();
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !plain || value.starts_with('=') || found.len() >= 128 {
            continue;
        }
        let value = scalar(gather, value.trim());
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) if *known != value => *known = HOLE.to_string(),
            Some(_) => {}
            None => found.push((name.to_owned(), value)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_node() {
        let value = |text: &str| match text.trim() {
            "PORT" | "port" => "4000".to_owned(),
            text => match text.strip_prefix(['\'', '"']).and_then(|text| text.strip_suffix(['\'', '"'])) {
                Some(text) => text.to_owned(),
                None if text.parse::<u32>().is_ok() => text.to_owned(),
                None => HOLE.to_string(),
            },
        };
        let said = |text: &str| {
            let said = node_listen(call(text)?, &value)?;
            Some((said.port, said.host.unwrap_or_default()))
        };
        assert_eq!(said("3000);"), Some((3000, String::new())));
        assert_eq!(said("3000, () => console.log(`on ${PORT}, (really)`));"), Some((3000, String::new())));
        assert_eq!(said("PORT, '127.0.0.1', started)"), Some((4000, "127.0.0.1".to_owned())));
        assert_eq!(said("{ port: 3000, host: '0.0.0.0' }, done)"), Some((3000, "0.0.0.0".to_owned())));
        assert_eq!(said("{ port })"), Some((4000, String::new())));
        assert_eq!(said("{ port: config.port })"), None);
        assert_eq!(said("socket)"), None);
        assert_eq!(said("3000, started)"), Some((3000, HOLE.to_string())), "a host or a function");
        assert_eq!(said("3000"), None, "never closed");
    }
}
