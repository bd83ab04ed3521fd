//! Random expressions over random series, asked of the window and of a real Prometheus.

mod expressions;
mod series;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

use promql_adapter::promql::Expression;

use super::beside_prometheus::{empty_prometheus, first_scene_ms};
use super::recorded::{Recorded, Told, append, ours, same, theirs, window};
use super::remote_write;

/// How many queries are asked, if not the few that every run of the tests has time for.
const COMPARISONS: &str = "PROMQL_COMPARISONS";

/// How many queries are asked over the same series.
const QUERIES_PER_SCENE: usize = 50;

/// Relative difference that is allowed: a few roundings, where sums are added up in another order.
const TOLERANCE: f64 = 1e-9;

#[tokio::test]
async fn random_queries_over_random_series_give_the_same_in_prometheus() {
    let wanted: usize = std::env::var(COMPARISONS).map_or(500, |number| number.parse().unwrap());
    let scenes = wanted.div_ceil(QUERIES_PER_SCENE);
    let prometheus = empty_prometheus().await;
    let first_ms = first_scene_ms(scenes as i64);
    let mut random = TestRunner::new(Config::default());
    let (mut faults, mut first) = (Vec::new(), None);
    let (mut failures, mut empty) = (0, 0);
    for scene in 0..scenes {
        let base_ms = first_ms + scene as i64 * 24 * 60 * 60 * 1000;
        let series = drawn(&mut random, &series::series(base_ms));
        prometheus.remote_write(remote_write::body(&series)).await;
        for _ in 0..QUERIES_PER_SCENE {
            let text = drawn(&mut random, &expressions::vector());
            let at_ms = base_ms + drawn(&mut random, &(0..series::LENGTH_MS + 2 * 60 * 1000));
            let theirs = theirs(&prometheus.answer(&text, Some(at_ms as f64 / 1000.0)).await);
            let ours = asked(&text, &series, at_ms);
            failures += usize::from(matches!(theirs, Told::Failure(_)));
            empty += usize::from(matches!(&theirs, Told::Vector(samples) if samples.is_empty()));
            if !same(&ours, &theirs, TOLERANCE) && !differs_on_purpose(&ours, &theirs) {
                faults.push(format!("`{text}`\n  ours    {ours}\n  theirs  {theirs}"));
                first.get_or_insert_with(|| {
                    let series = series::printed(&series, base_ms, &text);
                    format!("the first at {} of\n{series}", at_ms - base_ms)
                });
            }
        }
    }
    let all = scenes * QUERIES_PER_SCENE;
    println!("{all} queries were asked of both; {failures} fail and {empty} have no samples in Prometheus");
    assert!(
        faults.is_empty(),
        "{} of {all} queries differ:\n{}\n{}",
        faults.len(),
        faults.join("\n"),
        first.unwrap_or_default()
    );
}

/// Where one of them refuses what the other lets pass.
///
/// A comparison of samples counts as a match whether it holds or not since 3.14. And in a subquery Prometheus refuses
/// two series that have the same labels without their names although one ends before the other begins.
fn differs_on_purpose(ours: &Told, theirs: &Told) -> bool {
    let says = |told: &Told, what: &str| matches!(told, Told::Failure(why) if why.contains(what));
    says(ours, "several samples on the left match")
        || says(ours, "several samples that match")
        || says(theirs, "same labelset")
}

fn drawn<T: std::fmt::Debug>(random: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(random).unwrap().current()
}

fn asked(text: &str, series: &[Recorded], at_ms: i64) -> Told {
    let query = match Expression::parse(text) {
        Ok(query) => query,
        Err(fault) => return Told::Failure(fault.to_string()),
    };
    let mut window = window(std::slice::from_ref(&query));
    for recorded in series {
        for (at_ms, step) in &recorded.samples {
            append(&mut window, &recorded.labels, *at_ms, *step);
        }
    }
    ours(&query, &window, at_ms)
}
