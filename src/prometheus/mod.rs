//! The query API of Prometheus and its kin (Thanos, Mimir, Cortex, VictoriaMetrics).
//!
//! A [`Backend`] asks one of them; the [`Cache`] in front of whatever can be [`Asked`] asks once
//! however many callers ask.
//! What the backend says in JSON is in `wire` and stays there.

mod backend;
mod cache;
mod error;
mod feed;
mod freshness;
mod question;
mod record;
mod wire;

pub use backend::Backend;
pub use cache::Cache;
pub use error::Error;
pub use freshness::{Ages, Cached, Freshness};
pub use question::{Answer, Asked, Lookup, Question, Series, Shape};
pub use record::Record;
