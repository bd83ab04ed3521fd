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
    /// What `load` refuses stays out, what was loaded before stays in use, and it is tried again at each look:
    /// the cause may have been a moment's, such as too many open files. The log has each cause once.
    pub(crate) async fn run(mut self, every: Duration, load: impl Fn() -> Result<(), Error> + Send) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut refused: Option<String> = None;
        loop {
            ticks.tick().await;
            if !self.changed().await && refused.is_none() {
                continue;
            }
            let cause = load().err().map(|error| chain(&error));
            match &cause {
                None => info!("{} changed and was read again", self.what),
                Some(_) if cause == refused => {}
                Some(cause) => warn!(
                    "{} changed but cannot be used, the last good one stays: {cause}",
                    self.what
                ),
            }
            refused = cause;
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn what_is_refused_is_tried_again_though_the_file_stays_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("tls.crt");
        let watch = FileWatch::new("a certificate", vec![file.clone()]);
        std::fs::write(&file, "new").unwrap();
        let tries = Semaphore::new(0);
        let load = || {
            tries.add_permits(1);
            Err(Error::TaskEnded("too many open files"))
        };
        tokio::select! {
            () = watch.run(Duration::from_millis(1), load) => panic!("it runs for ever"),
            thrice = tries.acquire_many(3) => assert!(thrice.is_ok()),
        }
    }
}
