//! The real program with a backend of its own.

mod pods;
mod targets;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::adapter::Adapter;
use crate::support::fake_prometheus::{FakePrometheus, Reply};

const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2";
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";

/// What is waited for comes within this, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every request is evaluated, now.
const AT_ONCE: &str = "freshFor: 0s\nserveStaleFor: 0s\nfailureHold: 0s\nevaluationGrid: 0s\n";

/// Shows these lines as a page of metrics.
fn expose(target: &FakePrometheus, path: &str, lines: &str) {
    let page = Reply::status(200, lines).header("Content-Type", "text/plain; version=0.0.4");
    target.on(path, page);
}

/// The values of an answer in one line, or its code and message.
async fn answer(adapter: &Adapter, path: &str) -> String {
    let (code, body) = adapter.json(path).await;
    if code != 200 {
        return format!("{code} {}", body["message"].as_str().unwrap_or_default());
    }
    let items = body["items"].as_array().unwrap();
    let value = |item: &Value| {
        let name = item["describedObject"]["name"].as_str();
        let value = item["value"].as_str().unwrap();
        name.map_or_else(|| value.to_owned(), |name| format!("{name}={value}"))
    };
    items.iter().map(value).collect::<Vec<_>>().join(" ")
}

/// Asks again until this is the answer, to the end of the line or of what is given.
async fn answers(adapter: &Adapter, path: &str, expected: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = answer(adapter, path).await;
        if answer == expected
            || expected
                .strip_suffix('…')
                .is_some_and(|part| answer.starts_with(part))
        {
            return;
        }
        let late = Instant::now() > deadline;
        assert!(!late, "{path}: never `{expected}`; at last `{answer}`");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
