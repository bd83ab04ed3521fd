//! The watches of a cluster: which resources it serves, and the objects of those that are asked for.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::runtime::watcher::DefaultBackoff;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{interval, sleep, timeout};

use super::failure::ObjectsError;
use super::store::Store;
use super::watch::{Purpose, Watch};
use crate::kubernetes::{Cluster, builtin, served};
use crate::model::{GroupResource, Resource, Resources, Scope, chain};
use crate::telemetry::Metrics;

/// A watch that nobody asked for as long as this is given up.
const UNUSED_FOR: Duration = Duration::from_secs(1800);
/// How often the resources are read where nothing tells of changes.
const READ_EVERY: Duration = Duration::from_secs(60);
/// How long kube-apiserver may take to say which resources it serves.
const READ_WITHIN: Duration = Duration::from_secs(15);
/// When the resources are read after a change was told: kube-apiserver serves a new kind only some time later.
const AFTER_CHANGE: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// What is watched in a cluster.
#[derive(Debug)]
pub(super) struct Watches {
    cluster: Cluster,
    most: usize,
    within: Duration,
    metrics: Arc<Metrics>,
    served: tokio::sync::watch::Sender<Arc<Resources>>,
    /// Why the resources could not be read the last time.
    unread: Mutex<Option<String>>,
    /// Those that tell of other resources.
    kinds: [Arc<Watch>; 2],
    asked: Mutex<HashMap<GroupResource, Arc<Watch>>>,
    /// Other watches are to run.
    changed: Notify,
}

impl Watches {
    pub(super) fn new(cluster: Cluster, most: usize, within: Duration, metrics: Arc<Metrics>) -> Watches {
        Watches {
            cluster,
            most,
            within,
            metrics,
            served: tokio::sync::watch::Sender::new(Arc::new(builtin::resources())),
            unread: Mutex::default(),
            kinds: kinds().map(|kind| Arc::new(Watch::new(kind, Purpose::Resources))),
            asked: Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub(super) fn resources(&self) -> Arc<Resources> {
        self.served.borrow().clone()
    }

    /// Waits until other resources are served than these.
    pub(super) async fn resources_other_than(&self, known: &Arc<Resources>) -> Arc<Resources> {
        let mut served = self.served.subscribe();
        let other = served.wait_for(|served| !Arc::ptr_eq(served, known)).await;
        let other = other.map(|served| served.clone());
        match other {
            Ok(served) => served,
            // Only without a sender, which is ours.
            Err(_) => pending().await,
        }
    }

    /// Reads the objects of a resource; also why they may have changed since they were last seen.
    pub(super) async fn look<T>(
        &self,
        resource: &Resource,
        read: impl FnOnce(&Store) -> T,
    ) -> Result<(T, Option<String>), ObjectsError> {
        if resource.group().is_empty() && resource.plural() == "secrets" {
            return Err(ObjectsError::NeverWatched(resource.name.clone()));
        }
        self.watch(resource).look(self.within, read).await
    }

    /// Reads the objects of a resource that is watched, as they are known to be; no watch is started, and nothing waited for.
    pub(super) fn look_now<T>(&self, resource: &Resource, read: impl FnOnce(&Store) -> T) -> Option<T> {
        let watch = lock(&self.asked).get(&resource.name).cloned()?;
        watch.look_now(read)
    }

    /// Watches for as long as the process lives.
    pub(super) async fn follow(&self) -> Infallible {
        tokio::select! {
            never = self.follow_resources() => never,
            never = self.run_watches() => never,
        }
    }

    /// What fails now, each with the reason.
    pub(super) fn failures(&self) -> Vec<(String, String)> {
        let asked: Vec<Arc<Watch>> = lock(&self.asked).values().cloned().collect();
        let mut failures: Vec<(String, String)> = asked
            .iter()
            .chain(&self.kinds)
            .filter_map(|watch| {
                let failure = watch.failure()?;
                Some((watch.resource.name.to_string(), format!("not watched: {failure}")))
            })
            .collect();
        let unread = lock(&self.unread).clone();
        failures.extend(unread.map(|_| ("resources".to_owned(), UNREAD.to_owned())));
        failures.sort();
        failures
    }

    /// Reads which resources are served. The log has each cause of a failure once.
    pub(super) async fn read_resources(&self) -> bool {
        let before = self.resources();
        let client = self.cluster.client();
        let failure = match timeout(READ_WITHIN, served::read(&client, &before)).await {
            Ok(Ok(now)) => {
                *lock(&self.unread) = None;
                if now != *before {
                    self.serve(Arc::new(now));
                }
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => chain(&elapsed),
        };
        let said = lock(&self.unread).replace(failure.clone());
        if said.as_ref() != Some(&failure) {
            tracing::warn!("{UNREAD}, the last known ones count: {failure}");
        }
        false
    }

    /// These resources are served now; watches of others end.
    fn serve(&self, resources: Arc<Resources>) {
        let count = resources.iter().count();
        tracing::info!(count, "the cluster serves {count} resources now");
        lock(&self.asked).retain(|_, watch| resources.iter().any(|served| *served == watch.resource));
        self.changed.notify_one();
        self.served.send_replace(resources);
    }

    /// The watch of a resource, which is started if there is none.
    fn watch(&self, resource: &Resource) -> Arc<Watch> {
        let mut asked = lock(&self.asked);
        let key = &resource.name;
        let known = asked.get(key).filter(|watch| watch.resource == *resource);
        let is_kind = |watch: &&Arc<Watch>| watch.resource.name == *key;
        if let Some(watch) = known.or_else(|| self.kinds.iter().find(is_kind)) {
            return watch.clone();
        }
        let watch = Arc::new(Watch::new(resource.clone(), Purpose::Objects));
        asked.insert(key.clone(), watch.clone());
        self.changed.notify_one();
        watch
    }

    async fn follow_resources(&self) -> Infallible {
        let mut seen = [0; 2];
        let mut after_change = AFTER_CHANGE.iter();
        let mut after_failure = DefaultBackoff::default();
        loop {
            let pause = match self.read_resources().await {
                true => after_change.next().copied(),
                false => after_failure.next(),
            };
            let [customs, aggregated] = &self.kinds;
            let [seen_customs, seen_aggregated] = &mut seen;
            tokio::select! {
                () = sleep(pause.unwrap_or(READ_EVERY)) => continue,
                () = customs.changed(seen_customs) => {}
                () = aggregated.changed(seen_aggregated) => {}
            }
            // Changes come in swarms.
            after_change = AFTER_CHANGE.iter();
            sleep(AFTER_CHANGE[0]).await;
        }
    }

    async fn run_watches(&self) -> Infallible {
        let mut tasks = JoinSet::new();
        let mut running: HashMap<GroupResource, (Arc<Watch>, AbortHandle)> = HashMap::new();
        let mut looks = interval(UNUSED_FOR);
        looks.tick().await;
        loop {
            self.start_and_end(&mut tasks, &mut running);
            tokio::select! {
                () = self.changed.notified() => {}
                Some(ended) = tasks.join_next() => pass_on_panic(ended),
                _ = looks.tick() => lock(&self.asked).retain(|_, watch| watch.was_used()),
            }
        }
    }

    /// Makes those run that are wanted, and no other.
    fn start_and_end(
        &self,
        tasks: &mut JoinSet<()>,
        running: &mut HashMap<GroupResource, (Arc<Watch>, AbortHandle)>,
    ) {
        let wanted: Vec<Arc<Watch>> = lock(&self.asked).values().chain(&self.kinds).cloned().collect();
        running.retain(|key, (watch, task)| {
            let is_wanted = wanted.iter().any(|wanted| Arc::ptr_eq(wanted, watch));
            if !is_wanted {
                task.abort();
                self.metrics.objects_forgotten(&key.to_string());
                tracing::info!(resource = %key, "{key} are no longer watched");
            }
            is_wanted
        });
        for watch in wanted {
            let key = watch.resource.name.clone();
            running.entry(key).or_insert_with(|| {
                let (client, most, metrics) = (self.cluster.client(), self.most, self.metrics.clone());
                let watched = watch.clone();
                let task = tasks.spawn(async move { match watched.run(&client, most, &metrics).await {} });
                (watch, task)
            });
        }
    }
}

const UNREAD: &str = "the resources that the cluster serves cannot be read";

/// A watch never ends by itself, so its end is a fault of the program, which then ends as for any task.
fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        resume_unwind(error.into_panic());
    }
}

/// The resources whose objects are resources and API groups.
fn kinds() -> [Resource; 2] {
    let resource = |group: &str, kind: &str, plural: &str| Resource {
        name: GroupResource::new(group, plural),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
        singular: kind.to_lowercase(),
        scope: Scope::Cluster,
    };
    [
        resource(
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "customresourcedefinitions",
        ),
        resource("apiregistration.k8s.io", "APIService", "apiservices"),
    ]
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
