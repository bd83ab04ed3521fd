//! Prometheus, and what it counts of itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{loopback, wait_for};
use crate::http_client::{get, try_get};
use crate::process::Process;
use crate::support::servers::free_port;

/// A running Prometheus.
pub(crate) struct Prometheus {
    pub(crate) process: Process,
    /// Base URL, without a slash at its end.
    pub(crate) url: String,
    directory: PathBuf,
}

impl Prometheus {
    /// Starts it to scrape one target every so often; its files are in a directory.
    pub(crate) fn start(directory: &Path, target: SocketAddr, interval: Duration) -> Prometheus {
        let config = format!(
            "global: {{scrape_interval: {0}s, scrape_timeout: {0}s}}\n\
             scrape_configs:\n  - job_name: shop\n    static_configs: [{{targets: ['{target}']}}]\n",
            interval.as_secs()
        );
        std::fs::write(directory.join("prometheus.yaml"), config).unwrap();
        let address = loopback(free_port());
        let mut prometheus = Prometheus {
            process: spawn(directory, address),
            url: format!("http://{address}"),
            directory: directory.to_owned(),
        };
        let readiness = format!("{}/-/ready", prometheus.url);
        wait_for(&mut prometheus.process, "a Prometheus that is ready", || {
            try_get(&readiness).is_ok()
        });
        prometheus
    }

    /// Ends the process as a crash would; its data and its port stay.
    pub(crate) fn stop(&mut self) {
        self.process.kill();
    }

    /// Starts it after a stop.
    pub(crate) fn start_again(&mut self) {
        self.process = spawn(&self.directory, self.address());
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url
            .trim_start_matches("http://")
            .parse()
            .expect("it was made of one")
    }

    /// Waits until this query gives so many series.
    pub(crate) fn wait_for(&mut self, query: &str, series: usize) {
        let url = self.url.clone();
        let counting = format!("count({query})");
        wait_for(&mut self.process, &format!("{series} series of {query}"), || {
            let answer = instant(&url, &counting);
            let count = answer.pointer("/0/value/1").and_then(Value::as_str);
            count.and_then(|count| count.parse().ok()) == Some(series)
        });
    }

    /// A counter of its own, all its series that have this label added up.
    pub(crate) fn counter(&self, name: &str, label: &str) -> f64 {
        let text = get(&format!("{}/metrics", self.url));
        let lines = text
            .lines()
            .filter(|line| line.split(['{', ' ']).next() == Some(name) && line.contains(label));
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    }

    /// Instant queries that it has answered since it started.
    pub(crate) fn queries(&self) -> f64 {
        self.counter("prometheus_http_requests_total", "handler=\"/api/v1/query\"")
    }

    /// Processor time that it takes in a window while nobody asks.
    pub(crate) fn idle_cpu(&self, window: Duration, windows: u32) -> Duration {
        let before = self.process.cpu();
        std::thread::sleep(window * windows);
        (self.process.cpu() - before) / windows
    }

    /// The version that it says it has.
    pub(crate) fn version() -> String {
        let output = Command::new(program()).arg("--version").output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let mut words = text.split_whitespace().skip_while(|word| *word != "version");
        words.nth(1).unwrap_or("of unknown version").to_owned()
    }
}

fn spawn(directory: &Path, address: SocketAddr) -> Process {
    let mut command = Command::new(program());
    command
        .current_dir(directory)
        .args(["--config.file=prometheus.yaml", "--storage.tsdb.path=data"])
        .arg(format!("--web.listen-address={address}"));
    Process::start(command, &directory.join("prometheus.log"))
}

/// The result of a query now.
fn instant(url: &str, query: &str) -> Value {
    let query = form_urlencoded::byte_serialize(query.as_bytes()).collect::<String>();
    let text = get(&format!("{url}/api/v1/query?query={query}"));
    let mut answer: Value = serde_json::from_str(&text).unwrap();
    answer["data"]["result"].take()
}

fn program() -> String {
    std::env::var("PROMETHEUS_3").expect("PROMETHEUS_3 names a Prometheus; `tests/bench/run` gets one")
}
