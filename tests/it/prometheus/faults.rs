//! What a backend can do wrong.

use std::sync::Arc;
use std::time::Duration;

use promql_adapter::config::{BackendSettings, OnPartial};
use promql_adapter::http;
use promql_adapter::prometheus::{Backend, Error, Question};

use super::{at, backend, question, settings};
use crate::support::certificates::install_crypto;
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use promql_adapter::model::chain;

/// The error that a reply ends as, with its causes.
async fn check(reply: Reply) -> String {
    check_with(reply, |_| {}).await
}

async fn check_with(reply: Reply, change: impl FnOnce(&mut BackendSettings)) -> String {
    let fake = FakePrometheus::start().await;
    fake.on("up", reply);
    let mut settings = settings(fake.url());
    change(&mut settings);
    chain(
        &backend(&settings)
            .instant(&question("up"), at(0))
            .await
            .unwrap_err(),
    )
}

fn briefly(settings: &mut BackendSettings) {
    settings.timeout = Duration::from_millis(100);
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    // The port was free a moment ago and is so again.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = backend(&settings(format!("http://127.0.0.1:{port}")))
        .instant(&question("up"), at(0))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)));
    assert_eq!(error.client_text(), "the backend is unreachable");
    assert!(chain(&error).contains("onnection refused"), "{}", chain(&error));
}

#[tokio::test]
async fn answer_cut_off_half_way_is_unreachable_and_says_so() {
    let error = check(Reply::vector(&[(&[], "1")]).cut_off()).await;
    assert!(
        error.starts_with("the backend is unreachable: the connection ended before the answer was complete"),
        "{error}"
    );
}

#[tokio::test]
async fn silence_before_and_within_the_answer_is_a_timeout() {
    let timeout = "the backend did not answer in time: no complete answer within 100 ms";
    assert_eq!(check_with(Reply::hang(), briefly).await, timeout);
    assert_eq!(
        check_with(Reply::vector(&[(&[], "1")]).stalled(), briefly).await,
        timeout
    );
}

#[tokio::test]
async fn waiting_for_a_free_slot_counts_into_the_deadline() {
    let fake = FakePrometheus::start().await;
    let mut settings = settings(fake.url());
    settings.max_concurrent = 1;
    install_crypto();
    let client = http::Client::new(&settings, &http::Credentials::default()).unwrap();
    let patient = Backend::new("patient", &settings, client.clone(), Arc::default());
    briefly(&mut settings);
    let hasty = Backend::new("hasty", &settings, client.clone(), Arc::default());

    let only_slot = client.slot(Duration::from_secs(20)).await.unwrap();
    let error = hasty.instant(&question("up"), at(0)).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)));
    assert_eq!(fake.connections(), 0);
    drop(only_slot);
    patient.instant(&question("up"), at(0)).await.unwrap();
}

#[tokio::test]
async fn statuses_are_told_apart() {
    let text = "bad_data: 1:3: parse error";
    assert_eq!(
        check(Reply::error(400, "bad_data", "1:3: parse error")).await,
        format!("the backend rejected the query: {text}")
    );
    let many = Reply::error(422, "execution", "many-to-many matching not allowed");
    assert_eq!(
        check(many).await,
        "the backend rejected the query: execution: many-to-many matching not allowed"
    );
    assert_eq!(
        check(Reply::status(429, "slow down")).await,
        "the backend is overloaded: slow down"
    );
    assert_eq!(
        check(Reply::status(503, "busy")).await,
        "the backend is overloaded: busy"
    );
    let timeout = "the backend did not answer in time: timeout: query timed out";
    assert_eq!(
        check(Reply::error(503, "timeout", "query timed out")).await,
        timeout
    );
    assert_eq!(
        check(Reply::error(500, "internal", "oh")).await,
        "the backend answered with HTTP status 500: internal: oh"
    );
    assert_eq!(
        check(Reply::status(502, "<html>")).await,
        "the backend is unreachable: HTTP status 502: <html>"
    );
    let refused = "the backend refused the adapter's credentials (HTTP status 401): who are you";
    assert_eq!(check(Reply::status(401, "who are you")).await, refused);
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let elsewhere = FakePrometheus::start().await;
    let redirect = Reply::status(302, "").header("Location", elsewhere.url() + "/api/v1/query?query=up");
    let refused = "HTTP status 302: no text; redirects are not followed, set the URL it leads to";
    assert_eq!(
        check(redirect).await,
        format!("the backend answered with {refused}")
    );
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn what_is_not_the_query_apis_json_is_malformed() {
    let json = check(Reply::json("{\"status\":\"success\",\"data\"")).await;
    assert!(
        json.starts_with("the backend's answer cannot be used: it is not the JSON of the query API: EOF"),
        "{json}"
    );
    let html = check(Reply::json("<html>welcome</html>")).await;
    assert!(
        html.starts_with("the backend's answer cannot be used: it is not the JSON of the query API"),
        "{html}"
    );
}

#[tokio::test]
async fn partial_answer_is_refused_unless_the_rule_accepts_it() {
    let fake = FakePrometheus::start().await;
    let data = r#""data":{"resultType":"vector","result":[]}"#;
    fake.on(
        "thanos",
        Reply::json(format!(
            r#"{{"status":"success",{data},"warnings":["store 10.1.1.1:10901 is down"]}}"#
        )),
    );
    fake.on(
        "victoria",
        Reply::json(format!(r#"{{"status":"success","isPartial":true,{data}}}"#)),
    );
    let backend = backend(&settings(fake.url()));
    for query in ["thanos", "victoria"] {
        let error = backend.instant(&question(query), at(0)).await.unwrap_err();
        assert!(matches!(error, Error::Partial { .. }), "{error}");
        assert_eq!(error.client_text(), "the backend's answer is incomplete");
        let accepting = Question {
            on_partial: OnPartial::Accept,
            ..question(query)
        };
        backend.instant(&accepting, at(0)).await.unwrap();
    }
}

#[tokio::test]
async fn huge_answer_is_given_up_at_the_limit() {
    let narrow = |settings: &mut BackendSettings| settings.max_answer_bytes = 10_000;
    let limit = "the backend's answer is larger than 10000 bytes";
    let row = r#"{"metric":{},"value":[1,"1"]},"#;
    assert_eq!(check_with(Reply::json(row).endless(), narrow).await, limit);
    let bomb = Reply::json(" ".repeat(1 << 20)).gzip();
    assert_eq!(check_with(bomb, narrow).await, limit);
}

#[tokio::test]
async fn endless_error_page_is_cut_short() {
    let error = check(Reply::status(500, "x".repeat(1000)).endless()).await;
    assert_eq!(
        error,
        format!("the backend answered with HTTP status 500: {}", "x".repeat(200))
    );
}
