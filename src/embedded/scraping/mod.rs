//! Asking targets for their samples, over and over.
//!
//! ```text
//! targets ──► Running: a task for each ──► Scraper ──► Page (exposition) ──► the window
//! ```
//!
//! Each target has its own moment in the interval. A target that is gone, or that cannot be scraped, ends its series.

mod error;
mod exposition;
mod page;
mod running;
mod samples;
mod schedule;
mod scraper;
mod target;

pub use target::Target;

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::Embedded;
use crate::http::{Afterwards, AnyHost};
use crate::model::Timestamp;
use running::Running;

/// Scrapes what the channel says now, and clears the window of what is too old.
pub(super) async fn follow(
    embedded: Arc<Embedded>,
    client: AnyHost,
    mut targets: watch::Receiver<Vec<Target>>,
) -> Infallible {
    let mut sweep = tokio::time::interval(embedded.settings().scrape_interval);
    let mut running = Running::new(Shared {
        embedded: Arc::clone(&embedded),
        client,
        targets: AtomicUsize::new(0),
    });
    running.set(&targets.borrow_and_update());
    loop {
        tokio::select! {
            () = changed(&mut targets) => running.set(&targets.borrow_and_update()),
            _ = sweep.tick() => embedded.sweep(now(), running.targets()),
            panic = running.first_panic() => resume_unwind(panic),
        }
    }
}

/// Waits for other targets; without end if nobody can say any more.
async fn changed(targets: &mut watch::Receiver<Vec<Target>>) {
    if targets.changed().await.is_err() {
        std::future::pending().await
    }
}

/// The one place of this room that reads the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "scrapes begin here; below, time is a parameter"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// What all scrapes of a backend share.
struct Shared {
    embedded: Arc<Embedded>,
    client: AnyHost,
    /// How many targets there are.
    targets: AtomicUsize,
}

impl Shared {
    /// Connections are kept while there are no more of them than may be in use at once.
    fn afterwards(&self) -> Afterwards {
        let most = self.embedded.settings().max_concurrent_scrapes;
        match self.targets.load(Ordering::Relaxed) <= most {
            true => Afterwards::Keep,
            false => Afterwards::Close,
        }
    }
}
