//! The window of one backend, filled and asked at the same time.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::sync::watch;

use super::evaluation::{Evaluated, EvaluationError, Options, evaluate};
use super::scraping::{self, Target};
use super::window::{Demand, Full, Scraped, Window};
use crate::config::EmbeddedSettings;
use crate::http::{self, AnyHost};
use crate::model::{Labels, Timestamp};
use crate::promql::Expression;
use crate::telemetry::{Metrics, ScrapeOutcome, WindowSize};

/// A backend of our own: scrapes targets, keeps what the loaded rules read, and evaluates queries over it.
#[derive(Debug)]
pub struct Embedded {
    name: Arc<str>,
    settings: EmbeddedSettings,
    options: Options,
    metrics: Arc<Metrics>,
    client: AnyHost,
    window: RwLock<Window>,
    /// When the first scrape began.
    since: Mutex<Option<Timestamp>>,
    memory: Mutex<Memory>,
}

/// Whether the window has had room for everything.
#[derive(Debug, Default)]
struct Memory {
    /// What did not fit since the last look.
    refused: Option<Full>,
    /// Whether the last look found that something did not fit.
    is_full: bool,
}

impl Embedded {
    /// Keeps nothing until rules are loaded, and scrapes nothing until [`Embedded::scrape`] runs.
    ///
    /// The process must have installed its crypto provider before.
    pub fn new(
        name: &str,
        settings: EmbeddedSettings,
        metrics: Arc<Metrics>,
    ) -> Result<Embedded, http::Error> {
        // Kept from one scrape to the next, even if one falls out.
        let keep_idle = 3 * settings.scrape_interval;
        Ok(Embedded {
            client: AnyHost::new(settings.max_concurrent_scrapes, keep_idle)?,
            since: Mutex::default(),
            memory: Mutex::default(),
            name: name.into(),
            window: RwLock::new(Window::new(Demand::default(), settings.memory_limit_bytes)),
            settings,
            options: Options::default(),
            metrics,
        })
    }

    /// Its name in the settings.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How it scrapes.
    pub fn settings(&self) -> &EmbeddedSettings {
        &self.settings
    }

    /// When the first scrape began; `None` before that. Since the clock was set back, if it was.
    pub fn scraped_since(&self) -> Option<Timestamp> {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a scrape lately had series for which there was no room: those are missing in whatever is evaluated.
    pub fn is_full(&self) -> bool {
        let memory = self.memory();
        memory.is_full || memory.refused.is_some()
    }

    /// Keeps from now on what these queries read; what none of them reads is dropped at once.
    pub fn load(&self, expressions: &[Expression]) {
        // An answer is asked for between two scrapes, and the last one may have been late.
        let late = 2 * self.settings.scrape_interval;
        let demand = Demand::of(expressions, self.options.lookback, late);
        self.write().set_demand(demand);
    }

    /// Evaluates a query at a time.
    pub fn instant(&self, expression: &Expression, at: Timestamp) -> Result<Evaluated, EvaluationError> {
        evaluate(expression, &self.read(), at, self.options)
    }

    /// The labels of the series that the selectors of a query select and that have a sample after the first and up to
    /// the second time.
    pub fn series(&self, expression: &Expression, after: Timestamp, up_to: Timestamp) -> Vec<Labels> {
        self.read().series_of(&expression.selectors(), after, up_to)
    }

    /// Scrapes what the channel says now. Runs for the life of the process.
    pub async fn scrape(self: Arc<Self>, targets: watch::Receiver<Vec<Target>>) -> Infallible {
        let client = self.client.clone();
        scraping::follow(self, client, targets).await
    }

    /// What is kept of a scrape.
    pub(super) fn demand(&self) -> Arc<Demand> {
        Arc::clone(self.read().demand())
    }

    /// Takes what a target exposed.
    pub(super) fn append(&self, target: &str, at: Timestamp, samples: &[Scraped]) -> Result<(), Full> {
        self.scraped(at);
        let taken = self.write().append(target, at, samples);
        if let Err(full) = &taken {
            self.memory().refused = Some(full.clone());
        }
        taken
    }

    fn scraped(&self, at: Timestamp) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = Some(since.map_or(at, |since| since.min(at)));
    }

    /// Counts a scrape that ended.
    pub(super) fn count_scrape(&self, outcome: ScrapeOutcome, took: Duration) {
        self.metrics.scrape(&self.name, outcome, took);
    }

    /// Drops what is too old, and tells how much there is.
    pub(super) fn sweep(&self, now: Timestamp, targets: usize) {
        let size = {
            let mut window = self.write();
            window.forget(now);
            WindowSize {
                targets,
                series: window.series(),
                bytes: window.counted_bytes(),
            }
        };
        self.metrics.window(&self.name, size);
        self.tell_memory();
    }

    /// Says when the window is full and when it is no more, each once.
    fn tell_memory(&self) {
        let mut memory = self.memory();
        let refused = memory.refused.take();
        let was_full = std::mem::replace(&mut memory.is_full, refused.is_some());
        self.metrics.window_full(&self.name, memory.is_full);
        let backend = &self.name;
        match refused {
            Some(full) if !was_full => {
                tracing::warn!(%backend, "backend {backend} has no memory left: {full}")
            }
            None if was_full => tracing::info!(%backend, "backend {backend} has memory again"),
            Some(_) | None => {}
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Window> {
        self.window.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Window> {
        self.window.write().unwrap_or_else(PoisonError::into_inner)
    }
}
