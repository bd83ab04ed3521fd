//! Label names and values, each kept once however many series have it.

use std::collections::HashSet;
use std::sync::Arc;

use super::column::ALLOCATION_BYTES;
use crate::embedded::series_labels::SeriesLabels;

/// The texts of all labels.
#[derive(Debug, Default)]
pub(super) struct Texts {
    known: HashSet<Arc<str>>,
    text_bytes: usize,
}

impl Texts {
    /// These labels with the texts that other series have too.
    pub(super) fn share(&mut self, labels: &[(&str, &str)]) -> SeriesLabels {
        let pairs = labels.iter().filter(|(_, value)| !value.is_empty());
        let pairs = pairs.map(|(name, value)| (self.shared(name), self.shared(value)));
        SeriesLabels::from_sorted(pairs.collect())
    }

    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.text_bytes += text.len();
        self.known.insert(new.clone());
        new
    }

    /// Drops the texts that no series has any more.
    pub(super) fn forget_unused(&mut self) {
        let text_bytes = &mut self.text_bytes;
        self.known.retain(|text| {
            let is_used = Arc::strong_count(text) > 1;
            if !is_used {
                *text_bytes -= text.len();
            }
            is_used
        });
        if self.known.capacity() > 4 * self.known.len() {
            self.known.shrink_to_fit();
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        // A text is a pointer and a length in the set, and two counters before its bytes.
        let slot = size_of::<Arc<str>>() + 1;
        self.known.capacity() * slot
            + self.known.len() * (2 * size_of::<usize>() + ALLOCATION_BYTES)
            + self.text_bytes
    }
}
