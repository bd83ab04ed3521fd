//! The running pods of a cluster, for who scrapes them.
//!
//! A watch of its own beside that of objects, which has metadata alone: where a pod listens stands in its spec and its
//! status. It runs only where pods are scraped, and keeps what is made of a pod and nothing else of it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use kube::Api;
use kube::api::{ApiResource, Object};
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::failure::{WatchFailure, is_expired};
use super::watch::{LONGEST_PAUSE, PAGE_WITHIN, WATCH_SECONDS};
use crate::kubernetes::Cluster;
use crate::model::{GroupResource, Labels};
use crate::telemetry::Metrics;

/// A running pod that has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningPod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: String,
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
    /// Its containers.
    pub containers: Vec<RunningContainer>,
}

/// A container of a running pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningContainer {
    /// Its name.
    pub name: String,
    /// The ports that it declares for TCP.
    pub ports: Vec<u16>,
}

/// The running pods of a cluster, and what is made of each.
#[derive(Debug)]
pub struct RunningPods {
    cluster: Cluster,
    metrics: Arc<Metrics>,
    failure: Mutex<Option<Arc<WatchFailure>>>,
}

/// What was made of the pods, by namespace and name. Pods of which nothing was made are not kept.
type Made<T> = BTreeMap<(String, String), Vec<T>>;

/// A pod with nothing of it but what is read here.
type Pod = Object<Spec, Status>;

#[derive(Clone, Debug, Default, Deserialize)]
struct Spec {
    containers: Vec<Container>,
}

#[derive(Clone, Debug, Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    ports: Vec<Port>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    container_port: u16,
    /// TCP if there is none.
    protocol: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Status {
    phase: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
}

impl RunningPods {
    /// Of this cluster, as far as [`RunningPods::follow`] runs.
    pub fn of(cluster: Cluster, metrics: Arc<Metrics>) -> RunningPods {
        RunningPods {
            cluster,
            metrics,
            failure: Mutex::default(),
        }
    }

    /// Why pods cannot be watched now.
    pub fn failure(&self) -> Option<String> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().map(ToString::to_string)
    }

    /// Watches, and tells all that is made of the pods whenever it is something else, for the life of the process.
    pub async fn follow<T: Clone + PartialEq>(
        &self,
        make: impl Fn(&RunningPod) -> Vec<T>,
        tell: impl Fn(Vec<T>),
    ) -> Infallible {
        let mut pauses = DefaultBackoff::default();
        let mut said = None;
        let mut made = Made::new();
        loop {
            let failure = self.list_and_watch(&make, &mut made, &tell, &mut said).await;
            if let Some(failure) = failure {
                self.metrics.watch_failed(&pods().to_string(), failure.outcome());
                if failure.voids() {
                    made.clear();
                    tell(Vec::new());
                }
                self.fail(failure, &mut said);
            }
            sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
        }
    }

    /// Until it fails, or `None` if everything has to be listed again.
    async fn list_and_watch<T: Clone + PartialEq>(
        &self,
        make: &impl Fn(&RunningPod) -> Vec<T>,
        made: &mut Made<T>,
        tell: &impl Fn(Vec<T>),
        said: &mut Option<String>,
    ) -> Option<WatchFailure> {
        let config = watcher::Config::default()
            .timeout(WATCH_SECONDS)
            .fields("status.phase=Running");
        let api: Api<Pod> = Api::all_with(self.cluster.client(), &resource());
        let mut events = pin!(watcher(api, config));
        let mut listing = Some(Made::new());
        loop {
            let event = match &listing {
                Some(_) => match timeout(PAGE_WITHIN, events.next()).await {
                    Ok(event) => event,
                    Err(_) => return Some(WatchFailure::Silent(PAGE_WITHIN)),
                },
                None => events.next().await,
            };
            let is_new = match event? {
                Ok(Event::Init) => false,
                Ok(Event::InitApply(pod)) => {
                    put(listing.get_or_insert_default(), pod, make);
                    false
                }
                Ok(Event::InitDone) => {
                    *made = listing.take().unwrap_or_default();
                    self.succeed(said);
                    true
                }
                Ok(Event::Apply(pod)) => put(made, pod, make),
                Ok(Event::Delete(pod)) => made.remove(&key(&pod)).is_some(),
                Err(error) if is_expired(&error) => return None,
                Err(error) => return Some(WatchFailure::of(&pods(), error)),
            };
            if is_new {
                tell(made.values().flatten().cloned().collect());
            }
        }
    }

    fn succeed(&self, said: &mut Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if said.take().is_some() {
            tracing::info!("pods to scrape are watched again");
        }
    }

    /// What was known stays known, unless the failure forbids it. The log has each cause once.
    fn fail(&self, failure: WatchFailure, said: &mut Option<String>) {
        let cause = failure.logged();
        if said.as_ref() != Some(&cause) {
            tracing::warn!("cannot watch pods to scrape: {cause}");
            *said = Some(cause);
        }
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(failure));
    }
}

/// Whether something else is made of the pod than before: most changes of a pod are none here.
fn put<T: PartialEq>(made: &mut Made<T>, pod: Pod, make: &impl Fn(&RunningPod) -> Vec<T>) -> bool {
    let key = key(&pod);
    let of_pod = running(pod).map(|pod| make(&pod)).unwrap_or_default();
    let is_new = made.get(&key).map_or(&[][..], Vec::as_slice) != of_pod;
    match of_pod.is_empty() {
        true => made.remove(&key),
        false => made.insert(key, of_pod),
    };
    is_new
}

fn key(pod: &Pod) -> (String, String) {
    let metadata = &pod.metadata;
    (
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    )
}

/// `None` if it does not run, or has no address yet.
fn running(pod: Pod) -> Option<RunningPod> {
    let (namespace, name) = key(&pod);
    let status = pod
        .status
        .filter(|status| status.phase.as_deref() == Some("Running"))?;
    let containers = pod.spec.containers.into_iter();
    Some(RunningPod {
        namespace,
        name,
        ip: status.pod_ip.filter(|ip| !ip.is_empty())?,
        labels: pod.metadata.labels.into_iter().flatten().collect(),
        annotations: pod.metadata.annotations.into_iter().flatten().collect(),
        containers: containers.map(Container::running).collect(),
    })
}

impl Container {
    fn running(self) -> RunningContainer {
        let ports = self.ports.into_iter();
        let tcp = ports.filter(|port| port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP"));
        RunningContainer {
            name: self.name,
            ports: tcp.map(|port| port.container_port).collect(),
        }
    }
}

fn pods() -> GroupResource {
    GroupResource::parse("pods")
}

fn resource() -> ApiResource {
    ApiResource {
        group: String::new(),
        version: "v1".to_owned(),
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        plural: "pods".to_owned(),
    }
}
