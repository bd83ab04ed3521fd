//! A kept answer that a request was answered from, and what there is for the next one.

use std::sync::{Arc, Weak};

use super::answer::Found;
use super::kept::Kept;
use super::topic::Key;
use super::{Shared, State};
use crate::model::{ObjectChoice, ObjectNames, Timestamp};

/// Which answer it was. It is not kept any longer for that.
#[derive(Clone, Debug)]
pub(in crate::provider) struct Held {
    key: Arc<Key>,
    kept: Weak<Kept>,
    /// Whether the objects were asked for before since it was evaluated.
    pub(in crate::provider) is_repeated: bool,
}

impl Held {
    /// `before` is when the same objects were asked for the time before.
    pub(super) fn new(key: &Arc<Key>, kept: &Arc<Kept>, before: Timestamp) -> Held {
        Held {
            key: Arc::clone(key),
            kept: Arc::downgrade(kept),
            is_repeated: before > kept.evaluated_at(),
        }
    }

    pub(super) fn is(&self, kept: &Arc<Kept>) -> bool {
        Weak::as_ptr(&self.kept) == Arc::as_ptr(kept)
    }
}

impl Shared {
    /// What is kept now for a request that was answered from this, if it is fresh. If so it counts as asked.
    ///
    /// An incomplete answer is left to a policy.
    pub(in crate::provider) fn recall_held(
        &self,
        held: &Held,
        choice: &ObjectChoice,
        names: &ObjectNames,
        now: Timestamp,
    ) -> Option<Found> {
        let mut state = self.lock();
        let State { slots, families, .. } = &mut *state;
        let members = families.get_mut(&*held.key.family)?;
        let serves = |kept: &Arc<Kept>| {
            let is_fresh = self.ages.is_fresh(kept.evaluated_at(), now);
            is_fresh && kept.is_about(names) && !kept.answer.is_incomplete()
        };
        let slot = slots.note_if(&held.key, now, |slot| slot.kept.as_ref().is_some_and(serves))?;
        let before = slot.choose(members.is_wide, choice, names, self.memory, now);
        members.is_asked_for(slot, &self.ages);
        let kept = slot.kept.clone()?;
        Some(Found {
            held: before.map(|before| Held::new(&held.key, &kept, before)),
            kept,
        })
    }
}
