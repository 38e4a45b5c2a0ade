//! GW506: the process may open fewer files than it accepts connections.

use super::prelude::*;

/// More descriptors than this are hardly ever used up by files.
const PLENTY: u64 = 4096;

/// GW506.
pub struct FileLimitBelowConnections;

impl Rule for FileLimitBelowConnections {
    fn id(&self) -> RuleId {
        RuleId::GW506
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for (id, proxy) in cx.topology.proxies.iter() {
            if let Some(finding) = proxy.limits.as_deref().and_then(|limits| look(cx, id, limits)) {
                out.push(finding);
            }
        }
    }
}

fn look(cx: &Cx<'_>, proxy: ProxyId, limits: &Limits) -> Option<Finding> {
    let (files, connections) = (limits.files.as_ref()?, limits.connections.as_ref()?);
    let (&most, &wanted) = (files.known()?, connections.known()?);
    let at = files.site()?;
    let needed = wanted.saturating_mul(limits.files_per_connection);
    let dialect = cx.dialect(proxy);
    let make = |label: String, message: String| {
        let finding = Finding::new(RuleId::GW506, dialect, (at, label), message);
        if connections.is_written() {
            finding.label(connections.label(at, format!("{wanted} connections")))
        } else {
            finding
        }
    };
    let default = match connections.is_written() {
        true => String::new(),
        false => format!(" (`{}` is not set; its default is {wanted})", connections.spelling),
    };
    if limits.files_checked && most <= needed {
        // Even without a listening socket, and the descriptors that it keeps for itself.
        return Some(
            make(
                format!("{most} descriptors{default}"),
                format!(
                    "{} does not start: {wanted} connections need {needed} file descriptors and a few more, and {most} \
                     are allowed",
                    dialect.name()
                ),
            )
            .why_of_dialect()
            .help(format!(
                "leave `{}` out, or write at least {}",
                files.spelling,
                needed.saturating_add(100)
            )),
        );
    }
    if !limits.files_checked && limits.files_per_connection == 1 {
        let more = format!("write at least {} here: twice the connections", needed.saturating_mul(2));
        if most < needed {
            let message = format!(
                "a worker runs out of file descriptors before it has {wanted} connections: clients then get 500"
            );
            let label = format!("{most} descriptors for {wanted} connections{default}");
            return Some(make(label, message).severity(Severity::Warning).why_of_dialect().help(more));
        }
        if most < needed.saturating_mul(2) && most < PLENTY {
            let message = format!(
                "a busy worker may run out of file descriptors: {wanted} connections and the files for them need more \
                 than {most}"
            );
            return Some(
                make(format!("{most} descriptors{default}"), message)
                    .severity(Severity::Note)
                    .confidence(Confidence::Possible)
                    .why("a large answer or body waits in a temporary file, which takes a descriptor besides those of the connections")
                    .help(more),
            );
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(
        files: Option<Setting<u64>>,
        connections: Option<Setting<u64>>,
        checked: bool,
    ) -> Vec<(Severity, Vec<u32>)> {
        let mut house = if checked { House::haproxy() } else { House::nginx() };
        house.t.proxies[house.proxy].limits = Some(Box::new(Limits {
            connections,
            files,
            counts: if checked { Counts::Clients } else { Counts::Everything },
            files_per_connection: if checked { 2 } else { 1 },
            files_checked: checked,
        }));
        house.found(RuleId::GW506).iter().map(|f| (f.severity, lines(f))).collect()
    }

    #[test]
    fn a_worker_without_descriptors() {
        let said = |files, connections| said(Some(written(files, 2)), Some(connections), false);
        assert_eq!(said(16, written(1024, 4)), [(Severity::Warning, vec![2, 4])]);
        assert_eq!(said(500, built_in(512)), [(Severity::Warning, vec![2])]);
        assert_eq!(said(1024, written(1024, 4)), [(Severity::Note, vec![2, 4])]);
        assert_eq!(said(2048, written(1024, 4)), []);
        assert_eq!(said(65535, written(65535, 4)), []);
        assert_eq!(said(16, Setting::unknown(Reason::TemplateHole, at(4), "setting")), []);
    }

    #[test]
    fn a_start_that_is_refused() {
        let start = |files, connections| said(Some(written(files, 3)), connections, true);
        assert_eq!(start(100, Some(written(1000, 4))), [(Severity::Error, vec![3, 4])]);
        assert_eq!(start(2000, Some(written(1000, 4))), [(Severity::Error, vec![3, 4])]);
        // How many more it needs depends on the listeners.
        assert_eq!(start(2001, Some(written(1000, 4))), []);
        assert_eq!(start(100, None), []);
        assert_eq!(said(None, Some(written(1000, 4)), true), []);
    }
}
