//! Tells when files change.
//!
//! Files of a mounted Secret change by a swapped symbolic link, which watching a directory misses or reports oddly;
//! reading a few kilobytes each second does not.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::Error;
use crate::model::chain;

/// Files and what was last seen in them.
#[derive(Debug)]
pub(crate) struct FileWatch {
    what: &'static str,
    files: Arc<[PathBuf]>,
    seen: [u8; 32],
}

impl FileWatch {
    /// To be made before the files are first loaded, so that no change between is missed.
    pub(crate) fn new(what: &'static str, files: Vec<PathBuf>) -> Self {
        let files: Arc<[PathBuf]> = files.into();
        let seen = digest(&files);
        Self { what, files, seen }
    }

    /// Loads after each change, for ever.
    ///
    /// What `load` refuses is logged once for each change; what was loaded before stays in use.
    pub(crate) async fn run(mut self, every: Duration, load: impl Fn() -> Result<(), Error> + Send) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if !self.changed().await {
                continue;
            }
            match load() {
                Ok(()) => info!("{} changed and was read again", self.what),
                Err(error) => {
                    let cause = chain(&error);
                    warn!(
                        "{} changed but cannot be used, the last good one stays: {cause}",
                        self.what
                    );
                }
            }
        }
    }

    async fn changed(&mut self) -> bool {
        let files = Arc::clone(&self.files);
        let Ok(now) = tokio::task::spawn_blocking(move || digest(&files)).await else {
            return false;
        };
        std::mem::replace(&mut self.seen, now) != now
    }
}

/// One digest over all contents; a file that cannot be read is one more content.
fn digest(files: &[PathBuf]) -> [u8; 32] {
    let mut all = Sha256::new();
    for file in files {
        match std::fs::read(file) {
            Ok(content) => all.update(Sha256::digest(content)),
            Err(error) => all.update(format!("{:?}", error.kind())),
        }
    }
    all.finalize().into()
}
