//! The adapter's own metrics and its log.

mod declare;
mod label_sets;
pub mod logs;
mod metrics;
mod outcome;

pub use metrics::{Metrics, WindowSize};
pub use outcome::{
    BackendOutcome, CacheOutcome, RefreshForm, Review, ReviewOutcome, ScrapeOutcome, WatchOutcome,
};
