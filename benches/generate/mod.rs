//! Makes configurations that look like real ones, always the same for the same numbers.
//!
//! nginx 1.22.1 (`nginx -t -p DIR -c nginx.conf`) and HAProxy 2.6.12 (`haproxy -c -f FILE`) accept what is made here;
//! only addresses are used, no names that would have to resolve. About one site in six carries a hazard.

mod haproxy;
mod nginx;
mod yaml;

pub use haproxy::{haproxy_file, haproxy_files};
pub use nginx::{nginx_file, nginx_tree};
pub use yaml::yaml_tree;

/// A file of a tree.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it belongs, from the root of the tree.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// How many bytes the files hold.
pub fn bytes(files: &[File]) -> u64 {
    files.iter().map(|file| file.text.len() as u64).sum()
}

/// One in this many sites carries a hazard.
const HAZARD_EVERY: u64 = 6;

/// Small generator of numbers (splitmix64): the same seed gives the same tree on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }

    /// Whether an event of one in so many happens.
    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// An address of site number `site`, one of its machines.
fn address(site: usize, machine: u64) -> String {
    format!("10.{}.{}.{}", site / 250 % 250, site % 250, 10 + machine)
}
