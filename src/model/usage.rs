//! What pods and nodes use: questions to `metrics.k8s.io` and their answers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{Labels, ObjectChoice, Quantity, Timestamp};

/// A question to `metrics.k8s.io`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRequest {
    /// Pods or nodes.
    pub of: Consumer,
    /// `None` for nodes, and for pods of all namespaces.
    pub namespace: Option<String>,
    /// One object, or all that a selector matches.
    pub objects: ObjectChoice,
    /// Conditions on name and namespace; all must hold.
    pub fields: Vec<FieldCondition>,
}

/// Who uses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consumer {
    /// Pods, told by container.
    Pods,
    /// Nodes.
    Nodes,
}

/// Prints the plural of the resource.
impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Consumer::Pods => "pods",
            Consumer::Nodes => "nodes",
        })
    }
}

/// What is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// Processor time: cores.
    Cpu,
    /// Memory: bytes.
    Memory,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Usage::Cpu => "cpu",
            Usage::Memory => "memory",
        })
    }
}

/// A condition of a field selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCondition {
    /// Which field.
    pub field: ObjectField,
    /// Whether it must be the value, or must not.
    pub equal: bool,
    /// The value.
    pub value: String,
}

/// A field that objects can be selected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectField {
    /// `metadata.name`.
    Name,
    /// `metadata.namespace`.
    Namespace,
}

impl FieldCondition {
    /// Whether it holds for an object.
    pub fn holds(&self, namespace: Option<&str>, name: &str) -> bool {
        let value = match self.field {
            ObjectField::Name => name,
            ObjectField::Namespace => namespace.unwrap_or_default(),
        };
        (value == self.value) == self.equal
    }
}

/// Amounts by what is used. What is not known is absent and never zero.
pub type Amounts = BTreeMap<Usage, Quantity>;

/// What one pod or node uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectUsage {
    /// `None` for a node.
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: String,
    /// Labels of the object.
    pub labels: Labels,
    /// Evaluation time of the queries that gave the amounts; of several, the earliest.
    pub at: Timestamp,
    /// What the amounts look back over.
    pub window: Duration,
    /// The amounts.
    pub used: Used,
}

/// Amounts of a pod or of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Used {
    /// Of each container; none where its samples cannot be served.
    Containers(BTreeMap<String, Amounts>),
    /// Of a node.
    Whole(Amounts),
}
