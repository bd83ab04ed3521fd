//! Whom a cluster lets say who asks: the ConfigMap that kube-apiserver writes for servers behind it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use tokio::time::{sleep, timeout};

use super::Cluster;
use super::objects::is_forbidden;
use crate::model::{FrontProxy, chain};

/// Where kube-apiserver writes it.
/// Source: kube-apiserver, `pkg/controlplane/controller/clusterauthenticationtrust`, 1.36.
const NAMESPACE: &str = "kube-system";
const NAME: &str = "extension-apiserver-authentication";

/// How long kube-apiserver may take for the list.
const LIST_WITHIN: Duration = Duration::from_secs(30);
/// How long one watch request lives, in seconds. A connection that broke without a word is noticed soon after.
const WATCH_SECONDS: u32 = 60;
/// Longest pause after a failure; kube's own is the same.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whom kube-apiserver lets say who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthenticationSettings {
    /// The authorities of clients, as PEM; `None` if no certificate names a user.
    pub client_ca: Option<String>,
    /// The authorities of front proxies, as PEM, and how those tell who asks; `None` if there are none.
    pub front_proxy: Option<(String, FrontProxy)>,
}

impl Cluster {
    /// Tells the settings as they are now and after each change, for ever.
    ///
    /// What cannot be used is said in the log, and what was told before stays.
    pub async fn follow_authentication(&self, tell: impl Fn(AuthenticationSettings)) -> Infallible {
        let maps: Api<ConfigMap> = Api::namespaced(self.client(), NAMESPACE);
        let mut pauses = DefaultBackoff::default();
        let mut said = None;
        loop {
            let cause = follow_once(&maps, &tell, &mut said).await;
            if said.as_ref() != Some(&cause) {
                tracing::warn!(
                    "cannot watch ConfigMap {NAMESPACE}/{NAME}, which says whom to trust: {cause}"
                );
                said = Some(cause);
            }
            sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
        }
    }
}

/// Until it fails; says why.
async fn follow_once(
    maps: &Api<ConfigMap>,
    tell: &impl Fn(AuthenticationSettings),
    said: &mut Option<String>,
) -> String {
    let config = watcher::Config::default()
        .fields(&format!("metadata.name={NAME}"))
        .timeout(WATCH_SECONDS);
    let mut events = pin!(watcher(maps.clone(), config));
    let mut listed = None;
    let mut within = LIST_WITHIN;
    loop {
        let map = match timeout(within, events.next()).await {
            Err(_) => return format!("kube-apiserver does not answer within {} s", within.as_secs()),
            Ok(None) => return "the watch ended".to_owned(),
            Ok(Some(Err(error))) if is_forbidden(&error) => return forbidden(),
            Ok(Some(Err(error))) => return chain(&error),
            Ok(Some(Ok(Event::Init))) => continue,
            Ok(Some(Ok(Event::InitApply(map)))) => {
                listed = Some(map);
                continue;
            }
            Ok(Some(Ok(Event::InitDone))) => listed.take(),
            Ok(Some(Ok(Event::Apply(map)))) => Some(map),
            Ok(Some(Ok(Event::Delete(_)))) => None,
        };
        within = Duration::MAX;
        *said = None;
        match map.map(|map| settings(&map.data.unwrap_or_default())) {
            Some(Ok(settings)) => tell(settings),
            Some(Err(fault)) => {
                tracing::warn!(
                    "ConfigMap {NAMESPACE}/{NAME} cannot be used, what it said before stays: {fault}"
                );
            }
            None => {
                tracing::warn!("there is no ConfigMap {NAMESPACE}/{NAME}, so that no front proxy is trusted");
                tell(AuthenticationSettings::default());
            }
        }
    }
}

fn forbidden() -> String {
    format!(
        "not permitted\n  hint: the adapter needs a RoleBinding in namespace {NAMESPACE} to the Role {NAME}-reader"
    )
}

/// Reads the keys. Source: kube-apiserver, the same place; apiserver, `pkg/server/options/authentication.go`, 1.36.
fn settings(data: &BTreeMap<String, String>) -> Result<AuthenticationSettings, String> {
    let pem = |key: &str| data.get(key).filter(|pem| !pem.trim().is_empty()).cloned();
    let list = |key: &str| match data.get(key) {
        Some(text) => serde_json::from_str::<Vec<String>>(text)
            .map_err(|error| format!("`{key}` is not a list of texts: {error}")),
        None => Ok(Vec::new()),
    };
    let front_proxy = match pem("requestheader-client-ca-file") {
        Some(authority) => Some((
            authority,
            FrontProxy {
                allowed_names: list("requestheader-allowed-names")?,
                user_headers: list("requestheader-username-headers")?,
                uid_headers: list("requestheader-uid-headers")?,
                group_headers: list("requestheader-group-headers")?,
                extra_prefixes: list("requestheader-extra-headers-prefix")?,
            },
        )),
        None => None,
    };
    Ok(AuthenticationSettings {
        client_ca: pem("client-ca-file"),
        front_proxy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entries: &[(&str, &str)]) -> Result<AuthenticationSettings, String> {
        let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        settings(&entries.iter().map(entry).collect())
    }

    #[test]
    fn keys_are_read_as_kube_apiserver_writes_them() {
        let read = read(&[
            ("client-ca-file", "clients"),
            ("requestheader-client-ca-file", "proxies"),
            ("requestheader-allowed-names", r#"["front-proxy-client"]"#),
            ("requestheader-username-headers", r#"["X-Remote-User"]"#),
            ("requestheader-group-headers", r#"["X-Remote-Group"]"#),
            ("requestheader-extra-headers-prefix", r#"["X-Remote-Extra-"]"#),
        ])
        .unwrap();
        assert_eq!(read.client_ca.as_deref(), Some("clients"));
        let (authority, proxy) = read.front_proxy.unwrap();
        assert_eq!(authority, "proxies");
        assert_eq!(proxy.allowed_names, ["front-proxy-client"]);
        assert_eq!(proxy.user_headers, ["X-Remote-User"]);
        assert!(proxy.uid_headers.is_empty());
    }

    #[test]
    fn without_its_authority_there_is_no_front_proxy() {
        let read = read(&[("requestheader-username-headers", r#"["X-Remote-User"]"#)]).unwrap();
        assert_eq!(read, AuthenticationSettings::default());
    }

    #[test]
    fn what_is_no_list_is_refused_and_named() {
        let entries = [
            ("requestheader-client-ca-file", "proxies"),
            ("requestheader-allowed-names", "front-proxy-client"),
        ];
        assert!(
            read(&entries)
                .unwrap_err()
                .starts_with("`requestheader-allowed-names` is not a list")
        );
    }
}
