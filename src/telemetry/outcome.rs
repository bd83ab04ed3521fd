//! The ways in which things end, as labels of the adapter's own metrics.

/// How one request to a backend ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackendOutcome {
    /// A complete answer.
    Success,
    /// No connection, or it broke.
    Unreachable,
    /// No answer within the deadline.
    TimedOut,
    /// The backend, or our limit of queries at once, had no room.
    Overloaded,
    /// The backend refused the query.
    Rejected,
    /// The backend refused the adapter's credentials.
    Unauthorized,
    /// Any other status, as of a wrong address.
    Failed,
    /// The adapter's own backend has not scraped for as long as the query looks back.
    TooYoung,
    /// The backend says that its answer is incomplete.
    Partial,
    /// The answer is not one of the query API.
    Malformed,
    /// The answer is larger than the limit.
    TooLarge,
}

impl BackendOutcome {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Overloaded => "overloaded",
            Self::Rejected => "rejected",
            Self::Unauthorized => "unauthorized",
            Self::Failed => "failed",
            Self::TooYoung => "too_young",
            Self::Partial => "partial",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
        }
    }
}

/// How one scrape of a target ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScrapeOutcome {
    /// The whole page was read.
    Success,
    /// No connection, or it broke.
    Unreachable,
    /// Not the whole page within the deadline.
    TimedOut,
    /// Any other status than 200.
    Failed,
    /// The page cannot be read.
    Malformed,
    /// The page has more bytes than the limit.
    TooLarge,
    /// The page has more samples than the limit.
    TooManySamples,
    /// There is no memory for its new series.
    NoMemory,
}

impl ScrapeOutcome {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::TooManySamples => "too_many_samples",
            Self::NoMemory => "no_memory",
        }
    }
}

/// How the result cache answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheOutcome {
    /// From the cache.
    Hit,
    /// By asking the backend.
    Miss,
    /// With the last result, because the backend failed.
    Stale,
    /// With the failure of a moment ago, without asking.
    HeldFailure,
    /// From what is refreshed in the background.
    Refreshed,
}

impl CacheOutcome {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::HeldFailure => "held_failure",
            Self::Refreshed => "refreshed",
        }
    }
}

/// How a question is asked in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefreshForm {
    /// For many namespaces in one.
    Shared,
    /// As a request would ask it.
    Narrow,
}

impl RefreshForm {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Narrow => "narrow",
        }
    }
}

/// Why a watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WatchOutcome {
    /// The adapter lacks the permission.
    Forbidden,
    /// No connection, or it broke.
    Unreachable,
    /// kube-apiserver says no.
    Refused,
    /// No answer within the deadline.
    TimedOut,
    /// More objects than are kept.
    TooMany,
}

impl WatchOutcome {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::TooMany => "too_many",
        }
    }
}

/// What the cluster is asked about a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Review {
    /// Whose a token is.
    Token,
    /// What somebody may do.
    Permission,
}

impl Review {
    /// How it is called in metrics and in the log.
    pub fn label(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Permission => "permission",
        }
    }
}

/// What the cluster says about a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReviewOutcome {
    /// The token is somebody's; or it is allowed.
    Allowed,
    /// It is not.
    Denied,
    /// It did not say.
    Failed,
}

impl ReviewOutcome {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}
