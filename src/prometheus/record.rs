//! What is known of the requests to one backend.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::Error;
use crate::telemetry::{BackendOutcome, Metrics};

/// Counts and times the requests to a backend in the adapter's own metrics, and remembers how the last one ended.
#[derive(Clone, Debug)]
pub struct Record {
    name: Arc<str>,
    metrics: Arc<Metrics>,
    last: Arc<Mutex<Option<Result<(), String>>>>,
}

impl Record {
    /// Of the backend of this name, before its first request.
    pub fn new(name: &str, metrics: Arc<Metrics>) -> Record {
        Record {
            name: name.into(),
            metrics,
            last: Arc::default(),
        }
    }

    /// The backend's name in the settings.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How the last request ended, in words that anyone may read; `None` before the first one.
    pub fn last_outcome(&self) -> Option<Result<(), String>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a request.
    pub async fn observe<T>(
        &self,
        endpoint: &'static str,
        exchange: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let result = exchange.await;
        let outcome = result
            .as_ref()
            .map_or_else(Error::outcome, |_| BackendOutcome::Success);
        self.metrics
            .backend_request(&self.name, endpoint, outcome, started.elapsed());
        let last = result.as_ref().map(|_| ()).map_err(Error::public_text);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        result
    }
}
