//! Turns `rules/*.yaml`, the single source of everything that is said about a rule, into `RuleId` and `CATALOG`.
//! Refuses an unknown field, a file name that does not fit, a duplicate and a rule without a fixture.
//!
//! Turns `nginx_directives.txt` into rows and an index that need no reading at run time.

#[path = "src/defaults/name_hash.rs"]
mod name_hash;

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, error::Error, fs};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    slug: String,
    title: String,
    family: String,
    severity: String,
    confidence: String,
    since: String,
    #[serde(default)]
    dialects: BTreeMap<String, Dialect>,
    summary: String,
    why: String,
    remedy: String,
    #[serde(default)]
    options: BTreeMap<String, RuleOption>,
    #[serde(default)]
    references: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialect {
    outcome: String,
    #[serde(default)]
    log: String,
    effect: String,
    check: String,
    #[serde(default)]
    verdicts: Vec<String>,
    proof: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleOption {
    #[serde(rename = "type")]
    kind: String,
    default: String,
    doc: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/defaults/name_hash.rs");
    println!("cargo::rerun-if-changed={DIRECTIVES}");
    let mut rules = BTreeMap::new();
    for entry in fs::read_dir("rules")? {
        let path = entry?.path();
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let wrong = |why: String| format!("rules/{file}: {why}");
        let rule: Rule = serde_yaml::from_str(&fs::read_to_string(&path)?).map_err(|e| wrong(e.to_string()))?;
        if file != format!("{}-{}.yaml", rule.id, rule.slug) {
            return Err(wrong(format!("the file must be named {}-{}.yaml", rule.id, rule.slug)).into());
        }
        if rule.title.chars().count() > 70 {
            return Err(wrong("the title is longer than 70 characters".into()).into());
        }
        // A packaged crate carries no fixtures; in the repository a rule without one is refused.
        if Path::new("fixtures").is_dir() {
            for dialect in rule.dialects.keys() {
                if !has_fixture(&rule.slug, dialect) {
                    return Err(wrong(format!("fixtures/{}/{dialect}… is missing", rule.slug)).into());
                }
            }
        }
        let id = rule.id.clone();
        if rules.insert(id.clone(), rule).is_some() {
            return Err(wrong(format!("{id} is defined twice")).into());
        }
    }
    let mut slugs = std::collections::BTreeSet::new();
    if let Some(rule) = rules.values().find(|rule| !slugs.insert(&rule.slug)) {
        return Err(format!("rules: the slug {} is used twice", rule.slug).into());
    }
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("catalog.rs"), generate(&rules)?)?;
    fs::write(Path::new(&out).join("nginx_directives.rs"), directives(&fs::read_to_string(DIRECTIVES)?)?)?;
    Ok(())
}

const DIRECTIVES: &str = "src/defaults/nginx_directives.txt";

/// Places of the index of directives: twice as many as names, so that hardly any two want the same.
const SLOTS: usize = 2048;

/// The rows of nginx's directives, where those of each name begin, and where each name is found.
fn directives(table: &str) -> Result<String, Box<dyn Error>> {
    let mut rows = String::new();
    let (mut names, mut starts): (Vec<&str>, Vec<usize>) = Default::default();
    let mut count = 0;
    for line in table.lines().filter(|line| !line.starts_with("# ") && *line != "#") {
        let name = directive(line, &mut rows).ok_or_else(|| format!("{DIRECTIVES}: `{line}` is no row"))?;
        match names.last() {
            Some(last) if *last == name => {}
            Some(last) if *last > name => return Err(format!("{DIRECTIVES}: `{name}` is not in order").into()),
            _ => {
                names.push(name);
                starts.push(count);
            }
        }
        count += 1;
    }
    starts.push(count);
    if names.len() > SLOTS / 2 {
        return Err(format!("{DIRECTIVES}: {} names are too many for {SLOTS} places", names.len()).into());
    }
    // The number of a name plus 1; 0 where there is none.
    let mut slots = vec![0; SLOTS];
    for (number, name) in names.iter().enumerate() {
        let mut at = name_hash::hash(name.as_bytes()) % SLOTS;
        while slots[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        slots[at] = number + 1;
    }
    Ok(format!(
        "static ROWS: [Directive; {count}] = [\n{rows}];\nstatic STARTS: [u16; {}] = {starts:?};\n\
         static SLOTS: [u16; {SLOTS}] = {slots:?};\n",
        starts.len()
    ))
}

/// One line of the table, whose head says what stands where.
fn directive<'t>(line: &'t str, rows: &mut String) -> Option<&'t str> {
    let mut fields = line.splitn(8, ' ');
    let place = fields.next()?;
    let (page, name) = place.split_once('#').filter(|(_, name)| !name.is_empty())?;
    let contexts = fields.next()?;
    let block = fields.next()? == "{";
    let arguments = fields.next()?;
    let (min, max) = match arguments.strip_suffix('+') {
        Some(min) => (min.parse::<u8>().ok()?, None),
        None => {
            let (min, max) = arguments.split_once('-').unwrap_or((arguments, arguments));
            (min.parse().ok()?, Some(max.parse::<u8>().ok()?))
        }
    };
    let repeats = fields.next()? == "many";
    let (since, until) = match fields.next()? {
        "-" => ("None".into(), "None".into()),
        versions => match versions.split_once("..") {
            Some(("", until)) => ("None".into(), version(until)?),
            Some((since, until)) => (version(since)?, version(until)?),
            None => (version(versions)?, "None".into()),
        },
    };
    let edition = fields.next()?;
    let (commercial, opened) = (edition == "plus", edition == "opened");
    let default = fields.next();
    let page = if page == "-" { "" } else { place };
    writeln!(
        rows,
        "Directive {{ name: {name:?}, contexts: Contexts::from_letters({contexts:?}), block: {block}, min_args: {min}, \
         max_args: {max:?}, repeats: {repeats}, default: {default:?}, since: {since}, until: {until}, \
         commercial: {commercial}, opened: {opened}, page: {page:?} }},"
    )
    .ok()?;
    Some(name)
}

/// `1.29.7`, as the program writes it.
fn version(text: &str) -> Option<String> {
    let parts: Vec<u16> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [major, minor, patch] = parts[..] else { return None };
    Some(format!("Some(Version({major}, {minor}, {patch}))"))
}

fn has_fixture(slug: &str, dialect: &str) -> bool {
    let Ok(entries) = fs::read_dir(Path::new("fixtures").join(slug)) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        (name == dialect || name.strip_prefix(dialect).is_some_and(|rest| rest.starts_with('-')))
            && entry.path().join("bad").is_dir()
    })
}

fn generate(rules: &BTreeMap<String, Rule>) -> Result<String, Box<dyn Error>> {
    let mut text = String::from(
        "/// The id of a rule. Numbers are never used again.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum RuleId {\n",
    );
    for rule in rules.values() {
        writeln!(text, "    /// {}: {}", rule.slug, rule.title)?;
        writeln!(text, "    {},", rule.id)?;
    }
    text.push_str("}\n\n/// All rules, in the order of their ids.\npub static CATALOG: &[RuleMeta] = &[\n");
    for rule in rules.values() {
        write!(
            text,
            "RuleMeta {{ id: RuleId::{}, code: {:?}, slug: {:?}, title: {:?}, family: {:?}, severity: {}, \
             confidence: {}, since: {:?}, summary: {:?}, why: {:?}, remedy: {:?}, dialects: &[",
            rule.id,
            rule.id,
            rule.slug,
            rule.title,
            rule.family,
            word(
                &rule.severity,
                &[("note", "Severity::Note"), ("warning", "Severity::Warning"), ("error", "Severity::Error")]
            )?,
            word(
                &rule.confidence,
                &[
                    ("possible", "Confidence::Possible"),
                    ("likely", "Confidence::Likely"),
                    ("certain", "Confidence::Certain")
                ]
            )?,
            rule.since,
            rule.summary.trim(),
            rule.why.trim(),
            rule.remedy.trim(),
        )?;
        for (name, about) in &rule.dialects {
            write!(
                text,
                "DialectMeta {{ dialect: {name:?}, outcome: {}, log: {:?}, effect: {:?}, check: {:?}, verdicts: &[{}], proof: {} }},",
                outcome(&about.outcome)?,
                about.log.trim(),
                about.effect.trim(),
                about.check.trim(),
                verdicts(&about.verdicts)?,
                word(&about.proof, &[("live", "Proof::Live"), ("docs", "Proof::Docs")])?,
            )?;
        }
        text.push_str("], options: &[");
        for (name, option) in &rule.options {
            let kind = word(&option.kind, &[("duration", "duration"), ("size", "size"), ("integer", "integer")])?;
            write!(
                text,
                "OptionMeta {{ name: {name:?}, kind: {kind:?}, default: {:?}, doc: {:?} }},",
                option.default,
                option.doc.trim()
            )?;
        }
        writeln!(text, "], references: &{:?} }},", rule.references)?;
    }
    text.push_str("];\n");
    Ok(text)
}

/// What the proxy's own check makes of the fixtures.
fn verdicts(given: &[String]) -> Result<String, String> {
    let words = [("silent", "Verdict::Silent"), ("warns", "Verdict::Warns"), ("refuses", "Verdict::Refuses")];
    let verdicts: Vec<_> = given.iter().map(|given| word(given, &words)).collect::<Result<_, _>>()?;
    Ok(verdicts.join(", "))
}

fn word(given: &str, words: &[(&str, &'static str)]) -> Result<&'static str, String> {
    words.iter().find(|(name, _)| *name == given).map(|(_, code)| *code).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(name, _)| *name).collect();
        format!("`{given}` is none of {}", known.join(", "))
    })
}

fn outcome(given: &str) -> Result<String, String> {
    Ok(match given {
        "does-not-start" => "Outcome::DoesNotStart".into(),
        "connection-closed" => "Outcome::ConnectionClosed".into(),
        "hangs" => "Outcome::Hangs".into(),
        "wrong-answer" => "Outcome::WrongAnswer".into(),
        "not-checked" => "Outcome::NotChecked".into(),
        text => {
            let wrong = |_| {
                format!(
                    "`{text}` is no outcome: a status, `502 or 504`, does-not-start, connection-closed, hangs, wrong-answer, not-checked"
                )
            };
            match text.split_once(" or ") {
                Some((one, other)) => format!(
                    "Outcome::Either({}, {})",
                    one.parse::<u16>().map_err(wrong)?,
                    other.parse::<u16>().map_err(wrong)?
                ),
                None => format!("Outcome::Status({})", text.parse::<u16>().map_err(wrong)?),
            }
        }
    })
}
