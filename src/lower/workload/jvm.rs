//! Java: flags and Spring's `application.properties`, `application.yml`.

use super::gather::{Family, Gather, Inside, Manner, says};
use super::lines::{base_name, last};
use super::programs::HTTP;
use crate::defaults::servers;
use crate::files::join;
use crate::source::FileId;
use crate::syntax::words::{HOLE, Text, Variable};
use crate::syntax::yaml;
use crate::topology::Weight;

/// The settings of Spring Boot, Quarkus and Micronaut that say where they listen.
const PORTS: [&str; 3] = ["server.port", "quarkus.http.port", "micronaut.server.port"];

const MANNER: Manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: None };

/// `java … -jar app.jar …`.
pub(super) fn java(gather: &mut Gather<'_, '_>, arguments: &[Text]) {
    gather.family = Some(Family::Java);
    let flag = last(arguments, &["--server.port"]).or_else(|| last(arguments, &["-Dserver.port"]));
    if let Some(given) = flag {
        gather.listens_as_given(&given, MANNER);
    } else if arguments.iter().any(|word| word.text.starts_with(HOLE)) {
        // `java $JAVA_OPTS -jar`: memory in most cases, and a port in some.
        gather.open |= arguments
            .iter()
            .position(|word| &*word.text == "-jar")
            .is_none_or(|jar| arguments.iter().skip(jar).any(|word| word.text.starts_with(HOLE)));
    }
    for word in arguments {
        if word.text.starts_with("-Dspring.config.location") || word.text.starts_with("--spring.config.location") {
            gather.open = true;
        }
    }
}

/// What Spring reads when no flag decides: `SERVER_PORT`, then its files in the build context.
pub(super) fn spring(gather: &mut Gather<'_, '_>, context: &str) {
    if gather.decided {
        return;
    }
    if let Some(port) = gather.deciding("SERVER_PORT") {
        let manner = Manner { weight: Weight::Strong, ..MANNER };
        gather.listens(&port.text, manner, port.site, says("the environment", &format!("SERVER_PORT={}", port.text)));
        return;
    }
    let Some(folder) = join(context, "src/main/resources") else { return };
    let mut found = None;
    for pattern in ["application*.properties", "application*.yml", "application*.yaml"] {
        for path in gather.files.glob(&format!("{folder}/{pattern}")).iter().take(16) {
            let Inside::File(id) = gather.load(path) else { continue };
            found.get_or_insert(id);
            if path.ends_with(".properties") { properties(gather, id) } else { document(gather, id) }
        }
    }
    if let Some(id) = found {
        gather.serves(&servers::SPRING, Gather::in_file(id, 0..0));
    }
}

/// `${PORT:8080}`.
fn placeholder(gather: &Gather<'_, '_>, value: &str) -> String {
    let Some(inside) = value.trim().strip_prefix("${").and_then(|value| value.strip_suffix('}')) else {
        return if value.contains("${") || value.contains('@') { HOLE.to_string() } else { value.trim().to_owned() };
    };
    let (name, default) = inside.split_once(':').map_or((inside, None), |(name, default)| (name, Some(default)));
    match (gather.variable(name).0, default) {
        (Variable::Is(value), _) => value.into(),
        (Variable::Unset, Some(default)) if !default.contains('$') => default.to_owned(),
        _ => HOLE.to_string(),
    }
}

fn say(gather: &mut Gather<'_, '_>, id: FileId, range: std::ops::Range<usize>, value: &str) {
    let name = base_name(gather.files.sources.file(id).path()).to_owned();
    let port = placeholder(gather, value);
    if port == "0" || port == "-1" {
        gather.open = true;
        return;
    }
    let words = says(&format!("`{name}`"), &format!("server.port: {value}"));
    gather.listens(&port, MANNER, Gather::in_file(id, range), words);
}

fn properties(gather: &mut Gather<'_, '_>, id: FileId) {
    let file = gather.files.sources.share(id);
    let mut start = 0;
    for line in file.text().split_inclusive('\n') {
        let at = start;
        start += line.len();
        let trimmed = line.trim();
        let Some((key, value)) = trimmed.split_once(['=', ':']) else { continue };
        if PORTS.contains(&key.trim()) {
            let begin = at + (line.len() - line.trim_start().len());
            say(gather, id, begin..begin + trimmed.len(), value.trim());
        }
    }
}

fn document(gather: &mut Gather<'_, '_>, id: FileId) {
    let file = gather.files.sources.share(id);
    let parsed = yaml::parse(file.text());
    let mut found = Vec::new();
    for root in parsed.tree.documents().take(16) {
        let mut ports = Vec::new();
        for name in PORTS {
            // `server.port`, or each part a level of its own.
            ports.extend(root.get(name));
            ports.extend(name.split('.').try_fold(root, |at, part| at.get(part)));
        }
        for port in ports {
            if let Some(text) = port.text() {
                found.push((port.at().start as usize..port.at().end as usize, text.to_owned()));
            }
        }
    }
    for (range, text) in found {
        say(gather, id, range, &text);
    }
}
