//! An embedded backend that scrapes targets, and a Prometheus beside it that scrapes the same.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use promql_adapter::config::EmbeddedSettings;
use promql_adapter::embedded::{Embedded, Evaluated, Target};
use promql_adapter::model::Timestamp;
use promql_adapter::promql::Expression;
use promql_adapter::telemetry::Metrics;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::servers::{Backend, Kind, http_client};

/// How long scrapes may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A scrape each 200 ms.
pub(crate) fn often() -> EmbeddedSettings {
    EmbeddedSettings {
        scrape_interval: Duration::from_millis(200),
        scrape_timeout: Duration::from_millis(200),
        ..EmbeddedSettings::default()
    }
}

/// A target with these labels.
pub(crate) fn target(url: String, labels: &[(&str, &str)]) -> Target {
    Target {
        url,
        labels: labels.iter().copied().collect(),
    }
}

/// An embedded backend that scrapes, until it is dropped.
pub(crate) struct Scraping {
    pub(crate) embedded: Arc<Embedded>,
    pub(crate) metrics: Arc<Metrics>,
    targets: watch::Sender<Vec<Target>>,
    running: JoinHandle<()>,
}

impl Scraping {
    /// Keeps what these queries read.
    pub(crate) fn start(settings: EmbeddedSettings, queries: &[&str], targets: Vec<Target>) -> Scraping {
        // For the crypto provider.
        http_client();
        let metrics = Arc::new(Metrics::default());
        let embedded = Arc::new(Embedded::new("own", settings, Arc::clone(&metrics)).unwrap());
        let queries: Vec<Expression> = queries.iter().map(|text| query(text)).collect();
        embedded.load(&queries);
        let (targets, seen) = watch::channel(targets);
        let scraping = Arc::clone(&embedded).scrape(seen);
        Scraping {
            embedded,
            metrics,
            targets,
            running: tokio::spawn(async { match scraping.await {} }),
        }
    }

    /// Scrapes others from now on.
    pub(crate) fn set(&self, targets: Vec<Target>) {
        self.targets.send_replace(targets);
    }

    /// The samples of a query now, a line each.
    pub(crate) fn ask(&self, text: &str) -> String {
        let Evaluated::Vector(samples) = self.embedded.instant(&query(text), now()).unwrap() else {
            panic!("`{text}` gives no samples");
        };
        lines(
            samples
                .iter()
                .map(|sample| (sample.labels.to_string(), sample.value)),
        )
    }

    /// Waits until a query gives this.
    pub(crate) async fn shows(&self, text: &str, expected: &str) {
        eventually(expected, async || self.ask(text)).await;
    }

    /// How many scrapes ended so.
    pub(crate) fn scrapes(&self, outcome: &str) -> f64 {
        self.metric(&format!(
            "promql_adapter_scrapes_total{{backend=\"own\",outcome=\"{outcome}\"}}"
        ))
    }

    /// The value of one of the adapter's own metrics, with its labels as they are printed.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.metrics.encode();
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }
}

impl Drop for Scraping {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// Waits until what is seen is what is expected.
pub(crate) async fn eventually(expected: &str, see: impl AsyncFn() -> String) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = see().await;
        if seen == expected {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "--- expected\n{expected}\n--- seen\n{seen}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A Prometheus 3 that scrapes these targets every second.
pub(crate) async fn prometheus(targets: &[Target]) -> Backend {
    let mut config =
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: any\n  static_configs:\n"
            .to_owned();
    for target in targets {
        let (address, path) = target.url["http://".len()..].split_once('/').unwrap();
        let mut labels = serde_json::Map::new();
        labels.insert("__metrics_path__".to_owned(), format!("/{path}").into());
        for (name, value) in target.labels.iter() {
            labels.insert(name.to_owned(), value.into());
        }
        writeln!(
            config,
            "  - {{targets: ['{address}'], labels: {}}}",
            Value::Object(labels)
        )
        .unwrap();
    }
    Backend::start_with(Kind::Prometheus3, &config).await
}

/// What Prometheus gives for a query now, as [`Scraping::ask`] says it.
pub(crate) async fn theirs(prometheus: &Backend, text: &str) -> String {
    let samples = prometheus.query(text, None).await;
    lines(samples.iter().map(|sample| {
        let labels = sample["metric"].as_object().unwrap().iter();
        let labels: promql_adapter::model::Labels = labels
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let value = sample["value"][1].as_str().unwrap();
        (labels.to_string(), value.parse().unwrap())
    }))
}

fn lines(samples: impl Iterator<Item = (String, f64)>) -> String {
    let mut lines: Vec<String> = samples
        .map(|(labels, value)| format!("{labels} {value}"))
        .collect();
    lines.sort();
    lines.join("\n")
}

fn query(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_nanosecond(since.as_nanos() as i128).unwrap()
}
