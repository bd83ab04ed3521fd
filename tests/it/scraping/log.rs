//! What the log says of scrapes.

use std::process::Command;

use promql_adapter::config::EmbeddedSettings;

use crate::scraping::scene::{Scraping, eventually, often, target};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

/// Set for the process that is listened to.
const LISTENED: &str = "SCRAPING_LISTENED";

/// In a process of its own: a subscriber of one test does not see all that is said while others run beside it.
#[tokio::test]
async fn what_goes_wrong_is_said_once_and_so_is_its_end() {
    if std::env::var_os(LISTENED).is_some() {
        tracing_subscriber::fmt().with_ansi(false).init();
        go_wrong_and_recover().await;
        return;
    }
    let name = "scraping::log::what_goes_wrong_is_said_once_and_so_is_its_end";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(LISTENED, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("backend=own")).collect();
    for expected in [
        "/down is down: the target answers with status 500",
        "/down is up again",
        "backend own has no memory left: the 501 new series of `{pod=\"many\"}` do not fit the memory limit of 30000 \
         bytes; let the rules read fewer series, or raise the limit",
        "backend own has memory again",
    ] {
        let with = lines.iter().filter(|line| line.contains(expected));
        assert_eq!(with.count(), 1, "`{expected}` in\n{told}");
    }
    assert_eq!(lines.len(), 4, "{told}");
}

async fn go_wrong_and_recover() {
    let fake = FakePrometheus::start().await;
    let many: String = (0..500)
        .map(|number| format!("jobs{{of=\"{number}\"}} 1\n"))
        .collect();
    fake.on("/down", Reply::status(500, ""));
    fake.on("/many", Reply::status(200, many));
    let settings = EmbeddedSettings {
        memory_limit_bytes: 30_000,
        ..often()
    };
    let targets = ["down", "many"].map(|pod| target(format!("{}/{pod}", fake.url()), &[("pod", pod)]));
    let scraping = Scraping::start(settings, &["jobs", "up"], targets.into());
    let count = |outcome: &str| scraping.scrapes(outcome);
    eventually("true", async || {
        (count("no_memory") >= 3.0 && count("failed") >= 3.0).to_string()
    })
    .await;
    fake.on("/down", Reply::status(200, "jobs 1\n"));
    fake.on("/many", Reply::status(200, "jobs 2\n"));
    scraping.shows("count(up == 1)", "{} 2").await;
    let full = "promql_adapter_window_full{backend=\"own\"}";
    eventually("0", async || scraping.metric(full).to_string()).await;
}
