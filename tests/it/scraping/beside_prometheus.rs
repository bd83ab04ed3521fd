//! Targets that change and go, seen by us and by a real Prometheus at the same time.

use std::time::{Duration, Instant};

use promql_adapter::embedded::Target;
use promql_adapter::workload::{Load, Options};

use crate::scraping::scene::{Scraping, eventually, often, prometheus, target, theirs};
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use crate::support::servers::{Backend, start_shop};

const TEXT: &str = "text/plain; version=0.0.4";

fn page(text: &str) -> Reply {
    Reply::status(200, text).header("Content-Type", TEXT)
}

/// A target of this fake, of the job `shop`.
fn shop(fake: &FakePrometheus, instance: &str) -> Target {
    target(
        format!("{}/{instance}", fake.url()),
        &[("job", "shop"), ("instance", instance)],
    )
}

/// Both give this, sooner or later.
async fn both_show(scraping: &Scraping, prometheus: &Backend, query: &str, expected: &str) {
    scraping.shows(query, expected).await;
    eventually(expected, async || theirs(prometheus, query).await).await;
}

#[tokio::test]
async fn series_end_when_they_or_their_target_are_gone_and_come_back() {
    const UP: &str = "up";
    const QUEUE: &str = "queue";
    let fake = FakePrometheus::start().await;
    fake.on("/a", page("queue{of=\"x\"} 1\nqueue{of=\"y\"} 2\n"));
    fake.on("/b", page("queue 3\n"));
    let targets = vec![shop(&fake, "a"), shop(&fake, "b")];
    let prometheus = prometheus(&targets).await;
    let scraping = Scraping::start(often(), &[UP, QUEUE], targets);
    let both = async |query: &str, expected: &str| both_show(&scraping, &prometheus, query, expected).await;

    let b = r#"{__name__="queue",instance="b",job="shop"} 3"#;
    let x = r#"{__name__="queue",instance="a",job="shop",of="x"}"#;
    let y = r#"{__name__="queue",instance="a",job="shop",of="y"} 2"#;
    both(QUEUE, &format!("{x} 1\n{y}\n{b}")).await;

    fake.on("/a", page("queue{of=\"x\"} 5\n"));
    both(QUEUE, &format!("{x} 5\n{b}")).await;

    // Prometheus forgets to end the series that stand before the fault; we do not.
    fake.on("/a", page("queue{of=\"x\"} 6\nqueue{of=\"y\" 2\n"));
    scraping.shows(QUEUE, b).await;
    fake.on("/a", page("queue{of=\"y\" 2\nqueue{of=\"x\"} 6\n"));
    both(QUEUE, b).await;
    let up = |a: u8, b: u8| {
        format!(
            "{{__name__=\"up\",instance=\"a\",job=\"shop\"}} {a}\n{{__name__=\"up\",instance=\"b\",job=\"shop\"}} {b}"
        )
    };
    both(UP, &up(0, 1)).await;

    fake.on("/a", page("queue{of=\"x\"} 7\nqueue{of=\"y\"} 2\n"));
    fake.on("/b", Reply::status(503, "not now"));
    both(QUEUE, &format!("{x} 7\n{y}")).await;
    both(UP, &up(1, 0)).await;

    drop(fake);
    both(QUEUE, "").await;
    both(UP, &up(0, 0)).await;
}

#[tokio::test]
async fn series_with_times_of_their_own_do_not_end() {
    let fake = FakePrometheus::start().await;
    let now_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    fake.on("/a", page(&format!("given 1 {now_ms}\nplain 2\n")));
    let targets = vec![shop(&fake, "a")];
    let prometheus = prometheus(&targets).await;
    let queries = ["{job=\"shop\",__name__!~\"scrape_.*\"}", "timestamp(given)"];
    let scraping = Scraping::start(often(), &queries, targets);
    let both = async |query: &str, expected: &str| both_show(&scraping, &prometheus, query, expected).await;

    let series =
        |name: &str, value: u8| format!("{{__name__=\"{name}\",instance=\"a\",job=\"shop\"}} {value}");
    let given = series("given", 1);
    both(
        queries[0],
        &format!("{given}\n{}\n{}", series("plain", 2), series("up", 1)),
    )
    .await;
    let seconds = now_ms as f64 / 1000.0;
    both(queries[1], &format!("{{instance=\"a\",job=\"shop\"}} {seconds}")).await;

    fake.on("/a", Reply::status(500, ""));
    both(queries[0], &format!("{given}\n{}", series("up", 0))).await;
}

/// The sample service under a steady load: what does not change is equal, rates nearly.
#[tokio::test]
async fn rates_of_a_real_service_are_those_of_prometheus() {
    const RATES: [&str; 4] = [
        "sum by (instance) (rate(http_requests_total[10s]))",
        "sum by (method) (rate(http_requests_total[10s]))",
        "sum(rate(http_request_duration_seconds_count[10s]))",
        "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[10s])))",
    ];
    let shop = start_shop(Options {
        load: Load {
            lowest: 60.0,
            highest: 60.0,
            ..Load::default()
        },
        ..Options::default()
    });
    let targets: Vec<Target> = shop
        .workload
        .targets()
        .iter()
        .map(|found| {
            let address = found.address.to_string();
            target(
                format!("http://{address}/metrics"),
                &[("job", "workload"), ("instance", &address), ("pod", &found.pod)],
            )
        })
        .collect();
    let prometheus = prometheus(&targets).await;
    let scraping = Scraping::start(often(), &RATES, targets);

    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let differing = differing(&scraping, &prometheus, &RATES).await;
        match differing {
            None => break,
            Some(differing) => assert!(Instant::now() < deadline, "{differing}"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    shop.workload.stop().await;
}

/// Where the answers are farther apart than a tenth.
async fn differing(scraping: &Scraping, prometheus: &Backend, queries: &[&str]) -> Option<String> {
    for query in queries {
        let (ours, theirs) = (scraping.ask(query), theirs(prometheus, query).await);
        let (ours_read, theirs_read) = (values(&ours), values(&theirs));
        let alike = !ours_read.is_empty()
            && ours_read.len() == theirs_read.len()
            && ours_read
                .iter()
                .zip(&theirs_read)
                .all(|(ours, theirs)| ours.0 == theirs.0 && (ours.1 - theirs.1).abs() < 0.1 * theirs.1.abs());
        if !alike {
            return Some(format!("`{query}`\n--- ours\n{ours}\n--- theirs\n{theirs}"));
        }
    }
    None
}

/// Labels and value of each line.
fn values(lines: &str) -> Vec<(&str, f64)> {
    let lines = lines.lines().map(|line| line.rsplit_once(' ').unwrap());
    lines
        .map(|(labels, value)| (labels, value.parse().unwrap()))
        .collect()
}
