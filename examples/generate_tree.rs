//! Writes the configurations that the benchmarks use, so that a whole run can be timed:
//!
//! ```text
//! cargo run --release --example generate_tree -- nginx 10000 /tmp/tree
//! /usr/bin/time -v target/release/gw502-lint --format sarif --fail-on never /tmp/tree > /dev/null
//! ```

#[path = "../benches/generate/mod.rs"]
mod generate;

use generate::File;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: generate_tree KIND NUMBER FOLDER
  nginx NUMBER          a main file, four snippets and so many sites
  nginx-file NUMBER     one nginx.conf of so many megabytes
  yaml NUMBER           one nginx.conf, one compose file, and so many YAML files that have to do with neither
  haproxy NUMBER        so many complete haproxy.cfg files
  haproxy-file NUMBER   one haproxy.cfg with so many services";

/// Any number will do; this one is also that of the benchmarks.
const SEED: u64 = 502;

fn main() -> ExitCode {
    let (written, code) = match run() {
        Ok(done) => (writeln!(io::stdout(), "{done}"), ExitCode::SUCCESS),
        Err(why) => (writeln!(io::stderr(), "{why}"), ExitCode::FAILURE),
    };
    if written.is_ok() { code } else { ExitCode::FAILURE }
}

fn run() -> Result<String, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, number, folder] = arguments.as_slice() else { return Err(USAGE.into()) };
    let number: usize = number.parse().map_err(|_| USAGE.to_owned())?;
    let one = |path: &str, text| vec![File { path: path.into(), text }];
    let files = match kind.as_str() {
        "nginx" => generate::nginx_tree(number, SEED),
        "nginx-file" => one("nginx.conf", generate::nginx_file(number * 1_000_000, SEED)),
        "yaml" => generate::yaml_tree(number, SEED),
        "haproxy" => generate::haproxy_files(number, SEED),
        "haproxy-file" => one("haproxy.cfg", generate::haproxy_file(number, SEED)),
        _ => return Err(USAGE.into()),
    };
    for file in &files {
        let path = Path::new(folder).join(&file.path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, &file.text));
        made.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(format!("{} files, {} bytes in {folder}", files.len(), generate::bytes(&files)))
}
