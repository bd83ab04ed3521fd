//! The program: everything is in the library.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Answers come and go by hundred thousands of samples, beside small requests: glibc keeps the gaps between them.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    promql_adapter::cli::run(std::env::args_os())
}
