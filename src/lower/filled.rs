//! What the repository says about the values that a template prints: defaults written in place, the variables of its
//! Ansible role, the values of its Helm chart, the call that renders it in Terraform.
//!
//! A value is taken only where all that is found says the same. It may be set elsewhere all the same, so whatever rests
//! on it is no error.

use crate::files::{Files, Loaded, folder};
use crate::source::FileId;
use crate::syntax::holes::{holes, plain};
use crate::syntax::yaml::{self, View};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// Files of values that are read for one template, and the longest of them.
const MAX_FILES: usize = 64;
const MAX_BYTES: usize = 1 << 20;

/// Values of one file, and how deep they may lie.
const MAX_VALUES: usize = 10_000;
const MAX_DEPTH: usize = 6;

/// A value that a template prints, if nobody sets another one.
#[derive(Clone, Debug)]
pub struct Filled {
    /// The tag.
    pub at: Range<u32>,
    /// What it comes to.
    pub value: Box<str>,
    /// What is taken for granted, in words: "`port` is left at its default, 3000".
    pub assumed: Rc<str>,
}

/// The values of all templates.
#[derive(Clone, Debug, Default)]
pub struct AllFilled(HashMap<FileId, Rc<[Filled]>>);

impl AllFilled {
    /// The first value that a stretch of a file rests on.
    #[must_use]
    pub fn within(&self, file: FileId, stretch: Range<u32>) -> Option<&Filled> {
        let all = self.0.get(&file)?;
        let next = all.partition_point(|one| one.at.end <= stretch.start);
        all.get(next).filter(|one| one.at.start < stretch.end)
    }

    /// Takes in those of other files.
    pub(super) fn take(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Those of one file.
    pub(super) fn of(&self, file: FileId) -> Self {
        Self(self.0.get(&file).map(|one| (file, Rc::clone(one))).into_iter().collect())
    }

    /// A word with its values put in. `None`: it has a tag of which nothing is known, or none at all.
    pub(super) fn put_into(&self, file: FileId, text: &str, word: Range<u32>) -> Option<String> {
        let all = self.0.get(&file)?;
        let raw = text.get(word.start as usize..word.end as usize)?;
        let mut out = String::with_capacity(raw.len());
        let mut from = word.start;
        let next = all.partition_point(|one| one.at.start < word.start);
        for one in all.iter().skip(next).take_while(|one| one.at.end <= word.end) {
            out.push_str(text.get(from as usize..one.at.start as usize)?);
            out.push_str(&one.value);
            from = one.at.end;
        }
        out.push_str(text.get(from as usize..word.end as usize)?);
        let left = ["{{", "{%", "<%", "%{", "}}"].iter().any(|mark| out.contains(mark));
        (from > word.start && !left).then_some(out)
    }
}

/// What one file of values says; nothing behind a name: it is no plain value.
pub(super) type Values = HashMap<Box<str>, Option<Box<str>>>;

/// The files of values that were read, by their paths.
pub(super) type Known = HashMap<String, Rc<Values>>;

/// Reads what is known of the values that the templates among some files print.
pub(super) fn read(files: &mut Files<'_>, ids: &[FileId], known: &mut Known) -> AllFilled {
    let mut reader = Reader { files, known };
    let mut all = AllFilled::default();
    for &id in ids {
        let found = reader.file(id);
        if !found.is_empty() {
            all.0.insert(id, found.into());
        }
    }
    all
}

struct Reader<'f, 'a> {
    files: &'f mut Files<'a>,
    known: &'f mut Known,
}

impl Reader<'_, '_> {
    fn file(&mut self, id: FileId) -> Vec<Filled> {
        // A manifest has no tree; it is asked for only where it is a template.
        if self.files.tree(id).is_some_and(|tree| !tree.is_template()) {
            return Vec::new();
        }
        let source = self.files.sources.share(id);
        let holes = holes(source.text());
        if holes.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        let places = Places::of(source.path());
        let none: &[(String, Rc<Values>)] = &[];
        let mut role: Option<Vec<(String, Rc<Values>)>> = None;
        let mut chart: Option<Vec<(String, Rc<Values>)>> = None;
        let mut calls: Option<Vec<(String, Rc<Values>)>> = None;
        for hole in holes {
            let terraform = source.text()[hole.at.start as usize..].starts_with("${");
            let (name, sources) = if let Some(name) = hole.name.strip_prefix(".Values.") {
                (name, chart.get_or_insert_with(|| self.chart(&places)).as_slice())
            } else if terraform {
                (&*hole.name, calls.get_or_insert_with(|| self.calls(source.path())).as_slice())
            } else if hole.name.starts_with('.') || hole.name.is_empty() {
                (&*hole.name, none)
            } else {
                (&*hole.name, role.get_or_insert_with(|| self.role(&places)).as_slice())
            };
            let mut said = sources.iter().filter_map(|(path, values)| Some((path, values.get(name)?)));
            let (value, assumed) = match said.next() {
                // More than one value: which one it is depends.
                Some((_, first)) if said.any(|(_, other)| other != first) => continue,
                Some((path, Some(value))) => (value.clone(), format!("`{}` stays `{value}`, as in {path}", hole.name)),
                Some((_, None)) => continue,
                None => match hole.default {
                    Some(value) if hole.name.is_empty() => {
                        let words = format!("the value is left at its default, `{value}`");
                        (value, words)
                    }
                    Some(value) => {
                        let words = format!("`{}` is left at its default, `{value}`", hole.name);
                        (value, words)
                    }
                    None => continue,
                },
            };
            found.push(Filled { at: hole.at, value, assumed: crate::source::clean(&assumed).as_ref().into() });
        }
        found
    }

    /// The variables of the Ansible role that a template belongs to, and those of groups and hosts.
    fn role(&mut self, places: &Places<'_>) -> Vec<(String, Rc<Values>)> {
        let Some(root) = places.root else { return Vec::new() };
        let mut paths: Vec<String> = Vec::new();
        for part in ["defaults", "vars"] {
            for name in ["main.yml", "main.yaml"] {
                paths.push(join(root, &format!("{part}/{name}")));
            }
        }
        paths.retain(|path| self.files.exists(path));
        if paths.is_empty() {
            return Vec::new();
        }
        let mut around = Some(root);
        while let Some(at) = around {
            for pattern in
                ["group_vars/*", "group_vars/*/*", "host_vars/*", "host_vars/*/*", "inventor*/*/group_vars/*"]
            {
                let found = self.files.glob(&join(at, pattern));
                paths.extend(found.iter().filter(|path| is_yaml(path)).cloned());
            }
            around = (!at.is_empty()).then(|| folder(at));
        }
        self.values(paths)
    }

    /// The values of the Helm chart that a template belongs to.
    fn chart(&mut self, places: &Places<'_>) -> Vec<(String, Rc<Values>)> {
        let Some(root) = places.chart(self.files) else { return Vec::new() };
        let mut paths = Vec::new();
        for pattern in ["values*.yaml", "values*.yml", "values/*.yaml"] {
            paths.extend(self.files.glob(&join(&root, pattern)).iter().cloned());
        }
        self.values(paths)
    }

    fn values(&mut self, mut paths: Vec<String>) -> Vec<(String, Rc<Values>)> {
        paths.sort();
        paths.dedup();
        if paths.len() > MAX_FILES {
            return Vec::new();
        }
        paths.into_iter().map(|path| (path.clone(), self.yaml(path))).collect()
    }

    fn yaml(&mut self, path: String) -> Rc<Values> {
        if let Some(known) = self.known.get(&path) {
            return Rc::clone(known);
        }
        let mut values = Values::new();
        if let Loaded::File(id) = self.files.load_text(&path) {
            let source = self.files.sources.share(id);
            if source.text().len() <= MAX_BYTES {
                let parsed = yaml::parse(source.text());
                if let Some(root) = parsed.tree.root().filter(|_| parsed.errors.is_empty()) {
                    flatten(root, "", 0, &mut values);
                }
            }
        }
        let values = Rc::new(values);
        self.known.insert(path, Rc::clone(&values));
        values
    }

    /// The literals in the calls of Terraform that render a file.
    fn calls(&mut self, path: &str) -> Vec<(String, Rc<Values>)> {
        let here = folder(path);
        let mut modules: Vec<String> = self.files.glob(&join(here, "*.tf")).to_vec();
        if !here.is_empty() {
            modules.extend(self.files.glob(&join(folder(here), "*.tf")).iter().cloned());
        }
        let name = format!("/{}\"", path.rsplit('/').next().unwrap_or(path));
        let mut found = Vec::new();
        for module in modules.into_iter().take(MAX_FILES) {
            let Loaded::File(id) = self.files.load_text(&module) else { continue };
            let source = self.files.sources.share(id);
            if source.text().len() > MAX_BYTES {
                continue;
            }
            for call in source.text().split("templatefile(").skip(1) {
                let Some((first, rest)) = call.split_once(',') else { continue };
                if first.trim_end().ends_with(&name) {
                    found.push((module.clone(), Rc::new(literals(rest))));
                }
            }
        }
        found
    }
}

/// The folders that a template may belong to.
struct Places<'p> {
    /// What holds its folder `templates`.
    root: Option<&'p str>,
    path: &'p str,
}

impl<'p> Places<'p> {
    fn of(path: &'p str) -> Self {
        let root = path.rfind("/templates/").map(|at| &path[..at]);
        Self { root: root.or_else(|| path.starts_with("templates/").then_some("")), path }
    }

    /// The folder of the chart around a template, or a file that it reads.
    fn chart(&self, files: &Files<'_>) -> Option<String> {
        let mut at = folder(self.path);
        loop {
            if files.exists(&join(at, "Chart.yaml")) {
                return Some(at.to_owned());
            }
            if at.is_empty() {
                return None;
            }
            at = folder(at);
        }
    }
}

fn join(folder: &str, rest: &str) -> String {
    if folder.is_empty() { rest.to_owned() } else { format!("{folder}/{rest}") }
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}

/// Writes out what a mapping says, by paths with dots.
fn flatten(map: View<'_>, before: &str, depth: usize, into: &mut Values) {
    for (key, value) in map.entries() {
        let Some(key) = key.text().filter(|_| into.len() < MAX_VALUES) else { continue };
        let name = if before.is_empty() { key.to_owned() } else { format!("{before}.{key}") };
        if value.is_mapping() && depth < MAX_DEPTH {
            flatten(value, &name, depth + 1, into);
        }
        let literal = value.text().filter(|_| !value.is_null()).and_then(plain);
        into.insert(name.into(), literal);
    }
}

/// The plain values of `{ name = 3000, other = "x" }`.
fn literals(text: &str) -> Values {
    let mut values = Values::new();
    let Some(open) = text.find('{').filter(|&at| text[..at].trim().is_empty()) else { return values };
    let rest = &text[open + 1..];
    let end = rest.find('}').unwrap_or(rest.len());
    // Braces within: a value is made of others.
    let whole = !rest[..end].contains('{');
    for line in rest[..end].split(['\n', ',']).filter(|_| whole) {
        let Some((name, value)) = line.split_once('=').or_else(|| line.split_once(':')) else { continue };
        let value = value.split(['#']).next().unwrap_or_default().trim();
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let number = value.bytes().all(|byte| byte.is_ascii_digit()).then_some(value);
        values.insert(name.trim().trim_matches('"').into(), quoted.or(number).and_then(plain));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_a_call_are_read() {
        let values = literals(" { port = 3000, host = \"app\"\n other = var.x }) }");
        assert_eq!(values.get("port").and_then(Option::as_deref), Some("3000"));
        assert_eq!(values.get("host").and_then(Option::as_deref), Some("app"));
        assert_eq!(values.get("other"), Some(&None));
        assert!(literals(" { a = { b = 1 } }").is_empty() && literals(" var.all) {").is_empty());
    }

    #[test]
    fn templates_know_where_they_belong() {
        assert_eq!(Places::of("roles/a/templates/x/y.j2").root, Some("roles/a"));
        assert_eq!(Places::of("templates/y.j2").root, Some(""));
        assert_eq!(Places::of("conf/y.j2").root, None);
    }
}
