//! Resources and objects by label, held in memory: of a file, or of a cluster that is watched.

mod carriers;
mod failure;
mod file;
mod named;
mod pods;
mod store;
mod watch;
mod watches;

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::Cluster;
use crate::config::{KubernetesSettings, ObjectsFile};
use crate::model::{Diagnostic, ObjectNames, Resource, Resources, Selector};
use crate::telemetry::Metrics;

pub(super) use failure::is_forbidden;
pub use failure::{ObjectsError, WatchFailure};
pub use pods::{RunningContainer, RunningPod, RunningPods};
pub use store::{Edition, Object};

use file::FileObjects;
use store::Store;
use watches::Watches;

/// The resources that are served and the objects there are.
#[derive(Debug)]
pub struct Objects {
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(ArcSwap<FileObjects>),
    Cluster(Box<Watches>),
}

/// Objects that a selector matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Their names.
    pub names: ObjectNames,
    /// Why they may have changed since they were last seen.
    pub outdated: Option<String>,
    /// What they were found in; `None` if there is no object.
    pub edition: Option<Edition>,
}

impl Objects {
    /// Only the built-in resources and no object: named objects can be asked for, `*` matches nothing.
    pub fn none() -> Objects {
        Objects::of(FileObjects::none())
    }

    /// What a file says, beside the built-in resources. The error holds all its faults.
    pub fn from_file(file: &ObjectsFile) -> Result<Objects, Vec<Diagnostic>> {
        Ok(Objects::of(FileObjects::read(file)?))
    }

    /// Those of a cluster, as far as [`Objects::follow`] runs. A request waits `within` for a first list.
    pub fn of_cluster(
        cluster: Cluster,
        settings: &KubernetesSettings,
        within: Duration,
        metrics: Arc<Metrics>,
    ) -> Objects {
        let watches = Watches::new(cluster, settings.max_objects, within, metrics);
        Objects {
            source: Source::Cluster(Box::new(watches)),
        }
    }

    /// Replaces everything by what a file says now; a file with faults changes nothing.
    ///
    /// Objects of a cluster are not replaced by a file.
    pub fn replace(&self, file: &ObjectsFile) -> Result<(), Vec<Diagnostic>> {
        let read = FileObjects::read(file)?;
        if let Source::File(current) = &self.source {
            current.store(Arc::new(read));
        }
        Ok(())
    }

    /// The resources that are served.
    pub fn resources(&self) -> Arc<Resources> {
        match &self.source {
            Source::File(file) => file.load().resources.clone(),
            Source::Cluster(watches) => watches.resources(),
        }
    }

    /// Objects in a namespace that a selector matches. `None` as namespace is for cluster-scoped resources.
    ///
    /// The first question about a resource of a cluster starts its watch and waits for the list.
    pub async fn matching(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Matching, ObjectsError> {
        let namespace = namespace.unwrap_or_default();
        let matching = |objects: &Store| {
            let names = objects.matching(namespace, selector);
            (names, objects.edition(namespace))
        };
        let ((names, edition), outdated) = self.look(resource, matching).await?;
        Ok(Matching {
            names,
            outdated,
            edition,
        })
    }

    /// Whether the objects of a namespace are now what they were, as far as is known. Nothing is waited for.
    pub fn is_current(&self, edition: &Edition, resource: &Resource, namespace: Option<&str>) -> bool {
        let is_same =
            |objects: &Store| objects.edition(namespace.unwrap_or_default()).as_ref() == Some(edition);
        self.look_now(resource, is_same).unwrap_or(false)
    }

    /// Objects that a selector matches with their labels, sorted by namespace and name.
    ///
    /// `None` as namespace is for all namespaces, and for cluster-scoped resources.
    pub async fn list(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Vec<Object>, ObjectsError> {
        let list = |objects: &Store| objects.list(namespace, selector);
        self.look(resource, list).await.map(|(listed, _)| listed)
    }

    /// Reads the objects of a resource; also why they may have changed since they were last seen.
    async fn look<T: Default>(
        &self,
        resource: &Resource,
        read: impl FnOnce(&Store) -> T,
    ) -> Result<(T, Option<String>), ObjectsError> {
        match &self.source {
            Source::File(_) => Ok((self.look_now(resource, read).unwrap_or_default(), None)),
            Source::Cluster(watches) => watches.look(resource, read).await,
        }
    }

    /// Reads the objects of a resource as they are known to be; `None` if there are none, or that is not known.
    fn look_now<T>(&self, resource: &Resource, read: impl FnOnce(&Store) -> T) -> Option<T> {
        match &self.source {
            Source::File(file) => {
                let file = file.load();
                file.objects.get(&resource.name).map(read)
            }
            Source::Cluster(watches) => watches.look_now(resource, read),
        }
    }

    /// Keeps the objects of a cluster up to date for as long as the process lives. Those of a file need nothing.
    pub async fn follow(&self) -> Infallible {
        match &self.source {
            Source::File(_) => pending().await,
            Source::Cluster(watches) => watches.follow().await,
        }
    }

    /// Reads which resources a cluster serves; until then the built-in ones are. A failure leaves them as they are.
    pub async fn read_resources(&self) {
        if let Source::Cluster(watches) = &self.source {
            watches.read_resources().await;
        }
    }

    /// Waits until other resources are served than these. Those of a file change only by [`Objects::replace`].
    pub async fn resources_other_than(&self, known: &Arc<Resources>) -> Arc<Resources> {
        match &self.source {
            Source::File(_) => pending().await,
            Source::Cluster(watches) => watches.resources_other_than(known).await,
        }
    }

    /// What of the cluster cannot be known now, as name and reason, for a person.
    pub fn failures(&self) -> Vec<(String, String)> {
        match &self.source {
            Source::File(_) => Vec::new(),
            Source::Cluster(watches) => watches.failures(),
        }
    }

    fn of(file: FileObjects) -> Objects {
        Objects {
            source: Source::File(ArcSwap::from_pointee(file)),
        }
    }
}
