//! What is known of all objects, put together from the answers.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::kubernetes::Object;
use crate::model::{Amounts, Consumer, ObjectUsage, Quantity, Timestamp, Usage, Used};

/// Namespace and name, then container, each with the time of its sample and the amount if there is one to serve.
pub(super) type PartAmounts = BTreeMap<(String, String), BTreeMap<String, (Timestamp, Option<Quantity>)>>;

/// What is known of all objects.
#[derive(Default)]
pub(super) struct Known(HashMap<(String, String), KnownOfObject>);

#[derive(Default)]
struct KnownOfObject {
    containers: BTreeMap<String, Amounts>,
    /// The earliest of the samples that are served; `None` while there is none.
    at: Option<Timestamp>,
}

impl Known {
    pub(super) fn add(&mut self, usage: Usage, amounts: PartAmounts) {
        for (object, containers) in amounts {
            let known = self.0.entry(object).or_default();
            for (container, (at, quantity)) in containers {
                // A container without its amount stays in sight: the autoscaler takes its pod for missing then.
                let of_container = known.containers.entry(container).or_default();
                let Some(quantity) = quantity else { continue };
                of_container.insert(usage, quantity);
                known.at = Some(known.at.map_or(at, |earliest| earliest.min(at)));
            }
        }
    }

    /// In the order of the objects; those of which nothing is known are left out.
    pub(super) fn usages(mut self, objects: &[Object], of: Consumer, window: Duration) -> Vec<ObjectUsage> {
        let usages = objects.iter().filter_map(|object| {
            let KnownOfObject { mut containers, at } =
                self.0.remove(&(object.namespace.clone(), object.name.clone()))?;
            Some(ObjectUsage {
                namespace: (of == Consumer::Pods).then(|| object.namespace.clone()),
                name: object.name.clone(),
                labels: object.labels.clone(),
                at: at?,
                window,
                used: match of {
                    Consumer::Pods => Used::Containers(containers),
                    Consumer::Nodes => Used::Whole(containers.remove("").unwrap_or_default()),
                },
            })
        });
        usages.collect()
    }
}
