//! An answer that is kept, and whom it is about.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{ObjectNames, QuickMap, Sample, Timestamp, pack};
use crate::prometheus::Answer;
use crate::rules::WideQuery;

/// An answer to one question, or the part of it in an answer to many.
#[derive(Clone, Debug)]
pub(in crate::provider) struct Kept {
    pub(in crate::provider) answer: Arc<Answer>,
    covers: Covers,
    pub(super) asked: Asked,
    /// Bytes that it takes, roughly.
    pub(super) size_bytes: usize,
}

/// The question that brought an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The narrow one.
    Narrow,
    /// About all objects of its namespace, and of so many others.
    WithOthers(usize),
    /// About all objects of all namespaces.
    OfAll,
}

/// An answer about all namespaces, cut.
#[derive(Debug)]
pub(super) struct AllParts {
    /// By namespace.
    pub(super) parts: HashMap<String, Kept>,
    /// The part of any other namespace.
    pub(super) nothing: Kept,
    /// Rows of the whole.
    pub(super) rows: usize,
}

/// What a kept answer is an answer to.
#[derive(Clone, Debug)]
enum Covers {
    /// To the question as it is.
    Question,
    /// To that about these objects.
    Objects(ObjectNames),
    /// To that about any objects: samples are sorted by the label that names them.
    AnyObjects {
        label: String,
        /// `None` if it was asked about all.
        names: Option<ObjectNames>,
    },
}

impl Kept {
    /// The answer to a narrow question; there are no names for an external metric.
    ///
    /// With a label the answer to any of the names can be taken from it.
    pub(super) fn narrow(answer: Answer, names: ObjectNames, label: Option<String>) -> Kept {
        let (answer, covers) = match label {
            Some(label) => {
                let names = Some(names);
                (by_object(answer, &label), Covers::AnyObjects { label, names })
            }
            None if names.is_empty() => (answer, Covers::Question),
            None => (answer, Covers::Objects(names)),
        };
        Kept::new(Arc::new(answer), covers, Asked::Narrow)
    }

    /// The answer to the question that a request asked.
    pub(super) fn asked(answer: Arc<Answer>) -> Kept {
        Kept::new(answer, Covers::Question, Asked::Narrow)
    }

    /// The part of one namespace in the answer to a wide question, or of all.
    fn part(whole: &Answer, mut samples: Vec<&Sample>, wide: &WideQuery, asked: Asked) -> Kept {
        let covers = match wide.object_label.clone() {
            Some(label) => {
                sort_by_object(&mut samples, &label);
                Covers::AnyObjects { label, names: None }
            }
            None => Covers::Question,
        };
        let without = wide.namespace_label.as_deref().filter(|_| wide.takes_off);
        let answer = of_whole(whole, pack(&samples, without));
        Kept::new(Arc::new(answer), covers, asked)
    }

    fn new(answer: Arc<Answer>, covers: Covers, asked: Asked) -> Kept {
        Kept {
            size_bytes: answer.size_bytes(),
            answer,
            covers,
            asked,
        }
    }

    /// Whether it is an answer about these objects. There are none for an external metric.
    pub(in crate::provider) fn is_about(&self, names: &ObjectNames) -> bool {
        match &self.covers {
            Covers::Question | Covers::AnyObjects { names: None, .. } => true,
            Covers::Objects(covered) => covered == names,
            Covers::AnyObjects {
                names: Some(covered), ..
            } => covered.hold(names),
        }
    }

    /// The samples that the narrow question about these objects would have brought; `None` if that cannot be told.
    pub(in crate::provider) fn samples(&self, names: &ObjectNames) -> Option<Vec<&Sample>> {
        let samples = &self.answer.samples;
        self.is_about(names).then(|| match &self.covers {
            Covers::Question | Covers::Objects(_) => samples.iter().collect(),
            Covers::AnyObjects { label, .. } => of_objects(samples, label, names),
        })
    }

    pub(super) fn evaluated_at(&self) -> Timestamp {
        self.answer.evaluated_at
    }
}

/// Cuts the answer to a wide question: the part of each namespace that was asked about, an empty one too.
///
/// Of a question that names no namespace the whole is one part, under the empty name.
pub(super) fn parts(answer: &Answer, wide: &WideQuery, namespaces: &[String]) -> HashMap<String, Kept> {
    let Some(label) = &wide.namespace_label else {
        let all = answer.samples.iter().collect();
        let whole = Kept::part(answer, all, wide, Asked::WithOthers(0));
        return HashMap::from([(String::new(), whole)]);
    };
    let asked = Asked::WithOthers(namespaces.len().saturating_sub(1));
    let mut found = by_namespace(answer, label);
    let part = |namespace: &String| {
        let samples = found.remove(&**namespace).unwrap_or_default();
        (namespace.clone(), Kept::part(answer, samples, wide, asked))
    };
    namespaces.iter().map(part).collect()
}

/// Cuts the answer to a question about all namespaces; `None` if nothing tells them apart.
pub(super) fn all_parts(answer: &Answer, wide: &WideQuery) -> Option<AllParts> {
    let found = by_namespace(answer, wide.namespace_label.as_ref()?);
    let part = |samples| Kept::part(answer, samples, wide, Asked::OfAll);
    let named = |(namespace, samples): (&str, _)| (namespace.to_owned(), part(samples));
    Some(AllParts {
        parts: found.into_iter().map(named).collect(),
        nothing: part(Vec::new()),
        rows: answer.samples.len(),
    })
}

/// The samples that have the label of the namespace.
fn by_namespace<'a>(answer: &'a Answer, label: &str) -> QuickMap<&'a str, Vec<&'a Sample>> {
    let mut found: QuickMap<&str, Vec<&Sample>> = QuickMap::default();
    for sample in &answer.samples {
        if let Some(namespace) = sample.labels.get(label) {
            found.entry(namespace).or_default().push(sample);
        }
    }
    found
}

/// An answer with some samples of another.
fn of_whole(whole: &Answer, samples: Vec<Sample>) -> Answer {
    Answer {
        samples,
        shape: whole.shape,
        evaluated_at: whole.evaluated_at,
        warnings: whole.warnings.clone(),
    }
}

fn by_object(mut answer: Answer, label: &str) -> Answer {
    let mut samples: Vec<&Sample> = answer.samples.iter().collect();
    sort_by_object(&mut samples, label);
    answer.samples = samples.into_iter().cloned().collect();
    answer
}

fn sort_by_object<'a>(samples: &mut [&'a Sample], label: &str) {
    let object = |sample: &&'a Sample| -> Option<&'a str> { sample.labels.get(label) };
    // Each label is looked up once, not at every comparison.
    samples.sort_by_cached_key(object);
}

/// The samples of some objects, of many that are sorted by the label that names them.
fn of_objects<'a>(mut samples: &'a [Sample], label: &str, names: &ObjectNames) -> Vec<&'a Sample> {
    let mut found = Vec::with_capacity(names.len());
    let name_of_next = |samples: &'a [Sample]| samples.first()?.labels.get(label);
    let mut next = name_of_next(samples);
    for name in names.iter() {
        let name = Some(&**name);
        // Those of one workload mostly stand side by side.
        if next < name {
            samples = &samples[samples.partition_point(|sample| sample.labels.get(label) < name)..];
            next = name_of_next(samples);
        }
        while let Some((sample, others)) = samples.split_first()
            && next == name
        {
            found.push(sample);
            samples = others;
            next = name_of_next(samples);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;
    use crate::prometheus::Shape;

    fn answer(samples: &[(&str, &str, f64)]) -> Answer {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let samples = samples.iter().map(|(namespace, pod, value)| Sample {
            labels: Labels::from_iter([("namespace", *namespace), ("pod", *pod)]),
            value: *value,
            at,
        });
        Answer {
            samples: samples.collect(),
            shape: Shape::Vector,
            evaluated_at: at,
            warnings: Vec::new(),
        }
    }

    fn wide(takes_off: bool) -> WideQuery {
        WideQuery {
            text: String::new(),
            namespace_label: Some("namespace".to_owned()),
            takes_off,
            object_label: Some("pod".to_owned()),
        }
    }

    fn names(names: &[&str]) -> ObjectNames {
        names.iter().copied().collect()
    }

    fn namespaces(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Labels and values of the samples of some objects.
    fn told(kept: &Kept, objects: &[&str]) -> String {
        let samples = kept.samples(&names(objects)).expect("they are covered");
        let told = samples
            .iter()
            .map(|sample| format!("{} {}", sample.labels, sample.value));
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn part_of_a_namespace_holds_its_objects_and_no_others() {
        let answer = answer(&[
            ("mail", "b", 1.0),
            ("shop", "b", 2.0),
            ("mail", "a", 3.0),
            ("else", "a", 4.0),
        ]);
        let parts = parts(&answer, &wide(true), &namespaces(&["mail", "shop", "young"]));
        assert_eq!(parts.len(), 3);
        assert_eq!(
            told(&parts["mail"], &["a", "b", "c"]),
            r#"{pod="a"} 3, {pod="b"} 1"#
        );
        assert_eq!(told(&parts["shop"], &["a"]), "");
        assert_eq!(told(&parts["young"], &["a"]), "");
        assert_eq!(parts["mail"].asked, Asked::WithOthers(2));
    }

    #[test]
    fn samples_of_one_object_stay_in_their_order() {
        let answer = answer(&[("n", "b", 1.0), ("n", "a", 2.0), ("n", "b", 3.0), ("n", "a", 4.0)]);
        let kept = Kept::narrow(answer, names(&["a", "b"]), Some("pod".to_owned()));
        let values: Vec<f64> = kept.answer.samples.iter().map(|sample| sample.value).collect();
        assert_eq!(values, [2.0, 4.0, 1.0, 3.0]);
    }

    #[test]
    fn label_of_the_namespace_stays_where_narrow_answers_have_it() {
        let parts = parts(
            &answer(&[("mail", "a", 1.0)]),
            &wide(false),
            &namespaces(&["mail"]),
        );
        assert_eq!(told(&parts["mail"], &["a"]), r#"{namespace="mail",pod="a"} 1"#);
    }

    #[test]
    fn answer_about_some_objects_is_none_about_others() {
        let some = |label: Option<&str>| {
            let answer = answer(&[("n", "b", 1.0), ("n", "a", 2.0)]);
            Kept::narrow(answer, names(&["a", "b"]), label.map(str::to_owned))
        };
        let any = some(Some("pod"));
        assert_eq!(told(&any, &["b"]), r#"{namespace="n",pod="b"} 1"#);
        assert!(any.samples(&names(&["a", "c"])).is_none());
        let exact = some(None);
        assert!(exact.samples(&names(&["a"])).is_none());
        assert_eq!(exact.samples(&names(&["a", "b"])).unwrap().len(), 2);
    }
}
