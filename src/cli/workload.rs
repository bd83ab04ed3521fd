//! The run of the sample service.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::report::Failure;
use crate::server;
use crate::workload::{self, Options};

/// What was typed after `workload`.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// Write the instances as a target file for Prometheus' `file_sd_configs`.
    #[arg(long, value_name = "FILE")]
    targets_file: Option<PathBuf>,
}

pub(super) fn run(words: &Words) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Failed(error.into()))?;
    let options = Options {
        targets_file: words.targets_file.clone(),
        ..Options::default()
    };
    runtime.block_on(async {
        let shutdown = server::termination().map_err(Failure::from)?;
        workload::run(&options, shutdown)
            .await
            .map_err(|error| Failure::Failed(error.into()))
    })?;
    Ok(ExitCode::SUCCESS)
}
