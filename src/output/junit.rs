//! JUnit's XML: a suite for each file, a test case for each finding.
//!
//! Errors and warnings are failures, what could not be read is an error, a note passes and says its words as output, a
//! suppressed finding is skipped with its reason. A file without findings has one case that passes.

use super::place::Places;
use super::{plain, plain_line, story, xml};
use crate::catalog::{RuleId, Severity};
use crate::engine::Report;
use crate::finding::Finding;
use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, Event};
use std::collections::BTreeMap;
use std::io;

/// What becomes of a finding.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    Broken,
    Skipped,
}

/// How many cases of each kind there are.
#[derive(Clone, Copy, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        self.tests += 1;
        match verdict {
            Verdict::Passed => {}
            Verdict::Failed => self.failures += 1,
            Verdict::Broken => self.errors += 1,
            Verdict::Skipped => self.skipped += 1,
        }
    }

    fn element(self, name: &'static str, title: &str) -> BytesStart<'static> {
        let number = |count: usize| count.to_string();
        let mut element = BytesStart::new(name);
        element.push_attribute(("name", title));
        for (name, count) in
            [("tests", self.tests), ("failures", self.failures), ("errors", self.errors), ("skipped", self.skipped)]
        {
            element.push_attribute((name, number(count).as_str()));
        }
        element
    }
}

/// Writes the document.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::new(&report.sources);
    let mut files: BTreeMap<&str, Vec<&Finding>> =
        report.files.iter().map(|(path, _)| (path.as_str(), Vec::new())).collect();
    for finding in &report.findings {
        files.entry(report.sources.file(finding.primary().site.span.file).path()).or_default().push(finding);
    }
    let counts = |findings: &[&Finding]| {
        let mut counts = Counts::default();
        findings.iter().for_each(|finding| counts.add(verdict(finding)));
        if findings.is_empty() {
            counts.add(Verdict::Passed);
        }
        counts
    };
    let total = files.values().map(|findings| counts(findings)).fold(Counts::default(), |sum, of| Counts {
        tests: sum.tests + of.tests,
        failures: sum.failures + of.failures,
        errors: sum.errors + of.errors,
        skipped: sum.skipped + of.skipped,
    });
    let mut xml = xml::document(out)?;
    xml.write_event(Event::Start(total.element("testsuites", env!("CARGO_PKG_NAME"))))?;
    for (path, findings) in files {
        let path = xml::line(&plain_line(path));
        xml.write_event(Event::Start(counts(&findings).element("testsuite", &path)))?;
        if findings.is_empty() {
            let case = BytesStart::new("testcase");
            xml.write_event(Event::Empty(case.with_attributes([
                ("name", "no findings"),
                ("classname", path.as_str()),
                ("file", path.as_str()),
            ])))?;
        }
        for finding in findings {
            case(finding, &path, &places, &mut xml)?;
        }
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    xml::end(xml)
}

fn verdict(finding: &Finding) -> Verdict {
    match finding.level() {
        _ if finding.suppressed.is_some() => Verdict::Skipped,
        _ if finding.rule == RuleId::GW000 => Verdict::Broken,
        Severity::Note => Verdict::Passed,
        _ => Verdict::Failed,
    }
}

fn case(finding: &Finding, path: &str, places: &Places<'_>, xml: &mut Writer<&mut dyn io::Write>) -> io::Result<()> {
    let place = places.of(finding.primary().site.span);
    let line = place.line.to_string();
    let name = format!("{} {} at {line}:{}", finding.rule, finding.rule.meta().slug, place.column);
    xml.write_event(Event::Start(BytesStart::new("testcase").with_attributes([
        ("name", name.as_str()),
        ("classname", path),
        ("file", path),
        ("line", line.as_str()),
    ])))?;
    // Lines of their own: none may be taken for a command where somebody prints the file.
    let story = story(finding, places);
    let lines: Vec<_> = story.lines().map(plain_line).collect();
    let words = format!("{path}:{line}:{}: {}\n{}", place.column, lines.join("\n"), finding.rule.meta().page());
    let message = xml::line(&finding.message);
    let element = match verdict(finding) {
        Verdict::Skipped => {
            let reason = finding.suppressed.as_ref().map_or_else(String::new, |by| plain(&by.reason).into_owned());
            let skipped = BytesStart::new("skipped").with_attributes([("message", &*xml::legal(&reason))]);
            xml.write_event(Event::Empty(skipped))?;
            BytesStart::new("system-out")
        }
        Verdict::Passed => BytesStart::new("system-out"),
        Verdict::Failed | Verdict::Broken => {
            let name = if verdict(finding) == Verdict::Broken { "error" } else { "failure" };
            let level = finding.level().word();
            BytesStart::new(name).with_attributes([("message", message.as_str()), ("type", level)])
        }
    };
    let end = element.to_end().into_owned();
    xml.write_event(Event::Start(element))?;
    xml.write_event(Event::Text(xml::text(&words)))?;
    xml.write_event(Event::End(end))?;
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}
