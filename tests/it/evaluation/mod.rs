//! PromQL evaluated over the window: by scripts in Prometheus' own notation, and beside a real Prometheus.

mod notation;
mod run;
mod script;
mod scripts;
