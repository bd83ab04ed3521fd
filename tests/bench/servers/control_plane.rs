//! A control plane with the pods of a shop, and what kube-apiserver counts of itself.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::PostParams;
use kube::config::Kubeconfig;
use serde_json::{Value, json};

use super::tls::CONTROLLER;
use crate::http_client::runtime;
use crate::load::{Target, Trust};
use crate::shop::Shop;
use crate::support::certificates::Pem;
use crate::support::cluster::Cluster;

/// Pods that are made at once.
const AT_ONCE: usize = 32;

/// The groups of the controller's account.
const GROUPS: [&str; 3] = [
    "system:serviceaccounts",
    "system:serviceaccounts:kube-system",
    "system:authenticated",
];

/// A running control plane.
pub(crate) struct ControlPlane {
    pub(crate) cluster: Cluster,
    client: kube::Client,
}

impl ControlPlane {
    pub(crate) fn start() -> ControlPlane {
        runtime().block_on(async {
            let cluster = Cluster::start().await;
            let client = cluster.client().await;
            ControlPlane { cluster, client }
        })
    }

    /// Makes the namespaces and the pods. Nothing runs them, so that they stay pending.
    pub(crate) fn fill(&self, shop: &Shop) {
        runtime().block_on(async {
            let namespaces: Api<Namespace> = Api::all(self.client.clone());
            for name in shop.namespace_names() {
                let namespace = json!({"metadata": {"name": name}});
                let namespace = serde_json::from_value(namespace).unwrap();
                drop(
                    namespaces
                        .create(&PostParams::default(), &namespace)
                        .await
                        .unwrap(),
                );
            }
            // Kept, a hundred thousand of them would take some gigabytes.
            let pods = stream::iter(shop.pod_names());
            let made =
                pods.for_each_concurrent(AT_ONCE, |(namespace, name, app)| self.make(namespace, name, app));
            made.await;
        });
    }

    async fn make(&self, namespace: String, name: String, app: String) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
        let made = pods.create(&PostParams::default(), &pod(&name, &app)).await;
        drop(made.unwrap());
    }

    /// Of the administrator.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.cluster.ready().kubeconfig
    }

    /// A server that the aggregation layer asks for the controller, met as that layer meets it.
    pub(crate) fn front_proxy(&self, address: SocketAddr, authority: &str) -> Target {
        let certificate = Pem::read(&self.cluster.ready().certificates, "proxy-client");
        let groups = GROUPS.map(|group| ("x-remote-group".to_owned(), group.to_owned()));
        let user = ("x-remote-user".to_owned(), CONTROLLER.to_owned());
        Target {
            address,
            tls: Some(Arc::new(Trust {
                authority: authority.to_owned(),
                certificate,
            })),
            headers: [user].into_iter().chain(groups).collect(),
        }
    }

    /// kube-apiserver, asked by the controller.
    pub(crate) fn api_server(&self) -> Target {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig()).unwrap();
        let server = kubeconfig.clusters[0].cluster.as_ref().unwrap().server.clone();
        let address = server.unwrap().trim_start_matches("https://").parse().unwrap();
        Target {
            address,
            tls: Some(Arc::new(Trust {
                authority: self.cluster.authority("serving-ca").pem().to_owned(),
                certificate: self.cluster.authority("client-ca").client(CONTROLLER, &GROUPS),
            })),
            headers: Vec::new(),
        }
    }

    /// What kube-apiserver may be asked for a metric request: LISTs of pods and reviews that it has answered.
    pub(crate) fn asked(&self) -> (f64, f64) {
        (
            self.requests("LIST", "pods"),
            self.requests("POST", "subjectaccessreviews"),
        )
    }

    /// Requests that kube-apiserver has answered for a verb and a resource, since it started.
    fn requests(&self, verb: &str, resource: &str) -> f64 {
        let request = http::Request::get("/metrics").body(Vec::new()).unwrap();
        let text = runtime().block_on(self.client.request_text(request)).unwrap();
        let (verb, resource) = (format!("verb=\"{verb}\""), format!("resource=\"{resource}\""));
        let lines = text.lines().filter(|line| {
            line.starts_with("apiserver_request_total{") && line.contains(&verb) && line.contains(&resource)
        });
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    }
}

/// A pod of about 4 KB, as most in a cluster are.
fn pod(name: &str, app: &str) -> Pod {
    let variables: Vec<Value> = (0..20)
        .map(|number| json!({"name": format!("SETTING_{number}"), "value": "0123456789".repeat(4)}))
        .collect();
    let pod = json!({
        "metadata": {
            "name": name,
            "labels": {"app": app, "pod-template-hash": "5c9f7d8b64"},
            "annotations": {"example.org/config": "0123456789".repeat(60)},
        },
        "spec": {"containers": [{
            "name": "main",
            "image": "registry.example.org/team/web:1.2.3",
            "env": variables,
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        }]},
    });
    serde_json::from_value(pod).unwrap()
}
