//! An adapter in a cluster, with the rights that the manifests give it, and clients that ask it directly.

use kube::config::AuthInfo;
use reqwest::ClientBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::manifests::apply;
use crate::manifests::rendered::Rendered;
use crate::support::adapter::{Adapter, Setup};
use crate::support::certificates::{Authority, Pem};
use crate::support::cluster::Cluster;
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use crate::support::server::{eventually, trusting};

/// A metric of no object, so that no object has to be there.
pub(super) const METRIC: &str = "queue_length";

pub(super) const RULES: &str = "
externalRules:
  - metric: queue_length
    objects: {}
    gauge: {series: queue_length, aggregate: sum}
  - metric: other_length
    objects: {}
    gauge: {series: queue_length, aggregate: sum}
";

/// The metric in a namespace.
pub(super) fn metric_in(namespace: &str) -> String {
    format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{METRIC}")
}

/// An adapter that believes whom the cluster believes.
pub(super) struct Scene {
    pub(super) cluster: &'static Cluster,
    pub(super) adapter: Adapter,
    pub(super) authority: Authority,
    _prometheus: FakePrometheus,
    _directory: TempDir,
}

impl Scene {
    pub(super) async fn set(name: &str) -> Scene {
        Scene::set_with(Setup::new(RULES), name).await
    }

    /// `name` is that of the adapter's Service, in the namespace `promql-adapter`.
    pub(super) async fn set_with(setup: Setup, name: &str) -> Scene {
        let cluster = Cluster::shared().await;
        let prometheus = FakePrometheus::start().await;
        prometheus.on("sum(queue_length)", Reply::vector(&[(&[], "7")]));
        let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
        let token = account_of_the_manifests(cluster).await;
        let credentials = AuthInfo {
            token: Some(token.into()),
            ..AuthInfo::default()
        };
        let kubeconfig = cluster.kubeconfig_with(&credentials, directory.path());
        let setup = setup
            .https(&authority.server_named(&format!("{name}.promql-adapter.svc")))
            .backend(&prometheus.url())
            .argument(&format!("--lister-kubeconfig={}", kubeconfig.display()));
        let adapter = setup.start().await;
        eventually("the adapter is ready", async || {
            adapter.get("/readyz").await.status() == 200
        })
        .await;
        Scene {
            cluster,
            adapter,
            authority,
            _prometheus: prometheus,
            _directory: directory,
        }
    }

    /// A client that trusts the adapter.
    pub(super) fn client(&self) -> ClientBuilder {
        trusting(self.authority.pem())
    }

    /// Status and message of an answer to a client, with headers.
    pub(super) async fn ask(
        &self,
        client: ClientBuilder,
        headers: &[(&str, &str)],
        path: &str,
    ) -> (u16, String) {
        let url = format!("https://127.0.0.1:{}{path}", self.adapter.https_port());
        let mut request = client.build().unwrap().get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let message = body["message"].as_str().unwrap_or(&text);
        (status, message.to_owned())
    }

    /// As kube-apiserver asks for a user.
    pub(super) async fn ask_for(&self, user: &str, path: &str) -> (u16, String) {
        let proxy = Pem::read(&self.cluster.ready().certificates, "proxy-client");
        let headers = [("X-Remote-User", user), ("X-Remote-Group", "people")];
        self.ask(self.client().identity(proxy.identity()), &headers, path)
            .await
    }

    /// How often the cluster was asked what somebody may do.
    pub(super) async fn permission_reviews(&self) -> u64 {
        let root = self
            .cluster
            .authority("client-ca")
            .client("root", &["system:masters"]);
        let (status, metrics) = self
            .ask(self.client().identity(root.identity()), &[], "/metrics")
            .await;
        assert_eq!(status, 200, "{metrics}");
        let lines = metrics.lines();
        let counts = lines
            .filter_map(|line| line.strip_prefix("promql_adapter_access_reviews_total{kind=\"permission\""));
        counts
            .map(|rest| rest.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    }

    /// Lets a subject, `user=kim` or `serviceaccount=shop:reader`, list one external metric in one namespace.
    pub(super) async fn permit(&self, subject: &str, namespace: &str) {
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "one-metric", "namespace": namespace},
            "rules": [{
                "apiGroups": ["external.metrics.k8s.io"],
                "resources": [METRIC],
                "verbs": ["list"],
            }],
        });
        apply(self.cluster, &[role]).await;
        let subject = format!("--{subject}");
        let binding = [
            "create",
            "rolebinding",
            "one-metric",
            "--role=one-metric",
            "-n",
            namespace,
            &subject,
        ];
        self.cluster.kubectl(&binding).await;
    }
}

/// Applies what the manifests permit, and gives a token of the account that has it.
async fn account_of_the_manifests(cluster: &Cluster) -> String {
    let kinds = [
        "Namespace",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
    ];
    let objects = Rendered::with(&[]).0.into_iter();
    let access: Vec<Value> = objects
        .filter(|object| kinds.iter().any(|kind| object["kind"] == *kind))
        .collect();
    apply(cluster, &access).await;
    let token = cluster
        .kubectl(&["create", "token", "promql-adapter", "-n", "promql-adapter"])
        .await;
    token.trim().to_owned()
}
