//! Sets that are taken out of an answer.

use std::sync::Arc;

use super::texts::Growing;
use super::{Labels, Names};
use crate::model::Sample;

/// The same samples with the values of all labels in one allocation of their own, and without a label, if one is named.
///
/// So a part of an answer keeps nothing of the other parts in memory, and is read and let go as a whole.
pub fn pack(samples: &[&Sample], without: Option<&str>) -> Vec<Sample> {
    let mut values = Growing::default();
    let mut names: Vec<Names> = Vec::with_capacity(samples.len());
    let mut last: Option<(&Names, Names)> = None;
    for Sample { labels, .. } in samples {
        let place = without.and_then(|name| labels.place(name));
        values.push_set(&labels.values, place);
        values.end_set().expect("they were part of one answer");
        let rest = match (place, &last) {
            (None, _) => Arc::clone(&labels.names),
            (Some(_), Some((all, rest))) if Arc::ptr_eq(all, &labels.names) => Arc::clone(rest),
            (Some(place), _) => {
                let rest = all_but(&labels.names, place);
                last = Some((&labels.names, Arc::clone(&rest)));
                rest
            }
        };
        names.push(rest);
    }
    let labels = names.into_iter().zip(values.finish());
    let labels = labels.map(|(names, values)| Labels { names, values });
    let packed = samples.iter().zip(labels);
    packed
        .map(|(sample, labels)| Sample { labels, ..**sample })
        .collect()
}

fn all_but(names: &Names, place: usize) -> Names {
    let (front, back) = (&names[..place], &names[place + 1..]);
    [front, back].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GrowingSets, Labels, Timestamp};

    fn samples(sets: &[&[(&str, &str)]]) -> Vec<Sample> {
        let mut growing = GrowingSets::default();
        for set in sets {
            set.iter().for_each(|(name, value)| growing.insert(name, value));
            growing.end_set().unwrap();
        }
        let sample = |labels: Labels| Sample {
            labels,
            value: 0.0,
            at: Timestamp::default(),
        };
        growing.finish().map(sample).collect()
    }

    fn packed(samples: &[Sample], without: Option<&str>) -> Vec<Sample> {
        pack(&samples.iter().collect::<Vec<_>>(), without)
    }

    fn texts(samples: &[Sample]) -> Vec<String> {
        samples.iter().map(|sample| sample.labels.to_string()).collect()
    }

    #[test]
    fn label_is_taken_off_where_it_is_and_names_stay_shared() {
        let samples = samples(&[
            &[("app", ""), ("namespace", "shop"), ("pod", "a")],
            &[("app", ""), ("namespace", "shop"), ("pod", "b")],
            &[("pod", "c")],
            &[("namespace", "mail")],
        ]);
        let samples = packed(&samples, Some("namespace"));
        assert_eq!(
            texts(&samples),
            [r#"{app="",pod="a"}"#, r#"{app="",pod="b"}"#, r#"{pod="c"}"#, "{}"]
        );
        assert!(Arc::ptr_eq(&samples[0].labels.names, &samples[1].labels.names));
        assert_eq!(samples[0].labels.values_bytes(), 3);
        assert_eq!(samples[0].labels, Labels::from_iter([("app", ""), ("pod", "a")]));
    }

    #[test]
    fn nothing_is_taken_off_where_no_label_is_named() {
        let samples = samples(&[&[("pod", "a")], &[("pod", "b")]]);
        assert_eq!(packed(&samples, None), samples);
        for part in samples.chunks(1) {
            assert_eq!(packed(part, None), part);
        }
    }
}
