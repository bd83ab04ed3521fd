//! Objects by label, held in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::builtin;
use crate::config::ObjectsFile;
use crate::model::{GroupResource, Labels, Resources, Selector};

/// The resources that are served and the objects there are. Both are replaced whole.
#[derive(Debug)]
pub struct Objects {
    current: ArcSwap<Snapshot>,
}

#[derive(Debug)]
struct Snapshot {
    resources: Arc<Resources>,
    /// By plural resource and namespace ("" for cluster-scoped ones), then by name.
    objects: HashMap<(GroupResource, String), BTreeMap<String, Labels>>,
}

impl Objects {
    /// Only the built-in resources and no object: named objects can be asked for, `*` matches nothing.
    pub fn none() -> Objects {
        Objects::from_file(&ObjectsFile::default())
    }

    /// What a file says, beside the built-in resources.
    pub fn from_file(file: &ObjectsFile) -> Objects {
        Objects {
            current: ArcSwap::from_pointee(Snapshot::from_file(file)),
        }
    }

    /// Replaces everything by what a file says now.
    pub fn replace(&self, file: &ObjectsFile) {
        self.current.store(Arc::new(Snapshot::from_file(file)));
    }

    /// The resources that are served.
    pub fn resources(&self) -> Arc<Resources> {
        self.current.load().resources.clone()
    }

    /// Names of the objects that a selector matches, sorted. `resource` is plural.
    ///
    /// `None` as namespace is for cluster-scoped resources.
    pub fn matching(
        &self,
        resource: &GroupResource,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Vec<String> {
        let snapshot = self.current.load();
        let key = (resource.clone(), namespace.unwrap_or_default().to_owned());
        let Some(objects) = snapshot.objects.get(&key) else {
            return Vec::new();
        };
        objects
            .iter()
            .filter(|(_, labels)| selector.matches(labels))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

impl Snapshot {
    fn from_file(file: &ObjectsFile) -> Snapshot {
        let mut served = builtin::resources();
        served.extend(file.resources.iter().cloned());
        let resources = Resources::new(served);
        let mut objects: HashMap<(GroupResource, String), BTreeMap<String, Labels>> = HashMap::new();
        for object in &file.objects {
            let resource = resources
                .find(&object.resource)
                .map_or_else(|| object.resource.clone(), |known| known.group_resource());
            let namespace = object.namespace.clone().unwrap_or_default();
            objects
                .entry((resource, namespace))
                .or_default()
                .insert(object.name.clone(), object.labels.clone());
        }
        Snapshot {
            resources: Arc::new(resources),
            objects,
        }
    }
}
