//! The part of each namespace in an answer about all.
//!
//! Thousands of autoscalers share an answer of ten thousands of samples, and each reads a few of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::model::Sample;
use crate::prometheus::Answer;
use crate::rules::UsageRule;

/// The slices of the last answer to each rule's question about all namespaces.
#[derive(Debug, Default)]
pub(in crate::provider) struct Slices(Mutex<HashMap<String, Kept>>);

/// Slices that do not keep their answer alive.
#[derive(Debug)]
struct Kept {
    answer: Weak<Answer>,
    positions: Arc<Positions>,
}

/// Where the samples of a namespace stand.
type Positions = HashMap<String, Vec<usize>>;

/// An answer, cut by namespace.
pub(super) struct Sliced<'a> {
    answer: &'a Answer,
    positions: Arc<Positions>,
}

impl Slices {
    /// The slices of an answer, cut when it is first asked for.
    pub(super) fn of<'a>(&self, rule: &UsageRule, answer: &'a Arc<Answer>) -> Sliced<'a> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.get(rule.key());
        let positions = match known.filter(|kept| Weak::ptr_eq(&kept.answer, &Arc::downgrade(answer))) {
            Some(kept) => kept.positions.clone(),
            None => {
                let positions = Arc::new(positions(rule, answer));
                let cut = Kept {
                    answer: Arc::downgrade(answer),
                    positions: positions.clone(),
                };
                kept.insert(rule.key().to_owned(), cut);
                positions
            }
        };
        Sliced { answer, positions }
    }
}

fn positions(rule: &UsageRule, answer: &Answer) -> Positions {
    let mut positions = Positions::new();
    for (position, sample) in answer.samples.iter().enumerate() {
        let Some(namespace) = rule.namespace_of(sample) else {
            continue;
        };
        match positions.get_mut(namespace) {
            Some(known) => known.push(position),
            None => {
                positions.insert(namespace.to_owned(), vec![position]);
            }
        }
    }
    positions
}

impl<'a> Sliced<'a> {
    /// The samples of a namespace.
    pub(super) fn samples(&self, namespace: &str) -> impl Iterator<Item = &'a Sample> {
        let answer = self.answer;
        let positions = self.positions.get(namespace).into_iter().flatten();
        positions.map(|position| &answer.samples[*position])
    }
}
