//! GW112: the user as which the proxy runs may not open a socket.

use super::prelude::*;
use crate::files::plain_run;
use std::collections::{HashMap, HashSet};

/// GW112.
pub struct SocketPermission;

impl Rule for SocketPermission {
    fn id(&self) -> RuleId {
        RuleId::GW112
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::SocketPermission, cx, out);
        programs_sockets(self.id(), cx, out);
    }
}

/// Sockets of programs on the proxy's machine.
fn programs_sockets(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    let mut told = HashSet::new();
    // Two lines for one proxy are refused by it.
    let users: HashMap<ProxyId, &ProxyUser> = t.users.iter().map(|user| (user.proxy, user)).collect();
    for peer in &t.peers {
        let (endpoint, workload) = (&t.endpoints[peer.endpoint], &t.workloads[peer.workload]);
        let Some(Address::Socket(path)) = endpoint.address.known() else { continue };
        let access = workload.server.sockets.iter().find(|access| plain_run(&access.path) == plain_run(path));
        let (Some(access), Some(user)) = (access.filter(|access| !access.more), users.get(&endpoint.proxy)) else {
            continue;
        };
        let (Some((mode, mode_site)), Some((owner, owner_site)), Some((group, group_site))) =
            (&access.mode, &access.owner, &access.group)
        else {
            continue;
        };
        let allowed = *user.user == *"root"
            || **owner == *user.user && mode & 0o200 != 0
            || **group == *user.group && mode & 0o020 != 0
            || mode & 0o002 != 0;
        if allowed || !told.insert(endpoint.address_site) {
            continue;
        }
        let dialect = cx.dialect(endpoint.proxy);
        let finding = Finding::new(
            rule,
            dialect,
            (endpoint.address_site, "this socket".to_owned()),
            format!(
                "{} runs as {} and may not open {}, which belongs to {owner}:{group} with mode {mode:o}",
                dialect.name(),
                quote(&user.user),
                quote(path),
            ),
        )
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .label((user.site, format!("{} runs as {}", dialect.name(), quote(&user.user))))
        .label((*owner_site, format!("the socket's owner is `{owner}`")))
        .label((*group_site, format!("its group is `{group}`")))
        .label((*mode_site, format!("its mode is {mode:o}")));
        out.push(
            finding
                .why("to connect, the right to write is needed")
                .assumed(format!("{} is in no other group, and the program starts as root", quote(&user.user)))
                .help(format!("give the socket to the group of {}, with mode 0660", quote(&user.user))),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(user: &str, owner: &str, group: &str, mode: u32, more: bool) -> usize {
        let mut house = House::nginx();
        let endpoint = house.endpoint(7, "x", Port::None);
        house.t.endpoints[endpoint].address = Known::Yes(Address::Socket("/var/run/a.sock".into()));
        house.hop(8, Target::Endpoint(endpoint));
        let workload = house.workload(20, "pool");
        house.t.workloads[workload].server.sockets.push(SocketAccess {
            path: "/run/a.sock".into(),
            owner: Some((owner.into(), at(21))),
            group: Some((group.into(), at(22))),
            mode: Some((mode, at(23))),
            more,
        });
        house.t.peers.push(Peer { endpoint, workload });
        let proxy = house.proxy;
        house.t.users.push(ProxyUser { proxy, user: user.into(), group: user.into(), site: at(1) });
        let found = house.found(RuleId::GW112);
        assert!(found.iter().all(|finding| lines(finding) == [7, 1, 21, 22, 23]));
        found.len()
    }

    #[test]
    fn who_may_write() {
        assert_eq!(said("nginx", "www-data", "www-data", 0o660, false), 1);
        assert_eq!(said("www-data", "root", "www-data", 0o640, false), 1, "reading is not enough");
        assert_eq!(said("www-data", "root", "www-data", 0o660, false), 0);
        assert_eq!(said("www-data", "www-data", "x", 0o600, false), 0);
        assert_eq!(said("nginx", "www-data", "www-data", 0o666, false), 0);
        assert_eq!(said("root", "www-data", "www-data", 0o600, false), 0);
        assert_eq!(said("nginx", "www-data", "www-data", 0o660, true), 0, "access control lists say more");
    }
}
