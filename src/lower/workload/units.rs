//! What starts programs on a machine: systemd units and sockets, Procfiles, supervisor.

use super::gather::{Gather, Inside};
use super::lines::last;
use super::programs;
use crate::source::FileId;
use crate::syntax::ini;
use crate::syntax::words::{Command, Text};

/// `supervisord -c file`: the programs of that file.
pub(super) fn supervisord(gather: &mut Gather<'_, '_>, arguments: &[Text]) {
    let path = last(arguments, &["-c", "--configuration"]).map(|given| given.value.text.to_string());
    let paths = match path {
        Some(path) => vec![path],
        None => vec!["/etc/supervisor/supervisord.conf".to_owned(), "/etc/supervisord.conf".to_owned()],
    };
    for path in paths {
        if let Inside::File(id) = gather.inside(&path) {
            supervisor_file(gather, id);
            return;
        }
    }
    gather.open = true;
}

/// Most programs of one file.
const MAX_PROGRAMS: usize = 256;

/// The commands of all `[program:x]` of a file.
pub(super) fn supervisor_file(gather: &mut Gather<'_, '_>, id: FileId) {
    if gather.depth > 0 {
        return;
    }
    let file = gather.files.sources.share(id);
    let mut programs = 0;
    for entry in ini::entries(file.text(), ini::Kind::Pool) {
        if entry.section == "include" {
            gather.open = true;
        }
        if entry.key == "command" && entry.section.starts_with("program:") {
            programs += 1;
            if programs > MAX_PROGRAMS {
                gather.open = true;
                return;
            }
            let text = Text::new(entry.value, Gather::in_file(id, entry.value_range.clone()));
            gather.depth += 1;
            programs::command(gather, &Command::Split(text));
            gather.depth -= 1;
        }
    }
}
