//! The APIServices by which kube-apiserver finds the adapter, and whom it trusts there.

use k8s_openapi::ByteString;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::Cluster;
use super::ask::{AskError, Permission, Written, ask, written};

/// The field manager of what the adapter applies.
const MANAGER: &str = "promql-adapter";

/// The APIServices of some names, there or not.
#[derive(Clone, Debug)]
pub struct ApiServices {
    api: Api<APIService>,
    names: Vec<String>,
}

/// An APIService as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    name: String,
    version: Option<String>,
    service: Option<(String, String)>,
    ca_bundle: String,
}

impl Cluster {
    /// The APIServices of these names, which need not be there.
    pub fn api_services(&self, names: Vec<String>) -> ApiServices {
        ApiServices {
            api: Api::all(self.client()),
            names,
        }
    }
}

impl ApiServices {
    /// Those that lead to this Service; the others are another server's.
    pub async fn leading_to(&self, namespace: &str, service: &str) -> Result<Vec<Registration>, AskError> {
        let mut found = Vec::new();
        for name in &self.names {
            let answer = self.api.get_opt(name);
            let read = ask(|| "get the APIServices".to_owned(), &self.permission(), answer).await?;
            found.extend(read.map(|it| Registration::of(name, it)));
        }
        found.retain(|registration| registration.leads_to(namespace, service));
        Ok(found)
    }

    /// Sets `spec.caBundle` and owns nothing else; overtaken if the APIService is not as it was read.
    pub async fn set_ca_bundle(&self, read: &Registration, bundle: &str) -> Result<Written, AskError> {
        let applied = json!({
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": read.name, "resourceVersion": read.version},
            "spec": {"caBundle": ByteString(bundle.as_bytes().to_vec())},
        });
        let parameters = PatchParams::apply(MANAGER);
        let patch = Patch::Apply(&applied);
        let answer = self.api.patch(&read.name, &parameters, &patch);
        let what = || format!("set caBundle of APIService {}", read.name);
        written(ask(what, &self.permission(), answer).await)
    }

    fn permission(&self) -> Permission {
        Permission {
            role: "ClusterRole".to_owned(),
            rule: format!(
                "{{apiGroups: [apiregistration.k8s.io], resources: [apiservices], resourceNames: [{}], verbs: [get, patch]}}",
                self.names.join(", ")
            ),
        }
    }
}

impl Registration {
    fn of(name: &str, read: APIService) -> Self {
        let spec = read.spec.unwrap_or_default();
        let service = spec.service.unwrap_or_default();
        Self {
            name: name.to_owned(),
            version: read.metadata.resource_version,
            service: service.namespace.zip(service.name),
            ca_bundle: String::from_utf8_lossy(&spec.ca_bundle.unwrap_or_default().0).into_owned(),
        }
    }

    fn leads_to(&self, namespace: &str, name: &str) -> bool {
        self.service
            .as_ref()
            .is_some_and(|(in_namespace, service)| in_namespace == namespace && service == name)
    }

    /// The authorities that kube-apiserver trusts there, in PEM; empty if none are named.
    pub fn ca_bundle(&self) -> &str {
        &self.ca_bundle
    }
}
