//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    promql_adapter::cli::run(std::env::args_os())
}
