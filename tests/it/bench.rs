//! What the figures of `tests/bench` are reckoned with.

#[path = "../bench/samples.rs"]
mod samples;

use samples::{Spread, quantile};

#[test]
fn spread_is_the_middle_and_the_outermost_of_several_runs() {
    let spread = |median, least, most, runs| Spread {
        median,
        least,
        most,
        runs,
    };
    assert_eq!(Spread::of(&[3.0]), spread(3.0, 3.0, 3.0, 1));
    assert_eq!(Spread::of(&[9.0, 1.0, 2.0]), spread(2.0, 1.0, 9.0, 3));
    assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 9.0]), spread(3.0, 1.0, 9.0, 4));
}

#[test]
fn ratio_is_taken_within_a_run() {
    let spread = Spread::of_ratios(&[10.0, 60.0, 30.0], &[5.0, 20.0, 30.0]);
    assert_eq!((spread.median, spread.least, spread.most), (2.0, 1.0, 3.0));
}

#[test]
fn quantile_of_many_samples_is_one_of_them() {
    let samples: Vec<f64> = (0..=100).rev().map(f64::from).collect();
    assert_eq!(quantile(&samples, 0.99), 99.0);
    assert_eq!(quantile(&samples, 0.5), 50.0);
    assert!(quantile(&[], 0.5).is_nan());
}
