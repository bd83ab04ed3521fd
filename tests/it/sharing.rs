//! Many requests, one question: what is asked again and again is refreshed in the background, for many namespaces at once.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::adapter::{Adapter, Setup};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2";
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";

/// Answers go stale after two seconds, so that a refresh is due after half of the second one. What is asked for is
/// remembered for a minute, however seldom a busy machine gets to ask.
const RULES: &str = r#"
evaluationGrid: 1s
freshFor: 2s
serveStaleFor: 4s
failureHold: 1s
syncPeriod: 30s
rules:
  - metric: jobs
    gauge: {series: jobs}
  - metric: top
    query: {promql: 'topk(1, sum by (pod) (jobs))'}
externalRules:
  - metric: depth
    gauge: {series: depth}
"#;

const OBJECTS: &str = "
objects:
  - {resource: pods, namespace: mail, name: p1}
  - {resource: pods, namespace: shop, name: p1}
  - {resource: pods, namespace: shop, name: p2}
";

const NARROW_MAIL: &str = r#"sum by (pod) (jobs{namespace="mail",pod="p1"})"#;
const NARROW_SHOP: &str = r#"sum by (pod) (jobs{namespace="shop",pod=~"p1|p2"})"#;
const WIDE: &str = r#"sum by (pod, namespace) (jobs{namespace=~"mail|shop"})"#;
const WIDE_MAIL: &str = r#"sum by (pod, namespace) (jobs{namespace="mail"})"#;
const WIDE_SHOP: &str = r#"sum by (pod, namespace) (jobs{namespace="shop"})"#;

/// About all namespaces.
const ALL: &str = r#"sum by (pod, namespace) (jobs{namespace!=""})"#;

/// How long what is waited for may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_is_asked_again_and_again_is_asked_in_one_question() {
    let (fake, adapter) = start().await;
    fake.on(WIDE, wide("2"));
    let values = until("the shared answer", async || {
        let values = (jobs(&adapter, "mail").await, jobs(&adapter, "shop").await);
        (values == (vec![2], vec![2, 2])).then_some(values)
    })
    .await;
    assert_eq!(values, (vec![2], vec![2, 2]));
    let before = asked(&fake, NARROW_SHOP);
    let (started, mut answers) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(6) {
        assert_eq!(jobs(&adapter, "mail").await, [2]);
        assert_eq!(jobs(&adapter, "shop").await, [2, 2]);
        answers += 2;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(answers > 50, "{answers}");
    assert_eq!(asked(&fake, NARROW_SHOP), before, "requests found a warm answer");
    let metrics = adapter.metrics().await;
    assert!(
        metrics.contains("promql_adapter_fresh_questions 2.0\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("promql_adapter_refreshes_total{form=\"shared\",outcome=\"success\"}"),
        "{metrics}"
    );
}

#[tokio::test]
async fn what_is_no_longer_asked_for_is_not_asked() {
    let (fake, adapter) = start_with(&RULES.replace("syncPeriod: 30s", "syncPeriod: 1500ms")).await;
    fake.on(WIDE, wide("2"));
    until("a question about both", async || {
        jobs(&adapter, "mail").await;
        jobs(&adapter, "shop").await;
        (asked(&fake, WIDE) > 0).then_some(())
    })
    .await;
    // Two sync periods, and one more question that was under way.
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let before = fake.requests().len();
    tokio::time::sleep(Duration::from_millis(3_000)).await;
    assert_eq!(fake.requests().len(), before);
    let metrics = adapter.metrics().await;
    assert!(
        metrics.contains("promql_adapter_fresh_questions 0.0\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn shared_answer_is_explained_by_the_narrow_query_and_names_nobody_else() {
    let (fake, adapter) = start().await;
    fake.on(WIDE, wide("2"));
    let path = format!("/explain{CUSTOM}/namespaces/shop/pods/*/jobs");
    let explanation = until("an explanation of the shared answer", async || {
        jobs(&adapter, "mail").await;
        let (_, explanation) = adapter.json(&path).await;
        explanation.to_string().contains("other").then_some(explanation)
    })
    .await;
    let way = &explanation["way"];
    assert_eq!(way["query"], NARROW_SHOP);
    assert_eq!(way["samples"].as_array().unwrap().len(), 2, "{way}");
    assert_eq!(
        way["notes"],
        serde_json::json!([
            "answered from an answer that is refreshed while it is asked for",
            format!(
                "the query is what the answer stands for; asked was `{WIDE_SHOP}`, for another namespace too"
            ),
        ])
    );
    assert!(!explanation.to_string().contains("mail"), "{explanation}");
}

#[tokio::test]
async fn failure_of_the_shared_question_is_no_answer_for_anybody() {
    let (fake, adapter) = start().await;
    let bad = "found duplicate series for the match group {pod=\"p1\"} on the left hand-side";
    fake.on(WIDE, Reply::error(422, "execution", bad));
    fake.on(WIDE_MAIL, Reply::error(422, "execution", bad));
    fake.on(NARROW_MAIL, Reply::error(422, "execution", bad));
    fake.on(WIDE_SHOP, wide("3"));
    fake.on(
        NARROW_SHOP,
        Reply::vector(&[(&[("pod", "p1")], "3"), (&[("pod", "p2")], "3")]),
    );
    until(
        "questions about each namespace after the one about both",
        async || {
            let (status, _) = adapter.json(&path("mail")).await;
            assert_eq!(status, 500);
            assert_eq!(jobs(&adapter, "shop").await, [3, 3]);
            let of_shop = refreshed(&adapter, "narrow", "success").await
                + refreshed(&adapter, "shared", "success").await;
            (asked(&fake, NARROW_MAIL) > 1 && of_shop > 1).then_some(())
        },
    )
    .await;
    // All of `mail` may be asked about once more, before it is known which of its pods are asked for.
    assert!(
        asked(&fake, WIDE) <= 1 && asked(&fake, WIDE_MAIL) <= 1,
        "it is asked about each for a while"
    );
}

#[tokio::test]
async fn hanging_backend_makes_no_warm_answer_slow_and_no_old_one_fresh() {
    let (fake, adapter) = start().await;
    fake.on(WIDE, wide("2"));
    until("the shared answer", async || {
        jobs(&adapter, "mail").await;
        (jobs(&adapter, "shop").await == [2, 2]).then_some(())
    })
    .await;
    fake.on(WIDE, Reply::hang());
    fake.on(NARROW_SHOP, Reply::hang());
    let hung = Instant::now();
    let (mut slow, mut stale) = (0, 0);
    while hung.elapsed() < Duration::from_secs(8) {
        let started = Instant::now();
        let (status, _) = adapter.json(&path("shop")).await;
        let took = started.elapsed();
        // The answer was at most two seconds old when it began, and may stand in until it is four seconds old.
        if hung.elapsed() < Duration::from_millis(300) {
            assert_eq!(status, 200);
        }
        match (status, took > Duration::from_secs(1)) {
            (200, true) => slow += 1,
            (200, false) => stale += 1,
            (_, _) => assert!(
                hung.elapsed() > Duration::from_millis(1_500),
                "{status} while it is fresh"
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(slow <= 1 && stale > 0, "{slow} slow answers, {stale} at once");
}

#[tokio::test]
async fn external_questions_are_shared_and_lose_the_label_that_tells_them_apart() {
    let (fake, adapter) = start().await;
    let wide = r#"sum by (namespace) (depth{namespace=~"mail|shop"})"#;
    fake.on(
        wide,
        Reply::vector(&[(&[("namespace", "mail")], "5"), (&[("namespace", "shop")], "6")]),
    );
    let item = until("the shared answer", async || {
        let (_, mail) = adapter.json(&format!("{EXTERNAL}/namespaces/mail/depth")).await;
        let (_, shop) = adapter.json(&format!("{EXTERNAL}/namespaces/shop/depth")).await;
        (mail["items"][0]["value"] == "5").then(|| shop["items"][0].clone())
    })
    .await;
    assert_eq!(
        (&item["value"], &item["metricLabels"]),
        (&"6".into(), &serde_json::json!({}))
    );
}

#[tokio::test]
async fn question_that_cannot_be_shared_is_refreshed_as_it_is() {
    let (fake, adapter) = start().await;
    let narrow = r#"topk(1, sum by (pod) (jobs{namespace="shop",pod=~"p1|p2"}))"#;
    fake.on(narrow, Reply::vector(&[(&[("pod", "p2")], "7")]));
    until("refreshes", async || {
        let (status, list) = adapter
            .json(&format!("{CUSTOM}/namespaces/shop/pods/*/top"))
            .await;
        assert_eq!(status, 200, "{list}");
        (refreshed(&adapter, "narrow", "success").await > 1).then_some(())
    })
    .await;
    assert_eq!(refreshed(&adapter, "shared", "success").await, 0);
}

#[tokio::test]
async fn flood_of_made_up_selectors_is_answered_and_pushes_nothing_out() {
    // The flood keeps a busy machine from refreshing to the second.
    let (fake, adapter) = start_with(&RULES.replace("freshFor: 2s", "freshFor: 5s")).await;
    fake.on(WIDE_SHOP, wide("2"));
    until("the refreshed answer", async || {
        (jobs(&adapter, "shop").await == [2, 2]).then_some(())
    })
    .await;
    let (narrow, started) = (asked(&fake, NARROW_SHOP), Instant::now());
    let mut number = 0;
    while started.elapsed() < Duration::from_secs(6) {
        let made_up = (number..number + 20).map(|number| format!("metricLabelSelector=made%3Dup{number}"));
        let made_up: Vec<String> = made_up
            .map(|selector| format!("{}?{selector}", path("shop")))
            .collect();
        for _ in 0..2 {
            join_all(made_up.iter().map(|path| adapter.json(path))).await;
        }
        number += 20;
        assert_eq!(jobs(&adapter, "shop").await, [2, 2]);
    }
    assert!(number > 100, "{number} is no flood");
    assert_eq!(asked(&fake, NARROW_SHOP), narrow, "its answer stays warm");
    let metrics = adapter.metrics().await;
    let fresh = metrics
        .lines()
        .find_map(|line| line.strip_prefix("promql_adapter_fresh_questions "));
    let fresh: f64 = fresh.unwrap().parse().unwrap();
    assert!(fresh <= 64.0, "{fresh} questions are refreshed");
}

/// Ten rules in twenty namespaces, polled as autoscalers do.
#[tokio::test]
async fn queries_grow_with_the_rules_and_not_with_the_namespaces() {
    let fake = FakePrometheus::start().await;
    // A busy machine does not refresh to the second.
    let settings = RULES.replace("freshFor: 2s", "freshFor: 5s");
    let mut config = settings.split("rules:").next().unwrap().to_owned() + "rules:\n";
    let mut objects = String::from("objects:\n");
    for rule in 0..10 {
        config += &format!("  - {{metric: m{rule}, gauge: {{series: m{rule}}}}}\n");
    }
    for namespace in 0..20 {
        objects += &format!("  - {{resource: pods, namespace: n{namespace}, name: p1}}\n");
    }
    let setup = Setup::new(&config).objects(&objects).backend(&fake.url());
    let adapter = setup.start().await;
    let poll = async || {
        let path = |at: usize| format!("{CUSTOM}/namespaces/n{}/pods/*/m{}", at / 10, at % 10);
        let paths: Vec<String> = (0..200).map(path).collect();
        for some in paths.chunks(20) {
            join_all(some.iter().map(|path| adapter.json(path))).await;
        }
    };
    until("answers that are refreshed", async || {
        poll().await;
        let metrics = adapter.metrics().await;
        metrics
            .contains("promql_adapter_fresh_questions 200.0\n")
            .then_some(())
    })
    .await;
    let (before, started, mut polls) = (fake.requests().len(), Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(6) {
        poll().await;
        polls += 1;
    }
    // One query of each rule in each second, which is the grid, and one more at each end.
    let most = 10 * (started.elapsed().as_secs() as usize + 3);
    let asked = fake.requests().len() - before;
    assert!(
        polls >= 2 && asked <= most,
        "{asked} queries for {polls} polls of 200"
    );
}

#[tokio::test]
async fn many_namespaces_that_begin_at_once_are_asked_about_in_one_question() {
    let (fake, adapter) = start_many().await;
    fake.on(ALL, of_many(|number| (number != 5).then(|| number.to_string())));
    // A moment that one answer lasts for, however busy the machine.
    let began = join_all((0..5).map(|number| jobs(&adapter, many(number)))).await;
    assert_eq!(began, (0..5).map(|number| vec![number]).collect::<Vec<_>>());
    assert_eq!(asked(&fake, ALL), 1);
    let narrow = (0..5).filter(|number| asked(&fake, &narrow_of_many(*number)) > 0);
    assert_eq!(narrow.count(), 2, "the first are asked about at once");
    let (status, told) = adapter.json(&path(many(5))).await;
    assert_eq!(status, 404, "{told}");
    assert_eq!(
        asked(&fake, &narrow_of_many(5)),
        0,
        "it is known that it has no samples"
    );

    let (_, explanation) = adapter.json(&format!("/explain{}", path(many(4)))).await;
    let way = &explanation["way"];
    assert_eq!(way["query"], narrow_of_many(4));
    let asked = format!("the query is what the answer stands for; asked was `{ALL}`");
    assert!(
        way["notes"].to_string().contains(&asked.replace('"', "\\\"")),
        "{way}"
    );
    assert!(!explanation.to_string().contains(many(1)), "{explanation}");
}

#[tokio::test]
async fn failure_of_the_question_about_all_namespaces_is_no_answer_for_anybody() {
    let (fake, adapter) = start_many().await;
    fake.on(ALL, Reply::error(422, "execution", "too many samples"));
    for number in 0..6 {
        let wide = format!(
            r#"sum by (pod, namespace) (jobs{{namespace="{}"}})"#,
            many(number)
        );
        fake.on(&wide, of_many(|of| (of == number).then(|| number.to_string())));
    }
    for _ in 0..2 {
        let values = join_all((0..6).map(|number| jobs(&adapter, many(number)))).await;
        assert_eq!(values, (0..6).map(|number| vec![number]).collect::<Vec<_>>());
    }
    assert_eq!(asked(&fake, ALL), 1, "it is not asked again for a while");
}

#[tokio::test]
async fn question_about_all_namespaces_that_takes_long_leaves_time_for_narrow_ones() {
    let (fake, adapter) = start_many_with("requestTimeout: 1s").await;
    fake.on(ALL, Reply::hang());
    let values = join_all((0..6).map(|number| jobs(&adapter, many(number)))).await;
    assert_eq!(values, (0..6).map(|number| vec![number]).collect::<Vec<_>>());
    assert_eq!(asked(&fake, ALL), 1);
}

#[tokio::test]
async fn flood_of_made_up_namespaces_is_answered_by_few_questions_that_are_not_refreshed() {
    let (fake, adapter) = start().await;
    let all = r#"sum by (namespace) (depth{namespace!=""})"#;
    fake.on(all, Reply::vector(&[(&[("namespace", "mail")], "5")]));
    let started = Instant::now();
    for number in 0..300 {
        let path = format!("{EXTERNAL}/namespaces/made-up-{number}/depth");
        assert_eq!(adapter.get(&path).await.status(), 404);
    }
    // An answer about all lasts for a second at least, and two namespaces are asked about before.
    let most = 4 * (started.elapsed().as_secs() as usize + 1);
    let questions = fake.requests().len();
    assert!(questions <= most, "{questions} for 300 namespaces");
    // They would be refreshed twice within this time.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(fake.requests().len(), questions);
}

#[tokio::test]
async fn other_objects_of_a_namespace_make_one_question_about_all_of_it() {
    let (fake, adapter) = start_with(&RULES.replace("freshFor: 2s", "freshFor: 1h")).await;
    for name in ["p1", "p2"] {
        assert_eq!(job_of(&fake, &adapter, name).await, "1");
    }
    assert_eq!(jobs(&adapter, "shop").await, [1, 1]);
    assert_eq!(asked(&fake, WIDE_SHOP), 0, "the first are asked about at once");
    let narrow = asked(&fake, NARROW_SHOP);
    assert_eq!(job_of(&fake, &adapter, "other").await, "99");
    assert_eq!(jobs(&adapter, "shop").await, [1, 1]);
    assert_eq!((asked(&fake, WIDE_SHOP), asked(&fake, NARROW_SHOP)), (1, narrow));
}

#[tokio::test]
async fn other_objects_of_a_namespace_do_not_spoil_the_answer_about_one() {
    // So long that no refresh asks it too.
    let (fake, adapter) = start_with(&RULES.replace("freshFor: 2s", "freshFor: 1h")).await;
    fake.on(WIDE_SHOP, Reply::error(422, "execution", "duplicate series"));
    for name in ["p1", "p2", "p3", "p4", "p5"] {
        assert_eq!(job_of(&fake, &adapter, name).await, "1");
    }
    assert_eq!(asked(&fake, WIDE_SHOP), 1, "it is not asked again for a while");
}

/// The jobs of one pod of `shop`.
async fn job_of(fake: &FakePrometheus, adapter: &Adapter, name: &str) -> String {
    let narrow = format!(r#"sum by (pod) (jobs{{namespace="shop",pod="{name}"}})"#);
    fake.on(&narrow, Reply::vector(&[(&[("pod", name)], "1")]));
    let path = format!("{CUSTOM}/namespaces/shop/pods/{name}/jobs");
    let (status, list) = adapter.json(&path).await;
    assert_eq!(status, 200, "{list}");
    list["items"][0]["value"].as_str().unwrap().to_owned()
}

/// Namespaces with one pod each, which does as many jobs as the number says.
const MANY: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];

fn many(number: u64) -> &'static str {
    MANY[number as usize]
}

fn narrow_of_many(number: u64) -> String {
    format!(r#"sum by (pod) (jobs{{namespace="{}",pod="p1"}})"#, many(number))
}

fn of_many(value: impl Fn(u64) -> Option<String>) -> Reply {
    let values = (0..6).filter_map(|number| Some((many(number), value(number)?)));
    let values: Vec<(&str, String)> = values.collect();
    let labels: Vec<[(&str, &str); 2]> = values
        .iter()
        .map(|(namespace, _)| [("namespace", *namespace), ("pod", "p1")])
        .collect();
    let samples = labels.iter().zip(&values);
    let samples: Vec<(&[(&str, &str)], &str)> = samples
        .map(|(labels, (_, value))| (&labels[..], value.as_str()))
        .collect();
    Reply::vector(&samples)
}

/// Answers that last while many are asked for, however busy the machine.
async fn start_many() -> (FakePrometheus, Adapter) {
    start_many_with("").await
}

async fn start_many_with(setting: &str) -> (FakePrometheus, Adapter) {
    let fake = FakePrometheus::start().await;
    let mut objects = String::from("objects:\n");
    for number in 0..6 {
        objects += &format!("  - {{resource: pods, namespace: {}, name: p1}}\n", many(number));
        let value = number.to_string();
        fake.on(
            &narrow_of_many(number),
            Reply::vector(&[(&[("pod", "p1")], &value)]),
        );
    }
    let rules = RULES.replace("freshFor: 2s", "freshFor: 1h");
    let setup = Setup::new(&format!("{rules}{setting}\n"))
        .objects(&objects)
        .backend(&fake.url());
    let adapter = setup.start().await;
    (fake, adapter)
}

async fn start() -> (FakePrometheus, Adapter) {
    start_with(RULES).await
}

async fn start_with(rules: &str) -> (FakePrometheus, Adapter) {
    let fake = FakePrometheus::start().await;
    fake.on(NARROW_MAIL, Reply::vector(&[(&[("pod", "p1")], "1")]));
    fake.on(
        NARROW_SHOP,
        Reply::vector(&[(&[("pod", "p1")], "1"), (&[("pod", "p2")], "1")]),
    );
    // One may be due a moment before the other.
    fake.on(WIDE_MAIL, wide("1"));
    fake.on(WIDE_SHOP, wide("1"));
    let setup = Setup::new(rules).objects(OBJECTS).backend(&fake.url());
    let adapter = setup.start().await;
    (fake, adapter)
}

/// The answer about both namespaces, and a pod of which nobody asks.
fn wide(value: &str) -> Reply {
    Reply::vector(&[
        (&[("namespace", "mail"), ("pod", "p1")], value),
        (&[("namespace", "shop"), ("pod", "p2")], value),
        (&[("namespace", "shop"), ("pod", "p1")], value),
        (&[("namespace", "shop"), ("pod", "other")], "99"),
    ])
}

fn path(namespace: &str) -> String {
    format!("{CUSTOM}/namespaces/{namespace}/pods/*/jobs")
}

/// The values of all pods of a namespace, in their order.
async fn jobs(adapter: &Adapter, namespace: &str) -> Vec<u64> {
    let (status, list) = adapter.json(&path(namespace)).await;
    assert_eq!(status, 200, "{list}");
    let value = |item: &Value| item["value"].as_str().unwrap().parse().unwrap();
    list["items"].as_array().unwrap().iter().map(value).collect()
}

fn asked(fake: &FakePrometheus, query: &str) -> usize {
    let requests = fake.requests();
    requests
        .iter()
        .filter(|request| request.parameter("query") == Some(query))
        .count()
}

async fn refreshed(adapter: &Adapter, form: &str, outcome: &str) -> u64 {
    let metrics = adapter.metrics().await;
    let start = format!("promql_adapter_refreshes_total{{form=\"{form}\",outcome=\"{outcome}\"}} ");
    let count = metrics.lines().find_map(|line| line.strip_prefix(&start));
    count.map_or(0, |count| count.parse().unwrap())
}

async fn until<T>(what: &str, mut seen: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = seen().await {
            return found;
        }
        assert!(Instant::now() < deadline, "never came about: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
