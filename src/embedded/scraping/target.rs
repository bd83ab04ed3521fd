//! What is scraped.

use std::borrow::Cow;

use crate::embedded::series_labels::METRIC_NAME;
use crate::model::Labels;

/// One page of metrics, and the labels that all its series get.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Where the page is: `http://10.1.0.7:8080/metrics`.
    pub url: String,
    /// `job`, `instance`, `namespace`, `pod` and the like. No two targets have the same.
    /// An exposed label of such a name becomes `exported_…`, as with `honor_labels: false` in Prometheus.
    pub labels: Labels,
}

impl Target {
    /// The labels of a series that it exposes, by name.
    ///
    /// Source: Prometheus 3, `scrape/scrape.go`, `mutateSampleLabels` and `resolveConflictingExposedLabels`.
    pub(super) fn labels_of<'a>(
        &'a self,
        name: &'a str,
        exposed: &'a [(Cow<str>, Cow<str>)],
    ) -> Vec<(Cow<'a, str>, &'a str)> {
        let mut labels = Vec::with_capacity(exposed.len() + 8);
        labels.push((Cow::Borrowed(METRIC_NAME), name));
        let own = self.labels.iter().filter(|(_, value)| !value.is_empty());
        labels.extend(own.map(|(name, value)| (Cow::Borrowed(name), value)));
        let mut clashing = Vec::new();
        for (name, value) in exposed.iter().filter(|(_, value)| !value.is_empty()) {
            match self.labels.get(name).is_some_and(|own| !own.is_empty()) {
                true => clashing.push((name, value)),
                false => labels.push((Cow::Borrowed(name), value)),
            }
        }
        clashing.sort_by_key(|(name, _)| (name.len(), *name));
        for (name, value) in clashing {
            let mut name = format!("exported_{name}");
            while labels.iter().any(|(known, _)| *known == name) {
                name.insert_str(0, "exported_");
            }
            labels.push((Cow::Owned(name), value));
        }
        labels.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        labels
    }
}
