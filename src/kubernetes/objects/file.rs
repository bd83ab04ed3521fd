//! Resources and objects of a file.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::builtin;
use super::store::Store;
use crate::config::{ObjectsFile, WrittenObject};
use crate::model::{Diagnostic, GroupResource, Resources, Scope};

/// What a file says, beside the built-in resources. Replaced whole.
#[derive(Debug)]
pub(super) struct FileObjects {
    /// The resources that are served.
    pub(super) resources: Arc<Resources>,
    /// By plural resource.
    pub(super) objects: HashMap<GroupResource, Store>,
}

impl FileObjects {
    /// Only the built-in resources and no object.
    pub(super) fn none() -> FileObjects {
        FileObjects {
            resources: Arc::new(builtin::resources()),
            objects: HashMap::new(),
        }
    }

    /// What the file says. The error holds all its faults.
    pub(super) fn read(file: &ObjectsFile) -> Result<FileObjects, Vec<Diagnostic>> {
        let builtin = builtin::resources();
        let served = builtin.iter().chain(&file.resources);
        let resources = Resources::new(served.cloned().collect());
        let mut objects: HashMap<GroupResource, Store> = HashMap::new();
        let mut faults = Vec::new();
        for object in &file.objects {
            match home(object, &resources) {
                Ok((resource, namespace)) => {
                    let store = objects.entry(resource).or_default();
                    store.put(namespace, &object.name, object.labels.clone());
                }
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(FileObjects {
            resources: Arc::new(resources),
            objects,
        })
    }
}

/// Resource and namespace of an object; the namespace is empty where the resource has none.
fn home<'a>(
    object: &'a WrittenObject,
    resources: &Resources,
) -> Result<(GroupResource, &'a str), Diagnostic> {
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
        (Scope::Namespaced, Some(namespace)) => Ok((resource.name.clone(), namespace)),
        (Scope::Cluster, None) => Ok((resource.name.clone(), "")),
        (Scope::Namespaced, None) => {
            let message = format!("{} live in a namespace", resource.plural());
            Err(fault(message, "give its `namespace`"))
        }
        (Scope::Cluster, Some(_)) => {
            let message = format!("{} do not live in a namespace", resource.plural());
            Err(fault(message, "leave `namespace` out"))
        }
    }
}
