//! The signals that end the process.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use super::Error;

/// A future that is ready at the first SIGTERM or SIGINT.
///
/// From this call on, these signals no longer end the process by themselves.
pub fn termination() -> Result<impl Future<Output = ()> + Send, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => info!("SIGTERM: shutting down"),
            _ = interrupt.recv() => info!("SIGINT: shutting down"),
        }
    })
}
