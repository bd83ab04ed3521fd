//! What the tests have instead of a kubelet and a scheduler.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Binding, Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The made-up node on which all pods stand.
const NODE: &str = "test-node";

/// How often the pods are looked at.
const EVERY: Duration = Duration::from_millis(200);

/// Binds the pods of one namespace, says they are Running and Ready, and lets deleted ones go, until it is dropped.
pub(crate) struct Kubelet {
    task: JoinHandle<()>,
}

impl Kubelet {
    /// Begins with the pods that are there.
    pub(crate) async fn start(client: kube::Client, namespace: &str) -> Kubelet {
        let node = serde_json::from_value(json!({"metadata": {"name": NODE}})).unwrap();
        let nodes: Api<Node> = Api::all(client.clone());
        match nodes.create(&PostParams::default(), &node).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            made => drop(made.unwrap()),
        }
        let pods = Api::namespaced(client, namespace);
        let task = tokio::spawn(async move {
            loop {
                // The API server may be down: that is what some tests are about.
                let _ = look(&pods).await;
                tokio::time::sleep(EVERY).await;
            }
        });
        Kubelet { task }
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Does the next step for each pod.
async fn look(pods: &Api<Pod>) -> kube::Result<()> {
    for pod in pods.list(&ListParams::default()).await? {
        let name = pod.metadata.name.clone().unwrap();
        if pod.metadata.deletion_timestamp.is_some() {
            let precisely_it = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: pod.metadata.uid,
                    resource_version: None,
                }),
                ..DeleteParams::default().grace_period(0)
            };
            pods.delete(&name, &precisely_it).await?;
        } else if pod
            .spec
            .as_ref()
            .and_then(|spec| spec.node_name.as_ref())
            .is_none()
        {
            bind(pods, &name).await?;
        } else if pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Pending") {
            let running = Patch::Merge(json!({"status": running(&pod)}));
            pods.patch_status(&name, &PatchParams::default(), &running)
                .await?;
        }
    }
    Ok(())
}

async fn bind(pods: &Api<Pod>, name: &str) -> kube::Result<()> {
    let binding = json!({"metadata": {"name": name}, "target": {"kind": "Node", "name": NODE}});
    let binding: Binding = serde_json::from_value(binding).unwrap();
    let made: kube::Result<Value> = pods
        .create_subresource("binding", name, &PostParams::default(), &binding)
        .await;
    made.map(drop)
}

/// The status of a pod all of whose containers have started just now.
#[expect(clippy::disallowed_methods, reason = "a kubelet tells the time")]
fn running(pod: &Pod) -> Value {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now});
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition);
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let containers = containers.map(|container| {
        json!({
            "name": container.name,
            "image": container.image,
            "imageID": "",
            "ready": true,
            "started": true,
            "restartCount": 0,
            "state": {"running": {"startedAt": now}},
        })
    });
    json!({
        "phase": "Running",
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "hostIP": "127.0.0.1",
        "startTime": now,
        "conditions": conditions,
        "containerStatuses": containers.collect::<Vec<_>>(),
    })
}
