//! The XML of Checkstyle, which many servers and review tools read.
//!
//! It has no place for a suppressed finding, nor for more than one place: the others stand in the message.

use super::place::Places;
use super::{story, xml};
use crate::catalog::Severity;
use crate::engine::Report;
use crate::finding::Finding;
use quick_xml::events::{BytesEnd, BytesStart, Event};
use std::collections::BTreeMap;
use std::io;

/// Writes the document.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::new(&report.sources);
    let mut files: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in report.open() {
        files.entry(report.sources.file(finding.primary().site.span.file).path()).or_default().push(finding);
    }
    let mut xml = xml::document(out)?;
    xml.write_event(Event::Start(BytesStart::new("checkstyle").with_attributes([("version", "4.3")])))?;
    for (path, findings) in files {
        xml.write_event(Event::Start(BytesStart::new("file").with_attributes([("name", xml::line(path).as_str())])))?;
        for finding in findings {
            let place = places.of(finding.primary().site.span);
            let (line, column) = (place.line.to_string(), place.column.to_string());
            let severity = match finding.level() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "info",
            };
            let message = story(finding, &places);
            xml.write_event(Event::Empty(BytesStart::new("error").with_attributes([
                ("line", line.as_str()),
                ("column", column.as_str()),
                ("severity", severity),
                ("message", &xml::legal(&message)),
                ("source", &format!("{}.{}", env!("CARGO_PKG_NAME"), finding.rule)),
            ])))?;
        }
        xml.write_event(Event::End(BytesEnd::new("file")))?;
    }
    xml.write_event(Event::End(BytesEnd::new("checkstyle")))?;
    xml::end(xml)
}
