//! What is sent, and plain answers.

use promql_adapter::config::{Method, OnPartial};
use promql_adapter::prometheus::{Question, Shape};

use super::{at, backend, question, settings};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

#[tokio::test]
async fn query_time_timeout_and_partial_response_are_sent() {
    let fake = FakePrometheus::start().await;
    fake.on("sum(up)", Reply::vector(&[(&[("pod", "cart-0")], "1.5")]));
    let answer = backend(&settings(fake.url()))
        .instant(&question("sum(up)"), at(42))
        .await
        .unwrap();
    assert_eq!(answer.shape, Shape::Vector);
    assert_eq!(answer.evaluated_at, at(42));
    assert_eq!(answer.samples[0].labels.get("pod"), Some("cart-0"));
    assert_eq!(answer.samples[0].value, 1.5);

    let [request] = &fake.requests()[..] else {
        panic!("one question, one request")
    };
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("GET", "/api/v1/query")
    );
    assert_eq!(request.parameter("time"), Some("1700000000.042"));
    assert_eq!(request.parameter("partial_response"), Some("false"));
    let timeout = request.parameter("timeout").unwrap().strip_suffix("ms").unwrap();
    let timeout: u64 = timeout.parse().unwrap();
    assert!(
        (19_000..=20_000).contains(&timeout),
        "what is left of 20 s, not {timeout} ms"
    );
    assert!(request.header("accept-encoding").unwrap().contains("gzip"));
}

#[tokio::test]
async fn rule_that_accepts_partial_answers_allows_the_backend_to_give_them() {
    let fake = FakePrometheus::start().await;
    let question = Question {
        query: "up".to_owned(),
        on_partial: OnPartial::Accept,
    };
    backend(&settings(fake.url()))
        .instant(&question, at(0))
        .await
        .unwrap();
    assert_eq!(fake.requests()[0].parameter("partial_response"), Some("true"));
}

#[tokio::test]
async fn long_query_is_posted_as_a_form_and_parameters_of_the_url_stay_in_the_url() {
    let fake = FakePrometheus::start().await;
    let query = format!("up{{pod=~\"{}\"}}", "a|".repeat(2000));
    fake.on(&query, Reply::vector(&[(&[], "1")]));
    let backend = backend(&settings(fake.url() + "/prom/?tenant=a"));
    let answer = backend.instant(&question(&query), at(0)).await.unwrap();
    assert_eq!(answer.samples.len(), 1);

    let [request] = &fake.requests()[..] else {
        panic!("one question, one request")
    };
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/prom/api/v1/query")
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.in_url, [("tenant".to_owned(), "a".to_owned())]);
    assert_eq!(request.in_form[0], ("query".to_owned(), query));
}

#[tokio::test]
async fn query_too_long_for_a_url_is_rejected_when_only_get_is_allowed() {
    let fake = FakePrometheus::start().await;
    let mut settings = settings(fake.url());
    settings.method = Method::Get;
    let error = backend(&settings)
        .instant(&question(&"x".repeat(70_000)), at(0))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("too long for a GET request"),
        "{error}"
    );
    assert_eq!(fake.connections(), 0);
}

#[tokio::test]
async fn headers_are_sent_and_a_name_may_repeat() {
    let fake = FakePrometheus::start().await;
    let mut settings = settings(fake.url());
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    settings.headers = vec![
        header("X-Scope-OrgID", "a"),
        header("X-Scope-OrgID", "b"),
        header("X-Empty", ""),
    ];
    backend(&settings).instant(&question("up"), at(0)).await.unwrap();
    let headers = &fake.requests()[0].headers;
    let tenants: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name == "x-scope-orgid")
        .map(|(_, v)| v)
        .collect();
    assert_eq!(tenants, ["a", "b"]);
}

#[tokio::test]
async fn connection_is_used_again() {
    let fake = FakePrometheus::start().await;
    let backend = backend(&settings(fake.url()));
    for _ in 0..5 {
        backend.instant(&question("up"), at(0)).await.unwrap();
    }
    assert_eq!((fake.requests().len(), fake.connections()), (5, 1));
}

#[tokio::test]
async fn compressed_answer_is_read() {
    let fake = FakePrometheus::start().await;
    fake.on("up", Reply::vector(&[(&[], "NaN")]).gzip());
    let answer = backend(&settings(fake.url()))
        .instant(&question("up"), at(0))
        .await
        .unwrap();
    assert!(answer.samples[0].value.is_nan());
}

#[tokio::test]
async fn large_answer_is_read_whole() {
    let fake = FakePrometheus::start().await;
    let names: Vec<String> = (0..5000).map(|number| format!("pod-{number:060}")).collect();
    let labels: Vec<_> = names.iter().map(|name| [("pod", name.as_str())]).collect();
    let samples: Vec<_> = labels.iter().map(|labels| (&labels[..], "1")).collect();
    fake.on("up", Reply::vector(&samples));
    let answer = backend(&settings(fake.url()))
        .instant(&question("up"), at(0))
        .await
        .unwrap();
    assert_eq!(answer.samples.len(), 5000);
}
