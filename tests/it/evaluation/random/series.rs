//! Random series: counters that begin anew, gauges that are not always numbers, histograms, and gaps in all of them.

use promql_adapter::model::Labels;
use proptest::prelude::*;

use crate::evaluation::notation::Step;
use crate::evaluation::recorded::Recorded;

const STEP_MS: i64 = 15_000;
const STEPS: usize = 60;

/// From the first sample to the last.
pub(super) const LENGTH_MS: i64 = STEP_MS * STEPS as i64;

/// Upper bounds of the buckets.
const BOUNDS: [&str; 4] = ["0.1", "0.5", "1", "+Inf"];

/// What happens at a step, before values are put in.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A sample, so many milliseconds late.
    Sample {
        late_ms: i64,
        number: f64,
    },
    Reset,
    Gap,
    End,
}

/// Series from this time on: some counters, gauges, histograms and one that tells something of each pod.
pub(super) fn series(base_ms: i64) -> BoxedStrategy<Vec<Recorded>> {
    let counters = prop::collection::vec(events(growth()), 5);
    let gauges = prop::collection::vec(events(reading()), 5);
    let histograms = prop::collection::vec(events(growth()), 2 * BOUNDS.len());
    let infos = prop::collection::vec(events(Just(1.0).boxed()), 3);
    (counters, gauges, histograms, infos)
        .prop_map(move |(counters, gauges, histograms, infos)| {
            let counters = counters
                .iter()
                .enumerate()
                .map(|(at, events)| recorded(pod_and_zone("requests_total", at), counted(events, base_ms)));
            let gauges = gauges
                .iter()
                .enumerate()
                .map(|(at, events)| recorded(pod_and_zone("queue", at), read(events, base_ms)));
            let buckets = histograms.iter().enumerate().map(|(at, events)| {
                let pod = ["a", "b"][at / BOUNDS.len()];
                let labels = [
                    ("__name__", "latency_bucket"),
                    ("pod", pod),
                    ("le", BOUNDS[at % BOUNDS.len()]),
                ];
                recorded(labels.into_iter().collect(), counted(events, base_ms))
            });
            let infos = infos.iter().enumerate().map(|(at, events)| {
                let node = ["m", "n", "n"][at];
                let labels = [("__name__", "info"), ("pod", ["a", "b", "c"][at]), ("node", node)];
                recorded(labels.into_iter().collect(), read(events, base_ms))
            });
            let mut series: Vec<Recorded> = counters.chain(gauges).chain(buckets).chain(infos).collect();
            // Prometheus reads series in the order they were written; which of equal samples `topk` keeps depends on it.
            series.sort_by(|one, other| one.labels.cmp(&other.labels));
            series
        })
        .boxed()
}

/// The series that a query names, with the milliseconds of each sample.
pub(super) fn printed(series: &[Recorded], base_ms: i64, query: &str) -> String {
    let line = |recorded: &Recorded| {
        let samples = recorded.samples.iter().map(|(at_ms, step)| match step {
            Step::Value(value) => format!("{}:{value:?}", at_ms - base_ms),
            other => format!("{}:{other:?}", at_ms - base_ms),
        });
        format!(
            "  {} {}\n",
            recorded.labels,
            samples.collect::<Vec<_>>().join(" ")
        )
    };
    let is_named = |recorded: &&Recorded| query.contains(recorded.labels.get("__name__").unwrap());
    series.iter().filter(is_named).map(line).collect()
}

fn recorded(labels: Labels, samples: Vec<(i64, Step)>) -> Recorded {
    Recorded { labels, samples }
}

fn pod_and_zone(name: &str, at: usize) -> Labels {
    let pod = ["a", "a", "b", "b", "c"][at];
    let zone = ["x", "y"][at % 2];
    [("__name__", name), ("pod", pod), ("zone", zone)]
        .into_iter()
        .collect()
}

fn growth() -> BoxedStrategy<f64> {
    prop_oneof![6 => (0..20_u32).prop_map(f64::from), 1 => 0.0..5.0, 1 => Just(0.0)].boxed()
}

fn reading() -> BoxedStrategy<f64> {
    prop_oneof![
        10 => (-5..6_i32).prop_map(f64::from),
        6 => -100.0..100.0,
        1 => Just(f64::NAN),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e-300, -0.0]),
    ]
    .boxed()
}

fn events(number: BoxedStrategy<f64>) -> impl Strategy<Value = Vec<Event>> {
    let late = prop_oneof![4 => Just(0), 1 => 0..14_000_i64];
    let sample = (late, number).prop_map(|(late_ms, number)| Event::Sample { late_ms, number });
    let event = prop_oneof![
        30 => sample,
        1 => Just(Event::Reset),
        3 => Just(Event::Gap),
        1 => Just(Event::End),
    ];
    prop::collection::vec(event, STEPS)
}

/// A counter that grows by the numbers.
fn counted(events: &[Event], base_ms: i64) -> Vec<(i64, Step)> {
    let mut value = 0.0;
    placed(events, base_ms, |number| match number {
        Some(growth) => {
            value += growth;
            value
        }
        None => {
            value = 0.0;
            value
        }
    })
}

/// A gauge that has the numbers as values.
fn read(events: &[Event], base_ms: i64) -> Vec<(i64, Step)> {
    placed(events, base_ms, |number| number.unwrap_or(0.0))
}

fn placed(events: &[Event], base_ms: i64, mut value: impl FnMut(Option<f64>) -> f64) -> Vec<(i64, Step)> {
    let mut samples: Vec<(i64, Step)> = Vec::new();
    for (position, event) in events.iter().enumerate() {
        let at_ms = base_ms + position as i64 * STEP_MS;
        match event {
            Event::Sample { late_ms, number } => {
                samples.push((at_ms + late_ms, Step::Value(value(Some(*number)))));
            }
            Event::Reset => samples.push((at_ms, Step::Value(value(None)))),
            Event::Gap => {}
            // Only what has begun can end, and once.
            Event::End => match samples.last() {
                None | Some((_, Step::Stale)) => {}
                Some(_) => samples.push((at_ms, Step::Stale)),
            },
        }
    }
    samples
}
