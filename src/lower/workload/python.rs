//! Command lines of Python's servers.

use super::gather::{Gather, Inside, Manner, Said, bytes, limit, number, says, seconds};
use super::lines::{self, Line, last};
use crate::defaults::servers;
use crate::source::Site;
use crate::syntax::words::{Text, Variable};
use crate::topology::{Bind, Listens, Spoken, Weight};

const HTTP: Option<Spoken> = Some(Spoken::Http);

/// Handles a line whose program is one of Python's; `false` when it is none.
pub(super) fn handle(gather: &mut Gather<'_, '_>, line: &Line) -> bool {
    let arguments = line.arguments();
    let Some(first) = line.words.first() else { return false };
    let at = first.site;
    match line.program() {
        "gunicorn" => gunicorn(gather, arguments, at),
        "uvicorn" => flags(gather, arguments, at, &servers::UVICORN, ["--host", "--port"], Some("UVICORN")),
        "granian" => flags(gather, arguments, at, &servers::GRANIAN, ["--host", "--port"], Some("GRANIAN")),
        "waitress-serve" | "waitress" => waitress(gather, arguments, at),
        "hypercorn" => hypercorn(gather, arguments, at),
        "daphne" => daphne(gather, arguments, at),
        "fastapi" => match arguments.first().map(|word| &*word.text) {
            Some("run") => flags(gather, arguments, at, &servers::FASTAPI_RUN, ["--host", "--port"], Some("UVICORN")),
            Some("dev") => flags(gather, arguments, at, &servers::FASTAPI_DEV, ["--host", "--port"], Some("UVICORN")),
            _ => return true,
        },
        "flask" => {
            if arguments.iter().any(|word| &*word.text == "run") {
                let host = said(gather, arguments, &["--host", "-h"], Some("FLASK_RUN_HOST"));
                let port = said(gather, arguments, &["--port", "-p"], Some("FLASK_RUN_PORT"));
                gather.serves(&servers::FLASK, at);
                gather.host_and_port(&servers::FLASK, at, host.as_ref(), port.as_ref(), HTTP);
            }
        }
        "uwsgi" | "uwsgi-core" => super::uwsgi::command(gather, arguments, at),
        "streamlit" if arguments.first().is_some_and(|word| &*word.text == "run") => {
            let names: [&[&str]; 2] = [&["--server.address"], &["--server.port"]];
            let variables: [&[&str]; 2] = [&["STREAMLIT_SERVER_ADDRESS"], &["STREAMLIT_SERVER_PORT"]];
            super::programs::told(gather, arguments, at, &servers::STREAMLIT, names, variables);
        }
        "mlflow" if arguments.iter().any(|word| matches!(&*word.text, "server" | "ui")) => {
            let variables: [&[&str]; 2] = [&["MLFLOW_HOST"], &["MLFLOW_PORT"]];
            super::programs::told(
                gather,
                arguments,
                at,
                &servers::MLFLOW,
                [&["--host", "-h"], &["--port", "-p"]],
                variables,
            );
        }
        "manage.py" => django(gather, arguments, at),
        name if name.starts_with("python") || name.starts_with("pypy") => {
            let script = arguments.iter().position(|word| !word.text.starts_with('-'));
            match script.and_then(|at| arguments.get(at).map(|word| (at, word))) {
                Some((index, word)) if lines::base_name(&word.text) == "manage.py" => {
                    django(gather, arguments.get(index + 1..).unwrap_or(&[]), at);
                }
                Some((_, word)) if word.text.ends_with(".py") => {
                    super::sources::python(gather, &word.text.clone());
                    return false;
                }
                _ => return false,
            }
        }
        _ => return false,
    }
    true
}

/// What a flag says, else a variable.
fn said(gather: &mut Gather<'_, '_>, arguments: &[Text], names: &[&str], variable: Option<&str>) -> Option<Said> {
    if let Some(given) = last(arguments, names) {
        return Some(Said::by_flag(given));
    }
    let variable = variable?;
    gather.deciding(variable).map(|value| Said::by_variable(variable, value))
}

/// A server that is told host and port apart.
fn flags(
    gather: &mut Gather<'_, '_>,
    arguments: &[Text],
    at: Site,
    program: &'static servers::Program,
    [host, port]: [&str; 2],
    variables: Option<&str>,
) {
    gather.serves(program, at);
    if let Some(given) = last(arguments, &["--timeout-keep-alive"]) {
        gather.server.idle = Some(seconds(&given.value, "--timeout-keep-alive"));
    }
    if let Some(given) = last(arguments, &["--timeout-graceful-shutdown"]) {
        gather.server.stop_mut().finishes = Some(seconds(&given.value, "--timeout-graceful-shutdown"));
    }
    if let Some(given) = last(arguments, &["--uds"]) {
        gather.listens_as_given(&given, Manner { spoken: HTTP, weight: Weight::Decisive, port: None });
        return;
    }
    if last(arguments, &["--fd"]).is_some() {
        gather.open = true;
        return;
    }
    let host = said(gather, arguments, &[host], variables.map(|prefix| format!("{prefix}_HOST")).as_deref());
    let port = said(gather, arguments, &[port], variables.map(|prefix| format!("{prefix}_PORT")).as_deref());
    if host.is_none() && port.is_none() && lines::has_unknown(arguments) {
        gather.open = true;
    }
    gather.host_and_port(program, at, host.as_ref(), port.as_ref(), HTTP);
}

fn waitress(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.serves(&servers::WAITRESS, at);
    let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: Some(8080) };
    let listens = lines::given(arguments, &["--listen", "--unix-socket"]);
    for given in &listens {
        for address in given.value.text.split_whitespace() {
            gather.listens(address, manner, given.site, says("the command", &given.words));
        }
    }
    if let Some(given) = last(arguments, &["--channel-timeout"]) {
        gather.server.idle = Some(seconds(&given.value, "--channel-timeout"));
    }
    if listens.is_empty() {
        let host = last(arguments, &["--host"]).map(Said::by_flag);
        let port = last(arguments, &["--port"]).map(Said::by_flag);
        gather.host_and_port(&servers::WAITRESS, at, host.as_ref(), port.as_ref(), HTTP);
    }
}

fn hypercorn(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.serves(&servers::HYPERCORN, at);
    if let Some(given) = last(arguments, &["--keep-alive"]) {
        gather.server.idle = Some(seconds(&given.value, "--keep-alive"));
    }
    if let Some(given) = last(arguments, &["--graceful-timeout"]) {
        gather.server.stop_mut().finishes = Some(seconds(&given.value, "--graceful-timeout"));
    }
    let binds = lines::given(arguments, &["-b", "--bind", "--insecure-bind"]);
    let manner = Manner { spoken: None, weight: Weight::Decisive, port: Some(8000) };
    for given in &binds {
        gather.listens_as_given(given, manner);
    }
    if binds.is_empty() {
        if last(arguments, &["-c", "--config"]).is_some() || lines::has_unknown(arguments) {
            gather.open = true;
        } else {
            gather.usual(&servers::HYPERCORN, at, HTTP);
        }
    }
}

fn daphne(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.serves(&servers::DAPHNE, at);
    let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: None };
    let sockets = lines::given(arguments, &["-u", "--unix-socket"]);
    for given in &sockets {
        gather.listens_as_given(given, manner);
    }
    if last(arguments, &["-e", "--endpoint", "--fd"]).is_some() {
        gather.open = true;
    } else if sockets.is_empty() {
        let host = last(arguments, &["-b", "--bind"]).map(Said::by_flag);
        let port = last(arguments, &["-p", "--port"]).map(Said::by_flag);
        gather.host_and_port(&servers::DAPHNE, at, host.as_ref(), port.as_ref(), HTTP);
    }
}

fn django(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    let Some(run) = arguments.iter().position(|word| matches!(&*word.text, "runserver" | "runserver_plus")) else {
        return;
    };
    gather.serves(&servers::DJANGO, at);
    let command = arguments.get(run).map_or(at, |word| word.site);
    let after = arguments.get(run + 1..).unwrap_or(&[]);
    let address = after.iter().enumerate().find(|(at, word)| {
        let takes_value = |word: &Text| matches!(&*word.text, "--settings" | "--pythonpath" | "-v" | "--verbosity");
        !word.text.starts_with('-') && !at.checked_sub(1).and_then(|at| after.get(at)).is_some_and(takes_value)
    });
    match address {
        Some((_, word)) => {
            let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: None };
            let words = says("the command", &format!("runserver {}", word.text));
            // `runserver 8000` is the loopback's port.
            match word.text.parse::<u16>() {
                Ok(port) => {
                    let site = super::sites::joined(command, word.site);
                    gather.claim(Listens::Port(port), Bind::LoopbackByDefault, manner, site, words);
                }
                Err(_) => gather.listens(&word.text, manner, super::sites::joined(command, word.site), words),
            }
        }
        None => gather.usual(&servers::DJANGO, command, HTTP),
    }
}

/// gunicorn: the command line before `GUNICORN_CMD_ARGS`, before the configuration file, before `PORT`.
fn gunicorn(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    let from_environment = match gather.variable("GUNICORN_CMD_ARGS") {
        (Variable::Is(value), Some(site)) => lines::split(&gather.files.sources, &Text::new(value, site)),
        (Variable::Unknown, _) => {
            gather.open = true;
            Vec::new()
        }
        _ => Vec::new(),
    };
    let sets = [("the command", arguments), ("the environment", &from_environment[..])];
    let value = |names: &[&str]| sets.iter().find_map(|(_, words)| last(words, names));
    let config = match value(&["-c", "--config"]) {
        Some(given) => {
            let path = given.value.text.strip_prefix("file:").unwrap_or(&given.value.text).to_owned();
            match gather.inside(&path) {
                Inside::File(id) if !path.starts_with("python:") => Inside::File(id),
                // It is asked for, so that something will be there.
                _ => Inside::Unknown,
            }
        }
        None => match gather.inside("gunicorn.conf.py") {
            // The file is not asked for, so that nothing is missed when it is not there.
            Inside::Unknown => Inside::Missing,
            found => found,
        },
    };
    let settings = match config {
        Inside::File(id) => Some(super::literals::python(gather, id)),
        Inside::Missing => None,
        Inside::Unknown => Some(super::literals::Literals::unknown()),
    };
    let written = |name: &str| settings.as_ref().and_then(|settings| settings.get(name));

    let class = value(&["-k", "--worker-class"]).map(|given| given.value).or_else(|| written("worker_class"));
    let threads = value(&["--threads"]).map(|given| given.value).or_else(|| written("threads"));
    let unknown_class = settings.as_ref().is_some_and(|settings| settings.open) && class.is_none();
    let program = match class.as_ref().map(|class| class.known()) {
        None if threads.as_ref().is_none_or(|threads| threads.known() == Some("1")) && !unknown_class => {
            Some(&servers::GUNICORN)
        }
        Some(Some("sync")) if threads.is_none() => Some(&servers::GUNICORN),
        // A uvicorn worker has an idle time of its own.
        Some(Some(class)) if class.contains("uvicorn") || class.contains("tornado") => None,
        Some(Some(_)) | None => Some(&servers::GUNICORN_CONCURRENT),
        Some(None) => None,
    };
    match program {
        Some(program) if !unknown_class => gather.serves(program, at),
        _ => {
            gather.server.program = Some(("gunicorn".into(), at));
        }
    }
    let killed = gather.server.worker_timeout.is_some();
    if let Some(text) = value(&["-t", "--timeout"]).map(|given| given.value).or_else(|| written("timeout"))
        && killed
    {
        gather.server.worker_timeout = Some(limit(&text, "timeout"));
    }
    if let Some(text) = value(&["--keep-alive"]).map(|given| given.value).or_else(|| written("keepalive"))
        && program.is_some_and(|program| std::ptr::eq(program, &servers::GUNICORN_CONCURRENT))
    {
        gather.server.idle = Some(seconds(&text, "keepalive"));
    }
    if let Some(text) = value(&["--graceful-timeout"]).map(|given| given.value).or_else(|| written("graceful_timeout"))
    {
        gather.server.stop_mut().finishes = Some(seconds(&text, "graceful_timeout"));
    }
    if let Some(text) = value(&["-w", "--workers"]).map(|given| given.value).or_else(|| written("workers"))
        && killed
    {
        gather.server.workers = Some(number(&text, "workers"));
    }
    if let Some(text) = value(&["--limit-request-field_size"]).map(|given| given.value) {
        gather.server.request_header = Some(bytes(&text, "limit_request_field_size"));
    }

    let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: Some(8000) };
    for (who, words) in sets {
        let binds = lines::given(words, &["-b", "--bind"]);
        for given in &binds {
            for address in given.value.text.split(',') {
                gather.listens(address, manner, given.site, says(who, &given.words));
            }
        }
        if !binds.is_empty() {
            return;
        }
        if lines::has_unknown(words) {
            gather.open = true;
        }
    }
    if let Some(settings) = &settings {
        let binds = settings.all("bind");
        for bind in &binds {
            gather.listens(&bind.text, manner, bind.site, says("`gunicorn.conf.py`", &format!("bind = {}", bind.text)));
        }
        if !binds.is_empty() {
            return;
        }
        gather.open |= settings.open;
    }
    match gather.deciding("PORT") {
        Some(port) => {
            let words = says("the environment", &format!("PORT={}", port.text));
            let manner = Manner { weight: Weight::Strong, ..manner };
            gather.listens(&format!("0.0.0.0:{}", port.text), manner, port.site, words);
        }
        None if !gather.open => gather.usual(&servers::GUNICORN, at, HTTP),
        None => {}
    }
}
