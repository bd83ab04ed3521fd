//! Pages of all kinds, each read by us and by a real Prometheus.

use std::time::Duration;

use promql_adapter::config::EmbeddedSettings;

use crate::case::{self, Case};
use crate::scraping::scene::{Scraping, eventually, prometheus, target, theirs};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

/// What a target shows, but for what no two scrapes have in common or what we do not say.
fn everything(case: &Case) -> String {
    let job = case.name();
    format!(r#"{{job="{job}",__name__!~"scrape_(duration_seconds|series_added|samples_post_.*)"}}"#)
}

fn page(case: &Case, now_s: u64) -> Reply {
    let text = case
        .section("page")
        .replace("NOW", &now_s.to_string())
        .replace("<return>", "\r");
    let text = text.strip_suffix("<no line break>\n").unwrap_or(&text);
    let reply = Reply::status(200, text);
    match case.section("content-type").trim() {
        "" => reply.header("Content-Type", "text/plain; version=0.0.4"),
        "none" => reply,
        given => reply.header("Content-Type", given),
    }
}

#[tokio::test]
async fn pages_are_read_as_prometheus_reads_them() {
    let cases = case::read_all("exposition");
    let fake = FakePrometheus::start().await;
    let now_s = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let targets: Vec<_> = cases
        .iter()
        .map(|case| {
            let path = format!("/{}", case.name());
            fake.on(&path, page(case, now_s));
            let url = fake.url() + &path;
            target(url, &[("job", case.name()), ("instance", "here"), ("zone", "a")])
        })
        .collect();
    let theirs_of_all = prometheus(&targets).await;
    // All are looked at in one moment, so that none may be late on a busy machine.
    let settings = EmbeddedSettings {
        scrape_interval: Duration::from_secs(2),
        ..EmbeddedSettings::default()
    };
    let scraping = Scraping::start(settings, &[r#"{__name__=~".+"}"#], targets.clone());
    let all_up = cases.len().to_string();
    eventually(&format!("{{}} {all_up}"), async || {
        scraping.ask("count(count by (job) (up))")
    })
    .await;
    eventually(&format!("{{}} {all_up}"), async || {
        theirs(&theirs_of_all, "count(count by (job) (up))").await
    })
    .await;
    case::check_async("exposition", async |case| scraping.ask(&everything(case))).await;
    let mut differing = String::new();
    for case in &cases {
        let theirs = theirs(&theirs_of_all, &everything(case)).await;
        let expected = match case.section("prometheus") {
            "" => case.section("output"),
            stricter => stricter,
        };
        if theirs != expected.trim_end() {
            differing += &format!("{}: Prometheus has\n{theirs}\n", case.name());
        }
    }
    assert!(differing.is_empty(), "{differing}");
}
