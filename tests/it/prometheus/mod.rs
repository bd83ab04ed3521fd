//! Asking a backend, over real sockets.

mod asking;
mod cache;
mod credentials;
mod discovery;
mod faults;

use std::sync::Arc;
use std::time::Duration;

use promql_adapter::config::{BackendSettings, KubernetesCredentials, Method, OnPartial};
use promql_adapter::http;
use promql_adapter::model::Timestamp;
use promql_adapter::prometheus::{Backend, Question};
use promql_adapter::telemetry::Metrics;

use crate::support::certificates::install_crypto;

/// The time of all questions: 2023-11-14T22:13:20Z, and so many milliseconds.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + milliseconds).unwrap()
}

fn question(query: &str) -> Question {
    Question {
        query: query.to_owned(),
        on_partial: OnPartial::Refuse,
    }
}

/// Settings with generous limits; a test narrows the one it is about.
fn settings(url: String) -> BackendSettings {
    BackendSettings {
        url,
        method: Method::Auto,
        headers: Vec::new(),
        ca_file: None,
        client_certificate_file: None,
        client_key_file: None,
        token_file: None,
        username: None,
        password_file: None,
        kubernetes_credentials: KubernetesCredentials::None,
        timeout: Duration::from_secs(20),
        max_concurrent: 20,
        max_answer_bytes: 1 << 20,
    }
}

fn backend(settings: &BackendSettings) -> Backend {
    backend_with(settings, &http::Credentials::default())
}

fn backend_with(settings: &BackendSettings, credentials: &http::Credentials) -> Backend {
    install_crypto();
    let client = http::Client::new(settings, credentials).unwrap();
    Backend::new("default", settings, client, Arc::new(Metrics::default()))
}
