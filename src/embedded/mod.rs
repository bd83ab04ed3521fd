//! A backend without Prometheus: a short window of samples in memory, and PromQL evaluated over it.
//!
//! [`Window`] keeps what the loaded queries read and no more; [`evaluate`] computes one query at one moment as
//! Prometheus 3 would. Neither waits, prints or reads a clock.
//! Scraping, and a place among the other backends, are still to come: so far only the tests use this room.

mod evaluation;
mod series_labels;
mod window;

pub use evaluation::{Evaluated, EvaluationError, Options, evaluate};
pub use window::{Demand, Full, Scraped, Window};
