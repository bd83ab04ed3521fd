//! What a rule answers when there is no plain value.

use std::time::Duration;

use crate::model::Quantity;

use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};

/// What is answered when there is no plain value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// `onEmpty`: the backend has no sample at all.
    pub on_empty: OnNoValue,
    /// `onNoTraffic`: the sample is not a number, as a quantile or ratio without traffic is.
    pub on_no_traffic: OnNoValue,
    /// `onPartial`: the backend says that its answer is incomplete.
    pub on_partial: OnPartial,
}

impl Policies {
    /// How long a good value is kept for a policy that may serve it; `None` if none does.
    pub fn keeps_last(&self) -> Option<Duration> {
        let policies = [self.on_empty, self.on_no_traffic];
        policies.iter().filter_map(OnNoValue::within).max()
    }
}

/// What to answer in place of a value that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnNoValue {
    /// `{answer: error}`: 404 with the cause; the autoscaler holds.
    #[default]
    Error,
    /// `{answer: missing}`: leave the object out; an empty list if none is left.
    Missing,
    /// `{answer: last, within: 15s}`: the last value, while its evaluation time is no older than this.
    Last {
        /// Greatest age.
        within: Duration,
    },
    /// `{answer: value, value: 3}`: this number.
    Value {
        /// The number to serve.
        value: Quantity,
    },
}

impl OnNoValue {
    /// Greatest age of a last value, where the last value is what is answered.
    fn within(&self) -> Option<Duration> {
        match self {
            OnNoValue::Last { within } => Some(*within),
            OnNoValue::Error | OnNoValue::Missing | OnNoValue::Value { .. } => None,
        }
    }
}

/// What to do with an answer that the backend calls incomplete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnPartial {
    /// Fail: incomplete looks like less traffic.
    #[default]
    Refuse,
    /// Serve it.
    Accept,
}

pub(crate) const POLICY: Section = Section {
    title: "Policies",
    about: "The value of `onEmpty` and `onNoTraffic`.\n\
            - `error`: 404 with the cause, and the autoscaler holds.\n\
            - `missing`: the object is left out of the answer; an empty list if none is left.\n\
            - `last`: the last value, while it is no older than `within`.\n\
            - `value`: the number under `value`.",
    fields: &[
        Field::new(
            "answer",
            "`error`, `missing`, `last` or `value`",
            "missing",
            "What is answered.",
        ),
        Field::new(
            "within",
            "duration",
            "15s",
            "With `answer: last`: how old the last value may be.",
        ),
        Field::new(
            "value",
            "quantity",
            "500m",
            "With `answer: value`: the number, as Kubernetes writes it.",
        ),
    ],
    shared: &[],
};

/// Reads the policies among the keys of a rule.
pub(crate) fn read_policies(rule: &Mapping<'_>, faults: &mut Faults) -> Policies {
    let mut policy = |key| {
        let node = rule.child(key);
        node.map_or(OnNoValue::Error, |node| read_policy(node, faults))
    };
    Policies {
        on_empty: policy("onEmpty"),
        on_no_traffic: policy("onNoTraffic"),
        on_partial: rule.defaulted("onPartial", on_partial, faults),
    }
}

fn read_policy(node: &Node, faults: &mut Faults) -> OnNoValue {
    let policy = Mapping::open(node, &POLICY, faults);
    let answer: String = policy.required("answer", answer, faults);
    for (key, owner) in [("within", "last"), ("value", "value")] {
        if policy.child(key).is_some() && answer != owner {
            let message = format!("`{key}` belongs to `answer: {owner}`");
            faults.hinted(policy.at(key), message, format!("take `{key}` out"));
        }
    }
    match answer.as_str() {
        "missing" => OnNoValue::Missing,
        "last" => OnNoValue::Last {
            within: policy.required("within", scalar::positive_duration, faults),
        },
        "value" => {
            if policy.child("value").is_none() {
                policy.missing("value", faults);
            }
            let value = policy.optional("value", quantity, faults);
            value.map_or(OnNoValue::Error, |value| OnNoValue::Value { value })
        }
        _ => OnNoValue::Error,
    }
}

fn answer(text: &str) -> Result<String, String> {
    match text {
        "error" | "missing" | "last" | "value" => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is none of `error`, `missing`, `last`, `value`")),
    }
}

fn quantity(text: &str) -> Result<Quantity, String> {
    text.parse().map_err(|_| format!("`{text}` is not a quantity"))
}

fn on_partial(text: &str) -> Result<OnPartial, String> {
    match text {
        "refuse" => Ok(OnPartial::Refuse),
        "accept" => Ok(OnPartial::Accept),
        _ => Err(format!("`{text}` is neither `refuse` nor `accept`")),
    }
}
