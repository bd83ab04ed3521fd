//! What metrics there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use super::Api;
use super::discovery::FoundSeries;
use super::rule::{Making, Rule};
use crate::model::{Diagnostic, GroupResource, Place, Resource, Scope, Timestamp};

/// A metric that discovery lists for a resource. Ordered as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomMetric {
    /// Plural name and group of the resource.
    pub resource: GroupResource,
    /// Name of the metric.
    pub metric: String,
    /// Whether the resource lives in a namespace.
    pub namespaced: bool,
}

/// A custom metric of one resource: the rule that makes it, and from what.
#[derive(Clone, Debug)]
pub struct CustomEntry {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The series it is made from; of several, the last by name.
    pub series: String,
    /// The resource it describes.
    pub resource: Arc<Resource>,
    /// The label that names an object.
    pub label: String,
    /// The label that names its namespace; `None` for cluster-scoped resources.
    pub namespace_label: Option<String>,
}

/// An external metric: the rule that makes it, and from what.
#[derive(Clone, Debug)]
pub struct ExternalEntry {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its name as the rule makes it, in its own case.
    pub metric: String,
    /// The series it is made from; of several, the last by name.
    pub series: String,
    /// The label that is matched with the namespace of the request, if the rule wants that.
    pub namespace_label: Option<String>,
}

/// Why there is no such metric.
#[derive(Clone, Debug)]
pub enum NoMetric {
    /// No rule makes it.
    NoRule,
    /// The rule that makes it is disabled.
    Faulty(Diagnostic),
    /// It is made, for these resources and not for the one asked for.
    OtherResources(Vec<GroupResource>),
    /// It was known; its series are gone since then.
    Gone {
        /// The rule that made it.
        place: Place,
        /// When its series were last found.
        last_seen: Timestamp,
    },
    /// These rules have not been able to look for series yet, each with the reason, so nobody knows.
    Unknown(Vec<(Place, String)>),
}

/// What is known of one rule's series.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its series and when they were found, or why nobody has been able to look yet.
    pub series: Result<(Arc<Vec<FoundSeries>>, Timestamp), String>,
}

/// How long a metric that is gone is remembered, so that its absence can be explained.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// All known metrics. Replaced whole, never changed.
#[derive(Debug, Default)]
pub struct Catalog {
    /// By name, then by resource.
    custom: BTreeMap<String, BTreeMap<GroupResource, Arc<CustomEntry>>>,
    /// By lower-cased name.
    external: BTreeMap<String, Arc<ExternalEntry>>,
    /// Metrics of disabled rules.
    faulty: BTreeMap<(Api, String), Diagnostic>,
    /// Metrics that were known once, with their rule and the last time they were found.
    seen: BTreeMap<(Api, String), (Place, Timestamp)>,
    /// Rules that have not been able to look for series yet.
    unknown: BTreeMap<Api, Vec<(Place, String)>>,
    listing: Vec<CustomMetric>,
    notes: Vec<String>,
}

impl Catalog {
    /// Puts together what all rules make. A later rule wins over an earlier one that makes the same metric.
    ///
    /// `before` is the catalog so far: what it knew and is not found any more is remembered as gone.
    pub fn build(discovered: &[Discovered], before: &Catalog, now: Timestamp) -> Catalog {
        let remembered = |(_, last_seen): &(Place, Timestamp)| now.duration_since(*last_seen) < REMEMBERED;
        let mut catalog = Catalog {
            seen: before.seen.clone(),
            ..Catalog::default()
        };
        catalog.seen.retain(|_, seen| remembered(seen));
        for Discovered { rule, series } in discovered {
            match series {
                Ok((series, at)) => series.iter().for_each(|series| catalog.add(rule, series, *at)),
                Err(why) => catalog
                    .unknown
                    .entry(rule.api)
                    .or_default()
                    .push((rule.place.clone(), why.clone())),
            }
        }
        catalog.listing = catalog.list();
        catalog
    }

    /// Custom metrics, sorted by resource and name.
    pub fn custom(&self) -> impl Iterator<Item = &CustomMetric> {
        self.listing.iter()
    }

    /// Names of external metrics, sorted.
    pub fn external(&self) -> impl Iterator<Item = &str> {
        self.external.values().map(|entry| entry.metric.as_str())
    }

    /// Whether both make the same metrics of the same series, by the same rules.
    pub fn is_as(&self, other: &Catalog) -> bool {
        self.custom_makings().eq(other.custom_makings())
            && self.external_makings().eq(other.external_makings())
    }

    fn custom_makings(&self) -> impl Iterator<Item = impl PartialEq> {
        self.custom_entries().map(|entry| {
            let labels = (&entry.label, &entry.namespace_label);
            (Arc::as_ptr(&entry.rule), &entry.resource, &entry.series, labels)
        })
    }

    fn external_makings(&self) -> impl Iterator<Item = impl PartialEq> {
        self.external_entries().map(|entry| {
            (
                Arc::as_ptr(&entry.rule),
                &entry.metric,
                &entry.series,
                &entry.namespace_label,
            )
        })
    }

    /// The entries of all custom metrics.
    pub(super) fn custom_entries(&self) -> impl Iterator<Item = &Arc<CustomEntry>> {
        self.custom.values().flat_map(BTreeMap::values)
    }

    /// The entries of all external metrics.
    pub(super) fn external_entries(&self) -> impl Iterator<Item = &Arc<ExternalEntry>> {
        self.external.values()
    }

    /// What was doubtful in putting it together: shadowed metrics, empty names.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The entry of a custom metric, by plural resource.
    pub fn find_custom(&self, resource: &GroupResource, metric: &str) -> Result<&Arc<CustomEntry>, NoMetric> {
        let of_metric = self.custom.get(metric);
        if let Some(entry) = of_metric.and_then(|entries| entries.get(resource)) {
            return Ok(entry);
        }
        if let Some(fault) = self.faulty.get(&(Api::Custom, metric.to_owned())) {
            return Err(NoMetric::Faulty(fault.clone()));
        }
        match of_metric {
            Some(entries) => Err(NoMetric::OtherResources(entries.keys().cloned().collect())),
            None => Err(self.absent(Api::Custom, metric)),
        }
    }

    /// The entry of an external metric, by name in any case.
    pub fn find_external(&self, metric: &str) -> Result<&Arc<ExternalEntry>, NoMetric> {
        let metric = metric.to_lowercase();
        if let Some(entry) = self.external.get(&metric) {
            return Ok(entry);
        }
        match self.faulty.get(&(Api::External, metric.clone())) {
            Some(fault) => Err(NoMetric::Faulty(fault.clone())),
            None => Err(self.absent(Api::External, &metric)),
        }
    }

    fn absent(&self, api: Api, metric: &str) -> NoMetric {
        if let Some((place, last_seen)) = self.seen.get(&(api, metric.to_owned())) {
            return NoMetric::Gone {
                place: place.clone(),
                last_seen: *last_seen,
            };
        }
        match self.unknown.get(&api) {
            Some(places) => NoMetric::Unknown(places.clone()),
            None => NoMetric::NoRule,
        }
    }

    fn add(&mut self, rule: &Arc<Rule>, series: &FoundSeries, at: Timestamp) {
        let Some(metric) = rule.naming.metric(&series.name) else {
            return;
        };
        if metric.is_empty() {
            let place = &rule.place;
            self.note(format!("{place}: the name made of `{}` is empty", series.name));
            return;
        }
        let key = match rule.api {
            Api::Custom => metric.clone(),
            Api::External => metric.to_lowercase(),
        };
        match &rule.making {
            Err(fault) => {
                if self.is_made(rule.api, &key) {
                    let place = &rule.place;
                    self.note(format!(
                        "{place}: is disabled, so an earlier rule goes on making {metric}"
                    ));
                }
                self.faulty.insert((rule.api, key), fault.clone());
            }
            Ok(making) => {
                self.seen
                    .insert((rule.api, key.clone()), (rule.place.clone(), at));
                match rule.api {
                    Api::Custom => self.add_custom(rule, making, series, &metric),
                    Api::External => self.add_external(rule, making, series, key, metric),
                }
            }
        }
    }

    fn is_made(&self, api: Api, key: &str) -> bool {
        match api {
            Api::Custom => self.custom.contains_key(key),
            Api::External => self.external.contains_key(key),
        }
    }

    fn add_custom(&mut self, rule: &Arc<Rule>, making: &Making, series: &FoundSeries, metric: &str) {
        for (key, (resource, label)) in making.association.resources_of(&series.label_names) {
            let namespace_label = match resource.scope {
                Scope::Cluster => None,
                Scope::Namespaced => match making.association.namespace_label() {
                    Some(label) => Some(label.to_owned()),
                    None => continue,
                },
            };
            let entry = CustomEntry {
                rule: rule.clone(),
                series: series.name.clone(),
                resource,
                label,
                namespace_label,
            };
            let place = &rule.place;
            let said = format!("{key}/{metric}");
            let shadowed = self
                .custom
                .entry(metric.to_owned())
                .or_default()
                .insert(key, Arc::new(entry));
            if let Some(earlier) = shadowed.filter(|earlier| !Arc::ptr_eq(&earlier.rule, rule)) {
                self.note(format!("{place}: takes {said} over from {}", earlier.rule.place));
            }
        }
    }

    fn add_external(
        &mut self,
        rule: &Arc<Rule>,
        making: &Making,
        series: &FoundSeries,
        key: String,
        metric: String,
    ) {
        let namespace_label = making.association.namespace_label().filter(|_| making.namespaced);
        let entry = ExternalEntry {
            rule: rule.clone(),
            metric,
            series: series.name.clone(),
            namespace_label: namespace_label.map(str::to_owned),
        };
        let place = &rule.place;
        let said = entry.metric.clone();
        if let Some(earlier) = self.external.insert(key, Arc::new(entry))
            && !Arc::ptr_eq(&earlier.rule, rule)
        {
            self.note(format!("{place}: takes {said} over from {}", earlier.rule.place));
        }
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn list(&self) -> Vec<CustomMetric> {
        let listed: BTreeSet<CustomMetric> = self
            .custom
            .iter()
            .flat_map(|(metric, entries)| {
                entries.iter().map(|(resource, entry)| CustomMetric {
                    resource: resource.clone(),
                    metric: metric.clone(),
                    namespaced: entry.resource.scope == Scope::Namespaced,
                })
            })
            .collect();
        listed.into_iter().collect()
    }
}
