//! Command lines: which program a line starts, and where that says it listens.

use super::gather::{Family, Gather, Inside, Manner, Said, says};
use super::lines::{self, Line, last};
use super::{fpm, javascript, jvm, literals, python};
use crate::defaults::servers::{self, Program};
use crate::source::{FileId, Site};
use crate::syntax::words::{Command, Text, Variable};
use crate::topology::{Bind, Claim, Spoken, Weight};

pub(super) const HTTP: Option<Spoken> = Some(Spoken::Http);

/// Scripts within scripts that are followed.
const MAX_SCRIPTS: u8 = 2;

/// Longest script that is read.
const MAX_SCRIPT: usize = 64 * 1024;

/// What one command starts.
pub(super) fn command(gather: &mut Gather<'_, '_>, command: &Command) {
    let found = {
        let lookup = gather.variables();
        lines::lines(&gather.files.sources, command, &lookup)
    };
    for found in found {
        line(gather, &found);
    }
}

/// What one simple command starts.
pub(super) fn line(gather: &mut Gather<'_, '_>, line: &Line) {
    gather.assignments.extend(line.assignments.iter().cloned());
    let Some(first) = line.words.first() else { return };
    let at = first.site;
    let arguments = line.arguments();
    if first.text.starts_with('-') {
        // Flags for the program of the image.
        flags(gather, &line.words, true);
        return;
    }
    if python::handle(gather, line) || javascript::handle(gather, line) {
        return;
    }
    match line.program() {
        "cd" | "mkdir" | "chown" | "chmod" | "cp" | "mv" | "ln" | "rm" | "echo" | "cat" | "test" | "[" | "[["
        | "set" | "export" | "source" | "." | "sleep" | "touch" | "sed" | "awk" | "grep" | "true" | "curl" | "wget"
        | "nginx" | "haproxy" | "fi" | "done" | "}" | "psql" | "mysql" | "envsubst" | "ls" | "printf" | "read"
        | "trap" | "wait" | "kill" => {}
        "puma" => puma(gather, arguments, at),
        "rails" if arguments.iter().any(|word| matches!(&*word.text, "s" | "server")) => rails(gather, arguments, at),
        "unicorn" | "unicorn_rails" => unicorn(gather, arguments, at),
        // It listens itself, before the server that it starts.
        "thrust" | "thruster" => gather.open = true,
        "java" => jvm::java(gather, arguments),
        "catalina.sh" => {
            gather.serves(&servers::TOMCAT, at);
            super::tomcat::configuration(gather);
            if !gather.decided && !gather.open {
                gather.usual(&servers::TOMCAT, at, HTTP);
            }
        }
        "passenger" => told(
            gather,
            arguments,
            at,
            &servers::PASSENGER,
            [&["-a", "--address"], &["-p", "--port"]],
            [&[], &["PORT"]],
        ),
        "dotnet" => dotnet(gather, arguments, at),
        "hugo" if arguments.iter().any(|word| matches!(&*word.text, "server" | "serve")) => {
            told(gather, arguments, at, &servers::HUGO, [&["--bind"], &["-p", "--port"]], [&[], &[]]);
        }
        "php" => php(gather, arguments, at),
        "apache2-foreground" | "httpd-foreground" | "apachectl" | "apache2ctl" => {
            gather.serves(&servers::HTTPD, at);
            gather.usual(&servers::HTTPD, at, HTTP);
        }
        "supervisord" => super::units::supervisord(gather, arguments),
        name if name.starts_with("php-fpm") || name.starts_with("php") && name.ends_with("-fpm") => {
            fpm::command(gather, arguments, at);
        }
        "postgres" | "memcached" => {
            generic(gather, arguments);
            if let Some(given) = last(arguments, &["-p"]) {
                let manner = Manner { spoken: Some(Spoken::Other), weight: Weight::Decisive, port: None };
                gather.listens_as_given(&given, manner);
            }
        }
        _ => {
            if !script(gather, line) {
                let serves = |name: &str| ["server", "serve", "mongod", "listen"].iter().any(|end| name.ends_with(end));
                let known = serves(line.program()) || arguments.iter().any(|word| serves(&word.text));
                flags(gather, arguments, !known);
            }
        }
    }
}

/// A script of the repository, or one that nobody sees and that starts what its arguments say.
fn script(gather: &mut Gather<'_, '_>, line: &Line) -> bool {
    let Some(first) = line.words.first() else { return false };
    let path = first.text.to_string();
    let looks =
        path.ends_with(".sh") || path.contains("entrypoint") || path.contains("/start") || path.starts_with("./");
    // Any other path is one where the repository has a script there.
    let has = path.contains('/')
        && matches!(gather.inside(&path), Inside::File(id) if gather.files.sources.file(id).text().starts_with("#!"));
    if !(looks || has) || gather.depth >= MAX_SCRIPTS {
        return false;
    }
    let arguments = line.arguments();
    let passed = |gather: &mut Gather<'_, '_>| {
        if !arguments.is_empty() {
            let words = Command::Words(arguments.to_vec());
            gather.depth += 1;
            command(gather, &words);
            gather.depth -= 1;
        }
    };
    let found = match gather.inside(&path) {
        Inside::File(id) => Some(id),
        // A name without a folder is looked for where programs lie; one that is copied there is found by its name.
        _ if !path.contains('/') => match gather.inside(&format!("/usr/local/bin/{path}")) {
            Inside::File(id) => Some(id),
            _ => None,
        },
        _ => None,
    };
    let Some(id) = found else {
        passed(gather);
        return path.ends_with(".sh") || path.contains("entrypoint");
    };
    let file = gather.files.sources.share(id);
    let text = file.text();
    let shell = text.lines().next().is_some_and(|line| !line.starts_with("#!") || line.contains("sh"));
    if text.len() > MAX_SCRIPT || !shell {
        return true;
    }
    if text.contains("$@") || text.contains("$*") {
        passed(gather);
    }
    let whole = Text::new(text, Gather::in_file(id, 0..text.len()));
    gather.depth += 1;
    command(gather, &Command::Shell(whole));
    gather.depth -= 1;
    true
}

/// Flags that most programs share, of one that is known to serve.
pub(super) fn generic(gather: &mut Gather<'_, '_>, arguments: &[Text]) {
    flags(gather, arguments, false);
}

fn flags(gather: &mut Gather<'_, '_>, arguments: &[Text], unknown: bool) {
    let manner = Manner { spoken: None, weight: Weight::Decisive, port: None };
    let told = lines::given(
        arguments,
        &[
            "--listen",
            "--listen-address",
            "--bind",
            "--address",
            "--http.addr",
            "--http-address",
            "--web.listen-address",
            "--console-address",
            "-listen",
            "-addr",
            "-http",
            "--addr",
            "--http-addr",
            "-web.listen-address",
            "-listen-address",
        ],
    );
    for given in &told {
        // `--bind 0.0.0.0` has its port elsewhere.
        if given.value.text.contains(':') || given.value.text.starts_with('/') {
            gather.listens_as_given(given, manner);
        }
    }
    for word in arguments {
        // Traefik: `--entrypoints.web.address=:80`.
        if let Some((name, value)) = word.text.split_once('=')
            && name.to_ascii_lowercase().starts_with("--entrypoints.")
            && name.to_ascii_lowercase().ends_with(".address")
        {
            let address = value.split('/').next().unwrap_or("");
            if !value.ends_with("/udp") {
                gather.listens(address, manner, word.site, says("the command", &word.text));
            }
        }
    }
    let port = last(arguments, &["--port", "--http-port", "--http_port", "--server-port", "-port", "--server.port"]);
    if let Some(given) = port {
        // Of a program that nobody knows it may be the port that it asks, or one of several.
        let unsure = unknown && given.words.trim_start_matches('-').starts_with("port");
        let weight = if unsure { Weight::Strong } else { Weight::Decisive };
        gather.listens_as_given(&given, Manner { weight, ..manner });
        gather.decided = true;
    }
}

/// What a flag says, else a variable.
pub(super) fn said(
    gather: &mut Gather<'_, '_>,
    arguments: &[Text],
    names: &[&str],
    variables: &[&str],
) -> Option<Said> {
    if let Some(given) = last(arguments, names) {
        return Some(Said::by_flag(given));
    }
    variables.iter().find_map(|name| gather.deciding(name).map(|value| Said::by_variable(name, value)))
}

/// A program that is told host and port by flags or variables.
pub(super) fn told(
    gather: &mut Gather<'_, '_>,
    arguments: &[Text],
    at: Site,
    program: &'static Program,
    [hosts, ports]: [&[&str]; 2],
    [host_variables, port_variables]: [&[&str]; 2],
) {
    let host = said(gather, arguments, hosts, host_variables);
    let port = said(gather, arguments, ports, port_variables);
    gather.serves(program, at);
    if host.is_none() && port.is_none() && (gather.open || lines::has_unknown(arguments)) {
        gather.open = true;
        return;
    }
    gather.host_and_port(program, at, host.as_ref(), port.as_ref(), HTTP);
}

fn puma(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.serves(&servers::PUMA, at);
    let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: Some(9292) };
    let binds = lines::given(arguments, &["-b", "--bind"]);
    for given in &binds {
        gather.listens_as_given(given, manner);
    }
    if let Some(given) = last(arguments, &["-p", "--port"]) {
        gather.listens_as_given(&given, manner);
    } else if binds.is_empty() && !puma_file(gather, last(arguments, &["-C", "--config"]).map(|given| given.value)) {
        match gather.deciding("PORT") {
            Some(port) => {
                let words = says("the environment", &format!("PORT={}", port.text));
                let manner = Manner { weight: Weight::Strong, ..manner };
                gather.listens(&format!("0.0.0.0:{}", port.text), manner, port.site, words);
            }
            None if !gather.open => gather.usual(&servers::PUMA, at, HTTP),
            None => {}
        }
    }
}

fn rails(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.serves(&servers::PUMA, at);
    let host = said(gather, arguments, &["-b", "--binding"], &["BINDING"]);
    let port = said(gather, arguments, &["-p", "--port"], &["PORT"]);
    let on_loopback = host.is_none() && is_in_development(gather, arguments);
    // `config/puma.rb` decides where the command does not. What it says of a port alone is one of the host above.
    if port.is_none() {
        let before = gather.claims.len();
        let decided = puma_file(gather, None);
        let of_a_port = |claim: &&mut Claim| claim.bind == Bind::Any && claim.words.contains("`port");
        for claim in gather.claims.iter_mut().skip(before).filter(of_a_port).filter(|_| on_loopback) {
            claim.bind = Bind::LoopbackByDefault;
        }
        if decided || gather.open {
            return;
        }
    }
    let program = if on_loopback { &servers::RAILS_IN_DEVELOPMENT } else { &servers::RAILS };
    gather.host_and_port(program, at, host.as_ref(), port.as_ref(), HTTP);
}

/// Whether `rails server` runs in development: nothing says otherwise, in an image that sets nothing.
fn is_in_development(gather: &Gather<'_, '_>, arguments: &[Text]) -> bool {
    if let Some(given) = last(arguments, &["-e", "--environment"]) {
        return given.value.known() == Some("development");
    }
    let named = ["RAILS_ENV", "RACK_ENV"].map(|name| gather.variable(name).0);
    if named.contains(&Variable::Unknown) {
        return false;
    }
    let plain = super::environment::base(gather).is_some_and(|image| {
        let (repository, _) = crate::defaults::images::reference(image.known().unwrap_or_default());
        repository == "ruby"
    });
    let said = named.into_iter().find_map(|one| match one {
        Variable::Is(value) if !value.is_empty() => Some(value),
        _ => None,
    });
    said.map_or(plain, |value| &*value == "development")
}

/// `config/puma.rb`; whether it decided anything.
fn puma_file(gather: &mut Gather<'_, '_>, path: Option<Text>) -> bool {
    let asked = path.is_some();
    let path = path.map_or_else(|| "config/puma.rb".to_owned(), |path| path.text.to_string());
    let id = match gather.inside(&path) {
        Inside::File(id) => id,
        Inside::Missing => return false,
        Inside::Unknown => {
            gather.open |= asked;
            return asked;
        }
    };
    // Its folder is one below the program's.
    let home = match (path.starts_with('/'), gather.working_dir()) {
        (true, _) => Some(path.clone()),
        (false, Some(folder)) => crate::files::join(&folder, &path).map(|path| format!("/{path}")),
        (false, None) => None,
    };
    let home = home.map(|path| crate::files::folder(crate::files::folder(&path)).to_owned());
    ruby_file(gather, id, home.as_deref())
}

/// What puma's or unicorn's own file says; whether it decided anything. `home`: the folder above the file's own, where
/// the program runs.
pub(super) fn ruby_file(gather: &mut Gather<'_, '_>, id: FileId, home: Option<&str>) -> bool {
    let file = gather.files.sources.share(id);
    let who = format!("`{}`", lines::base_name(file.path()));
    let mut decided = false;
    let mut start = 0;
    // `app_dir = File.expand_path("../..", __FILE__)`: the folder of the program, wherever it is.
    let mut roots: Vec<String> = Vec::new();
    for line in file.text().split_inclusive('\n').take(2000) {
        let at = start;
        start += line.len();
        let trimmed = line.trim();
        let Some((name, value)) = trimmed.split_once([' ', '(']) else { continue };
        if let Some(value) = value.trim_start().strip_prefix('=')
            && let value = value.trim().replace('\'', "\"")
            && matches!(
                &*value,
                "File.expand_path(\"../..\", __FILE__)"
                    | "File.expand_path(\"../../\", __FILE__)"
                    | "File.expand_path(\"..\", __dir__)"
                    | "File.expand_path(\"../\", __dir__)"
            )
            && roots.len() < 16
        {
            roots.push(format!("#{{{name}}}"));
        }
        if name == "ssl_bind" {
            // It listens there with TLS, and on nothing by default.
            decided = true;
            gather.open = true;
        }
        if !matches!(name, "port" | "bind" | "listen" | "persistent_timeout") {
            continue;
        }
        let begin = at + (line.len() - line.trim_start().len());
        let site = Gather::in_file(id, begin..begin + trimmed.len());
        let value = value.trim_start_matches('(');
        // `port 3000, "0.0.0.0"`
        let first = if value.contains("ENV") { value } else { value.split(',').next().unwrap_or("") };
        let rooted = roots.iter().find(|root| first.contains(&***root));
        let first = match (rooted, home) {
            (Some(root), Some(home)) => first.replace(&**root, home),
            _ => first.to_owned(),
        };
        let text = literals::scalar(gather, first.trim_end_matches(')'));
        let words = says(&who, trimmed);
        match name {
            "port" | "bind" | "listen" => {
                decided = true;
                let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: None };
                gather.listens(&text, manner, site, words);
            }
            "persistent_timeout" => {
                gather.server.idle = Some(super::gather::seconds(&Text::new(text, site), "persistent_timeout"));
            }
            _ => {}
        }
    }
    decided
}

fn unicorn(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.serves(&servers::UNICORN, at);
    let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: Some(8080) };
    let told = lines::given(arguments, &["-l", "--listen", "-p", "--port"]);
    for given in &told {
        gather.listens_as_given(given, manner);
    }
    if told.is_empty() {
        if let Some(given) = last(arguments, &["-c", "--config-file"]) {
            match gather.inside(&given.value.text.clone()) {
                Inside::File(id) => {
                    ruby_file(gather, id, None);
                }
                _ => gather.open = true,
            }
        } else {
            gather.usual(&servers::UNICORN, at, HTTP);
        }
    }
}

fn dotnet(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.family = Some(Family::Dotnet);
    gather.serves(&servers::KESTREL, at);
    let manner = Manner { spoken: None, weight: Weight::Decisive, port: None };
    for given in lines::given(arguments, &["--urls", "--server.urls"]) {
        for url in given.value.text.split(';').filter(|url| !url.is_empty()) {
            let spoken = super::environment::spoken_of_url(url);
            gather.listens(url, Manner { spoken, ..manner }, given.site, says("the command", &given.words));
        }
    }
}

fn php(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: None };
    if let Some(given) = last(arguments, &["-S"]) {
        gather.serves(&servers::PHP, at);
        gather.listens_as_given(&given, manner);
        return;
    }
    let artisan = arguments.iter().position(|word| lines::base_name(&word.text) == "artisan");
    if let Some(after) = artisan.and_then(|at| arguments.get(at + 1..)) {
        if matches!(after.first().map(|word| &*word.text), Some("serve" | "octane:start")) {
            let names: [&[&str]; 2] = [&["--host"], &["--port"]];
            let serve = after.first().is_some_and(|word| &*word.text == "serve");
            let program = if serve { &servers::ARTISAN } else { &servers::OCTANE };
            // Laravel reads its variables from a file, too.
            if let Inside::File(id) = gather.inside(".env")
                && gather.files.sources.file(id).text().contains("SERVER_HOST")
            {
                gather.open = true;
            }
            told(gather, after, at, program, names, [&["SERVER_HOST"], &["SERVER_PORT"]]);
        }
        return;
    }
    generic(gather, arguments);
}
