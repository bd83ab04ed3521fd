//! The labels of a series in the window, and of what is computed of it.

use std::sync::Arc;

use crate::model::Labels;

/// The label that holds the name of a series.
pub(super) const METRIC_NAME: &str = "__name__";

/// Labels that say what a series is, and that do not fit what is computed of it.
/// Source: Prometheus 3, `schema/labels.go`, `IsMetadataLabel`.
const METADATA: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// Label names and values sorted by name, cheap to copy: texts are shared between series.
///
/// Ordered as Prometheus orders series: by the first name or value that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SeriesLabels(Arc<[(Arc<str>, Arc<str>)]>);

impl SeriesLabels {
    /// Of pairs that are sorted by name, each name once.
    pub(super) fn from_sorted(pairs: Vec<(Arc<str>, Arc<str>)>) -> SeriesLabels {
        SeriesLabels(pairs.into())
    }

    /// No label.
    pub(super) fn none() -> SeriesLabels {
        SeriesLabels(Arc::new([]))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| &***known == name)
            .map(|(_, value)| &**value)
    }

    /// Those whose names pass.
    pub(super) fn filter(&self, passes: impl Fn(&str) -> bool) -> SeriesLabels {
        let kept = self.0.iter().filter(|(name, _)| passes(name));
        SeriesLabels(kept.cloned().collect())
    }

    /// Without the name of the series and what else says what it is.
    pub(super) fn without_metadata(&self) -> SeriesLabels {
        match self.iter().any(|(name, _)| is_metadata(name)) {
            true => self.filter(|name| !is_metadata(name)),
            false => self.clone(),
        }
    }

    /// With this label; without it if the value is empty.
    pub(super) fn with(&self, name: &str, value: &str) -> SeriesLabels {
        let mut pairs: Vec<_> = self
            .0
            .iter()
            .filter(|(known, _)| **known != *name)
            .cloned()
            .collect();
        if !value.is_empty() {
            let at = pairs.partition_point(|(known, _)| **known < *name);
            pairs.insert(at, (name.into(), value.into()));
        }
        SeriesLabels(pairs.into())
    }

    /// As they are answered.
    pub(super) fn to_model(&self) -> Labels {
        self.iter().map(|(name, value)| (&**name, &**value)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl From<&Labels> for SeriesLabels {
    fn from(labels: &Labels) -> SeriesLabels {
        let pairs = labels.iter();
        SeriesLabels(pairs.map(|(name, value)| (name.into(), value.into())).collect())
    }
}

pub(super) fn is_metadata(name: &str) -> bool {
    METADATA.contains(&name)
}
