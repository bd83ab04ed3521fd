//! The answer to one question about all namespaces, of which not all are asked for yet. Pure: time comes in.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::kept::{AllParts, Kept};
use super::plan::MOST_ROWS;
use super::slot::NARROW_FOR;
use crate::model::{Timestamp, age};
use crate::prometheus::Ages;

/// What a family has of all namespaces.
#[derive(Debug, Default)]
pub(super) struct Overview {
    /// Dropped when the question has ended, which wakes all who wait for it.
    flight: Option<watch::Sender<()>>,
    landed: Option<Landed>,
    /// Since when it is not to be asked, and for how long.
    barred: Option<(Timestamp, Duration)>,
}

/// Ends when a question has.
pub(super) struct Flight(watch::Receiver<()>);

#[derive(Debug)]
struct Landed {
    evaluated_at: Timestamp,
    /// By namespace; `None` where there is a part, but not here.
    parts: HashMap<String, Option<Kept>>,
    /// The part of a namespace without samples.
    nothing: Arc<Kept>,
    size_bytes: usize,
    /// Whether a namespace found its part here.
    is_of_use: bool,
}

impl Flight {
    /// Waits until the question has ended, in whichever way.
    pub(super) async fn ended(mut self) {
        // An error says that the sender is gone, and nothing is ever sent.
        let _ = self.0.changed().await;
    }
}

impl Overview {
    /// Whether the question may be asked.
    pub(super) fn may_be_asked(&self, now: Timestamp) -> bool {
        self.barred.is_none_or(|(since, wait)| age(since, now) > wait)
    }

    /// Whether there is a fresh answer.
    pub(super) fn is_fresh(&self, ages: &Ages, now: Timestamp) -> bool {
        let landed = self.landed.as_ref();
        landed.is_some_and(|landed| ages.is_fresh(landed.evaluated_at, now))
    }

    /// Whether the question is under way or about to be asked.
    pub(super) fn is_asked(&self) -> bool {
        self.flight.is_some()
    }

    /// The question is asked, if it is not under way.
    pub(super) fn ask(&mut self) -> Flight {
        let flight = self.flight.get_or_insert_with(|| watch::channel(()).0);
        Flight(flight.subscribe())
    }

    /// An answer came; `taken` are the namespaces whose parts are elsewhere. What does not fit in so many bytes is left
    /// out.
    pub(super) fn landed(&mut self, all: AllParts, taken: Vec<String>, room_bytes: usize, now: Timestamp) {
        let mut size_bytes = 0;
        let mut fits = |part: &Kept| {
            let fits = size_bytes + part.size_bytes <= room_bytes;
            size_bytes += if fits { part.size_bytes } else { 0 };
            fits
        };
        let parts = all.parts.into_iter();
        let mut parts: HashMap<String, Option<Kept>> = parts
            .map(|(namespace, part)| (namespace, Some(part).filter(&mut fits)))
            .collect();
        parts.extend(taken.into_iter().map(|namespace| (namespace, None)));
        self.flight = None;
        self.landed = Some(Landed {
            evaluated_at: all.nothing.evaluated_at(),
            parts,
            nothing: Arc::new(all.nothing),
            size_bytes,
            is_of_use: false,
        });
        if all.rows > MOST_ROWS {
            self.barred = Some((now, NARROW_FOR));
        }
    }

    /// No answer came, and for a while it is not asked for again.
    pub(super) fn failed(&mut self, wait: Duration, now: Timestamp) {
        self.flight = None;
        self.barred = Some((now, wait));
    }

    /// The part of a namespace that is asked about for the first time, while it is fresh.
    pub(super) fn take(&mut self, namespace: &str, ages: &Ages, now: Timestamp) -> Option<Arc<Kept>> {
        let landed = self.landed.as_mut()?;
        if !ages.is_fresh(landed.evaluated_at, now) {
            return None;
        }
        match landed.parts.get_mut(namespace) {
            None => Some(Arc::clone(&landed.nothing)),
            Some(part) => {
                let part = part.take()?;
                landed.is_of_use = true;
                landed.size_bytes -= part.size_bytes;
                Some(Arc::new(part))
            }
        }
    }

    /// Whether it is to be refreshed: namespaces still come that find their parts in it.
    pub(super) fn is_refreshed(&self, now: Timestamp) -> bool {
        let is_of_use = self.landed.as_ref().is_some_and(|landed| landed.is_of_use);
        is_of_use && !self.is_asked() && self.may_be_asked(now)
    }

    /// Lets go of parts that are no longer fresh, and says how many bytes they took.
    pub(super) fn let_go(&mut self, ages: &Ages, now: Timestamp) -> usize {
        let is_old = |landed: &mut Landed| !ages.is_fresh(landed.evaluated_at, now);
        self.landed.take_if(is_old).map_or(0, |landed| landed.size_bytes)
    }

    /// Bytes that the parts take.
    pub(super) fn size_bytes(&self) -> usize {
        self.landed.as_ref().map_or(0, |landed| landed.size_bytes)
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.landed.is_none() && !self.is_asked() && self.may_be_asked(now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::all_parts;
    use super::*;
    use crate::model::{Labels, Sample};
    use crate::prometheus::{Answer, Shape};
    use crate::rules::WideQuery;

    const AGES: Ages = Ages::EXAMPLE;
    const ROOM: usize = 1 << 20;

    fn second(at: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + at).unwrap()
    }

    /// An answer of second 0 with a row for each name.
    fn all(namespaces: &[&str]) -> AllParts {
        let samples = namespaces.iter().map(|namespace| Sample {
            labels: Labels::from_iter([("namespace", *namespace)]),
            value: 1.0,
            at: second(0),
        });
        let answer = Answer {
            samples: samples.collect(),
            shape: Shape::Vector,
            evaluated_at: second(0),
            warnings: Vec::new(),
        };
        let wide = WideQuery {
            text: String::new(),
            namespace_label: Some("namespace".to_owned()),
            takes_off: true,
            object_label: None,
        };
        all_parts(&answer, &wide).unwrap()
    }

    fn landed(namespaces: &[&str], taken: &[&str], room_bytes: usize) -> Overview {
        let mut overview = Overview::default();
        let taken = taken.iter().map(|name| (*name).to_owned()).collect();
        overview.landed(all(namespaces), taken, room_bytes, second(1));
        overview
    }

    /// How many rows a namespace finds; `None` if that is not known.
    fn rows(overview: &mut Overview, namespace: &str, at: i64) -> Option<usize> {
        let part = overview.take(namespace, &AGES, second(at));
        part.map(|part| part.answer.samples.len())
    }

    #[test]
    fn namespace_finds_its_part_once_and_while_it_is_fresh() {
        let mut overview = landed(&["mail", "shop", "shop"], &[], ROOM);
        assert_eq!(rows(&mut overview, "shop", 9), Some(2));
        assert_eq!(rows(&mut overview, "shop", 9), None, "it has it already");
        assert_eq!(rows(&mut overview, "empty", 9), Some(0));
        assert_eq!(rows(&mut overview, "mail", 10), None);
    }

    #[test]
    fn part_that_is_elsewhere_or_had_no_room_is_not_known_and_not_empty() {
        let mut overview = landed(&["mail", "shop"], &["orders"], 0);
        assert_eq!(overview.size_bytes(), 0);
        for namespace in ["mail", "shop", "orders"] {
            assert_eq!(rows(&mut overview, namespace, 1), None);
        }
        assert_eq!(rows(&mut overview, "empty", 1), Some(0));
    }

    #[test]
    fn it_is_refreshed_only_while_namespaces_find_rows_in_it() {
        let mut overview = landed(&["mail", "shop"], &[], ROOM);
        rows(&mut overview, "empty", 1);
        assert!(!overview.is_refreshed(second(2)));
        rows(&mut overview, "mail", 1);
        assert!(overview.is_refreshed(second(2)));
        overview.ask();
        assert!(!overview.is_refreshed(second(2)), "it is under way");
    }

    #[test]
    fn bytes_of_what_is_taken_or_let_go_are_free_again() {
        let mut overview = landed(&["mail", "shop"], &[], ROOM);
        let both = overview.size_bytes();
        rows(&mut overview, "mail", 1);
        assert_eq!(overview.size_bytes(), both / 2);
        assert_eq!(overview.let_go(&AGES, second(9)), 0);
        assert_eq!(overview.let_go(&AGES, second(10)), both / 2);
        assert!(overview.is_over(second(10)));
    }

    #[test]
    fn failure_and_too_many_rows_bar_it_for_a_while() {
        let mut overview = Overview::default();
        overview.ask();
        overview.failed(Duration::from_secs(5), second(0));
        assert!(!overview.is_asked() && !overview.is_over(second(5)));
        assert!(!overview.may_be_asked(second(5)) && overview.may_be_asked(second(6)));
        let overview = landed(&vec!["huge"; MOST_ROWS + 1], &[], ROOM);
        assert!(!overview.may_be_asked(second(601)) && overview.may_be_asked(second(602)));
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_the_question_ends_in_whichever_way() {
        let mut overview = Overview::default();
        let waiting = overview.ask();
        overview.landed(all(&[]), Vec::new(), ROOM, second(0));
        waiting.ended().await;
        let waiting = overview.ask();
        overview.failed(Duration::ZERO, second(0));
        waiting.ended().await;
        let waiting = overview.ask();
        drop(overview);
        waiting.ended().await;
    }
}
