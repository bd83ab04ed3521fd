//! What is kept, and for how long: what the loaded queries read.

use std::collections::HashMap;
use std::time::Duration;

use crate::embedded::series_labels::METRIC_NAME;
use crate::promql::Expression;
use crate::promql::expression::Selector;

/// What some queries read of a window.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// Reads of one metric, by its name.
    by_name: HashMap<String, Vec<Kept>>,
    /// Reads that may be of any metric.
    others: Vec<Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    selector: Selector,
    for_ms: i64,
}

impl Demand {
    /// Of these queries, evaluated up to `late` after the newest scrape.
    ///
    /// `late` is at least one scrape interval: an answer is asked for between two scrapes.
    pub fn of(queries: &[Expression], lookback: Duration, late: Duration) -> Demand {
        let mut demand = Demand::default();
        for read in queries.iter().flat_map(|query| query.reads(lookback)) {
            demand.add(Kept {
                for_ms: i64::try_from((read.back + late).as_millis()).unwrap_or(i64::MAX),
                selector: read.selector,
            });
        }
        demand
    }

    fn add(&mut self, kept: Kept) {
        let name = kept.selector.metric_name().map(str::to_owned);
        match name {
            Some(name) => self.by_name.entry(name).or_default().push(kept),
            None => self.others.push(kept),
        }
    }

    /// Whether some query can read a series of this name.
    pub(in crate::embedded) fn may_read(&self, name: &str) -> bool {
        let of_any = |kept: &Kept| kept.selector.may_select(name);
        self.by_name.contains_key(name) || self.others.iter().any(of_any)
    }

    /// How long a sample of the series with these labels is kept, in milliseconds; `None` if no query reads it.
    pub(super) fn keep<'l>(&self, value: impl Fn(&str) -> Option<&'l str>) -> Option<i64> {
        let of_name = self.by_name.get(value(METRIC_NAME).unwrap_or_default());
        let reads = of_name.into_iter().flatten().chain(&self.others);
        let selecting = reads.filter(|kept| kept.selector.selects(&value));
        selecting.map(|kept| kept.for_ms).max()
    }
}
