//! Every fixture against the real proxy: `bad/` ends as `case.yaml` says, and `good/` does not; where `case.yaml` says
//! that fixes mend it, `bad/` after `--fix` does as well as `good/`.
//!
//! One named test per case and side. A case that this machine cannot run (the proxy or a backend's program is not
//! installed, no mount namespace) is shown as ignored, with the reason in brackets; it never counts as passed.
//! Loopback only; `fixtures/README.md` explains the keys of `case.yaml`.

#[path = "live/backend.rs"]
mod backend;
#[path = "live/case.rs"]
mod case;
#[path = "live/client.rs"]
mod client;
#[path = "live/dns.rs"]
mod dns;
#[path = "live/ports.rs"]
mod ports;
#[path = "live/proxy.rs"]
mod proxy;
#[path = "live/tls.rs"]
mod tls;
#[path = "live/wire.rs"]
mod wire;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};

use backend::{Backend, Behave};
use case::{Case, Fix, Fixture, Side, Verdict};
use ports::{Lease, Ports};
use proxy::{Launch, Scratch, find_program, own_hosts_possible};
use tls::Certificate;

/// How long a log line or a health check may be waited for. Only a machine under heavy load needs as much.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    if args.test_threads.is_none() {
        // Cases mostly wait: more of them than processors may run side by side.
        args.test_threads = Some(thread::available_parallelism().map_or(4, usize::from) * 3);
    }
    let trials = match (case::fixtures(), Certificate::make()) {
        (Ok(fixtures), Ok(certificate)) => {
            let certificate = Arc::new(certificate);
            fixtures.into_iter().flat_map(|fixture| trials(fixture, &certificate)).collect()
        }
        (Err(error), _) | (_, Err(error)) => {
            vec![Trial::test("fixtures", move || Err(Failed::from(error)))]
        }
    };
    libtest_mimic::run(&args, trials).exit_code()
}

fn trials(fixture: Fixture, certificate: &Arc<Certificate>) -> Vec<Trial> {
    if fixture.case.entry.is_none() {
        return Vec::new(); // a fragment: no proxy can start it
    }
    let reason = cannot_run(&fixture.case);
    let mut sides = if fixture.case.trap { vec![Side::Good] } else { vec![Side::Bad, Side::Good] };
    sides.extend(fixture.case.fix.map(|_| Side::Fixed));
    let fixture = Arc::new(fixture);
    let trial = |side: Side| {
        let (fixture, certificate) = (Arc::clone(&fixture), Arc::clone(certificate));
        let name = format!("{}/{}", fixture.name, side.name());
        let test = Trial::test(name, move || run(&fixture, side, &certificate).map_err(Failed::from));
        match &reason {
            Some(reason) => test.with_kind(reason).with_ignored_flag(true),
            None => test,
        }
    };
    sides.into_iter().map(trial).collect()
}

/// Why this machine cannot run a case.
fn cannot_run(case: &Case) -> Option<String> {
    let program = case.proxy.program();
    if find_program(program).is_none() {
        return Some(format!("{program} not installed"));
    }
    for backend in &case.backends {
        let program = backend.command.iter().flatten().next();
        if let (Behave::Command, Some(program)) = (&backend.behave, program)
            && find_program(program).is_none()
        {
            return Some(format!("{program} not installed"));
        }
        if backend.host.contains(':') && TcpListener::bind((backend.host.as_str(), 0)).is_err() {
            return Some("no IPv6".to_owned());
        }
    }
    if case.hosts.is_some() && !own_hosts_possible() {
        return Some("needs root and unshare for its own hosts file".to_owned());
    }
    None
}

/// Lets the program fix a folder.
fn apply_fixes(folder: &Path, fix: Option<Fix>) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gw502-lint"));
    command.current_dir(folder).args(["--fix", "--fail-on", "never", "."]);
    if fix == Some(Fix::Unsafe) {
        command.arg("--unsafe-fixes");
    }
    let done = command.output().map_err(|error| error.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

/// What a template's tags print, by a role's defaults.
fn values(file: &Path) -> Result<Vec<[String; 2]>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let pairs = text.lines().filter_map(|line| line.split_once(": "));
    Ok(pairs.map(|(name, value)| [format!("{{{{ {name} }}}}"), value.trim().to_owned()]).collect())
}

/// One side of a case. A port that another program takes between the look at it and its use is no fault of the case.
///
/// # Errors
/// What [`run_once`] says.
fn run(fixture: &Fixture, side: Side, certificate: &Arc<Certificate>) -> Result<(), String> {
    let taken = |error: &String| error.contains("Address already in use");
    run_once(fixture, side, certificate)
        .or_else(|error| if taken(&error) { run_once(fixture, side, certificate) } else { Err(error) })
}

/// One side of a case.
///
/// # Errors
/// What was wanted, what was seen, and the end of the proxy's log.
fn run_once(fixture: &Fixture, side: Side, certificate: &Arc<Certificate>) -> Result<(), String> {
    let lease = Lease::take()?;
    let mut ports = Ports::new(&lease);
    let case = case::parse(&ports.rewrite(&fixture.yaml)?)?;
    let scratch = Scratch::make(certificate)?;
    let mut replace = match &case.values {
        Some(file) => values(&fixture.folder(side).join(file))?,
        None => Vec::new(),
    };
    replace.extend(case.replace.iter().cloned());
    let replaced = |text: &str| replace.iter().fold(text.to_owned(), |text, [from, to]| text.replace(from, to));
    scratch.copy_tree(&fixture.folder(side), "conf", |text| ports.rewrite(&replaced(text)))?;
    for (name, text) in &case.add {
        scratch.write(&format!("conf/{name}"), &scratch.fill(&ports.rewrite(text)?))?;
    }
    if fixture.dir.join("files").is_dir() {
        scratch.copy_tree(&fixture.dir.join("files"), "files", |text| ports.rewrite(text))?;
    }
    if let Some(hosts) = &case.hosts {
        scratch.write("hosts", hosts)?;
    }
    if side == Side::Fixed {
        apply_fixes(&scratch.path().join("conf"), case.fix)?;
    }
    let mut backends = Vec::new();
    for spec in &case.backends {
        backends.push(Backend::start(spec, &scratch)?);
    }
    let launch = Launch {
        proxy: case.proxy,
        entry: scratch.path().join("conf").join(case.entry.as_deref().unwrap_or_default()),
        scratch: &scratch,
        own_hosts: case.hosts.is_some(),
    };
    let check = launch.check()?;
    let said = String::from_utf8_lossy(&[check.stdout, check.stderr].concat()).into_owned();
    let verdict = verdict(check.status.success(), &said);
    let seen = observe(&case, side, &launch, &backends, check.status.success());
    let seen = seen.and_then(|()| match case.check {
        Some(claimed) if side == Side::Bad && claimed != verdict => {
            Err(format!("the proxy's own check: wanted {claimed:?}, got {verdict:?}"))
        }
        _ => Ok(()),
    });
    let log = said + &scratch.log();
    let tail: Vec<&str> = log.lines().rev().take(12).collect();
    let tail: String = tail.into_iter().rev().map(|line| format!("\n    | {line}")).collect();
    seen.map_err(|error| format!("{error}\nthe proxy's own check: {verdict:?}{tail}"))
}

/// What the proxy's own check makes of a configuration.
fn verdict(accepted: bool, said: &str) -> Verdict {
    if !accepted {
        Verdict::Refuses
    } else if said.contains("[warn]") || said.contains("[WARNING]") {
        Verdict::Warns
    } else {
        Verdict::Silent
    }
}

/// Starts the proxy and compares what the client sees.
fn observe(case: &Case, side: Side, launch: &Launch, backends: &[Backend], accepted: bool) -> Result<(), String> {
    let Some((expect, port)) = case.expect.as_ref().zip(case.listen) else {
        // A trap without requests: a valid file, and no more is claimed.
        return if accepted { Ok(()) } else { Err("a trap must be a valid file".to_owned()) };
    };
    let wanted = match (side, &expect.bad) {
        (Side::Bad, Some(bad)) => bad,
        _ => &expect.good,
    };
    let sign = expect.log.as_deref().filter(|_| side == Side::Bad);
    let mut process = launch.start()?;
    if !process.wait_for(port)? {
        let log = launch.scratch.log();
        return match (wanted.no_start(), sign) {
            (false, _) => Err(format!("wanted {}: the proxy does not start", wanted.shown())),
            (true, Some(sign)) if !log.contains(sign) => Err(format!("does not start, but does not say: {sign}")),
            (true, _) => Ok(()),
        };
    }
    let end = Instant::now() + PATIENCE;
    loop {
        thread::sleep(Duration::from_secs_f64(case.settle.unwrap_or(0.0)));
        backends.iter().for_each(Backend::requests_begin);
        let got = client::send_all(port, &case.request);
        if !process.running() {
            return Err(format!("the proxy ended meanwhile, after {}", got.join(", ")));
        }
        // Health checks may take their time; everything else must be as wanted from the first request on.
        let last = case.settle.is_none() || Instant::now() > end;
        let wait = if last { PATIENCE } else { Duration::from_secs(2) };
        if !wanted.met_by(&got) {
            if last {
                return Err(format!("wanted {}, got {}", wanted.shown(), got.join(", ")));
            }
        } else if sign.is_none_or(|sign| logged(launch.scratch, sign, wait)) {
            return Ok(());
        } else if last {
            return Err(format!("answers as wanted, but does not log: {}", sign.unwrap_or_default()));
        }
    }
}

/// Whether the proxy's log comes to hold these words.
fn logged(scratch: &Scratch, words: &str, wait: Duration) -> bool {
    let end = Instant::now() + wait;
    loop {
        if scratch.log().contains(words) {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
}
