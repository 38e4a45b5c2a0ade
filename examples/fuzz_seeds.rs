//! Writes seeds into `fuzz/corpus/`: `cargo run --example fuzz_seeds`. Each file of the fixtures is one for the parsers, each side
//! of a fixture one for the pipeline.

#![allow(clippy::print_stdout, reason = "a program of its own")]

use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = here.join("fixtures");
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten();
        entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
    };
    let mut count = 0;
    let mut seed = |target: &str, bytes: &[u8]| -> io::Result<()> {
        let folder = here.join("fuzz/corpus").join(target);
        fs::create_dir_all(&folder)?;
        count += 1;
        fs::write(folder.join(format!("seed-{count}")), bytes)
    };
    for path in files(&fixtures) {
        let bytes = fs::read(&path)?;
        let name = path.to_string_lossy();
        let targets: &[&str] = match path.extension().and_then(|ending| ending.to_str()) {
            Some("yaml" | "yml") => &["yaml", "config"],
            Some("cfg") => &["haproxy"],
            Some("conf" | "template" | "j2") => &["nginx"],
            _ if name.contains("Dockerfile") || name.contains(".env") => &["words"],
            Some("service" | "socket" | "ini" | "sh") => &["words"],
            _ => &[],
        };
        for target in targets {
            seed(target, &bytes)?;
        }
    }
    for entry in walkdir::WalkDir::new(&fixtures).sort_by_file_name().into_iter().flatten() {
        if entry.file_type().is_dir()
            && ["bad", "good", "sound", "broken"].iter().any(|name| entry.file_name() == *name)
        {
            let mut input = Vec::new();
            for path in files(entry.path()) {
                let name = path.strip_prefix(entry.path()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                input.extend_from_slice(format!("=== {name}\n").as_bytes());
                input.extend(fs::read(&path)?);
                input.push(b'\n');
            }
            seed("pipeline", &input)?;
        }
    }
    println!("{count} seeds");
    Ok(())
}
