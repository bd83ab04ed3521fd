//! Certificates that adapters make for themselves, under the eyes of the API server.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::Api;
use kube::api::{DeleteParams, GetParams, Request};
use tokio::time::interval;

use crate::support::adapter::{Adapter, Setup};
use crate::support::certificates::Pem;
use crate::support::cluster::{Cluster, Registration, SERVICE};
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use crate::support::forwarder::Forwarder;
use crate::support::server::{eventually, trusting};

const SERVED: [&str; 3] = [
    "v1beta1.custom.metrics.k8s.io",
    "v1beta2.custom.metrics.k8s.io",
    "v1beta1.external.metrics.k8s.io",
];
const SECRET: &str = "authority";

/// Where the only metric of [`config`] is.
const PLACE: &str = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default";
const METRIC: &str = "queue_length";

/// Two adapters begin without a Secret. Then their authority is replaced twice: because the Secret is deleted, while one
/// of them does not reach the API server, and because two thirds of its life are over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authority_is_replaced_without_a_failed_request() {
    let (cluster, prometheus) = (Cluster::shared().await, FakePrometheus::start().await);
    prometheus.on("sum(queue_length)", Reply::vector(&[(&[], "7")]));
    let mut registration = cluster.registration().await;
    let mut way = Forwarder::start(&[cluster.port()]).await;
    let adapter = async |port| adapter(cluster, port, registration.namespace(), &prometheus.url()).await;
    let (one, other) = tokio::join!(adapter(cluster.port()), adapter(way.port()));
    let service = Forwarder::start(&[one.https_port(), other.https_port()]).await;
    registration
        .register_without_authority(service.port(), &SERVED)
        .await;
    let asker = Asker::new(cluster, &registration, service.port()).await;
    eventually("the first answer", async || asker.api_server().await.is_ok()).await;

    let (answered, shown) = (Cell::new(0), Cell::new(0));
    tokio::select! {
        failure = until_failure(&answered, || asker.api_server()) => panic!("through the API server: {failure}"),
        failure = until_failure(&shown, || asker.new_connection()) => panic!("on a new connection: {failure}"),
        () = two_replacements(&asker, &mut way, &shown) => {}
    }

    let (answered, shown, connections) = (answered.get(), shown.get(), service.connections());
    assert!(answered > 100 && shown > 100, "{answered} {shown}");
    // The API server connects anew for each bundle, the first and three of each replacement, as it makes a transport for
    // each (kube-aggregator, `pkg/apiserver/handler_proxy.go`, 1.36).
    assert!(connections > shown + 7, "{connections} {shown}");
    let trouble = "serving certificates: the last certificate stays in use";
    assert!(!one.log().contains(trouble), "{}", one.log());
    assert!(other.log().contains(trouble), "{}", other.log());
}

async fn two_replacements(asker: &Asker, way: &mut Forwarder, shown: &Cell<usize>) {
    let first = asker.alone_after("").await;
    way.cut();
    let secret = DeleteParams::default();
    drop(asker.secrets.delete(SECRET, &secret).await.unwrap());
    asker.signing_after(&first).await;
    // Every second one sees a certificate of the first authority.
    let until = shown.get() + 40;
    eventually("40 new connections", async || shown.get() >= until).await;
    way.mend().await;
    let second = asker.alone_after(&first).await;
    asker.alone_after(&second).await;
}

/// Asks every 50 ms until one request fails; counts the others.
async fn until_failure<F>(answered: &Cell<usize>, ask: impl Fn() -> F) -> String
where
    F: Future<Output = Result<(), String>>,
{
    let mut times = interval(Duration::from_millis(50));
    loop {
        times.tick().await;
        if let Err(failure) = ask().await {
            return failure;
        }
        answered.set(answered.get() + 1);
    }
}

/// One that keeps its own certificate and is ready; the API server is on this port for it.
async fn adapter(cluster: &Cluster, port: u16, namespace: &str, prometheus: &str) -> Adapter {
    let setup = Setup::new(&config(namespace));
    setup.write("kubeconfig", &cluster.kubeconfig_through(port));
    let adapter = setup.backend(prometheus).https_as_configured().start().await;
    // A Service leads to nobody before.
    eventually("a certificate", async || {
        adapter.get("/readyz").await.status() == 200
    })
    .await;
    adapter
}

fn config(namespace: &str) -> String {
    format!(
        "
kubernetes: {{kubeconfig: kubeconfig}}
serving:
  certificateSecret: {{name: {SECRET}, namespace: {namespace}, caLifetime: 60s, leafLifetime: 10s}}
  service: {{name: {SERVICE}, namespace: {namespace}}}
externalRules:
  - metric: {METRIC}
    objects: {{}}
    gauge: {{series: queue_length, aggregate: sum}}
"
    )
}

/// Asks the adapters behind a port, and what is known of their authority.
struct Asker {
    client: kube::Client,
    secrets: Api<Secret>,
    api_services: Api<APIService>,
    front_proxy: reqwest::Identity,
    /// The name that the API server expects in a certificate.
    name: String,
    port: u16,
}

impl Asker {
    async fn new(cluster: &Cluster, registration: &Registration<'_>, port: u16) -> Asker {
        let client = cluster.client().await;
        let namespace = registration.namespace();
        Asker {
            secrets: Api::namespaced(client.clone(), namespace),
            api_services: Api::all(client.clone()),
            client,
            front_proxy: Pem::read(&cluster.ready().certificates, "proxy-client").identity(),
            name: format!("{SERVICE}.{namespace}.svc"),
            port,
        }
    }

    /// Asks the API server, which goes on with the connection that it has.
    async fn api_server(&self) -> Result<(), String> {
        let request = Request::new(PLACE).get(METRIC, &GetParams::default()).unwrap();
        let answer = self.client.request_text(request).await;
        check(&answer.map_err(|error| format!("{error:?}"))?)
    }

    /// Asks as the API server does when it connects: by what it trusts at this moment.
    async fn new_connection(&self) -> Result<(), String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let client = trusting(&self.ca_bundle(SERVED[2]).await)
            .identity(self.front_proxy.clone())
            .resolve(&self.name, address)
            .no_proxy()
            .build()
            .unwrap();
        let request = client
            .get(format!("https://{}:{}{PLACE}/{METRIC}", self.name, self.port))
            .header("X-Remote-User", "admin")
            .header("X-Remote-Group", "system:masters");
        let answer = async { request.send().await?.text().await };
        check(&answer.await.map_err(|error| format!("{error:?}"))?)
    }

    /// Waits until another authority signs; gives its certificate.
    async fn signing_after(&self, before: &str) -> String {
        self.wait_for(async || self.signing().await.filter(|it| it != before))
            .await
    }

    /// Waits until another authority signs and all APIServices trust it alone; gives its certificate.
    async fn alone_after(&self, before: &str) -> String {
        let alone = async || {
            let signing = self.signing().await.filter(|it| it != before)?;
            for name in SERVED {
                let trusted = self.ca_bundle(name).await;
                (trusted.trim_end() == signing.trim_end()).then_some(())?;
            }
            Some(signing)
        };
        self.wait_for(alone).await
    }

    /// What comes about within 80 s: an authority is replaced after 35 s, and 11 s later nobody trusts it any more.
    async fn wait_for(&self, what: impl AsyncFn() -> Option<String>) -> String {
        for _ in 0..800 {
            if let Some(it) = what().await {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the authority is not replaced");
    }

    /// The certificate of the authority that signs.
    async fn signing(&self) -> Option<String> {
        let mut data = self.secrets.get_opt(SECRET).await.unwrap()?.data?;
        Some(String::from_utf8(data.remove("signing.crt")?.0).unwrap())
    }

    async fn ca_bundle(&self, name: &str) -> String {
        let spec = self.api_services.get(name).await.unwrap().spec.unwrap();
        String::from_utf8(spec.ca_bundle.unwrap_or_default().0).unwrap()
    }
}

fn check(answer: &str) -> Result<(), String> {
    match answer.contains("\"value\":\"7\"") {
        true => Ok(()),
        false => Err(answer.to_owned()),
    }
}
