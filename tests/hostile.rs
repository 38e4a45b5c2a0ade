//! A pull request is hostile input. Each repository here is made to hang the linter, to exhaust the machine, to lead it out of
//! the tree, or to speak to whoever reads its output. The real program runs on it with a limit on processor time and memory,
//! and has to end with a report: exit code 0, 1 or 2, never a signal, never a panic, and never "clean" where something was not read.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

/// Seconds of processor time: many times what any of these takes without optimisation, and far from what an endless loop takes.
const SECONDS: u32 = 120;

/// KiB of address space. Enough for the allocator's reserve and a tree of some ten megabytes, and too little for a bomb.
const KIBIBYTES: u32 = 3 << 20;

const FORMATS: [&str; 11] = [
    "human",
    "concise",
    "json",
    "json-lines",
    "sarif",
    "code-scanning",
    "github",
    "gitlab",
    "junit",
    "checkstyle",
    "markdown",
];

/// A repository that goes away with the test.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().expect("a scratch directory"));
        for (path, text) in files {
            tree.put(path, text.as_bytes());
        }
        tree
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        // The shell lowers its own limits, and then becomes the program. Not every system can limit address space.
        let limits = format!("ulimit -t {SECONDS}; ulimit -v {KIBIBYTES} 2>/dev/null; exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &limits, env!("CARGO_BIN_EXE_gw502-lint")])
            .args(arguments)
            .current_dir(self.path())
            .env_remove("CLICOLOR_FORCE")
            .env_remove("RUST_BACKTRACE")
            .output()
            .expect("the program runs");
        Run(output)
    }
}

struct Run(Output);

impl Run {
    /// It ended by itself, with one of its own exit codes, and nothing in it broke.
    fn ended(self) -> Self {
        let code = self.0.status.code();
        let said = self.err();
        assert!(matches!(code, Some(0..=2)), "{:?}: {}", self.0.status, &said[..said.len().min(2000)]);
        assert!(!said.contains("panicked"), "{said}");
        self
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).expect("output is UTF-8")
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// The rules of the findings, from `--format json`.
    fn rules(&self) -> Vec<String> {
        let json: serde_json::Value = serde_json::from_str(&self.out()).expect("JSON");
        let findings = json["findings"].as_array().expect("findings").iter();
        findings.map(|finding| finding["rule"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Lints once and writes every format; gives what each of them says.
fn lint_in_every_format(tree: &Tree, more: &[&str]) -> Vec<(&'static str, String)> {
    let out = tempfile::tempdir().expect("a scratch directory");
    let mut arguments = Vec::new();
    for format in FORMATS {
        arguments.extend(["--format".to_owned(), format!("{format}={}", out.path().join(format).display())]);
    }
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(more);
    arguments.extend(["--fail-on", "never", "."]);
    tree.run(&arguments).ended();
    FORMATS.map(|format| (format, fs::read_to_string(out.path().join(format)).expect("a report"))).into()
}

/// Lints in JSON; the run ends.
fn lint(tree: &Tree) -> Run {
    tree.run(&["--format", "json", "--fail-on", "error", "."]).ended()
}

const SERVER: &str = "server {\n    listen 80;\n    location / {\n        proxy_pass http://app:8080;\n    }\n}\n";

#[test]
fn nesting_without_end() {
    let many = 200_000;
    let blocks = format!("{}{}", "location / {".repeat(many), "}".repeat(many));
    let tree = Tree::new(&[
        ("nginx.conf", &blocks),
        ("open.conf", &format!("server {{\n{}", "if ($a) {\n".repeat(many))),
        ("conf.d/tags.conf", &format!("{}\n{SERVER}", "{% if a %}{{ b | ".repeat(20_000))),
        ("haproxy.cfg", &format!("frontend a\n  bind :80\n  http-request deny if {}\n", "{ path / } !".repeat(20_000))),
        ("compose.yaml", &format!("services: {}{}\n", "[".repeat(many), "]".repeat(many))),
        ("a/compose.yaml", &format!("services: {}\n", "{a: ".repeat(many))),
        ("a/conf.d/site.conf", SERVER),
        ("k8s/deep.yaml", &format!("apiVersion: v1\nkind: Service\nspec: {}\n", "[[".repeat(many))),
        ("Dockerfile", &format!("FROM nginx\nRUN {}\nCOPY . /etc/nginx/\n", "\\\n".repeat(many))),
    ]);
    let rules = lint(&tree).rules();
    assert!(rules.iter().any(|rule| rule == "GW001" || rule == "GW000"), "nothing is said of all that: {rules:?}");
    let mut deep = String::new();
    for level in 0..3_000 {
        let _ = writeln!(deep, "{}a:", " ".repeat(level));
    }
    let tree = Tree::new(&[(".gw502.yaml", &deep), ("nginx.conf", SERVER)]);
    let run = tree.run(&["."]).ended();
    assert_eq!(run.0.status.code(), Some(2), "a configuration that cannot be followed ends the run: {}", run.err());
}

#[test]
fn bombs_of_aliases() {
    let mut bomb = String::from("x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let one_before = format!("*a{}", level - 1);
        let _ = writeln!(bomb, "x-{level}: &a{level} [{}]", [one_before.as_str(); 10].join(", "));
    }
    let merges = "x-0: &m0 {a: 1}\n".to_owned()
        + &(1..40).map(|n| format!("x-{n}: &m{n}\n  <<: [*m{0}, *m{0}]\n  k{n}: *m{0}\n", n - 1)).collect::<String>();
    for bomb in [&bomb, &merges] {
        let tree = Tree::new(&[
            (
                "compose.yaml",
                &format!(
                    "{bomb}services:\n  web:\n    image: nginx\n    command: *a11\n    volumes: [./nginx.conf:/etc/nginx/nginx.conf]\n"
                ),
            ),
            ("nginx.conf", SERVER),
            ("k8s/bomb.yaml", &format!("apiVersion: v1\nkind: Service\n{bomb}")),
        ]);
        lint(&tree);
        let tree = Tree::new(&[(".gw502.yaml", bomb), ("nginx.conf", SERVER)]);
        assert_eq!(tree.run(&["."]).ended().0.status.code(), Some(2), "not a configuration");
    }
    // The same by variables, by includes and by globs.
    let mut doubling = String::from(
        "services: {web: {image: nginx, volumes: [\"./nginx.conf:/etc/nginx/nginx.conf\"], environment: {",
    );
    for n in 0..64 {
        let _ = write!(doubling, "V{n}: \"${{V{0}:-${{V{0}}}${{V{0}}}}}\", ", n + 1);
    }
    doubling.push_str("}}}\n");
    let tree = Tree::new(&[("compose.yaml", &doubling), ("nginx.conf", SERVER)]);
    for n in 0..30 {
        tree.put(&format!("inc/{n}.conf"), format!("include inc/{0}.conf;\ninclude inc/{0}.conf;\n", n + 1).as_bytes());
    }
    tree.put(
        "main/nginx.conf",
        b"events {}\nhttp { include ../inc/0.conf; include inc/0.conf; include inc/*.conf; }\n",
    );
    lint(&tree);
}

#[test]
fn circles() {
    let tree = Tree::new(&[
        ("nginx.conf", "events {}\nhttp { include nginx.conf; include a.conf; }\n"),
        ("a.conf", "include b.conf;\n"),
        ("b.conf", "include a.conf;\ninclude *.conf;\n"),
        (
            "compose.yaml",
            "include: [other.yaml, compose.yaml]\nservices:\n  a: {extends: {service: b}}\n  b: {extends: {service: a, file: other.yaml}}\n",
        ),
        (
            "other.yaml",
            "include: compose.yaml\nservices:\n  a: {extends: {service: b, file: compose.yaml}}\n  c: {network_mode: 'service:d'}\n  d: {network_mode: 'service:c', depends_on: [c]}\n",
        ),
        (".env", "A=${B}\nB=${A}\n"),
        (
            "Dockerfile",
            "FROM b AS a\nCOPY --from=b / /\nFROM a AS b\nCOPY --from=a nginx.conf /etc/nginx/nginx.conf\nARG A=${B}\nARG B=${A}\n",
        ),
        ("k8s/kustomization.yaml", "resources: [../k8s, .., base]\n"),
        ("k8s/base/kustomization.yaml", "resources: [.., ../..]\nbases: [.]\n"),
        (
            "k8s/ingress.yaml",
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: []}\n",
        ),
        ("package.json", "{\"scripts\": {\"start\": \"npm run start\", \"a\": \"npm run b\", \"b\": \"npm run a\"}}"),
        (
            "haproxy.cfg",
            "defaults a from b\ndefaults b from a\nfrontend f from a\n  bind :80\n  default_backend f\nbackend b\n  server s 127.0.0.1:80 track b/s\n",
        ),
    ]);
    symlink(".", tree.path().join("again")).expect("a link");
    symlink("loop.conf", tree.path().join("loop.conf")).expect("a link");
    lint(&tree);
}

#[test]
fn one_line_and_many_lines() {
    let megabytes = 4 << 20;
    let tree = Tree::new(&[
        ("nginx.conf", &format!("events {{}} http {{ server {{ set $a \"{}\"; }} }}", "a".repeat(megabytes))),
        ("words.conf", &format!("server {{ server_name {}; }}", "a ".repeat(megabytes / 2))),
        ("quotes.conf", &format!("server {{ return 200 {}; }}", "\"".repeat(200_001))),
        ("dollars.conf", &format!("server {{ proxy_pass http://{}; }}", "$a".repeat(100_000))),
        ("haproxy.cfg", &format!("frontend a\n  bind :80\n  acl a path {}\n", "/a ".repeat(megabytes / 4))),
        ("backslash/haproxy.cfg", &format!("defaults\n  log-format {}\n", "\\ ".repeat(200_000))),
        (
            "compose.yaml",
            &format!(
                "services:\n  web:\n    image: nginx\n    command: \"{}\"\n    volumes: [./nginx.conf:/etc/nginx/nginx.conf]\n",
                "a ".repeat(megabytes / 8)
            ),
        ),
        ("Dockerfile", &format!("FROM nginx\nCMD {}\n", "a ".repeat(megabytes / 8))),
        ("lines/nginx.conf", &"server_tokens off;\n".repeat(100_000)),
        ("servers/haproxy.cfg", &format!("backend a\n{}", "  server a 127.0.0.1:80\n".repeat(30_000))),
    ]);
    lint_in_every_format(&tree, &[]);
}

#[test]
fn encodings() {
    let tree = Tree::new(&[("ok/nginx.conf", SERVER)]);
    let wide: Vec<u8> = format!("\u{feff}{SERVER}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    tree.put("utf16/nginx.conf", &wide);
    tree.put("utf16/haproxy.cfg", &"global\n".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    tree.put("latin/nginx.conf", b"events {}\nhttp { server { server_name caf\xe9.example; } } # \xff\xfe\n");
    tree.put("binary/nginx.conf", &(0..=255_u8).cycle().take(100_000).collect::<Vec<_>>());
    tree.put(
        "compose.yaml",
        b"services:\n  web: {image: \"\xff\xfe\", volumes: [\"./ok/nginx.conf:/etc/nginx/nginx.conf\"]}\n",
    );
    tree.put("Dockerfile", b"FROM nginx\nCOPY \xff /etc/nginx/nginx.conf\n");
    tree.put(".env", b"A=\xff\n\0=b\n");
    let rules = lint(&tree).rules();
    assert!(
        rules.iter().any(|rule| rule == "GW001" || rule == "GW000"),
        "UTF-16 is no configuration, and is not clean"
    );
}

/// Text that a terminal, a log of GitHub, a page or a spreadsheet would obey, in every place from which text reaches a report.
const EVIL: &str = "\u{1b}[31m\u{1b}]8;;http://evil\u{7}\u{9b}2J\u{202e}\u{200b}::error::x %0A::set-output name=a::b ]]> --> </script><img src=x> | `x` [a](b) &amp; ##[group]";

#[test]
fn text_that_speaks_to_the_reader() {
    let path = EVIL.replace('/', "_");
    let tree = Tree::new(&[
        (
            &format!("{path}/nginx.conf"),
            &format!(
                "events {{}}\nhttp {{\n upstream \"{EVIL}\" {{ }}\n server {{ listen 80; location / {{ proxy_pass \"{EVIL}\"; {EVIL};\n::error::at the start of a line;\n }} }}\n}}\n"
            ),
        ),
        (
            "haproxy.cfg",
            &format!(
                "frontend f\n  bind :80\n  default_backend \"{EVIL}\"\n  use_backend '{EVIL}' if nothing\n::warning::x\n"
            ),
        ),
        (
            "compose.yaml",
            &format!(
                "services:\n  web:\n    image: nginx\n    volumes: [\"./conf:/etc/nginx/conf.d\"]\n  \"{}\":\n    image: node\n    command: node --port 3000\n",
                EVIL.replace('"', "")
            ),
        ),
        ("conf/default.conf", &SERVER.replace("app", &EVIL.replace(['\u{1b}', ';', '{', '}', ' ', '"', '`'], ""))),
        (
            "k8s/a.yaml",
            &format!(
                "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: a\n  annotations:\n    nginx.ingress.kubernetes.io/proxy-read-timeout: \"{}\"\nspec: {{rules: []}}\n",
                EVIL.replace('"', "")
            ),
        ),
    ]);
    for format in FORMATS {
        let run = tree.run(&["--format", format, "--color", "never", "--fail-on", "never", "."]).ended();
        let (out, err) = (run.out(), run.err());
        for (name, text) in [("standard output", &out), ("standard error", &err)] {
            let raw = text.chars().find(|c| (c.is_control() && *c != '\n') || ['\u{202e}', '\u{200b}'].contains(c));
            assert!(raw.is_none(), "{format}: {raw:?} reaches {name}");
            assert!(!text.contains("##["), "{format}: the runner's old language reaches {name}");
        }
        let command = out.lines().find(|line| line.trim_start().starts_with("::"));
        if format == "github" {
            assert!(
                out.lines()
                    .filter(|line| line.starts_with("::"))
                    .all(|line| { ["::error ", "::warning ", "::notice "].iter().any(|ours| line.starts_with(ours)) })
            );
        } else {
            assert_eq!(command, None, "{format} forges a workflow command");
        }
        match format {
            "json" | "sarif" | "code-scanning" | "gitlab" => {
                drop(serde_json::from_str::<serde_json::Value>(&out).expect("JSON"))
            }
            "junit" | "checkstyle" => drop(roxmltree::Document::parse(&out).expect("XML")),
            "markdown" => assert!(!out.contains("<img") && !out.contains("</script>"), "HTML passes through: {out}"),
            _ => {}
        }
    }
}

#[test]
fn ways_out_of_the_tree() {
    let outside = Tree::new(&[
        ("secret.conf", "server { listen 80 secret_word; }\n"),
        ("compose.yaml", "services: {secret_word: {image: nginx}}\n"),
    ]);
    let up = format!("../{}", outside.path().file_name().expect("a name").to_string_lossy());
    let absolute = outside.path().display().to_string();
    let tree = Tree::new(&[
        (
            "nginx.conf",
            &format!(
                "events {{}}\nhttp {{\n include {up}/secret.conf;\n include {absolute}/*.conf;\n include linked/secret.conf;\n include pipe.conf;\n include device.conf;\n}}\n"
            ),
        ),
        (
            "compose.yaml",
            &format!(
                "include: [{up}/compose.yaml, linked/compose.yaml]\nservices:\n  web:\n    image: nginx\n    extends: {{file: {up}/compose.yaml, service: secret_word}}\n    env_file: [{up}/secret.conf, /etc/passwd]\n    volumes: [\"{up}/secret.conf:/etc/nginx/conf.d/a.conf\", \"./nginx.conf:/etc/nginx/nginx.conf\"]\n  app: {{build: {{context: {up}}}}}\n"
            ),
        ),
        ("k8s/kustomization.yaml", &format!("resources: [../{up}]\n")),
    ]);
    symlink(outside.path(), tree.path().join("linked")).expect("a link");
    symlink("/dev/zero", tree.path().join("device.conf")).expect("a link");
    assert!(Command::new("mkfifo").arg(tree.path().join("pipe.conf")).status().expect("mkfifo").success());
    assert!(Command::new("mkfifo").arg(tree.path().join(".env")).status().expect("mkfifo").success());
    symlink("/dev/zero", tree.path().join("Dockerfile")).expect("a link");
    let run = lint(&tree);
    assert!(!run.out().contains("secret_word"), "something outside the tree was read");
    assert!(run.rules().iter().any(|rule| rule == "GW000"), "what is not read is told: {}", run.out());
    assert_ne!(tree.run(&["."]).ended().0.status.code(), Some(0), "what could not be read is never clean");
}

/// A file that grows, shrinks and goes away while it is read gives a report or a finding that it could not be read.
#[test]
fn a_file_that_changes_under_the_reader() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let tree = Tree::new(&[("nginx.conf", SERVER)]);
    let (stop, path) = (AtomicBool::new(false), tree.path().join("nginx.conf"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let sizes = [0, 1, 4_000, 70_000, 300_000];
            for size in sizes.into_iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let _ = fs::write(&path, SERVER.repeat(size / SERVER.len()));
                if size == 1 {
                    let _ = fs::remove_file(&path);
                }
            }
        });
        for _ in 0..25 {
            let run = tree.run(&["--format", "json", "nginx.conf"]).ended();
            if run.0.status.code() != Some(2) {
                run.rules();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// Very many of one thing, beside each other and below each other.
#[test]
fn very_many_of_one_thing() {
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    let address = |n: usize| format!("10.{}.{}.{}", n / 62_500, n / 250 % 250, n % 250);
    let haproxy = |text: String| format!("global\n  maxconn 100\ndefaults\n  mode http\n{text}");
    let tree = Tree::new(&[
        (
            "servers/haproxy.cfg",
            &haproxy(format!("backend a\n{}", many(50_000, &|n| format!("  server s{n} {}:80 check\n", address(n))))),
        ),
        ("sections/haproxy.cfg", &haproxy(many(30_000, &|n| format!("backend b{n}\n  server a 10.0.0.1:80\n")))),
        ("defaults/haproxy.cfg", &haproxy(many(30_000, &|n| format!("defaults d{n}\n  timeout connect 5s\n")))),
        (
            "rules/haproxy.cfg",
            &haproxy(format!(
                "frontend f\n  bind :80\n{}backend b\n  server a 10.0.0.1:80\n",
                many(30_000, &|n| format!("  acl a{n} path /{n}\n  use_backend b if a{n}\n"))
            )),
        ),
        (
            "binds/haproxy.cfg",
            &haproxy(format!("frontend f\n{}", many(30_000, &|n| format!("  bind {}:80\n", address(n))))),
        ),
        ("line/haproxy.cfg", &haproxy(format!("frontend f\n  bind {}\n", " \\a".repeat(1_000_000)))),
    ]);
    lint(&tree);
    // Each service beside all others; each location with all members of one group.
    let tree = Tree::new(&[
        ("compose.yaml", &format!("services:\n{}", many(60_000, &|n| format!("  s{n}: {{image: a}}\n")))),
        (
            "nginx.conf",
            &format!(
                "events {{}}\nhttp {{ upstream u {{\n{}}}\nserver {{ listen 80;\n{}}} }}\n",
                many(40_000, &|n| format!("server {}:80;\n", address(n))),
                many(10_000, &|n| format!("location /{n}/ {{ proxy_pass http://u; }}\n"))
            ),
        ),
    ]);
    lint(&tree);
}

/// Every format tells a hundred thousand findings, or says how many it left out.
#[test]
fn a_hundred_thousand_findings() {
    let mut text = String::from("events {}\nhttp {\n");
    for n in 0..100_000 {
        let _ = writeln!(text, " upstream u{n} {{ }}");
    }
    text.push_str("}\n");
    let tree = Tree::new(&[("nginx.conf", &text)]);
    for (format, out) in lint_in_every_format(&tree, &["--select", "GW115"]) {
        // All of them, their number, or how many more there are than are shown.
        let said = ["100000", "100,000", "95000 findings are left out"].iter().any(|number| out.contains(number));
        assert!(said || out.matches("GW115").count() >= 100_000, "{format} loses findings silently");
    }
}

/// Policies and Services that select all pods, and a chain of folders that kustomize joins one by one from its end.
#[test]
fn manifests_that_all_belong_together() {
    let (mut pods, mut policies, mut services) = (String::new(), String::new(), String::new());
    for n in 0..1000 {
        let _ = write!(
            pods,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d{n}, namespace: x}}\nspec:\n  template:\n    \
             metadata: {{labels: {{app: a}}}}\n    spec: {{containers: [{{name: a, image: b}}]}}\n"
        );
        let _ = write!(
            policies,
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{n}, namespace: x}}\nspec:\n  \
             podSelector: {{}}\n  policyTypes: [Ingress]\n  ingress:\n  - from: [{{podSelector: {{matchLabels: {{app: a}}}}}}]\n"
        );
        let _ = write!(
            services,
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{n}, namespace: x}}\nspec:\n  selector: {{app: a}}\n  \
             ports: [{{port: 80}}]\n"
        );
    }
    let tree = Tree::new(&[("pods.yaml", &pods), ("policies.yaml", &policies), ("services.yaml", &services)]);
    lint(&tree);
    let tree = Tree::new(&[]);
    let mut chain = String::from("resources:\n");
    for n in (0..2000).rev() {
        tree.put(&format!("f{n:04}/a.yaml"), b"apiVersion: v1\nkind: Service\nmetadata: {name: a}\n");
        let _ = writeln!(chain, "- ../f{n:04}");
    }
    for last in ["y", "z"] {
        tree.put(&format!("{last}/kustomization.yaml"), chain.as_bytes());
    }
    lint(&tree);
}

/// Objects that each name many others: a large map given to very many containers, an Ingress with as many annotations as
/// backends, classes without end, Services that are nearly there, and manifests that an ignore file hides.
#[test]
fn manifests_that_all_ask_each_other() {
    let tree = Tree::new(&[(".gitignore", "hidden/\n")]);
    let mut map = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: x}\ndata:\n");
    for n in 0..20_000 {
        let _ = writeln!(map, "  k{n}: v");
    }
    tree.put("map.yaml", map.as_bytes());
    let mut pod = String::from("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: x}\nspec:\n  containers:\n");
    for n in 0..5_000 {
        let _ = writeln!(pod, "  - {{name: c{n}, image: a, envFrom: [{{configMapRef: {{name: m}}}}], ");
        let _ = writeln!(pod, "     volumeMounts: [{{name: v, mountPath: /c}}]}}");
    }
    pod.push_str("  volumes: [{name: v, configMap: {name: m}}]\n");
    tree.put("pod.yaml", pod.as_bytes());
    let mut asking = String::from(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i\n  namespace: x\n  annotations:\n",
    );
    for n in 0..10_000 {
        let _ = writeln!(asking, "    nginx.ingress.kubernetes.io/a{n}: b");
    }
    asking.push_str("spec:\n  rules:\n  - http:\n      paths:\n");
    for n in 0..10_000 {
        let _ =
            writeln!(asking, "      - {{backend: {{service: {{name: service-number-{n:06}, port: {{number: 80}}}}}}}}");
    }
    tree.put("ingress.yaml", asking.as_bytes());
    let (mut classes, mut ingresses, mut services) = (String::new(), String::new(), String::new());
    for n in 0..5_000 {
        let group = "---\napiVersion: networking.k8s.io/v1\nkind";
        let _ = writeln!(classes, "{group}: IngressClass\nmetadata: {{name: c{n}}}\nspec: {{controller: a/b}}");
        let _ = writeln!(ingresses, "{group}: Ingress\nmetadata: {{name: i{n}}}\nspec: {{ingressClassName: c4999}}");
        let _ = writeln!(
            services,
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: sevrice-numbre-{n:06}x, namespace: x}}"
        );
    }
    tree.put("classes.yaml", classes.as_bytes());
    tree.put("ingresses.yaml", ingresses.as_bytes());
    tree.put("services.yaml", services.as_bytes());
    let hidden = format!("apiVersion: v1\nkind: Secret\n{}", "name: a\n".repeat(100_000));
    (0..40).for_each(|n| tree.put(&format!("hidden/{n}.yaml"), hidden.as_bytes()));
    lint(&tree);
}

/// Files with variables that are named again and again, Dockerfiles that say the same without end, commands with a
/// reference in each word, programs that start themselves, and sockets without end.
#[test]
fn variables_and_programs_without_end() {
    let tree = Tree::new(&[("nginx.conf", "events {}\nhttp { server { location / { proxy_pass http://app; } } }\n")]);
    let mut variables = String::new();
    (0..10_000).for_each(|n| writeln!(variables, "V{n}=x").unwrap());
    tree.put("all.env", variables.as_bytes());
    let mut compose = String::from("services:\n  app:\n    image: app\n    env_file:\n");
    compose.push_str(&"    - all.env\n".repeat(5_000));
    let _ = writeln!(compose, "    command: server {}", "$$V1 ".repeat(100_000));
    for n in 0..100 {
        let _ = writeln!(compose, "  s{n}: {{build: {{context: ., args: {{A: b{n}}}}}, env_file: all.env}}");
    }
    let _ = writeln!(compose, "  y: {{image: node, command: {}}}", "yarn ".repeat(50_000));
    let _ = writeln!(compose, "  n: {{image: node, command: npm start, working_dir: /app, volumes: ['./n:/app']}}");
    let _ =
        writeln!(compose, "  f: {{image: 'php:fpm', volumes: ['./f.conf:/usr/local/etc/php-fpm.d/zz-docker.conf']}}");
    tree.put("compose.yaml", compose.as_bytes());
    let start = format!("cross-env {} node x", "A=1 ".repeat(50_000));
    tree.put("n/package.json", format!("{{\"scripts\": {{\"start\": \"{start}\"}}}}").as_bytes());
    tree.put("f.conf", format!("[www]\npm = static\n{}", "listen = /a\n".repeat(30_000)).as_bytes());
    let mut dockerfile = String::from("FROM a AS b\nCOPY . /\n");
    (0..20_000).for_each(|n| writeln!(dockerfile, "ENV V{}=x", n % 10_000).unwrap());
    tree.put("Dockerfile", dockerfile.as_bytes());
    let unit = format!("[Service]\nExecStart=/app\n{}", "EnvironmentFile=/etc/all.env\n".repeat(5_000));
    (0..50).for_each(|n| tree.put(&format!("units/u{n}.service"), unit.as_bytes()));
    lint(&tree);
}
