//! The command line's entry: exit code only.

fn main() {}
