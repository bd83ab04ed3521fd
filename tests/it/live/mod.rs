//! The real program in front of real servers that scrape the sample workload.

mod discovery;
mod embedded;
mod https;
mod outage;
mod sharing;
mod usage;
mod values;

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join_all;
use promql_adapter::api::{Answer, Explanation};
use promql_adapter::workload::{Load, Options};

use crate::support::adapter::{Adapter, Setup};
use crate::support::servers::{Backend, Kind, Shop, start_shop};

/// Scrape interval of the backends.
const SCRAPE_SECONDS: f64 = 1.0;

/// What is waited for comes within this, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(60);

const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2";
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";

/// The objects of the workload.
const OBJECTS: &str = "\
objects:
  - {resource: pods, namespace: shop, name: cart-0, labels: {app: cart}}
  - {resource: pods, namespace: shop, name: cart-1, labels: {app: cart}}
  - {resource: pods, namespace: shop, name: cart-2, labels: {app: cart}}
  - {resource: services, namespace: shop, name: cart}
";

/// 60 requests a second, a sixth, a third and a half of them to the three pods.
///
/// The load is even and its durations stay as they are, so that what the truth and a backend differ by is only
/// where their windows begin and end.
fn even_load() -> Shop {
    let load = Load {
        lowest: 60.0,
        highest: 60.0,
        period: Duration::from_secs(24 * 60 * 60),
    };
    start_shop(Options {
        load,
        ..Options::default()
    })
}

/// A backend that scrapes the workload.
struct Scene {
    kind: Kind,
    backend: Backend,
}

impl Scene {
    async fn start(kind: Kind, shop: &Shop) -> Scene {
        let backend = Backend::start(kind, &shop.targets_file).await;
        Scene { kind, backend }
    }

    /// One of every kind, all over the same workload.
    async fn start_all(shop: &Shop) -> Vec<Scene> {
        let kinds = [
            Kind::Prometheus2,
            Kind::Prometheus3,
            Kind::VictoriaMetricsOld,
            Kind::VictoriaMetricsNew,
        ];
        join_all(kinds.map(|kind| Scene::start(kind, shop))).await
    }

    /// An adapter with these rules over the backend.
    async fn adapter(&self, config: &str, objects: &str) -> Adapter {
        let setup = Setup::new(config).objects(objects);
        setup.backend(&self.backend.url).start().await
    }

    fn is_prometheus(&self) -> bool {
        matches!(self.kind, Kind::Prometheus2 | Kind::Prometheus3)
    }
}

/// Holds a check against every backend at the same time, to the end, and then tells which did not pass.
async fn with_each(scenes: &[Scene], check: impl AsyncFn(&Scene)) {
    let checks = scenes.iter().map(async |scene| {
        let outcome = AssertUnwindSafe(check(scene)).catch_unwind().await;
        outcome.err().map(|_| scene.kind)
    });
    let failed: Vec<Kind> = join_all(checks).await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "see above what failed with {failed:?}");
}

/// The path of a custom metric in the namespace of the workload.
fn custom(objects_and_metric: &str) -> String {
    format!("{CUSTOM}/namespaces/shop/{objects_and_metric}")
}

/// The path of an external metric in the namespace of the workload.
fn external(metric: &str) -> String {
    format!("{EXTERNAL}/namespaces/shop/{metric}")
}

async fn explained(adapter: &Adapter, path: &str) -> Explanation {
    let (status, body) = adapter.json(&format!("/explain{path}")).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_value(body).unwrap()
}

/// Code, reason and message of an answer that is an error.
fn failure(explanation: &Explanation) -> Option<(u16, &str, &str)> {
    match &explanation.answer {
        Answer::Values(_) => None,
        Answer::Failure {
            code,
            reason,
            message,
        } => Some((*code, reason, message)),
    }
}

/// Names of the metrics that a group lists, sorted.
async fn listed(adapter: &Adapter, group_version: &str) -> Vec<String> {
    let (status, list) = adapter.json(group_version).await;
    assert_eq!(status, 200, "{list}");
    let resources = list["resources"].as_array().unwrap();
    let names = resources
        .iter()
        .map(|resource| resource["name"].as_str().unwrap());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}

/// Asks again until there is something; what was seen last is told if that does not come about.
async fn until<T>(what: &str, mut seen: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match seen().await {
            Ok(found) => return found,
            Err(last) => assert!(
                Instant::now() < deadline,
                "never came about: {what}; at last {last}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A Kubernetes quantity in thousandths.
fn milli(quantity: &str) -> i64 {
    let quantity: promql_adapter::model::Quantity = quantity.parse().unwrap();
    quantity.milli()
}
