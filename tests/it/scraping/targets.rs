//! What a backend does with its targets: which it scrapes, when, and what it refuses.

use std::time::{Duration, Instant};

use promql_adapter::config::EmbeddedSettings;
use promql_adapter::embedded::Target;
use promql_adapter::model::Timestamp;
use promql_adapter::promql::Expression;

use crate::scraping::scene::{Scraping, eventually, often, target};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

fn pod(fake: &FakePrometheus, name: &str) -> Target {
    target(format!("{}/{name}", fake.url()), &[("pod", name)])
}

async fn counts(scraping: &Scraping, outcome: &str) {
    eventually("true", async || (scraping.scrapes(outcome) > 0.0).to_string()).await;
}

#[tokio::test]
async fn a_scrape_asks_as_prometheus_does_and_keeps_its_connection() {
    let fake = FakePrometheus::start().await;
    fake.on("/a", Reply::status(200, "jobs 1\n"));
    let scraping = Scraping::start(often(), &["jobs"], vec![pod(&fake, "a")]);
    eventually("true", async || (fake.requests().len() >= 4).to_string()).await;
    let request = &fake.requests()[0];
    assert_eq!(
        request.header("accept"),
        Some(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        )
    );
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    assert_eq!(request.header("x-prometheus-scrape-timeout-seconds"), Some("0.2"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(fake.connections(), 1);
    assert!(scraping.scrapes("success") >= 3.0);
}

#[tokio::test]
async fn connections_of_more_targets_than_slots_are_closed() {
    let fake = FakePrometheus::start().await;
    let names: Vec<String> = (0..5).map(|pod| format!("pod-{pod}")).collect();
    let targets = names.iter().map(|name| {
        fake.on(&format!("/{name}"), Reply::status(200, "jobs 1\n"));
        pod(&fake, name)
    });
    let settings = EmbeddedSettings {
        max_concurrent_scrapes: 4,
        ..often()
    };
    let scraping = Scraping::start(settings, &["jobs"], targets.collect());
    scraping.shows("count(jobs)", "{} 5").await;
    eventually("true", async || (fake.requests().len() >= 15).to_string()).await;
    let closing = fake.requests();
    assert!(
        closing
            .iter()
            .all(|request| request.header("connection") == Some("close"))
    );
}

#[tokio::test]
async fn only_what_a_rule_can_read_is_kept() {
    let fake = FakePrometheus::start().await;
    fake.on("/a", Reply::status(200, "jobs 1\njobs{of=\"b\"} 2\nothers 3\n"));
    let scraping = Scraping::start(often(), &[r#"jobs{of!="b"}"#], vec![pod(&fake, "a")]);
    scraping.shows("jobs", r#"{__name__="jobs",pod="a"} 1"#).await;
    scraping
        .shows(r#"{__name__=~".+"}"#, r#"{__name__="jobs",pod="a"} 1"#)
        .await;

    let others = Expression::parse("others").unwrap();
    scraping.embedded.load(std::slice::from_ref(&others));
    assert_eq!(scraping.ask("jobs"), "");
    scraping.shows("others", r#"{__name__="others",pod="a"} 3"#).await;

    let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
    let series = scraping.embedded.series(&others, at(0), at(i64::from(i32::MAX)));
    let series: Vec<String> = series.iter().map(ToString::to_string).collect();
    assert_eq!(series, [r#"{__name__="others",pod="a"}"#]);
    assert!(scraping.embedded.series(&others, at(0), at(1000)).is_empty());
}

#[tokio::test]
async fn a_target_that_is_gone_ends_its_series_and_its_up() {
    let fake = FakePrometheus::start().await;
    fake.on("/a", Reply::status(200, "jobs 1\n"));
    fake.on("/b", Reply::status(200, "jobs 2\n"));
    let scraping = Scraping::start(often(), &["jobs", "up"], vec![pod(&fake, "a"), pod(&fake, "b")]);
    scraping
        .shows(
            "sum by (pod) ({__name__=~\"jobs|up\"})",
            "{pod=\"a\"} 2\n{pod=\"b\"} 3",
        )
        .await;
    scraping.set(vec![pod(&fake, "b")]);
    scraping
        .shows("sum by (pod) ({__name__=~\"jobs|up\"})", "{pod=\"b\"} 3")
        .await;
    let asked = fake.requests().len();
    eventually("true", async || (fake.requests().len() > asked + 3).to_string()).await;
    assert!(
        fake.requests()[asked + 1..]
            .iter()
            .all(|request| request.path == "/b")
    );
    scraping.set(vec![pod(&fake, "a")]);
    scraping.shows("jobs", r#"{__name__="jobs",pod="a"} 1"#).await;
}

#[tokio::test]
async fn of_targets_with_the_same_labels_one_is_scraped() {
    let fake = FakePrometheus::start().await;
    fake.on("/a", Reply::status(200, "jobs 1\n"));
    fake.on("/b", Reply::status(200, "jobs 2\n"));
    let double = Target {
        labels: pod(&fake, "a").labels,
        ..pod(&fake, "b")
    };
    let scraping = Scraping::start(often(), &["jobs"], vec![pod(&fake, "a"), double]);
    eventually("true", async || (fake.requests().len() > 4).to_string()).await;
    assert!(fake.requests().iter().all(|request| request.path == "/a"));
    scraping.shows("jobs", r#"{__name__="jobs",pod="a"} 1"#).await;
}

/// Forty hanging targets and eight slots: another target is scraped on time all the same.
#[tokio::test]
async fn targets_that_hang_delay_no_other() {
    let fake = FakePrometheus::start().await;
    fake.on("/good", Reply::status(200, "jobs 1\n"));
    let hanging = (0..40).map(|number| {
        let name = format!("hangs-{number}");
        fake.on(&format!("/{name}"), Reply::hang());
        pod(&fake, &name)
    });
    let settings = EmbeddedSettings {
        max_concurrent_scrapes: 8,
        ..often()
    };
    let targets: Vec<Target> = hanging.chain([pod(&fake, "good")]).collect();
    let scraping = Scraping::start(settings, &["jobs", "up"], targets);
    // Once each of them has been found to hang, they have two slots together.
    scraping.shows("count(up == 0)", "{} 40").await;
    scraping.shows("jobs", r#"{__name__="jobs",pod="good"} 1"#).await;
    let good = || {
        let requests = fake.requests();
        requests.iter().filter(|request| request.path == "/good").count()
    };
    let (before, started) = (good(), Instant::now());
    eventually("true", async || (good() >= before + 10).to_string()).await;
    let took = started.elapsed();
    assert!(took < Duration::from_secs(8), "ten scrapes took {took:?}");
    assert!(scraping.scrapes("timed_out") >= 40.0);
}

#[tokio::test]
async fn a_page_that_cannot_be_taken_makes_its_target_count_as_down() {
    let fake = FakePrometheus::start().await;
    let many: String = (0..200)
        .map(|number| format!("jobs{{of=\"{number}\"}} 1\n"))
        .collect();
    fake.on("/many", Reply::status(200, many));
    let large = format!("# {}\njobs 1\n", "x".repeat(20_000));
    fake.on("/large", Reply::status(200, large.clone()));
    // The limit is on what comes out of the compression.
    fake.on("/packed", Reply::status(200, large).gzip());
    fake.on(
        "/cut-off",
        Reply::status(200, "jobs 1\njobs{of=\"b\"} 2\n").cut_off(),
    );
    fake.on(
        "/stalled",
        Reply::status(200, "jobs 1\njobs{of=\"b\"} 2\n").stalled(),
    );
    fake.on(
        "/moved",
        Reply::status(302, "").header("Location", fake.url() + "/fine"),
    );
    fake.on("/garbled", Reply::status(200, "jobs 1\njobs one\n"));
    fake.on("/fine", Reply::status(200, "jobs 1\n").gzip());
    let names = [
        "many", "large", "packed", "cut-off", "stalled", "moved", "garbled", "fine",
    ];
    let settings = EmbeddedSettings {
        max_samples_per_scrape: 100,
        max_scrape_bytes: 10_000,
        ..often()
    };
    let with_user = Target {
        url: fake.url().replace("://", "://user:password@") + "/fine",
        ..pod(&fake, "with-user")
    };
    let targets = names.iter().map(|name| pod(&fake, name));
    let targets = targets.chain([with_user]).collect();
    let scraping = Scraping::start(settings, &["jobs", "up"], targets);
    scraping.shows("count(up == 0)", "{} 8").await;
    scraping.shows("jobs", r#"{__name__="jobs",pod="fine"} 1"#).await;
    for outcome in [
        "too_many_samples",
        "too_large",
        "unreachable",
        "timed_out",
        "failed",
        "malformed",
        "success",
    ] {
        counts(&scraping, outcome).await;
    }
    assert_eq!(scraping.scrapes("no_memory"), 0.0);
}

#[tokio::test]
async fn new_series_beyond_the_memory_limit_are_refused_and_told_of_until_there_is_room() {
    const FULL: &str = "promql_adapter_window_full{backend=\"own\"}";
    const SERIES: &str = "promql_adapter_window_series{backend=\"own\"}";
    let fake = FakePrometheus::start().await;
    let many: String = (0..500)
        .map(|number| format!("jobs{{of=\"{number}\"}} 1\n"))
        .collect();
    fake.on("/small", Reply::status(200, "jobs 1\n"));
    fake.on("/many", Reply::status(200, many));
    let settings = EmbeddedSettings {
        memory_limit_bytes: 30_000,
        ..often()
    };
    let scraping = Scraping::start(
        settings,
        &["jobs", "up"],
        vec![pod(&fake, "small"), pod(&fake, "many")],
    );
    scraping
        .shows(
            "up",
            "{__name__=\"up\",pod=\"many\"} 0\n{__name__=\"up\",pod=\"small\"} 1",
        )
        .await;
    counts(&scraping, "no_memory").await;
    eventually("1", async || scraping.metric(FULL).to_string()).await;
    scraping.shows("jobs", r#"{__name__="jobs",pod="small"} 1"#).await;
    assert!(scraping.metric("promql_adapter_window_bytes{backend=\"own\"}") <= 30_000.0);

    fake.on("/many", Reply::status(200, "jobs 7\n"));
    scraping
        .shows(
            "jobs",
            "{__name__=\"jobs\",pod=\"many\"} 7\n{__name__=\"jobs\",pod=\"small\"} 1",
        )
        .await;
    eventually("0", async || scraping.metric(FULL).to_string()).await;
    assert_eq!(
        scraping.metric("promql_adapter_scrape_targets{backend=\"own\"}"),
        2.0
    );
    eventually("4", async || scraping.metric(SERIES).to_string()).await;
}
