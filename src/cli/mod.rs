//! Turns words typed into one of the runs and prints the result.
//!
//! Exit codes: 0 for success, 1 where there is no answer or the program failed, 2 where what was typed or the
//! configuration is wrong.

mod explain;
mod flags;
mod quickstart;
mod report;
mod serve;
mod workload;

#[cfg(test)]
mod reference;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use flags::{LogFormat, ServeFlags, normalized_arguments};

/// Custom and external metrics for Kubernetes autoscaling, answered from PromQL by rules.
///
/// Without a subcommand it serves, so that the arguments of a prometheus-adapter container work as they stand.
#[derive(Debug, Parser)]
#[command(name = "promql-adapter", version, args_conflicts_with_subcommands = true)]
struct Words {
    #[command(subcommand)]
    run: Option<Run>,
    #[command(flatten)]
    serve: ServeFlags,
}

#[derive(Debug, Subcommand)]
enum Run {
    /// Serve the metrics APIs; the same as without a subcommand.
    Serve {
        #[command(flatten)]
        flags: ServeFlags,
    },
    /// Answer one API path and say how the answer came about.
    Explain(explain::Words),
    /// Show the adapter at work on this machine: a sample service under load, scraped and answered for, in one process.
    Quickstart(quickstart::Words),
    /// Run the sample service of the quickstart under a load that rises and falls.
    #[command(hide = true)]
    Workload(workload::Words),
}

/// Runs what the arguments say.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = match Words::try_parse_from(normalized_arguments(arguments)) {
        Ok(words) => words,
        Err(error) => error.exit(),
    };
    crate::server::install_crypto();
    let done = match words.run {
        None => serve::run(&words.serve),
        Some(Run::Serve { flags }) => serve::run(&flags),
        Some(Run::Explain(words)) => explain::run(&words),
        Some(Run::Quickstart(words)) => quickstart::run(&words),
        Some(Run::Workload(words)) => workload::run(&words),
    };
    match done {
        Ok(code) => code,
        Err(failure) => report::exit(&failure),
    }
}
