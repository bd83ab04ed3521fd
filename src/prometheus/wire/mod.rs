//! The JSON of the query API.
//!
//! Source: Prometheus, `web/api/v1/api.go` (`Response`) and `docs/querying/api.md`; for `isPartial`,
//! VictoriaMetrics, `app/vmselect/prometheus/*_response.qtpl`.

mod element;
mod envelope;
mod instant;
mod point;
mod refusal;
mod series;

pub(crate) use envelope::{incomplete, read_names};
pub(crate) use instant::read_answer;
pub(crate) use refusal::refusal;
pub(crate) use series::read_series;
