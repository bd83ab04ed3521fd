//! All integration tests in one binary, one module an area.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and says where"
)]

mod action;
mod architecture;
mod bench;
mod case;
mod cli;
mod cluster;
mod config;
mod docs;
mod embedded;
mod evaluation;
mod flags;
mod image;
mod isolation;
mod live;
mod manifests;
mod path;
mod prometheus;
mod promql;
mod protobuf;
mod quantity;
mod repeated;
mod requests;
mod rules;
mod scraping;
mod selector;
mod server;
mod sharing;
mod support;
mod table;
mod window;
mod workload;
