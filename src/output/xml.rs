//! What the XML formats share.

use super::plain;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::borrow::Cow;
use std::io;

/// A writer that has written the declaration.
///
/// # Errors
/// Those of `out`.
pub fn document(out: &mut dyn io::Write) -> io::Result<Writer<&mut dyn io::Write>> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    Ok(xml)
}

/// Ends the last line.
///
/// # Errors
/// Those of the writer.
pub fn end(mut xml: Writer<&mut dyn io::Write>) -> io::Result<()> {
    xml.get_mut().write_all(b"\n")
}

/// Text of an element.
pub fn text(text: &str) -> BytesText<'static> {
    BytesText::new(&legal(text)).into_owned()
}

/// Text on one line, such as a path or a message.
pub fn line(text: &str) -> String {
    legal(&plain(text)).into_owned()
}

/// What XML 1.0 may not hold, not even escaped, and [`plain`] lets through.
pub fn legal(text: &str) -> Cow<'_, str> {
    let illegal = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.contains(illegal) { Cow::Owned(text.replace(illegal, "\u{fffd}")) } else { Cow::Borrowed(text) }
}
