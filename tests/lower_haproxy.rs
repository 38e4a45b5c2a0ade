//! What HAProxy configurations come to in the topology: inheritance, units, addresses, names, branches.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::files::{Files, NoRepository, Unit};
use gw502_lint::lower;
use gw502_lint::topology::*;
use gw502_lint::value::{ByteSize, Wait};
use std::time::Duration;

fn several(files: &[(&str, &str)]) -> Topology {
    let units = files.iter().map(|(path, text)| Unit::new(*path, text.as_bytes().to_vec(), Dialect::Haproxy)).collect();
    let mut files = Files::new(units, &NoRepository);
    lower::lower(&mut files, lower::Targets::default()).topology
}

/// A whole configuration around some sections.
fn whole(sections: &str) -> Topology {
    several(&[("haproxy.cfg", &format!("global\n maxconn 100\n{sections}"))])
}

/// A fragment, as it stands.
fn fragment(sections: &str) -> Topology {
    several(&[("part.cfg", sections)])
}

fn hop<'t>(topology: &'t Topology, name: &str) -> &'t Hop {
    let found = topology.hops.iter().find(|(_, hop)| match hop.target {
        Target::Pool(pool) => &*topology.pools[pool].name == name,
        _ => false,
    });
    found.expect("a hop of this name").1
}

fn pool<'t>(topology: &'t Topology, name: &str) -> &'t Pool {
    topology.pools.iter().find(|(_, pool)| &*pool.name == name).expect("a pool of this name").1
}

fn endpoint<'t>(topology: &'t Topology, name: &str) -> &'t Endpoint {
    topology.endpoints.iter().find(|(_, e)| e.name.as_deref() == Some(name)).expect("an endpoint of this name").1
}

fn ms(ms: u64) -> Option<Wait> {
    Some(Wait::For(Duration::from_millis(ms)))
}

#[test]
fn exactly_one_defaults_section_counts() {
    let t = whole(
        "defaults\n mode http\n timeout connect 1s\n timeout server 30s\n retries 1\n\
         backend a\n server s 10.0.0.1:80\n timeout connect 2s\n\
         defaults\n timeout connect 3s\n\
         backend b\n server s 10.0.0.1:80\n",
    );
    let a = hop(&t, "a");
    assert_eq!(a.protocol, Protocol::Http);
    assert_eq!(a.timeouts.read.known().copied(), ms(30_000));
    assert!(matches!(a.timeouts.read.origin, Origin::Inherited { scope: Scope::Shared, .. }));
    assert_eq!(a.timeouts.connect.known().copied(), ms(2000));
    assert!(matches!(a.timeouts.connect.origin, Origin::Written(_)));
    assert_eq!(a.retry.tries.known(), Some(&Some(1)));
    let b = hop(&t, "b");
    assert_eq!(b.protocol, Protocol::Tcp);
    assert_eq!(b.timeouts.connect.known().copied(), ms(3000));
    assert_eq!(b.timeouts.read.known(), Some(&Wait::Forever));
    assert!(!b.timeouts.read.is_written());
    assert_eq!(b.retry.tries.known(), Some(&Some(3)));
}

#[test]
fn named_defaults() {
    let t = whole(
        "defaults base\n mode http\n timeout server 30s\n option redispatch\n\
         defaults slow from base\n timeout server 90s\n\
         defaults other\n timeout server 1s\n\
         backend a from slow\n server s 10.0.0.1:80\n\
         backend b\n server s 10.0.0.1:80\n\
         backend c from nowhere\n server s 10.0.0.1:80\n",
    );
    let a = hop(&t, "a");
    assert_eq!(a.protocol, Protocol::Http);
    assert_eq!(a.timeouts.read.known().copied(), ms(90_000));
    assert_eq!(a.retry.elsewhere.known(), Some(&true));
    assert_eq!(hop(&t, "b").timeouts.read.known().copied(), ms(1000));
    assert_eq!(hop(&t, "c").timeouts.read.known(), None);
    let [missing] = &*t.load.undefined else { panic!("{:?}", t.load.undefined) };
    assert_eq!((missing.kind, &*missing.name), ("defaults section", "nowhere"));
}

#[test]
fn default_server_lines_act_on_servers_below() {
    let t = whole(
        "defaults\n default-server inter 3s check\n\
         backend a\n server one 10.0.0.1:80 no-check\n server two 10.0.0.2:80\n\
         defaults\n\
         backend b\n server three 10.0.0.3:80\n default-server check resolvers dns\n server four four.example:80\n\
         resolvers dns\n nameserver a 10.0.0.53:53\n",
    );
    assert_eq!(endpoint(&t, "one").check.enabled, Known::Yes(false));
    assert_eq!(endpoint(&t, "two").check.enabled, Known::Yes(true));
    assert_eq!(endpoint(&t, "three").check.enabled, Known::Yes(false));
    assert_eq!(endpoint(&t, "four").check.enabled, Known::Yes(true));
    assert!(matches!(endpoint(&t, "four").lookup, Lookup::Repeated { resolver: Some(_) }));
}

#[test]
fn times_are_milliseconds_and_junk_is_dropped() {
    let t = whole(
        "defaults\n timeout server 30\n timeout connect 1m30s\n timeout client 30sec\n timeout queue 0\n\
         backend a\n server s 10.0.0.1:80 check inter 2000 maxconn 10\n\
         backend b\n timeout server 0\n server s 10.0.0.1:80\n",
    );
    let a = hop(&t, "a");
    assert_eq!(a.timeouts.read.known().copied(), ms(30));
    assert_eq!(a.timeouts.connect.known().copied(), ms(60_000));
    // Not set, the queue waits as long as a connection.
    let queue = a.timeouts.queue.as_ref().expect("a server has maxconn");
    assert_eq!((queue.known().copied(), queue.is_written()), (ms(60_000), false));
    let b = hop(&t, "b");
    assert_eq!((b.timeouts.read.known(), b.timeouts.read.is_written()), (Some(&Wait::Forever), false));
    let bare: Vec<_> = t.load.bare_numbers.iter().map(|n| (&*n.setting, &*n.written, n.is_timeout)).collect();
    assert_eq!(bare, [("timeout server", "30", true), ("inter", "2000", false)]);
    assert!(t.load.syntax.is_empty());
    let t = whole("defaults\n timeout server 30S\n");
    assert_eq!(t.load.syntax.len(), 1);
}

#[test]
fn addresses_and_ports() {
    let t = whole(
        "backend a\n server a1 10.0.0.1:80\n server a2 [::1]:81\n server a3 app.example\n server a4 /run/app.sock\n \
         server a5 \"${APP}:8080\" check\n server a6 10.0.0.1:80/app\n server a7 http://10.0.0.1:80\n \
         server-template t 3 _http._tcp.app.example\n",
    );
    let port = |name: &str| endpoint(&t, name).port;
    assert_eq!(port("a1"), Known::Yes(Port::Written(80)));
    assert_eq!(port("a2"), Known::Yes(Port::Written(81)));
    assert_eq!(port("a3"), Known::Yes(Port::OfClient));
    assert_eq!(port("a4"), Known::Yes(Port::None));
    assert_eq!(port("a5"), Known::Yes(Port::Written(8080)));
    assert_eq!(endpoint(&t, "a5").address, Known::Unknown(Reason::Variable));
    assert_eq!(endpoint(&t, "a3").lookup, Lookup::AtStart);
    assert!(matches!(endpoint(&t, "t").lookup, Lookup::NoResolver { refused: true, .. }));
    assert!(pool(&t, "a").open_ended);
    let effects: Vec<_> = t.load.malformed.iter().map(|fault| fault.effect).collect();
    assert_eq!(effects, [LoadEffect::Ignored, LoadEffect::Refused]);
}

#[test]
fn listeners() {
    let t = whole(
        "frontend web\n bind :80,10.0.0.1:8000-8010\n bind :443 ssl crt a.pem strict-sni accept-proxy\n \
         bind [::]:80 v4v6\n timeout client 7s\n default_backend app\nbackend app\n server s 10.0.0.1:81\n\
         frontend other\n bind *:80\n default_backend app\n",
    );
    let ports: Vec<_> = t.listeners.iter().filter_map(|(_, l)| l.bind.known().cloned()?.1).collect();
    assert_eq!(ports, [(80, 80), (8000, 8010), (443, 443), (80, 80), (80, 80)]);
    let tls = t.listeners.iter().find(|(_, l)| l.tls == Known::Yes(true)).expect("one with TLS").1;
    assert!(tls.refuses_unknown_names && tls.proxy_protocol == Known::Yes(true));
    assert_eq!(tls.client.as_ref().and_then(|client| client.known().copied()), ms(7000));
    let [twice] = &*t.load.duplicates else { panic!("{:?}", t.load.duplicates) };
    assert_eq!((twice.kind, twice.effect), ("listen address", LoadEffect::Split));
}

#[test]
fn routes_lead_to_backends() {
    let t = whole(
        "defaults\n mode http\nfrontend web\n bind :80\n timeout client 7s\n acl api path_beg /api\n \
         use_backend api if api or { path /x }\n default_backend app\n\
         backend api\n server s 10.0.0.1:80\nbackend app\n server s 10.0.0.1:80\nbackend lost\n server s 10.0.0.1:80\n\
         listen both\n bind :81\n server s 10.0.0.1:80\n",
    );
    let matchers: Vec<_> = t.routes.iter().map(|(_, route)| route.matcher.clone()).collect();
    let condition = Matcher::Condition("if api or { path /x }".into());
    assert_eq!(matchers, [condition, Matcher::Always, Matcher::Always]);
    assert_eq!(hop(&t, "app").timeouts.client.as_ref().and_then(|client| client.known().copied()), ms(7000));
    assert!(pool(&t, "api").used && pool(&t, "both").used && !pool(&t, "lost").used);
    assert!(t.load.undefined.is_empty(), "{:?}", t.load.undefined);
}

#[test]
fn server_names_and_certificates() {
    let t = whole(
        "defaults\n mode http\n default-server ssl verify none\n\
         backend a\n server a1 10.0.0.1:443 sni str(x.example)\n server a2 10.0.0.1:443 sni req.hdr(host),field(1,:)\n \
         server a3 10.0.0.1:443 sni req.hdr(host) verify required\n server a4 10.0.0.1:443 no-ssl\n \
         server a5 10.0.0.1:443\n",
    );
    let tls = |name: &str| endpoint(&t, name).tls.as_deref();
    let name = |server: &str| tls(server).and_then(|tls| tls.server_name.known().cloned());
    assert_eq!(name("a1"), Some(ServerName::Fixed("x.example".into())));
    assert_eq!(name("a2"), Some(ServerName::FromHost));
    assert_eq!(name("a3"), Some(ServerName::FromHostWithPort));
    assert_eq!(name("a5"), Some(ServerName::Nothing));
    assert!(tls("a4").is_none());
    assert_eq!(tls("a3").and_then(|tls| tls.verify.known()), Some(&true));
    assert_eq!(tls("a5").and_then(|tls| tls.verify.known()), Some(&false));
}

#[test]
fn pools_and_their_members() {
    let t = whole(
        "defaults\n mode http\n\
         backend a\n balance source\n option httpchk\n cookie S insert\n retry-on empty-response\n http-reuse always\n \
         server a1 10.0.0.1:80 cookie a weight abc\n server a2 10.0.0.1:80 disabled\n server a3 10.0.0.1:80 inter 3s\n\
         backend answer\n http-request return status 200\nbackend off\n disabled\n server s 10.0.0.1:80\n",
    );
    let a = pool(&t, "a");
    assert_eq!(a.balance, Known::Yes(Balance::Hash));
    assert!(a.sticky.is_some() && a.check_rules.len() == 1 && !a.open_ended);
    assert_eq!(endpoint(&t, "a1").weight.known(), Some(&0));
    assert!(endpoint(&t, "a2").down.is_some());
    assert!(endpoint(&t, "a3").check.stray_setting.is_some());
    let a = hop(&t, "a");
    assert!(a.reuse.shared && a.reuse.race_hidden == Known::Yes(true));
    assert_eq!(a.retry.on.known(), Some(&RetryOn { empty: true, ..RetryOn::default() }));
    assert_eq!(a.buffers.header.as_ref().and_then(|header| header.known().copied()), Some(ByteSize(15360)));
    assert!(pool(&t, "answer").answers_itself);
    assert!(pool(&t, "off").disabled.is_some());
}

#[test]
fn names_that_nothing_defines() {
    let t = whole(
        "frontend web\n bind :80\n acl here path /\n http-request deny if here !gone\n acl gone path /x\n \
         use_backend ap if TRUE\n use_backend bk_%[path] if here\nbackend app\n server s app:80 resolvers dns\n \
         use-server t if TRUE\n",
    );
    let mut said: Vec<_> = t.load.undefined.iter().map(|name| (name.kind, &*name.name, name.near.is_some())).collect();
    said.sort_unstable();
    assert_eq!(
        said,
        [
            ("ACL", "gone", false),
            ("backend", "ap", true),
            ("computed backend", "bk_%[path]", false),
            ("resolvers section", "dns", false),
            ("server", "t", false)
        ]
    );
}

#[test]
fn fragments_accuse_nobody() {
    let t = fragment(
        "frontend web\n bind :80\n use_backend api if { path /x }\n default_backend app\n\
         backend app\n server s app:443 resolvers dns\n timeout connect 30\n",
    );
    assert!(t.load.undefined.is_empty());
    let app = hop(&t, "app");
    assert_eq!(app.timeouts.read.known(), None);
    assert_eq!(app.timeouts.connect.known().copied(), ms(30));
    assert_eq!(endpoint(&t, "s").check.enabled, Known::Unknown(Reason::OutsideRepository));
    assert!(app.buffers.header.as_ref().is_none_or(|header| header.known().is_none()));
}

#[test]
fn names_of_sibling_files_count() {
    let main = "global\nfrontend web\n bind :80\n default_backend app\n";
    let t = several(&[("conf/haproxy.cfg", main), ("conf/app.cfg", "backend app\n server s 10.0.0.1:80\n")]);
    assert!(t.load.undefined.is_empty());
    assert_eq!(hop(&t, "app").routes.len(), 1);
    assert_eq!(t.proxies.len(), 2);
    let t = several(&[("conf/haproxy.cfg", main), ("conf.d/app.cfg", "backend app\n server s 10.0.0.1:80\n")]);
    assert!(t.load.undefined.is_empty());
    let t = several(&[("conf/haproxy.cfg", main), ("conf/other.cfg", "global\nbackend ap\n server s 10.0.0.1:80\n")]);
    assert_eq!(t.load.undefined.len(), 1);
}

#[test]
fn branches_exclude_each_other() {
    let t = whole(
        ".if defined(BLUE)\nbackend app\n timeout server 1s\n server s 10.0.0.1:80\n.else\n\
         backend app\n server s 10.0.0.2:80\n.endif\n\
         backend b\n server s 10.0.0.1:80\n.if defined(X)\n timeout server 1s\n server t 10.0.0.2:80\n.else\n \
         server t 10.0.0.3:80\n.endif\n server t 10.0.0.4:80\n",
    );
    assert_eq!(hop(&t, "app").timeouts.read.known().copied(), ms(1000));
    let b = hop(&t, "b");
    assert_eq!(b.timeouts.read.known(), None);
    let [twice] = &*t.load.duplicates else { panic!("{:?}", t.load.duplicates) };
    assert_eq!((twice.kind, &*twice.name), ("server", "t"));
}

#[test]
fn variables_and_templates_accuse_nobody() {
    let t = whole(
        "defaults\n timeout server \"${T}\"\nbackend a\n server s 10.0.0.1:443 \"${OPTS[*]}\"\n server t ${HOST}:80 ${OPTS}\n",
    );
    assert_eq!(hop(&t, "a").timeouts.read.known(), None);
    assert_eq!(endpoint(&t, "s").check.enabled, Known::Unknown(Reason::Variable));
    assert_eq!(endpoint(&t, "s").port, Known::Unknown(Reason::Variable));
    assert!(t.load.syntax.is_empty(), "{:?}", t.load.syntax);
    let t = whole(
        "frontend web\n bind :80\n default_backend app\n{% for b in backends %}\nbackend {{ b }}\n \
         server s {{ b }}:80\n{% endfor %}\n",
    );
    assert!(t.load.undefined.is_empty());
    assert!(t.pools.iter().all(|(_, pool)| pool.open_ended));
    let t = whole(
        "defaults\n timeout server @TIMEOUT@\n timeout queue QUEUE_TIME\nbackend a\n server s __HOST__:__PORT__\n \
         server t @HOST@:@PORT@\n server u APP_HOST:APP_PORT\n",
    );
    assert!(t.load.syntax.is_empty() && t.load.malformed.is_empty(), "{:?}", t.load);
    assert_eq!(endpoint(&t, "u").port, Known::Unknown(Reason::TemplateHole));
}

#[test]
fn unknown_words() {
    let t = whole("backend a\n servr s 10.0.0.1:80\n server s 10.0.0.1:80 chek\n option httpchkk\n reqrep a b\n");
    let said: Vec<_> = t.load.syntax.iter().map(|fact| (&*fact.message, fact.help.as_deref())).collect();
    assert_eq!(
        said,
        [
            ("HAProxy knows no keyword `servr` in a `backend` section", Some("did you mean `server`?")),
            (
                "HAProxy knows no keyword `option httpchkk` in a `backend` section",
                Some("did you mean `option httpchk`?")
            ),
            ("HAProxy knows no option `chek` on a `server` line", Some("did you mean `check`?")),
        ]
    );
}

#[test]
fn hostile_text_costs_little() {
    let mut text = String::from("global\nfrontend f\n bind :80\n");
    for i in 0..20_000 {
        text.push_str(&format!(" acl a{i} path /\n use_backend b{i} if nope{i}\n"));
    }
    text.push_str("backend x\n");
    for i in 0..20_000 {
        text.push_str(&format!(" server s{} 10.0.0.1:80 chek\n", i % 3));
    }
    let t = several(&[("haproxy.cfg", &text)]);
    assert_eq!(t.load.undefined.len(), 40_000);
    assert!(t.load.syntax.len() <= 200);
}

#[test]
fn dead_branches_may_hold_anything() {
    let t = whole(
        "backend a\n.if version_atleast(99.0)\n new-word x\n server s 10.0.0.1:80 new-option\n timeout server 5x\n.endif\n \
         server t 10.0.0.1:80\n",
    );
    assert!(t.load.syntax.is_empty(), "{:?}", t.load.syntax);
}

#[test]
fn a_variable_is_not_split() {
    let t = several(&[(
        "haproxy.cfg",
        "global\n setenv APP \"10.0.0.1:80 check\"\nbackend a\n server s \"${APP}\"\n server t \"${APP[*]}\"\n",
    )]);
    let [fault] = &*t.load.malformed else { panic!("{:?}", t.load.malformed) };
    assert_eq!((fault.effect, fault.other.is_some()), (LoadEffect::Ignored, true));
}

#[test]
fn sections_that_are_named() {
    let t = whole(
        "listen a\n bind :80\n stick-table type ip size 1m peers mates\n http-request cache-use box\n use-fcgi-app php\n \
         errorfiles own\n http-request deny unless { http_auth(people) }\n server s 10.0.0.1:80 track b/gone\n\
         backend b\n server t 10.0.0.1:80 check\n",
    );
    let kinds: Vec<_> = t.load.undefined.iter().map(|name| name.kind).collect();
    assert_eq!(
        kinds,
        ["peers section", "cache section", "fcgi-app section", "http-errors section", "userlist", "server"]
    );
}

fn faults(topology: &Topology) -> Vec<(FaultKind, FaultWeight, bool)> {
    topology.load.faults.iter().map(|fault| (fault.kind, fault.weight, fault.certain)).collect()
}

#[test]
fn hosts_in_every_section() {
    use FaultKind::{UnknownHost, UnusableAddress};
    let kinds = |text: &str| faults(&whole(text)).into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>();
    // Each of these was refused by `haproxy -c` 2.6.12.
    assert_eq!(kinds("defaults\n log logs.invalid local0\n"), [UnknownHost]);
    assert_eq!(kinds("resolvers r\n nameserver a dns.Invalid:53\n"), [UnknownHost]);
    assert_eq!(kinds("peers p\n peer me 127.0.0.1:9\n peer other b.invalid:9\n"), [UnknownHost]);
    assert_eq!(kinds("ring r\n server l l.invalid:514\n"), [UnknownHost]);
    assert_eq!(kinds("mailers m\n mailer x m.invalid:25\n"), [UnknownHost]);
    assert_eq!(kinds("listen l\n bind :80,web.invalid:81\n server s 10.0.0.1:80\n"), [UnknownHost]);
    assert_eq!(kinds("listen l\n bind <ip>:80\n server s 10.0.0.1:80\n"), [UnusableAddress]);
    assert_eq!(kinds("backend b\n server s 10.0.0.1:80 source 192.0.2.7\n"), [UnusableAddress]);
    // What is not known, not meant so, or only perhaps there.
    assert_eq!(kinds("backend b\n server s 10.0.0.1:80 source 192.0.2.7 usesrc clientip\n"), []);
    assert_eq!(kinds("listen l\n bind \"${ADDRESS}.invalid:80\"\n server s 10.0.0.1:80\n"), []);
    assert_eq!(kinds(".if defined(X)\ndefaults\n log logs.invalid local0\n.endif\n"), []);
    assert_eq!(kinds("defaults\n log 192.0.2.5:514 local0\n"), []);
}

#[test]
fn sockets_and_who_may_open_them() {
    let of = |global: &str, bind: &str| {
        let text = format!(
            "global\n {global}\nbackend b\n server s unix@/run/a.sock\nfrontend f\n mode http\n \
             bind unix@/run/a.sock {bind}\n http-request return status 200\n"
        );
        faults(&several(&[("haproxy.cfg", &text)]))
    };
    let forbidden = |certain| {
        vec![(FaultKind::SocketPermission, if certain { FaultWeight::Fails } else { FaultWeight::MayFail }, certain)]
    };
    assert_eq!(of("maxconn 9", "mode 600"), []);
    assert_eq!(of("user nobody", "user daemon mode 600"), forbidden(true));
    assert_eq!(of("user nobody", "mode 600"), forbidden(false));
    assert_eq!(of("user nobody", ""), forbidden(false));
    assert_eq!(of("user nobody", "user nobody mode 600"), []);
    assert_eq!(of("user nobody", "mode 666"), []);
    assert_eq!(of("user nobody\n group web", "mode 660 group web"), []);
    assert_eq!(of("user nobody", "mode 660 group web"), forbidden(false));
    // Without `group` HAProxy keeps root's.
    assert_eq!(of("user nobody", "mode 660"), []);
    assert_eq!(of("user nobody", "uid 65534 mode 600"), []);
    assert_eq!(of("uid 65534", "mode 600"), []);
    assert_eq!(of("user nobody\n unix-bind mode 666", ""), []);
    assert_eq!(of("chroot /jail", "mode 666"), [(FaultKind::SocketPath, FaultWeight::Fails, true)]);
    assert_eq!(of("chroot /", "mode 666"), []);
    let below = |server: &str, bind: &str| {
        let text = format!("global\n chroot /jail/\nlisten l\n mode http\n bind {bind}\n server s {server}\n");
        faults(&several(&[("haproxy.cfg", &text)]))
    };
    assert_eq!(below("unix@/jail/a.sock", ":80"), [(FaultKind::SocketPath, FaultWeight::Fails, false)]);
    assert_eq!(below("/run/a.sock", ":80"), [(FaultKind::SocketPath, FaultWeight::MayFail, false)]);
    assert_eq!(below("/run/a.sock", "unix@/jail/run/a.sock"), []);
    assert_eq!(below("abns@a", ":80"), []);
}

#[test]
fn rules_that_are_never_reached() {
    let count = |rules: &str| {
        let text = format!(
            "frontend f\n mode http\n bind :80\n{rules} default_backend a\nbackend a\n mode http\n server s 10.0.0.1:80\n"
        );
        faults(&whole(&text)).iter().filter(|(kind, ..)| *kind == FaultKind::ShadowedRoute).count()
    };
    assert_eq!(count(" use_backend a\n use_backend a if { path /x }\n use_backend a\n"), 2);
    assert_eq!(count(" use_backend a if { path /x }\n use_backend a if { path /x }\n"), 1);
    assert_eq!(count(" use_backend a if { path /x }\n use_backend a unless { path /x }\n"), 0);
    assert_eq!(count(" use_backend a if { rand(2) eq 0 }\n use_backend a if { rand(2) eq 0 }\n"), 0);
    assert_eq!(count(".if defined(X)\n use_backend a\n.endif\n use_backend a if { path /x }\n"), 0);
}
