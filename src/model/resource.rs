//! Kubernetes resources by name.

use std::fmt;
use std::sync::Arc;

/// A resource and its API group: `pods`, `deployments.apps`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// API group; empty for the core group.
    pub group: String,
    /// Lower-case name, usually the plural; singular where a user wrote it so.
    pub resource: String,
}

impl GroupResource {
    /// From a group and a name in it.
    pub fn new(group: &str, resource: &str) -> Self {
        GroupResource {
            group: group.to_owned(),
            resource: resource.to_owned(),
        }
    }

    /// Splits at the first dot: `ingresses.networking.k8s.io`.
    ///
    /// Source: apimachinery, `pkg/runtime/schema`, `ParseGroupResource`.
    pub fn parse(text: &str) -> Self {
        let (resource, group) = text.split_once('.').unwrap_or((text, ""));
        GroupResource::new(group, resource)
    }
}

impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

/// Whether objects of a resource live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Each object belongs to a namespace.
    Namespaced,
    /// Objects stand beside namespaces, as nodes do.
    Cluster,
}

/// A resource the cluster serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its plural name and group.
    pub name: GroupResource,
    /// Preferred version: `v1`.
    pub version: String,
    /// `Pod`.
    pub kind: String,
    /// `pod`.
    pub singular: String,
    /// Where its objects live.
    pub scope: Scope,
}

impl Resource {
    /// `pods`.
    pub fn plural(&self) -> &str {
        &self.name.resource
    }

    /// API group; empty for the core group.
    pub fn group(&self) -> &str {
        &self.name.group
    }
}

/// All resources that are served, in order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources(Vec<Arc<Resource>>);

impl Resources {
    /// Earlier entries win where a name without a group fits several.
    pub fn new(resources: Vec<Resource>) -> Self {
        Resources(resources.into_iter().map(Arc::new).collect())
    }

    /// Finds a resource by plural or singular name, in any case.
    ///
    /// The group may be left out, or cut short at a dot (`deployments.app` is not found, `ingresses.networking` is).
    /// Source: apimachinery, `pkg/api/meta`, `DefaultRESTMapper.ResourcesFor`.
    pub fn find(&self, wanted: &GroupResource) -> Option<&Arc<Resource>> {
        let name = wanted.resource.to_lowercase();
        let named = |resource: &&Arc<Resource>| resource.plural() == name || resource.singular == name;
        let exact = |resource: &&Arc<Resource>| resource.group() == wanted.group;
        let loose = |resource: &&Arc<Resource>| {
            wanted.group.is_empty() || resource.group().starts_with(&wanted.group)
        };
        let fitting = || self.0.iter().filter(named);
        fitting().find(exact).or_else(|| fitting().find(loose))
    }

    /// Every resource, in order of preference.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter().map(Arc::as_ref)
    }
}
