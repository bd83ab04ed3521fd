//! Tells when files change.
//!
//! Files of a mounted Secret change by a swapped symbolic link, which watching a directory misses or reports oddly;
//! looking at each file does not. It is read where its metadata changed, and at the look after that again: two writes
//! between which a coarse clock does not tick leave the same metadata.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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
    seen: Vec<Seen>,
}

/// What was last seen of a file.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// `None` if it cannot be told.
    stamp: Option<Stamp>,
    /// Whether it was read twice with this stamp.
    is_settled: bool,
    digest: [u8; 32],
}

/// What does not stay the same when a file is written or another comes in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device_and_inode: (u64, u64),
    size_bytes: u64,
    /// In seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileWatch {
    /// To be made before the files are first loaded, so that no change between is missed.
    pub(crate) fn new(what: &'static str, files: Vec<PathBuf>) -> Self {
        let seen = files.iter().map(|file| Seen::first(file)).collect();
        Self {
            what,
            files: files.into(),
            seen,
        }
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
        let (files, before) = (Arc::clone(&self.files), self.seen.clone());
        let look = move || -> Vec<Seen> {
            let pairs = files.iter().zip(before);
            pairs.map(|(file, before)| before.again(file)).collect()
        };
        let Ok(now) = tokio::task::spawn_blocking(look).await else {
            return false;
        };
        let before = std::mem::replace(&mut self.seen, now);
        let mut pairs = before.iter().zip(&self.seen);
        pairs.any(|(before, now)| before.digest != now.digest)
    }
}

impl Seen {
    fn first(file: &Path) -> Seen {
        Seen {
            // Before the content, so that what is written between is noticed at the next look.
            stamp: Stamp::of(file),
            is_settled: false,
            digest: digest(file),
        }
    }

    fn again(self, file: &Path) -> Seen {
        let stamp = Stamp::of(file);
        let is_same = stamp.is_some() && stamp == self.stamp;
        if is_same && self.is_settled {
            return self;
        }
        Seen {
            stamp,
            is_settled: is_same,
            digest: digest(file),
        }
    }
}

impl Stamp {
    fn of(file: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(file).ok()?;
        Some(Stamp {
            device_and_inode: (metadata.dev(), metadata.ino()),
            size_bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// A file that cannot be read is one more content.
fn digest(file: &Path) -> [u8; 32] {
    match fs::read(file) {
        Ok(content) => Sha256::digest(content),
        Err(error) => Sha256::digest(format!("{:?}", error.kind())),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;

    fn file_with(content: &str) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("objects.yaml");
        fs::write(&file, content).unwrap();
        (home, file)
    }

    /// As an editor or a mounted Secret does it, whatever the clock of the file system.
    fn replace(file: &Path, content: &str) {
        let next = file.with_extension("next");
        fs::write(&next, content).unwrap();
        fs::rename(next, file).unwrap();
    }

    #[tokio::test]
    async fn another_content_of_the_same_size_is_seen_and_an_equal_one_is_none() {
        let (_home, file) = file_with("one");
        let mut watch = FileWatch::new("objects", vec![file.clone()]);
        assert!(!watch.changed().await && !watch.changed().await);
        replace(&file, "two");
        assert!(watch.changed().await);
        replace(&file, "two");
        assert!(!watch.changed().await);
        fs::remove_file(&file).unwrap();
        assert!(watch.changed().await && !watch.changed().await);
        fs::write(&file, "two").unwrap();
        assert!(watch.changed().await);
    }

    #[test]
    fn content_written_between_two_ticks_of_the_clock_is_read_at_the_next_look() {
        let (_home, file) = file_with("two");
        let (stamp, is_settled) = (Stamp::of(&file), false);
        let before = Seen {
            stamp,
            is_settled,
            digest: Sha256::digest("one").into(),
        };
        let now = before.again(&file);
        assert_ne!(now.digest, before.digest);
        assert!(now.is_settled);
    }

    #[test]
    fn file_that_stays_as_it_was_is_read_twice_and_no_more() {
        let (_home, file) = file_with("one");
        let settled = Seen::first(&file).again(&file);
        let marked = Seen {
            digest: [0; 32],
            ..settled
        };
        assert_eq!(marked.again(&file).digest, [0; 32]);
    }

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
