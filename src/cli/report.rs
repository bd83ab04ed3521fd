//! How a run that failed is told.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
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
            server::Error::NotLoopback(_)
            | server::Error::Assemble(_)
            | server::Error::Unpaired { .. }
            | server::Error::Read { .. }
            | server::Error::Pem { .. }
            | server::Error::Mismatch { .. }
            | server::Error::ClientCa { .. }
            | server::Error::NoCipherSuite(_) => Failure::Wrong(error.into()),
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
pub(super) fn exit(failure: &Failure) -> ExitCode {
    match failure {
        Failure::Faults(faults) => {
            faults.iter().for_each(tell);
            ExitCode::from(2)
        }
        Failure::Wrong(error) => {
            tell(format_args!("{error:#}"));
            ExitCode::from(2)
        }
        Failure::Failed(error) => {
            tell(format_args!("{error:#}"));
            ExitCode::from(1)
        }
    }
}

/// Prints what was asked for to stdout. A reader that has seen enough, as `head` has, is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Failed(error.into())),
        _ => Ok(()),
    }
}

fn tell(line: impl Display) {
    // If nobody reads stderr any more the exit code has to say it all; a panic would change it.
    let _ = writeln!(std::io::stderr(), "{line}");
}
