//! Requests that come again, and what is known of them since they were answered.
//!
//! An autoscaler asks the same every 15 s: its request need not be read each time. Ten autoscalers that scale by the
//! same objects ask the same at once: their answer is computed and written once.

use crate::model::QuickMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most that is kept, in bytes as we reckon them: room for the requests of some 25,000 workloads and metrics.
const MOST_BYTES: usize = 24 << 20;

/// What a request takes beside its texts, once as it came and once as it was read, and the body of its answer.
const REQUEST_BYTES: usize = 640;

/// Requests by target.
pub(super) struct Repeated<Answered>(Mutex<Requests<Answered>>);

struct Requests<Answered> {
    by_target: QuickMap<Box<str>, Request<Answered>>,
    bytes: usize,
}

struct Request<Answered> {
    answered: Arc<Answered>,
    bytes: usize,
}

impl<Answered> Repeated<Answered> {
    /// What is known of the last request with the same target.
    pub(super) fn get(&self, target: &str) -> Option<Arc<Answered>> {
        let requests = self.lock();
        let request = requests.by_target.get(target)?;
        Some(Arc::clone(&request.answered))
    }

    /// Keeps what is known of a request. Without room all are forgotten: those that are asked are soon here again.
    pub(super) fn keep(&self, target: &str, answered: Answered, body_bytes: usize) {
        let bytes = REQUEST_BYTES + 2 * target.len() + body_bytes;
        if bytes > MOST_BYTES {
            return;
        }
        let request = Request {
            answered: Arc::new(answered),
            bytes,
        };
        let forgotten = self.lock().put(target, request);
        // Without holding up others.
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, Requests<Answered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Answered> Requests<Answered> {
    /// Gives all back if they are too many with this one.
    fn put(&mut self, target: &str, request: Request<Answered>) -> Option<Requests<Answered>> {
        self.bytes += request.bytes;
        match self.by_target.get_mut(target) {
            Some(known) => self.bytes -= mem::replace(known, request).bytes,
            None => drop(self.by_target.insert(target.into(), request)),
        }
        (self.bytes > MOST_BYTES).then(|| mem::take(self))
    }
}

impl<Answered> Default for Requests<Answered> {
    fn default() -> Self {
        Requests {
            by_target: QuickMap::default(),
            bytes: 0,
        }
    }
}

impl<Answered> Default for Repeated<Answered> {
    fn default() -> Self {
        Repeated(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(repeated: &Repeated<u8>, target: &str) -> Option<u8> {
        repeated.get(target).map(|answered| *answered)
    }

    fn bytes(repeated: &Repeated<u8>) -> usize {
        repeated.lock().bytes
    }

    #[test]
    fn request_is_known_by_its_target() {
        let repeated = Repeated::default();
        repeated.keep("/one", 1, 0);
        assert_eq!(known(&repeated, "/other"), None);
        assert_eq!(known(&repeated, "/one"), Some(1));
    }

    #[test]
    fn newer_answer_takes_the_place_of_the_older() {
        let repeated = Repeated::default();
        repeated.keep("/one", 1, 1000);
        let before = bytes(&repeated);
        repeated.keep("/one", 2, 10);
        assert_eq!(known(&repeated, "/one"), Some(2));
        assert_eq!(bytes(&repeated), before - 990);
    }

    #[test]
    fn requests_never_take_more_than_their_bound() {
        let repeated = Repeated::default();
        for target in ["/a", "/b", "/c", "/d"] {
            repeated.keep(target, 1, MOST_BYTES / 3);
            assert!(bytes(&repeated) <= MOST_BYTES);
        }
        assert_eq!(known(&repeated, "/b"), None);
        assert_eq!(known(&repeated, "/d"), Some(1));
        repeated.keep("/d", 2, MOST_BYTES);
        assert_eq!(
            known(&repeated, "/d"),
            Some(1),
            "one that fills all others' place is not kept"
        );
    }
}
