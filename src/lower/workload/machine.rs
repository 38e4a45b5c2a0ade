//! Programs of a machine, as a repository describes them without containers: systemd units and sockets, Procfiles,
//! supervisor, php-fpm pools, and servers' own files.

use super::gather::{Gather, read_address};
use super::lines::base_name;
use super::{Evidence, Learned, Room, fpm, learn, literals, uwsgi};
use crate::defaults::servers;
use crate::files::{Files, Loaded, folder, plain_run};
use crate::source::{FileId, Site, SourceFile};
use crate::syntax::ini::{self, Entry};
use crate::syntax::words::{Command, HOLE, Text, Variable};
use crate::topology::{
    Claim, Known, Listens, Namespace, Project, ProjectId, ProjectKind, Reason, Server, SocketAccess, Spoken, Topology,
    Weight, Workload,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Longest description that is read.
const MAX_BYTES: usize = 256 * 1024;

/// Whether a path's name says that the file describes a program of a machine. It is not read for that.
#[must_use]
pub fn is_machine_path(path: &str) -> bool {
    let name = plain_name(path);
    let within = |known: &[&str]| folder(path).split('/').any(|folder| known.contains(&folder));
    let supervisor = || name.contains("supervisor") || within(&["supervisor", "supervisord.d", "supervisor.d"]);
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "service" | "socket" => true,
        "conf" => {
            unit_of(path).is_some()
                || name.contains("fpm")
                || name == "www.conf"
                || within(&["tmpfiles.d", "php-fpm.d", "pool.d"])
                || supervisor()
        }
        "ini" => name.contains("uwsgi") || supervisor(),
        "py" => name == "gunicorn.conf.py",
        "rb" => is_ruby(path),
        "js" | "cjs" | "json" => is_ecosystem(name),
        _ => name == "Procfile",
    }
}

/// A file's name, without the ending of a template.
fn plain_name(path: &str) -> &str {
    let name = base_name(path);
    [".j2", ".erb", ".tmpl", ".tpl", ".template"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// What puma and unicorn are told, where frameworks and deployments keep it.
fn is_ruby(path: &str) -> bool {
    let name = plain_name(path);
    matches!(name, "puma.rb" | "unicorn.rb")
        || name == "production.rb" && matches!(base_name(folder(path)), "puma" | "unicorn")
}

/// What PM2 is told.
fn is_ecosystem(name: &str) -> bool {
    matches!(name, "ecosystem.config.js" | "ecosystem.config.cjs" | "ecosystem.json" | "pm2.config.js" | "pm2.json")
}

/// The unit that a drop-in adds to: `app.service` for `app.service.d/x.conf`.
fn unit_of(path: &str) -> Option<&str> {
    base_name(folder(path)).strip_suffix(".d").filter(|unit| unit.ends_with(".service") || unit.ends_with(".socket"))
}

/// What stands around the units of a repository.
struct Around<'p> {
    /// The units to which systemd hands sockets, without their ending.
    sockets: HashSet<&'p str>,
    /// How many units have each name.
    named: HashMap<&'p str, usize>,
    /// Drop-ins, in order, by the unit that they add to.
    drop_ins: HashMap<&'p str, Vec<&'p String>>,
    /// Folders that somebody makes below `/run`: all that `tmpfiles.d` says, and each `RuntimeDirectory` of a unit.
    made: String,
    room: Room,
}

impl Around<'_> {
    /// A unit's own entries, then those of its drop-ins.
    fn entries(&self, files: &mut Files<'_>, id: FileId) -> Vec<(FileId, Arc<SourceFile>)> {
        let file = files.sources.share(id);
        let path = file.path().to_owned();
        let mut found = vec![(id, file)];
        let name = plain_name(&path);
        let mut beside: Vec<&String> = self.drop_ins.get(name).into_iter().flatten().copied().collect();
        if self.named.get(name) != Some(&1) {
            beside.retain(|one| folder(folder(one)) == folder(&path));
        }
        beside.sort_by_key(|one| base_name(one));
        for one in beside.into_iter().take(64) {
            if let Loaded::File(id) = files.load_text(one) {
                found.push((id, files.sources.share(id)));
            }
        }
        found
    }
}

/// Lowers what describes programs of a machine. Each becomes a workload of one project.
pub fn lower(files: &mut Files<'_>, topology: &mut Topology) {
    let paths = files.deployments();
    let mut found = Vec::new();
    let mut first = None;
    let around = around(files, paths);
    for path in paths.iter().filter(|path| is_machine_path(path)) {
        if unit_of(path).is_some() || folder(path).split('/').any(|folder| folder == "tmpfiles.d") {
            continue;
        }
        let Loaded::File(id) = files.load_text(path) else { continue };
        let source = files.sources.share(id);
        if source.text().len() > MAX_BYTES {
            continue;
        }
        first.get_or_insert(id);
        let name = plain_name(path);
        if name.ends_with(".service") {
            found.extend(service(files, id, &around));
        } else if is_ruby(path) {
            found.extend(ruby(files, id));
        } else if is_ecosystem(name) {
            found.extend(pm2(files, id));
        } else if name.ends_with(".socket") {
            found.extend(socket(files, id, &around));
        } else if name == "Procfile" {
            procfile(files, id, &mut found);
        } else if name == "gunicorn.conf.py" {
            found.extend(gunicorn(files, id).map(|found| Found { runs: false, ..found }));
        } else if name.ends_with(".ini") && name.contains("uwsgi") {
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
    for claim in found.iter_mut().flat_map(|found| &mut found.learned.claims) {
        if claim.spoken == Some(Spoken::Http) && super::holds_tls(files, claim.site.span.file) {
            claim.spoken = None;
        }
    }
    hand_over(&mut found);
    let Some(file) = first.filter(|_| !found.is_empty()) else { return };
    let project = topology.projects.push(Project {
        kind: ProjectKind::Machine,
        file,
        workloads: Vec::new(),
        // Packages bring units of their own.
        whole: false,
        guessed: false,
        shares: false,
        folder: "".into(),
        sampled: Vec::new(),
    });
    for found in found {
        let workload = workload(project, found);
        let id = topology.workloads.push(workload);
        topology.projects[project].workloads.push(id);
    }
}

/// What the paths of a repository say of its units.
fn around<'p>(files: &mut Files<'_>, paths: &'p [String]) -> Around<'p> {
    let mut around = Around {
        sockets: paths.iter().filter_map(|path| plain_name(path).strip_suffix(".socket")).collect(),
        named: HashMap::new(),
        drop_ins: HashMap::new(),
        made: String::new(),
        room: Room::default(),
    };
    for path in paths.iter().filter(|path| is_machine_path(path)) {
        if let Some(unit) = unit_of(path) {
            around.drop_ins.entry(unit).or_default().push(path);
        }
        let unit = path.ends_with(".service");
        if unit {
            *around.named.entry(base_name(path)).or_default() += 1;
        }
        let makes = unit || unit_of(path).is_some() || path.contains("tmpfiles.d/");
        if let (true, Loaded::File(id)) = (makes, files.load_text(path)) {
            let text = files.sources.share(id);
            let lines = text
                .text()
                .lines()
                .filter(|line| !unit && unit_of(path).is_none() || line.starts_with("RuntimeDirectory="));
            for line in lines.take(1000) {
                around.made.push_str(line);
                around.made.push('\n');
            }
        }
    }
    around
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
        check: None,
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
    /// Whether systemd hands its sockets to it.
    handed: bool,
    /// Whether it is a socket of systemd's.
    socket: bool,
}

/// Services that are handed their sockets: the socket stands for both, where they agree.
fn hand_over(found: &mut Vec<Found>) {
    let (handed, mut rest): (Vec<_>, Vec<_>) = std::mem::take(found).into_iter().partition(|one| one.handed);
    for mut service in handed {
        let socket = rest.iter_mut().find(|one| one.name == service.name && one.socket);
        let takes =
            service.learned.server.program.as_ref().is_some_and(|(program, _)| TAKES_SOCKETS.contains(&&**program));
        let agree = socket.as_ref().is_some_and(|socket| {
            let streams = &socket.learned.claims;
            takes || service.learned.claims.iter().all(|claim| streams.iter().any(|stream| stream.at == claim.at))
        });
        match socket {
            Some(socket) if agree && (takes || !service.learned.claims_open) => {
                let sockets = std::mem::take(&mut socket.learned.server.sockets);
                socket.learned.server = service.learned.server;
                socket.learned.server.sockets = sockets;
                socket.restart = service.restart;
            }
            _ => {
                service.learned.claims.clear();
                service.learned.claims_open = true;
                rest.push(service);
            }
        }
    }
    *found = rest;
}

/// Programs that listen on nothing else when systemd hands them sockets.
const TAKES_SOCKETS: [&str; 1] = ["gunicorn"];

/// A program, when anything is known of it.
fn made(name: &str, site: Site, learned: Learned) -> Option<Found> {
    if learned.claims.is_empty() && !learned.claims_open {
        return None;
    }
    Some(Found {
        name: name.into(),
        site,
        learned,
        restart: Known::Unknown(Reason::OutsideRepository),
        runs: true,
        handed: false,
        socket: false,
    })
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
        stays_down: false,
        health: found.learned.health,
        check: None,
        profiles: Vec::new(),
        replicas: if found.runs { Known::Yes(1) } else { Known::Unknown(Reason::OutsideRepository) },
        fixed_address: true,
        many: false,
        waits: false,
        folders: Vec::new(),
    }
}

/// The last value of a key, where an empty one takes back what was said before.
fn last<'e>(entries: &'e [Stands<'e>], section: &str, key: &str) -> Vec<&'e Stands<'e>> {
    let mut found: Vec<&Stands<'_>> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.section == section && entry.key == key) {
        if entry.value.is_empty() {
            found.clear();
        } else {
            found.push(entry);
        }
    }
    found
}

/// An entry and the file in which it stands.
struct Stands<'e> {
    file: FileId,
    entry: Entry<'e>,
}

impl Stands<'_> {
    fn site(&self) -> Site {
        Gather::in_file(self.file, self.entry.range.clone())
    }
}

impl<'e> std::ops::Deref for Stands<'e> {
    type Target = Entry<'e>;

    fn deref(&self) -> &Entry<'e> {
        &self.entry
    }
}

/// The entries of a unit and its drop-ins.
fn stands(texts: &[(FileId, Arc<SourceFile>)]) -> Vec<Stands<'_>> {
    let mut found = Vec::new();
    for (file, text) in texts {
        let entries = ini::entries(text.text(), ini::Kind::Unit).into_iter();
        found.extend(entries.map(|entry| Stands { file: *file, entry }));
    }
    found
}

/// The folder below `/run` in which a socket lies, when it is one that a package does not make.
fn below_run(path: &str) -> Option<&str> {
    let (folder, _) = plain_run(path).strip_prefix("/run/")?.split_once('/')?;
    let packaged = ["php", "php-fpm", "user", "lock", "nginx", "haproxy", "mysqld", "postgresql", "redis", "docker"];
    (!packaged.contains(&folder) && !folder.contains(HOLE)).then_some(folder)
}

/// A systemd service.
fn service(files: &mut Files<'_>, id: FileId, around: &Around<'_>) -> Option<Found> {
    let path = files.sources.file(id).path().to_owned();
    let stem = plain_name(&path).strip_suffix(".service")?;
    let texts = around.entries(files, id);
    let entries = stands(&texts);
    let start = *last(&entries, "Service", "ExecStart").last()?;
    let mut evidence = at_home(&path);
    for entry in last(&entries, "Service", "Environment") {
        let site = entry.site();
        for word in crate::syntax::words::split(entry.value) {
            if let Some((name, value)) = word.text.split_once('=') {
                let value = if value.contains(['%', '{']) { HOLE.to_string() } else { value.to_owned() };
                evidence.environment.push((name.into(), Text::new(value, site)));
            }
        }
    }
    for entry in last(&entries, "Service", "EnvironmentFile") {
        let path = entry.value.trim_start_matches('-');
        let same = files.ending_with(path.trim_start_matches('/'));
        let found = match &same[..] {
            [only] if path.starts_with('/') && !path.contains('%') => files.load_text(only),
            _ => Loaded::Missing,
        };
        let Loaded::File(id) = found else {
            evidence.environment_open = true;
            continue;
        };
        let source = files.sources.share(id);
        let text = around.room.of(source.text(), evidence.environment.len());
        evidence.environment_open |= text.is_none();
        for (name, value, at) in text.into_iter().flat_map(ini::variables) {
            evidence.environment.push((name.into(), Text::new(value, Gather::in_file(id, at))));
        }
    }
    // `%i` and its kin are filled in by systemd; `-@:+!` before the program are for systemd, too.
    let value = start.value.trim_start_matches(['-', '@', ':', '+', '!']);
    let skipped = start.value.len() - value.len();
    let range = start.value_range.start + skipped..start.value_range.end;
    let unit_site = Gather::in_file(start.file, range);
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
            if let Some(at) = value.find(['%', '{']) {
                value.replace_range(at.., &HOLE.to_string());
            }
            Text::new(value, word.site)
        })
        .collect();
    // A program that systemd hands its sockets to does not decide where it listens.
    let handed = around.sockets.contains(stem);
    evidence.command = Some(Command::Words(words));
    let mut learned = learn(files, &evidence);
    learned.claims.retain(|claim| claim.weight > Weight::Weak);
    let user = last(&entries, "Service", "User");
    let group = last(&entries, "Service", "Group");
    let named = |entries: &[&Stands<'_>]| entries.last().map(|entry| (Box::<str>::from(entry.value), entry.site()));
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
    learned.server.private_tmp = private.map(|entry| entry.site());
    let prepares = last(&entries, "Service", "ExecStartPre");
    let makes = |text: &str| text.contains("mkdir") || text.contains("install ");
    if around.made.len() <= MAX_BYTES
        && !handed
        && !makes(start.value)
        && !prepares.iter().any(|entry| makes(entry.value))
    {
        let unmade = learned.claims.iter().find_map(|claim| match claim.at.known()? {
            Listens::Socket(path) => Some((below_run(path)?.into(), claim.site)),
            Listens::Port(_) => None,
        });
        learned.server.unmade_folder = unmade.filter(|(folder, _): &(Box<str>, Site)| !around.made.contains(&**folder));
    }
    let restart = last(&entries, "Service", "Restart").last().is_some_and(|entry| entry.value != "no");
    let name = stem.to_owned();
    let header = start.site();
    if handed && learned.claims.is_empty() {
        learned.claims_open = true;
    }
    let mut found = made(&name, header, learned)?;
    found.handed = handed;
    // A drop-in may say otherwise; what runs once ends by itself.
    let once = last(&entries, "Service", "Type").last().is_some_and(|entry| entry.value == "oneshot");
    found.restart = match restart || !once {
        true => Known::Yes(restart),
        false => Known::Unknown(Reason::OutsideRepository),
    };
    Some(found)
}

/// A systemd socket: it decides where the service of its name listens.
fn socket(files: &mut Files<'_>, id: FileId, around: &Around<'_>) -> Option<Found> {
    let texts = around.entries(files, id);
    let name = plain_name(files.sources.file(id).path()).strip_suffix(".socket")?.to_owned();
    let entries = stands(&texts);
    let mut learned = Learned {
        claims: Vec::new(),
        claims_open: false,
        server: Server::default(),
        health: Known::Unknown(Reason::OutsideRepository),
        check: None,
    };
    let named =
        |key: &str| last(&entries, "Socket", key).last().map(|entry| (Box::<str>::from(entry.value), entry.site()));
    let streams = last(&entries, "Socket", "ListenStream");
    for entry in &streams {
        let site = entry.site();
        let value = if entry.value.contains(['%', '{']) { HOLE.to_string() } else { entry.value.to_owned() };
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
    let site = streams.first().map(|entry| entry.site())?;
    let mut found = made(&name, site, learned)?;
    found.socket = true;
    Some(found)
}

/// `puma.rb` and `unicorn.rb` by themselves.
fn ruby(files: &mut Files<'_>, id: FileId) -> Option<Found> {
    let path = files.sources.file(id).path().to_owned();
    let evidence = at_home(&path);
    let mut gather = Gather::new(files, &evidence);
    let site = Gather::in_file(id, 0..0);
    let unicorn = path.contains("unicorn");
    gather.serves(if unicorn { &servers::UNICORN } else { &servers::PUMA }, site);
    super::programs::ruby_file(&mut gather, id, None);
    let learned = taken(gather);
    // Without an address of its own, the command decides.
    let told = learned.claims.iter().any(|claim| claim.weight == Weight::Decisive);
    let site = learned.claims.first().map_or(site, |claim| claim.site);
    made(if unicorn { "unicorn" } else { "puma" }, site, learned)
        .filter(|_| told)
        .map(|found| Found { runs: false, ..found })
}

/// PM2's file.
fn pm2(files: &mut Files<'_>, id: FileId) -> Option<Found> {
    let path = files.sources.file(id).path().to_owned();
    let evidence = at_home(&path);
    let mut gather = Gather::new(files, &evidence);
    super::javascript::ecosystem(&mut gather, id);
    let learned = taken(gather);
    let first = learned.claims.first()?;
    // Several ports: several programs, or environments of which one is chosen.
    let (site, one) = (first.site, learned.claims.iter().all(|claim| claim.at == first.at));
    made("pm2", site, learned).filter(|_| one)
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
        // Whoever runs it gives the one that is asked a port.
        if name == "web" {
            evidence.environment.push(("PORT".into(), Text::new(HOLE.to_string(), site)));
        }
        evidence.command = Some(Command::Shell(Text::new(trimmed, site)));
        let mut learned = learn(files, &evidence);
        learned.claims.retain(|claim| claim.weight > Weight::Weak);
        // A port that is written there is the program's wherever it runs.
        found.extend(made(name, site, learned));
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
        for path in [
            "a/app.service",
            "x/app.service.d/override.conf",
            "files/tmpfiles.d/app.conf",
            "Procfile",
            "php/php-fpm.d/www.conf",
            "files/fpm.conf",
            "docker/uwsgi.ini",
        ] {
            assert!(is_machine_path(path), "{path}");
        }
        for path in [
            "nginx.conf",
            "conf.d/app.conf",
            "app.d/x.conf",
            "conf.d/app.conf",
            "setup.ini",
            "app.service.md",
            "x/Procfile.dev",
        ] {
            assert!(!is_machine_path(path), "{path}");
        }
    }
}
