//! When an exchange must have ended.

use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;

/// Longest deadline; the clock cannot be added to without end.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A time by which everything must be done, and how long that was in all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    within: Duration,
}

impl Deadline {
    /// Counted from now.
    pub(crate) fn within(within: Duration) -> Deadline {
        let within = within.min(LONGEST_WAIT);
        Deadline {
            at: Instant::now() + within,
            within,
        }
    }

    /// Time left before it.
    pub(crate) fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits for a step, at most until then.
    pub(crate) async fn in_time<F: Future>(&self, step: F) -> Result<F::Output, Error> {
        tokio::time::timeout_at(self.at, step)
            .await
            .map_err(|_| Error::TimedOut(self.within))
    }
}
