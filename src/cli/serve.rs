//! The run that serves.

use std::process::ExitCode;

use super::flags::{LogFormat, ServeFlags};
use super::report::Failure;
use crate::config::Configuration;
use crate::server;
use crate::telemetry::logs;

pub(super) fn run(flags: &ServeFlags) -> Result<ExitCode, Failure> {
    let configuration = flags.configuration().map_err(Failure::Faults)?;
    logs::init(format(flags), level(flags));
    say_what_has_no_effect(flags, &configuration);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Failed(error.into()))?;
    runtime.block_on(async {
        let shutdown = server::termination()?;
        server::serve(configuration, shutdown).await
    })?;
    Ok(ExitCode::SUCCESS)
}

fn say_what_has_no_effect(flags: &ServeFlags, configuration: &Configuration) {
    if !flags.ignored.is_empty() {
        let ignored = flags.ignored.join(", ");
        tracing::warn!("flags without effect here: {ignored}");
    }
    let serving = &configuration.settings.serving;
    if serving.insecure_http_port.is_some() && serving.client_ca_file.is_some() {
        tracing::warn!(
            "plain HTTP answers probes only: --client-ca-file asks for certificates, which it cannot show"
        );
    }
}

fn format(flags: &ServeFlags) -> logs::Format {
    match flags.log_format {
        LogFormat::Text => logs::Format::Text,
        LogFormat::Json => logs::Format::Json,
    }
}

fn level(flags: &ServeFlags) -> logs::Level {
    match flags.log_level {
        tracing::Level::TRACE => logs::Level::Trace,
        tracing::Level::DEBUG => logs::Level::Debug,
        _ => logs::Level::Info,
    }
}
