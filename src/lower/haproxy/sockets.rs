//! Unix sockets that this configuration opens itself, or looks for below its `chroot`.

use super::bind::Bind;
use super::file::{File, Lowered};
use crate::source::Site;
use crate::topology::{Fault, FaultKind, FaultWeight, Known, Target, Topology};
use crate::value::Address;
use std::collections::HashMap;

/// Looks at the sockets of the servers of a file.
pub(super) fn check(file: &mut File<'_>, sections: &[Lowered], out: &Topology) {
    if file.template {
        return;
    }
    let root = file.global.chroot.as_ref().map(|(dir, site)| (dir.trim_end_matches('/'), *site));
    let root = root.filter(|(dir, _)| dir.starts_with('/'));
    let user = file.global.user.as_ref();
    if root.is_none() && user.is_none() {
        return;
    }
    let mut binds: HashMap<&str, &Bind> = HashMap::new();
    for (bind, condition) in sections.iter().flat_map(|lowered| lowered.section.binds()) {
        if let Known::Yes((Address::Socket(path), _)) = &bind.bind
            && path.starts_with('/')
            && condition.is_none()
            && !file.global.unix_bind
        {
            binds.entry(path).or_insert(bind);
        }
    }
    let members = sections.iter().filter_map(|lowered| match out.hops[lowered.hop?].target {
        Target::Pool(pool) => Some(&out.pools[pool].members),
        _ => None,
    });
    let mut faults = Vec::new();
    for &member in members.flatten() {
        let server = &out.endpoints[member];
        let Known::Yes(Address::Socket(path)) = &server.address else { continue };
        if !path.starts_with('/') || server.down.is_some() {
            continue;
        }
        let bind = binds.get(&**path).copied();
        match (root, bind) {
            (Some((dir, at)), _) => {
                // The same file, as it is called from outside.
                let outside = format!("{dir}{path}");
                if !binds.contains_key(&*outside) {
                    faults.push(below(file, path, server.address_site, dir, at, bind.map(|bind| bind.site)));
                }
            }
            (None, Some(bind)) => faults.extend(forbidden(file, path, server.address_site, bind)),
            (None, None) => {}
        }
    }
    file.facts.load.faults.extend(faults);
}

fn shown(text: &str) -> String {
    crate::source::clean(text).chars().take(80).collect()
}

/// A socket that is looked for below `chroot`.
fn below(file: &File<'_>, path: &str, site: Site, dir: &str, at: Site, bind: Option<Site>) -> Fault {
    let (path_shown, dir_shown) = (shown(path), shown(dir));
    let doubled = path.strip_prefix(dir).filter(|rest| rest.starts_with('/'));
    let message = format!("HAProxy looks for this socket at `{dir_shown}{path_shown}`, because of `chroot`");
    let fault = Fault::new(FaultKind::SocketPath, file.facts.proxy, (site, "looked for below the new root"), message)
        .other(at, "HAProxy changes its root here")
        .why(
            "HAProxy opens its listening sockets before it changes its root, and connects to servers afterwards: each \
             path of a server counts from there",
        );
    match (bind, doubled) {
        (Some(bind), _) => fault
            .other(bind, "opened here, before that")
            .help("use an abstract socket on both sides (`abns@name`), which has no path, or take `chroot` away"),
        (None, Some(rest)) => fault
            .help(format!("write the path as it is called below the new root: `unix@{}`", shown(rest)))
            .weight(FaultWeight::Fails, false),
        (None, None) => fault
            .help(format!("put the socket below `{dir_shown}`, and write its path as it is called from there"))
            .weight(FaultWeight::MayFail, false),
    }
}

/// A socket of this very process that its user may not open. Connecting needs the right to write.
fn forbidden(file: &File<'_>, path: &str, site: Site, bind: &Bind) -> Option<Fault> {
    let (user, at) = file.global.user.as_ref()?;
    // Without `group` the process keeps the group that it was started with.
    let group = file.global.group.as_ref().map_or("root", |(group, _)| group);
    let rights = &bind.rights;
    if rights.unknown || file.global.ids {
        return None;
    }
    let owner = rights.user.as_deref().unwrap_or("root");
    let of_group = rights.group.as_deref().unwrap_or("root");
    // What an ordinary umask leaves of the mode.
    let mode = rights.mode.unwrap_or(0o755);
    let may = match () {
        () if **user == *"root" || mode & 0o002 != 0 => true,
        () if owner == &**user => mode & 0o200 != 0,
        () => of_group == group && mode & 0o020 != 0,
    };
    if may {
        return None;
    }
    let (user_shown, owner_shown) = (shown(user), shown(owner));
    let message = format!("the user `{user_shown}`, as which HAProxy runs, may not open `{}`", shown(path));
    let label = match rights.mode {
        Some(mode) => format!("owned by `{owner_shown}`, mode {mode:o}"),
        None => format!("owned by `{owner_shown}`, and others may not write"),
    };
    let fault = Fault::new(FaultKind::SocketPermission, file.facts.proxy, (site, "may not be opened"), message)
        .other(bind.site, label)
        .other(*at, "HAProxy goes on as this user")
        .why(
            "HAProxy makes the socket as the user who starts it, mostly root, before it changes its user; whoever \
             connects to it needs the right to write",
        )
        .help(format!("write `user {user_shown}` on the `bind` line, or a `mode` that lets this user write"));
    Some(match (rights.mode, &rights.user) {
        // Only root can give a socket away.
        (Some(_), Some(_)) => fault,
        // Whoever starts HAProxy owns it, mostly root; the umask decides where there is no mode.
        _ => fault.weight(FaultWeight::MayFail, false),
    })
}
