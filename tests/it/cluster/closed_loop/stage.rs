//! Everything that the scenarios share: a control plane, three Prometheus servers and the adapter, registered.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::support::adapter::{Adapter, Setup};
use crate::support::certificates::Pem;
use crate::support::cluster::{Cluster, Registration};
use crate::support::server::trusting;
use crate::support::servers::{Backend, Kind};

/// The versions that the adapter serves.
const SERVED: &[&str] = &[
    "v1beta1.custom.metrics.k8s.io",
    "v1beta2.custom.metrics.k8s.io",
    "v1beta1.external.metrics.k8s.io",
    "v1beta1.metrics.k8s.io",
];

/// Which Prometheus a service is scraped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scraper {
    /// It runs all the time.
    Steady,
    /// One scenario kills it.
    Mortal,
    /// One scenario stops it from going on.
    Frozen,
}

/// A control plane whose autoscalers ask the adapter.
pub(super) struct Stage<'a> {
    pub(super) cluster: &'a Cluster,
    steady: Server,
    mortal: Server,
    frozen: Server,
    registration: Mutex<Registration<'a>>,
    adapter: Mutex<Option<Adapter>>,
}

struct Server {
    /// Of the files that say what to scrape.
    targets: TempDir,
    prometheus: Mutex<Backend>,
}

impl Server {
    async fn start() -> Server {
        let targets = tempfile::tempdir().unwrap();
        let prometheus = Backend::start(Kind::Prometheus3, &targets.path().join("*.json")).await;
        Server {
            targets,
            prometheus: Mutex::new(prometheus),
        }
    }

    async fn url(&self) -> String {
        self.prometheus.lock().await.url.clone()
    }
}

impl<'a> Stage<'a> {
    pub(super) async fn set(cluster: &'a Cluster) -> Stage<'a> {
        let (steady, mortal, frozen) = tokio::join!(Server::start(), Server::start(), Server::start());
        let stage = Stage {
            cluster,
            steady,
            mortal,
            frozen,
            registration: Mutex::new(cluster.registration().await),
            adapter: Mutex::new(None),
        };
        stage.start_adapter().await;
        stage
    }

    /// One of the servers, to do something to it.
    pub(super) async fn prometheus(&self, scraper: Scraper) -> MutexGuard<'_, Backend> {
        self.server(scraper).prometheus.lock().await
    }

    /// The file that tells a server what to scrape in a namespace.
    pub(super) fn targets(&self, scraper: Scraper, namespace: &str) -> PathBuf {
        self.server(scraper)
            .targets
            .path()
            .join(format!("{namespace}.json"))
    }

    fn server(&self, scraper: Scraper) -> &Server {
        match scraper {
            Scraper::Steady => &self.steady,
            Scraper::Mortal => &self.mortal,
            Scraper::Frozen => &self.frozen,
        }
    }

    /// Starts the adapter and registers it.
    pub(super) async fn start_adapter(&self) {
        let mut registration = self.registration.lock().await;
        let adapter = registration.serve(Setup::new(&self.config().await)).start().await;
        registration.register(adapter.https_port(), SERVED).await;
        *self.adapter.lock().await = Some(adapter);
    }

    /// Ends the adapter as a crash would.
    pub(super) async fn kill_adapter(&self) {
        self.adapter.lock().await.take();
    }

    /// What the adapter answers when it is asked without the API server, but in its name.
    pub(super) async fn ask_as_front_proxy(&self, path: &str) -> Value {
        let proxy = Pem::read(&self.cluster.ready().certificates, "proxy-client");
        let client = trusting(self.registration.lock().await.authority().pem())
            .identity(proxy.identity())
            .build()
            .unwrap();
        let port = self.adapter.lock().await.as_ref().unwrap().https_port();
        let request = client
            .get(format!("https://127.0.0.1:{port}{path}"))
            .header("X-Remote-User", "admin")
            .header("X-Remote-Group", "system:masters");
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The rules of the guide with windows of seconds, and what the scenarios want beside them.
    async fn config(&self) -> String {
        let guide = std::fs::read_to_string(Path::new("tests/workload/rules.yaml")).unwrap();
        let (steady, mortal, frozen) = tokio::join!(self.steady.url(), self.mortal.url(), self.frozen.url());
        format!(
            "
kubernetes: {{kubeconfig: '{kubeconfig}'}}
evaluationGrid: 1s
freshFor: 1s
serveStaleFor: 2s
failureHold: 1s
backends:
  default: {{url: '{steady}'}}
  mortal: {{url: '{mortal}'}}
  frozen: {{url: '{frozen}'}}
externalRules:
  - metric: http_requests_per_second_in_all
    rate: {{counter: http_requests_total, window: 5s}}
  - metric: length_of_no_queue
    gauge: {{series: length_of_no_queue}}
resourceRules:
  cpu:
    containerQuery: sum by (<<.GroupBy>>) (rate(process_cpu_seconds_total{{<<.LabelMatchers>>}}[5s]))
    nodeQuery: sum by (<<.GroupBy>>) (rate(process_cpu_seconds_total{{<<.LabelMatchers>>}}[5s]))
    resources: {{overrides: {{namespace: {{resource: namespace}}, pod: {{resource: pod}}, node: {{resource: node}}}}}}
    containerLabel: container
  memory:
    containerQuery: sum by (<<.GroupBy>>) (process_resident_memory_bytes{{<<.LabelMatchers>>}})
    nodeQuery: sum by (<<.GroupBy>>) (process_resident_memory_bytes{{<<.LabelMatchers>>}})
    resources: {{overrides: {{namespace: {{resource: namespace}}, pod: {{resource: pod}}, node: {{resource: node}}}}}}
    containerLabel: container
  window: 5s
{guide}
  - metric: mortal_requests_per_second
    rate: {{counter: http_requests_total, window: 5s}}
    backend: mortal
  - metric: frozen_requests_per_second
    rate: {{counter: http_requests_total, window: 5s}}
    backend: frozen
  - metric: strict_p95_seconds
    objects: {{namespace: namespace, services: service}}
    quantile: {{histogram: http_request_duration_seconds, q: 0.95, window: 5s}}
",
            kubeconfig = self.cluster.ready().kubeconfig.display(),
            guide = guide.replace("window: 1m", "window: 5s"),
        )
    }
}
