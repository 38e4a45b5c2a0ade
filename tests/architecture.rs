//! The layers of docs/architecture.md: a module imports only modules of a lower layer.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Module → layer. Folders stand for all that is in them.
const LAYERS: &[(&str, u8)] = &[
    ("source", 0),
    ("value", 0),
    ("syntax", 1),
    ("edit", 1),
    ("topology", 2),
    ("defaults", 2),
    ("files", 3),
    ("lower", 4),
    ("link", 4),
    ("catalog", 5),
    ("config", 6),
    ("finding", 6),
    ("rules", 7),
    ("suppress", 7),
    ("baseline", 7),
    ("engine", 8),
    ("fix", 9),
    ("output", 9),
    ("discover", 9),
    ("cli", 10),
    ("lib", 11),
    ("main", 11),
];

#[test]
fn modules_import_only_lower_layers() {
    let layers: BTreeMap<&str, u8> = LAYERS.iter().copied().collect();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(&src).into_iter().flatten() {
        let path = entry.path().strip_prefix(&src).expect("below src");
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let first = path.iter().next().expect("a name").to_string_lossy();
        let module = first.trim_end_matches(".rs");
        let Some(&layer) = layers.get(module) else {
            wrong.push(format!("{}: this module has no layer in tests/architecture.rs", path.display()));
            continue;
        };
        let text = fs::read_to_string(entry.path()).expect("readable");
        // Tests of a module may use what they like.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for imported in imports(code) {
            seen += 1;
            let Some(&target) = layers.get(imported.as_str()) else { continue };
            if target >= layer && imported != module && module != "lib" && module != "main" {
                wrong.push(format!("{}: layer {layer} imports `{imported}`, layer {target}", path.display()));
            }
        }
    }
    assert!(seen > 50, "the imports are not found any more: {seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Modules named after `crate::`, also within braces.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (i, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            found.push(word(&list[i..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
            None => found.push(word(rest)),
        }
    }
    found.retain(|module| !module.is_empty());
    found
}

#[test]
fn only_discover_and_the_command_line_touch_the_world() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in walkdir::WalkDir::new(&src).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        let path = entry.path().strip_prefix(&src).expect("below src");
        let outside = ["discover", "cli", "main"].iter().any(|allowed| path.to_string_lossy().starts_with(allowed));
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in
            ["std::fs", "std::env", "std::process", "std::net::Tcp", "std::thread", "std::time::Instant", "rayon::"]
        {
            assert!(outside || !code.contains(word), "{}: `{word}` has no place in the core", path.display());
        }
    }
}

#[test]
fn files_stay_one_thing() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in walkdir::WalkDir::new(&src).into_iter().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let lines = fs::read_to_string(entry.path()).expect("readable").lines().count();
            assert!(lines <= 800, "{} has {lines} lines: it is two things", entry.path().display());
        }
    }
}
