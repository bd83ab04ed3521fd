//! The adapter's own metrics and its log.

mod declare;
pub mod logs;
mod metrics;

pub use metrics::{BackendOutcome, CacheOutcome, Metrics, WatchOutcome};
