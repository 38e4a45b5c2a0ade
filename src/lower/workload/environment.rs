//! What variables, health checks and images say about where a workload listens.

use super::gather::{Family, Gather, Inside, Manner, says};
use super::{HealthCheck, lines};
use crate::defaults::images::{self, ImageProtocol};
use crate::defaults::servers;
use crate::files::join;
use crate::source::Site;
use crate::syntax::words::{Command, HOLE, Text, Variable};
use crate::syntax::yaml;
use crate::topology::{Bind, Listens, OwnCheck, Spoken, Weight};

/// Variables whose name says which program reads them, and the part of an image's name that bears that program.
const NAMED: &[(&str, Option<&str>)] = &[
    ("GF_SERVER_HTTP_PORT", Some("grafana")),
    ("KC_HTTP_PORT", Some("keycloak")),
    ("N8N_PORT", Some("n8n")),
    ("ROCKET_PORT", None),
    ("QUARKUS_HTTP_PORT", None),
    ("MICRONAUT_SERVER_PORT", None),
    ("NITRO_PORT", None),
    ("APACHE_HTTP_PORT_NUMBER", Some("bitnami")),
    ("NGINX_HTTP_PORT_NUMBER", Some("bitnami")),
    ("VARNISH_HTTP_PORT", Some("varnish")),
];

/// What an URL that a server is told to listen on says about its protocol.
pub(super) fn spoken_of_url(url: &str) -> Option<Spoken> {
    match url.split_once("://")?.0.to_ascii_lowercase().as_str() {
        "http" => Some(Spoken::Http),
        "https" => Some(Spoken::Https),
        _ => None,
    }
}

/// Variables that frameworks read.
pub(super) fn variables(gather: &mut Gather<'_, '_>) {
    let image = base(gather).map(|image| image.text.to_string()).unwrap_or_default();
    aspnet(gather);
    for (name, of) in NAMED {
        let (value, site) = gather.variable(name);
        let known = of.is_none_or(|of| image.contains(of));
        match (value, site) {
            (Variable::Is(port), Some(site)) => {
                let weight = if known { Weight::Strong } else { Weight::Weak };
                let manner = Manner { spoken: None, weight, port: None };
                gather.listens(&port, manner, site, says("the environment", &format!("{name}={port}")));
            }
            (Variable::Unknown, Some(_)) if known => gather.open = true,
            _ => {}
        }
    }
    if let (Variable::Is(port), Some(site)) = gather.variable("VIRTUAL_PORT") {
        let manner = Manner { spoken: None, weight: Weight::Medium, port: None };
        if port.parse::<u16>().is_ok() {
            gather.listens(&port, manner, site, says("the environment", &format!("VIRTUAL_PORT={port}")));
        }
    }
    if gather.family == Some(Family::Node) || images::reference(&image).0 == "node" {
        super::javascript::by_custom(gather);
    } else if let (Variable::Is(port), Some(site)) = gather.variable("PORT")
        && let Ok(port) = port.parse::<u16>()
    {
        // Who reads it is not known.
        let manner = Manner { spoken: None, weight: Weight::Weak, port: None };
        gather.claim(
            Listens::Port(port),
            Bind::Unknown,
            manner,
            site,
            says("the environment", &format!("PORT={port}")),
        );
    }
    // A variable that holds a port and cannot be read leaves nothing certain, unless the command decides.
    if !gather.decided && matches!(gather.variable("PORT"), (Variable::Unknown, Some(_))) {
        gather.open = true;
    }
}

fn aspnet(gather: &mut Gather<'_, '_>) {
    let manner = Manner { spoken: None, weight: Weight::Strong, port: None };
    let mut said = false;
    for name in ["ASPNETCORE_URLS", "DOTNET_URLS", "URLS"] {
        if name == "URLS" && gather.family != Some(Family::Dotnet) {
            continue;
        }
        let (value, site) = gather.variable(name);
        match (value, site) {
            (Variable::Is(urls), Some(site)) => {
                said = true;
                for url in urls.split(';').filter(|url| !url.is_empty()) {
                    let manner = Manner { spoken: spoken_of_url(url), ..manner };
                    gather.listens(url, manner, site, says("the environment", &format!("{name}={urls}")));
                }
            }
            (Variable::Unknown, Some(_)) => gather.open = true,
            _ => {}
        }
    }
    // With addresses, ports alone are ignored.
    for (name, spoken) in [("ASPNETCORE_HTTP_PORTS", Spoken::Http), ("ASPNETCORE_HTTPS_PORTS", Spoken::Https)] {
        let (value, site) = gather.variable(name);
        match (value, site) {
            (Variable::Is(ports), Some(site)) if !said => {
                for port in ports.split(';').filter(|port| !port.is_empty()) {
                    let manner = Manner { spoken: Some(spoken), ..manner };
                    gather.listens(
                        &format!("*:{port}"),
                        manner,
                        site,
                        says("the environment", &format!("{name}={ports}")),
                    );
                }
            }
            (Variable::Unknown, Some(_)) => gather.open = true,
            _ => {}
        }
    }
}

/// ASP.NET Core: `appsettings*.json` and source that says where to listen, in the build context.
pub(super) fn appsettings(gather: &mut Gather<'_, '_>, context: &str) {
    let mut paths = Vec::new();
    for pattern in ["appsettings*.json", "*/appsettings*.json", "src/*/appsettings*.json"] {
        let Some(pattern) = join(context, pattern) else { return };
        paths.extend(gather.files.glob(&pattern).iter().take(8).cloned());
    }
    // Settings for development do not hold in a container.
    for path in paths.iter().filter(|path| !path.contains(".Development.")) {
        let Inside::File(id) = gather.load(path) else { continue };
        let file = gather.files.sources.share(id);
        let parsed = yaml::parse(file.text());
        let Some(root) = parsed.tree.root() else { continue };
        let mut urls = Vec::new();
        if let Some(endpoints) = root.get("Kestrel").and_then(|kestrel| kestrel.get("Endpoints")) {
            urls.extend(endpoints.entries().into_iter().filter_map(|(_, endpoint)| endpoint.get("Url")));
        } else {
            urls.extend(root.get("Urls"));
        }
        let found: Vec<_> = urls.iter().filter_map(|url| Some((url.text()?.to_owned(), url.at()))).collect();
        for (text, at) in found {
            for url in text.split(';').filter(|url| !url.is_empty()) {
                let manner = Manner { spoken: spoken_of_url(url), weight: Weight::Decisive, port: None };
                let site = Gather::in_file(id, at.start as usize..at.end as usize);
                let name = lines::base_name(path).to_owned();
                gather.listens(url, manner, site, says(&format!("`{name}`"), url));
            }
        }
    }
    for pattern in ["Program.cs", "*/Program.cs", "src/*/Program.cs"] {
        let Some(pattern) = join(context, pattern) else { return };
        for path in gather.files.glob(&pattern).iter().take(8) {
            if let Inside::File(id) = gather.load(path) {
                let text = gather.files.sources.share(id);
                gather.sources_seen = true;
                let told = [
                    "UseUrls",
                    "ListenAnyIP",
                    "ListenLocalhost",
                    ".Urls.Add",
                    "app.Run(\"http",
                    "UseKestrel",
                    "ConfigureKestrel",
                ];
                gather.open |= told.iter().any(|word| text.text().contains(word));
            }
        }
    }
}

/// The image that runs in the end: the one that is named, or the one that the Dockerfile begins with.
pub(super) fn base(gather: &Gather<'_, '_>) -> Option<Text> {
    match &gather.evidence.built {
        Some(built) => built.base.clone(),
        None => gather.evidence.image.clone(),
    }
}

/// The ports that a health check asks on its own loopback, and what it calls for that.
pub(super) fn health(gather: &mut Gather<'_, '_>, check: &HealthCheck) -> Option<Box<OwnCheck>> {
    let HealthCheck::Runs(command, written) = check else { return None };
    let texts: Vec<Text> = match command {
        Command::Words(words) => words.clone(),
        Command::Shell(text) | Command::Split(text) => vec![text.clone()],
    };
    let manner = Manner { spoken: None, weight: Weight::Strong, port: None };
    let mut asks = Vec::new();
    for text in &texts {
        for (port, spoken, range) in asked(&text.text, |name| gather.variable(name).0) {
            let site = super::sites::part(&gather.files.sources, text, range.clone());
            let words = says("the health check", text.text.get(range).unwrap_or("").trim());
            let words = words.replacen("says", "asks", 1);
            gather.claim(Listens::Port(port), Bind::Unknown, Manner { spoken, ..manner }, site, words);
            asks.push((port, site));
        }
    }
    // Servers of Java, .NET and Node.js often have a port for checks alone.
    let one_port = gather.program.is_some_and(|(program, _)| {
        program.bind != servers::UsualBind::Told
            && program.checked.is_some()
            && !std::ptr::eq(program, &servers::TOMCAT)
    });
    Some(Box::new(OwnCheck { site: *written, asks, one_port, lacks: lacking(gather, command) }))
}

/// The program that a health check calls, where its image comes without it and nothing brings it.
fn lacking(gather: &Gather<'_, '_>, command: &Command) -> Option<(Box<str>, Site, Box<str>)> {
    let lookup = |_: &str| Variable::Unknown;
    let whole = match command {
        Command::Words(words) => words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" "),
        Command::Shell(text) | Command::Split(text) => text.text.to_string(),
    };
    let fallbacks = whole.split("||").skip(1);
    // Another program may be tried when the first is not there.
    let ends = |part: &str| matches!(part.split_whitespace().next(), Some("exit" | "false" | "kill"));
    if !fallbacks.into_iter().all(ends) || whole.contains(HOLE) {
        return None;
    }
    let lines = lines::lines(&gather.files.sources, command, &lookup);
    let first = lines.first()?;
    let tool = first.program();
    let image = base(gather)?;
    if !images::lacks(image.known()?, tool) {
        return None;
    }
    let built = gather.evidence.built.as_ref();
    let brought = built.is_some_and(|built| {
        built.runs.iter().any(|run| run.text.contains(tool) || run.text.contains(HOLE))
            || built.copies.iter().any(|copied| copied.to.contains("/bin"))
    }) || gather.evidence.mounts.iter().any(|(_, to)| to.contains("/bin"));
    let site = first.words.first()?.site;
    (!brought).then(|| (tool.into(), site, image.text.clone()))
}

/// Addresses of the own loopback in a text: port, protocol, and where.
fn asked(text: &str, lookup: impl Fn(&str) -> Variable) -> Vec<(u16, Option<Spoken>, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    for host in ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"] {
        for (at, _) in text.match_indices(host).take(16) {
            let before = text.get(..at).unwrap_or("");
            let after = text.get(at + host.len()..).unwrap_or("");
            let (spoken, start) = if before.ends_with("https://") {
                (Some(Spoken::Https), at - 8)
            } else if before.ends_with("http://") {
                (Some(Spoken::Http), at - 7)
            } else if before.ends_with("://") {
                // Some other protocol with a port of its own.
                continue;
            } else {
                (None, at)
            };
            let separated = after.strip_prefix(':').or_else(|| after.strip_prefix(' ').filter(|_| spoken.is_none()));
            let length = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let port = match separated {
                Some(rest) if rest.starts_with('$') => {
                    let name = rest.trim_start_matches(['$', '{']);
                    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
                    match lookup(name.get(..end).unwrap_or("")) {
                        Variable::Is(value) => value.parse().ok().map(|port| (port, at + host.len() + 1)),
                        _ => None,
                    }
                }
                Some(rest) => {
                    let digits = length(rest);
                    rest.get(..digits)
                        .and_then(|digits| digits.parse().ok())
                        .map(|port| (port, at + host.len() + 1 + digits))
                }
                None if after.starts_with(HOLE) => None,
                None => match spoken {
                    Some(Spoken::Https) => Some((443, at + host.len())),
                    Some(_) => Some((80, at + host.len())),
                    None => None,
                },
            };
            if let Some((port, end)) = port.filter(|(port, _)| *port > 0) {
                found.push((port, spoken, start..end));
            }
        }
    }
    found
}

/// `EXPOSE` of the image that is built, and the ports of a popular image.
pub(super) fn image(gather: &mut Gather<'_, '_>) {
    let evidence = gather.evidence;
    if let Some(built) = &evidence.built {
        for (port, site) in &built.exposed {
            let manner = Manner { spoken: None, weight: Weight::Medium, port: None };
            let words = format!("its Dockerfile says `EXPOSE {port}`");
            gather.claim(Listens::Port(*port), Bind::Unknown, manner, *site, words);
        }
    }
    let Some(reference) = base(gather) else { return };
    let Some(name) = reference.known() else { return };
    let Some(facts) = images::image(name) else { return };
    let spoken = match facts.speaks {
        Some(ImageProtocol::Http) => Some(Spoken::Http),
        Some(ImageProtocol::Fastcgi) => Some(Spoken::Fastcgi),
        Some(ImageProtocol::Other) => Some(Spoken::Other),
        None => None,
    };
    let replaced = evidence.built.as_ref().is_some_and(|built| built.command.is_some() || built.entrypoint.is_some());
    // These images are set up for whatever program of their kind runs in them.
    let dotnet = matches!(facts.repository, "dotnet/aspnet" | "dotnet/core/aspnet");
    if dotnet && (gather.decided || gather.claims.iter().any(|claim| claim.weight >= Weight::Source)) {
        return;
    }
    if replaced && facts.repository != "php" && !dotnet {
        // Another program runs in it; the ports of the image say nothing of that one.
        return;
    }
    if facts.repository == "tomcat" && gather.decided {
        // Its own file says where it listens.
        return;
    }
    if facts.repository == "php" && gather.decided {
        // Its own pools say where it listens.
        return;
    }
    let built_as_it_was = evidence.built.as_ref().is_none_or(|built| {
        built.copies.iter().all(|copied| !is_configuration(&copied.to))
            && built.environment.iter().all(|(name, _)| !says_where(name))
            && built.runs.iter().all(|run| !run.text.contains("listen") && !run.text.contains("port"))
    });
    let untouched = built_as_it_was
        && evidence.command.is_none()
        && evidence.entrypoint.is_none()
        && evidence.environment.iter().all(|(name, _)| !says_where(name))
        && !evidence.environment_open
        && evidence.mounts.iter().all(|(_, to)| !is_configuration(to));
    let weight = match (facts.checked, untouched) {
        // Its variable decides, and the program's source was seen to say nothing else.
        (true, _) if dotnet && gather.sources_seen => Weight::Decisive,
        (true, _) if dotnet && !evidence.environment_open => Weight::Strong,
        (true, true) => Weight::Strong,
        (true, false) => Weight::Medium,
        (false, _) => Weight::Weak,
    };
    let bind = Bind::Any;
    for &port in &facts.ports {
        let words = format!("the image `{}` listens on port {port}", crate::source::clean(name));
        gather.claim(Listens::Port(port), bind, Manner { spoken, weight, port: None }, reference.site, words);
    }
    if facts.repository == "php" && facts.tag == Some("fpm") {
        gather.serves(&servers::PHP_FPM, reference.site);
    }
    if facts.repository == "httpd" || facts.repository == "php" && facts.tag == Some("apache") {
        gather.serves(&servers::HTTPD, reference.site);
    }
    if facts.repository == "dotnet/aspnet" {
        gather.serves(&servers::KESTREL, reference.site);
    }
}

/// Whether a variable's name sounds as if it decided where something listens.
fn says_where(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["PORT", "ADDR", "LISTEN", "BIND", "URL"].iter().any(|word| name.contains(word))
}

/// Whether a mount may replace a program's configuration.
fn is_configuration(path: &str) -> bool {
    let suffixes = [".conf", ".cnf", ".ini", ".cfg", ".yml", ".yaml", ".json", ".toml", ".xml", ".properties"];
    path.starts_with("/etc") || suffixes.iter().any(|suffix| path.ends_with(suffix)) || path.contains("conf")
}

/// The folder of the repository that the workload's image is built from: where its sources lie, as far as they are known.
pub(super) fn context(gather: &mut Gather<'_, '_>) -> Option<String> {
    let evidence = gather.evidence;
    if let Some(folder) = &evidence.folder {
        return Some(folder.to_string());
    }
    let built = evidence.built.as_ref()?;
    let whole = built.copies.iter().find_map(|copied| copied.from.as_deref().filter(|_| copied.to.ends_with('/')));
    whole.map(str::to_owned).or_else(|| built.context.clone().map(String::from))
}
