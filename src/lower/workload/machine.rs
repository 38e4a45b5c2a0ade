//! Programs of a machine, as a repository describes them without containers: systemd units and sockets, Procfiles,
//! supervisor, php-fpm pools, and servers' own files.

use super::gather::{Gather, read_address};
use super::lines::base_name;
use super::{Evidence, Learned, fpm, learn, literals, uwsgi};
use crate::defaults::servers;
use crate::files::{Files, Loaded, folder};
use crate::source::{FileId, Site};
use crate::syntax::ini::{self, Entry};
use crate::syntax::words::{Command, HOLE, Text, Variable};
use crate::topology::{
    Claim, Known, Listens, Namespace, Project, ProjectId, ProjectKind, Reason, Server, SocketAccess, Topology, Weight,
    Workload,
};
use std::collections::{HashMap, HashSet};

/// Longest description that is read.
const MAX_BYTES: usize = 256 * 1024;

/// Whether a path's name says that the file describes a program of a machine. It is not read for that.
#[must_use]
pub fn is_machine_path(path: &str) -> bool {
    let name = base_name(path);
    let within = |part: &str| folder(path).split('/').any(|folder| folder == part);
    name.ends_with(".service")
        || name.ends_with(".socket")
        || name == "Procfile"
        || name == "gunicorn.conf.py"
        || name == "supervisord.conf"
        || name.ends_with(".ini") && name.contains("uwsgi")
        || name.ends_with(".conf")
            && (within("php-fpm.d")
                || within("pool.d")
                || name.contains("fpm")
                || name == "www.conf"
                || within("supervisor"))
}

/// Lowers what describes programs of a machine. Each becomes a workload of one project.
pub fn lower(files: &mut Files<'_>, topology: &mut Topology) {
    let paths = files.deployments();
    let mut found = Vec::new();
    let mut first = None;
    let sockets: HashSet<&str> = paths.iter().filter_map(|path| base_name(path).strip_suffix(".socket")).collect();
    for path in paths.iter().filter(|path| is_machine_path(path)) {
        let Loaded::File(id) = files.load_text(path) else { continue };
        let source = files.sources.share(id);
        if source.text().len() > MAX_BYTES {
            continue;
        }
        first.get_or_insert(id);
        let name = base_name(path);
        if name.ends_with(".service") {
            found.extend(service(files, id, &sockets));
        } else if name.ends_with(".socket") {
            found.extend(socket(files, id));
        } else if name == "Procfile" {
            procfile(files, id, &mut found);
        } else if name == "gunicorn.conf.py" {
            found.extend(gunicorn(files, id).map(|found| Found { runs: false, ..found }));
        } else if name.ends_with(".ini") {
            let evidence = at_home(path);
            let mut gather = Gather::new(files, &evidence);
            uwsgi::file(&mut gather, id);
            let learned = taken(gather);
            let made = made(name.trim_end_matches(".ini"), Gather::in_file(id, 0..0), learned);
            found.extend(made.map(|found| Found { runs: false, ..found }));
        } else if fpm::is_pool(source.text()) {
            pools(files, id, &mut found);
        } else {
            supervisor(files, id, &mut found);
        }
    }
    let Some(file) = first.filter(|_| !found.is_empty()) else { return };
    let project = topology.projects.push(Project {
        kind: ProjectKind::Machine,
        file,
        workloads: Vec::new(),
        // Packages bring units of their own.
        whole: false,
        guessed: false,
        shares: false,
    });
    for found in found {
        let workload = workload(project, found);
        let id = topology.workloads.push(workload);
        topology.projects[project].workloads.push(id);
    }
}

/// Evidence for a program that starts in the folder of its file.
fn at_home(path: &str) -> Evidence {
    Evidence { folder: Some(folder(path).into()), ..Evidence::default() }
}

fn taken(gather: Gather<'_, '_>) -> Learned {
    Learned {
        claims: gather.claims,
        claims_open: gather.open,
        server: gather.server,
        health: Known::Unknown(Reason::OutsideRepository),
    }
}

/// A program that was found.
struct Found {
    name: Box<str>,
    site: Site,
    learned: Learned,
    restart: Known<bool>,
    /// Whether something says that it runs on this machine.
    runs: bool,
}

/// A program, when anything is known of it.
fn made(name: &str, site: Site, learned: Learned) -> Option<Found> {
    if learned.claims.is_empty() && !learned.claims_open {
        return None;
    }
    Some(Found { name: name.into(), site, learned, restart: Known::Unknown(Reason::OutsideRepository), runs: true })
}

fn workload(project: ProjectId, found: Found) -> Workload {
    Workload {
        project,
        name: found.name,
        site: found.site,
        aliases: Vec::new(),
        own_names: Vec::new(),
        namespace: Namespace::Host(found.site),
        networks: Known::Unknown(Reason::OutsideRepository),
        claims: found.learned.claims,
        claims_open: found.learned.claims_open,
        published: Vec::new(),
        proxies: Vec::new(),
        server: found.learned.server,
        depends_on: Vec::new(),
        restart: found.restart,
        health: found.learned.health,
        profiles: Vec::new(),
        replicas: if found.runs { Known::Yes(1) } else { Known::Unknown(Reason::OutsideRepository) },
        fixed_address: true,
        many: false,
        waits: false,
    }
}

/// The last value of a key, where an empty one takes back what was said before.
fn last<'e>(entries: &'e [Entry<'e>], section: &str, key: &str) -> Vec<&'e Entry<'e>> {
    let mut found: Vec<&Entry<'_>> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.section == section && entry.key == key) {
        if entry.value.is_empty() {
            found.clear();
        } else {
            found.push(entry);
        }
    }
    found
}

/// A systemd service.
fn service(files: &mut Files<'_>, id: FileId, sockets: &HashSet<&str>) -> Option<Found> {
    let file = files.sources.share(id);
    let path = file.path().to_owned();
    let stem = path.strip_suffix(".service")?;
    let entries = ini::entries(file.text(), ini::Kind::Unit);
    let start = *last(&entries, "Service", "ExecStart").last()?;
    let mut evidence = at_home(&path);
    for entry in last(&entries, "Service", "Environment") {
        let site = Gather::in_file(id, entry.range.clone());
        for word in crate::syntax::words::split(entry.value) {
            if let Some((name, value)) = word.text.split_once('=') {
                let value = if value.contains(['%', '{']) { HOLE.to_string() } else { value.to_owned() };
                evidence.environment.push((name.into(), Text::new(value, site)));
            }
        }
    }
    evidence.environment_open = !last(&entries, "Service", "EnvironmentFile").is_empty();
    // `%i` and its kin are filled in by systemd; `-@:+!` before the program are for systemd, too.
    let value = start.value.trim_start_matches(['-', '@', ':', '+', '!']);
    let skipped = start.value.len() - value.len();
    let range = start.value_range.start + skipped..start.value_range.end;
    let unit_site = Gather::in_file(id, range);
    let lookup = {
        let variables: HashMap<String, Variable> = evidence
            .environment
            .iter()
            .map(|(name, text)| {
                let value = text.known().map_or(Variable::Unknown, |value| Variable::Is(value.into()));
                (name.to_string(), value)
            })
            .collect();
        move |name: &str| variables.get(name).cloned().unwrap_or(Variable::Unknown)
    };
    let whole = Text::new(value, unit_site);
    let words: Vec<Text> = super::lines::split(&files.sources, &whole)
        .into_iter()
        .map(|word| {
            let mut value = crate::syntax::words::expand(&word.text, &lookup);
            if let Some(at) = value.find('%') {
                value.replace_range(at.., &HOLE.to_string());
            }
            Text::new(value, word.site)
        })
        .collect();
    // A program that systemd hands its sockets to does not decide where it listens.
    let handed = sockets.contains(base_name(stem));
    evidence.command = Some(Command::Words(words));
    let mut learned = learn(files, &evidence);
    if handed {
        learned.claims.clear();
        learned.claims_open = true;
    }
    learned.claims.retain(|claim| claim.weight > Weight::Weak);
    let user = last(&entries, "Service", "User");
    let group = last(&entries, "Service", "Group");
    let named = |entries: &[&Entry<'_>]| {
        entries.last().map(|entry| (Box::<str>::from(entry.value), Gather::in_file(id, entry.range.clone())))
    };
    for claim in &learned.claims {
        if let Known::Yes(Listens::Socket(path)) = &claim.at
            && !learned.server.sockets.iter().any(|socket| socket.path == *path)
        {
            // The program's own mask decides about the bits.
            learned.server.sockets.push(SocketAccess {
                path: path.clone(),
                owner: named(&user),
                group: named(&group),
                mode: None,
                more: true,
            });
        }
    }
    let private = last(&entries, "Service", "PrivateTmp");
    let private = private.last().filter(|entry| matches!(entry.value, "yes" | "true" | "on" | "1"));
    learned.server.private_tmp = private.map(|entry| Gather::in_file(id, entry.range.clone()));
    let restart = last(&entries, "Service", "Restart").last().is_some_and(|entry| entry.value != "no");
    let name = base_name(stem).to_owned();
    let header = Gather::in_file(id, start.range.clone());
    let mut found = made(&name, header, learned)?;
    // A drop-in may say otherwise; what runs once ends by itself.
    let once = last(&entries, "Service", "Type").last().is_some_and(|entry| entry.value == "oneshot");
    let unclear = once || files.exists(&format!("{}.d", file.path()));
    found.restart = match restart || !unclear {
        true => Known::Yes(restart),
        false => Known::Unknown(Reason::OutsideRepository),
    };
    Some(found)
}

/// A systemd socket: it decides where the service of its name listens.
fn socket(files: &mut Files<'_>, id: FileId) -> Option<Found> {
    let file = files.sources.share(id);
    let name = base_name(file.path()).strip_suffix(".socket")?.to_owned();
    let entries = ini::entries(file.text(), ini::Kind::Unit);
    let mut learned = Learned {
        claims: Vec::new(),
        claims_open: false,
        server: Server::default(),
        health: Known::Unknown(Reason::OutsideRepository),
    };
    let named = |key: &str| {
        last(&entries, "Socket", key)
            .last()
            .map(|entry| (Box::<str>::from(entry.value), Gather::in_file(id, entry.range.clone())))
    };
    let streams = last(&entries, "Socket", "ListenStream");
    for entry in &streams {
        let site = Gather::in_file(id, entry.range.clone());
        let value = if entry.value.contains('%') { HOLE.to_string() } else { entry.value.to_owned() };
        let Some((at, bind)) = read_address(&value, None) else {
            learned.claims_open = true;
            continue;
        };
        if let Listens::Socket(path) = &at {
            let mode = named("SocketMode").and_then(|(mode, site)| Some((u32::from_str_radix(&mode, 8).ok()?, site)));
            learned.server.sockets.push(SocketAccess {
                path: path.clone(),
                owner: named("SocketUser"),
                group: named("SocketGroup"),
                // systemd's own default lets everybody in.
                more: mode.is_none(),
                mode,
            });
        }
        learned.claims.push(Claim {
            at: Known::Yes(at),
            bind,
            spoken: None,
            weight: Weight::Decisive,
            site,
            words: format!("`{name}.socket` says `ListenStream={}`", crate::source::clean(entry.value)).into(),
        });
    }
    let site = streams.first().map(|entry| Gather::in_file(id, entry.range.clone()))?;
    made(&name, site, learned)
}

/// A Procfile: `web: command`. Where it runs gives `PORT`.
fn procfile(files: &mut Files<'_>, id: FileId, found: &mut Vec<Found>) {
    let file = files.sources.share(id);
    let mut start = 0;
    for line in file.text().split_inclusive('\n').take(100) {
        let at = start;
        start += line.len();
        let Some((name, command)) = line.split_once(':') else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            continue;
        }
        let trimmed = command.trim();
        let begin = at + name.len() + 1 + (command.len() - command.trim_start().len());
        let site = Gather::in_file(id, begin..begin + trimmed.len());
        let mut evidence = at_home(file.path());
        evidence.environment.push(("PORT".into(), Text::new(HOLE.to_string(), site)));
        evidence.command = Some(Command::Shell(Text::new(trimmed, site)));
        let mut learned = learn(files, &evidence);
        learned.claims.retain(|claim| claim.weight > Weight::Weak);
        found.extend(made(name, site, learned).map(|found| Found { runs: false, ..found }));
    }
}

/// `gunicorn.conf.py` by itself.
fn gunicorn(files: &mut Files<'_>, id: FileId) -> Option<Found> {
    let path = files.sources.file(id).path().to_owned();
    let evidence = at_home(&path);
    let gather = Gather::new(files, &evidence);
    let settings = literals::python(&gather, id);
    if settings.all("bind").is_empty() {
        return None;
    }
    let site = Gather::in_file(id, 0..0);
    let mut evidence = at_home(&path);
    // As if it were started in its own folder.
    evidence.command = Some(Command::Words(vec![Text::new("gunicorn", site)]));
    let learned = learn(files, &evidence);
    let site = learned.claims.first().map_or(site, |claim| claim.site);
    made("gunicorn", site, learned)
}

/// php-fpm's pools, each a workload.
fn pools(files: &mut Files<'_>, id: FileId, found: &mut Vec<Found>) {
    let file = files.sources.share(id);
    let evidence = at_home(file.path());
    let entries = ini::entries(file.text(), ini::Kind::Pool);
    let mut sections: Vec<&str> = Vec::new();
    for entry in &entries {
        if entry.section != "global"
            && !entry.section.is_empty()
            && !sections.contains(&entry.section)
            && sections.len() < 64
        {
            sections.push(entry.section);
        }
    }
    for section in sections {
        let mut gather = Gather::new(files, &evidence);
        gather.serves(&servers::PHP_FPM, Gather::in_file(id, 0..0));
        fpm::section(&mut gather, id, section);
        let learned = taken(gather);
        let site = learned.claims.first().map_or_else(|| Gather::in_file(id, 0..0), |claim| claim.site);
        found.extend(made(section, site, learned));
    }
}

/// supervisor's programs, each a workload.
fn supervisor(files: &mut Files<'_>, id: FileId, found: &mut Vec<Found>) {
    let file = files.sources.share(id);
    let entries = ini::entries(file.text(), ini::Kind::Pool);
    for entry in entries.iter().filter(|entry| entry.key == "command").take(64) {
        let Some(name) = entry.section.strip_prefix("program:") else { continue };
        let site = Gather::in_file(id, entry.value_range.clone());
        let mut evidence = at_home(file.path());
        let value = entry.value.replace("%%", "%");
        // `%(ENV_X)s` is filled in by supervisor.
        let value = if value.contains("%(") { HOLE.to_string() } else { value };
        evidence.command = Some(Command::Split(Text::new(value, site)));
        let mut learned = learn(files, &evidence);
        learned.claims.retain(|claim| claim.weight > Weight::Weak);
        found.extend(made(name, site, learned));
    }
}

#[cfg(test)]
mod tests {
    use super::is_machine_path;

    #[test]
    fn names_that_speak_of_programs() {
        for path in ["a/app.service", "Procfile", "php/php-fpm.d/www.conf", "files/fpm.conf", "docker/uwsgi.ini"] {
            assert!(is_machine_path(path), "{path}");
        }
        for path in ["nginx.conf", "conf.d/app.conf", "setup.ini", "app.service.md", "x/Procfile.dev"] {
            assert!(!is_machine_path(path), "{path}");
        }
    }
}
