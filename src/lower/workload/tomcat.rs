//! Tomcat's `server.xml`: its connectors say where it listens and what it speaks there
//! (tomcat.apache.org/tomcat-10.1-doc/config/http.html, …/ajp.html).

use super::gather::{Gather, Inside, Manner, bytes, says};
use crate::source::FileId;
use crate::syntax::words::{HOLE, Text};
use crate::topology::{Bind, Listens, Setting, Spoken, Weight};
use crate::value::Wait;
use std::time::Duration;

/// Where images keep it.
const PLACES: [&str; 3] =
    ["/usr/local/tomcat/conf/server.xml", "/opt/bitnami/tomcat/conf/server.xml", "/opt/tomcat/conf/server.xml"];

/// Longest file that is read.
const MAX_BYTES: usize = 256 * 1024;

/// Most elements of it.
const MAX_NODES: u32 = 10_000;

/// The file of the repository that lies where Tomcat looks for it, if there is one.
pub(super) fn configuration(gather: &mut Gather<'_, '_>) {
    for place in PLACES {
        if let Inside::File(id) = gather.inside(place) {
            connectors(gather, id);
            return;
        }
    }
}

fn connectors(gather: &mut Gather<'_, '_>, id: FileId) {
    let file = gather.files.sources.share(id);
    let options = roxmltree::ParsingOptions { nodes_limit: MAX_NODES, ..roxmltree::ParsingOptions::default() };
    let document = match roxmltree::Document::parse_with_options(file.text(), options) {
        Ok(document) if file.text().len() <= MAX_BYTES => document,
        _ => {
            gather.open = true;
            return;
        }
    };
    for node in document.descendants().filter(|node| node.has_tag_name("Connector")).take(64) {
        let text = |name: &str| {
            let attribute = node.attribute_node(name)?;
            let value = attribute.value();
            // `${http.port}` is a property of the start.
            let value = if value.contains("${") { HOLE.to_string() } else { value.to_owned() };
            Some(Text::new(value, Gather::in_file(id, attribute.range())))
        };
        let Some(port) = text("port") else { continue };
        let ajp = node.attribute("protocol").is_some_and(|protocol| protocol.to_ascii_uppercase().contains("AJP"));
        let secure = node.attribute("SSLEnabled").is_some_and(|enabled| enabled.eq_ignore_ascii_case("true"));
        let Some(number) = port.known().and_then(|port| port.trim().parse::<u16>().ok()).filter(|&port| port > 0)
        else {
            gather.open = true;
            continue;
        };
        let bind = match text("address") {
            Some(address) => super::gather::bind_of(&address.text),
            // Since 7.0.100, 8.5.51 and 9.0.31.
            None if ajp => Bind::LoopbackByDefault,
            None => Bind::Any,
        };
        let spoken = match (ajp, secure) {
            (true, _) => Spoken::Ajp,
            (_, true) => Spoken::Https,
            _ => Spoken::Http,
        };
        let manner = Manner { spoken: Some(spoken), weight: Weight::Decisive, port: None };
        let words = match ajp {
            true => format!("{} with AJP", says("`server.xml`", &format!("port=\"{number}\""))),
            false => says("`server.xml`", &format!("port=\"{number}\"")),
        };
        gather.claim(Listens::Port(number), bind, manner, port.site, words);
        if ajp {
            continue;
        }
        if let Some((time, name)) = text("keepAliveTimeout")
            .map(|text| (text, "keepAliveTimeout"))
            .or_else(|| text("connectionTimeout").map(|text| (text, "connectionTimeout")))
        {
            gather.server.idle = match time.known().and_then(|value| value.trim().parse::<i64>().ok()) {
                Some(-1) => Some(Setting::written(Wait::Forever, time.site, name)),
                Some(value @ 0..) => {
                    Some(Setting::written(Wait::For(Duration::from_millis(value as u64)), time.site, name))
                }
                _ => None,
            };
        }
        if let Some(size) = text("maxHttpRequestHeaderSize").or_else(|| text("maxHttpHeaderSize")) {
            gather.server.request_header = Some(bytes(&size, "maxHttpHeaderSize"));
        }
        if let Some(size) = text("maxHttpResponseHeaderSize") {
            gather.server.response_header = Some(bytes(&size, "maxHttpResponseHeaderSize"));
        }
    }
}
