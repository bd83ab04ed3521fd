//! Pods of a real cluster that are found by their annotations or their labels.

use serde_json::json;

use super::{AT_ONCE, CUSTOM, answers, expose};
use crate::support::adapter::{Adapter, Setup};
use crate::support::certificates::Authority;
use crate::support::cluster::{Cluster, Kubelet};
use crate::support::fake_prometheus::FakePrometheus;

/// Asked directly, by somebody who may do everything.
async fn adapter(cluster: &Cluster, namespace: &str, selected_port: u16) -> Adapter {
    let config = format!(
        "{AT_ONCE}backends:\n  default:\n    embedded:\n      scrapeInterval: 200ms\n      annotatedPods: true\n      \
         pods: [{{labelSelector: app=till, namespace: {namespace}, port: {selected_port}, path: /till, labels: {{service: till}}}}]\n\
         rules:\n  - metric: busy\n    gauge: {{series: busy}}\n"
    );
    let authority = Authority::new();
    let client_ca = cluster.authority_file("client-ca");
    let setup = Setup::new(&config)
        .https(&authority.server())
        .argument(&format!(
            "--lister-kubeconfig={}",
            cluster.ready().kubeconfig.display()
        ))
        .argument(&format!("--client-ca-file={}", client_ca.display()))
        .argument("--authentication-skip-lookup");
    let admin = cluster
        .authority("client-ca")
        .client("admin", &["system:masters"]);
    setup.start().await.showing(&authority, &admin)
}

/// Makes a pod, with a container that declares a port.
async fn pod(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    app: &str,
    port: u16,
    annotations: &[(&str, &str)],
) {
    let annotations: serde_json::Map<_, _> = annotations
        .iter()
        .map(|(name, value)| (format!("prometheus.io/{name}"), (*value).into()))
        .collect();
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app}, "annotations": annotations},
        "spec": {"containers": [{"name": "serve", "image": "none", "ports": [{"containerPort": port}]}]},
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pod.to_string()).unwrap();
    cluster
        .kubectl(&["create", "-f", &file.path().display().to_string()])
        .await;
}

#[tokio::test]
async fn running_pods_are_scraped_where_they_say_and_no_longer_when_they_are_gone() {
    let cluster = Cluster::shared().await;
    let namespace = cluster.namespace("scraped").await;
    let service = FakePrometheus::start().await;
    let port = service.url().rsplit(':').next().unwrap().parse().unwrap();
    expose(&service, "/metrics", "busy 1\n");
    expose(&service, "/own", "busy 2\n");
    expose(&service, "/till", "busy 3\n");
    let scrape = ("scrape", "true");
    pod(cluster, &namespace, "declared", "cart", port, &[scrape]).await;
    let port_text = port.to_string();
    let annotations = [scrape, ("port", &port_text), ("path", "own")];
    pod(cluster, &namespace, "annotated", "cart", 1, &annotations).await;
    pod(cluster, &namespace, "selected", "till", port, &[]).await;
    pod(cluster, &namespace, "neither", "cart", port, &[]).await;

    let adapter = adapter(cluster, &namespace, port).await;
    let busy = format!("{CUSTOM}/namespaces/{namespace}/pods/*/busy");
    // None of them has an address before it runs.
    assert!(service.requests().is_empty());
    let kubelet = Kubelet::start(cluster.client().await, &namespace).await;
    answers(&adapter, &busy, "annotated=2 declared=1 selected=3").await;

    cluster
        .kubectl(&["delete", "pod", "-n", &namespace, "annotated", "--wait=false"])
        .await;
    answers(&adapter, &busy, "declared=1 selected=3").await;
    cluster
        .kubectl(&[
            "annotate",
            "pod",
            "-n",
            &namespace,
            "neither",
            "prometheus.io/scrape=true",
        ])
        .await;
    answers(&adapter, &busy, "declared=1 neither=1 selected=3").await;
    drop(kubelet);
}

#[tokio::test]
async fn missing_permission_to_watch_pods_is_named() {
    let cluster = Cluster::shared().await;
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = cluster.kubeconfig_of("scraping-stranger", directory.path());
    let adapter = Setup::new("backends: {default: {embedded: {annotatedPods: true}}}\nrules: []\n")
        .argument(&format!("--lister-kubeconfig={}", kubeconfig.display()))
        .start()
        .await;
    let cure = "its ClusterRole needs {apiGroups: [\"\"], resources: [pods], verbs: [list, watch]}";
    adapter
        .logged(&format!(
            "cannot watch pods to scrape: the adapter has no permission, {cure}"
        ))
        .await;
    let ready = adapter.get("/readyz?verbose").await.text().await.unwrap();
    assert!(
        ready.contains("[i]pods to scrape: not watched: the adapter has no permission"),
        "{ready}"
    );
}
