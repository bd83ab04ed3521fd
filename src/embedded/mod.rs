//! A backend without Prometheus: targets scraped, a short window of their samples in memory, and PromQL over it.
//!
//! [`Embedded`] is the whole of it. [`Window`] keeps what the loaded queries read and no more; [`evaluate`] computes
//! one query at one moment as Prometheus 3 would. Neither of the two waits, prints or reads a clock: only scraping
//! does.

mod backend;
mod evaluation;
mod scraping;
mod series_labels;
mod window;

pub use backend::Embedded;
pub use evaluation::{Evaluated, EvaluationError, Options, evaluate};
pub use scraping::Target;
pub use window::{Demand, Full, Scraped, Window};
