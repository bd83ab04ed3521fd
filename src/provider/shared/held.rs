//! A kept answer that a request was answered from, and whether the next one would be too.

use std::sync::{Arc, Weak};

use super::kept::Kept;
use super::topic::Key;
use super::{Shared, State};
use crate::model::{ObjectChoice, ObjectNames, Timestamp};

/// Which answer it was. It is not kept any longer for that.
#[derive(Clone, Debug)]
pub(in crate::provider) struct Held {
    key: Arc<Key>,
    kept: Weak<Kept>,
}

impl Held {
    pub(super) fn new(key: &Arc<Key>, kept: &Arc<Kept>) -> Held {
        Held {
            key: Arc::clone(key),
            kept: Arc::downgrade(kept),
        }
    }

    fn is(&self, kept: &Arc<Kept>) -> bool {
        Weak::as_ptr(&self.kept) == Arc::as_ptr(kept)
    }
}

impl Shared {
    /// Whether the same request would be answered from the same answer now. If so it counts as asked.
    pub(in crate::provider) fn is_held(
        &self,
        held: &Held,
        choice: &ObjectChoice,
        names: &ObjectNames,
        now: Timestamp,
    ) -> bool {
        let mut state = self.lock();
        let State { slots, families, .. } = &mut *state;
        let Some(members) = families.get_mut(&*held.key.family) else {
            return false;
        };
        let noted = slots.note_if(&held.key, now, |slot| {
            let kept = slot.kept.as_ref().filter(|kept| held.is(kept));
            kept.is_some_and(|kept| self.ages.is_fresh(kept.evaluated_at(), now))
        });
        if let Some(slot) = noted {
            slot.choose(members.is_wide, choice, names, self.memory, now);
            members.is_asked_for(slot, &self.ages);
            return true;
        }
        false
    }
}
