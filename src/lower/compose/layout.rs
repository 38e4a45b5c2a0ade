//! What of the repository lies where inside a container: mounts, configs, copies, and what a command renders.

use crate::files::{Files, join};
use crate::source::Site;

/// How something came into a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lower) enum How {
    /// It is mounted.
    Mounted,
    /// It is copied into the image.
    Copied,
    /// A command in the container writes it from a file that lies there.
    Written(Puts),
}

/// What a command puts in while it writes a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lower) enum Puts {
    /// Nothing.
    Nothing,
    /// The variables of a list.
    Named,
    /// All variables, those that are not set too.
    All,
}

/// Something of the repository that lies in a container.
#[derive(Clone, Debug)]
pub(in crate::lower) struct Map {
    /// In the container: absolute, without a `/` at its end.
    pub(in crate::lower) inside: Box<str>,
    /// In the repository; `None`: not from there, or not to be known.
    pub(in crate::lower) outside: Option<Box<str>>,
    /// The line that says so.
    pub(in crate::lower) site: Site,
    pub(in crate::lower) how: How,
}

/// The files of a container, as far as the repository shows them.
#[derive(Debug, Default)]
pub(in crate::lower) struct Layout {
    /// The stronger ones last.
    pub(in crate::lower) maps: Vec<Map>,
}

/// What lies at a path of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lower) enum Lies {
    /// This of the repository.
    Repository(String),
    /// Something from elsewhere.
    Elsewhere,
    /// What the image brings, if anything.
    Image,
}

/// Folders that images of proxies have.
const FOLDERS: [&str; 6] = [
    "/etc/nginx",
    "/etc/nginx/conf.d",
    "/etc/nginx/templates",
    "/etc/nginx/sites-enabled",
    "/usr/local/etc/haproxy",
    "/etc/haproxy",
];

/// Most files that a pattern names.
const MOST: usize = 10_000;

impl Layout {
    /// Adds what lies at a path.
    pub(in crate::lower) fn add(&mut self, inside: &str, outside: Option<String>, site: Site, how: How) {
        let folder = inside.ends_with('/');
        let Some(inside) = inside.strip_prefix('/').and_then(|inside| join("", inside)) else { return };
        let mut inside = format!("/{inside}");
        // A file that is copied to a folder of the image lies in it.
        if how == How::Copied
            && !folder
            && FOLDERS.contains(&&*inside)
            && let Some(name) = outside.as_deref().and_then(|outside| outside.rsplit('/').next())
        {
            inside = format!("{inside}/{name}");
        }
        self.maps.push(Map { inside: inside.into(), outside: outside.map(Into::into), site, how });
    }

    /// The path in the repository of what a map puts at a path.
    fn through(map: &Map, path: &str) -> Option<Option<String>> {
        let rest = path.strip_prefix(&*map.inside)?;
        if !rest.is_empty() && !rest.starts_with('/') && &*map.inside != "/" {
            return None;
        }
        Some(map.outside.as_deref().and_then(|outside| join(outside, rest)))
    }

    /// Whether only one file, and no folder, is laid below a folder of the container, from wherever.
    pub(in crate::lower) fn holds_one_below(&self, folder: &str) -> bool {
        let mut below = self.maps.iter().filter(|map| {
            map.inside.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                || folder.strip_prefix(&*map.inside).is_some_and(|rest| rest.starts_with('/'))
        });
        let file =
            |map: &Map| map.inside.ends_with(".conf") && map.inside.len() > folder.len() && map.outside.is_some();
        below.next().is_some_and(file) && below.next().is_none()
    }

    /// What lies at an absolute path. Mounts hide what the image has; the one with the longest path counts.
    pub(in crate::lower) fn at(&self, path: &str, files: &Files<'_>) -> Lies {
        let mount = self
            .maps
            .iter()
            .filter(|map| map.how != How::Copied)
            .filter_map(|map| Some((map.inside.len(), Self::through(map, path)?)))
            .max_by_key(|(length, _)| *length);
        if let Some((_, outside)) = mount {
            return outside.map_or(Lies::Elsewhere, Lies::Repository);
        }
        for map in self.maps.iter().rev().filter(|map| map.how == How::Copied) {
            match Self::through(map, path) {
                Some(Some(outside)) if files.exists(&outside) => return Lies::Repository(outside),
                Some(None) => return Lies::Elsewhere,
                _ => {}
            }
        }
        Lies::Image
    }

    /// The files of the repository that lie where a pattern for absolute paths matches, and whether there may be
    /// others. `None` when nothing is known of that place.
    pub(in crate::lower) fn matching(&self, pattern: &str, files: &mut Files<'_>) -> Option<(Vec<String>, bool)> {
        let folder = pattern.rfind('/').map_or("", |end| &pattern[..end]);
        if folder.contains(['*', '?', '[']) {
            return None;
        }
        let matcher = globset::GlobBuilder::new(pattern).literal_separator(true).build().ok()?.compile_matcher();
        let name = pattern.get(folder.len() + 1..)?;
        let mut found: Vec<(String, String)> = Vec::new();
        let (mut known, mut open) = (false, false);
        for map in &self.maps {
            if let Some(outside) = Self::through(map, folder) {
                // A mount hides what lay there before.
                if map.how != How::Copied {
                    found.retain(|(inside, _)| !inside.starts_with(&format!("{folder}/")));
                    open = false;
                }
                known = true;
                let Some(outside) = outside else {
                    open = true;
                    continue;
                };
                let there = if outside.is_empty() { name.to_owned() } else { format!("{outside}/{name}") };
                for file in files.glob(&there).iter().take(MOST) {
                    let base = file.rsplit('/').next().unwrap_or(file);
                    found.push((format!("{folder}/{base}"), file.clone()));
                }
            } else if matcher.is_match(&*map.inside) {
                known = true;
                found.retain(|(inside, _)| *inside != *map.inside);
                open |= map.outside.is_none();
                found.extend(map.outside.as_deref().map(|outside| (map.inside.to_string(), outside.to_owned())));
            }
        }
        known.then(|| {
            found.sort();
            found.dedup();
            (found.into_iter().map(|(_, file)| file).collect(), open)
        })
    }

    /// The paths in the container at which a file of the repository lies, each with the map that puts it there.
    pub(super) fn inside(&self, file: &str) -> impl Iterator<Item = (String, &Map)> {
        self.maps.iter().filter_map(move |map| {
            let outside = map.outside.as_deref()?;
            let rest = match outside {
                "" => file,
                outside => {
                    let rest = file.strip_prefix(outside)?;
                    match rest.strip_prefix('/') {
                        Some(rest) => rest,
                        None if rest.is_empty() => "",
                        None => return None,
                    }
                }
            };
            let inside = if rest.is_empty() {
                map.inside.to_string()
            } else {
                format!("{}/{rest}", map.inside.trim_end_matches('/'))
            };
            Some((inside, map))
        })
    }
}

/// Files that a shell's text writes from others: from, to, and what is put in.
pub(super) fn written(text: &str) -> Vec<(String, String, Puts)> {
    let spaced =
        text.replace('<', " < ").replace('>', " > ").replace("&&", " ; ").replace("||", " ; ").replace('|', " | ");
    let mut found = Vec::new();
    for command in spaced.split([';', '\n']) {
        let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        let after = |sign: &str| words.iter().rposition(|word| *word == sign).and_then(|at| words.get(at + 1)).copied();
        let puts = match words.iter().position(|word| *word == "envsubst") {
            None => Puts::Nothing,
            Some(at) => {
                let named = words[at + 1..]
                    .iter()
                    .take_while(|word| !matches!(**word, "<" | ">" | "|"))
                    .any(|word| word.contains('$'));
                if named { Puts::Named } else { Puts::All }
            }
        };
        let (from, to) = match words.iter().position(|word| matches!(*word, "cp" | "mv" | "ln" | "cat" | "envsubst")) {
            Some(at) if matches!(words[at], "cp" | "mv" | "ln") => {
                let mut paths = words[at + 1..].iter().filter(|word| !word.starts_with('-'));
                (paths.next().copied(), paths.next().copied())
            }
            Some(at) if words[at] == "cat" => (words.get(at + 1).copied(), after(">")),
            Some(_) => (after("<"), after(">")),
            None => continue,
        };
        if let (Some(from), Some(to)) = (from, to)
            && from.starts_with('/')
            && to.starts_with('/')
        {
            let name = from.rsplit('/').next().unwrap_or(from);
            let to = match to.trim_end_matches('/') {
                folder if to.ends_with('/') || FOLDERS.contains(&folder) => format!("{folder}/{name}"),
                file => file.to_owned(),
            };
            found.push((from.to_owned(), to, puts));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_writes() {
        let said = written(
            "/bin/bash -c 'envsubst < /tmp/nginx.conf > /etc/nginx/conf.d/default.conf && nginx -g \"daemon off;\"'",
        );
        assert_eq!(said, [("/tmp/nginx.conf".into(), "/etc/nginx/conf.d/default.conf".into(), Puts::All)]);
        assert_eq!(
            written("envsubst '$A $B' </a.tpl >/b.conf; cp -f /x/c.conf /y/"),
            [("/a.tpl".into(), "/b.conf".into(), Puts::Named), ("/x/c.conf".into(), "/y/c.conf".into(), Puts::Nothing),]
        );
        assert_eq!(written("cat /a | envsubst > /b")[0].2, Puts::All);
        assert!(written("nginx -g 'daemon off;'").is_empty());
    }
}
