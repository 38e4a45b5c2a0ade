//! Command lines of Node.js and its tools, `package.json`, PM2.

use super::gather::{Family, Gather, Inside, Manner, says};
use super::lines::{self, Line, base_name, given, last};
use super::programs::{HTTP, generic, line as start, told};
use crate::defaults::servers;
use crate::source::{FileId, Site};
use crate::syntax::words::{Command, Text, Variable};
use crate::syntax::yaml;
use crate::topology::{Bind, Listens, Spoken, Weight};

/// Longest source file that is looked at.
const MAX_SOURCE: usize = 256 * 1024;

/// Handles a line whose program is one of Node.js's; `false` when it is none.
pub(super) fn handle(gather: &mut Gather<'_, '_>, line: &Line) -> bool {
    let arguments = line.arguments();
    let Some(first) = line.words.first() else { return false };
    let at = first.site;
    let second = arguments.first().map(|word| &*word.text);
    match (line.program(), second) {
        ("npm" | "pnpm" | "yarn" | "bun", Some("run" | "run-script")) => {
            if let Some(name) = arguments.get(1) {
                package_script(gather, &name.text, at);
            }
        }
        ("npm" | "pnpm" | "yarn", Some(name @ ("start" | "dev" | "serve" | "preview"))) => {
            package_script(gather, name, at);
        }
        ("yarn" | "pnpm", Some(_)) => {
            // `yarn next start`; what starts itself leads nowhere, however often it is written.
            let line = Line { assignments: Vec::new(), words: arguments.to_vec() };
            if !matches!(line.program(), "yarn" | "pnpm") && handle(gather, &line) {
                return true;
            }
            let name = second.unwrap_or_default().to_owned();
            package_script(gather, &name, at);
        }
        ("node" | "nodejs" | "nodemon" | "ts-node" | "ts-node-dev" | "tsx" | "bun" | "deno" | "node_modules", _) => {
            node(gather, arguments, at);
        }
        ("next", Some("start" | "dev")) => {
            let names: [&[&str]; 2] = [&["-H", "--hostname"], &["-p", "--port"]];
            if let Some(given) = last(arguments, &["--keepAliveTimeout"])
                && let Some(value) = given.value.known()
            {
                let text = Text::new(value, given.value.site);
                gather.server.idle = Some(milliseconds(&text, "--keepAliveTimeout"));
            }
            told(gather, arguments, at, &servers::NEXT, names, [&[], &["PORT"]]);
            gather.family = Some(Family::Node);
        }
        ("nuxt" | "nuxi", Some("start" | "dev" | "preview")) => {
            let names: [&[&str]; 2] = [&["-H", "--host"], &["-p", "--port"]];
            let variables: [&[&str]; 2] = [&["NITRO_HOST", "HOST"], &["NITRO_PORT", "PORT"]];
            told(gather, arguments, at, &servers::NUXT, names, variables);
        }
        ("vite", second) => {
            let program = if second == Some("preview") { &servers::VITE_PREVIEW } else { &servers::VITE };
            if matches!(second, Some("build" | "optimize")) {
                return true;
            }
            vite(gather, arguments, at, program);
        }
        ("ng", Some("serve" | "s")) => {
            // Its own file may say more.
            if let Inside::File(id) = gather.inside("angular.json")
                && gather.files.sources.file(id).text().contains("\"host\"")
            {
                gather.open |= last(arguments, &["--host"]).is_none();
            }
            told(gather, arguments, at, &servers::ANGULAR, [&["--host"], &["--port"]], [&[], &[]]);
        }
        ("http-server", _) => {
            told(gather, arguments, at, &servers::HTTP_SERVER, [&["-a"], &["-p", "--port"]], [&[], &["PORT"]]);
        }
        ("serve", _) => {
            let manner = Manner { spoken: HTTP, weight: Weight::Decisive, port: None };
            let listens = given(arguments, &["-l", "--listen"]);
            for given in &listens {
                gather.listens_as_given(given, manner);
            }
            if listens.is_empty() {
                told(gather, arguments, at, &servers::SERVE, [&[], &["-p"]], [&[], &["PORT"]]);
            } else {
                gather.serves(&servers::SERVE, at);
            }
        }
        ("react-scripts", Some("start")) => {
            gather.family = Some(Family::Node);
            generic(gather, arguments);
        }
        ("pm2-runtime" | "pm2" | "pm2-docker", _) => {
            let file = arguments.iter().find(|word| {
                let text = &*word.text;
                text.ends_with(".js") || text.ends_with(".cjs") || text.ends_with(".json") || text.ends_with(".yml")
            });
            gather.family = Some(Family::Node);
            match file {
                Some(file) if is_ecosystem(&file.text) => match gather.inside(&file.text) {
                    Inside::File(id) => ecosystem(gather, id),
                    _ => gather.open = true,
                },
                Some(file) => source(gather, &file.text.clone()),
                None => {}
            }
        }
        _ => return false,
    }
    true
}

/// `node server.js`: the port is in its source, and mostly in `PORT`.
fn node(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.family = Some(Family::Node);
    gather.serves(&servers::NODE, at);
    // Frameworks that keep idle connections longer are dependencies; where nobody sees them, nothing is known.
    match gather.inside("package.json") {
        Inside::File(id) if !gather.files.sources.file(id).text().contains("fastify") => {}
        _ => gather.server.idle = None,
    }
    if let Some(script) = arguments.iter().find(|word| !word.text.starts_with('-')) {
        match base_name(&script.text) {
            "next" | "vite" | "nuxt" | "http-server" | "serve" | "ng" => {
                let rest = arguments.iter().skip_while(|word| !std::ptr::eq(*word, script)).cloned().collect();
                handle(gather, &Line { assignments: Vec::new(), words: rest });
                return;
            }
            // Next.js makes a server of its own for `output: "standalone"`.
            "server.js" if is_next_standalone(gather) => {
                told(gather, &[], at, &servers::NEXT, [&[], &[]], [&["HOSTNAME"], &["PORT"]]);
                return;
            }
            _ => {
                let path = script.text.to_string();
                source(gather, &path);
            }
        }
    }
    generic(gather, arguments);
}

fn is_next_standalone(gather: &Gather<'_, '_>) -> bool {
    let copies = gather.evidence.built.iter().flat_map(|built| &built.copies);
    copies.into_iter().any(|copied| copied.from.as_deref().is_some_and(|from| from.contains(".next/standalone")))
}

fn vite(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site, program: &'static servers::Program) {
    // `--host` alone means all addresses.
    let alone = arguments.iter().enumerate().find(|(index, word)| {
        &*word.text == "--host" && arguments.get(index + 1).is_none_or(|next| next.text.starts_with('-'))
    });
    let mut words = arguments.to_vec();
    if let Some((index, word)) = alone {
        words.insert(index + 1, Text::new("0.0.0.0", word.site));
    }
    // A file of its own may say more.
    let part = if std::ptr::eq(program, &servers::VITE_PREVIEW) { "preview" } else { "server" };
    for name in ["vite.config.js", "vite.config.ts", "vite.config.mjs", "vite.config.mts"] {
        let Inside::File(id) = gather.inside(name) else { continue };
        match super::sources::vite(gather, id, part) {
            None => gather.open |= last(&words, &["--port"]).is_none() || last(&words, &["--host"]).is_none(),
            Some((host, port)) => {
                // The command decides over the file.
                for (flag, said) in [("--host", host), ("--port", port)] {
                    if let Some(said) = said.filter(|_| last(&words, &[flag]).is_none()) {
                        words.extend([Text::new(flag, said.site), said]);
                    }
                }
            }
        }
        break;
    }
    told(gather, &words, at, program, [&["--host"], &["--port"]], [&[], &[]]);
}

/// A script of `package.json`, one level deep.
fn package_script(gather: &mut Gather<'_, '_>, name: &str, at: Site) {
    gather.family = Some(Family::Node);
    if gather.depth >= 2 {
        return;
    }
    let id = match gather.inside("package.json") {
        Inside::File(id) => id,
        Inside::Missing | Inside::Unknown => return,
    };
    let file = gather.files.sources.share(id);
    let parsed = yaml::parse(file.text());
    let Some(script) = parsed.tree.root().and_then(|root| root.get("scripts")?.get(name)) else {
        if name == "start" {
            gather.serves(&servers::NODE, at);
            source(gather, "server.js");
        }
        return;
    };
    let Some(text) = script.text() else { return };
    let range = script.at();
    let whole = Text::new(text, Gather::in_file(id, range.start as usize..range.end as usize));
    gather.depth += 1;
    let found = {
        let lookup = gather.variables();
        lines::lines(&gather.files.sources, &Command::Shell(whole), &lookup)
    };
    for found in found {
        let mut found = found;
        // `cross-env A=1 next start`
        if found.program() == "cross-env" {
            let assigned = found.words.iter().skip(1).map_while(|word| {
                let (name, value) = word.text.split_once('=')?;
                Some((name.into(), Text::new(value, word.site)))
            });
            let assigned: Vec<_> = assigned.collect();
            found.words.drain(..=assigned.len());
            found.assignments.extend(assigned);
        }
        start(gather, &found);
    }
    gather.depth -= 1;
}

fn is_ecosystem(path: &str) -> bool {
    let name = base_name(path);
    name.contains("ecosystem")
        || name.ends_with(".config.js")
        || name.ends_with(".config.cjs")
        || name.ends_with(".json")
        || name.ends_with(".yml")
}

/// PM2's `ecosystem.config.js`: `PORT: 3000` within an environment, on a line of its own or among others.
pub(super) fn ecosystem(gather: &mut Gather<'_, '_>, id: FileId) {
    let file = gather.files.sources.share(id);
    let name = base_name(file.path()).to_owned();
    let mut start = 0;
    for line in file.text().split_inclusive('\n').take(5000) {
        let mut at = start;
        start += line.len();
        for piece in line.split_inclusive(['{', ',', '}']) {
            let begin = at + (piece.len() - piece.trim_start().len());
            at += piece.len();
            let said = piece.trim_end_matches(['{', ',', '}', ' ', '\t', '\r', '\n']).trim_start();
            // The rest of the line is a comment, or an address that is no number either.
            if said.contains("//") {
                break;
            }
            let key = said.trim_start_matches(['"', '\'']);
            // Ports that are counted up cannot be known.
            gather.open |= key.starts_with("increment_var");
            let Some(value) = key.strip_prefix("PORT").map(|rest| rest.trim_start_matches(['"', '\''])) else {
                continue;
            };
            let Some(value) = value.trim_start().strip_prefix(':') else { continue };
            let site = Gather::in_file(id, begin..begin + said.len());
            let text = super::literals::scalar(gather, value.trim());
            let manner = Manner { spoken: HTTP, weight: Weight::Strong, port: None };
            gather.listens(&text, manner, site, says(&format!("`{name}`"), said));
        }
    }
}

/// The source file that is started. What is built into `dist` lies in `src` of the repository.
fn source(gather: &mut Gather<'_, '_>, path: &str) {
    let candidates = [path.to_owned(), format!("{path}.js"), format!("{path}/index.js")];
    for path in candidates {
        if let Inside::File(id) = gather.inside(&path) {
            read_source(gather, id);
            return;
        }
    }
    let bare = path.trim_start_matches("./");
    let built = ["dist/", "build/", "lib/", "out/"].iter().find_map(|folder| bare.strip_prefix(folder));
    let (Some(built), Some(context)) = (built, super::environment::context(gather)) else { return };
    let name = built.strip_prefix("src/").unwrap_or(built);
    let name = name.strip_suffix(".js").unwrap_or(name);
    if let Some(path) = crate::files::join(&context, &format!("src/{name}.ts"))
        && let Inside::File(id) = gather.load(&path)
    {
        read_source(gather, id);
    }
}

/// What a source file says: `listen(3000)`, and `keepAliveTimeout = …`.
fn read_source(gather: &mut Gather<'_, '_>, id: FileId) {
    let file = gather.files.sources.share(id);
    if file.text().len() > MAX_SOURCE {
        return;
    }
    let name = base_name(file.path()).to_owned();
    let fastify = file.text().contains("fastify");
    if fastify {
        // It keeps idle connections longer than Node.js by itself, and by version.
        gather.server.idle = None;
    }
    // A server of gRPC without TLS speaks nothing but HTTP/2.
    let grpc = file.text().contains("grpc") && file.text().contains("createInsecure()");
    // `const PORT = process.env.PORT || 3000;`
    let mut constants: Vec<(String, String)> = Vec::new();
    let mut listens: Vec<(super::sources::Said, Site, String)> = Vec::new();
    let mut unread = false;
    let mut start = 0;
    for line in file.text().split_inclusive('\n') {
        let at = start;
        start += line.len();
        let trimmed = line.trim();
        if trimmed.starts_with("//") || trimmed.starts_with('*') || trimmed.len() > 500 {
            continue;
        }
        let begin = at + (line.len() - line.trim_start().len());
        let site = Gather::in_file(id, begin..begin + trimmed.len());
        let declared = ["const ", "let ", "var "].iter().find_map(|word| trimmed.strip_prefix(word));
        if let Some((constant, value)) = declared.and_then(|rest| rest.split_once('='))
            && constants.len() < 64
        {
            let value = super::literals::scalar(gather, value.trim().trim_end_matches(';'));
            constants.push((constant.split(':').next().unwrap_or(constant).trim().to_owned(), value));
        }
        if let Some(value) = trimmed
            .split_once("keepAliveTimeout")
            .and_then(|(_, rest)| rest.trim_start().strip_prefix(['=', ':']).filter(|rest| !rest.starts_with('=')))
        {
            let text = value.trim().trim_end_matches([';', ',', '}', ' ']);
            let text = product(text).map_or_else(|| crate::syntax::words::HOLE.to_string(), |value| value.to_string());
            gather.server.idle = Some(milliseconds(&Text::new(text, site), "keepAliveTimeout"));
        }
        if grpc
            && let Some(at) = [".bindAsync(", ".bind("].iter().find_map(|call| Some(trimmed.find(call)? + call.len()))
        {
            // `server.bindAsync('0.0.0.0:50051', …)`
            let call = super::sources::call(trimmed.get(at..).unwrap_or("")).or(trimmed.get(at..)).unwrap_or("");
            let first = call.split(',').next().unwrap_or("").trim();
            let text = constants.iter().rev().find(|(name, _)| name == first);
            let text = text.map_or_else(|| super::literals::scalar(gather, first), |(_, value)| value.clone());
            if let Some((listens, bind)) = super::gather::read_address(&text, None) {
                let manner = Manner { spoken: Some(Spoken::H2c), weight: Weight::Source, port: None };
                gather.claim(listens, bind, manner, site, says(&format!("`{name}`"), trimmed));
            }
        }
        if let Some(open) = trimmed.find(".listen(") {
            // The call may go on over lines.
            let from = begin + open + ".listen(".len();
            let call = super::sources::call(file.text().get(from..).unwrap_or(""));
            let value = |text: &str| {
                let constant = constants.iter().rev().find(|(name, _)| name == text.trim());
                constant.map_or_else(|| super::literals::scalar(gather, text), |(_, value)| value.clone())
            };
            match call.and_then(|call| super::sources::node_listen(call, &value)) {
                Some(said) => listens.push((said, site, trimmed.to_owned())),
                None => unread = true,
            }
        }
    }
    // Where one call cannot be read, it may be the one that counts.
    let weight = if unread { Weight::Weak } else { Weight::Source };
    // Fastify listens on the loopback unless it is told; other frameworks that are used beside it do not.
    let others = ["express", "createServer", "require('http')", "koa"].iter().any(|word| file.text().contains(word));
    for (said, site, line) in listens.into_iter().take(16) {
        let bind = match (said.host.as_deref(), fastify) {
            (Some(host), _) => super::gather::bind_of(host),
            (None, false) => Bind::Any,
            (None, true) if others => Bind::Unknown,
            (None, true) => Bind::LoopbackByDefault,
        };
        let manner = Manner { spoken: None, weight, port: None };
        gather.claim(Listens::Port(said.port), bind, manner, site, says(&format!("`{name}`"), &line));
    }
}

/// A number, or a product of numbers: `65 * 1000`.
fn product(text: &str) -> Option<u64> {
    text.split('*')
        .map(|part| part.trim().replace('_', "").parse::<u64>().ok())
        .try_fold(1u64, |all, part| all.checked_mul(part?))
}

fn milliseconds(text: &Text, spelling: &'static str) -> crate::topology::Setting<crate::value::Wait> {
    use crate::topology::{Reason, Setting};
    use crate::value::Wait;
    match text.known().and_then(|value| value.trim().parse::<u64>().ok()) {
        // Node.js: 0 switches the timeout off.
        Some(0) => Setting::written(Wait::Forever, text.site, spelling),
        Some(value) => Setting::written(Wait::For(std::time::Duration::from_millis(value)), text.site, spelling),
        None => Setting::unknown(Reason::Variable, text.site, spelling),
    }
}

/// The port by custom: `PORT`, for a program of Node.js that decided nothing else.
pub(super) fn by_custom(gather: &mut Gather<'_, '_>) {
    if gather.decided {
        return;
    }
    match gather.variable("PORT") {
        // A program that is known to read it has said so already, with its host.
        (Variable::Is(port), Some(_))
            if gather.claims.iter().any(|claim| {
                claim.weight >= Weight::Source
                    && matches!(claim.at.known(), Some(Listens::Port(known)) if known.to_string() == *port)
            }) => {}
        (Variable::Is(port), Some(site)) => {
            let manner = Manner { spoken: None, weight: Weight::Strong, port: None };
            gather.listens(&port, manner, site, says("the environment", &format!("PORT={port}")));
        }
        (Variable::Unknown, _) => gather.open = true,
        _ => {}
    }
}
