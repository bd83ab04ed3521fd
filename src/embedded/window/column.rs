//! The values of one series.

use std::collections::VecDeque;

use super::selection::Point;
use crate::embedded::series_labels::SeriesLabels;

/// The value that says that a series has ended.
///
/// A not-a-number with this pattern, so that no sample can be mistaken for it.
/// Source: Prometheus 3, `model/value/value.go`, `StaleNaN`.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// In place of a value at a time at which the series has none. Never leaves the column.
const NONE: u64 = 0x7ff0_0000_0000_0003;

/// What the allocator adds to each allocation, and loses to rounding.
pub(super) const ALLOCATION_BYTES: usize = 16;

/// How many values room is made for at once.
const GROWTH: usize = 4;

/// The values of one series, at the times of its target or at its own.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) labels: SeriesLabels,
    /// How long a sample is kept, in milliseconds.
    keep_ms: i64,
    /// Bit patterns of the values.
    values: VecDeque<u64>,
    times: Times,
}

#[derive(Debug)]
#[expect(
    clippy::box_collection,
    reason = "hardly any series has times of its own, and every series would be larger by them"
)]
enum Times {
    /// Those of the target, from this row on.
    OfTarget { first_row: u64 },
    /// The target gave each sample its time.
    Own(Box<VecDeque<i64>>),
}

/// The times of the scrapes of a target: row numbers count on when old rows are dropped.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) first: u64,
    pub(super) times_ms: VecDeque<i64>,
}

impl Rows {
    pub(super) fn newest(&self) -> u64 {
        (self.first + self.times_ms.len() as u64).saturating_sub(1)
    }

    fn time_ms(&self, row: u64) -> Option<i64> {
        let at = usize::try_from(row.checked_sub(self.first)?).ok()?;
        self.times_ms.get(at).copied()
    }

    /// The first row that is later than this.
    fn after(&self, time_ms: i64) -> u64 {
        self.first + self.times_ms.partition_point(|row_ms| *row_ms <= time_ms) as u64
    }
}

impl Column {
    pub(super) fn new(labels: SeriesLabels, keep_ms: i64, has_own_times: bool) -> Column {
        let times = match has_own_times {
            true => Times::Own(Box::default()),
            false => Times::OfTarget { first_row: 0 },
        };
        Column {
            labels,
            keep_ms,
            values: VecDeque::new(),
            times,
        }
    }

    pub(super) fn set_keep_ms(&mut self, keep_ms: i64) {
        self.keep_ms = keep_ms;
    }

    /// Adds a value at the newest row, or at the time that the target gave it.
    ///
    /// A series does not change whose times it has: what does not fit is dropped, as what is not newer.
    pub(super) fn push(&mut self, value: f64, own_time_ms: Option<i64>, rows: &Rows) {
        // Not a number is one value here, so that none is mistaken for the two that mean something.
        let bits = if value.is_nan() {
            f64::NAN.to_bits()
        } else {
            value.to_bits()
        };
        match own_time_ms {
            Some(time_ms) => self.push_at_own_time(bits, time_ms),
            None => self.push_at_newest(bits, rows),
        }
    }

    fn push_at_own_time(&mut self, bits: u64, time_ms: i64) {
        let Times::Own(times) = &mut self.times else {
            return;
        };
        if times.back().is_none_or(|last| *last < time_ms) {
            reserve_one(times);
            times.push_back(time_ms);
            reserve_one(&mut self.values);
            self.values.push_back(bits);
        }
    }

    fn push_at_newest(&mut self, bits: u64, rows: &Rows) {
        let newest = rows.newest();
        let Times::OfTarget { first_row } = &mut self.times else {
            return;
        };
        if self.values.is_empty() {
            *first_row = newest;
        }
        let next_row = *first_row + self.values.len() as u64;
        for _ in next_row..newest {
            reserve_one(&mut self.values);
            self.values.push_back(NONE);
        }
        if next_row <= newest {
            reserve_one(&mut self.values);
            self.values.push_back(bits);
        }
    }

    /// Says that the series has ended, if the newest row has no value of it and it has not ended before.
    ///
    /// A series with times of its own never does: how far its target lags behind is not known.
    /// Source: Prometheus 3, `scrape/scrape.go`, `trackStaleness`.
    pub(super) fn end_if_missing(&mut self, rows: &Rows) {
        let Times::OfTarget { first_row } = &self.times else {
            return;
        };
        let has_newest = first_row + self.values.len() as u64 > rows.newest();
        if !has_newest && self.values.back().is_some_and(|last| *last != STALE) {
            self.push_at_newest(STALE, rows);
        }
    }

    /// Drops values that are too old.
    pub(super) fn forget(&mut self, now_ms: i64, rows: &Rows) {
        let oldest_ms = now_ms.saturating_sub(self.keep_ms);
        let old = match &mut self.times {
            Times::OfTarget { first_row } => {
                let old = rows.after(oldest_ms).saturating_sub(*first_row);
                let old = usize::try_from(old).unwrap_or(usize::MAX).min(self.values.len());
                *first_row += old as u64;
                old
            }
            Times::Own(times) => {
                let old = times.partition_point(|time_ms| *time_ms <= oldest_ms);
                times.drain(..old);
                old
            }
        };
        self.values.drain(..old);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The oldest row that it still needs.
    pub(super) fn first_row(&self) -> Option<u64> {
        match self.times {
            Times::OfTarget { first_row } => Some(first_row),
            Times::Own(_) => None,
        }
    }

    /// Calls `see` with each sample after the first and up to the second time, oldest first.
    pub(super) fn each(&self, after_ms: i64, up_to_ms: i64, rows: &Rows, mut see: impl FnMut(Point)) {
        let start = self.position_after(after_ms, rows);
        for (position, bits) in self.values.iter().enumerate().skip(start) {
            let Some(at_ms) = self.time_ms(position, rows).filter(|at_ms| *at_ms <= up_to_ms) else {
                break;
            };
            if *bits != NONE && *bits != STALE {
                see(Point {
                    at_ms,
                    value: f64::from_bits(*bits),
                });
            }
        }
    }

    /// The last sample after the first and up to the second time; none if the series has ended by then.
    pub(super) fn last(&self, after_ms: i64, up_to_ms: i64, rows: &Rows) -> Option<Point> {
        let start = self.position_after(after_ms, rows);
        let end = self.position_after(up_to_ms, rows);
        let (position, bits) = (start..end)
            .rev()
            .filter_map(|position| Some((position, *self.values.get(position)?)))
            .find(|(_, bits)| *bits != NONE)?;
        (bits != STALE).then_some(Point {
            at_ms: self.time_ms(position, rows)?,
            value: f64::from_bits(bits),
        })
    }

    fn position_after(&self, time_ms: i64, rows: &Rows) -> usize {
        match &self.times {
            Times::OfTarget { first_row } => {
                usize::try_from(rows.after(time_ms).saturating_sub(*first_row)).unwrap_or(usize::MAX)
            }
            Times::Own(times) => times.partition_point(|known_ms| *known_ms <= time_ms),
        }
    }

    fn time_ms(&self, position: usize, rows: &Rows) -> Option<i64> {
        match &self.times {
            Times::OfTarget { first_row } => rows.time_ms(first_row + position as u64),
            Times::Own(times) => times.get(position).copied(),
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        let own_times = match &self.times {
            Times::OfTarget { .. } => 0,
            Times::Own(times) => {
                size_of::<VecDeque<i64>>() + times.capacity() * size_of::<i64>() + 2 * ALLOCATION_BYTES
            }
        };
        size_of::<Column>()
            + labels_bytes(self.labels.len())
            + self.values.capacity() * size_of::<u64>()
            + ALLOCATION_BYTES
            + own_times
    }
}

/// What a series with these labels will take at the least, its texts included.
pub(super) fn new_series_bytes(labels: &[(&str, &str)]) -> usize {
    size_of::<Column>() + labels_bytes(labels.len()) + GROWTH * size_of::<u64>() + ALLOCATION_BYTES
}

/// Two counters, and a pointer with a length for each name and value.
fn labels_bytes(labels: usize) -> usize {
    2 * size_of::<usize>() + labels * 2 * size_of::<&str>() + ALLOCATION_BYTES
}

/// A column grows by a few values and is not doubled: its length hardly changes once it is as old as it gets.
fn reserve_one<T>(values: &mut VecDeque<T>) {
    if values.len() == values.capacity() {
        values.reserve_exact(GROWTH);
    }
}
