//! What must be true before `/readyz` says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

/// The named conditions of `/readyz`; clones share them.
///
/// Only what the adapter cannot serve without belongs here: an unready adapter makes its APIService unavailable,
/// and that blocks the deletion of namespaces in the whole cluster.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<RwLock<Vec<Arc<State>>>>);

#[derive(Debug)]
struct State {
    name: &'static str,
    met: AtomicBool,
}

/// One condition, to be kept by whoever can say whether it is met; clones share it.
#[derive(Clone, Debug)]
pub struct Condition(Arc<State>);

impl Readiness {
    /// Adds a condition that is not met yet.
    pub fn condition(&self, name: &'static str) -> Condition {
        let state = Arc::new(State {
            name,
            met: AtomicBool::new(false),
        });
        self.0
            .write()
            .expect("no holder of the lock panics")
            .push(Arc::clone(&state));
        Condition(state)
    }

    /// All conditions in the order in which they were added, and whether they are met.
    pub(super) fn conditions(&self) -> Vec<(&'static str, bool)> {
        let conditions = self.0.read().expect("no holder of the lock panics");
        conditions
            .iter()
            .map(|state| (state.name, state.met.load(Ordering::Acquire)))
            .collect()
    }
}

impl Condition {
    /// It is true from now on.
    pub fn met(&self) {
        self.0.met.store(true, Ordering::Release);
    }

    /// Whether it is true.
    pub(super) fn is_met(&self) -> bool {
        self.0.met.load(Ordering::Acquire)
    }

    /// It is false from now on.
    pub fn unmet(&self) {
        self.0.met.store(false, Ordering::Release);
    }
}
