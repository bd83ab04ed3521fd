//! One request to kube-apiserver: how long it may take and how it can fail.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

/// How long one request to kube-apiserver may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Why kube-apiserver did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The adapter's account may not do it.
    #[error("not permitted to {what}\n  hint: the adapter needs a {role} with {rule}")]
    Forbidden {
        /// What was asked: `get secret monitoring/promql-adapter-ca`.
        what: String,
        /// `Role in namespace monitoring` or `ClusterRole`.
        role: String,
        /// The rule of RBAC that permits it.
        rule: String,
    },
    /// Another field manager owns what was to be set.
    #[error("cannot {what}: another manager owns it: {message}")]
    Owned {
        /// What was asked.
        what: String,
        /// Who owns it, in kube-apiserver's words.
        message: String,
    },
    /// kube-apiserver refuses.
    #[error("cannot {what}: {message}")]
    Refused {
        /// What was asked.
        what: String,
        /// The HTTP status.
        code: u16,
        /// Why, in kube-apiserver's words.
        message: String,
    },
    /// kube-apiserver cannot be asked.
    #[error("cannot {what}")]
    Unreachable {
        /// What was asked.
        what: String,
        /// Why.
        source: kube::Error,
    },
    /// No answer in time.
    #[error("cannot {what}: kube-apiserver did not answer within {ANSWER_WITHIN:?}")]
    TimedOut {
        /// What was asked.
        what: String,
    },
}

/// How a write that depends on what was read before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is written.
    Done,
    /// Somebody else wrote in the meantime, and nothing was changed.
    Overtaken,
}

/// What permits a request.
#[derive(Clone, Debug)]
pub(super) struct Permission {
    pub(super) role: String,
    pub(super) rule: String,
}

/// Asks and waits a bounded time. `what` is asked, and `permission` is what it takes.
pub(super) async fn ask<T>(
    what: impl FnOnce() -> String,
    permission: &Permission,
    answer: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, AskError> {
    match timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(refused(what(), permission, error)),
        Err(_) => Err(AskError::TimedOut { what: what() }),
    }
}

fn refused(what: String, permission: &Permission, error: kube::Error) -> AskError {
    let status = match error {
        kube::Error::Api(status) => status,
        source => return AskError::Unreachable { what, source },
    };
    if status.is_forbidden() {
        let Permission { role, rule } = permission.clone();
        return AskError::Forbidden { what, role, rule };
    }
    let owned = owned(&status);
    let kube::core::Status { code, message, .. } = *status;
    match owned {
        true => AskError::Owned { what, message },
        false => AskError::Refused { what, code, message },
    }
}

/// Whether server-side apply was refused for the sake of another field manager.
///
/// Source: apimachinery, `pkg/apis/meta/v1/types.go`, `CauseTypeFieldManagerConflict`.
fn owned(status: &kube::core::Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .into_iter()
        .any(|cause| cause.reason == "FieldManagerConflict")
}

/// A write is overtaken when what it depends on was changed, made or taken away meanwhile.
pub(super) fn written<T>(result: Result<T, AskError>) -> Result<Written, AskError> {
    match result {
        Ok(_) => Ok(Written::Done),
        Err(AskError::Refused { code: 404 | 409, .. }) => Ok(Written::Overtaken),
        Err(error) => Err(error),
    }
}
