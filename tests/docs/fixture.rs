//! Reads a fixture for its rule's page: the files of both sides, what the program said, how it was proven.

use serde_yaml::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One way in which a hazard looks.
pub struct Fixture {
    /// Its folder below `fixtures/`: `port-mismatch/nginx-compose-ports`.
    pub name: String,
    folder: PathBuf,
    case: Value,
}

impl Fixture {
    /// The fixtures of a rule for one dialect: those that show it, the plainest first, and those that only look like it.
    pub fn of(slug: &str, dialect: &str) -> (Vec<Self>, Vec<Self>) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(slug);
        let mut all: Vec<Self> = fs::read_dir(&folder)
            .map(|entries| {
                entries
                    .flatten()
                    .filter(|entry| {
                        let name = entry.file_name().to_string_lossy().into_owned();
                        name == dialect || name.starts_with(&format!("{dialect}-"))
                    })
                    .map(|entry| Self::read(slug, &entry.path()))
                    .collect()
            })
            .unwrap_or_default();
        // The one without a variant is the plainest; it sorts first by its length.
        all.sort_by_key(|fixture| (fixture.name != format!("{slug}/{dialect}"), fixture.name.clone()));
        all.into_iter().partition(Self::shows)
    }

    fn read(slug: &str, folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("case.yaml")).expect("a fixture has a case.yaml");
        let case = serde_yaml::from_str(&text).expect("case.yaml is YAML");
        let own = folder.file_name().expect("a folder has a name").to_string_lossy();
        Self { name: format!("{slug}/{own}"), folder: folder.to_owned(), case }
    }

    fn shows(&self) -> bool {
        self.folder.join("bad").is_dir()
    }

    fn text(&self, key: &str) -> &str {
        self.case.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// What happens, in a sentence; without its last full stop.
    pub fn note(&self) -> &str {
        self.text("note").trim().trim_end_matches('.')
    }

    /// The texts of one side, by path.
    pub fn side(&self, side: &str) -> BTreeMap<String, String> {
        let root = self.folder.join(side);
        walkdir::WalkDir::new(&root)
            .into_iter()
            .flatten()
            .filter(|entry| entry.file_type().is_file())
            .filter_map(|entry| {
                let path = entry.path().strip_prefix(&root).ok()?.to_string_lossy().replace('\\', "/");
                let text = fs::read_to_string(entry.path()).ok()?;
                Some((path, text.replace("@DIR@/conf/", "").replace("@DIR@", "/srv/lab")))
            })
            .collect()
    }

    /// What the program says of `bad/`: the snapshot that `tests/rules.rs` compares with the real output.
    pub fn output(&self) -> Option<String> {
        let name = format!("tests/snapshots/rules__{}.snap", self.name.replace('/', "__"));
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).ok()?;
        let (_, said) = text.split_once("---\n")?.1.split_once("---\n")?;
        Some(said.replace(" ([time])", "").trim_end().to_owned())
    }

    /// How a test proves it on the real proxy, in a sentence; nothing where it is not run.
    pub fn proof(&self) -> Option<String> {
        if self.case.get("needs").is_some() || self.text("entry").is_empty() {
            return None;
        }
        let expect = self.case.get("expect")?;
        let say = |key: &str| expect.get(key).map(in_words);
        Some(format!("the broken side gives {}, the mended one {}", say("bad")?, say("good")?))
    }
}

/// What a case expects, for people.
fn in_words(value: &Value) -> String {
    match value {
        Value::Number(status) => format!("{status}"),
        Value::Sequence(list) => list.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::String(text) => match text.as_str() {
            "some-502" => "at least one 502".to_owned(),
            "does-not-start" => "a proxy that does not start".to_owned(),
            "broken" => "a broken connection".to_owned(),
            other => other.replace("broken (", "a broken connection (").replace("broken:", "a broken connection:"),
        },
        _ => "something else".to_owned(),
    }
}
