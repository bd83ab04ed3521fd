//! What pods use, asked about all namespaces at once and about each: the same numbers.
//!
//! The queues of the workload stand for namespaces, so that pods of the same name live in two of them.

use std::collections::BTreeMap;

use promql_adapter::promql::{MatchOp, Matcher, Narrowing, Query};
use serde_json::Value;

use super::{Scene, even_load, explained, milli, until, with_each};
use crate::support::adapter::Adapter;

const USAGE: &str = "/apis/metrics.k8s.io/v1beta1";

const OBJECTS: &str = "\
objects:
  - {resource: pods, namespace: orders, name: cart-0, labels: {app: cart}}
  - {resource: pods, namespace: orders, name: cart-1, labels: {app: cart}}
  - {resource: pods, namespace: mail, name: cart-0, labels: {app: cart}}
  - {resource: pods, namespace: mail, name: cart-2}
  - {resource: pods, namespace: mail, name: young-0}
  - {resource: nodes, name: cart}
";

/// With this around the queries; what is inside is safe to ask about all namespaces.
fn rules(around: &str) -> String {
    let query = |inner: &str| around.replace("QUERY", inner);
    let cpu = query("sum by (<<.GroupBy>>) (max_over_time(queue_depth{<<.LabelMatchers>>}[6s])) / 1000");
    let memory = query("sum(queue_depth{<<.LabelMatchers>>}) by (<<.GroupBy>>) * 1024");
    format!(
        "\
resourceRules:
  window: 6s
  cpu:
    containerQuery: '{cpu}'
    nodeQuery: 'max by (<<.GroupBy>>) (queue_depth{{<<.LabelMatchers>>}})'
    resources: &resources {{overrides: {{queue: {{resource: namespace}}, pod: {{resource: pod}}, service: {{resource: node}}}}}}
    containerLabel: namespace
  memory:
    containerQuery: '{memory}'
    nodeQuery: 'sum by (<<.GroupBy>>) (queue_depth{{<<.LabelMatchers>>}})'
    resources: *resources
    containerLabel: namespace
"
    )
}

#[tokio::test]
async fn usage_is_the_same_asked_wide_and_narrow() {
    let shop = even_load();
    let scenes = Scene::start_all(&shop).await;
    with_each(&scenes, async |scene| {
        let wide = scene.adapter(&rules("QUERY"), OBJECTS).await;
        let narrow = scene.adapter(&rules("topk(100, QUERY)"), OBJECTS).await;
        // `orders` holds four seconds of each pod's load and `mail` one: 10, 20 and 30 a second.
        let expected = BTreeMap::from([
            (("mail".to_owned(), "cart-0".to_owned()), (10, 10 * 1024)),
            (("mail".to_owned(), "cart-2".to_owned()), (30, 30 * 1024)),
            (("orders".to_owned(), "cart-0".to_owned()), (40, 40 * 1024)),
            (("orders".to_owned(), "cart-1".to_owned()), (80, 80 * 1024)),
        ]);
        for adapter in [&wide, &narrow] {
            until("the use of all pods", async || {
                let used = used(adapter, "/pods").await;
                if used == expected {
                    Ok(())
                } else {
                    Err(format!("{used:?}"))
                }
            })
            .await;
            let mut mail = expected.clone();
            mail.retain(|(namespace, _), _| namespace == "mail");
            assert_eq!(used(adapter, "/namespaces/mail/pods").await, mail);
            mail.retain(|(_, name), _| name == "cart-0");
            assert_eq!(
                used(adapter, "/namespaces/mail/pods?labelSelector=app%3Dcart").await,
                mail
            );
            let (status, young) = adapter
                .json(&format!("{USAGE}/namespaces/mail/pods/young-0"))
                .await;
            assert_eq!(status, 404, "{young}");
            let (_, nodes) = adapter.json(&format!("{USAGE}/nodes")).await;
            let usage = &nodes["items"][0]["usage"];
            assert_eq!(
                (&usage["cpu"], &usage["memory"]),
                (&"120".into(), &"300".into()),
                "{nodes}"
            );
        }
        assert_eq!(questions(&wide).await, 2);
        assert_eq!(questions(&narrow).await, 4);
    })
    .await;
    shop.workload.stop().await;
}

/// Each answer of a narrow question stands in the answer of the wide one, and nothing else of that namespace.
#[tokio::test]
async fn wide_answers_hold_the_narrow_ones() {
    let shop = even_load();
    let scenes = Scene::start_all(&shop).await;
    with_each(&scenes, async |scene| {
        scene
            .backend
            .wait_for("min(count_over_time(queue_depth[8s])) >= 8")
            .await;
        let at = Some(scene.backend.now().await - 3.5);
        for query in QUERIES {
            let pods = Matcher::one_of("pod", &["cart-0", "cart-2"]).unwrap();
            for namespace in ["orders", "mail"] {
                let of_namespace = Matcher::one_of("queue", &[namespace]).unwrap();
                let narrow = query.replace("LM", &format!("{of_namespace},{pods}"));
                let narrow = Query::parse(&narrow).unwrap();
                let any = Matcher::new("queue", MatchOp::NotEqual, "").unwrap();
                let narrowing = Narrowing {
                    namespace: Some((&of_namespace, &any)),
                    object: Some(&pods),
                };
                let (wide, _) = narrow.widened(narrowing).unwrap();
                let expected = samples(&scene.backend.query(narrow.text(), at).await, namespace);
                let mut found = samples(&scene.backend.query(wide.text(), at).await, namespace);
                found.retain(|labels, _| labels["queue"] == namespace && labels["pod"] != "cart-1");
                assert!(!expected.is_empty(), "{narrow}");
                assert_eq!(found, expected, "{wide}");
            }
        }
    })
    .await;
    shop.workload.stop().await;
}

/// In all shapes that are widened; `LM` stands for the matchers.
const QUERIES: [&str; 9] = [
    "queue_depth{LM} * 2",
    "sum by (pod) (queue_depth{LM})",
    "sum by (pod,service) (max_over_time(queue_depth{LM}[3s])) / 1000",
    "max by (pod) (sum by (pod,service) (queue_depth{LM,service!=\"none\"}))",
    "max_over_time(sum by (pod) (queue_depth{LM})[3s:1s])",
    "sum by (pod) (queue_depth{LM}) / on (pod) sum by (pod) (queue_depth{LM} offset 1s)",
    "sum by (pod,service) (queue_depth{LM}) / on (pod) group_left () sum by (pod) (queue_depth{LM})",
    "queue_depth{LM} / ignoring (service) queue_depth{LM}",
    "sum by (pod) (queue_depth{LM} > 1e9) or -sum by (pod) (queue_depth{LM})",
];

/// Values by labels, with that of the namespace even where the query leaves it out.
fn samples(vector: &[Value], namespace: &str) -> BTreeMap<BTreeMap<String, String>, String> {
    let samples = vector.iter().map(|sample| {
        let labels = sample["metric"].as_object().unwrap().iter();
        let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        let mut labels: BTreeMap<String, String> = labels.collect();
        labels
            .entry("queue".to_owned())
            .or_insert_with(|| namespace.to_owned());
        (labels, sample["value"][1].as_str().unwrap().to_owned())
    });
    samples.collect()
}

/// Thousandths of cpu and bytes of memory by namespace and pod.
async fn used(adapter: &Adapter, path: &str) -> BTreeMap<(String, String), (i64, i64)> {
    let (status, list) = adapter.json(&format!("{USAGE}{path}")).await;
    assert_eq!(status, 200, "{list}");
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let [container] = item["containers"].as_array().unwrap().as_slice() else {
                panic!("one container in {item}");
            };
            assert_eq!(container["name"], "shop");
            assert_eq!(item["window"], "6s");
            let amount = |usage: &str| container["usage"][usage].as_str().map_or(0, milli);
            let object = (
                text(&item["metadata"]["namespace"]),
                text(&item["metadata"]["name"]),
            );
            (object, (amount("cpu"), amount("memory") / 1000))
        })
        .collect()
}

/// How many questions the use of all pods takes.
async fn questions(adapter: &Adapter) -> usize {
    let explanation = explained(adapter, &format!("{USAGE}/pods")).await;
    1 + explanation.further_ways.len()
}
