//! Fixtures are written with fixed ports (21000 to 22999); every run gets others, so that cases can run side by side.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// The ports as fixtures write them.
const WRITTEN: RangeInclusive<u16> = 21000..=22999;
/// The ports in use at run time: above the written ones, below the range from which Linux takes client ports.
const FIRST: u32 = 23000;
const BLOCKS: u32 = 450;
const BLOCK: u16 = 20;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A block of free ports. The first of them is held open as a lock against other runs on the same machine.
pub struct Lease {
    first: u16,
    _lock: TcpListener,
}

impl Lease {
    /// # Errors
    /// When no block is free.
    pub fn take() -> Result<Self, String> {
        for _ in 0..BLOCKS {
            let turn = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(process::id().wrapping_mul(37));
            let Ok(first) = u16::try_from(FIRST + turn % BLOCKS * u32::from(BLOCK)) else { continue };
            let open = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            let Ok(lock) = open(first) else { continue };
            if (first + 1..first + BLOCK).all(|port| open(port).is_ok()) {
                return Ok(Self { first, _lock: lock });
            }
        }
        Err("no block of free ports on 127.0.0.1".to_owned())
    }
}

/// Written port → port of this run.
pub struct Ports<'a> {
    lease: &'a Lease,
    given: BTreeMap<u16, u16>,
}

impl<'a> Ports<'a> {
    pub fn new(lease: &'a Lease) -> Self {
        Self { lease, given: BTreeMap::new() }
    }

    /// The text with its written ports replaced. A port is a number of five digits that stands by itself.
    ///
    /// # Errors
    /// When a case uses more ports than a block has.
    pub fn rewrite(&mut self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, number) = rest.split_at(start);
            let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            let (number, after) = number.split_at(end);
            out.push_str(before);
            match number.parse::<u16>() {
                Ok(port) if number.len() == 5 && WRITTEN.contains(&port) => out.push_str(&self.port(port)?.to_string()),
                _ => out.push_str(number),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn port(&mut self, written: u16) -> Result<u16, String> {
        let next = self.given.len() + 1; // 0 is the lock
        if let Some(&port) = self.given.get(&written) {
            return Ok(port);
        }
        let port = u16::try_from(next).ok().filter(|&n| n < BLOCK).map(|n| self.lease.first + n);
        let port = port.ok_or("more ports in one case than a block has")?;
        self.given.insert(written, port);
        Ok(port)
    }
}
