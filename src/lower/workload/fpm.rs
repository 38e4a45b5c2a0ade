//! php-fpm: its pools say where it listens, and who may connect.

use super::gather::{Gather, Inside, MAX_SOCKETS, Manner, number, says};
use super::lines::{base_name, last};
use crate::defaults::servers;
use crate::source::{FileId, Site};
use crate::syntax::ini;
use crate::syntax::words::{HOLE, Text};
use crate::topology::{Reason, Setting, SocketAccess, Spoken, Weight};
use crate::value::Wait;
use std::collections::BTreeMap;
use std::time::Duration;

/// Where the official images keep their pools, and the file that is read last there.
const OFFICIAL: &str = "/usr/local/etc/php-fpm.d";
const OFFICIAL_LAST: &str = "zz-docker.conf";

/// `php-fpm`, with or without `-y file`.
pub(super) fn command(gather: &mut Gather<'_, '_>, arguments: &[Text], at: Site) {
    gather.serves(&servers::PHP_FPM, at);
    if let Some(given) = last(arguments, &["-y", "--fpm-config"]) {
        match gather.inside(&given.value.text.clone()) {
            Inside::File(id) => pool(gather, id),
            _ => gather.open = true,
        }
    }
}

/// The pools of the repository that lie where php-fpm looks for them.
pub(super) fn pools(gather: &mut Gather<'_, '_>) {
    // Path in the workload → path in the repository, in the order in which php-fpm reads them.
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut whole_folder = false;
    let evidence = gather.evidence;
    let copies = evidence.built.iter().flat_map(|built| &built.copies);
    let copied = copies.filter_map(|copied| Some((copied.from.as_deref()?, &*copied.to)));
    let mounted = evidence.mounts.iter().map(|(from, to)| (&**from, &**to));
    for (at, (from, to)) in copied.chain(mounted).enumerate() {
        let bare = to.trim_end_matches('/');
        // A folder further out may hold them.
        if let Some(below) = OFFICIAL.strip_prefix(bare).and_then(|rest| rest.strip_prefix('/')) {
            for path in gather.files.glob(&format!("{from}/{below}/*.conf")).iter().take(32) {
                files.insert(format!("{OFFICIAL}/{}", base_name(path)), path.clone());
            }
            continue;
        }
        if is_pool_file(bare) {
            files.insert(bare.to_owned(), from.to_owned());
        } else if bare.ends_with("php-fpm.d") || bare.ends_with("/pool.d") {
            // A mount hides what the image has there; a copy is laid beside it.
            whole_folder |= at >= evidence.built.as_ref().map_or(0, |built| built.copies.len());
            for path in gather.files.glob(&format!("{from}/*.conf")).iter().take(32) {
                files.insert(format!("{bare}/{}", base_name(path)), path.clone());
            }
        }
    }
    // A command that edits them decides, and is not run here.
    let words = ["php-fpm.d", OFFICIAL_LAST, "listen", ".sock"];
    let mut runs = evidence.built.iter().flat_map(|built| &built.runs);
    gather.open |= runs.any(|run| run.text.contains("fpm") && words.iter().any(|word| run.text.contains(word)));
    let last_is_ours = whole_folder || files.contains_key(&format!("{OFFICIAL}/{OFFICIAL_LAST}"));
    for (to, from) in &files {
        let Inside::File(id) = load(gather, from) else {
            gather.open = true;
            continue;
        };
        // In the official images a later file sets the port again.
        let overridden = to.starts_with(OFFICIAL) && !last_is_ours && base_name(to) < OFFICIAL_LAST;
        read(gather, id, overridden);
    }
}

fn load(gather: &mut Gather<'_, '_>, path: &str) -> Inside {
    match gather.files.load_text(path) {
        crate::files::Loaded::File(id) if gather.files.spend(id) => Inside::File(id),
        _ => Inside::Unknown,
    }
}

/// The version of php-fpm that an image installs from its distribution's packages: they say where it listens, when no pool of
/// the repository does.
pub(super) fn installed(gather: &mut Gather<'_, '_>) {
    let said = |claim: &crate::topology::Claim| claim.spoken == Some(Spoken::Fastcgi);
    if gather.open || gather.claims.iter().any(said) {
        return;
    }
    let mut found: Vec<(String, Site)> = Vec::new();
    for run in gather.evidence.built.iter().flat_map(|built| &built.runs) {
        for (end, _) in run.text.match_indices("-fpm").take(64) {
            let before = run.text.get(..end).unwrap_or("");
            let start = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
            let version = before.get(start..).unwrap_or("");
            let package = before.get(..start).is_some_and(|before| before.ends_with("php"));
            if package && version.contains('.') && !found.iter().any(|(other, _)| other == version) {
                let site = super::sites::part(&gather.files.sources, run, start - 3..end + 4);
                found.push((version.to_owned(), site));
            }
        }
    }
    // Several versions beside each other, and nobody knows which is started.
    let [(version, site)] = &found[..] else { return };
    let manner = Manner { spoken: Some(Spoken::Fastcgi), weight: Weight::Medium, port: None };
    let words = format!("the image installs `php{version}-fpm`");
    gather.listens(&format!("/run/php/php{version}-fpm.sock"), manner, *site, words);
}

/// Whether a path is one of a php-fpm's pool files.
fn is_pool_file(path: &str) -> bool {
    (path.contains("php-fpm.d/") || path.contains("/pool.d/") || path.ends_with("php-fpm.conf"))
        && path.ends_with(".conf")
}

/// A pool file.
pub(super) fn pool(gather: &mut Gather<'_, '_>, id: FileId) {
    read(gather, id, false);
}

/// Whether a text is a php-fpm pool: it says so by its keys.
pub(super) fn is_pool(text: &str) -> bool {
    let entries = ini::entries(text, ini::Kind::Pool);
    let has = |key: &str| entries.iter().any(|entry| entry.key == key && !entry.section.is_empty());
    has("listen") && (has("pm") || has("pm.max_children") || has("listen.owner") || has("listen.mode"))
}

/// One pool of a file.
pub(super) fn section(gather: &mut Gather<'_, '_>, id: FileId, section: &str) {
    read_sections(gather, id, false, Some(section));
}

fn read(gather: &mut Gather<'_, '_>, id: FileId, overridden: bool) {
    read_sections(gather, id, overridden, None);
}

fn read_sections(gather: &mut Gather<'_, '_>, id: FileId, overridden: bool, only: Option<&str>) {
    let file = gather.files.sources.share(id);
    let name = base_name(file.path()).to_owned();
    let entries = ini::entries(file.text(), ini::Kind::Pool);
    gather.serves(&servers::PHP_FPM, Gather::in_file(id, 0..0));
    for entry in &entries {
        if only.is_some_and(|only| only != entry.section) {
            continue;
        }
        if entry.section == "global" {
            if entry.key == "include" {
                gather.open = true;
            }
            continue;
        }
        let site = Gather::in_file(id, entry.range.clone());
        let value = entry.value.trim_matches(['"', '\'']).replace("$pool", entry.section);
        let value =
            if value.contains("${") || value.contains("{{") || value.contains("<%") { HOLE.to_string() } else { value };
        match entry.key {
            // The image sets it again; what else the file says still holds.
            "listen" if overridden && entry.section == "www" => {}
            "listen" => {
                let manner = Manner { spoken: Some(Spoken::Fastcgi), weight: Weight::Decisive, port: None };
                let words = says(&format!("`{name}`"), &format!("listen = {}", entry.value));
                gather.listens(&value, manner, site, words);
                if value.starts_with('/') && gather.server.sockets.len() < MAX_SOCKETS {
                    let find = |key: &str| {
                        let entry = entries.iter().find(|other| other.section == entry.section && other.key == key)?;
                        Some((entry.value.trim_matches(['"', '\'']), Gather::in_file(id, entry.range.clone())))
                    };
                    let named = |key: &str| {
                        find(key)
                            .filter(|(value, _)| !value.contains(['$', '{', '<']))
                            .map(|(value, site)| (value.into(), site))
                    };
                    let unread = ["listen.owner", "listen.group", "listen.mode"]
                        .iter()
                        .any(|key| find(key).is_some_and(|(value, _)| value.contains(['$', '{', '<'])));
                    gather.server.sockets.push(SocketAccess {
                        path: value.as_str().into(),
                        // Measured on php-fpm 8.2: without these it belongs to root, and nobody else may write.
                        owner: named("listen.owner").or_else(|| Some(("root".into(), site))),
                        group: named("listen.group").or_else(|| Some(("root".into(), site))),
                        mode: match named("listen.mode") {
                            Some((value, site)) => u32::from_str_radix(&value, 8).ok().map(|mode| (mode, site)),
                            None => Some((0o660, site)),
                        },
                        more: unread || find("listen.acl_users").is_some() || find("listen.acl_groups").is_some(),
                    });
                }
            }
            "listen.allowed_clients" => {
                let clients = entry.value.split(',').map(|client| client.trim().into()).collect();
                gather.server.allowed_clients = Some((clients, site));
            }
            "request_terminate_timeout" => {
                gather.server.worker_timeout = Some(terminate(&value, site));
            }
            "pm.max_children" => {
                gather.server.workers = Some(number(&Text::new(value, site), "pm.max_children"));
            }
            _ => {}
        }
    }
}

/// `30`, `30s`, `5m`; 0 is never.
fn terminate(value: &str, site: Site) -> Setting<Wait> {
    const SPELLING: &str = "request_terminate_timeout";
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let factor = match value.get(digits..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        Some("d") => 86_400,
        _ => 0,
    };
    match value.get(..digits).and_then(|digits| digits.parse::<u64>().ok()).filter(|_| factor > 0) {
        Some(0) => Setting::written(Wait::Forever, site, SPELLING),
        Some(number) => Setting::written(Wait::For(Duration::from_secs(number.saturating_mul(factor))), site, SPELLING),
        None => Setting::unknown(Reason::Malformed, site, SPELLING),
    }
}
