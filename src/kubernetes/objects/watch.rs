//! One watch: the objects of one resource, kept as kube-apiserver tells them.

use std::convert::Infallible;
use std::future::pending;
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use kube::api::ApiResource;
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use kube::{Api, Client};
use tokio::time::{sleep, timeout};

use super::failure::{ObjectsError, WatchFailure, is_expired};
use super::named::Named;
use super::store::Store;
use crate::model::{GroupResource, Labels, Resource};
use crate::telemetry::Metrics;

/// How long kube-apiserver may take for a page of a list.
pub(super) const PAGE_WITHIN: Duration = Duration::from_secs(30);
/// How long one watch request lives, in seconds. A connection that broke without a word is noticed 5 s later.
pub(super) const WATCH_SECONDS: u32 = 60;
/// Pause after a failure that time does not heal, for each try lists everything.
const LONG_PAUSE: Duration = Duration::from_secs(600);
/// Longest pause after other failures; kube's own is the same.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The objects of one resource.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) resource: Resource,
    key: GroupResource,
    purpose: Purpose,
    contents: tokio::sync::watch::Sender<Contents>,
    /// Somebody asked since the last look.
    used: AtomicBool,
}

/// What a watch is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Requests for several objects.
    Objects,
    /// To hear of other resources.
    Resources,
}

/// What is known of the objects.
#[derive(Debug, Default)]
struct Contents {
    /// All objects, once they were listed.
    objects: Option<Store>,
    /// Why the watch does not run now.
    failure: Option<Arc<WatchFailure>>,
    /// Counts the changes of objects.
    revision: u64,
}

impl Contents {
    /// All objects, while the watch runs.
    fn current(&self) -> Option<&Store> {
        self.objects.as_ref().filter(|_| self.failure.is_none())
    }
}

impl Watch {
    pub(super) fn new(resource: Resource, purpose: Purpose) -> Watch {
        Watch {
            key: resource.name.clone(),
            resource,
            purpose,
            contents: tokio::sync::watch::Sender::default(),
            used: AtomicBool::new(true),
        }
    }

    /// Reads the objects, after `within` at the latest; also why they may have changed since they were last seen.
    pub(super) async fn look<T>(
        &self,
        within: Duration,
        read: impl FnOnce(&Store) -> T,
    ) -> Result<(T, Option<String>), ObjectsError> {
        self.used.store(true, Ordering::Relaxed);
        if let Some(objects) = self.contents.borrow().current() {
            return Ok((read(objects), None));
        }
        let mut contents = self.contents.subscribe();
        let settled = contents.wait_for(|contents| contents.objects.is_some() || contents.failure.is_some());
        let resource = || self.key.clone();
        let listing = || ObjectsError::Listing {
            resource: resource(),
            within,
        };
        let Ok(Ok(contents)) = timeout(within, settled).await else {
            return Err(listing());
        };
        match (&contents.objects, &contents.failure) {
            (Some(objects), failure) => Ok((read(objects), failure.as_ref().map(ToString::to_string))),
            (None, Some(failure)) => Err(ObjectsError::Failed {
                resource: resource(),
                failure: failure.clone(),
            }),
            (None, None) => Err(listing()),
        }
    }

    /// Reads the objects without waiting; `None` while they are not known, or may have changed.
    pub(super) fn look_now<T>(&self, read: impl FnOnce(&Store) -> T) -> Option<T> {
        self.used.store(true, Ordering::Relaxed);
        self.contents.borrow().current().map(read)
    }

    /// Whether somebody asked since the last call.
    pub(super) fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// Why it does not run now.
    pub(super) fn failure(&self) -> Option<Arc<WatchFailure>> {
        self.contents.borrow().failure.clone()
    }

    /// Waits until objects have changed since the revision that was seen.
    pub(super) async fn changed(&self, seen: &mut u64) {
        let mut contents = self.contents.subscribe();
        let changed = contents.wait_for(|contents| contents.revision != *seen).await;
        let revision = changed.map(|contents| contents.revision);
        match revision {
            Ok(revision) => *seen = revision,
            // Only without a sender, which is ours.
            Err(_) => pending().await,
        }
    }

    /// Lists and watches, again and again.
    pub(super) async fn run(&self, client: &Client, most: usize, metrics: &Metrics) -> Infallible {
        let mut pauses = DefaultBackoff::default();
        let mut said = None;
        loop {
            let failure = self.list_and_watch(client, most, metrics, &mut said).await;
            let pause = match &failure {
                Some(WatchFailure::TooMany(_)) => LONG_PAUSE,
                _ => pauses.next().unwrap_or(LONGEST_PAUSE),
            };
            if let Some(failure) = failure {
                metrics.watch_failed(&self.key.to_string(), failure.outcome());
                self.fail(failure, &mut said);
                self.count(metrics);
            }
            sleep(pause).await;
        }
    }

    /// Until it fails, or `None` if everything has to be listed again.
    async fn list_and_watch(
        &self,
        client: &Client,
        most: usize,
        metrics: &Metrics,
        said: &mut Option<String>,
    ) -> Option<WatchFailure> {
        let config = watcher::Config::default().timeout(WATCH_SECONDS);
        let mut events = pin!(watcher(api(client, &self.resource), config));
        let mut listing = Some(Store::default());
        loop {
            let within = match listing {
                Some(_) => PAGE_WITHIN,
                None => Duration::MAX,
            };
            let Ok(event) = timeout(within, events.next()).await else {
                return Some(WatchFailure::Silent(within));
            };
            let len = match event? {
                Ok(Event::InitApply(object)) => {
                    let objects = listing.get_or_insert_default();
                    put(objects, object);
                    objects.len()
                }
                Ok(Event::Init) => 0,
                Ok(Event::InitDone) => {
                    self.succeed(listing.take().unwrap_or_default(), said);
                    self.count(metrics)
                }
                Ok(Event::Apply(object)) => {
                    self.change(|objects| put(objects, object));
                    self.count(metrics)
                }
                Ok(Event::Delete(object)) => {
                    self.change(|objects| remove(objects, &object));
                    self.count(metrics)
                }
                Err(error) if is_expired(&error) => return None,
                Err(error) => return Some(WatchFailure::of(&self.key, error)),
            };
            if len > most {
                return Some(WatchFailure::TooMany(most));
            }
        }
    }

    /// How many objects are held.
    fn count(&self, metrics: &Metrics) -> usize {
        let len = self.contents.borrow().objects.as_ref().map_or(0, Store::len);
        metrics.objects(&self.key.to_string(), len);
        len
    }

    fn change(&self, change: impl FnOnce(&mut Store)) {
        self.contents.send_modify(|contents| {
            if let Some(objects) = &mut contents.objects {
                change(objects);
                contents.revision += 1;
            }
        });
    }

    /// All objects are known.
    fn succeed(&self, listed: Store, said: &mut Option<String>) {
        let (resource, count) = (&self.key, listed.len());
        match said.take() {
            Some(_) => tracing::info!(%resource, count, "{resource} are watched again, there are {count}"),
            None => tracing::debug!(%resource, count, "{resource} are listed, there are {count}"),
        }
        let mut before = Some(listed);
        self.contents.send_modify(|contents| {
            mem::swap(&mut contents.objects, &mut before);
            contents.failure = None;
            contents.revision += 1;
        });
        // Taking many objects apart takes longer than a request should wait for the lock.
        drop(before);
    }

    /// What was known stays known, unless the failure forbids it. The log has each cause once.
    fn fail(&self, failure: WatchFailure, said: &mut Option<String>) {
        let resource = &self.key;
        let cause = failure.logged();
        if said.as_ref() != Some(&cause) {
            let so = match self.purpose {
                Purpose::Objects => "",
                Purpose::Resources => ", so that other resources are noticed only every minute",
            };
            tracing::warn!(%resource, "cannot watch {resource}{so}: {cause}");
            *said = Some(cause);
        }
        let mut void = None;
        self.contents.send_modify(|contents| {
            if failure.voids() {
                void = contents.objects.take();
            }
            contents.failure = Some(Arc::new(failure));
        });
        drop(void);
    }
}

/// All objects of a resource.
fn api(client: &Client, resource: &Resource) -> Api<Named> {
    let version = match resource.group() {
        "" => resource.version.clone(),
        group => format!("{group}/{}", resource.version),
    };
    let resource = ApiResource {
        group: resource.group().to_owned(),
        version: resource.version.clone(),
        api_version: version,
        kind: resource.kind.clone(),
        plural: resource.plural().to_owned(),
    };
    Api::all_with(client.clone(), &resource)
}

/// Objects that are being deleted stay until they are gone: their pods still run and have samples.
fn put(objects: &mut Store, object: Named) {
    let metadata = object.metadata;
    let namespace = metadata.namespace.unwrap_or_default();
    let labels: Labels = metadata.labels.into_iter().flatten().collect();
    objects.put(&namespace, &metadata.name.unwrap_or_default(), labels);
}

fn remove(objects: &mut Store, object: &Named) {
    let metadata = &object.metadata;
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    objects.remove(namespace, metadata.name.as_deref().unwrap_or_default());
}
