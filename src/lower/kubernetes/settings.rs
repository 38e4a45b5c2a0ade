//! Times in annotations of ingress-nginx.

use super::{Cluster, Told};
use crate::defaults::ingress_nginx::{PREFIX, SECONDS};
use crate::source::clean;
use crate::topology::{Fault, FaultKind, FaultWeight};
use crate::value::parse_duration;

pub(super) fn look(cluster: &Cluster<'_, '_>, told: &mut Told<'_>) {
    for setting in &cluster.objects.settings {
        let name = setting.name.strip_prefix(PREFIX).unwrap_or(&setting.name);
        let Some(known) = SECONDS.iter().find(|known| known.name == name) else { continue };
        let Some(value) = setting.value.known().filter(|value| value.parse::<i64>().is_err()) else { continue };
        let meant = parse_duration(value.trim());
        // Of what is no time at all nobody knows how long it was to be.
        let longer = meant.is_some_and(|meant| meant.as_secs() > known.default);
        told.fault(FaultKind::TimeUnit, setting.file, |kind, proxy| {
            let value = clean(value);
            let message = format!(
                "`{name}` `{value}` is not read: ingress-nginx takes a bare number of seconds here, and {} s stay in force",
                known.default
            );
            let label = "this is no whole number".to_owned();
            let fault = Fault::new(kind, proxy, (setting.value.site, label), message);
            let weight = if longer { FaultWeight::Fails } else { FaultWeight::MayFail };
            match meant {
                Some(meant) if meant.as_secs() > 0 && meant.subsec_nanos() == 0 => {
                    fault.help(format!("write \"{}\"", meant.as_secs()))
                }
                _ => fault.help("write the time in whole seconds, without a unit"),
            }
            .weight(weight, true)
        });
    }
}
