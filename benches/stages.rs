//! How long each stage takes, on one thread and without a disk; the group `from disk` alone reads files, on all threads.
//! A whole process is timed on a tree that `examples/generate_tree.rs` writes.
//!
//! `cargo bench --bench stages` takes about a minute; `cargo bench --bench stages -- engine` runs one group.

mod generate;

use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use generate::File;
use globset::GlobBuilder;
use gw502_lint::config::{Config, Policy};
use gw502_lint::discover::{self, Disk, Request};
use gw502_lint::engine::{self, Report, Settings};
use gw502_lint::files::{Files, Held, Repository, Unit};
use gw502_lint::finding::Findings;
use gw502_lint::rules::{self, Cx};
use gw502_lint::syntax::{haproxy, nginx};
use gw502_lint::topology::Dialect;
use gw502_lint::{link, lower, output};
use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::io;
use std::time::Duration;

/// Any number will do; this one is also that of `generate_tree`.
const SEED: u64 = 502;

/// A tree in memory.
struct Memory(BTreeMap<String, String>);

impl Memory {
    fn new(files: &[File]) -> Self {
        Self(files.iter().map(|file| (file.path.clone(), file.text.clone())).collect())
    }
}

impl Repository for Memory {
    fn read(&self, path: &str) -> Held {
        self.0.get(path).map_or(Held::Nothing, |text| Held::Bytes(text.clone().into_bytes()))
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() else { return Vec::new() };
        let glob = glob.compile_matcher();
        self.0.keys().filter(|path| glob.is_match(path)).cloned().collect()
    }

    fn ending_with(&self, path: &str) -> Vec<String> {
        self.0.keys().filter(|known| known.ends_with(path)).cloned().collect()
    }
}

fn parsed(files: &[File], dialect: Dialect) -> Vec<Unit> {
    files.iter().map(|file| Unit::new(file.path.as_str(), file.text.clone().into_bytes(), dialect)).collect()
}

fn linted(files: &[File], repository: &Memory, dialect: Dialect) -> Report {
    engine::lint(parsed(files, dialect), &[], repository, &Settings::default())
}

fn group<'a>(criterion: &'a mut Criterion, name: &str, files: &[File]) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(generate::bytes(files)));
    group
}

/// What no parser can do without: to touch each byte.
fn read_only(files: &[File]) -> usize {
    files.iter().map(|file| memchr::memchr_iter(b'\n', file.text.as_bytes()).count()).sum()
}

fn parse(criterion: &mut Criterion) {
    let sites = generate::nginx_tree(400, SEED);
    let mut nginx_group = group(criterion, "parse nginx", &sites);
    nginx_group.bench_function("read only", |b| b.iter(|| read_only(black_box(&sites))));
    nginx_group.bench_function("400 sites", |b| {
        b.iter(|| sites.iter().map(|file| nginx::parse(&file.text).tree.len()).sum::<usize>());
    });
    nginx_group.finish();
    let large = [File { path: "nginx.conf".into(), text: generate::nginx_file(2_000_000, SEED) }];
    let mut large_group = group(criterion, "parse nginx", &large);
    large_group.bench_function("one file of 2 MB", |b| b.iter(|| nginx::parse(black_box(&large[0].text))));
    large_group.finish();

    let services = generate::haproxy_files(400, SEED);
    let mut haproxy_group = group(criterion, "parse haproxy", &services);
    haproxy_group.bench_function("read only", |b| b.iter(|| read_only(black_box(&services))));
    haproxy_group.bench_function("400 files", |b| {
        b.iter(|| services.iter().map(|file| haproxy::parse(&file.text).errors.len()).sum::<usize>());
    });
    haproxy_group.finish();
    let large = [File { path: "haproxy.cfg".into(), text: generate::haproxy_file(1000, SEED) }];
    let mut large_group = group(criterion, "parse haproxy", &large);
    large_group.bench_function("one file of 1,000 services", |b| {
        b.iter(|| haproxy::parse(black_box(&large[0].text)));
    });
    large_group.finish();
}

fn stages(criterion: &mut Criterion) {
    let nginx_sites = generate::nginx_tree(400, SEED);
    let services = [File { path: "haproxy.cfg".into(), text: generate::haproxy_file(400, SEED) }];
    for (name, files, dialect) in
        [("nginx", nginx_sites.as_slice(), Dialect::Nginx), ("haproxy", &services, Dialect::Haproxy)]
    {
        let repository = Memory::new(files);
        let mut lower_group = group(criterion, "lower and link", files);
        lower_group.bench_function(name, |b| {
            b.iter_batched(
                || Files::new(parsed(files, dialect), &repository),
                |mut loaded| {
                    let mut lowered = lower::lower(&mut loaded, lower::Targets::default());
                    link::link(&mut lowered.topology);
                    // Both are handed back, so that taking them down is not timed.
                    (lowered, loaded)
                },
                BatchSize::LargeInput,
            );
        });
        lower_group.finish();

        let report = linted(files, &repository, dialect);
        let policy = Policy::default();
        let mut rules_group = group(criterion, "rules", files);
        rules_group.bench_function(name, |b| {
            b.iter(|| {
                let mut findings = Findings::default();
                rules::run(&Cx::new(&report.topology, &policy), |_| true, &mut findings);
                findings
            });
        });
        rules_group.finish();
    }
}

fn engine(criterion: &mut Criterion) {
    for sites in [1, 100, 1000] {
        let files = generate::nginx_tree(sites, SEED);
        let repository = Memory::new(&files);
        let mut engine_group = group(criterion, "engine", &files);
        engine_group.bench_function(format!("nginx, {sites} sites"), |b| {
            b.iter_with_large_drop(|| linted(&files, &repository, Dialect::Nginx));
        });
        engine_group.finish();
    }
    let files = [File { path: "haproxy.cfg".into(), text: generate::haproxy_file(400, SEED) }];
    let repository = Memory::new(&files);
    let mut engine_group = group(criterion, "engine", &files);
    engine_group.bench_function("haproxy, 400 services", |b| {
        b.iter_with_large_drop(|| linted(&files, &repository, Dialect::Haproxy));
    });
    engine_group.finish();
}

/// One proxy and one compose file among many YAML files that nobody asks for.
fn surroundings(criterion: &mut Criterion) {
    let files = generate::yaml_tree(5000, SEED);
    let repository = Memory::new(&files);
    let proxy: Vec<File> = files.iter().filter(|file| file.path == "nginx.conf").cloned().collect();
    let mut group = criterion.benchmark_group("surroundings");
    group.throughput(Throughput::Elements(files.len() as u64));
    group.bench_function("5,000 other YAML files", |b| {
        b.iter_with_large_drop(|| linted(&proxy, &repository, Dialect::Nginx));
    });
    group.finish();
}

/// The whole way from a folder to a report, beside its floor: to open each of these files and read it.
fn disk(criterion: &mut Criterion) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let files = generate::nginx_tree(1000, SEED);
    let paths: Vec<_> = files.iter().map(|file| folder.path().join(&file.path)).collect();
    for (path, file) in paths.iter().zip(&files) {
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, &file.text));
        assert!(made.is_ok(), "cannot write {}", path.display());
    }
    let request = Request {
        paths: vec![folder.path().to_owned()],
        stdin: None,
        no_ignore: false,
        dialects: Vec::new(),
        exclude: Config::default(),
    };
    let mut disk_group = group(criterion, "from disk", &files);
    disk_group.bench_function("read only", |b| {
        b.iter(|| paths.iter().map(|path| fs::read(path).map_or(0, |bytes| bytes.len())).sum::<usize>());
    });
    disk_group.bench_function("nginx, 1000 sites", |b| {
        b.iter_with_large_drop(|| {
            discover::discover(&request).ok().map(|found| {
                let disk = Disk::new(found.root).with_deployments(found.deployments);
                engine::lint(found.units, &found.unread, &disk, &Settings::default())
            })
        });
    });
    disk_group.finish();
}

fn reports(criterion: &mut Criterion) {
    let files = generate::nginx_tree(400, SEED);
    let report = linted(&files, &Memory::new(&files), Dialect::Nginx);
    assert!(!report.findings.is_empty(), "the planted hazards are not found");
    let mut output_group = criterion.benchmark_group("output");
    output_group.throughput(Throughput::Elements(report.findings.len() as u64));
    output_group.bench_function("sarif", |b| b.iter(|| output::sarif::write(&report, &mut io::sink())));
    let plain = output::human::Options { color: false, width: 100, elapsed: None, fixed: None, hyperlinks: false };
    output_group.bench_function("human", |b| b.iter(|| output::human::write(&report, &plain, &mut io::sink())));
    output_group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    parse(&mut criterion);
    stages(&mut criterion);
    engine(&mut criterion);
    surroundings(&mut criterion);
    disk(&mut criterion);
    reports(&mut criterion);
    criterion.final_summary();
}
