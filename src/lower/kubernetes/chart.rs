//! Templates of Helm charts: YAML with tags in it, made into YAML of the same length.
//!
//! Lines of control tags and of tags that print whole lines become blanks, other tags letters, of two branches the first
//! one stays. What a word with a tag says is its own text, so that two words are the same where they are written alike.

use super::embedded::{self, Block};
use super::objects::Word;
use super::pods::Pods;
use super::{Cluster, Told};
use crate::files::{Files, folder, join};
use crate::lower::filled::AllFilled;
use crate::source::{FileId, clean};
use crate::syntax::template_yaml;
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};
use std::collections::HashMap;

/// The folder of templates of the chart that a manifest belongs to.
pub(super) fn root(path: &str, files: &Files<'_>) -> Option<String> {
    let mut at = folder(path);
    while !at.is_empty() {
        let above = folder(at);
        if at.rsplit('/').next() == Some("templates") && join(above, "Chart.yaml").is_some_and(|it| files.exists(&it)) {
            return Some(at.to_owned());
        }
        at = above;
    }
    None
}

/// The text as YAML; `None`: it has no tags.
pub(super) fn plain(text: &str) -> Option<String> {
    text.contains("{{").then(|| template_yaml(text))
}

/// Gives words with tags what they say: values that are known, else their own text with its blanks evened out.
pub(super) fn say<'w>(words: impl Iterator<Item = &'w mut Word>, file: FileId, text: &str, filled: &AllFilled) {
    for word in words {
        let span = word.site.span;
        let Some(own) = text.get(span.start as usize..span.end as usize).filter(|own| own.contains("{{")) else {
            continue;
        };
        let said = filled.put_into(file, text, span.start..span.end).unwrap_or_else(|| own.to_owned());
        let said = said.trim_matches(['"', '\'']);
        word.text = if said.contains("{{") { even(said) } else { said.into() };
    }
}

/// A text whose tags have one blank where they have any, and none at their marks.
fn even(text: &str) -> Box<str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ").replace("{{-", "{{").replace("-}}", "}}");
    let text = text.replace("{{ ", "{{").replace(" }}", "}}");
    // Outside of loops the two are the same, and in them the names are those of the chart.
    text.replace("$.", ".").replace(" $}}", " .}}").replace(" $ ", " . ").replace("{{template ", "{{include ").into()
}

/// Holds the Services of a chart against its only workload: labels come from elsewhere in a chart, but there is nothing else
/// that the Service could mean.
pub(super) fn ports(cluster: &Cluster<'_, '_>, told: &mut Told<'_>) {
    let root = |file: FileId| root(cluster.files.sources.file(file).path(), cluster.files);
    let mut workloads: HashMap<String, Option<&Pods>> = HashMap::new();
    for pods in &cluster.objects.pods {
        if matches!(&*pods.kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            && let Some(root) = root(pods.meta.file)
        {
            // Of two it is not clear which is meant.
            workloads.entry(root).and_modify(|one| *one = None).or_insert(Some(pods));
        }
    }
    for service in &cluster.objects.services {
        if service.external || !told.charts.contains(&service.meta.file) {
            continue;
        }
        let Some(Some(pods)) = root(service.meta.file).and_then(|root| workloads.get(&root).copied()) else { continue };
        let text = cluster.files.sources.share(pods.meta.file);
        // Ports that a tag brings are not seen, nor are containers.
        let brings = |line: &str| {
            line.contains("{{")
                && ["toYaml", "range", "tpl"].iter().any(|word| line.contains(word))
                && ["ort", "ontainer", "idecar"].iter().any(|word| line.contains(word))
        };
        let known = |(name, number): &(Option<Word>, Option<Word>)| {
            name.as_ref().is_none_or(|name| name.known().is_some())
                && number.as_ref().is_some_and(|number| number.known().is_some())
        };
        if pods.ports.is_empty() || !pods.ports.iter().all(known) || text.text().lines().any(brings) {
            continue;
        }
        for port in service.ports.iter().filter(|port| port.tcp) {
            let Some((target, word)) = port.target.as_ref().and_then(|target| Some((target, target.known()?))) else {
                continue;
            };
            let named = word.parse::<u16>().is_err();
            let fits = pods.ports.iter().any(|(name, number)| {
                let one = if named { name } else { number };
                one.as_ref().is_some_and(|one| &*one.text == word)
            });
            if fits {
                continue;
            }
            told.fault(FaultKind::SelectorMismatch, service.meta.file, |kind, proxy| {
                let shown = clean(word);
                let what = if named { "a port named" } else { "port" };
                let message = format!(
                    "this Service leads to {what} `{shown}`, and the only workload of the chart declares none such"
                );
                let mut fault =
                    Fault::new(kind, proxy, (target.site, "no container port is this one".to_owned()), message)
                        .effect(LoadEffect::Status(503))
                        .help("write the port that the container declares, by its name or its number");
                for (name, number) in pods.ports.iter().take(4) {
                    if let Some(word) = name.as_ref().or(number.as_ref()) {
                        fault = fault.other(word.site, "a port of its containers");
                    }
                }
                // A program may listen on a port that is not declared.
                fault.weight(if named { FaultWeight::MayFail } else { FaultWeight::Remark }, false)
            });
        }
    }
}

/// The configuration of proxies in a template that is no YAML even so, by the indentation of its blocks.
pub(super) fn blocks(text: &str, file: FileId, into: &mut Vec<Block>) {
    let mut at = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        lines.push((at, line));
        at += line.len();
    }
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut next = 0;
    while let Some(&(_, line)) = lines.get(next) {
        next += 1;
        let Some((key, head)) = line.trim_end().split_once(": |") else { continue };
        if !head.bytes().all(|byte| matches!(byte, b'-' | b'+' | b'0'..=b'9')) {
            continue;
        }
        let within = indent(line);
        let first = next;
        while lines.get(next).is_some_and(|(_, line)| {
            indent(line) > within || line.trim().is_empty() || line.trim_start().starts_with("{{")
        }) {
            next += 1;
        }
        let (Some(&(from, _)), Some(&(last, line))) = (lines.get(first), lines.get(next.wrapping_sub(1))) else {
            continue;
        };
        if first < next {
            embedded::block(key.trim().trim_matches(['"', '\'']), file, text, from..last + line.len(), into);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_by_what_is_written() {
        assert_eq!(even("{{ include \"c.fullname\"  . }}-api"), even("{{- include \"c.fullname\" . -}}-api"));
        assert_eq!(even("{{ template \"c.fullname\" $ }}-api"), even("{{ include \"c.fullname\" . }}-api"));
        assert_ne!(even("{{ .a }}-api"), even("{{ .a }}-web"));
    }
}
