//! What is asked for and what is answered.

use std::sync::Arc;
use std::time::Duration;

use super::{GroupResource, Labels, Quantity, Resource, Selector, Timestamp};

/// A question to `custom.metrics.k8s.io`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRequest {
    /// The resource as it was asked for; singular or without group if the caller wrote it so.
    pub resource: GroupResource,
    /// `None` for a root-scoped question (nodes, namespaces).
    pub namespace: Option<String>,
    /// One object, or all that a selector matches.
    pub objects: ObjectChoice,
    /// Name of the metric.
    pub metric: String,
    /// `metricLabelSelector`: narrows the series.
    pub metric_selector: Selector,
}

/// Which objects a custom metric is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ObjectChoice {
    /// One object by name; it is not looked up.
    Named(String),
    /// `*`: every object that the label selector matches.
    Matching(Selector),
}

/// A question to `external.metrics.k8s.io`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRequest {
    /// Namespace of the asking autoscaler.
    pub namespace: String,
    /// Name of the metric; clients send it lower-cased.
    pub metric: String,
    /// `labelSelector`: narrows the series.
    pub selector: Selector,
}

/// A number to be served, with where in time it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricValue {
    /// The number, in thousandths.
    pub quantity: Quantity,
    /// Evaluation time of the query that gave it.
    pub at: Timestamp,
    /// Range the rule looks back over, `None` for an instant value.
    pub window: Option<Duration>,
}

/// An object in the words of `describedObject`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectReference {
    /// What it is one of.
    pub resource: Arc<Resource>,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<Arc<str>>,
    /// Name of the object.
    pub name: Arc<str>,
}

/// The value of a custom metric for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectValue {
    /// The object described.
    pub object: ObjectReference,
    /// Its value.
    pub value: MetricValue,
}

/// One value of an external metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalValue {
    /// Labels of the sample; `None` for a scalar, which has none.
    pub labels: Option<Labels>,
    /// Its value.
    pub value: MetricValue,
}
