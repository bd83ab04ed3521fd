//! The samples of a scrape, on their way to the window.

use std::borrow::Cow;

use crate::embedded::window::Scraped;
use crate::model::Timestamp;

/// Samples with their labels, in few allocations however many there are: a thousand targets are scraped each second.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// All names and values of labels, one after the other.
    text: String,
    /// Where each of them ends in it.
    ends: Vec<usize>,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    labels: usize,
    value: f64,
    at: Option<Timestamp>,
}

impl Samples {
    /// Adds a sample with these labels, which are in order of their names.
    pub(super) fn push(&mut self, labels: &[(Cow<str>, &str)], value: f64, at: Option<Timestamp>) {
        for text in labels.iter().flat_map(|(name, value)| [name.as_ref(), *value]) {
            self.text.push_str(text);
            self.ends.push(self.text.len());
        }
        self.samples.push(Sample {
            labels: labels.len(),
            value,
            at,
        });
    }

    /// The labels of all samples, one after the other.
    pub(super) fn labels(&self) -> Vec<(&str, &str)> {
        let mut start = 0;
        let mut until = |end: usize| &self.text[std::mem::replace(&mut start, end)..end];
        let pairs = self.ends.chunks_exact(2);
        pairs.map(|ends| (until(ends[0]), until(ends[1]))).collect()
    }

    /// As the window takes them, with the labels of all.
    pub(super) fn scraped<'a>(&self, mut labels: &'a [(&'a str, &'a str)]) -> Vec<Scraped<'a>> {
        let samples = self.samples.iter().map(|sample| {
            let (own, others) = labels.split_at(sample.labels);
            labels = others;
            Scraped {
                labels: own,
                value: sample.value,
                at: sample.at,
            }
        });
        samples.collect()
    }
}
