//! Limits of the process: connections and file descriptors.
//!
//! Facts: each worker has `worker_connections` places; listening sockets, clients and upstream connections take one
//! each, and with fewer places than listening sockets and one more nginx does not start (measured on 1.22.1).

use super::settings::Word;
use super::{Item, Lowering};
use crate::defaults::nginx as built_in;
use crate::topology::{Counts, Known, Limits, Reason, Setting};

/// What is said of the process as a whole.
#[derive(Default)]
pub(super) struct Process {
    connections: Option<Setting<u64>>,
    files: Option<Setting<u64>>,
    /// Whether more may stand in a file that was not read.
    pub(super) unread: bool,
}

impl Lowering<'_, '_> {
    /// `worker_connections` or `worker_rlimit_nofile`.
    pub(super) fn of_the_process(&mut self, item: Item) {
        let (Some(site), Some((text, _))) = (self.site_of(item), self.arg(item, 1)) else { return };
        let number = match text.parse() {
            _ if self.is_hole(item, 1) => Known::Unknown(Reason::TemplateHole),
            Ok(number) => Known::Yes(number),
            Err(_) => Known::Unknown(Reason::Malformed),
        };
        let (place, spelling) = match item.word {
            Word::WorkerConnections => (&mut self.process.connections, built_in::WORKER_CONNECTIONS.setting),
            _ => (&mut self.process.files, "worker_rlimit_nofile"),
        };
        let mut setting = Setting::written(0, site, spelling);
        setting.value = number;
        *place = Some(setting);
    }

    pub(super) fn finish_process(&mut self) {
        let Process { connections, files, unread } = std::mem::take(&mut self.process);
        if connections.is_none() && files.is_none() {
            return;
        }
        let whole = self.whole && !unread;
        let default = || {
            let number = built_in::WORKER_CONNECTIONS.value.parse().ok().filter(|_| whole)?;
            Some(Setting::default(number, &built_in::WORKER_CONNECTIONS))
        };
        self.out.topology.proxies[self.proxy].limits = Some(Box::new(Limits {
            connections: connections.or_else(default),
            files,
            counts: Counts::Everything,
            files_per_connection: 1,
            files_checked: false,
        }));
    }
}
