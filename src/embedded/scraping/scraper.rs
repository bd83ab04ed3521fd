//! The scrapes of one target.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::error::ScrapeError;
use super::page::Page;
use super::target::Target;
use super::{Shared, now};
use crate::embedded::window::Full;
use crate::http::{self, Lane};
use crate::model::{Timestamp, chain};
use crate::telemetry::ScrapeOutcome;

/// What a scrape asks for: OpenMetrics rather than the text format, newer rather than older.
/// Source: Prometheus 3.5, as it asks with its default settings.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                      application/openmetrics-text;version=0.0.1;q=0.5,\
                      text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                      text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/// Scrapes a target again and again.
pub(super) struct Scraper {
    shared: Arc<Shared>,
    target: Target,
    /// The name of the target in the window.
    key: String,
    /// How the last scrape ended.
    last: ScrapeOutcome,
    /// Whether the log says that the target is down.
    is_told_down: bool,
}

impl Scraper {
    pub(super) fn new(shared: Arc<Shared>, target: Target) -> Scraper {
        Scraper {
            shared,
            key: target.labels.to_string(),
            target,
            last: ScrapeOutcome::Success,
            is_told_down: false,
        }
    }

    /// A scrape that takes longer than the interval lets the next one fall out.
    pub(super) async fn run(&mut self, first_after: Duration) {
        let interval = self.shared.embedded.settings().scrape_interval;
        let mut due = interval_at(Instant::now() + first_after, interval);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            due.tick().await;
            self.scrape(now()).await;
        }
    }

    /// Ends the series of the target: it is there no more.
    pub(super) fn end(&self) {
        // What brings no series always fits.
        let _ = self.shared.embedded.append(&self.key, now(), &[]);
    }

    async fn scrape(&mut self, at: Timestamp) {
        let started = Instant::now();
        let mut page = Page::new(&self.target, at, self.shared.embedded.demand());
        let fetched = self.fetch(&mut page).await;
        let took = started.elapsed();
        let kept = fetched.and_then(|()| Ok(self.keep(&mut page, Up::Yes, took)?));
        if kept.is_err() {
            page.clear();
            // If there is no room even for this, the target has no `up`.
            let _ = self.keep(&mut page, Up::No, took);
        }
        self.tell(kept, took);
    }

    async fn fetch(&self, page: &mut Page<'_>) -> Result<(), ScrapeError> {
        let settings = self.shared.embedded.settings();
        let within = settings.scrape_timeout.min(settings.scrape_interval);
        let headers = [
            ("Accept", ACCEPT.to_owned()),
            (
                "X-Prometheus-Scrape-Timeout-Seconds",
                within.as_secs_f64().to_string(),
            ),
        ];
        let request = http::PageRequest {
            url: &self.target.url,
            headers: &headers,
            lane: match self.last {
                ScrapeOutcome::TimedOut => Lane::Slow,
                _ => Lane::Prompt,
            },
            afterwards: self.shared.afterwards(),
            limit_bytes: settings.max_scrape_bytes,
        };
        let response = self.shared.client.get(&request, within).await?;
        match response.status() {
            200 => page.read(response, settings.max_samples_per_scrape).await,
            status => Err(ScrapeError::Status(status)),
        }
    }

    /// Hands the page to the window, with what there is to say about the scrape.
    fn keep(&self, page: &mut Page<'_>, up: Up, took: Duration) -> Result<(), Full> {
        page.report("up", f64::from(u8::from(up == Up::Yes)));
        page.report("scrape_duration_seconds", took.as_secs_f64());
        page.report("scrape_samples_scraped", page.exposed as f64);
        let samples = page.samples();
        let labels = samples.labels();
        let embedded = &self.shared.embedded;
        embedded.append(&self.key, page.at, &samples.scraped(&labels))
    }

    /// Counts the scrape; the log says when a target goes down and when it is back.
    fn tell(&mut self, kept: Result<(), ScrapeError>, took: Duration) {
        let outcome = kept
            .as_ref()
            .map_or_else(ScrapeError::outcome, |()| ScrapeOutcome::Success);
        self.shared.embedded.count_scrape(outcome, took);
        self.last = outcome;
        let (backend, url) = (self.shared.embedded.name(), &self.target.url);
        match kept {
            // That the memory is full is said for all targets at once.
            Err(error) if !self.is_told_down && outcome != ScrapeOutcome::NoMemory => {
                self.is_told_down = true;
                tracing::warn!(%backend, url, "target {url} is down: {}", chain(&error));
            }
            Err(error) => tracing::debug!(%backend, url, "target {url} is down: {}", chain(&error)),
            Ok(()) if self.is_told_down => {
                self.is_told_down = false;
                tracing::info!(%backend, url, "target {url} is up again");
            }
            Ok(()) => {}
        }
    }
}

/// Whether a target was scraped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Up {
    Yes,
    No,
}
