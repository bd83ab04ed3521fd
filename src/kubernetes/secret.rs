//! One Secret, written only as it was read.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};

use super::Cluster;
use super::ask::{AskError, Permission, Written, ask, written};

/// The data of a Secret.
pub type SecretData = BTreeMap<String, Vec<u8>>;

/// A Secret by its name, there or not.
#[derive(Clone, Debug)]
pub struct NamedSecret {
    api: Api<Secret>,
    namespace: String,
    name: String,
}

/// A Secret as it was read.
#[derive(Debug)]
pub struct ReadSecret(Secret);

impl Cluster {
    /// A Secret, which need not be there.
    pub fn secret(&self, namespace: &str, name: &str) -> NamedSecret {
        NamedSecret {
            api: Api::namespaced(self.client(), namespace),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl NamedSecret {
    /// The Secret as it is; `None` if it is not there.
    pub async fn read(&self) -> Result<Option<ReadSecret>, AskError> {
        let answer = self.api.get_opt(&self.name);
        let found = ask(|| format!("get {self}"), &self.get_and_update(), answer).await?;
        Ok(found.map(ReadSecret))
    }

    /// Makes the Secret; overtaken if it is there by now.
    pub async fn create(&self, data: SecretData) -> Result<Written, AskError> {
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                ..ObjectMeta::default()
            },
            type_: Some("Opaque".to_owned()),
            data: Some(bytes(data)),
            ..Secret::default()
        };
        let permission =
            self.permission("{apiGroups: [''], resources: [secrets], verbs: [create]}".to_owned());
        let parameters = PostParams::default();
        let answer = self.api.create(&parameters, &secret);
        written(ask(|| format!("create {self}"), &permission, answer).await)
    }

    /// Replaces the data and nothing else; overtaken if the Secret is not as it was read.
    pub async fn replace(&self, read: ReadSecret, data: SecretData) -> Result<Written, AskError> {
        // It carries the resourceVersion it was read with, which makes the write conditional.
        let secret = Secret {
            data: Some(bytes(data)),
            ..read.0
        };
        let parameters = PostParams::default();
        let answer = self.api.replace(&self.name, &parameters, &secret);
        written(ask(|| format!("update {self}"), &self.get_and_update(), answer).await)
    }

    fn get_and_update(&self) -> Permission {
        self.permission(format!(
            "{{apiGroups: [''], resources: [secrets], resourceNames: [{}], verbs: [get, update]}}",
            self.name
        ))
    }

    fn permission(&self, rule: String) -> Permission {
        Permission {
            role: format!("Role in namespace {}", self.namespace),
            rule,
        }
    }
}

impl ReadSecret {
    /// A value of its data.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        let value = self.0.data.as_ref()?.get(key)?;
        Some(&value.0)
    }

    /// Whether it holds no data at all.
    pub fn is_empty(&self) -> bool {
        self.0.data.as_ref().is_none_or(BTreeMap::is_empty)
    }
}

fn bytes(data: SecretData) -> BTreeMap<String, ByteString> {
    data.into_iter()
        .map(|(key, value)| (key, ByteString(value)))
        .collect()
}

impl std::fmt::Display for NamedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "secret {}/{}", self.namespace, self.name)
    }
}
