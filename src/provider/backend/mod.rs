//! Where samples come from: a backend that is asked over HTTP, or one of our own.

mod own;

pub use own::OwnBackend;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::model::Timestamp;
use crate::prometheus::{self, Answer, Asked, Error, Lookup, Question, Record, Series};

/// Series of our own backend are looked for no oftener than this.
const SHORTEST_RELIST: Duration = Duration::from_secs(1);

/// A backend, whichever it is. Cloning it is cheap.
#[derive(Clone, Debug)]
pub enum Backend {
    /// It is asked over HTTP.
    Remote(prometheus::Backend),
    /// It is the adapter's own.
    Own(OwnBackend),
}

impl Backend {
    /// How the last request ended, in words that anyone may read; `None` before the first one.
    pub(super) fn last_outcome(&self) -> Option<Result<(), String>> {
        self.record().last_outcome()
    }

    /// Names of the labels that the series of a selector have.
    pub(super) async fn label_names(&self, lookup: &Lookup) -> Result<Vec<String>, Error> {
        match self {
            Backend::Remote(backend) => backend.label_names(lookup).await,
            Backend::Own(backend) => backend.label_names(lookup).await,
        }
    }

    /// The series of a selector, without their label values.
    pub(super) async fn series(&self, lookup: &Lookup) -> Result<Series, Error> {
        match self {
            Backend::Remote(backend) => backend.series(lookup).await,
            Backend::Own(backend) => backend.series(lookup).await,
        }
    }

    /// How often its series are looked for, if it is to be that often at the least.
    ///
    /// In our own they are at hand, and after a start there is none until the first scrapes.
    pub(super) fn relist_interval(&self, longest: Duration) -> Duration {
        match self {
            Backend::Remote(_) => longest,
            Backend::Own(backend) => longest.min(backend.scrape_interval().max(SHORTEST_RELIST)),
        }
    }

    /// These are the queries that the rules can ask from now on, and the selectors by which their series are found.
    ///
    /// A backend over HTTP keeps what it keeps, and need not know.
    pub(super) fn load(&self, queries: impl FnOnce() -> BTreeSet<String>) {
        if let Backend::Own(backend) = self {
            backend.load(queries());
        }
    }

    fn record(&self) -> &Record {
        match self {
            Backend::Remote(backend) => backend.record(),
            Backend::Own(backend) => backend.record(),
        }
    }
}

impl Asked for Backend {
    fn name(&self) -> &Arc<str> {
        self.record().name()
    }

    async fn instant(&self, question: &Question, at: Timestamp) -> Result<Answer, Error> {
        match self {
            Backend::Remote(backend) => backend.instant(question, at).await,
            Backend::Own(backend) => backend.instant(question, at).await,
        }
    }
}
