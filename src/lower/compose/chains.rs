//! Which compose files are laid over each other, where somebody says so: `docker compose -f a -f b` in a Makefile, a
//! script, a workflow or a README.

use super::interpolate::Variables;
use super::read::is_compose_name;
use crate::files::{Files, Loaded, folder, join};
use std::collections::{BTreeMap, BTreeSet};

/// Files that say how a project is started, by the folder in which they are looked for.
const SCRIPTS: [&str; 14] = [
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "Justfile",
    "Taskfile.yml",
    "package.json",
    "README.md",
    "README.rst",
    ".gitlab-ci.yml",
    "deploy.sh",
    "start.sh",
    "run.sh",
    "up.sh",
];

/// Longest of them that is read.
const MAX_BYTES: usize = 256 * 1024;
/// Most of them that are read.
const MAX_SCRIPTS: usize = 512;
/// Most chains of a run.
const MAX_CHAINS: usize = 256;
/// Most files of one chain.
const MAX_FILES: usize = 12;

/// Finds the chains. `found`: the names of compose files by their folder. Only folders with several of them ask.
pub(super) fn find(files: &mut Files<'_>, found: &BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for (at, _) in found.iter().filter(|(_, names)| names.len() > 1) {
        let mut at = at.as_str();
        while folders.insert(at) && !at.is_empty() {
            at = folder(at);
        }
    }
    if folders.is_empty() {
        return Vec::new();
    }
    let in_folder = |at: &str| if at.is_empty() { String::new() } else { format!("{at}/") };
    let mut scripts: Vec<String> = files.glob(".github/workflows/*.y*ml").iter().cloned().collect();
    for at in &folders {
        scripts.extend(SCRIPTS.iter().map(|name| format!("{}{name}", in_folder(at))));
    }
    let known: BTreeSet<String> =
        found.iter().flat_map(|(at, names)| names.iter().map(move |name| format!("{}{name}", in_folder(at)))).collect();
    let mut chains: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut read = 0;
    for path in scripts {
        if read >= MAX_SCRIPTS || chains.len() >= MAX_CHAINS || !files.exists(&path) {
            continue;
        }
        let Loaded::File(id) = files.load_text(&path) else { continue };
        read += 1;
        let source = files.sources.share(id);
        let text = source.text();
        if text.len() > MAX_BYTES || !text.contains("compose") {
            continue;
        }
        for chain in chains_of(text) {
            let at = if path.starts_with(".github/") { "" } else { folder(&path) };
            // A path counts from the folder of the script, from the root, or from where the compose files lie.
            let starts = [at, ""].into_iter().chain(folders.iter().copied());
            let resolved = starts.into_iter().find_map(|start| {
                let paths: Option<Vec<String>> = chain.iter().map(|file| join(start, file)).collect();
                paths.filter(|paths| paths.iter().all(|path| known.contains(path)))
            });
            chains.extend(resolved.filter(|_| chains.len() < MAX_CHAINS));
        }
    }
    chains.into_iter().collect()
}

/// The lists of files that commands of a text name with `-f`, as they are written.
fn chains_of(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let joined = text.replace("\\\n", " ").replace("\\\r\n", " ");
    for line in joined.lines().filter(|line| line.contains("compose") && line.len() < 4096) {
        let spaced = line.replace("&&", ";").replace("||", ";");
        for command in spaced.split([';', '|']).filter(|command| command.contains("compose")) {
            let mut chain = Vec::new();
            let mut words = command
                .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | '(' | ')'))
                .filter(|word| !word.is_empty());
            let mut known = true;
            while let Some(word) = words.next() {
                let file = match word {
                    "-f" | "--file" | "-c" | "--compose-file" => words.next(),
                    _ => word.strip_prefix("--file=").or_else(|| word.strip_prefix("--compose-file=")),
                };
                let Some(file) = file else { continue };
                if is_compose_name(file.rsplit('/').next().unwrap_or(file)) && !file.contains(['$', '{', '<']) {
                    chain.push(file.trim_start_matches("./").to_owned());
                } else if word != "-c" {
                    known = false;
                }
            }
            if known && !chain.is_empty() && chain.len() <= MAX_FILES {
                found.push(chain);
            }
        }
    }
    found
}

/// The files that `COMPOSE_FILE` of an `.env` names, relative to its folder.
pub(super) fn from_environment(variables: &Variables) -> Option<Vec<String>> {
    let value = variables.get("COMPOSE_FILE")?;
    let separator = match variables.get("COMPOSE_PATH_SEPARATOR") {
        Some(separator) if !separator.is_empty() => separator,
        _ if value.contains(';') => ";",
        _ => ":",
    };
    let files: Vec<String> = value.split(separator).filter(|file| !file.is_empty()).map(str::to_owned).collect();
    (!files.is_empty() && files.len() <= MAX_FILES).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_files() {
        let said = |text: &str| chains_of(text).into_iter().map(|chain| chain.join(" ")).collect::<Vec<_>>();
        assert_eq!(
            said("up:\n\tdocker compose -f compose.yaml -f ./compose.prod.yaml up -d"),
            ["compose.yaml compose.prod.yaml"]
        );
        assert_eq!(
            said("docker-compose --file=docker-compose.yml \\\n  --file docker-compose.ci.yml up"),
            ["docker-compose.yml docker-compose.ci.yml"]
        );
        assert_eq!(
            said("docker compose -f compose.a.yml up && docker compose -f compose.b.yml up"),
            ["compose.a.yml", "compose.b.yml"]
        );
        assert_eq!(
            said("{\"scripts\": {\"up\": \"docker compose -f docker/compose.yml up\"}}"),
            ["docker/compose.yml"]
        );
        assert_eq!(said("docker stack deploy -c docker-compose.yml app"), ["docker-compose.yml"]);
        assert!(said("docker compose -f $(FILE) -f compose.yml up").is_empty(), "which it is nobody knows");
        assert!(said("docker compose up -d; kubectl apply -f deployment.yml").is_empty());
        assert!(said("docker compose logs -f web").is_empty());
    }

    #[test]
    fn the_environment_names_files() {
        let said = |text: &str| from_environment(&Variables::read(text, false));
        assert_eq!(said("COMPOSE_FILE=a.yml:b.yml"), Some(vec!["a.yml".into(), "b.yml".into()]));
        assert_eq!(said("COMPOSE_FILE=a.yml,b.yml\nCOMPOSE_PATH_SEPARATOR=,").map(|files| files.len()), Some(2));
        assert_eq!(said("COMPOSE_FILE=a.yml;b.yml").map(|files| files.len()), Some(2));
        assert_eq!(said("COMPOSE_FILE="), None);
        assert_eq!(said("A=1"), None);
    }
}
