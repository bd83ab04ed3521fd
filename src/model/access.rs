//! Who asks, and for what.

use std::collections::BTreeMap;
use std::fmt;

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct User {
    /// The name.
    pub name: String,
    /// The id; empty if it is not known.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What else is known, by key, such as the id of the credential.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// How a front proxy tells who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontProxy {
    /// Common names of its certificate; empty for any name that its authority vouches for.
    pub allowed_names: Vec<String>,
    /// Headers with the name of the user; the first that is there counts.
    pub user_headers: Vec<String>,
    /// Headers with the id of the user; the first that is there counts.
    pub uid_headers: Vec<String>,
    /// Headers with a group each; all count.
    pub group_headers: Vec<String>,
    /// What headers with more about the user begin with; the rest is the key.
    pub extra_prefixes: Vec<String>,
}

/// What a request wants to do, in the terms in which a cluster gives permission.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Something with a resource.
    Resource(ResourceAction),
    /// Something with any other path.
    Path {
        /// The path, decoded.
        path: String,
        /// The method in lower case.
        verb: String,
    },
}

/// What a request wants to do with a resource. What the request does not name is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ResourceAction {
    /// `get`, `list`, …
    pub verb: String,
    /// The API group, such as `custom.metrics.k8s.io`.
    pub group: String,
    /// Its version.
    pub version: String,
    /// The namespace; empty for all, and for what is in none.
    pub namespace: String,
    /// The resource as it stands in the path: `pods`, `deployments.apps`, or the name of an external metric.
    pub resource: String,
    /// What of it: the metric of an object.
    pub subresource: String,
    /// Which one of the resource; `*` for those that a selector matches.
    pub name: String,
}

impl Action {
    /// The same with everything in the group, in all namespaces, if it is about a resource.
    ///
    /// Whoever may do this may do the action too.
    pub fn with_whole_group(&self) -> Option<Action> {
        match self {
            Action::Path { .. } => None,
            Action::Resource(action) => Some(Action::Resource(ResourceAction {
                verb: action.verb.clone(),
                group: action.group.clone(),
                version: ANY.to_owned(),
                resource: ANY.to_owned(),
                ..ResourceAction::default()
            })),
        }
    }
}

/// What stands for everything.
const ANY: &str = "*";

/// As apiserver tells what somebody may not do (`pkg/endpoints/handlers/responsewriters/errors.go`, 1.36).
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Path { path, verb } => write!(f, "{verb} path {path:?}"),
            Action::Resource(action) => action.fmt(f),
        }
    }
}

impl fmt::Display for ResourceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResourceAction {
            verb,
            group,
            namespace,
            resource,
            subresource,
            ..
        } = self;
        let slash = if subresource.is_empty() { "" } else { "/" };
        write!(
            f,
            "{verb} resource \"{resource}{slash}{subresource}\" in API group {group:?} "
        )?;
        match namespace.as_str() {
            "" => f.write_str("at the cluster scope"),
            namespace => write!(f, "in the namespace {namespace:?}"),
        }
    }
}
