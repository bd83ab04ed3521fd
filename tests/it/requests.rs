//! The real program over HTTP: a request, its answer, and what the backend was asked.
//!
//! Sections of a case:
//! - `config`, `objects`, `flags`: how the adapter is started. `BACKEND` stands for the URL of the fake backend.
//! - `prometheus`: a question, and indented below it the reply (see `support::script`). What is not scripted is empty.
//! - `discovered`: keys of rules whose series must have been found before; `logged`: texts that the log must have.
//! - `request`: lines `[METHOD] /path`, each with indented `Header: value` lines.
//! - `prometheus later`, `request later`: the same once more, after the first requests.
//! - `headers`: names of response headers to show; `metrics`: beginnings of lines of `/metrics` to show at the end.
//!
//! Times of this run are written as `NOW` and ages as `AGE`; those of the fake's samples, all of 2023, stay.

use std::fmt::Write as _;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::case::{self, Case};
use crate::support::adapter::{Adapter, Setup};
use crate::support::fake_prometheus::{FakePrometheus, Recorded};
use crate::support::script::{blocks, script, vector, without_times};
use crate::support::server::eventually;
use crate::support::servers::http_client;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2";

#[tokio::test]
async fn requests_are_answered_and_asked_as_the_cases_say() {
    case::check_async("request", answers).await;
}

#[tokio::test]
async fn documents_are_known_by_their_tags() {
    let adapter = Setup::new("rules: []").start().await;
    let aggregated =
        |version| format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    let documents = [
        ("/apis", aggregated("v2")),
        ("/apis", aggregated("v2beta1")),
        ("/openapi/v2", "application/json".to_owned()),
        ("/openapi/v3", "*/*".to_owned()),
        ("/openapi/v3/apis/custom.metrics.k8s.io/v1beta1", "*/*".to_owned()),
        ("/openapi/v3/apis/custom.metrics.k8s.io/v1beta2", "*/*".to_owned()),
        (
            "/openapi/v3/apis/external.metrics.k8s.io/v1beta1",
            "*/*".to_owned(),
        ),
    ];
    for (path, accept) in documents {
        let ask = |tag: &str| {
            let request = http_client().get(format!("{}{path}", adapter.url));
            request
                .header("Accept", &accept)
                .header("If-None-Match", tag)
                .send()
        };
        let first = ask("\"another\"").await.unwrap();
        assert_eq!(first.status(), 200, "{path} {accept}");
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        let body = first.text().await.unwrap();
        assert!(serde_json::from_str::<Value>(&body).is_ok(), "{path} is JSON");
        let again = ask(&tag).await.unwrap();
        assert_eq!(again.status(), 304, "{path} {accept}");
        assert_eq!(again.headers()["etag"], tag.as_str(), "{path} {accept}");
        assert_eq!(again.text().await.unwrap(), "", "{path}");
    }
}

#[tokio::test]
async fn large_answers_are_compressed_for_who_takes_it() {
    let fake = FakePrometheus::start().await;
    let pods: Vec<String> = (0..1000).map(|number| format!("cart-{number:04}")).collect();
    let mut objects = String::from("objects:\n");
    for pod in &pods {
        let _ = writeln!(objects, "  - {{resource: pods, namespace: shop, name: {pod}}}");
    }
    let query = format!(
        r#"sum by (pod) (jobs{{namespace="shop",pod=~"{}"}})"#,
        pods.join("|")
    );
    let result: Vec<Value> = pods
        .iter()
        .map(|pod| json!({"metric": {"pod": pod}, "value": [1_700_000_000, "1"]}))
        .collect();
    fake.on(&query, vector(&result));
    let adapter = Setup::new("rules: [{metric: jobs, gauge: {series: jobs}}]")
        .objects(&objects)
        .backend(&fake.url())
        .start()
        .await;
    let path = format!("{}{CUSTOM}/namespaces/shop/pods/*/jobs", adapter.url);
    let raw = Client::builder()
        .no_gzip()
        .tls_certs_only([])
        .no_proxy()
        .build()
        .unwrap();
    let asked = raw
        .get(&path)
        .header("Accept-Encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(asked.headers()["content-encoding"], "gzip");
    let not_asked = raw.get(&path).send().await.unwrap();
    assert_eq!(not_asked.headers().get("content-encoding"), None);
    let body: Value = serde_json::from_str(&not_asked.text().await.unwrap()).unwrap();
    assert_eq!(body["items"].as_array().unwrap().len(), 1000);
    let asked = fake.requests();
    assert_eq!(asked.len(), 1, "one question for two answers");
    assert_eq!(asked[0].method, "POST", "a long question is no URL");
}

async fn answers(case: &Case) -> String {
    let fake = FakePrometheus::start().await;
    script(&fake, case.section("prometheus"));
    let adapter = start(case, &fake).await;
    let mut output = String::new();
    for asked in read_requests(case.section("request")) {
        output += &answer(case, &adapter, &fake, &asked).await;
    }
    script(&fake, case.section("prometheus later"));
    for asked in read_requests(case.section("request later")) {
        output += &answer(case, &adapter, &fake, &asked).await;
    }
    let at_once = case.section("config").contains("resourceRules");
    output + &asked_of(&fake, at_once) + &own_metrics(case, &adapter).await
}

async fn start(case: &Case, fake: &FakePrometheus) -> Adapter {
    let config = case.section("config").replace("BACKEND", &fake.url());
    let mut setup = Setup::new(&config).objects(case.section("objects"));
    if !config.contains("backends:") {
        setup = setup.backend(&fake.url());
    }
    for flag in case.lines("flags") {
        setup = setup.argument(flag);
    }
    let adapter = setup.start().await;
    for rule in case.lines("discovered") {
        let line = format!("discovery_last_success_timestamp_seconds{{rule=\"{rule}\"}}");
        let what = format!("{}: series of {rule}", case.name());
        eventually(&what, async || adapter.metrics().await.contains(&line)).await;
    }
    for text in case.lines("logged") {
        adapter.logged(text).await;
    }
    adapter
}

/// One request of a case.
struct Asked {
    line: String,
    headers: Vec<(String, String)>,
}

fn read_requests(section: &str) -> Vec<Asked> {
    let requests = blocks(section).into_iter().map(|(line, headers)| Asked {
        line: line.to_owned(),
        headers: headers
            .iter()
            .map(|header| header.split_once(": ").expect("`Header: value`"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    });
    requests.collect()
}

async fn answer(case: &Case, adapter: &Adapter, fake: &FakePrometheus, asked: &Asked) -> String {
    let (method, path) = asked.line.split_once(' ').unwrap_or(("GET", &asked.line));
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = http_client().request(method, format!("{}{path}", adapter.url));
    for (name, value) in &asked.headers {
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    let mut output = format!("{}\n", asked.line);
    for (name, value) in &asked.headers {
        let _ = writeln!(output, "  {name}: {value}");
    }
    output += &head(case, &response);
    let is_text = response.headers()["content-type"] != PROTOBUF;
    let body = response.bytes().await.unwrap();
    let text = match is_text {
        true => String::from_utf8(body.to_vec()).unwrap(),
        false => body.escape_ascii().to_string(),
    };
    let address = fake.url().trim_start_matches("http://").to_owned();
    assert!(!text.contains(&address), "{}: an address in {text}", case.name());
    output + &without_times(&by_item(&text)) + "\n"
}

/// Status, content type and the headers that the case shows. Some headers no answer may have.
fn head(case: &Case, response: &Response) -> String {
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    for never in ["retry-after", "location"] {
        assert_eq!(header(never), None, "{}: {never}", case.name());
    }
    assert!(header("cache-control").is_some(), "{}", case.name());
    let kind = header("content-type").unwrap_or_default();
    let mut head = format!("{} {kind}\n", response.status().as_u16());
    for name in case.lines("headers") {
        let _ = writeln!(head, "{name}: {}", header(name).unwrap_or_default());
    }
    head
}

/// The body as it is, with each object of an array on a line of its own.
fn by_item(body: &str) -> String {
    let mut text = String::new();
    let (mut arrays, mut quoted, mut before) = (0, false, ' ');
    for character in body.trim_end().chars() {
        match character {
            '"' if before != '\\' => quoted = !quoted,
            '[' if !quoted => arrays += 1,
            ']' if !quoted => arrays -= 1,
            '{' if !quoted && matches!(before, '[' | ',') => {
                text.push('\n');
                text.push_str(&"  ".repeat(arrays));
            }
            _ => {}
        }
        text.push(character);
        before = character;
    }
    if text.is_empty() { text } else { text + "\n" }
}

/// What the backend was asked: each look for series once, then the queries as they came, or sorted if they came at once.
fn asked_of(fake: &FakePrometheus, at_once: bool) -> String {
    let requests = fake.requests();
    let (queries, looks): (Vec<&Recorded>, Vec<&Recorded>) = requests
        .iter()
        .partition(|request| request.path.ends_with("/query"));
    let mut looks: Vec<String> = looks.iter().map(|look| asked(look, "match[]")).collect();
    looks.sort();
    looks.dedup();
    let mut queries: Vec<String> = queries
        .iter()
        .map(|query| {
            check_parameters(query);
            asked(query, "query")
        })
        .collect();
    if at_once {
        queries.sort();
    }
    let lines: Vec<String> = looks.into_iter().chain(queries).collect();
    match lines.is_empty() {
        true => "asked: nothing\n".to_owned(),
        false => format!("asked:\n{}", lines.concat()),
    }
}

fn asked(request: &Recorded, parameter: &str) -> String {
    let method = if request.method == "GET" { "" } else { "POST " };
    let path = &request.path;
    let endpoint = path.strip_prefix("/api/v1/").unwrap_or(path);
    let question = request.parameter(parameter).unwrap_or_default();
    format!(
        "{method}{endpoint} {}\n",
        question.trim_end().replace('\n', "\\n")
    )
}

/// Every query says when to evaluate and how long it may take.
fn check_parameters(query: &Recorded) {
    let at: f64 = query.parameter("time").unwrap().parse().unwrap();
    assert!(at > 1.7e9, "{at} is no time of today");
    let timeout = query.parameter("timeout").unwrap();
    assert!(timeout.ends_with('s') && timeout.len() > 1, "timeout={timeout}");
}

async fn own_metrics(case: &Case, adapter: &Adapter) -> String {
    let metrics = adapter.metrics().await;
    let shown = |line: &&str| case.lines("metrics").any(|beginning| line.starts_with(beginning));
    let mut lines: Vec<&str> = metrics.lines().filter(shown).collect();
    lines.sort_unstable();
    lines.iter().fold(String::new(), |text, line| text + line + "\n")
}
