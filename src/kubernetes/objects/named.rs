//! What is read of an object: its names and its labels.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kube::Resource;
use kube::api::{ApiResource, DynamicObject, ObjectMeta};
use serde::{Deserialize, Deserializer};

/// An object with nothing but what is kept of it.
///
/// With kube's `PartialObjectMeta` annotations and `managedFields` would be read too, and take many times the memory
/// of the rest.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    #[serde(deserialize_with = "names_and_labels")]
    pub(super) metadata: ObjectMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamesAndLabels {
    namespace: Option<String>,
    name: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    /// Where the watch goes on.
    resource_version: Option<String>,
}

fn names_and_labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let read = NamesAndLabels::deserialize(deserializer)?;
    Ok(ObjectMeta {
        namespace: read.namespace,
        name: read.name,
        labels: read.labels,
        resource_version: read.resource_version,
        ..ObjectMeta::default()
    })
}

impl Resource for Named {
    type DynamicType = ApiResource;
    type Scope = <DynamicObject as Resource>::Scope;

    /// kube-apiserver is asked for metadata and sends nothing else.
    fn metadata_api() -> bool {
        true
    }

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::kind(resource)
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::group(resource)
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::version(resource)
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::plural(resource)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_labels_are_read_and_nothing_else() {
        let object: Named = serde_json::from_value(json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {
                "namespace": "shop",
                "name": "cart-0",
                "uid": "0b4ae7c2-6f3d-4b57-9d1f-6c6f1d3b7a11",
                "resourceVersion": "7",
                "labels": {"app": "cart"},
                "annotations": {"example.org/config": "long"},
                "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:metadata": {}}}],
            },
        }))
        .unwrap();
        let expected = ObjectMeta {
            namespace: Some("shop".to_owned()),
            name: Some("cart-0".to_owned()),
            resource_version: Some("7".to_owned()),
            labels: Some([("app".to_owned(), "cart".to_owned())].into()),
            ..ObjectMeta::default()
        };
        assert_eq!(object.metadata, expected);
    }

    #[test]
    fn object_of_a_cluster_has_no_namespace_and_maybe_no_labels() {
        let node = json!({"metadata": {"name": "node-0", "resourceVersion": "7"}});
        let node: Named = serde_json::from_value(node).unwrap();
        assert_eq!((node.metadata.namespace, node.metadata.labels), (None, None));
    }
}
