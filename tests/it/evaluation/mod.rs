//! PromQL evaluated over the window: by scripts in Prometheus' own notation, and beside a real Prometheus.

mod beside_prometheus;
mod notation;
mod random;
pub(crate) mod recorded;
mod remote_write;
mod run;
mod script;
mod scripts;
