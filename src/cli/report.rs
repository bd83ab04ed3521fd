//! How a run that failed is told.

use std::process::ExitCode;

use crate::model::Diagnostic;
use crate::server;

/// Why a run failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// What was typed or configured is wrong: exit code 2.
    Faults(Vec<Diagnostic>),
    /// The same, in one error.
    Wrong(anyhow::Error),
    /// Everything else: exit code 1.
    Failed(anyhow::Error),
}

impl From<server::Error> for Failure {
    fn from(error: server::Error) -> Failure {
        match error {
            server::Error::Faults(faults) => Failure::Faults(faults),
            server::Error::NotLoopback(_) | server::Error::Assemble(_) | server::Error::Unpaired { .. } => {
                Failure::Wrong(error.into())
            }
            other => Failure::Failed(other.into()),
        }
    }
}

impl From<server::AssembleError> for Failure {
    fn from(error: server::AssembleError) -> Failure {
        server::Error::from(error).into()
    }
}

/// Prints the failure to stderr; the code says whose fault it is.
#[expect(clippy::print_stderr, reason = "this is where failures are printed")]
pub(super) fn exit(failure: &Failure) -> ExitCode {
    match failure {
        Failure::Faults(faults) => {
            for fault in faults {
                eprintln!("{fault}");
            }
            ExitCode::from(2)
        }
        Failure::Wrong(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
        Failure::Failed(error) => {
            eprintln!("{error:#}");
            ExitCode::from(1)
        }
    }
}
