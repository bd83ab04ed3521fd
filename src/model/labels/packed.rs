//! Sets that are taken out of an answer.

use std::mem;
use std::sync::Arc;

use super::Names;
use super::texts::Growing;
use crate::model::Sample;

/// Gives the values of all labels one allocation of their own, and takes a label off, if one is named.
///
/// So a part of an answer keeps nothing of the other parts in memory, and is read and let go as a whole.
pub fn pack(samples: &mut [Sample], without: Option<&str>) {
    let mut values = Growing::default();
    let mut last: Option<(Names, Names)> = None;
    for Sample { labels, .. } in &mut *samples {
        let place = without.and_then(|name| labels.place(name));
        values.push_set(&labels.values, place);
        values.end_set().expect("they were part of one answer");
        if let Some(place) = place {
            let rest = match &last {
                Some((all, rest)) if Arc::ptr_eq(all, &labels.names) => Arc::clone(rest),
                _ => all_but(&labels.names, place),
            };
            let all = mem::replace(&mut labels.names, Arc::clone(&rest));
            last = Some((all, rest));
        }
    }
    for (Sample { labels, .. }, values) in samples.iter_mut().zip(values.finish()) {
        labels.values = values;
    }
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

    fn texts(samples: &[Sample]) -> Vec<String> {
        samples.iter().map(|sample| sample.labels.to_string()).collect()
    }

    #[test]
    fn label_is_taken_off_where_it_is_and_names_stay_shared() {
        let mut samples = samples(&[
            &[("app", ""), ("namespace", "shop"), ("pod", "a")],
            &[("app", ""), ("namespace", "shop"), ("pod", "b")],
            &[("pod", "c")],
            &[("namespace", "mail")],
        ]);
        pack(&mut samples, Some("namespace"));
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
        let mut samples = samples(&[&[("pod", "a")], &[("pod", "b")]]);
        let before = texts(&samples);
        for part in samples.chunks_mut(1) {
            pack(part, None);
        }
        assert_eq!(texts(&samples), before);
        pack(&mut samples, None);
        assert_eq!(texts(&samples), before);
    }
}
