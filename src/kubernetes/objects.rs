//! Objects by label, held in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::builtin;
use crate::config::{ObjectsFile, WrittenObject};
use crate::model::{Diagnostic, GroupResource, Labels, Resources, Scope, Selector};

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

/// An object with its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Empty for cluster-scoped resources.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

impl Objects {
    /// Only the built-in resources and no object: named objects can be asked for, `*` matches nothing.
    pub fn none() -> Objects {
        Objects {
            current: ArcSwap::from_pointee(Snapshot {
                resources: Arc::new(Resources::new(builtin::resources())),
                objects: HashMap::new(),
            }),
        }
    }

    /// What a file says, beside the built-in resources. The error holds all its faults.
    pub fn from_file(file: &ObjectsFile) -> Result<Objects, Vec<Diagnostic>> {
        Ok(Objects {
            current: ArcSwap::from_pointee(Snapshot::from_file(file)?),
        })
    }

    /// Replaces everything by what a file says now; a file with faults changes nothing.
    pub fn replace(&self, file: &ObjectsFile) -> Result<(), Vec<Diagnostic>> {
        self.current.store(Arc::new(Snapshot::from_file(file)?));
        Ok(())
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

    /// Objects that a selector matches with their labels, sorted by namespace and name. `resource` is plural.
    ///
    /// `None` as namespace is for all namespaces, and for cluster-scoped resources.
    pub fn list(
        &self,
        resource: &GroupResource,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Vec<Object> {
        let snapshot = self.current.load();
        let mut listed = Vec::new();
        for ((of, home), objects) in &snapshot.objects {
            if of != resource || namespace.is_some_and(|namespace| namespace != home) {
                continue;
            }
            let matched = objects.iter().filter(|(_, labels)| selector.matches(labels));
            listed.extend(matched.map(|(name, labels)| Object {
                namespace: home.clone(),
                name: name.clone(),
                labels: labels.clone(),
            }));
        }
        listed.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
        listed
    }
}

impl Snapshot {
    fn from_file(file: &ObjectsFile) -> Result<Snapshot, Vec<Diagnostic>> {
        let mut served = builtin::resources();
        served.extend(file.resources.iter().cloned());
        let resources = Resources::new(served);
        let mut objects: HashMap<(GroupResource, String), BTreeMap<String, Labels>> = HashMap::new();
        let mut faults = Vec::new();
        for object in &file.objects {
            match home(object, &resources) {
                Ok(home) => {
                    let names = objects.entry(home).or_default();
                    names.insert(object.name.clone(), object.labels.clone());
                }
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Snapshot {
            resources: Arc::new(resources),
            objects,
        })
    }
}

/// Resource and namespace of an object; the namespace is empty where the resource has none.
fn home(object: &WrittenObject, resources: &Resources) -> Result<(GroupResource, String), Diagnostic> {
    let fault = |message: String, hint: &str| Diagnostic {
        place: object.place.clone(),
        message,
        hint: Some(hint.to_owned()),
    };
    let wanted = &object.resource;
    let Some(resource) = resources.find(wanted) else {
        let hint = "give its plural, kind and scope under `resources`";
        return Err(fault(format!("no resource `{wanted}` is served"), hint));
    };
    match (resource.scope, &object.namespace) {
        (Scope::Namespaced, Some(namespace)) => Ok((resource.group_resource(), namespace.clone())),
        (Scope::Cluster, None) => Ok((resource.group_resource(), String::new())),
        (Scope::Namespaced, None) => {
            let message = format!("{} live in a namespace", resource.plural);
            Err(fault(message, "give its `namespace`"))
        }
        (Scope::Cluster, Some(_)) => {
            let message = format!("{} do not live in a namespace", resource.plural);
            Err(fault(message, "leave `namespace` out"))
        }
    }
}
