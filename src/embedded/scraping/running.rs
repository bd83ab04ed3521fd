//! The tasks that scrape, one for each target.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::scraper::Scraper;
use super::target::Target;
use super::{Shared, now, schedule};

/// A task for each target; they end when this is dropped.
pub(super) struct Running {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    /// Dropping a guard ends the task of its target.
    stops: HashMap<Target, DropGuard>,
    /// Makes the numbers that spread targets over the interval: others in each replica, so that a target is not
    /// scraped by all of them at once.
    moments: RandomState,
    /// Targets that are not scraped because another has the same labels.
    doubles: usize,
}

impl Running {
    pub(super) fn new(shared: Shared) -> Running {
        Running {
            shared: Arc::new(shared),
            tasks: JoinSet::new(),
            stops: HashMap::new(),
            moments: RandomState::new(),
            doubles: 0,
        }
    }

    /// Scrapes these from now on, and no other.
    pub(super) fn set(&mut self, targets: &[Target]) {
        let wanted = self.distinct(targets);
        self.shared.targets.store(wanted.len(), Ordering::Relaxed);
        self.stops.retain(|target, _| wanted.contains(target));
        for target in wanted {
            if !self.stops.contains_key(target) {
                let stop = self.start(target.clone());
                self.stops.insert(target.clone(), stop);
            }
        }
    }

    /// How many are scraped.
    pub(super) fn targets(&self) -> usize {
        self.stops.len()
    }

    /// The series of targets with the same labels could not be told apart: the first of them is scraped.
    fn distinct<'t>(&mut self, targets: &'t [Target]) -> HashSet<&'t Target> {
        let mut labels = HashSet::new();
        let (wanted, doubles): (Vec<_>, Vec<_>) =
            targets.iter().partition(|target| labels.insert(&target.labels));
        if doubles.len() > self.doubles {
            let (backend, url) = (self.shared.embedded.name(), &doubles[0].url);
            tracing::warn!(
                %backend,
                url,
                "{} targets are not scraped because others have the same labels, {url} among them",
                doubles.len()
            );
        }
        self.doubles = doubles.len();
        wanted.into_iter().collect()
    }

    fn start(&mut self, target: Target) -> DropGuard {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let interval = self.shared.embedded.settings().scrape_interval;
        let first_after = schedule::first_after(now(), interval, self.moments.hash_one(&target));
        let mut scraper = Scraper::new(Arc::clone(&self.shared), target);
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => scraper.end(),
                never = scraper.run(first_after) => never,
            }
        });
        stop.drop_guard()
    }

    /// Waits for a task to panic.
    pub(super) async fn first_panic(&mut self) -> Box<dyn Any + Send> {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(())) => {}
                Some(Err(ended)) => {
                    if let Ok(panic) = ended.try_into_panic() {
                        return panic;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }
}
