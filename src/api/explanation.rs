//! The form in which an answer is explained: what `explain` prints and `/explain/…` answers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A question, its answer, and the way from one to the other as far as it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What was asked.
    pub question: Question,
    /// What a client gets.
    pub answer: Answer,
    /// How it came about.
    pub way: Way,
    /// The same of the other questions it took: what pods and nodes use is two answers or more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_ways: Vec<Way>,
}

/// A metric request as it was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Group and version: `custom.metrics.k8s.io/v1beta2`.
    pub api: String,
    /// Absent for a root-scoped question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Resource and group; absent for an external metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Name of the object, `*` for all that the selector matches; absent for an external metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Selector of objects; empty matches all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_selector: Option<String>,
    /// Name of the metric.
    pub metric: String,
    /// Selector of series; empty matches all.
    pub metric_selector: String,
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// 200 with these values; none only where a policy says so.
    Values(Vec<ValueServed>),
    /// An error.
    Failure {
        /// HTTP status.
        code: u16,
        /// Machine-readable reason, as in `details.causes`.
        reason: String,
        /// What the client is told.
        message: String,
    },
}

/// One value as it is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValueServed {
    /// The object described; absent for an external metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectName>,
    /// Labels of the sample; absent for a custom metric and for a scalar. Of usage: its `resource` and `container`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// The quantity: `1500m`.
    pub value: String,
    /// Evaluation time.
    pub at: String,
    /// Seconds the rule looks back over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
}

/// An object of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// `Pod`.
    pub kind: String,
    /// Absent for cluster-scoped objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: String,
}

/// The way of an answer; what was not reached is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// Where the rule stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RulePlace>,
    /// The backend asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Objects matched, for `*` questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<Vec<String>>,
    /// The query as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// When it was evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluated_at: Option<String>,
    /// What came back.
    pub samples: Vec<SampleSeen>,
    /// Each number served from a sample, before and after rounding.
    pub readings: Vec<ReadingSeen>,
    /// Each sample that was not served, with the reason.
    pub dropped: Vec<DroppedSeen>,
    /// When the series that the query read last had samples, the oldest first.
    pub sample_ages: Vec<AgeSeen>,
    /// What else is worth knowing: cached, stale, a policy used.
    pub notes: Vec<String>,
}

/// A number before and after rounding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadingSeen {
    /// Name of the object, or labels of the sample.
    pub of: String,
    /// As the backend gave it.
    pub exact: String,
    /// As it is served: `1500m`.
    pub served: String,
}

/// A sample that was not served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DroppedSeen {
    /// Labels of the series.
    pub labels: BTreeMap<String, String>,
    /// The number as text.
    pub value: String,
    /// Why it was not served.
    pub reason: String,
}

/// How old the last sample of a series was when the query was evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgeSeen {
    /// Labels of the series.
    pub labels: BTreeMap<String, String>,
    /// Time of its last sample.
    pub at: String,
    /// Age in seconds.
    pub seconds: f64,
}

/// A place in the rules file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RulePlace {
    /// The file as it was named.
    pub file: String,
    /// Line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Path of keys: `rules[2]`.
    pub key: String,
}

/// A sample as the backend gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SampleSeen {
    /// Labels of the series.
    pub labels: BTreeMap<String, String>,
    /// The number as text, since JSON has no `NaN` and no infinities.
    pub value: String,
    /// Its time.
    pub at: String,
}
