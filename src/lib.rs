//! A Kubernetes custom and external metrics API server that answers from PromQL.
//!
//! A HorizontalPodAutoscaler asks for requests per second or a latency quantile; the adapter finds the rule
//! that makes this metric, renders a PromQL query, asks the backend once however many ask, and says exactly
//! where each number came from.
//!
//! # One request
//!
//! `server` accepts the connection and decides who asks, `api` parses path and selectors into a
//! [`model::CustomRequest`], `provider` combines the objects (`kubernetes`), the rule (`rules`) and the samples
//! (`prometheus`) into values, `api` writes them in the form Kubernetes expects.
//! Calls only go down and return. `explain` is the same way with the whole trace printed.
//!
//! # Modules, in reading order

pub mod model;
pub mod promql;

pub mod config;
pub mod rules;

pub mod embedded;
pub mod http;
pub mod kubernetes;
pub mod prometheus;
pub mod telemetry;

pub mod provider;

pub mod api;
pub mod server;

pub mod cli;
pub mod workload;

#[cfg(test)]
mod pages;

/// Answers come and go by hundred thousands of samples, beside small requests: glibc keeps the gaps between them.
///
/// It stands here rather than in `main.rs` so that what measures parts of the program measures them with it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
