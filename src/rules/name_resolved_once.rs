//! GW108: a name whose address moves is looked up once.

use super::around::look_around;
use super::prelude::*;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// GW108.
pub struct NameResolvedOnce;

/// Ends of names whose addresses their owner changes at will, and whose they are. An asterisk is one label.
const MOVING: [(&str, &str); 22] = [
    // docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html: the addresses
    // change as the load balancer grows, and answers hold for 60 seconds. Network load balancers have fixed addresses;
    // their names have the region behind `elb`.
    (".elb.amazonaws.com", "a load balancer of AWS"),
    (".elb.amazonaws.com.cn", "a load balancer of AWS"),
    (".rds.amazonaws.com", "a database of AWS"),
    (".cache.amazonaws.com", "a cache of AWS"),
    (".execute-api.*.amazonaws.com", "an API of AWS"),
    (".lambda-url.*.on.aws", "a function of AWS"),
    (".s3.*.amazonaws.com", "a bucket of AWS"),
    (".s3.amazonaws.com", "a bucket of AWS"),
    (".cloudfront.net", "a distribution of CloudFront"),
    (".awsapprunner.com", "a service of AWS"),
    // docs.microsoft.com/azure/app-service/overview-inbound-outbound-ips: the inbound address may change.
    (".azurewebsites.net", "an application on Azure"),
    (".azurecontainerapps.io", "an application on Azure"),
    (".trafficmanager.net", "a traffic manager of Azure"),
    (".azurefd.net", "a front door of Azure"),
    (".run.app", "a service of Google Cloud"),
    (".appspot.com", "an application on Google Cloud"),
    // devcenter.heroku.com/articles/custom-domains: the addresses are not static.
    (".herokuapp.com", "an application on Heroku"),
    (".herokudns.com", "an application on Heroku"),
    (".vercel.app", "an application on Vercel"),
    (".netlify.app", "a site on Netlify"),
    (".onrender.com", "a service on Render"),
    // developer.hashicorp.com/consul/docs/services/discovery/dns-static-lookups: the healthy instances, TTL 0.
    (".service.consul", "a service in Consul"),
];

/// What a name is whose address moves; `None`: nothing shows that it does.
fn moving(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if let Some((_, what)) = MOVING.iter().find(|(pattern, _)| ends_as(&name, pattern)) {
        return Some(what);
    }
    let labels: Vec<&str> = name.split('.').take(8).collect();
    // kubernetes.io/docs/concepts/services-networking/dns-pod-service: `pod.service.namespace.svc.…` is one pod.
    if labels.get(3) == Some(&"svc") && labels.len() > 4 {
        return Some("a pod of Kubernetes");
    }
    // docs.docker.com/engine/swarm: `tasks.service` gives the addresses of the containers.
    (labels.len() == 2 && labels.first() == Some(&"tasks")).then_some("the containers of a Swarm service")
}

/// Whether a name ends in a pattern and has something before it.
fn ends_as(name: &str, pattern: &str) -> bool {
    match pattern.split_once("*.") {
        None => name.len() > pattern.len() && name.ends_with(pattern),
        Some((before, after)) => {
            let after = format!(".{after}");
            let rest = name.strip_suffix(&*after).unwrap_or("");
            let before = before.trim_end_matches('.');
            match rest.rsplit_once('.') {
                Some((head, _)) => head.ends_with(before) && head.len() > before.len(),
                None => false,
            }
        }
    }
}

/// How long an address that moves may be kept before a dead one is noticed.
const LONGEST: Wait = Wait::For(Duration::from_secs(300));

impl Rule for NameResolvedOnce {
    fn id(&self) -> RuleId {
        RuleId::GW108
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        // A name that many statements have is one mistake.
        let mut places: HashMap<(ProxyId, &str), Vec<Site>> = HashMap::new();
        let mut names = Vec::new();
        for (_, endpoint) in topology.endpoints.iter() {
            let once = matches!(endpoint.lookup, Lookup::AtStart | Lookup::AtStartOrNever { .. });
            let Some(name) = endpoint.host_name().filter(|_| once && endpoint.is_usable()) else { continue };
            let Some(what) = moving(name) else { continue };
            let sites = places.entry((endpoint.proxy, name)).or_default();
            if sites.is_empty() {
                names.push((endpoint.proxy, name, what));
            }
            sites.push(endpoint.address_site);
        }
        for (proxy, name, what) in names {
            let Some((first, others)) = places.get(&(proxy, name)).and_then(|sites| sites.split_first()) else {
                continue;
            };
            let dialect = cx.dialect(proxy);
            let message = format!(
                "when the address of {} changes, {} goes on asking the old one until it is reloaded",
                quote(name),
                dialect.name()
            );
            let mut finding = Finding::new(self.id(), dialect, (*first, format!("{what}: its address moves")), message)
                .why_of_dialect()
                .help(match dialect {
                    Dialect::Nginx => {
                        "put the name into a variable (`set $backend NAME;`) and write `resolver … valid=30s;`; or, \
                             from 1.27.3, write `server NAME resolve` in a group with a `zone`"
                    }
                    Dialect::Haproxy | Dialect::Kubernetes => {
                        "add a `resolvers` section with name servers, and `resolvers NAME` to this line"
                    }
                });
            for &site in others.iter().take(8) {
                finding = finding.label((site, "here too".into()));
            }
            out.push(finding);
        }
        kept_too_long(cx, out);
        made_again(self.id(), cx, out);
    }
}

/// A container gets another address when it is made again.
fn made_again(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let told = RefCell::new(HashSet::new());
    look_around(cx, out, |seen| {
        let (to, workload) = seen.to()?;
        if seen.asked.lookup != Lookup::AtStart || workload.fixed_address || seen.project.guessed {
            return None;
        }
        let dialect = cx.dialect(seen.asked.proxy);
        let name = quote(&workload.name);
        let message = match workload.replicas {
            Known::Yes(number) if number > 1 => format!(
                "{name} runs {number} times, and {} knows those that are there when it starts, no later ones",
                dialect.name()
            ),
            _ => format!(
                "when the container of {name} is made again, it may have another address, and {} goes on asking the old one \
                 until it is reloaded",
                dialect.name()
            ),
        };
        let finding = Finding::new(rule, dialect, (seen.asked.site, "looked up once, at the start".into()), message)
            .severity(Severity::Note)
            .confidence(Confidence::Possible)
            .label((workload.site, format!("{name} has no fixed address")))
            .help(match dialect {
                Dialect::Nginx => {
                    "reload nginx after a deployment; or `resolver 127.0.0.11 valid=10s;`, and the name in a variable"
                }
                Dialect::Haproxy | Dialect::Kubernetes => {
                    "reload HAProxy after a deployment; or a `resolvers` section with `nameserver docker 127.0.0.11:53`, and \
                     `resolvers NAME` on this line"
                }
            });
        told.borrow_mut().insert((seen.placement.workload, to)).then_some(finding)
    });
}

/// Names that are looked up again, but kept for much longer than their owner says.
fn kept_too_long(cx: &Cx<'_>, out: &mut Findings) {
    let topology = cx.topology;
    let long: HashMap<Site, (Wait, Site)> = topology
        .resolvers
        .iter()
        .filter_map(|(_, resolver)| Some((resolver.site, resolver.keeps.filter(|(wait, _)| *wait > LONGEST)?)))
        .collect();
    if long.is_empty() {
        return;
    }
    for (_, hop) in topology.hops.iter() {
        let Target::Computed(computed) = &hop.target else { continue };
        let Known::Yes(Some(resolver)) = computed.resolver else { continue };
        let Some(&(wait, site)) = long.get(&resolver) else { continue };
        for outcome in computed.outcomes.iter().filter(|outcome| outcome.is == ComputedKind::HostName).take(64) {
            let Some(what) = moving(&outcome.name) else { continue };
            let dialect = cx.dialect(hop.proxy);
            let message = format!(
                "when the address of {} changes, {} goes on asking the old one for up to {wait}",
                quote(&outcome.name),
                dialect.name()
            );
            out.push(
                Finding::new(RuleId::GW108, dialect, (site, format!("answers are kept for {wait}")), message)
                    .label((outcome.site, format!("{what}: its address moves")))
                    .why("this time takes the place of the one that the name's owner gives with the answer, often a minute")
                    .help("write `valid=30s`, or leave it out: then the answer's own time holds"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn names_that_move() {
        for name in [
            "internal-app-123.eu-west-1.elb.amazonaws.com",
            "APP.us-east-1.ELB.amazonaws.com.",
            "abc.execute-api.eu-west-1.amazonaws.com",
            "bucket.s3.eu-west-1.amazonaws.com",
            "shop.herokuapp.com",
            "web.service.consul",
            "web-0.web.default.svc.cluster.local",
            "tasks.web",
        ] {
            assert!(moving(name).is_some(), "{name}");
        }
        for name in [
            // A Service of Kubernetes has an address of its own; a network load balancer too.
            "web.default.svc.cluster.local",
            "web.default.svc",
            "nlb-123.elb.eu-west-1.amazonaws.com",
            "ec2-10-0-0-1.compute.amazonaws.com",
            "ip-10-0-0-1.ec2.internal",
            "elb.amazonaws.com",
            "app.example.com",
            "app",
            "tasks.web.example.com",
            "s3.evil-amazonaws.com",
        ] {
            assert!(moving(name).is_none(), "{name}");
        }
    }

    fn said(name: &str, lookup: Lookup) -> Vec<Finding> {
        let mut house = House::nginx();
        for line in [11, 12] {
            let endpoint = house.endpoint(line, name, Port::Written(80));
            house.t.endpoints[endpoint].lookup = lookup;
        }
        house.found(RuleId::GW108)
    }

    #[test]
    fn one_name_is_told_once() {
        let found = said("app.eu-west-1.elb.amazonaws.com", Lookup::AtStart);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Warning, vec![11, 12]));
        assert!(said("app.eu-west-1.elb.amazonaws.com", Lookup::Repeated { resolver: None }).is_empty());
        assert!(said("app.eu-west-1.elb.amazonaws.com", Lookup::NotNeeded).is_empty());
        assert!(said("app.example.com", Lookup::AtStart).is_empty());
    }
}
