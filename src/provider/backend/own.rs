//! The adapter's own backend, asked as one over HTTP would be.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::embedded::{Embedded, Evaluated};
use crate::model::{Labels, Sample, Timestamp, chain};
use crate::prometheus::{Answer, Error, Lookup, Question, Record, Series, Shape};
use crate::promql::Expression;
use crate::rules::OnPartial;
use crate::telemetry::Metrics;

/// Evaluations under way at once. More would only take the processors from one another.
const AT_ONCE: usize = 4;

/// Most that is remembered of queries that were read, in bytes of their text.
const MOST_REMEMBERED_BYTES: u64 = 4 << 20;

/// What is said of answers while series are missing.
const FULL: &str = "series are missing, since the memory limit of the embedded backend is reached";

/// A backend of our own, with what a backend over HTTP has too: a deadline, a limit on queries at once, figures.
#[derive(Clone, Debug)]
pub struct OwnBackend {
    embedded: Arc<Embedded>,
    timeout: Duration,
    slots: Arc<Semaphore>,
    /// Queries as they are computed, by their text.
    read: moka::future::Cache<String, Arc<Expression>>,
    /// What the rules can ask.
    loaded: Arc<Mutex<BTreeSet<String>>>,
    record: Record,
}

impl OwnBackend {
    /// No query may take longer than `timeout`.
    pub fn new(embedded: Arc<Embedded>, timeout: Duration, metrics: Arc<Metrics>) -> OwnBackend {
        OwnBackend {
            record: Record::new(embedded.name(), metrics),
            embedded,
            timeout,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            read: moka::future::Cache::builder()
                .weigher(|text: &String, _| u32::try_from(text.len()).unwrap_or(u32::MAX))
                .max_capacity(MOST_REMEMBERED_BYTES)
                .build(),
            loaded: Arc::default(),
        }
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn scrape_interval(&self) -> Duration {
        self.embedded.settings().scrape_interval
    }

    /// What cannot be computed is passed over: its rule is disabled, or it is refused when it is asked.
    pub(super) fn load(&self, queries: BTreeSet<String>) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if *loaded == queries {
            return;
        }
        let expressions: Vec<Expression> = queries
            .iter()
            .filter_map(|query| Expression::parse(query).ok())
            .collect();
        self.embedded.load(&expressions);
        *loaded = queries;
    }

    pub(super) async fn instant(&self, question: &Question, at: Timestamp) -> Result<Answer, Error> {
        let asking = async {
            let expression = self.expression(&question.query).await?;
            self.check_age(&expression, at)?;
            let evaluated = self.evaluate(move |embedded| embedded.instant(&expression, at));
            let evaluated = evaluated.await?.map_err(|error| Error::Rejected {
                text: error.to_string(),
            })?;
            let warnings = self.warnings(question.on_partial)?;
            Ok(answer(evaluated, at, warnings))
        };
        self.record.observe("query", asking).await
    }

    pub(super) async fn label_names(&self, lookup: &Lookup) -> Result<Vec<String>, Error> {
        let looking = async {
            let series = self.look(lookup).await?;
            let names: BTreeSet<String> = series
                .iter()
                .flat_map(|labels| labels.iter().map(|(name, _)| name.to_owned()))
                .collect();
            Ok(names.into_iter().collect())
        };
        self.record.observe("labels", looking).await
    }

    pub(super) async fn series(&self, lookup: &Lookup) -> Result<Series, Error> {
        let looking = async { Ok(found(&self.look(lookup).await?)) };
        self.record.observe("series", looking).await
    }

    async fn look(&self, lookup: &Lookup) -> Result<Vec<Labels>, Error> {
        let expression = self.expression(&lookup.selector).await?;
        let start = lookup.start.unwrap_or(Timestamp::MIN);
        let end = lookup.end.unwrap_or(Timestamp::MAX);
        self.evaluate(move |embedded| embedded.series(&expression, start, end))
            .await
    }

    /// The query as it is computed.
    async fn expression(&self, text: &str) -> Result<Arc<Expression>, Error> {
        let read = async { Expression::parse(text).map(Arc::new) };
        let read = self.read.try_get_with_by_ref(text, read).await;
        read.map_err(|error| Error::Rejected { text: chain(&*error) })
    }

    /// Whether the window holds all that the query looks back at, and every target has been scraped.
    ///
    /// A counter that is seen for ten seconds of two minutes has a rate, as in Prometheus, which is far too low. There
    /// it is that of a new pod; here, after a restart, it would be that of all pods.
    fn check_age(&self, expression: &Expression, at: Timestamp) -> Result<(), Error> {
        let reads = expression.reads(Duration::ZERO);
        let Some(back) = reads.iter().map(|read| read.back).max() else {
            return Ok(());
        };
        let back = back.max(self.scrape_interval());
        let scraped = self
            .embedded
            .scraped_since()
            .and_then(|since| Duration::try_from(at.duration_since(since)).ok())
            .unwrap_or_default();
        match scraped < back {
            true => Err(Error::TooYoung { scraped, back }),
            false => Ok(()),
        }
    }

    /// What makes an answer incomplete, unless that is accepted: as of Thanos with a store missing, numbers of it may be
    /// too small.
    fn warnings(&self, on_partial: OnPartial) -> Result<Vec<String>, Error> {
        if !self.embedded.is_full() {
            return Ok(Vec::new());
        }
        match on_partial {
            OnPartial::Accept => Ok(vec![FULL.to_owned()]),
            OnPartial::Refuse => Err(Error::Partial {
                text: FULL.to_owned(),
            }),
        }
    }

    /// Does something with the window that may take long, on a thread where it holds up nobody.
    async fn evaluate<T: Send + 'static>(
        &self,
        evaluate: impl FnOnce(&Embedded) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let evaluating = async {
            let slot = Arc::clone(&self.slots).acquire_owned().await;
            let embedded = Arc::clone(&self.embedded);
            let evaluating = tokio::task::spawn_blocking(move || {
                // Held as long as the evaluation runs, however long somebody waits for it.
                let _slot = slot;
                evaluate(&embedded)
            });
            evaluating.await
        };
        match timeout(self.timeout, evaluating).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(stopped)) => Err(Error::Unreachable(stopped.into())),
            Err(elapsed) => Err(Error::TimedOut(elapsed.into())),
        }
    }
}

fn answer(evaluated: Evaluated, at: Timestamp, warnings: Vec<String>) -> Answer {
    let (shape, samples) = match evaluated {
        Evaluated::Vector(samples) => (Shape::Vector, samples),
        Evaluated::Scalar(value) => {
            let labels = Labels::default();
            (Shape::Scalar, vec![Sample { labels, value, at }])
        }
    };
    Answer {
        samples,
        shape,
        evaluated_at: at,
        warnings,
    }
}

/// Names of metrics and of their labels.
fn found(series: &[Labels]) -> Series {
    let mut found = Series::default();
    for labels in series {
        if let Some(metric) = labels.get(METRIC_NAME) {
            let names = labels
                .iter()
                .map(|(name, _)| name)
                .filter(|name| *name != METRIC_NAME);
            let of_metric = found.labels_by_metric.entry(metric.to_owned()).or_default();
            of_metric.extend(names.map(str::to_owned));
        }
    }
    found
}

/// The label that holds the name of a series.
const METRIC_NAME: &str = "__name__";
