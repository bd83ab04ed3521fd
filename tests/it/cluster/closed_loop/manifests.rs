//! The manifests of the guide, `tests/workload/kubernetes.yaml`, as the tests use them: with an autoscaler of their own.

use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

/// The name of the Deployment, the Service and the autoscaler.
pub(super) const NAME: &str = "prices";

/// The specification of an autoscaler from 2 to 6 replicas on these metrics.
pub(super) fn on(metrics: impl IntoIterator<Item = Value>) -> Value {
    json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
        "minReplicas": 2,
        "maxReplicas": 6,
        "metrics": metrics.into_iter().collect::<Vec<_>>(),
    })
}

/// The specification that the guide has, with times to suit windows of seconds.
pub(super) fn of_the_guide() -> Value {
    let mut autoscaler = document("HorizontalPodAutoscaler")["spec"].take();
    autoscaler["behavior"] = slow_growth();
    autoscaler
}

/// What bounds the growth on a latency: twice as many at most, until the window shows what they bring.
pub(super) fn slow_growth() -> Value {
    let mut behavior = document("HorizontalPodAutoscaler")["spec"]["behavior"].take();
    behavior["scaleUp"]["policies"][0]["periodSeconds"] = json!(12);
    behavior
}

/// A metric of each pod with a target for their average.
pub(super) fn pods(metric: &str, average: &str) -> Value {
    let target = json!({"type": "AverageValue", "averageValue": average});
    json!({"type": "Pods", "pods": {"metric": {"name": metric}, "target": target}})
}

/// A metric of the Service with a target for its value.
pub(super) fn of_service(metric: &str, value: &str) -> Value {
    let object = json!({"apiVersion": "v1", "kind": "Service", "name": NAME});
    let target = json!({"type": "Value", "value": value});
    json!({"type": "Object", "object": {"describedObject": object, "metric": {"name": metric}, "target": target}})
}

/// An external metric with a target for each replica.
pub(super) fn external(metric: &str, average: &str) -> Value {
    let target = json!({"type": "AverageValue", "averageValue": average});
    json!({"type": "External", "external": {"metric": {"name": metric}, "target": target}})
}

/// CPU with a target in percent of what the pods request.
pub(super) fn cpu(utilization: i32) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": utilization});
    json!({"type": "Resource", "resource": {"name": "cpu", "target": target}})
}

/// Makes everything of the guide in a namespace, with this specification of the autoscaler.
pub(super) async fn apply(client: &kube::Client, namespace: &str, autoscaler: Value) {
    for mut document in documents() {
        if document["kind"] == "HorizontalPodAutoscaler" {
            document["spec"] = autoscaler.clone();
        }
        document["metadata"]["namespace"] = json!(namespace);
        apply_one(client, document).await;
    }
}

/// Makes an object by server-side apply.
async fn apply_one(client: &kube::Client, document: Value) {
    let object: DynamicObject = serde_json::from_value(document).unwrap();
    let kind = GroupVersionKind::try_from(object.types.as_ref().unwrap()).unwrap();
    let resource = ApiResource::from_gvk(&kind);
    let namespace = object.metadata.namespace.as_deref().unwrap();
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let name = object.metadata.name.as_deref().unwrap();
    api.patch(name, &PatchParams::apply("tests"), &Patch::Apply(&object))
        .await
        .unwrap();
}

fn document(kind: &str) -> Value {
    let found = documents().into_iter().find(|document| document["kind"] == kind);
    found.unwrap_or_else(|| panic!("tests/workload/kubernetes.yaml has no {kind}"))
}

fn documents() -> Vec<Value> {
    let text = std::fs::read_to_string("tests/workload/kubernetes.yaml").unwrap();
    serde_saphyr::from_multiple(&text).unwrap()
}
