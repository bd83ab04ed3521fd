//! Who asks for the same again is answered on the same basis while rules and objects are the same, and no longer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use promql_adapter::config::{self, ObjectsFile};
use promql_adapter::kubernetes::Objects;
use promql_adapter::model::{CustomRequest, GroupResource, ObjectChoice, Selector};
use promql_adapter::provider::{Again, Basis, Detail, Provider};
use promql_adapter::server::{Assembled, assemble};
use promql_adapter::telemetry::Metrics;

use crate::support::certificates::install_crypto;
use crate::support::fake_prometheus::{FakePrometheus, Reply};

const ALL: &str = r#"sum by (pod, namespace) (jobs{namespace="shop"})"#;

/// The start of the line that counts what the policy decided.
const POLICY: &str = "promql_adapter_policy_uses_total{rule=\"rules[0]\",policy=\"onNoTraffic\"} ";

const OBJECTS: &str = "
objects:
  - {resource: pods, namespace: shop, name: p1}
  - {resource: pods, namespace: shop, name: p2}
";

struct Shop {
    provider: Arc<Provider>,
    objects: Arc<Objects>,
    metrics: Arc<Metrics>,
    fake: FakePrometheus,
}

#[tokio::test]
async fn answer_is_the_same_while_nothing_changes_and_each_time_counts_as_asked() {
    let shop = Shop::open("1h", "1").await;
    let basis = shop.basis().await.expect("it was asked for before");
    assert!(basis.is_repeated());
    let before = shop.refreshed();
    for _ in 0..3 {
        assert_eq!(shop.again(&basis), "same");
    }
    assert_eq!(shop.refreshed(), before + 3);
}

#[tokio::test]
async fn who_has_not_kept_what_was_written_gets_the_values() {
    let shop = Shop::open("1h", "1").await;
    let basis = shop.basis().await.unwrap();
    assert_eq!(told(shop.provider.again(&all(), &basis, false)), "p1 1, p2 1");
}

#[tokio::test]
async fn newer_samples_are_served_on_the_old_basis() {
    let shop = Shop::open("3s", "1").await;
    let basis = shop.basis().await.unwrap();
    shop.samples("2");
    assert_eq!(shop.again(&basis), "same");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(shop.again(&basis), "nothing", "what was kept is no longer fresh");
    shop.ask(all()).await;
    assert_eq!(shop.again(&basis), "p1 2, p2 2");
}

#[tokio::test]
async fn answer_that_is_asked_for_once_has_no_basis() {
    let shop = Shop::open("1h", "1").await;
    assert!(
        shop.ask(request(ObjectChoice::Named("p1".to_owned())))
            .await
            .is_none()
    );
}

#[tokio::test]
async fn basis_lasts_until_an_object_comes_or_goes_in_its_namespace() {
    let shop = Shop::open("1h", "1").await;
    let basis = shop.basis().await.unwrap();
    shop.objects(&OBJECTS.replace("name: p2", "name: p2, labels: {app: till}"));
    assert_eq!(shop.again(&basis), "nothing");
    let basis = shop.basis().await.unwrap();
    shop.objects(&OBJECTS.replace("p2", "p3"));
    assert_eq!(shop.again(&basis), "nothing");
    assert_eq!(shop.again(&basis), "nothing", "and does not come back");
}

#[tokio::test]
async fn basis_lasts_until_the_rules_are_others() {
    let shop = Shop::open("1h", "1").await;
    let basis = shop.basis().await.unwrap();
    assert!(shop.provider.resources_changed().is_ok());
    assert_eq!(shop.again(&basis), "nothing");
}

#[tokio::test]
async fn what_a_policy_decided_is_not_kept_as_written() {
    let shop = Shop::open("1h", "NaN").await;
    let basis = shop.basis().await.unwrap();
    assert!(!basis.is_repeated());
    let before = shop.count(POLICY);
    assert_eq!(shop.again(&basis), "p1 7, p2 7");
    assert_eq!(shop.count(POLICY), before + 2, "it is decided anew");
}

impl Shop {
    /// Asks so that all objects of the namespace are asked about, and kept.
    async fn open(fresh_for: &str, value: &str) -> Shop {
        install_crypto();
        let fake = FakePrometheus::start().await;
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
            fake,
        };
        shop.samples(value);
        for pod in ["p2", "p3", "p4", "p5"] {
            shop.ask(request(ObjectChoice::Named(pod.to_owned()))).await;
        }
        shop
    }

    /// What both pods have from now on.
    fn samples(&self, value: &str) {
        let sample = |pod| [("namespace", "shop"), ("pod", pod)];
        let both = [(&sample("p1")[..], value), (&sample("p2"), value)];
        self.fake.on(ALL, Reply::vector(&both));
    }

    /// On what the answer about all pods rests when it is asked for the second time.
    async fn basis(&self) -> Option<Basis> {
        self.ask(all()).await;
        self.ask(all()).await
    }

    async fn ask(&self, request: CustomRequest) -> Option<Basis> {
        let outcome = self.provider.custom(&request, Detail::Brief).await;
        outcome.result.unwrap();
        outcome.basis
    }

    /// What there is about all pods for who has kept what was written.
    fn again(&self, basis: &Basis) -> String {
        told(self.provider.again(&all(), basis, true))
    }

    fn objects(&self, text: &str) {
        self.objects.replace(&objects_file(text)).unwrap();
    }

    /// How many requests were answered from what is kept.
    fn refreshed(&self) -> u64 {
        self.count("promql_adapter_cache_requests_total{outcome=\"refreshed\"} ")
    }

    /// The value of the metric whose line begins so.
    fn count(&self, start: &str) -> u64 {
        let metrics = self.metrics.encode();
        let count = metrics.lines().find_map(|line| line.strip_prefix(start));
        count.map_or(0, |count| count.parse().unwrap())
    }
}

fn request(objects: ObjectChoice) -> CustomRequest {
    CustomRequest {
        resource: GroupResource::parse("pods"),
        namespace: Some("shop".to_owned()),
        objects,
        metric: "jobs".to_owned(),
        metric_selector: Selector::default(),
    }
}

fn all() -> CustomRequest {
    request(ObjectChoice::Matching(Selector::default()))
}

fn told(again: Option<Again>) -> String {
    let values = match again {
        None => return "nothing".to_owned(),
        Some(Again::Same) => return "same".to_owned(),
        Some(Again::Anew(values, _)) => values.unwrap(),
    };
    let told = values
        .iter()
        .map(|value| format!("{} {}", value.object.name, value.value.quantity));
    told.collect::<Vec<_>>().join(", ")
}

fn objects_file(text: &str) -> ObjectsFile {
    ObjectsFile::parse(text, "objects.yaml").unwrap_or_else(|faults| panic!("{faults:?}"))
}
