//! Whether many questions of a family are asked for the first time at once. Pure: time comes in.

use std::time::Duration;

use crate::model::{ObjectChoice, Timestamp, age};

/// So many questions of a family are asked one by one within a period.
const MOST_QUESTIONS: usize = 3;

/// Of so many namespaces.
const MOST_NAMESPACES: usize = 2;

/// What requests asked about one by one lately, of one family.
#[derive(Debug, Default)]
pub(super) struct Rush {
    questions: Vec<(Option<String>, Option<ObjectChoice>, Timestamp)>,
    namespaces: Vec<(Option<String>, Timestamp)>,
}

/// How much is asked about at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breadth {
    /// The objects of the request.
    ItsObjects,
    /// All objects of its namespace, since others of them are asked for too.
    AllObjects,
    /// All objects of all namespaces, since several begin to ask.
    AllNamespaces,
}

impl Rush {
    /// How much had better be asked about for a question to which there is no answer.
    pub(super) fn breadth(
        &mut self,
        namespace: Option<&str>,
        choice: Option<&ObjectChoice>,
        period: Duration,
        now: Timestamp,
    ) -> Breadth {
        self.questions.retain(|(_, _, at)| age(*at, now) <= period);
        self.namespaces.retain(|(_, at)| age(*at, now) <= period);
        let known = self
            .namespaces
            .iter()
            .position(|(known, _)| known.as_deref() == namespace);
        match known {
            Some(position) => self.namespaces[position].1 = now,
            None if self.namespaces.len() == MOST_NAMESPACES => return Breadth::AllNamespaces,
            None => self.namespaces.push((namespace.map(str::to_owned), now)),
        }
        let mut known = self.questions.iter();
        if known.any(|(of, known, _)| of.as_deref() == namespace && known.as_ref() == choice) {
            return Breadth::ItsObjects;
        }
        if self.questions.len() == MOST_QUESTIONS {
            return match self.namespaces.len() {
                1 => Breadth::AllObjects,
                // One about each of them would be as many questions, and the third would have all asked about anyway.
                _ => Breadth::AllNamespaces,
            };
        }
        let question = (namespace.map(str::to_owned), choice.cloned(), now);
        self.questions.push(question);
        Breadth::ItsObjects
    }
}

#[cfg(test)]
mod tests {
    use super::Breadth::{AllNamespaces, AllObjects, ItsObjects};
    use super::*;

    fn check(rush: &mut Rush, namespace: &str, pod: &str, at: i64) -> Breadth {
        let choice = ObjectChoice::Named(pod.to_owned());
        let now = Timestamp::from_second(at).unwrap();
        rush.breadth(Some(namespace), Some(&choice), Duration::from_secs(15), now)
    }

    #[test]
    fn first_namespaces_are_asked_about_alone_and_the_next_makes_it_all() {
        let mut rush = Rush::default();
        assert_eq!(check(&mut rush, "mail", "a", 0), ItsObjects);
        assert_eq!(check(&mut rush, "shop", "a", 1), ItsObjects);
        assert_eq!(check(&mut rush, "orders", "a", 2), AllNamespaces);
        assert_eq!(check(&mut rush, "mail", "a", 3), ItsObjects);
        assert_eq!(check(&mut rush, "mail", "b", 3), ItsObjects);
        assert_eq!(check(&mut rush, "mail", "c", 3), AllNamespaces);
    }

    #[test]
    fn first_objects_are_asked_about_alone_and_the_next_make_it_the_namespace() {
        let mut rush = Rush::default();
        for pod in ["a", "b", "c", "a"] {
            assert_eq!(check(&mut rush, "mail", pod, 0), ItsObjects);
        }
        assert_eq!(check(&mut rush, "mail", "d", 0), AllObjects);
        assert_eq!(check(&mut rush, "mail", "e", 0), AllObjects);
    }

    #[test]
    fn second_namespace_makes_it_all_where_the_first_had_many_objects() {
        let mut rush = Rush::default();
        for pod in ["a", "b", "c"] {
            check(&mut rush, "mail", pod, 0);
        }
        assert_eq!(check(&mut rush, "shop", "a", 0), AllNamespaces);
        assert_eq!(check(&mut rush, "mail", "a", 0), ItsObjects, "it has its answer");
        assert_eq!(check(&mut rush, "mail", "d", 0), AllNamespaces);
    }

    #[test]
    fn rush_is_over_after_a_period() {
        let mut rush = Rush::default();
        check(&mut rush, "mail", "a", 0);
        check(&mut rush, "shop", "a", 1);
        assert_eq!(check(&mut rush, "orders", "a", 15), AllNamespaces);
        assert_eq!(check(&mut rush, "orders", "a", 16), ItsObjects);
        assert_eq!(check(&mut rush, "young", "a", 16), AllNamespaces);
    }

    #[test]
    fn what_a_caller_makes_up_is_not_remembered() {
        let mut rush = Rush::default();
        for number in 0..1000 {
            check(&mut rush, &number.to_string(), "a", 0);
            check(&mut rush, "0", &number.to_string(), 0);
        }
        assert_eq!(rush.questions.len(), MOST_QUESTIONS);
        assert_eq!(rush.namespaces.len(), MOST_NAMESPACES);
    }
}
