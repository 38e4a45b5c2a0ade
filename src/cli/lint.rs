//! `gw502-lint [PATHS]…`: the run itself.

use super::Exit;
use super::about::AboutArguments;
use super::baseline::BaselineArguments;
use super::fix::{self, FixArguments, Mode};
use super::formats::{OutputArguments, Shown};
use super::output::{to_stderr, to_stdout};
use super::progress::Progress;
use super::timings::Timings;
use crate::catalog::{CATALOG, RuleId, Severity};
use crate::config::{Config, NAME};
use crate::discover::{self, DialectOf, Disk, Found, Request};
use crate::engine::{self, Report, Selection, Settings, Targets};
use crate::files::{Repository, Unit};
use crate::fix::Fixed;
use crate::lower::compose::is_compose_name;
use crate::output::plain;
use crate::syntax::limits::MAX_FILE_BYTES;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

/// What is read, and for which proxies.
#[derive(Debug, Args)]
pub struct Analysis {
    /// Files and folders to lint; `-` is standard input
    #[arg(value_name = "PATHS", default_value = ".")]
    paths: Vec<PathBuf>,

    /// Lint what .gitignore and .ignore name, and node_modules, vendor and target, too
    #[arg(long)]
    no_ignore: bool,

    /// What a file is, where it cannot be told: PATH_OR_GLOB=nginx or =haproxy (repeatable)
    #[arg(long, value_name = "PATH=DIALECT", allow_hyphen_values = true, value_parser = DialectOf::parse)]
    dialect: Vec<DialectOf>,

    /// The name that standard input goes by
    #[arg(long, value_name = "NAME")]
    stdin_filename: Option<String>,

    /// The versions that run the configuration: nginx=1.24,haproxy=2.8. Without it: nginx 1.22 or newer, HAProxy 2.6 or
    /// newer
    #[arg(long, value_name = "PROXY=VERSION", value_delimiter = ',')]
    target: Vec<String>,

    /// The configuration file, instead of the nearest .gw502.yaml between the root and the repository's root
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Read no configuration file
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
}

#[derive(Debug, Args)]
pub struct LintArguments {
    #[command(flatten)]
    analysis: Analysis,

    #[command(flatten)]
    outputs: OutputArguments,

    /// Run only these rules: codes, names or beginnings of codes (GW2), separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Findings")]
    select: Vec<String>,

    /// Do not run these rules
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Findings")]
    ignore: Vec<String>,

    /// Show and count only findings at least this bad
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = Threshold::Note, help_heading = "Findings")]
    min_severity: Threshold,

    /// Exit with 1 when a finding is at least this bad
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Warning, help_heading = "Findings")]
    fail_on: FailOn,

    #[command(flatten)]
    fixes: FixArguments,

    #[command(flatten)]
    baseline: BaselineArguments,

    #[command(flatten)]
    about: AboutArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Threshold {
    Error,
    Warning,
    Note,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl From<Threshold> for Severity {
    fn from(threshold: Threshold) -> Self {
        match threshold {
            Threshold::Error => Self::Error,
            Threshold::Warning => Self::Warning,
            Threshold::Note => Self::Note,
        }
    }
}

impl FailOn {
    fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Note => Some(Severity::Note),
            Self::Never => None,
        }
    }
}

/// Lints.
///
/// # Errors
/// What is wrong with the call, in words.
pub fn run(arguments: &LintArguments) -> Result<Exit, String> {
    if let Some(done) = arguments.about.run(&arguments.analysis, &arguments.outputs)? {
        return Ok(done);
    }
    let mut timings = Timings::start();
    let outputs = arguments.outputs.outputs()?;
    let selection = Selection { select: rules(&arguments.select)?, ignore: rules(&arguments.ignore)? };
    let mut request = request(&arguments.analysis)?;
    let (config, everything) = match configuration(&arguments.analysis, &request)? {
        Setup::Config(config, everything) => (*config, everything),
        Setup::Mistakes(report) => {
            outputs.write(&report, Shown { elapsed: timings.elapsed(), fixed: None, piped: false })?;
            let (count, path) =
                (report.findings.len(), report.sources.files().next().map_or(NAME, |(_, file)| file.path()));
            let mistakes = if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") };
            return Err(format!("nothing was linted, because {path} has {mistakes}"));
        }
    };
    let mode = arguments.fixes.mode()?;
    if matches!(mode, Mode::Apply(_)) && request.stdin.is_some() && !request.paths.is_empty() {
        return Err("--fix takes standard input alone: its fixed text goes to standard output".into());
    }
    let targets = targets_of(&arguments.analysis, &config)?;
    let settings = Settings { selection, targets, config, everything };
    request.exclude = settings.config.clone();
    let mut comparison = arguments.baseline.open(&request, &settings)?;
    let progress = Progress::start();
    let found = discover::discover(&request).map_err(|refusal| refusal.to_string())?;
    // What was named and is excluded is done with: a hook names the files that change.
    let nothing = (found.units.is_empty() && found.unread.is_empty() && found.named_excluded == 0)
        .then(|| nothing_to_lint(&request, &found));
    progress.linting(found.units.len());
    timings.done_with("reading and parsing");
    let Found { root, units, unread, deployments, .. } = found;
    // A compose file may lead to proxy files whose names say nothing.
    let disk = Disk::new(root.clone()).with_deployments(deployments);
    let least = Severity::from(arguments.min_severity);
    // Of standard input only its own text can be given back.
    let piped = request.stdin.as_ref().map(|(_, bytes)| bytes).filter(|_| matches!(mode, Mode::Apply(_)));
    // What is not shown is not fixed either.
    let mut lint = |units: Vec<Unit>, repository: &dyn Repository| {
        if mode != Mode::Tell {
            timings.done_with("fixing");
        }
        let mut report = engine::lint_probed(units, &unread, repository, &settings, &mut timings);
        comparison.mark(&mut report);
        report.findings.retain(|finding| finding.level() >= least || finding.rule == RuleId::GW000);
        if piped.is_some() {
            for finding in &mut report.findings {
                finding.fix = finding.fix.take().filter(|fix| fix.files().all(|file| file.index() == 0));
            }
        }
        report
    };
    let fixed = match mode {
        Mode::Tell => Fixed { report: lint(units, &disk), changed: BTreeMap::new(), applied: 0 },
        Mode::Apply(most) | Mode::Show(most) => crate::fix::run(units, &disk, most, lint),
    };
    progress.stop();
    if mode != Mode::Tell {
        timings.done_with("fixing");
    }
    if let Some(refusal) = nothing.filter(|_| fixed.report.files.is_empty()) {
        if !fixed.report.unread.is_empty() {
            outputs.write(&fixed.report, Shown { elapsed: timings.elapsed(), fixed: None, piped: piped.is_some() })?;
        }
        return Err(no_result(refusal, &fixed.report));
    }
    let mut failed = Ok(());
    match mode {
        Mode::Tell => {}
        Mode::Apply(_) => {
            failed = match piped {
                Some(bytes) => {
                    let text = fixed.changed.values().next().map_or(&**bytes, |changed| changed.after.as_bytes());
                    to_stdout(|out| out.write_all(text))
                }
                None => fix::write_files(&root, &fixed.changed),
            };
        }
        Mode::Show(most) => {
            fix::show(&fixed.changed)?;
            to_stderr(|out| writeln!(out, "{}", fix::summary(&fixed, most)));
        }
    }
    if mode != Mode::Tell {
        for path in &fixed.report.not_utf8 {
            let path = crate::output::plain_line(path);
            to_stderr(|out| writeln!(out, "{path} is not UTF-8, so nothing is fixed there"));
        }
    }
    if let Mode::Show(_) = mode {
        arguments.about.tell(&timings);
        return Ok(if fixed.changed.is_empty() { Exit::Clean } else { Exit::Findings });
    }
    let mut report = fixed.report;
    comparison.finish(&mut report)?;
    let shown = Shown {
        elapsed: timings.elapsed(),
        fixed: (mode != Mode::Tell).then_some(fixed.applied),
        // The fixed text of standard input has standard output for itself.
        piped: piped.is_some(),
    };
    outputs.write(&report, shown)?;
    timings.done_with("writing");
    arguments.about.tell(&timings);
    failed?;
    let failed =
        arguments.fail_on.severity().is_some_and(|threshold| report.open().any(|finding| finding.level() >= threshold));
    // The process ends now; to give back the memory of a large tree piece by piece would only take time.
    std::mem::forget(report);
    Ok(if failed { Exit::Findings } else { Exit::Clean })
}

/// Lints for whoever wants to know more than the findings; nothing is written or fixed.
///
/// # Errors
/// What is wrong with the call, in words.
pub fn analyse(arguments: &Analysis) -> Result<Report, String> {
    let Seen { report, nothing, .. } = look(arguments)?;
    match nothing.filter(|_| report.files.is_empty()) {
        Some(refusal) => Err(no_result(refusal, &report)),
        None => Ok(report),
    }
}

/// What a run saw.
pub struct Seen {
    /// What it found.
    pub report: Report,
    /// The folder to which all paths are relative.
    pub root: PathBuf,
    /// What was to be linted, with the configuration as what says what is excluded.
    pub request: Request,
    /// Where no file was named or recognised: what can be done about that.
    pub nothing: Option<String>,
}

/// As [`analyse`], and it is no error that there is nothing to lint.
///
/// # Errors
/// What is wrong with the call, in words.
pub fn look(arguments: &Analysis) -> Result<Seen, String> {
    let mut request = request(arguments)?;
    let (config, everything) = match configuration(arguments, &request)? {
        Setup::Config(config, everything) => (*config, everything),
        Setup::Mistakes(report) => {
            let path = report.sources.files().next().map_or(NAME, |(_, file)| file.path()).to_owned();
            return Err(format!("{path} has mistakes; gw502-lint without a command shows them"));
        }
    };
    let targets = targets_of(arguments, &config)?;
    let settings = Settings { selection: Selection::default(), targets, config, everything };
    request.exclude = settings.config.clone();
    let found = discover::discover(&request).map_err(|refusal| refusal.to_string())?;
    let nothing = (found.units.is_empty() && found.unread.is_empty() && found.named_excluded == 0)
        .then(|| nothing_to_lint(&request, &found));
    let Found { root, units, unread, deployments, .. } = found;
    let disk = Disk::new(root.clone()).with_deployments(deployments);
    let report = engine::lint(units, &unread, &disk, &settings);
    Ok(Seen { report, root, request, nothing })
}

/// The versions of the call, and of the configuration file where the call names none.
fn targets_of(arguments: &Analysis, config: &Config) -> Result<Targets, String> {
    let asked = targets(&arguments.target)?;
    let mut targets = config.targets();
    for (said, asked) in [(&mut targets.nginx, asked.nginx), (&mut targets.haproxy, asked.haproxy)] {
        if asked.asked {
            *said = asked;
        }
    }
    Ok(targets)
}

/// What came of the configuration file.
enum Setup {
    /// It can be followed, and whether the run goes through all that it can speak of.
    Config(Box<Config>, bool),
    /// It has mistakes.
    Mistakes(Box<Report>),
}

fn configuration(arguments: &Analysis, request: &Request) -> Result<Setup, String> {
    let found = match arguments.no_config {
        true => None,
        false => discover::configuration(request, arguments.config.as_deref())?,
    };
    let Some(file) = found else { return Ok(Setup::Config(Box::default(), true)) };
    Ok(match Config::read(file.source.clone()) {
        Ok(config) => Setup::Config(Box::new(config.below(file.prefix)), file.everything),
        Err(mistakes) => Setup::Mistakes(Box::new(engine::misconfigured(file.source, mistakes))),
    })
}

fn request(arguments: &Analysis) -> Result<Request, String> {
    let (stdin, paths): (Vec<PathBuf>, Vec<PathBuf>) =
        arguments.paths.iter().cloned().partition(|path| path.as_os_str() == "-");
    let stdin = if stdin.is_empty() {
        if arguments.stdin_filename.is_some() {
            return Err("--stdin-filename is for standard input; name `-` as the path".into());
        }
        None
    } else {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("cannot read standard input: {}", discover::words(&error)))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(format!("standard input is larger than {} MiB", MAX_FILE_BYTES >> 20));
        }
        Some((arguments.stdin_filename.clone().unwrap_or_else(|| discover::STDIN.into()), bytes))
    };
    Ok(Request {
        paths,
        stdin,
        no_ignore: arguments.no_ignore,
        dialects: arguments.dialect.clone(),
        ..Request::default()
    })
}

/// Why a run has no result: what it was to lint could not be read, or there is nothing that it knows.
fn no_result(refusal: String, report: &Report) -> String {
    let mut unread = report.unread.iter().map(|file| format!("{}: {}", plain(&file.path), plain(&file.why)));
    match (unread.next(), unread.len()) {
        (None, _) => refusal,
        (Some(first), 0) => format!("nothing was linted, because a file could not be read: {first}"),
        (Some(first), more) => {
            format!("nothing was linted, because {} files could not be read; the first is {first}", more + 1)
        }
    }
}

fn nothing_to_lint(request: &Request, found: &Found) -> String {
    let paths: Vec<_> = request.paths.iter().map(|path| path.display().to_string()).collect();
    let files = match found.seen {
        0 => "there are no files".to_owned(),
        1 => "the one file there is neither nginx nor HAProxy configuration".to_owned(),
        seen => format!("none of {seen} files is nginx or HAProxy configuration"),
    };
    let excluded = match found.excluded {
        0 => String::new(),
        count => format!("\n* what `exclude` in {} names ({count} here)", NAME),
    };
    let compose =
        found.deployments.iter().filter(|path| is_compose_name(path.rsplit('/').next().unwrap_or(path))).count();
    let around = match compose {
        0 => String::new(),
        count => format!(
            "\n{} here: read for the services around a proxy, which alone are not linted. A proxy's file is taken that a service \
             mounts,\ncopies into its image or holds as `content` of a config; none of the services does. Name the file, if it \
             lies elsewhere.",
            if count == 1 {
                "There is one compose file".to_owned()
            } else {
                format!("There are {count} compose files")
            }
        ),
    };
    let ignored =
        if request.no_ignore { "" } else { "\n* ignored files, node_modules, vendor and target with --no-ignore" };
    format!(
        "nothing to lint in {}: {files}.\n\
         Looked for nginx.conf, haproxy.cfg, and for *.conf, *.cfg, *.vhost, their templates (*.conf.j2, \
         *.conf.template …)\n\
         and files in sites-enabled, conf.d, nginx … whose content is nginx or HAProxy; and for manifests of Kubernetes.{around}\n\
         What else can be linted:\n\
         * a file by its path; what it is taken for, and why: gw502-lint --explain-file PATH\n\
         * files of other names with --dialect 'GLOB=nginx' or --dialect 'GLOB=haproxy'{ignored}{excluded}",
        paths.join(", ")
    )
}

/// The rules that a list names.
fn rules(names: &[String]) -> Result<Vec<RuleId>, String> {
    let mut rules = Vec::new();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        if let Some(rule) = RuleId::find(name) {
            rules.push(rule);
            continue;
        }
        let upper = name.to_ascii_uppercase();
        let before = rules.len();
        if upper.starts_with("GW") {
            rules.extend(CATALOG.iter().filter(|meta| meta.code.starts_with(&upper)).map(|meta| meta.id));
        }
        if rules.len() == before {
            return Err(unknown_rule(name));
        }
    }
    Ok(rules)
}

/// The versions that a list names.
fn targets(names: &[String]) -> Result<Targets, String> {
    let mut targets = Targets::default();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let (proxy, version) = name.split_once('=').ok_or_else(|| {
            format!("`--target {name}` names no version; write it as in --target nginx=1.24,haproxy=2.8")
        })?;
        targets.ask(proxy.trim(), version.trim()).map_err(|wrong| format!("--target: {wrong}"))?;
    }
    Ok(targets)
}

/// Says that there is no such rule, and which one may be meant.
pub fn unknown_rule(name: &str) -> String {
    let hint = RuleId::near(name).map_or_else(String::new, |known| format!("; did you mean {known}?"));
    format!("there is no rule `{name}`{hint}\nsee all of them with: gw502-lint rules")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_named_by_code_slug_and_family() {
        let names = |list: &[&str]| rules(&list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["gw000", " unreadable-file", ""]), Ok(vec![RuleId::GW000, RuleId::GW000]));
        assert!(names(&["GW00"]).is_ok_and(|found| found.contains(&RuleId::GW000)));
        assert!(names(&["unreadable-fil"]).is_err_and(|text| text.contains("did you mean unreadable-file?")));
        assert!(names(&["xyzzy"]).is_err_and(|text| !text.contains("did you mean")));
    }

    #[test]
    fn targets_are_named_by_proxy_and_version() {
        let read = |list: &[&str]| targets(&list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&[]), Ok(Targets::default()));
        let asked = read(&["nginx=1.24", " haproxy = 2.8.1"]).expect("two versions");
        assert!(asked.nginx.asked && asked.haproxy.asked);
        assert!(read(&["nginx"]).is_err_and(|words| words.contains("names no version")));
        assert!(read(&["envoy=1.30"]).is_err_and(|words| words.contains("nginx and haproxy")));
        assert!(read(&["haproxy=two"]).is_err_and(|words| words.contains("`two` is no version of haproxy")));
        assert!(read(&["nginx=1.24", "nginx=1.26"]).is_err_and(|words| words.contains("one at a time")));
    }
}
