//! What control tags of a template say about the lines between them: branches of which one is taken, and loops. Jinja,
//! Go templates, Handlebars, ERB, EPP and Terraform.
//!
//! A template is read once for each way through its branches, the branches that are not taken blanked out. So two
//! branches never stand side by side in a tree, and blocks that open in a branch close. Chains of branches take the same
//! turn where they ask the same thing. A condition without an `else` is always taken: what it brings may be there.

mod control;
mod terraform;
#[cfg(test)]
mod tests;

pub(super) use terraform::{put as terraform, values_of as terraform_values};

use super::tags;
use control::{Control, condition, control};
use std::collections::HashMap;
use std::ops::Range;

/// Nesting is followed to here. What stands deeper belongs to the tag around it.
const MAX_DEPTH: usize = 64;

/// So many readings of one template at most. One with more ways through it is read as if all branches were there.
pub const MAX_READINGS: usize = 16;

/// So many branches of one block are looked at.
const MOST: usize = 64;

/// Conditions without an `else` that hold half a block: so many are tried with and without.
const MAX_HALVES: usize = 4;

/// Text between two control tags.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Region {
    at: Range<u32>,
    parent: Option<u32>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One branch of a chain, from 0.
    Branch { chain: u32, branch: u32 },
    /// Repeated, or left out.
    Loop,
    /// What stands in the place of a loop that has nothing to go through.
    Fallback,
    /// Of a definition or the like.
    Other,
}

/// A chain of branches: `if`, `elif`, `else`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Chain {
    regions: Vec<u32>,
    /// Whether one branch is always taken.
    complete: bool,
    /// Whether each of its tags stands where a statement may begin.
    clean: bool,
    /// What it asks for; `not` taken off.
    asks: Box<str>,
    negated: bool,
}

/// The branches and loops of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branches {
    regions: Vec<Region>,
    chains: Vec<Chain>,
    /// Fallbacks of loops whose tags stand where a statement may begin.
    fallbacks: Vec<u32>,
    /// Whether there are several readings, in each of which one branch of a chain is taken.
    several: bool,
}

/// A branch around a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Running number of its chain: branches of one chain exclude each other.
    pub chain: u32,
    /// Running number of the branch in its chain, from 0.
    pub branch: u32,
}

impl Branches {
    /// Reads the tags of a text. `None`: no tag decides about other lines. `lines`: statements end with their line
    /// (HAProxy), not with `;` or a brace (nginx).
    pub(super) fn read(text: &str, lines: bool) -> Option<Box<Self>> {
        let mut found: Vec<(Range<u32>, Control)> = tags::find(text)
            .into_iter()
            .filter_map(|at| Some((at.clone(), control(text.get(at.start as usize..at.end as usize)?)?)))
            .collect();
        found.extend(terraform::tags(text).filter_map(|at| {
            let tag = text.get(at.clone())?;
            Some((at.start as u32..at.end as u32, control(tag)?))
        }));
        let end = text.len() as u32;
        if is_of_template(text) {
            let regions = vec![Region { at: 0..end, parent: None, kind: Kind::Other }];
            return Some(Box::new(Self { regions, ..Self::default() }));
        }
        if found.is_empty() {
            return None;
        }
        found.sort_by_key(|(at, _)| at.start);
        let mut reader = Reader { text, lines, out: Self::default(), open: Vec::new(), deeper: 0, clean_to: None };
        for (at, control) in found {
            reader.tag(at, control);
        }
        while !reader.open.is_empty() {
            reader.close(end..end, true);
        }
        let mut out = reader.out;
        out.number_by_start();
        out.several = out.readings() > 1;
        (!out.regions.is_empty()).then(|| Box::new(out))
    }

    /// Sorts the regions by their beginnings; they are made when they end.
    fn number_by_start(&mut self) {
        let mut order: Vec<u32> = (0..self.regions.len() as u32).collect();
        order.sort_by_key(|&index| {
            let at = &self.regions[index as usize].at;
            (at.start, std::cmp::Reverse(at.end))
        });
        let mut new = vec![0; order.len()];
        for (to, &from) in order.iter().enumerate() {
            new[from as usize] = to as u32;
        }
        self.regions = order.iter().map(|&from| self.regions[from as usize].clone()).collect();
        for chain in &mut self.chains {
            for region in &mut chain.regions {
                *region = new[*region as usize];
            }
        }
        for fallback in &mut self.fallbacks {
            *fallback = new[*fallback as usize];
        }
        // A chain is made when it ends; from here on they are in the order of their beginnings.
        self.chains.sort_by_key(|chain| chain.regions.first().copied());
        for (number, one) in self.chains.iter().enumerate() {
            for &region in &one.regions {
                if let Kind::Branch { chain, .. } = &mut self.regions[region as usize].kind {
                    *chain = number as u32;
                }
            }
        }
        // The innermost region around each one, with a stack of those that are open.
        let mut open: Vec<u32> = Vec::new();
        for index in 0..self.regions.len() {
            let at = self.regions[index].at.clone();
            while open.last().is_some_and(|&last| self.regions[last as usize].at.end <= at.start) {
                open.pop();
            }
            self.regions[index].parent = open.last().copied();
            open.push(index as u32);
        }
    }

    /// The regions around a place, innermost first.
    fn around(&self, at: u32) -> impl Iterator<Item = &Region> {
        let next = self.regions.partition_point(|region| region.at.start <= at);
        let first = next.checked_sub(1).map(|index| index as u32);
        std::iter::successors(first, |&index| self.regions.get(index as usize)?.parent)
            .filter_map(|index| self.regions.get(index as usize))
            .filter(move |region| at < region.at.end)
    }

    /// The branches around a place, innermost first.
    pub fn branches_around(&self, at: u32) -> impl Iterator<Item = Branch> {
        self.around(at).filter_map(|region| match region.kind {
            Kind::Branch { chain, branch } => Some(Branch { chain, branch }),
            _ => None,
        })
    }

    /// Whether a place stands between control tags of any kind: it may be there never, or several times.
    #[must_use]
    pub fn is_within(&self, at: u32) -> bool {
        self.around(at).next().is_some()
    }

    /// Whether what stands in a stretch of text may be more or less than one reading shows: a loop begins there, or a
    /// condition without an `else`.
    #[must_use]
    pub fn begin_in(&self, stretch: Range<u32>) -> bool {
        let next = self.regions.partition_point(|region| region.at.start < stretch.start);
        let chosen = |region: &Region| match region.kind {
            Kind::Branch { chain, .. } => {
                self.several && self.chains.get(chain as usize).is_some_and(|chain| chain.complete && chain.is_choice())
            }
            _ => false,
        };
        let within = self.regions.iter().skip(next).take_while(|region| region.at.start < stretch.end);
        within.take(MOST).enumerate().any(|(count, region)| count + 1 == MOST || !chosen(region))
    }

    /// Whether two places stand in two branches of which only one is taken.
    #[must_use]
    pub fn exclude_each_other(&self, one: u32, other: u32) -> bool {
        self.branches_around(one)
            .any(|a| self.branches_around(other).any(|b| a.chain == b.chain && a.branch != b.branch))
    }

    /// How many branches a chain has, where one of them is always taken.
    #[must_use]
    pub fn all_of(&self, chain: u32) -> Option<u32> {
        self.chains.get(chain as usize).filter(|chain| chain.complete).map(|chain| chain.regions.len() as u32)
    }

    /// In how many ways the template is to be read: at least one.
    pub(super) fn readings(&self) -> usize {
        let wide = self.widths().1;
        if wide > MAX_READINGS { 1 } else { wide }
    }

    /// How many readings each region needs, and the whole: those of the chain in it that needs most.
    fn widths(&self) -> (Vec<usize>, usize) {
        let mut of = vec![1_usize; self.regions.len()];
        let mut whole = 1;
        // Those within come before those around.
        for chain in self.chains.iter().rev() {
            let sum = if chain.is_choice() {
                chain.regions.iter().map(|&region| of[region as usize]).fold(0, usize::saturating_add)
            } else {
                chain.regions.iter().map(|&region| of[region as usize]).max().unwrap_or(1)
            };
            self.widen(chain.regions.first().copied(), sum, &mut of, &mut whole);
        }
        (of, whole)
    }

    /// A chain of this width stands within the regions around it, up to the next one of a chain.
    fn widen(&self, region: Option<u32>, width: usize, of: &mut [usize], whole: &mut usize) {
        let mut at = region.and_then(|region| self.regions[region as usize].parent);
        while let Some(index) = at {
            of[index as usize] = of[index as usize].max(width);
            if matches!(self.regions[index as usize].kind, Kind::Branch { .. }) {
                return;
            }
            at = self.regions[index as usize].parent;
        }
        *whole = (*whole).max(width);
    }

    /// Blanks the branches that are not taken in one reading. With `None` only what never counts.
    pub(super) fn blank(&self, bytes: &mut [u8], reading: usize) {
        for &fallback in &self.fallbacks {
            fill(bytes, &self.regions[fallback as usize].at);
        }
        if self.readings() == 1 && self.widths().1 > 1 {
            return;
        }
        let (widths, _) = self.widths();
        let mut asked: HashMap<&str, bool> = HashMap::new();
        // Which reading of a region is meant; none: it is not there.
        let mut turn: Vec<Option<usize>> = vec![None; self.regions.len()];
        // From the outside in.
        for chain in &self.chains {
            let Some(&first) = chain.regions.first() else { continue };
            let mut here = Some(reading);
            let mut around = self.regions[first as usize].parent;
            while let Some(index) = around {
                if matches!(self.regions[index as usize].kind, Kind::Branch { .. }) {
                    here = turn[index as usize];
                    break;
                }
                around = self.regions[index as usize].parent;
            }
            let Some(mut here) = here else { continue };
            if !chain.is_choice() {
                for &region in &chain.regions {
                    turn[region as usize] = Some(here);
                }
                continue;
            }
            let two = chain.regions.len() == 2 && !chain.asks.is_empty();
            let told = asked.get(&*chain.asks).filter(|_| two).map(|&holds| usize::from(holds == chain.negated));
            let mut taken = chain.regions.len() - 1;
            for (index, &region) in chain.regions.iter().enumerate() {
                let width = widths[region as usize];
                if told.is_none_or(|told| told == index) && (here < width || told.is_some()) {
                    taken = index;
                    break;
                }
                if told.is_none() {
                    here -= width;
                }
            }
            if two {
                asked.entry(&chain.asks).or_insert((taken == 0) != chain.negated);
            }
            for (index, &region) in chain.regions.iter().enumerate() {
                if index == taken {
                    turn[region as usize] = Some(here.min(widths[region as usize] - 1));
                } else {
                    fill(bytes, &self.regions[region as usize].at);
                }
            }
        }
    }

    /// Conditions without an `else` in which braces do not match: half a block each.
    pub(super) fn halves(&self, bytes: &[u8]) -> Vec<Range<u32>> {
        let halves: Vec<Range<u32>> = self
            .chains
            .iter()
            .filter(|chain| chain.clean && !chain.is_choice())
            .flat_map(|chain| &chain.regions)
            .map(|&region| self.regions[region as usize].at.clone())
            .filter(|at| !balances(bytes.get(at.start as usize..at.end as usize).unwrap_or_default()))
            .take(MAX_HALVES + 1)
            .collect();
        if halves.len() > MAX_HALVES { Vec::new() } else { halves }
    }
}

impl Chain {
    /// Whether its branches are read one at a time.
    fn is_choice(&self) -> bool {
        self.clean && self.regions.len() > 1
    }
}

/// A template of YAML as YAML of the same length: of branches the first, lines of tags blank, other tags as letters.
#[must_use]
pub fn template_yaml(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if let Some(branches) = Branches::read(text, true) {
        branches.blank(&mut bytes, 0);
    }
    let found = tags::find(text);
    let mut rest = &found[..];
    while let Some(first) = rest.first() {
        let at = first.start as usize;
        let line_from = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
        // The tags that end on this line, or begin on it.
        let line_to = |from: usize| memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |end| from + end);
        let mut end = line_to(first.end as usize);
        let mut count = 1;
        while let Some(next) = rest.get(count).filter(|next| (next.start as usize) < end) {
            end = end.max(line_to(next.end as usize));
            count += 1;
        }
        let (here, later) = rest.split_at(count);
        rest = later;
        let mut from = line_from;
        let mut alone = true;
        for tag in here {
            alone &= bytes[from..tag.start as usize].trim_ascii().is_empty();
            from = tag.end as usize;
        }
        alone &= bytes[from..end].trim_ascii().is_empty();
        for tag in here {
            let at = tag.start as usize..tag.end as usize;
            let note = text[at.clone()].contains('\n') || text[at.clone()].starts_with("{{/*");
            if alone || note {
                fill(&mut bytes, tag);
            } else if let Some(out) = bytes.get_mut(at) {
                out.fill(b'x');
            }
        }
    }
    // Whole tags were replaced, and a tag begins and ends with ASCII: this is still UTF-8.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Blanks a stretch, its lines left.
pub(super) fn fill(bytes: &mut [u8], at: &Range<u32>) {
    let stretch = bytes.get_mut(at.start as usize..at.end as usize).unwrap_or_default();
    for byte in stretch.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Whether a template makes a template: `{{ '{%' }}`. What its tags decide is another one's affair.
fn is_of_template(text: &str) -> bool {
    ["{{ '{", "{{'{", "{{ \"{", "{{\"{", "{{`{", "{{ `{", "<%%"].iter().any(|mark| text.contains(mark))
}

/// Whether as many braces close as open, tags not counted.
fn balances(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = text.as_bytes().to_vec();
    for tag in tags::find(&text) {
        fill(&mut plain, &tag);
    }
    let count = |brace| plain.iter().filter(|&&byte| byte == brace).count();
    count(b'{') == count(b'}')
}

/// A control tag that is open.
struct Open {
    control: Control,
    /// Where the region begins that is being read.
    from: u32,
    /// Regions that are complete.
    regions: Vec<u32>,
    clean: bool,
    complete: bool,
    asks: Box<str>,
    negated: bool,
    /// Whether the region is what stands in the place of an empty loop.
    fallback: bool,
}

struct Reader<'t> {
    text: &'t str,
    lines: bool,
    out: Branches,
    open: Vec<Open>,
    /// Tags open beyond the greatest depth.
    deeper: usize,
    /// The end of the last tag, where a statement may begin.
    clean_to: Option<u32>,
}

impl Reader<'_> {
    fn tag(&mut self, at: Range<u32>, control: Control) {
        let clean = self.is_clean(&at);
        self.clean_to = clean.then_some(at.end);
        match control {
            Control::If | Control::Loop | Control::Other => {
                if self.open.len() >= MAX_DEPTH {
                    self.deeper += 1;
                    return;
                }
                let (asks, negated) = condition(self.text.get(at.start as usize..at.end as usize).unwrap_or_default());
                self.open.push(Open {
                    control,
                    from: at.end,
                    regions: Vec::new(),
                    clean,
                    complete: false,
                    asks,
                    negated,
                    fallback: false,
                });
            }
            Control::Elif | Control::Else => {
                if self.deeper > 0 {
                    return;
                }
                let Some(open) = self.open.last().map(|open| open.control) else { return };
                match open {
                    Control::If => {
                        self.region(at.start);
                        if let Some(open) = self.open.last_mut() {
                            open.from = at.end;
                            open.clean &= clean;
                            open.complete = control == Control::Else;
                        }
                    }
                    Control::Loop => {
                        self.region(at.start);
                        if let Some(open) = self.open.last_mut() {
                            open.from = at.end;
                            open.clean &= clean;
                            open.fallback = true;
                        }
                    }
                    _ => {}
                }
            }
            Control::End => {
                if self.deeper > 0 {
                    self.deeper -= 1;
                } else {
                    self.close(at, clean);
                }
            }
        }
    }

    /// Ends the region that is being read.
    fn region(&mut self, end: u32) {
        let chain = self.out.chains.len() as u32;
        let Some(open) = self.open.last_mut() else { return };
        let kind = match open.control {
            // The number of the chain is put in when it is complete: others end before.
            Control::If => Kind::Branch { chain, branch: open.regions.len() as u32 },
            Control::Loop if open.fallback => Kind::Fallback,
            Control::Loop => Kind::Loop,
            _ => Kind::Other,
        };
        open.regions.push(self.out.regions.len() as u32);
        self.out.regions.push(Region { at: open.from..end.max(open.from), parent: None, kind });
    }

    fn close(&mut self, at: Range<u32>, clean: bool) {
        self.region(at.start);
        let Some(open) = self.open.pop() else { return };
        let clean = open.clean && clean;
        match open.control {
            Control::If => {
                let number = self.out.chains.len() as u32;
                for &region in &open.regions {
                    if let Kind::Branch { chain, .. } = &mut self.out.regions[region as usize].kind {
                        *chain = number;
                    }
                }
                self.out.chains.push(Chain {
                    regions: open.regions,
                    complete: open.complete,
                    clean,
                    asks: open.asks,
                    negated: open.negated,
                });
            }
            Control::Loop if open.fallback && clean => self.out.fallbacks.extend(open.regions.last()),
            _ => {}
        }
    }

    /// Whether a statement may begin where a tag stands.
    fn is_clean(&self, at: &Range<u32>) -> bool {
        let bytes = self.text.as_bytes();
        let mut before = at.start as usize;
        loop {
            if self.clean_to.is_some_and(|end| end as usize == before) {
                return true;
            }
            match before.checked_sub(1).and_then(|index| bytes.get(index)) {
                None | Some(b'\n') => return true,
                Some(b' ' | b'\t' | b'\r') => before -= 1,
                Some(b';' | b'{' | b'}') => return !self.lines && !bytes[..before].ends_with(b"}}"),
                Some(_) => return false,
            }
        }
    }
}
