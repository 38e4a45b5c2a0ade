//! The command line's entry: exit code only.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(gw502_lint::cli::main(std::env::args_os()).code())
}
