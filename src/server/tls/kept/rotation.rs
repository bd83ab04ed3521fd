//! What is to be done next about the authorities in the Secret.
//!
//! An authority signs only after every APIService has trusted it for a while, and is trusted until what it signed has
//! ended. Adapters decide alone, from the same Secret; since each write depends on what was read, one of them does a
//! step and the others see it done.

use std::time::Duration;

use jiff::Timestamp;

use super::authority::Dates;
use crate::config::Lifetimes;

/// The part of a serving certificate's life for which an authority is trusted by all before it signs.
///
/// Each kube-apiserver learns of a changed APIService by its own watch.
const SETTLE: u32 = 12;

/// The dates of the authorities in a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Of the authority that signs.
    pub(super) signing: Dates,
    /// Of the one that will.
    pub(super) next: Option<Dates>,
    /// Until when the one that did is trusted.
    pub(super) previous_until: Option<Timestamp>,
}

/// What an adapter sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// What the Secret holds; `None` if there is none.
    pub(super) stored: Option<Kept>,
    /// What the Secret held when this adapter last read it.
    pub(super) known: Option<Kept>,
    /// Since when every APIService has trusted all that is stored.
    pub(super) trusted_since: Option<Timestamp>,
}

/// The next thing to do about the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Make the first authority, or one in place of an expired one.
    Found,
    /// Put back what the Secret held, which somebody deleted, and replace its authority.
    Restore,
    /// Make the next authority, to be trusted.
    Publish,
    /// Let the next authority sign.
    Promote,
    /// Trust the previous authority no longer.
    Forget,
    /// Nothing.
    Stay,
}

/// Decides on the next step.
pub(super) fn decide(view: &View, lifetimes: Lifetimes, now: Timestamp) -> Step {
    match (view.stored, view.known) {
        (Some(stored), _) => rotate(stored, view.trusted_since, lifetimes, now),
        (None, Some(known)) if now < known.signing.until => Step::Restore,
        (None, _) => Step::Found,
    }
}

fn rotate(stored: Kept, trusted_since: Option<Timestamp>, lifetimes: Lifetimes, now: Timestamp) -> Step {
    let next = stored.next.filter(|next| now < next.until);
    let settled = trusted_since.is_some_and(|since| now >= since + settle(lifetimes));
    let expired = now >= stored.signing.until;
    match (next, stored.previous_until) {
        (None, _) if expired => Step::Found,
        (Some(_), _) if expired => Step::Promote,
        (_, Some(until)) if now >= until => Step::Forget,
        (Some(_), None) if settled => Step::Promote,
        (None, None) if now >= stored.signing.renewal() => Step::Publish,
        (None | Some(_), None | Some(_)) => Step::Stay,
    }
}

/// How long an authority is trusted by all before it signs.
pub(super) fn settle(lifetimes: Lifetimes) -> Duration {
    lifetimes.leaf / SETTLE
}

/// When nothing that an authority has signed is valid any more, if it signs no more from now on.
///
/// An adapter signs only with what it has just read from the Secret, and may be a little late.
pub(super) fn ended(lifetimes: Lifetimes, now: Timestamp) -> Timestamp {
    now + lifetimes.leaf + settle(lifetimes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const LIFETIMES: Lifetimes = Lifetimes {
        authority: Duration::from_secs(36 * 3600),
        leaf: Duration::from_secs(6 * 3600),
    };

    fn at(hour: u32) -> Timestamp {
        "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + hour * HOUR
    }

    /// Valid for 36 h from this hour on, so renewed after 24 h.
    fn authority(from: u32) -> Dates {
        Dates {
            from: at(from),
            until: at(from + 36),
        }
    }

    fn kept(signing: u32, next: Option<u32>, previous_until: Option<u32>) -> Option<Kept> {
        Some(Kept {
            signing: authority(signing),
            next: next.map(authority),
            previous_until: previous_until.map(at),
        })
    }

    /// The step at an hour, if every APIService trusts what is stored since another.
    fn step(stored: Option<Kept>, trusted_since: Option<u32>, hour: u32) -> Step {
        let view = View {
            stored,
            known: None,
            trusted_since: trusted_since.map(at),
        };
        decide(&view, LIFETIMES, at(hour))
    }

    #[test]
    fn nothing_is_done_before_two_thirds_of_an_authority_are_over() {
        assert_eq!(step(kept(0, None, None), Some(0), 23), Step::Stay);
        assert_eq!(step(kept(0, None, None), Some(0), 24), Step::Publish);
    }

    #[test]
    fn the_next_authority_signs_only_after_all_have_trusted_it_for_a_while() {
        let stored = kept(0, Some(24), None);
        assert_eq!(step(stored, None, 30), Step::Stay);
        assert_eq!(step(stored, Some(30), 30), Step::Stay);
        // A twelfth of 6 h is half an hour.
        assert_eq!(step(stored, Some(30), 31), Step::Promote);
    }

    #[test]
    fn the_previous_authority_is_trusted_until_what_it_signed_has_ended() {
        let stored = kept(24, None, Some(31));
        assert_eq!(step(stored, Some(25), 30), Step::Stay);
        assert_eq!(step(stored, Some(25), 31), Step::Forget);
    }

    #[test]
    fn one_rotation_waits_for_the_end_of_the_other() {
        assert_eq!(step(kept(0, Some(24), Some(31)), Some(24), 30), Step::Stay);
        assert_eq!(step(kept(0, None, Some(31)), Some(24), 30), Step::Stay);
        assert_eq!(step(kept(0, Some(24), Some(31)), Some(24), 31), Step::Forget);
    }

    #[test]
    fn an_expired_authority_is_replaced_whoever_trusts_the_other() {
        assert_eq!(step(kept(0, None, None), None, 36), Step::Found);
        assert_eq!(step(kept(0, Some(24), None), None, 36), Step::Promote);
        assert_eq!(step(kept(30, Some(0), None), None, 40), Step::Stay);
        assert_eq!(step(kept(10, Some(0), None), None, 40), Step::Publish);
    }

    #[test]
    fn a_deleted_secret_is_put_back_by_whoever_knows_it() {
        let deleted = |hour| {
            let view = View {
                stored: None,
                known: kept(0, None, None),
                trusted_since: None,
            };
            decide(&view, LIFETIMES, at(hour))
        };
        assert_eq!(deleted(5), Step::Restore);
        assert_eq!(deleted(36), Step::Found);
        assert_eq!(step(None, None, 0), Step::Found);
    }

    #[test]
    fn what_is_signed_last_ends_before_its_authority_is_forgotten() {
        assert!(ended(LIFETIMES, at(0)) > at(6));
    }
}
