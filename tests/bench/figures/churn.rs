//! Autoscalers that come and go: what is asked of Prometheus for those that come.

use std::ops::Range;
use std::thread;

use super::many::{PERIOD, Size, answers, most_queries, paced};
use super::runs::age_s;
use crate::Extent;
use crate::load::{Outcome, Request};
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::quantile;
use crate::scene::Scene;

/// In each round one part of so many goes and another comes.
const PARTS: usize = 10;

/// So many parts are away at any time, each for as many rounds: twice as long as the adapter remembers them.
const AWAY: usize = 4;

/// Rounds that are measured, after those in which the first parts go.
const ROUNDS: usize = 6;

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let autoscalers = if extent.is_quick() { 1_000 } else { 10_000 };
    let shop = Size::disjoint(autoscalers).shop;
    let scene = Scene::with_rates(shop, PERIOD);
    let adapter = scene.adapter();
    let target = scene.tls.target(adapter.address);
    let requests = scene.requests(&target);
    // How many workloads, side by side, come and go together: so many as have all metrics among them, or more.
    let ways = [
        ("some of each namespace", shop.metrics / shop.metrics_each),
        ("those of whole namespaces", shop.workloads / shop.namespaces),
    ];
    let mut rows = Vec::new();
    for (whose, together) in ways {
        let group = |request: usize| request / shop.metrics_each / together;
        let asked = |rounds: Range<usize>| -> Vec<Request> {
            let present = rounds.flat_map(|round| {
                let is_present = move |request: &usize| is_present(group(*request), round);
                (0..requests.len()).filter(is_present)
            });
            present.map(|request| requests[request].clone()).collect()
        };
        let rate = requests.len() as f64 * (PARTS - AWAY) as f64 / PARTS as f64 / PERIOD.as_secs_f64();
        let lay_on = |rounds: Range<usize>| {
            let length = PERIOD * u32::try_from(rounds.len()).unwrap();
            paced(&target, &asked(rounds), rate, length).run()
        };
        drop(lay_on(0..AWAY));
        let (most, outcome) = thread::scope(|scope| {
            let asking = scope.spawn(|| lay_on(AWAY..AWAY + ROUNDS));
            let most = most_queries(&scene.prometheus, PERIOD * ROUNDS as u32);
            (most, asking.join().expect("it is laid on to its end"))
        });
        rows.extend(rows_of(autoscalers, whose, most, &outcome));
    }
    Figure {
        how: HOW.to_owned(),
        rows,
        machine,
    }
}

/// Whether the autoscalers of a group ask in a round.
fn is_present(group: usize, round: usize) -> bool {
    (group + PARTS - round % PARTS) % PARTS >= AWAY
}

const HOW: &str = "\
As with ten thousand autoscalers and disjoint objects, but a tenth of them comes every 15 s and another tenth goes, for a minute each.
By then the adapter has forgotten them; it remembers what it was asked for two periods of an autoscaler.
Once they are spread over all namespaces, and once they are those of a tenth of the namespaces.
";

fn rows_of(autoscalers: usize, whose: &str, most: f64, outcome: &Outcome) -> [Row; 2] {
    let load = format!(
        "{} of {autoscalers} HPAs × 2 metrics come and as many go every 15 s, {whose}",
        autoscalers / PARTS
    );
    [
        Row {
            what: format!("most queries in any 15 s while {load}"),
            must: "at most 200".to_owned(),
            measured: Cell::new(&[most], ""),
            verdict: Verdict::reached_if(most <= 200.0 && outcome.failed.is_empty()),
            age_s: age_s(&outcome.ages_s),
            ..Row::told()
        },
        Row {
            what: format!("latency meanwhile, p99; {}", answers(outcome)),
            measured: Cell::new(&[quantile(&outcome.latencies_ms, 0.99)], "ms"),
            ..Row::told()
        },
    ]
}
