//! What is scraped.

use super::exposition::Exposed;
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
    /// The labels of a series that it exposes.
    ///
    /// Source: Prometheus 3, `scrape/scrape.go`, `mutateSampleLabels` and `resolveConflictingExposedLabels`.
    pub(super) fn labels_of(&self, exposed: &Exposed) -> Labels {
        let written = exposed.labels.iter().filter(|(_, value)| !value.is_empty());
        let mut labels: Labels = written
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        labels.insert(METRIC_NAME, exposed.name.as_ref());
        let mut clashes = Vec::new();
        for (name, value) in self.labels.iter().filter(|(_, value)| !value.is_empty()) {
            if let Some(exposed) = labels.get(name) {
                clashes.push((name.as_str(), exposed.to_owned()));
            }
            labels.insert(name.as_str(), value.as_str());
        }
        clashes.sort_by_key(|(name, _)| name.len());
        for (name, value) in clashes {
            let mut name = format!("exported_{name}");
            while labels.get(&name).is_some() {
                name.insert_str(0, "exported_");
            }
            labels.insert(name, value);
        }
        labels
    }

    /// The labels of a series that is about the scrapes of this target.
    pub(super) fn labels_of_report(&self, name: &'static str) -> Labels {
        self.labels_of(&Exposed {
            name: name.into(),
            labels: Vec::new(),
            value: 0.0,
            at_ms: None,
        })
    }
}
