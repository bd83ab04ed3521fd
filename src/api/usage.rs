//! What pods and nodes use, on the wire.
//!
//! Source: k8s.io/metrics, `pkg/apis/metrics/v1beta1/types.go`.

use super::duration;
use super::groups::{USAGE, USAGE_VERSION};
use super::types::{List, time};
use crate::model::{
    Amounts, Binary, Consumer, ObjectChoice, ObjectUsage, Quantity, Usage, UsageRequest, Used,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// `PodMetrics`, `NodeMetrics` or a list of them.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Usages<'a> {
    List(List<Item<'a>>),
    One(Named<'a>),
}

impl<'a> Usages<'a> {
    /// A list, or what one object uses; `None` if that is not known.
    pub(super) fn new(request: &UsageRequest, usages: &'a [ObjectUsage]) -> Option<Self> {
        let api_version = format!("{USAGE}/{USAGE_VERSION}");
        let (kind, list_kind) = match request.of {
            Consumer::Pods => ("PodMetrics", "PodMetricsList"),
            Consumer::Nodes => ("NodeMetrics", "NodeMetricsList"),
        };
        Some(match request.objects {
            ObjectChoice::Matching(_) => {
                let items = usages.iter().map(Item::from).collect();
                Usages::List(List::new(list_kind, api_version, items))
            }
            ObjectChoice::Named(_) => Usages::One(Named {
                kind,
                api_version,
                item: Item::from(usages.first()?),
            }),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named<'a> {
    kind: &'static str,
    api_version: String,
    #[serde(flatten)]
    item: Item<'a>,
}

#[derive(Serialize)]
pub(super) struct Item<'a> {
    metadata: ObjectMeta<'a>,
    timestamp: String,
    window: String,
    #[serde(flatten)]
    used: UsedKeys<'a>,
}

/// The object's own, but for the time: metrics are as new as their samples.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectMeta<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    creation_timestamp: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum UsedKeys<'a> {
    Containers(Vec<Container<'a>>),
    Usage(BTreeMap<String, String>),
}

#[derive(Serialize)]
struct Container<'a> {
    name: &'a str,
    usage: BTreeMap<String, String>,
}

impl<'a> From<&'a ObjectUsage> for Item<'a> {
    fn from(usage: &'a ObjectUsage) -> Self {
        Item {
            metadata: ObjectMeta {
                name: &usage.name,
                namespace: usage.namespace.as_deref(),
                creation_timestamp: time(usage.at),
                labels: usage.labels.iter().collect(),
            },
            timestamp: time(usage.at),
            window: duration::print(usage.window),
            used: match &usage.used {
                Used::Containers(containers) => {
                    UsedKeys::Containers(containers.iter().map(container).collect())
                }
                Used::Whole(amounts) => UsedKeys::Usage(quantities(amounts)),
            },
        }
    }
}

fn container<'a>((name, amounts): (&'a String, &'a Amounts)) -> Container<'a> {
    Container {
        name,
        usage: quantities(amounts),
    }
}

fn quantities(amounts: &Amounts) -> BTreeMap<String, String> {
    let written = |(usage, amount): (&Usage, &Quantity)| (usage.to_string(), quantity(*usage, *amount));
    amounts.iter().map(written).collect()
}

/// Memory in powers of 1024, as prometheus-adapter and metrics-server write it.
pub(super) fn quantity(usage: Usage, amount: Quantity) -> String {
    match usage {
        Usage::Cpu => amount.to_string(),
        Usage::Memory => Binary(amount).to_string(),
    }
}
