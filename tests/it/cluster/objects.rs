//! Objects and resources as the adapter knows them from a real cluster.

use std::path::Path;

use crate::support::adapter::{Adapter, Setup};
use crate::support::certificates::Authority;
use crate::support::cluster::Cluster;
use crate::support::fake_prometheus::FakePrometheus;
use crate::support::server::eventually;

/// Two metrics: one of pods, one of a kind that the test makes.
fn rules(group: &str) -> String {
    format!(
        "rules:\n  - metric: requests\n    rate: {{counter: requests_total, window: 2m}}\n  - metric: items\n    \
         objects: {{namespace: namespace, carts.{group}: cart}}\n    gauge: {{series: items}}\n"
    )
}

/// It is asked directly, by somebody who may do everything.
async fn adapter(cluster: &Cluster, kubeconfig: &Path, group: &str, prometheus: &FakePrometheus) -> Adapter {
    let authority = Authority::new();
    let client_ca = cluster.authority_file("client-ca");
    let setup = Setup::new(&rules(group))
        .https(&authority.server())
        .backend(&prometheus.url())
        .argument(&format!("--lister-kubeconfig={}", kubeconfig.display()))
        .argument(&format!("--client-ca-file={}", client_ca.display()))
        .argument("--authentication-skip-lookup");
    let admin = cluster
        .authority("client-ca")
        .client("admin", &["system:masters"]);
    setup.start().await.showing(&authority, &admin)
}

/// Status and message for several objects.
async fn ask(adapter: &Adapter, namespace: &str, rest: &str) -> (u16, String) {
    let path = format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/{rest}");
    let (code, body) = adapter.json(&path).await;
    (code, body["message"].as_str().unwrap_or_default().to_owned())
}

async fn pod(cluster: &Cluster, namespace: &str, name: &str, app: &str) {
    let label = format!("--labels=app={app}");
    cluster
        .kubectl(&["run", name, "-n", namespace, "--image=none", &label])
        .await;
}

#[tokio::test]
async fn pods_are_found_by_their_labels_of_now() {
    let cluster = Cluster::shared().await;
    let prometheus = FakePrometheus::start().await;
    let namespace = cluster.namespace("labels").await;
    pod(cluster, &namespace, "cart-0", "cart").await;
    pod(cluster, &namespace, "cart-1", "cart").await;
    let kubeconfig = &cluster.ready().kubeconfig;
    let adapter = adapter(cluster, kubeconfig, "labels.example", &prometheus).await;
    let carts = "pods/*/requests?labelSelector=app%3Dcart";

    ask(&adapter, &namespace, carts).await;
    let asked = prometheus.requests();
    let query = asked.last().unwrap().parameter("query").unwrap().to_owned();
    assert!(query.contains("cart-0") && query.contains("cart-1"), "{query}");

    cluster
        .kubectl(&[
            "label",
            "pod",
            "-n",
            &namespace,
            "cart-0",
            "app=till",
            "--overwrite",
        ])
        .await;
    cluster
        .kubectl(&[
            "delete",
            "pod",
            "-n",
            &namespace,
            "cart-1",
            "--grace-period=0",
            "--force",
        ])
        .await;
    let gone = format!("selector app=cart matches no pods in namespace {namespace}");
    eventually("no cart", async || {
        ask(&adapter, &namespace, carts).await.1.contains(&gone)
    })
    .await;
    let (code, message) = ask(&adapter, &namespace, "secrets/*/requests").await;
    assert_eq!(
        (code, message.contains("for pods only")),
        (404, true),
        "{message}"
    );
    let metrics = adapter.metrics().await;
    assert!(
        metrics.contains("promql_adapter_watched_objects{resource=\"pods\"}"),
        "{metrics}"
    );
    assert!(
        !metrics.contains("promql_adapter_watched_objects{resource=\"secrets\"}"),
        "{metrics}"
    );
}

#[tokio::test]
async fn rule_of_a_new_kind_becomes_valid_and_is_disabled_when_the_kind_goes() {
    let cluster = Cluster::shared().await;
    let prometheus = FakePrometheus::start().await;
    let namespace = cluster.namespace("kinds").await;
    let kubeconfig = &cluster.ready().kubeconfig;
    let adapter = adapter(cluster, kubeconfig, "kinds.example", &prometheus).await;
    adapter
        .logged("no resource `carts.kinds.example` is served")
        .await;

    let crd = r#"{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "carts.kinds.example"},
        "spec": {"group": "kinds.example", "scope": "Namespaced",
            "names": {"plural": "carts", "singular": "cart", "kind": "Cart"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}]}}"#;
    adapter.files().write("crd.json", crd);
    let file = adapter.files().path().join("crd.json").display().to_string();
    cluster.kubectl(&["create", "-f", &file]).await;
    let carts = "carts.kinds.example/*/items";
    let none = format!("there are no carts in namespace {namespace}");
    eventually("a list of carts", async || {
        ask(&adapter, &namespace, carts).await.1.contains(&none)
    })
    .await;
    adapter.logged("rules[1]: is no longer disabled").await;

    cluster.kubectl(&["delete", "-f", &file]).await;
    eventually("the end of carts", async || {
        ask(&adapter, &namespace, carts)
            .await
            .1
            .contains("no such resource is served")
    })
    .await;
    adapter.logged("carts.kinds.example are no longer watched").await;
}

#[tokio::test]
async fn missing_permission_is_named_with_its_cure_and_heals() {
    let cluster = Cluster::shared().await;
    let prometheus = FakePrometheus::start().await;
    let namespace = cluster.namespace("permission").await;
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = cluster.kubeconfig_of("stranger", directory.path());
    let adapter = adapter(cluster, &kubeconfig, "permission.example", &prometheus).await;

    let (code, message) = ask(&adapter, &namespace, "pods/*/requests").await;
    let cure = "its ClusterRole needs {apiGroups: [\"\"], resources: [pods], verbs: [list, watch]}";
    assert_eq!((code, message.contains(cure)), (503, true), "{message}");
    let ready = adapter.get("/readyz?verbose").await;
    assert_eq!(ready.status().as_u16(), 200);
    let ready = ready.text().await.unwrap();
    assert!(
        ready.contains(&format!(
            "[i]pods: not watched: the adapter has no permission, {cure}"
        )),
        "{ready}"
    );

    let user = ["--user=stranger"];
    let role = [
        "create",
        "clusterrole",
        "stranger",
        "--verb=list,watch",
        "--resource=pods",
    ];
    cluster.kubectl(&role).await;
    let binding = [
        "create",
        "clusterrolebinding",
        "stranger",
        "--clusterrole=stranger",
    ];
    cluster.kubectl(&[&binding[..], &user[..]].concat()).await;
    let none = format!("there are no pods in namespace {namespace}");
    eventually("a list of pods", async || {
        ask(&adapter, &namespace, "pods/*/requests")
            .await
            .1
            .contains(&none)
    })
    .await;
    let log = adapter.log();
    assert_eq!(log.matches("cannot watch pods: ").count(), 1, "{log}");
    assert!(log.contains("pods are watched again"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_from_memory_while_the_api_server_is_down_too() {
    let cluster = Cluster::start().await;
    let prometheus = FakePrometheus::start().await;
    let namespace = cluster.namespace("outage").await;
    pod(&cluster, &namespace, "cart-0", "cart").await;
    let kubeconfig = &cluster.ready().kubeconfig;
    let adapter = adapter(&cluster, kubeconfig, "outage.example", &prometheus).await;
    let carts = "pods/*/requests?labelSelector=app%3Dcart";
    let is_known = async || {
        !ask(&adapter, &namespace, carts)
            .await
            .1
            .contains("matches no pods")
    };

    assert!(is_known().await);
    let before = lists(&cluster).await;
    for _ in 0..200 {
        assert!(is_known().await);
    }
    assert_eq!(lists(&cluster).await, before);

    cluster.order("kill kube-apiserver").await;
    adapter
        .logged("cannot watch pods: kube-apiserver cannot be reached")
        .await;
    assert!(is_known().await);
    cluster.order("start kube-apiserver").await;
    adapter.logged("pods are watched again").await;
    pod(&cluster, &namespace, "till-0", "till").await;
    let tills = "pods/*/requests?labelSelector=app%3Dtill";
    eventually("the new pod", async || {
        !ask(&adapter, &namespace, tills)
            .await
            .1
            .contains("matches no pods")
    })
    .await;
}

/// How often pods were listed, by anyone.
async fn lists(cluster: &Cluster) -> f64 {
    let metrics = cluster.kubectl(&["get", "--raw=/metrics"]).await;
    let of_pods = metrics.lines().filter(|line| {
        line.starts_with("apiserver_request_total{")
            && line.contains("resource=\"pods\"")
            && line.contains("verb=\"LIST\"")
    });
    of_pods
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}
