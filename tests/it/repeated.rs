//! Who asks for the same again gets the same answer while rules, objects and samples are the same, and no longer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use promql_adapter::config::{self, ObjectsFile};
use promql_adapter::kubernetes::Objects;
use promql_adapter::model::{CustomRequest, GroupResource, ObjectChoice, Selector};
use promql_adapter::provider::{Basis, Detail, Provider};
use promql_adapter::server::{Assembled, assemble};
use promql_adapter::telemetry::Metrics;

use crate::support::certificates::install_crypto;
use crate::support::fake_prometheus::{FakePrometheus, Reply};

const ALL: &str = r#"sum by (pod, namespace) (jobs{namespace="shop"})"#;

const OBJECTS: &str = "
objects:
  - {resource: pods, namespace: shop, name: p1}
  - {resource: pods, namespace: shop, name: p2}
";

struct Shop {
    provider: Arc<Provider>,
    objects: Arc<Objects>,
    metrics: Arc<Metrics>,
    _fake: FakePrometheus,
}

#[tokio::test]
async fn answer_stands_while_nothing_changes_and_each_time_counts_as_asked() {
    let shop = Shop::open("1h", "1").await;
    let basis = shop.basis().await.expect("it was asked for before");
    let before = shop.refreshed();
    for _ in 0..3 {
        assert!(shop.provider.stands(&basis));
    }
    assert_eq!(shop.refreshed(), before + 3);
}

#[tokio::test]
async fn answer_that_is_asked_for_once_has_no_basis() {
    let shop = Shop::open("1h", "1").await;
    assert!(shop.ask(ObjectChoice::Named("p1".to_owned())).await.is_none());
}

#[tokio::test]
async fn answer_stands_until_an_object_comes_or_goes_in_its_namespace() {
    let shop = Shop::open("1h", "1").await;
    let basis = shop.basis().await.unwrap();
    shop.objects(&OBJECTS.replace("name: p2", "name: p2, labels: {app: till}"));
    assert!(!shop.provider.stands(&basis));
    let basis = shop.basis().await.unwrap();
    shop.objects(&OBJECTS.replace("p2", "p3"));
    assert!(!shop.provider.stands(&basis));
    assert!(!shop.provider.stands(&basis), "and does not come back");
}

#[tokio::test]
async fn answer_stands_until_the_rules_are_others() {
    let shop = Shop::open("1h", "1").await;
    let basis = shop.basis().await.unwrap();
    assert!(shop.provider.resources_changed().is_ok());
    assert!(!shop.provider.stands(&basis));
}

#[tokio::test]
async fn answer_stands_while_it_is_fresh() {
    let shop = Shop::open("3s", "1").await;
    let basis = shop.basis().await.unwrap();
    assert!(shop.provider.stands(&basis));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!shop.provider.stands(&basis));
}

#[tokio::test]
async fn answer_that_a_policy_decided_has_no_basis() {
    let shop = Shop::open("1h", "NaN").await;
    assert!(shop.basis().await.is_none());
}

impl Shop {
    /// Asks so that all objects of the namespace are asked about, and kept.
    async fn open(fresh_for: &str, value: &str) -> Shop {
        install_crypto();
        let fake = FakePrometheus::start().await;
        let sample = |pod| [("namespace", "shop"), ("pod", pod)];
        fake.on(
            ALL,
            Reply::vector(&[(&sample("p1"), value), (&sample("p2"), value)]),
        );
        let text = format!(
            "freshFor: {fresh_for}\nbackends: {{default: {{url: '{}'}}}}\nrules:\n  - metric: jobs\n    \
             gauge: {{series: jobs}}\n    onEmpty: {{answer: missing}}\n    onNoTraffic: {{answer: value, value: 7}}\n",
            fake.url()
        );
        let loaded = config::load(&text, "config.yaml", &BTreeMap::new(), &[]);
        let mut configuration = loaded.unwrap_or_else(|faults| panic!("{faults:?}"));
        configuration.objects = Some(objects_file(OBJECTS));
        let metrics = Arc::new(Metrics::default());
        let assembled = assemble(&configuration, None, &metrics).await;
        let Ok(Assembled {
            provider, objects, ..
        }) = assembled
        else {
            panic!("the configuration of this test is right");
        };
        let shop = Shop {
            provider,
            objects,
            metrics,
            _fake: fake,
        };
        for pod in ["p2", "p3", "p4", "p5"] {
            shop.ask(ObjectChoice::Named(pod.to_owned())).await;
        }
        shop
    }

    /// On what the answer about all pods rests when it is asked for the second time.
    async fn basis(&self) -> Option<Basis> {
        let all = || ObjectChoice::Matching(Selector::default());
        self.ask(all()).await;
        self.ask(all()).await
    }

    async fn ask(&self, objects: ObjectChoice) -> Option<Basis> {
        let request = CustomRequest {
            resource: GroupResource::parse("pods"),
            namespace: Some("shop".to_owned()),
            objects,
            metric: "jobs".to_owned(),
            metric_selector: Selector::default(),
        };
        let outcome = self.provider.custom(&request, Detail::Brief).await;
        outcome.result.unwrap();
        outcome.basis
    }

    fn objects(&self, text: &str) {
        self.objects.replace(&objects_file(text)).unwrap();
    }

    /// How many requests were answered from what is kept.
    fn refreshed(&self) -> u64 {
        let metrics = self.metrics.encode();
        let start = "promql_adapter_cache_requests_total{outcome=\"refreshed\"} ";
        let count = metrics.lines().find_map(|line| line.strip_prefix(start));
        count.map_or(0, |count| count.parse().unwrap())
    }
}

fn objects_file(text: &str) -> ObjectsFile {
    ObjectsFile::parse(text, "objects.yaml").unwrap_or_else(|faults| panic!("{faults:?}"))
}
