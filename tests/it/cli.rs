//! The real program: how it starts, what it prints, how it ends.

use std::process::{Command, Stdio};

use std::time::{Duration, Instant};

use crate::case::{self, Case};
use crate::support::adapter::{Adapter, Setup};
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use crate::support::script::{script, without_times};
use crate::support::server::eventually;

const RATE: &str = "rules:\n  - metric: qps\n    rate: {counter: requests_total, window: 1m}\n";
const CART_0: &str = "objects:\n  - {resource: pods, namespace: shop, name: cart-0}\nresources: []\n";
const QPS_OF_PODS: &str = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/qps";

#[tokio::test]
async fn sigterm_ends_with_0_after_readiness_went() {
    let adapter = Setup::new("rules: []").start().await;
    assert_eq!(adapter.get("/readyz").await.status(), 200);
    let ended = adapter.terminate().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("SIGTERM: shutting down"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.trim_end().ends_with("stopped"), "{}", ended.stderr);
}

/// Runs that end by themselves: `arguments`, one a line, `config` and `objects` as files, `prometheus` as the backend.
#[tokio::test]
async fn runs_end_and_print_as_the_cases_say() {
    case::check_async("run", run).await;
}

async fn run(case: &Case) -> String {
    let fake = FakePrometheus::start().await;
    script(&fake, case.section("prometheus"));
    let setup = Setup::new(&case.section("config").replace("BACKEND", &fake.url()));
    setup.write("objects.yaml", case.section("objects"));
    let arguments: Vec<String> = case
        .lines("arguments")
        .map(|argument| argument.replace("BACKEND", &fake.url()))
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = setup.run(&arguments).await;
    let code = ended.code.map_or("a signal".to_owned(), |code| code.to_string());
    let text = format!(
        "exit code {code}\nstdout:\n{}stderr:\n{}",
        ended.stdout, ended.stderr
    );
    without_times(&text)
}

#[tokio::test]
async fn without_its_backend_it_is_ready_at_once() {
    let began = Instant::now();
    let adapter = Setup::new(RATE)
        .objects(CART_0)
        .backend("http://127.0.0.1:1")
        .start()
        .await;
    // A quarter of a second on an idle machine.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(adapter.get("/readyz").await.status(), 200);
    assert_eq!(adapter.json(QPS_OF_PODS).await.0, 503);
    assert_eq!(
        adapter.get("/apis/custom.metrics.k8s.io/v1beta1").await.status(),
        200
    );
}

#[tokio::test]
async fn flags_without_effect_are_named_once() {
    let adapter = Setup::new("rules: []\n")
        .argument("--client-qps=5")
        .argument("--audit-log-path=-")
        .argument("--profiling")
        .start()
        .await;
    let log = adapter.log();
    let named = "flags without effect here: --audit-log-path, --client-qps, --profiling";
    assert_eq!(log.matches(named).count(), 1, "{log}");
    assert_eq!(log.matches("--audit-log-path").count(), 1, "{log}");
    assert!(
        log.contains("there is neither a cluster nor an objects file"),
        "{log}"
    );
}

/// The first command of the README, with the built program, and in the end of itself.
#[tokio::test]
async fn the_quickstart_needs_nothing_and_answers_within_seconds() {
    let began = Instant::now();
    let ended = Setup::new("").run(&["quickstart", "--once"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stderr, "");
    // Some eight seconds on an idle machine.
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    let answers: Vec<&str> = ended
        .stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix("→ "))
        .collect();
    let named: Vec<&str> = answers
        .iter()
        .filter_map(|answer| answer.split_whitespace().next())
        .collect();
    assert_eq!(
        named[..4],
        ["cart-0", "cart-1", "cart-2", "cart"],
        "{}",
        ended.stdout
    );
    assert_eq!(answers.len(), 5, "{}", ended.stdout);
    let rates = answers[..3]
        .iter()
        .map(|answer| answer.split_whitespace().last().unwrap());
    let total: f64 = rates.map(|rate| rate.parse::<f64>().unwrap()).sum();
    // 10 a second at first, and rising; a part of that if the window of the rate were not whole.
    assert!((8.0..30.0).contains(&total), "{total} in {}", ended.stdout);
}

#[tokio::test]
async fn a_changed_objects_file_counts_and_a_bad_one_does_not() {
    let fake = FakePrometheus::start().await;
    // Not by one question about the whole namespace.
    let each_asked = format!("freshFor: 0s\n{RATE}");
    let adapter = Setup::new(&each_asked)
        .objects(CART_0)
        .backend(&fake.url())
        .start()
        .await;
    let objects = adapter.files();
    objects.write("objects.yaml", "objects:\n  - {resource: pods, nam: cart-1}\n");
    adapter
        .logged("the objects file changed but cannot be used")
        .await;
    assert!(
        adapter
            .log()
            .contains("objects.yaml:2: objects[0].nam: unknown key"),
        "the log names the fault: {}",
        adapter.log()
    );
    assert!(
        causes(&adapter).await.contains("NoSamples"),
        "cart-0 is still known"
    );

    objects.write("objects.yaml", &CART_0.replace("cart-0", "cart-1"));
    eventually("a question about cart-1", async || {
        adapter.get(QPS_OF_PODS).await;
        let asked = fake.requests();
        asked
            .iter()
            .any(|it| it.parameter("query").unwrap_or("").contains(r#"pod="cart-1""#))
    })
    .await;

    objects.write("objects.yaml", "objects: []\n");
    eventually("no object", async || causes(&adapter).await.contains("NoObjects")).await;
}

#[tokio::test]
async fn series_are_looked_for_again_when_resources_change_and_not_when_objects_do() {
    const PATTERN: &str = "  - seriesQuery: '{__name__=~\"^x_.*\"}'\n    resources: {template: <<.Resource>>}\n    \
                           metricsQuery: <<.Series>>\n";
    let fake = FakePrometheus::start().await;
    fake.on(
        r#"{__name__=~"^x_.*"}"#,
        Reply::json(r#"{"status":"success","data":[]}"#),
    );
    let looks = || {
        let asked = fake.requests();
        asked.iter().filter(|it| it.path.ends_with("/series")).count()
    };
    let adapter = Setup::new(&format!("{RATE}{PATTERN}"))
        .objects(CART_0)
        .backend(&fake.url())
        .start()
        .await;
    eventually("a first look", async || looks() == 1).await;

    adapter
        .files()
        .write("objects.yaml", &CART_0.replace("cart-0", "cart-1"));
    adapter
        .logged("the objects file changed and was read again")
        .await;
    assert_eq!(looks(), 1, "the pods of today say nothing about series");

    let widgets = "resources: [{group: example.org, kind: Widget, plural: widgets}]";
    adapter
        .files()
        .write("objects.yaml", &CART_0.replace("resources: []", widgets));
    eventually("a second look", async || looks() == 2).await;
}

/// The machine-readable reasons of the answer about all pods.
async fn causes(adapter: &Adapter) -> String {
    let (status, body) = adapter.json(QPS_OF_PODS).await;
    assert_eq!(status, 404, "{body}");
    body["details"]["causes"].to_string()
}

#[tokio::test]
async fn explain_asks_a_running_adapter() {
    let fake = FakePrometheus::start().await;
    let query = r#"sum by (pod) (rate(requests_total{namespace="shop",pod="cart-0"}[1m]))"#;
    fake.on(query, Reply::vector(&[(&[("pod", "cart-0")], "1.5")]));
    let adapter = Setup::new(RATE)
        .objects(CART_0)
        .backend(&fake.url())
        .start()
        .await;
    let explained = adapter
        .files()
        .run(&["explain", QPS_OF_PODS, "--server", &adapter.url])
        .await;
    assert_eq!(explained.code, Some(0), "{}", explained.stderr);
    for part in [query, "Pod shop/cart-0: 1500m at 2023-11-14T22:13:20Z over 60 s"] {
        assert!(
            explained.stdout.contains(part),
            "no {part} in:\n{}",
            explained.stdout
        );
    }
    let misses = r#"promql_adapter_cache_requests_total{outcome="miss"} 1"#;
    assert!(adapter.metrics().await.contains(misses));
}

/// The writing end of a pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_promql-adapter"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The flag without effect makes a log line, the missing file the end.
#[test]
fn a_closed_stderr_changes_no_exit_code() {
    let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/config/quickstart.yaml");
    let arguments = [
        "--config",
        configuration,
        "--secure-port=0",
        "--logtostderr",
        "--client-ca-file=/nowhere/ca.crt",
    ];
    let output = program(&arguments).output().unwrap();
    let open = String::from_utf8(output.stderr).unwrap();
    assert!(
        open.contains("--logtostderr") && open.contains("/nowhere/ca.crt"),
        "{open}"
    );
    let status = program(&arguments).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), output.status.code());
}

#[test]
fn a_reader_that_has_seen_enough_of_an_explanation_is_no_failure() {
    let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/config/quickstart.yaml");
    let path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/unknown";
    let arguments = ["explain", path, "--config", configuration];
    for output in [&[][..], &["--output=json"][..]] {
        let arguments = [&arguments[..], output].concat();
        let mut explain = program(&arguments);
        let status = explain.stdout(closed()).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}");
    }
}
