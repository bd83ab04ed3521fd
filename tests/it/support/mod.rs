//! What several areas of tests need.

pub(crate) mod adapter;
pub(crate) mod certificates;
pub(crate) mod cluster;
pub(crate) mod fake_prometheus;
pub(crate) mod forwarder;
pub(crate) mod load;
pub(crate) mod replicas;
pub(crate) mod script;
pub(crate) mod server;
pub(crate) mod servers;
