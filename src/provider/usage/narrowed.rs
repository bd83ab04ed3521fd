//! Which rules are asked about each namespace for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::{Timestamp, age};

/// How long a rule is asked about each namespace after the question about all failed.
const NARROW_FOR: Duration = Duration::from_secs(10 * 60);

/// Rules whose question about all namespaces failed a while ago.
#[derive(Debug, Default)]
pub(in crate::provider) struct Narrowed(Mutex<HashMap<String, Timestamp>>);

impl Narrowed {
    pub(super) fn narrow(&self, key: &str, now: Timestamp) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if since.insert(key.to_owned(), now).is_none() {
            tracing::warn!(
                rule = key,
                "{key}: is asked about each namespace, since the question about all failed"
            );
        }
    }

    pub(super) fn is_narrow(&self, key: &str, now: Timestamp) -> bool {
        let since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.get(key).is_some_and(|since| age(*since, now) < NARROW_FOR)
    }
}
