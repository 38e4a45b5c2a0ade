//! HAProxy trees → topology.
//!
//! Each file is a proxy of its own. HAProxy may be started with several files as one configuration, and nothing in a
//! file says so; hence a file without `global` is a fragment, and a name is missing only where no file has it that
//! could be loaded beside the one that uses it.

mod address;
mod bind;
mod checks;
mod companions;
mod dangling;
mod facts;
mod failing;
mod file;
mod global;
mod hop;
mod hosts;
mod keywords;
mod misplaced;
mod names;
mod numbers;
mod options;
mod paths;
mod profile;
mod routes;
mod rules;
mod section;
mod server;
mod sockets;
mod text;
mod times;
mod whole;

use super::Lowered;
use crate::files::{Files, folder};
use crate::source::FileId;
use crate::syntax::haproxy::SectionKeyword;
use crate::value::Versions;
use file::Beside;
use names::Names;
use std::collections::BTreeMap;
use text::Source;

/// Lowers all HAProxy files.
pub fn lower(files: &mut Files<'_>, ids: &[FileId], versions: Versions, out: &mut Lowered) {
    let mut folders: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    for source in ids.iter().filter_map(|&id| Source::new(files, id, &out.filled)) {
        folders.entry(folder(source.file.path()).to_owned()).or_default().push(source);
    }
    // What could be loaded beside any file.
    let mut fragments = Names::default();
    let mut others_may_begin = false;
    for source in folders.values().flatten() {
        if let Some(parsed) = source.parsed()
            && !file::is_whole(source)
        {
            (0..parsed.readings()).for_each(|reading| fragments.add(source, parsed.reading(reading), false));
            others_may_begin |= parsed.template
                || parsed.tree.sections().any(|(_, section)| section.keyword == SectionKeyword::Defaults);
        }
    }
    for sources in folders.values_mut() {
        // The order in which `-f folder/` loads them.
        sources.sort_by(|a, b| a.file.path().cmp(b.file.path()));
        let mut names = Names::default();
        for source in &*sources {
            if let Some(parsed) = source.parsed() {
                (0..parsed.readings()).for_each(|reading| names.add(source, parsed.reading(reading), parsed.template));
            }
        }
        let readings = |source: &Source| source.parsed().map_or(0, crate::syntax::Parsed::readings);
        for reading in 0..sources.iter().map(readings).max().unwrap_or(0) {
            // Only templates with branches are read again.
            let lowered: Vec<_> = sources
                .iter()
                .filter(|source| reading < readings(source))
                .filter_map(|source| {
                    let beside = Beside { names: &names, fragments: &fragments, others_may_begin, versions };
                    file::File::lower(source, reading, beside, &mut out.topology)
                })
                .collect();
            routes::join(&lowered, &mut out.topology);
            for file in lowered {
                let Some(base) = file.base else { continue };
                for named in file.paths {
                    let missing = paths::missing(named, base, &file.path, file.proxy, files);
                    out.topology.load.missing_files.extend(missing);
                }
            }
        }
    }
}
