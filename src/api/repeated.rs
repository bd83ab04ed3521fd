//! Bodies that are asked for again while what they say is still the answer.
//!
//! Ten autoscalers that scale by the same objects ask the same; it is computed and written once.

use crate::model::QuickMap;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most that is kept, in bytes: some 1,500 bodies of ten pods each.
const MOST_BYTES: usize = 4 << 20;

/// What a body takes beside its own bytes and those of its target.
const BODY_BYTES: usize = 512;

/// Bodies by target, each with the basis that it stands on.
pub(super) struct Repeated<Basis>(Mutex<Bodies<Basis>>);

struct Bodies<Basis> {
    by_target: QuickMap<Box<str>, Arc<Body<Basis>>>,
    bytes: usize,
}

struct Body<Basis> {
    basis: Basis,
    bytes: Bytes,
}

impl<Basis> Repeated<Basis> {
    /// The body that was sent for the same target, if its basis stands; else it is forgotten.
    pub(super) fn get(&self, target: &str, stands: impl FnOnce(&Basis) -> bool) -> Option<Bytes> {
        let body = self.lock().by_target.get(target).cloned()?;
        if stands(&body.basis) {
            return Some(body.bytes.clone());
        }
        self.lock().forget(target);
        None
    }

    /// Keeps a body. Without room all others are forgotten: those that stand are soon here again.
    pub(super) fn keep(&self, target: &str, basis: Basis, bytes: Bytes) {
        let size = size_bytes(target, &bytes);
        if size > MOST_BYTES {
            return;
        }
        let mut bodies = self.lock();
        bodies.forget(target);
        if bodies.bytes + size > MOST_BYTES {
            *bodies = Bodies::default();
        }
        bodies.bytes += size;
        bodies
            .by_target
            .insert(target.into(), Arc::new(Body { basis, bytes }));
    }

    fn lock(&self) -> MutexGuard<'_, Bodies<Basis>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Basis> Bodies<Basis> {
    fn forget(&mut self, target: &str) {
        if let Some(body) = self.by_target.remove(target) {
            self.bytes -= size_bytes(target, &body.bytes);
        }
    }
}

fn size_bytes(target: &str, bytes: &Bytes) -> usize {
    BODY_BYTES + target.len() + bytes.len()
}

impl<Basis> Default for Bodies<Basis> {
    fn default() -> Self {
        Bodies {
            by_target: QuickMap::default(),
            bytes: 0,
        }
    }
}

impl<Basis> Default for Repeated<Basis> {
    fn default() -> Self {
        Repeated(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(repeated: &Repeated<u8>, target: &str, stands: bool) -> Option<Bytes> {
        repeated.get(target, |_| stands)
    }

    fn bytes(repeated: &Repeated<u8>) -> usize {
        repeated.lock().bytes
    }

    #[test]
    fn body_is_found_by_its_target_while_its_basis_stands() {
        let repeated = Repeated::default();
        repeated.keep("/one", 1, Bytes::from_static(b"{}"));
        assert_eq!(body(&repeated, "/other", true), None);
        assert_eq!(body(&repeated, "/one", true), Some(Bytes::from_static(b"{}")));
        assert_eq!(body(&repeated, "/one", false), None);
        assert_eq!(body(&repeated, "/one", true), None, "it was forgotten");
        assert_eq!(bytes(&repeated), 0);
    }

    #[test]
    fn newer_body_takes_the_place_of_the_older() {
        let repeated = Repeated::default();
        repeated.keep("/one", 1, Bytes::from_static(b"{}"));
        let before = bytes(&repeated);
        repeated.keep("/one", 2, Bytes::from_static(b"[]"));
        assert_eq!(
            repeated.get("/one", |basis| *basis == 2),
            Some(Bytes::from_static(b"[]"))
        );
        assert_eq!(bytes(&repeated), before);
    }

    #[test]
    fn bodies_never_take_more_than_their_bound() {
        let repeated = Repeated::default();
        let large = Bytes::from(vec![0; MOST_BYTES / 3]);
        for target in ["/a", "/b", "/c", "/d"] {
            repeated.keep(target, 1, large.clone());
            assert!(bytes(&repeated) <= MOST_BYTES);
        }
        assert_eq!(body(&repeated, "/b", true), None);
        assert_eq!(body(&repeated, "/d", true), Some(large));
        repeated.keep("/e", 1, Bytes::from(vec![0; MOST_BYTES]));
        assert_eq!(body(&repeated, "/e", true), None);
    }
}
