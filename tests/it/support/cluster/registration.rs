//! How the API server of a test finds an adapter on loopback.
//!
//! The APIService names a Service of type ExternalName that stands for `localhost`; kube-apiserver then dials the port
//! of the APIService there, and expects a certificate for `SERVICE.NAMESPACE.svc`. Endpoints with loopback addresses
//! would be refused.

use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use super::{Cluster, kubectl};
use crate::support::adapter::Setup;
use crate::support::certificates::{Authority, Pem};

/// The Service of the adapter.
pub(crate) const SERVICE: &str = "adapter";

/// The right to register adapters in a cluster, where each version of a group has one place only: another test waits
/// until this is dropped, which takes the APIServices away.
pub(crate) struct Registration<'a> {
    cluster: &'a Cluster,
    client: kube::Client,
    authority: Authority,
    namespace: String,
    registered: Vec<String>,
    _turn: MutexGuard<'a, ()>,
}

/// Whether the APIServices say whom to trust.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CaBundle {
    Given,
    LeftOut,
}

impl<'a> Registration<'a> {
    /// Waits for the turn.
    pub(super) async fn of(cluster: &'a Cluster) -> Registration<'a> {
        let turn = cluster.registering.lock().await;
        Registration {
            cluster,
            client: cluster.client().await,
            authority: Authority::new(),
            namespace: cluster.namespace("adapter").await,
            registered: Vec::new(),
            _turn: turn,
        }
    }

    /// An adapter that serves with the certificate that the API server expects. Other arguments stay to be given.
    pub(crate) fn serve(&self, setup: Setup) -> Setup {
        setup.https(&self.certificate())
    }

    /// The certificate that the API server expects.
    pub(crate) fn certificate(&self) -> Pem {
        let name = format!("{SERVICE}.{}.svc", self.namespace);
        self.authority.server_named(&name)
    }

    /// Who vouches for the adapter.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The namespace of the Service.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Registers the versions, given as `v1beta1.external.metrics.k8s.io`, of the adapter that serves HTTPS on a port of
    /// loopback, and waits until they are available.
    ///
    /// Once more for another port: the Service leads there from then on.
    pub(crate) async fn register(&mut self, port: u16, versions: &[&str]) {
        self.lead_to(port, versions, CaBundle::Given).await;
    }

    /// The same for adapters behind this port that set `caBundle` themselves.
    pub(crate) async fn register_without_authority(&mut self, port: u16, versions: &[&str]) {
        self.lead_to(port, versions, CaBundle::LeftOut).await;
    }

    async fn lead_to(&mut self, port: u16, versions: &[&str], ca_bundle: CaBundle) {
        let services: Api<Service> = Api::namespaced(self.client.clone(), &self.namespace);
        self.apply(&services, SERVICE, &service(port)).await;
        let api_services: Api<APIService> = Api::all(self.client.clone());
        for name in versions {
            self.registered.push((*name).to_owned());
            let mut api_service = self.api_service(name, port);
            if ca_bundle == CaBundle::Given {
                let authority = ByteString(self.authority.pem().as_bytes().to_vec());
                api_service["spec"]["caBundle"] = json!(authority);
            }
            self.apply(&api_services, name, &api_service).await;
        }
        for name in versions {
            self.available(name).await;
        }
    }

    /// Waits until the API server says this APIService is available.
    pub(crate) async fn available(&self, name: &str) {
        let api_services: Api<APIService> = Api::all(self.client.clone());
        let mut condition = Value::Null;
        for _ in 0..600 {
            let found = serde_json::to_value(api_services.get(name).await.unwrap()).unwrap();
            condition = found["status"]["conditions"][0].clone();
            if condition["type"] == "Available" && condition["status"] == "True" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{name} is not available: {condition}");
    }

    async fn apply<K>(&self, objects: &Api<K>, name: &str, object: &Value)
    where
        K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        let parameters = PatchParams::apply("test").force();
        let applied = objects.patch(name, &parameters, &Patch::Apply(object)).await;
        drop(applied.unwrap());
    }

    fn api_service(&self, name: &str, port: u16) -> Value {
        let (version, group) = name.split_once('.').unwrap();
        // The higher version is what the autoscaler asks for.
        let priority = if version == "v1beta2" { 200 } else { 100 };
        json!({
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": name},
            "spec": {
                "group": group,
                "version": version,
                "groupPriorityMinimum": 100,
                "versionPriority": priority,
                "service": {"namespace": self.namespace, "name": SERVICE, "port": port},
            },
        })
    }
}

impl Drop for Registration<'_> {
    /// An APIService whose adapter is gone keeps every namespace of the cluster from being deleted.
    fn drop(&mut self) {
        if self.registered.is_empty() {
            return;
        }
        let deleted = kubectl(&self.cluster.ready().kubeconfig)
            .args(["delete", "apiservice", "--ignore-not-found"])
            .args(&self.registered)
            .output();
        let deleted = deleted.is_ok_and(|output| output.status.success());
        assert!(deleted || std::thread::panicking(), "the APIServices stay behind");
    }
}

/// Stands for loopback.
fn service(port: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    })
}
