//! What one target exposed.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::column::{ALLOCATION_BYTES, Column, Rows};
use super::selection::Selected;
use super::texts::Texts;
use super::{Demand, Scraped};
use crate::embedded::series_labels::{METRIC_NAME, SeriesLabels};
use crate::model::Labels;
use crate::promql::expression::Selector;

/// The series of one target, and the times of its scrapes.
#[derive(Debug, Default)]
pub(super) struct Target {
    rows: Rows,
    /// Metric name → its series, in order of their labels.
    metrics: HashMap<Arc<str>, Vec<Column>>,
}

/// Where a sample went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    KnownSeries,
    NewSeries,
    /// No query reads it.
    Unread,
}

impl Target {
    /// Begins a scrape; false if it is not newer than the last.
    pub(super) fn begin(&mut self, at_ms: i64) -> bool {
        let is_newer = self.rows.times_ms.back().is_none_or(|last_ms| *last_ms < at_ms);
        if is_newer {
            self.rows.times_ms.push_back(at_ms);
        }
        is_newer
    }

    /// Adds a sample of the scrape that was begun, if a query reads it.
    pub(super) fn push(&mut self, sample: &Scraped, demand: &Demand, texts: &mut Texts) -> Pushed {
        let own_time_ms = sample.at.map(|at| at.as_millisecond());
        let name = sample.labels.get(METRIC_NAME).unwrap_or_default();
        if let Some(columns) = self.metrics.get_mut(name)
            && let Ok(at) = position(columns, sample.labels)
        {
            columns[at].push(sample.value, own_time_ms, &self.rows);
            return Pushed::KnownSeries;
        }
        let Some(keep_ms) = demand.keep(|label| sample.labels.get(label)) else {
            return Pushed::Unread;
        };
        let labels = texts.share(sample.labels);
        let mut column = Column::new(labels, keep_ms, own_time_ms.is_some());
        column.push(sample.value, own_time_ms, &self.rows);
        self.insert(name, sample.labels, column);
        Pushed::NewSeries
    }

    fn insert(&mut self, name: &str, labels: &Labels, column: Column) {
        let shared = column.labels.iter().find(|(label, _)| &***label == METRIC_NAME);
        let shared = shared.map_or_else(|| name.into(), |(_, name)| name.clone());
        let columns = self.metrics.entry(shared).or_default();
        if let Err(at) = position(columns, labels) {
            columns.insert(at, column);
        }
    }

    /// Ends the series that the scrape has no sample of.
    pub(super) fn end_the_missing(&mut self) {
        for column in self.metrics.values_mut().flatten() {
            column.end_if_missing(&self.rows);
        }
    }

    pub(super) fn forget(&mut self, now_ms: i64) {
        for columns in self.metrics.values_mut() {
            for column in columns.iter_mut() {
                column.forget(now_ms, &self.rows);
            }
        }
        self.drop_empty();
    }

    pub(super) fn set_demand(&mut self, demand: &Demand) {
        for columns in self.metrics.values_mut() {
            columns.retain_mut(|column| {
                let keep_ms = demand.keep(|label| column.labels.get(label));
                if let Some(keep_ms) = keep_ms {
                    column.set_keep_ms(keep_ms);
                }
                keep_ms.is_some()
            });
        }
        self.drop_empty();
    }

    fn drop_empty(&mut self) {
        self.metrics.retain(|_, columns| {
            columns.retain(|column| !column.is_empty());
            !columns.is_empty()
        });
        let needed = self
            .metrics
            .values()
            .flatten()
            .filter_map(Column::first_row)
            .min();
        let needed = needed.unwrap_or(self.rows.newest());
        while self.rows.first < needed && self.rows.times_ms.pop_front().is_some() {
            self.rows.first += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    pub(super) fn knows(&self, labels: &Labels) -> bool {
        let columns = self.metrics.get(labels.get(METRIC_NAME).unwrap_or_default());
        columns.is_some_and(|columns| position(columns, labels).is_ok())
    }

    pub(super) fn series(&self) -> usize {
        self.metrics.values().map(Vec::len).sum()
    }

    pub(super) fn select<'w>(&'w self, selector: &Selector, into: &mut Vec<Selected<'w>>) {
        let mut select_of = |columns: &'w [Column]| {
            let selected = columns
                .iter()
                .filter(|column| selector.selects(|label| column.labels.get(label)));
            into.extend(selected.map(|column| Selected::new(column, &self.rows)));
        };
        match selector.metric_name() {
            Some(name) => select_of(self.metrics.get(name).map_or(&[], Vec::as_slice)),
            None => self.metrics.values().for_each(|columns| select_of(columns)),
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        let slot = size_of::<(Arc<str>, Vec<Column>)>() + 1;
        let columns = |columns: &Vec<Column>| {
            let unused = columns.capacity() - columns.len();
            let used = columns.iter().map(Column::size_bytes);
            used.sum::<usize>() + unused * size_of::<Column>() + ALLOCATION_BYTES
        };
        size_of::<Target>()
            + self.rows.times_ms.capacity() * size_of::<i64>()
            + self.metrics.capacity() * slot
            + self.metrics.values().map(columns).sum::<usize>()
    }
}

/// Where the series with these labels is, or where it belongs.
fn position(columns: &[Column], labels: &Labels) -> Result<usize, usize> {
    columns.binary_search_by(|column| compare(&column.labels, labels))
}

/// An empty value is no label.
fn compare(known: &SeriesLabels, labels: &Labels) -> Ordering {
    let known = known.iter().map(|(name, value)| (&**name, &**value));
    known.cmp(labels.iter().filter(|(_, value)| !value.is_empty()))
}
