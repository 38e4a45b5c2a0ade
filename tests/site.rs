//! The documentation as a site: mdBook builds it, every page of the book is there, its links lead somewhere, and a browser
//! without a window shows its pages. Shown as ignored where mdBook or Chromium is not installed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Pages that the browser opens, with a text that each of them shows.
const PAGES: &[(&str, &str)] = &[
    ("index.html", "Getting started"),
    ("configuration.html", "Suppressions in comments"),
    ("configuration-reference.html", "Options of rules"),
    ("rules/index.html", "hazard"),
    ("rules/GW101-port-mismatch.html", "What it looks for"),
    ("rules/GW201-short-read-timeout.html", "proxy_read_timeout"),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mdbook = runs("mdbook");
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| runs(name));
    let trials = vec![
        Trial::test("mdBook builds the site", builds).with_ignored_flag(!mdbook),
        Trial::test("a browser opens its pages", move || opens(browser.unwrap_or_default()))
            .with_ignored_flag(!mdbook || browser.is_none()),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn runs(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the site into a folder of its own.
fn build() -> Result<tempfile::TempDir, Failed> {
    let site = tempfile::tempdir()?;
    let output = Command::new("mdbook").arg("build").arg("--dest-dir").arg(site.path()).arg(root()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() || said.contains("ERROR") || said.contains("WARN") {
        return Err(format!("mdbook build: {said}").into());
    }
    Ok(site)
}

/// Each page of the table of contents is there, and each relative link in it leads to a file.
fn builds() -> Result<(), Failed> {
    let site = build()?;
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md"))?;
    let pages: Vec<_> = summary.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(".md)")).collect();
    if pages.len() < 50 {
        return Err(format!("the table of contents has {} pages", pages.len()).into());
    }
    let mut broken = Vec::new();
    for page in pages {
        let html = site.path().join(page).with_extension("html");
        let text = fs::read_to_string(&html).map_err(|error| format!("{page}: {error}"))?;
        let main =
            text.split_once("<main>").and_then(|(_, rest)| rest.split_once("</main>")).map_or("", |(main, _)| main);
        for link in main.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            if !html.parent().unwrap_or(site.path()).join(path).exists() {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("links that lead nowhere: {broken:#?}").into()) }
}

/// The page is what a browser makes of it, scripts included: the sidebar is put in by one.
fn opens(browser: &str) -> Result<(), Failed> {
    let site = build()?;
    for (page, text) in PAGES {
        let dom = dump(browser, &site.path().join(page))?;
        for wanted in [text, "gw502-lint", "GW601 keepalive-race"] {
            if !dom.contains(wanted) {
                return Err(format!("{page} does not show `{wanted}`").into());
            }
        }
    }
    Ok(())
}

fn dump(browser: &str, page: &Path) -> Result<String, Failed> {
    let profile = tempfile::tempdir()?;
    let address: PathBuf = page.to_owned();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", address.display()))
        .output()?;
    if !output.status.success() {
        return Err(format!("{browser}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
