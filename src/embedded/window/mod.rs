//! The samples of the last minutes, in memory.
//!
//! All series of a target have their samples at the same times, so that a target keeps the times once and a series
//! keeps its values alone. Only series that some loaded query reads are kept, each for as long as the query that
//! looks back farthest.

mod column;
mod demand;
mod selection;
mod target;
mod texts;

pub use demand::Demand;
pub(super) use selection::{Point, Selected};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use target::{Pushed, Target};
use texts::Texts;

use crate::embedded::series_labels::SeriesLabels;
use crate::model::{Labels, Timestamp};
use crate::promql::expression::Selector;

/// The samples of the last minutes of every target.
#[derive(Debug)]
pub struct Window {
    targets: BTreeMap<String, Target>,
    texts: Texts,
    demand: Arc<Demand>,
    limit_bytes: usize,
    /// What it took when it was last looked at, and what new series took since.
    counted_bytes: usize,
}

/// One sample that a target exposed.
#[derive(Clone, Copy, Debug)]
pub struct Scraped<'a> {
    /// All labels of the series, those of its target among them: by name, each name once.
    pub labels: &'a [(&'a str, &'a str)],
    /// The value as exposed.
    pub value: f64,
    /// The time that the target gave it, if it did; else it is that of the scrape.
    pub at: Option<Timestamp>,
}

impl<'a> Scraped<'a> {
    /// The value of a label, or `None` when the label is absent.
    fn label(&self, name: &str) -> Option<&'a str> {
        let at = self.labels.binary_search_by(|(known, _)| (*known).cmp(name));
        Some(self.labels[at.ok()?].1)
    }
}

/// The window has no room for the new series of a scrape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {series} new series of `{target}` do not fit the memory limit of {limit_bytes} bytes; \
     let the rules read fewer series, or raise the limit"
)]
pub struct Full {
    /// The target that was scraped.
    pub target: String,
    /// How many of its series are new.
    pub series: usize,
    /// The limit.
    pub limit_bytes: usize,
}

impl Window {
    /// An empty window of the series that are in demand, of so many bytes at most.
    pub fn new(demand: Demand, limit_bytes: usize) -> Window {
        Window {
            targets: BTreeMap::new(),
            texts: Texts::default(),
            demand: Arc::new(demand),
            limit_bytes,
            counted_bytes: 0,
        }
    }

    /// Takes what a target exposed at a time. Series that it exposed before and not now end here.
    ///
    /// A scrape that failed is one without samples. A scrape that is not newer than the last one of its target is
    /// dropped, and so is a sample that is not newer than the last one of its series.
    /// Nothing is taken of a scrape whose new series do not fit the limit.
    pub fn append(&mut self, target: &str, at: Timestamp, samples: &[Scraped]) -> Result<(), Full> {
        self.make_room(target, samples)?;
        if !self.targets.contains_key(target) {
            self.targets.insert(target.to_owned(), Target::default());
        }
        let Window {
            targets,
            texts,
            demand,
            counted_bytes,
            ..
        } = self;
        if let Some(target) = targets.get_mut(target)
            && target.begin(at.as_millisecond())
        {
            for sample in samples {
                if target.push(sample, demand, texts) == Pushed::NewSeries {
                    *counted_bytes += column::new_series_bytes(sample.labels);
                }
            }
            target.end_the_missing();
        }
        Ok(())
    }

    /// Drops what no loaded query can read at this time or later.
    pub fn forget(&mut self, now: Timestamp) {
        for target in self.targets.values_mut() {
            target.forget(now.as_millisecond());
        }
        self.targets.retain(|_, target| !target.is_empty());
        self.texts.forget_unused();
        self.counted_bytes = self.size_bytes();
    }

    /// Keeps from now on what other queries read; what none of them reads is dropped at once.
    pub fn set_demand(&mut self, demand: Demand) {
        for target in self.targets.values_mut() {
            target.set_demand(&demand);
        }
        self.demand = Arc::new(demand);
        self.texts.forget_unused();
        self.counted_bytes = self.size_bytes();
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        self.targets.values().map(Target::series).sum()
    }

    /// Bytes that it takes, roughly, what the allocator adds included.
    pub fn size_bytes(&self) -> usize {
        let targets = self
            .targets
            .iter()
            .map(|(name, target)| name.len() + target.size_bytes());
        targets.sum::<usize>() + self.texts.size_bytes()
    }

    /// What it took when it was last cleared of old samples, and what new series took since.
    pub(super) fn counted_bytes(&self) -> usize {
        self.counted_bytes
    }

    /// What it keeps.
    pub(super) fn demand(&self) -> &Arc<Demand> {
        &self.demand
    }

    /// The series that a selector selects, in order of their labels.
    pub(super) fn select(&self, selector: &Selector) -> Vec<Selected<'_>> {
        let mut selected = Vec::new();
        for target in self.targets.values() {
            target.select(selector, &mut selected);
        }
        selected.sort_by(|one, other| one.labels.cmp(other.labels));
        selected
    }

    /// The labels of the series that one of the selectors selects, with a sample after the first and up to the second
    /// time.
    pub(super) fn series_of(
        &self,
        selectors: &[&Selector],
        after: Timestamp,
        up_to: Timestamp,
    ) -> Vec<Labels> {
        let (after_ms, up_to_ms) = (after.as_millisecond(), up_to.as_millisecond());
        let selected = selectors.iter().flat_map(|selector| self.select(selector));
        let alive = selected.filter(|series| series.has_sample(after_ms, up_to_ms));
        let labels: BTreeSet<_> = alive.map(|series| series.labels).collect();
        labels.into_iter().map(SeriesLabels::to_model).collect()
    }

    /// Refuses what new series take beyond the limit.
    fn make_room(&self, target: &str, samples: &[Scraped]) -> Result<(), Full> {
        let bytes_of = |sample: &Scraped| column::new_series_bytes(sample.labels);
        if self.counted_bytes + samples.iter().map(bytes_of).sum::<usize>() <= self.limit_bytes {
            return Ok(());
        }
        let known = self.targets.get(target);
        let new = samples.iter().filter(|sample| {
            !known.is_some_and(|target| target.knows(sample))
                && self.demand.keep(|name| sample.label(name)).is_some()
        });
        let (series, bytes) = new.fold((0, 0), |(series, bytes), sample| {
            (series + 1, bytes + bytes_of(sample))
        });
        if series == 0 || self.counted_bytes + bytes <= self.limit_bytes {
            return Ok(());
        }
        Err(Full {
            target: target.to_owned(),
            series,
            limit_bytes: self.limit_bytes,
        })
    }
}
