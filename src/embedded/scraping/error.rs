//! Why a scrape brought nothing.

use super::exposition::Malformed;
use crate::embedded::window::Full;
use crate::http;
use crate::telemetry::ScrapeOutcome;

/// Why a scrape brought nothing: its target counts as down.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScrapeError {
    /// No page, or not the whole of it.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// The target answers, but not with its page.
    #[error("the target answers with status {0}")]
    Status(u16),
    /// The page cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// More samples than one scrape may bring.
    #[error("the page has more than {0} samples")]
    TooManySamples(usize),
    /// No memory for its new series.
    #[error(transparent)]
    Full(#[from] Full),
}

impl ScrapeError {
    pub(super) fn outcome(&self) -> ScrapeOutcome {
        match self {
            ScrapeError::Http(http::Error::TimedOut(_)) => ScrapeOutcome::TimedOut,
            ScrapeError::Http(http::Error::TooLarge { .. }) => ScrapeOutcome::TooLarge,
            ScrapeError::Http(
                http::Error::Settings { .. }
                | http::Error::Credentials { .. }
                | http::Error::Unreachable(_)
                | http::Error::Interrupted(_)
                | http::Error::TooLongForGet { .. },
            ) => ScrapeOutcome::Unreachable,
            ScrapeError::Status(_) => ScrapeOutcome::Failed,
            ScrapeError::Malformed(_) => ScrapeOutcome::Malformed,
            ScrapeError::TooManySamples(_) => ScrapeOutcome::TooManySamples,
            ScrapeError::Full(_) => ScrapeOutcome::NoMemory,
        }
    }
}
