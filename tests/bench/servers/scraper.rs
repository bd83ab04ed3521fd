//! An embedded backend that scrapes and does nothing else, in a process of its own, which is this program started
//! again.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use promql_adapter::config::EmbeddedSettings;
use promql_adapter::embedded::{Embedded, Target};
use promql_adapter::promql::Expression;
use promql_adapter::telemetry::Metrics;
use tokio::sync::watch;

use super::pods::Pods;
use crate::process::Process;
use crate::support::certificates::install_crypto;

/// The first argument that makes this program the scraper.
pub(crate) const ARGUMENT: &str = "scraper";

/// A running scraper.
pub(crate) struct Scraper {
    pub(crate) process: Process,
}

impl Scraper {
    /// Scrapes so many of the pods, each once an interval.
    pub(crate) fn start(directory: &Path, pods: &Pods, count: usize, interval: Duration) -> Scraper {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let numbers = [pods.port.into(), count as u128, interval.as_millis()];
        command
            .arg(ARGUMENT)
            .args(numbers.map(|number| number.to_string()));
        let process = Process::start(command, &directory.join("scraper.log"));
        Scraper { process }
    }

    /// How many scrapes ended with the page, and how many did not, as it said last.
    pub(crate) fn scrapes(&self) -> (f64, f64) {
        let log = self.process.log();
        let numbers = log.lines().rev().find_map(|line| line.split_once(' '));
        let (good, bad) = numbers.unwrap_or(("0", "0"));
        (good.parse().unwrap(), bad.parse().unwrap())
    }
}

/// Scrapes pods of this port until it is killed, and says each second how many scrapes there were.
#[expect(clippy::print_stdout, reason = "the figure reads it")]
#[tokio::main]
pub(crate) async fn run(port: u16, count: usize, interval: Duration) {
    install_crypto();
    let settings = EmbeddedSettings {
        scrape_interval: interval,
        ..EmbeddedSettings::default()
    };
    let metrics = Arc::new(Metrics::default());
    let embedded = Arc::new(Embedded::new("own", settings, Arc::clone(&metrics)).unwrap());
    let read = r#"sum by (pod) (rate({__name__=~"read_.*"}[1m]))"#;
    embedded.load(&[Expression::parse(read).unwrap()]);
    let targets = (0..count).map(|pod| target(port, pod)).collect();
    let (_keep, targets) = watch::channel(targets);
    let scraping = tokio::spawn(embedded.scrape(targets));
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    while !scraping.is_finished() {
        tick.tick().await;
        let text = metrics.encode();
        let ended = text
            .lines()
            .filter(|line| line.starts_with("promql_adapter_scrapes_total"));
        let count = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        let (good, bad): (Vec<&str>, Vec<&str>) = ended.partition(|line| line.contains("success"));
        let sum = |lines: Vec<&str>| lines.into_iter().map(count).sum::<f64>();
        println!("{} {}", sum(good), sum(bad));
    }
}

fn target(port: u16, pod: usize) -> Target {
    let labels = [
        ("container", "app".to_owned()),
        ("instance", format!("10.1.{}.{}:8080", pod / 250, pod % 250)),
        ("job", "shop/cart".to_owned()),
        ("namespace", "shop".to_owned()),
        ("pod", format!("cart-6d4cf56db6-{pod:05}")),
    ];
    Target {
        url: format!("http://127.0.0.1:{port}/pod-{pod}"),
        labels: labels.into_iter().collect(),
    }
}
