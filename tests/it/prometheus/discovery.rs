//! Which series there are.

use std::collections::BTreeSet;
use std::time::Duration;

use promql_adapter::config::{Method, OnPartial};
use promql_adapter::prometheus::{Error, Lookup};

use super::{at, backend, settings};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

fn lookup(selector: &str) -> Lookup {
    Lookup {
        selector: selector.to_owned(),
        start: None,
        end: None,
        limit: None,
        on_partial: OnPartial::Refuse,
        within: Duration::from_secs(20),
    }
}

#[tokio::test]
async fn names_and_values_are_asked_with_selector_and_times() {
    let fake = FakePrometheus::start().await;
    fake.on(
        "up",
        Reply::json(r#"{"status":"success","data":["namespace","pod"]}"#),
    );
    let mut settings = settings(fake.url());
    settings.method = Method::Post;
    let backend = backend(&settings);
    let lookup = Lookup {
        start: Some(at(0)),
        end: Some(at(1_500)),
        limit: Some(7),
        ..lookup("up")
    };
    assert_eq!(backend.label_names(&lookup).await.unwrap(), ["namespace", "pod"]);
    assert_eq!(
        backend.label_values("__name__", &lookup).await.unwrap(),
        ["namespace", "pod"]
    );

    let [names, values] = &fake.requests()[..] else {
        panic!("two questions, two requests")
    };
    assert_eq!(
        (names.method.as_str(), names.path.as_str()),
        ("POST", "/api/v1/labels")
    );
    assert_eq!(
        (values.method.as_str(), values.path.as_str()),
        ("GET", "/api/v1/label/__name__/values")
    );
    for request in [names, values] {
        assert_eq!(request.parameter("match[]"), Some("up"));
        assert_eq!(request.parameter("start"), Some("1700000000.000"));
        assert_eq!(request.parameter("end"), Some("1700000001.500"));
        assert_eq!(request.parameter("limit"), Some("7"));
    }
}

#[tokio::test]
async fn many_series_become_few_names_and_may_exceed_the_answer_limit() {
    let fake = FakePrometheus::start().await;
    let row = |number| format!(r#"{{"__name__":"m{}","pod":"pod-{number:040}"}}"#, number % 2);
    let rows: Vec<_> = (0..10_000).map(row).collect();
    let body = format!(r#"{{"status":"success","data":[{}]}}"#, rows.join(","));
    let mut settings = settings(fake.url());
    settings.max_answer_bytes = body.len() / 10;
    fake.on("{pod!=\"\"}", Reply::json(body));
    let series = backend(&settings).series(&lookup("{pod!=\"\"}")).await.unwrap();
    let names: Vec<_> = series.labels_by_metric.keys().collect();
    assert_eq!(names, ["m0", "m1"]);
    assert_eq!(series.labels_by_metric["m0"], BTreeSet::from(["pod".to_owned()]));
}

#[tokio::test]
async fn faults_within_the_list_of_series_are_told_apart() {
    let fake = FakePrometheus::start().await;
    let body = r#"{"status":"success","data":[{"__name__":"a"},{"__name__":"b"}]}"#;
    fake.on("cut", Reply::json(body).cut_off());
    fake.on("wrong", Reply::json(body.replace("\"a\"", "{")));
    fake.on("endless", Reply::json(" ".repeat(10_000)).endless());
    fake.on("stalled", Reply::json(body).stalled());
    fake.on("refused", Reply::error(400, "bad_data", "no"));
    let mut settings = settings(fake.url());
    settings.max_answer_bytes = 10_000;
    let backend = backend(&settings);
    let briefly = |selector| Lookup {
        within: Duration::from_millis(300),
        ..lookup(selector)
    };
    let error = async |lookup: Lookup| backend.series(&lookup).await.unwrap_err();
    assert!(matches!(error(lookup("cut")).await, Error::Unreachable(_)));
    assert!(matches!(error(lookup("wrong")).await, Error::Malformed { .. }));
    assert!(matches!(error(lookup("refused")).await, Error::Rejected { .. }));
    assert!(matches!(error(briefly("stalled")).await, Error::TimedOut(_)));
    assert!(matches!(
        error(lookup("endless")).await,
        Error::TooLarge { limit_bytes: 160_000 }
    ));
}
