//! Buffers for answers: sizes that contradict each other, so that nginx refuses the file.
//!
//! Facts (measured on 1.22.1): with S = `_buffer_size`, N × B = `_buffers` and U = `_busy_buffers_size`, nginx wants
//! N ≥ 2 and max(S, B) ≤ U ≤ (N − 1) · B; U is 2 · max(S, B) where it is not set. Every level is checked after merging.

use super::settings::BUFFERED;
use super::{Block, Context, Item, Lowering, values};
use crate::edit::{Applicability, Edit, Fix};
use crate::source::Site;
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};

/// A setting that is written.
struct Part {
    number: u64,
    size: u64,
    site: Site,
    item: Item,
    /// Words that are shown.
    words: usize,
}

impl Lowering<'_, '_> {
    /// Compares the three settings that are in force in a complete block.
    pub(super) fn check_buffers(&mut self, block: &Block) {
        use Context as C;
        if !matches!(block.context, C::Server | C::Location | C::IfInServer | C::IfInLocation | C::LimitExcept) {
            return;
        }
        // What a block inherits has been looked at further out.
        let found = (block.frame.buffers(), self.doubt(&block.frame).is_some());
        if self.lately.compared.replace(found) == Some(found) {
            return;
        }
        for (prefix, slots) in BUFFERED.into_iter().zip(found.0) {
            if slots == [None; 3] || self.buffers_told.contains(&slots) {
                continue;
            }
            if let Some(fact) = self.buffers_of(block, prefix, slots) {
                self.buffers_told.insert(slots);
                self.out.topology.load.faults.push(fact);
            }
        }
    }

    fn buffers_of(&self, block: &Block, prefix: &str, slots: [Option<u32>; 3]) -> Option<Fault> {
        let [header, body, busy] = slots;
        // A value that is written and cannot be read here says nothing at all.
        let read = |slot: Option<u32>, numbered| match slot {
            Some(index) => self.part(index as usize, numbered).map(Some),
            None => Some(None),
        };
        let (header, body, busy) = (read(header, false)?, read(body, true)?, read(busy, false)?);
        let doubt = self.doubt(&block.frame).is_some();
        let text = |part: &Part| self.part_text(part);
        let refusal = |at: &Part, message: String, label: &str, others: [&Option<Part>; 3], help: String| {
            let mut fault = Fault::new(FaultKind::Buffers, self.proxy, (at.site, label), message);
            fault.effect = Some(LoadEffect::Refused);
            let others = others.into_iter().flatten().filter(|part| part.site != at.site);
            fault.others = others.map(|part| (part.site, format!("with `{}`", text(part)))).collect();
            fault.help = Some(help);
            fault
        };
        // What rests on the size of a memory page is not proven by the files.
        let weigh = |mut fault: Fault, sure: bool| {
            if !sure {
                fault.weight = FaultWeight::MayFail;
                fault.certain = false;
                fault.why = Some(
                    "buffers that are not written are one memory page each, 4k on nearly every machine, and the busy size \
                     is twice the largest buffer where it is not written",
                );
            }
            fault
        };
        if let Some(body) = body.as_ref().filter(|body| body.number < 2) {
            let message = format!("`{}` is fewer than two buffers, so nginx does not start", text(body));
            let help = format!("write `{prefix}_buffers 8 {};`", kilobytes(body.size.max(4096)));
            let number = self.arg(body.item, 1).map(|(_, site)| Edit::Replace { span: site.span, text: "8".into() });
            let fix = number.filter(|_| body.size >= 4096).map(|edit| Fix::guess("have 8 of them", [edit]));
            return Some(refusal(body, message, "at least 2 are needed", [&None, &None, &None], help).fix(fix));
        }
        // Not written, and perhaps written in a file that is not seen: only what is left can speak.
        if doubt && (header.is_none() || body.is_none()) {
            return None;
        }
        // One memory page is 4k nearly everywhere and larger on a few machines; if only 4k fails, it is likely.
        let (mut worst, mut sure) = (None, true);
        for page in [4096_u64, 8192] {
            let most = header.as_ref().map_or(page, |part| part.size).max(body.as_ref().map_or(page, |part| part.size));
            let (number, size) = body.as_ref().map_or((8, page), |part| (part.number, part.size));
            let room = number.saturating_sub(1).saturating_mul(size);
            let wanted = match &busy {
                Some(part) => part.size,
                None if doubt => most,
                None => most.saturating_mul(2),
            };
            let low = busy.is_some() && wanted < most;
            if !low && wanted <= room {
                // Right on the large pages: it depends on the machine.
                sure = false;
                break;
            }
            worst.get_or_insert((most, room, wanted, low));
        }
        let (most, room, wanted, low) = worst?;
        let all = [&header, &body, &busy];
        let help = if most <= room {
            format!("write `{prefix}_busy_buffers_size {};` on the same level", kilobytes(most))
        } else {
            let (most, twice) = (kilobytes(most), kilobytes(most.saturating_mul(2)));
            format!("write `{prefix}_buffers 8 {most};` and `{prefix}_busy_buffers_size {twice};` on the same level")
        };
        if let (Some(part), true) = (&busy, low) {
            let message =
                format!("`{}` is less than one buffer of {}, so nginx does not start", text(part), kilobytes(most));
            let fact = refusal(part, message, "smaller than one buffer", all, help);
            return Some(weigh(fact, sure));
        }
        let room_of = room;
        let (wanted, room) = (kilobytes(wanted), kilobytes(room));
        let at = header.as_ref().or(body.as_ref()).or(busy.as_ref())?;
        let message = match &busy {
            Some(part) => format!(
                "`{}` is more than `{prefix}_buffers` without one of them hold ({room}), so nginx does not start",
                text(part)
            ),
            None => format!(
                "with `{}`, `{prefix}_busy_buffers_size` is {wanted}, and `{prefix}_buffers` without one of them hold \
                 only {room}: nginx does not start",
                text(at)
            ),
        };
        let at = busy.as_ref().unwrap_or(at);
        let fact = refusal(at, message, "these sizes contradict each other", all, help);
        let written = all.into_iter().flatten().count();
        // With one setting written, the other two are the same on every level that inherits it.
        let fix = (written == 1 && busy.is_none() && most <= room_of).then(|| {
            let words = format!("{prefix}_busy_buffers_size {}", kilobytes(most));
            // What is smaller than a large memory page contradicts itself on other machines.
            let applicability = if most >= 8192 { Applicability::Safe } else { Applicability::Unsafe };
            let title = format!("write `{words}`");
            Box::new(Fix { applicability, title, edits: vec![Edit::Below { statement: at.site.span, words }] })
        });
        Some(weigh(fact, sure).fix(fix))
    }

    /// A written setting; `None` when it cannot be known.
    fn part(&self, index: usize, numbered: bool) -> Option<Part> {
        let written = self.written.get(index)?;
        let item = self.item_of(written);
        let site = written.site();
        let words = 1 + usize::from(numbered);
        if self.is_template(site) || (1..=words).any(|word| self.is_hole(item, word)) {
            return None;
        }
        let size = values::size(&self.arg(item, words)?.0)?.0;
        let number = if numbered { self.arg(item, 1)?.0.parse().ok()? } else { 1 };
        Some(Part { number, size, site, item, words })
    }

    /// A setting as it is written, for a message.
    fn part_text(&self, part: &Part) -> String {
        let words: Vec<_> =
            (0..=part.words).filter_map(|word| self.arg(part.item, word)).map(|(word, _)| word).collect();
        crate::source::clean(&words.join(" ")).into_owned()
    }
}

fn kilobytes(size: u64) -> String {
    if size.is_multiple_of(1024) { format!("{}k", size / 1024) } else { size.to_string() }
}
