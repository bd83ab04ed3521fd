//! Why there is no answer.

use std::collections::BTreeMap;
use std::fmt;

use super::Asker;
use crate::kubernetes::ObjectsError;
use crate::model::{
    Consumer, CustomRequest, ExternalRequest, GroupResource, ObjectChoice, Place, Timestamp, UsageRequest,
};
use crate::prometheus;
use crate::rules::{NoMetric, QueryFault, Rule};

/// More rules than this are not named in a message.
const MOST_NAMED: usize = 5;

/// Why a request has no value. Each variant has one HTTP status.
///
/// The text is for the owner of the workload: no address, no other tenant's name.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// 404: there is no such metric, object or sample.
    #[error("{0}")]
    NotFound(NotFound),
    /// 404: there is no such pod or node.
    #[error(r#"{of} "{name}" not found"#)]
    NoObject {
        /// Pods or nodes.
        of: Consumer,
        /// The name asked for.
        name: String,
    },
    /// 404: nothing is known of what a pod or node uses. The first sentence is that of metrics-server.
    #[error(r#"{kind}.metrics.k8s.io "{name}" not found: {cause}"#)]
    NoUsage {
        /// `podmetrics` or `nodemetrics`.
        kind: &'static str,
        /// The name, behind that of the namespace and a slash where there is one.
        name: String,
        /// Why.
        cause: String,
        /// Machine-readable, as of [`NotFound`].
        reason: &'static str,
    },
    /// 400: the metric selector cannot be turned into matchers.
    #[error("{0}")]
    BadSelector(String),
    /// 503: which objects there are is not known.
    #[error("{0}")]
    ObjectsUnknown(String),
    /// 503: the backend is unreachable, overloaded or only just started, and the last answer is too old.
    #[error("{0}")]
    BackendUnavailable(String),
    /// 504: the backend did not answer in time.
    #[error("{0}")]
    BackendTimeout(String),
    /// 500: the backend refused the query or its answer cannot be used.
    #[error("{0}")]
    BackendFailed(String),
    /// 500: the value itself cannot be served (infinite, out of range, several for one object).
    #[error("{0}")]
    Broken(String),
}

/// What was not found: upstream's first sentence, then the cause.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the server could not find the metric {metric} for {target}: {cause}")]
pub struct NotFound {
    /// Name of the metric asked for.
    pub metric: String,
    /// `pods`, `deployments.apps web`, `namespace shop`.
    pub target: String,
    /// Why.
    pub cause: String,
    /// Machine-readable: `NoRule`, `RuleDisabled`, `NoSeries`, `NoObjects`, `NoSamples`, `NotANumber` and others.
    pub reason: &'static str,
}

/// What a request is about, for its error messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    metric: &'a str,
    target: Target<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Objects(&'a GroupResource, &'a ObjectChoice),
    Consumers(Consumer, &'a ObjectChoice),
    Namespace(&'a str),
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let choice = match self {
            Target::Objects(resource, choice) => {
                write!(f, "{resource}")?;
                choice
            }
            Target::Consumers(consumer, choice) => {
                write!(f, "{consumer}")?;
                choice
            }
            Target::Namespace(name) => return write!(f, "namespace {name}"),
        };
        match choice {
            ObjectChoice::Named(name) => write!(f, " {name}"),
            ObjectChoice::Matching(_) => Ok(()),
        }
    }
}

impl Error {
    /// Machine-readable reason, for `details.causes`.
    pub fn reason(&self) -> &'static str {
        match self {
            Error::NotFound(not_found) => not_found.reason,
            Error::NoObject { .. } => "NoObjects",
            Error::NoUsage { reason, .. } => reason,
            Error::BadSelector(_) => "SelectorUnsupported",
            Error::ObjectsUnknown(_) => "ObjectsUnknown",
            Error::BackendUnavailable(_) => "BackendUnavailable",
            Error::BackendTimeout(_) => "BackendTimeout",
            Error::BackendFailed(_) => "BackendFailed",
            Error::Broken(_) => "BrokenValue",
        }
    }

    pub(super) fn of_backend(key: &str, metric: &str, error: &prometheus::Error) -> Error {
        let message = format!("unable to fetch metric {metric} ({key}): {}", error.client_text());
        match error {
            prometheus::Error::Unreachable(_)
            | prometheus::Error::Overloaded { .. }
            | prometheus::Error::TooYoung { .. } => Error::BackendUnavailable(message),
            prometheus::Error::TimedOut(_) => Error::BackendTimeout(message),
            prometheus::Error::Rejected { .. }
            | prometheus::Error::Unauthorized { .. }
            | prometheus::Error::Failed { .. }
            | prometheus::Error::Partial { .. }
            | prometheus::Error::Malformed { .. }
            | prometheus::Error::TooLarge { .. } => Error::BackendFailed(message),
        }
    }

    pub(super) fn no_backend(asker: &Asker<'_>, metric: &str) -> Error {
        let Asker { place, backend, .. } = asker;
        Error::BackendFailed(format!(
            "unable to fetch metric {metric} ({}): no backend is called `{backend}`",
            place.key
        ))
    }
}

impl<'a> Subject<'a> {
    pub(super) fn custom(request: &'a CustomRequest) -> Subject<'a> {
        Subject {
            metric: &request.metric,
            target: Target::Objects(&request.resource, &request.objects),
        }
    }

    pub(super) fn external(request: &'a ExternalRequest) -> Subject<'a> {
        Subject {
            metric: &request.metric,
            target: Target::Namespace(&request.namespace),
        }
    }

    pub(super) fn usage(request: &'a UsageRequest, metric: &'a str) -> Subject<'a> {
        Subject {
            metric,
            target: Target::Consumers(request.of, &request.objects),
        }
    }

    pub(super) fn metric(&self) -> &'a str {
        self.metric
    }

    pub(super) fn not_found(&self, reason: &'static str, cause: impl Into<String>) -> Error {
        Error::NotFound(NotFound {
            metric: self.metric.to_owned(),
            target: self.target.to_string(),
            cause: cause.into(),
            reason,
        })
    }

    /// Which objects there are cannot be said.
    pub(super) fn no_objects(&self, error: &ObjectsError) -> Error {
        match error {
            ObjectsError::NeverWatched(_) => self.not_found("NotWatched", error.to_string()),
            ObjectsError::Listing { .. } | ObjectsError::Failed { .. } => Error::ObjectsUnknown(format!(
                "unable to fetch metric {} for {}: {error}",
                self.metric, self.target
            )),
        }
    }

    pub(super) fn broken(&self, rule: &Rule, cause: &str) -> Error {
        Error::Broken(format!(
            "the value of metric {} for {} cannot be served ({}): {cause}",
            self.metric,
            self.target,
            rule.key()
        ))
    }

    /// The metric is not in the catalog.
    pub(super) fn no_metric(&self, why: &NoMetric) -> Error {
        match why {
            NoMetric::NoRule => self.not_found("NoRule", "no rule makes it"),
            NoMetric::Faulty(fault) => self.not_found(
                "RuleDisabled",
                format!("its rule is disabled: {}: {}", fault.place.key, fault.message),
            ),
            NoMetric::OtherResources(known) => {
                let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                self.not_found(
                    "NoRule",
                    format!("its series have labels for {} only", known.join(", ")),
                )
            }
            NoMetric::Gone { place, last_seen } => self.not_found(
                "NoSeries",
                format!(
                    "{} has found no series of it since {}",
                    place.key,
                    clock(*last_seen)
                ),
            ),
            NoMetric::Unknown(rules) => Error::BackendUnavailable(format!(
                "nobody knows whether there is a metric {} for {}: {}",
                self.metric,
                self.target,
                waiting(rules)
            )),
        }
    }

    /// The metric is known but the request makes no query.
    pub(super) fn no_query(&self, key: &str, fault: &QueryFault) -> Error {
        match fault {
            QueryFault::Selector(unsupported) => Error::BadSelector(unsupported.to_string()),
            QueryFault::UnsafeValue(_) => self.not_found("NoObjects", fault.to_string()),
            QueryFault::Template(cause) => {
                self.not_found("RuleDisabled", format!("{}: {fault}: {cause}", key))
            }
            QueryFault::Empty | QueryFault::Label(_) | QueryFault::TooLong { .. } => {
                self.not_found("RuleDisabled", format!("{}: {fault}", key))
            }
        }
    }
}

/// Rules that could not look for series yet, those with the same reason together.
fn waiting(rules: &[(Place, String)]) -> String {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (place, why) in rules {
        by_reason.entry(why).or_default().push(&place.key);
    }
    let told = by_reason.iter().map(|(why, keys)| {
        let more = match keys.len().checked_sub(MOST_NAMED) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        let named = keys[..keys.len().min(MOST_NAMED)].join(", ");
        format!("{named}{more} could not look for series yet: {why}")
    });
    told.collect::<Vec<_>>().join("; ")
}

/// A time of day; the day too would only be noise in an event of the autoscaler.
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M UTC").to_string()
}
