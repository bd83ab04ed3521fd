//! Explains what pods and nodes use: several questions, one answer.

use super::super::explanation::{Answer, Explanation, ObjectName, Question, ValueServed, Way};
use super::super::groups::{USAGE, USAGE_VERSION};
use super::super::types::time;
use super::super::usage::quantity;
use super::{Reader, failure};
use crate::model::{Amounts, Consumer, ObjectChoice, ObjectUsage, UsageRequest, Used};
use crate::provider::{Provider, UsageOutcome};
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// The explanation of an answer.
pub(super) async fn explained(
    provider: &Provider,
    request: &UsageRequest,
    outcome: &UsageOutcome,
    reader: Reader,
) -> Explanation {
    let ways = outcome
        .traces
        .iter()
        .map(|trace| Way::from(trace).with_ages(provider, trace, reader));
    let mut ways = join_all(ways).await.into_iter();
    Explanation {
        question: question(request),
        answer: match &outcome.result {
            Ok(usages) => Answer::Values(usages.iter().flat_map(values).collect()),
            Err(error) => failure(error),
        },
        way: ways.next().unwrap_or_default(),
        further_ways: ways.collect(),
    }
}

fn question(request: &UsageRequest) -> Question {
    let (object, object_selector) = match &request.objects {
        ObjectChoice::Named(name) => (name.clone(), None),
        ObjectChoice::Matching(selector) => ("*".to_owned(), Some(selector.to_string())),
    };
    Question {
        api: format!("{USAGE}/{USAGE_VERSION}"),
        namespace: request.namespace.clone(),
        resource: Some(request.of.to_string()),
        object: Some(object),
        object_selector,
        metric: "cpu and memory".to_owned(),
        metric_selector: String::new(),
    }
}

fn values(usage: &ObjectUsage) -> Vec<ValueServed> {
    let of = |consumer: Consumer, container: Option<&str>, amounts: &Amounts| -> Vec<ValueServed> {
        let served = amounts.iter().map(|(resource, amount)| {
            let mut labels = BTreeMap::from([("resource".to_owned(), resource.to_string())]);
            labels.extend(container.map(|name| ("container".to_owned(), name.to_owned())));
            ValueServed {
                object: Some(ObjectName {
                    kind: match consumer {
                        Consumer::Pods => "Pod",
                        Consumer::Nodes => "Node",
                    }
                    .to_owned(),
                    namespace: usage.namespace.clone(),
                    name: usage.name.clone(),
                }),
                labels: Some(labels),
                value: quantity(*resource, *amount),
                at: time(usage.at),
                window_seconds: Some(usage.window.as_secs()),
            }
        });
        served.collect()
    };
    match &usage.used {
        Used::Whole(amounts) => of(Consumer::Nodes, None, amounts),
        Used::Containers(containers) => containers
            .iter()
            .flat_map(|(name, amounts)| of(Consumer::Pods, Some(name), amounts))
            .collect(),
    }
}
