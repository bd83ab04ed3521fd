//! Why objects are not known.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use kube::runtime::watcher;

use crate::model::GroupResource;
use crate::telemetry::WatchOutcome;

/// Why nobody can say which objects there are. The text holds no address.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ObjectsError {
    /// No rule is worth reading this resource.
    #[error("{0} are never watched")]
    NeverWatched(GroupResource),
    /// The first list is under way.
    #[error("{resource} are still being listed after {} s", within.as_secs_f64())]
    Listing {
        /// The resource.
        resource: GroupResource,
        /// How long the request waited.
        within: Duration,
    },
    /// They cannot be watched.
    #[error("{resource} cannot be watched: {failure}")]
    Failed {
        /// The resource.
        resource: GroupResource,
        /// Why.
        failure: Arc<WatchFailure>,
    },
}

/// Why a resource cannot be watched. The text holds no address; the source does.
#[derive(Debug, thiserror::Error)]
pub enum WatchFailure {
    /// The adapter lacks the permission.
    #[error(
        "the adapter has no permission, its ClusterRole needs {{apiGroups: [{}], resources: [{}], verbs: [list, watch]}}",
        quoted(&.0.group),
        .0.resource
    )]
    Forbidden(GroupResource),
    /// kube-apiserver cannot be reached, or the connection broke.
    #[error("kube-apiserver cannot be reached")]
    Unreachable(#[source] watcher::Error),
    /// kube-apiserver says no.
    #[error("kube-apiserver answers {code}")]
    Refused {
        /// Status code.
        code: u16,
        /// What it says.
        source: watcher::Error,
    },
    /// kube-apiserver takes too long.
    #[error("kube-apiserver does not answer within {} s", .0.as_secs_f64())]
    Silent(Duration),
    /// More objects than are kept.
    #[error("there are more than {0}, raise `kubernetes.maxObjects`")]
    TooMany(usize),
}

impl WatchFailure {
    pub(super) fn of(resource: &GroupResource, error: watcher::Error) -> WatchFailure {
        match code(&error) {
            Some(403) => WatchFailure::Forbidden(resource.clone()),
            Some(code) => WatchFailure::Refused { code, source: error },
            None => WatchFailure::Unreachable(error),
        }
    }

    /// Whether what was known before may no longer be told, or is too much to keep.
    pub(super) fn voids(&self) -> bool {
        matches!(self, WatchFailure::Forbidden(_) | WatchFailure::TooMany(_))
    }

    pub(super) fn outcome(&self) -> WatchOutcome {
        match self {
            WatchFailure::Forbidden(_) => WatchOutcome::Forbidden,
            WatchFailure::Unreachable(_) => WatchOutcome::Unreachable,
            WatchFailure::Refused { .. } => WatchOutcome::Refused,
            WatchFailure::Silent(_) => WatchOutcome::TimedOut,
            WatchFailure::TooMany(_) => WatchOutcome::TooMany,
        }
    }

    /// With its cause, for the log. That text has its own causes in it already.
    pub(super) fn logged(&self) -> String {
        match self.source() {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

/// Whether the place to go on from is forgotten, so that everything must be listed again.
pub(super) fn is_expired(error: &watcher::Error) -> bool {
    code(error) == Some(410)
}

/// Whether the permission is missing.
pub(in crate::kubernetes) fn is_forbidden(error: &watcher::Error) -> bool {
    code(error) == Some(403)
}

fn code(error: &watcher::Error) -> Option<u16> {
    let status = match error {
        watcher::Error::WatchError(status) => Some(&**status),
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => Some(&**status),
        watcher::Error::InitialListFailed(_)
        | watcher::Error::WatchStartFailed(_)
        | watcher::Error::WatchFailed(_)
        | watcher::Error::NoResourceVersion => None,
    };
    status.map(|status| status.code)
}

/// The core group has an empty name, which YAML wants in quotes.
fn quoted(group: &str) -> &str {
    if group.is_empty() { "\"\"" } else { group }
}
