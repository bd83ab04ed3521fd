//! What one scrape brings.

use std::sync::Arc;

use super::error::ScrapeError;
use super::exposition::{Exposed, Format, Reader};
use super::samples::Samples;
use super::target::Target;
use crate::embedded::window::Demand;
use crate::http::Response;
use crate::model::Timestamp;

/// How far ahead a target's clock may be; what is later yet would hide everything that comes before it.
/// Source: Prometheus 3, `scrape/scrape.go`, `maxAheadTime`.
const MOST_AHEAD_MS: i64 = 10 * 60 * 1000;

/// The samples of one scrape that some query may read.
#[derive(Debug)]
pub(super) struct Page<'t> {
    target: &'t Target,
    pub(super) at: Timestamp,
    demand: Arc<Demand>,
    /// The name of the last sample, and whether some query may read it: mostly the next one has the same.
    last: (String, bool),
    samples: Samples,
    /// How many samples there were, those among them that nobody reads.
    pub(super) exposed: usize,
}

impl<'t> Page<'t> {
    /// Of a scrape at this time.
    pub(super) fn new(target: &'t Target, at: Timestamp, demand: Arc<Demand>) -> Page<'t> {
        Page {
            target,
            at,
            demand,
            last: (String::new(), false),
            samples: Samples::default(),
            exposed: 0,
        }
    }

    /// Reads the body of an answer to its end.
    pub(super) async fn read(&mut self, mut response: Response, most: usize) -> Result<(), ScrapeError> {
        let mut reader = Reader::new(Format::of(response.content_type()));
        let mut see = |exposed: Exposed<'_>| match self.exposed < most {
            true => {
                self.see(&exposed);
                Ok(())
            }
            false => Err(ScrapeError::TooManySamples(most)),
        };
        while let Some(piece) = response.chunk().await? {
            reader.read(&piece, &mut see)?;
        }
        reader.finish(&mut see)
    }

    fn see(&mut self, exposed: &Exposed) {
        self.exposed += 1;
        if self.last.0 != exposed.name {
            self.last = (
                exposed.name.clone().into_owned(),
                self.demand.may_read(&exposed.name),
            );
        }
        let latest_ms = self.at.as_millisecond() + MOST_AHEAD_MS;
        let at = match exposed.at_ms.map(Timestamp::from_millisecond) {
            None => None,
            Some(Ok(at)) if at.as_millisecond() <= latest_ms => Some(at),
            Some(_) => return,
        };
        if self.last.1 {
            let labels = self.target.labels_of(&exposed.name, &exposed.labels);
            self.samples.push(&labels, exposed.value, at);
        }
    }

    /// Takes back what was exposed: the scrape failed.
    pub(super) fn clear(&mut self) {
        self.samples = Samples::default();
    }

    /// Adds a sample about the scrape itself.
    pub(super) fn report(&mut self, name: &'static str, value: f64) {
        if self.demand.may_read(name) {
            self.samples.push(&self.target.labels_of(name, &[]), value, None);
        }
    }

    /// What is kept.
    pub(super) fn samples(&self) -> &Samples {
        &self.samples
    }
}
