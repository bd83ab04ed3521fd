//! The embedded backend scrapes real sockets, as a real Prometheus does beside it.

mod beside_prometheus;
mod expositions;
mod log;
mod scene;
mod targets;
