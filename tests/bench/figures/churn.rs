//! Autoscalers that come and go: what is asked of Prometheus for those that come.

use std::ops::Range;
use std::thread;

use super::many::{PERIOD, Size, answers, most_queries, paced};
use super::runs::age_s;
use crate::Extent;
use crate::load::{Outcome, Request, Target};
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
    let autoscalers = if extent.is_quick { 1_000 } else { 10_000 };
    let shop = Size::disjoint(autoscalers).shop;
    let scene = Scene::with_rates(shop, PERIOD);
    let adapter = scene.adapter();
    let target = scene.tls.target(adapter.address);
    let crowd = Crowd {
        scene: &scene,
        requests: scene.requests(&target),
        target,
    };
    // As many workloads as have all metrics among them, and all of a namespace.
    let some = crowd.comes_and_goes(shop.metrics / shop.metrics_each);
    let whole = crowd.comes_and_goes(shop.workloads / shop.namespaces);
    let mut rows = Vec::new();
    rows.extend(rows_of(autoscalers, "some of each namespace", &some));
    rows.extend(rows_of(autoscalers, "those of whole namespaces", &whole));
    Figure {
        how: HOW.to_owned(),
        rows,
        machine,
    }
}

/// All autoscalers, of which some are away.
struct Crowd<'a> {
    scene: &'a Scene,
    target: Target,
    requests: Vec<Request>,
}

/// What came of it while they came and went.
struct Churned {
    /// Most queries in any period.
    most_queries: f64,
    outcome: Outcome,
}

impl Crowd<'_> {
    /// The autoscalers of so many workloads, side by side, come and go together.
    fn comes_and_goes(&self, together: usize) -> Churned {
        drop(self.ask(0..AWAY, together));
        thread::scope(|scope| {
            let asking = scope.spawn(|| self.ask(AWAY..AWAY + ROUNDS, together));
            Churned {
                most_queries: most_queries(&self.scene.prometheus, PERIOD * ROUNDS as u32),
                outcome: asking.join().expect("it is laid on to its end"),
            }
        })
    }

    fn ask(&self, rounds: Range<usize>, together: usize) -> Outcome {
        let length = PERIOD * u32::try_from(rounds.len()).unwrap();
        let asked: Vec<Request> = rounds
            .flat_map(|round| self.present(round, together).cloned())
            .collect();
        let rate = asked.len() as f64 / length.as_secs_f64();
        paced(&self.target, &asked, rate, length).run()
    }

    /// What those ask who are there in a round.
    fn present(&self, round: usize, together: usize) -> impl Iterator<Item = &Request> {
        let each = self.scene.shop.metrics_each * together;
        let is_there = move |(number, _): &(usize, &Request)| {
            let part = number / each;
            (part + PARTS - round % PARTS) % PARTS >= AWAY
        };
        self.requests
            .iter()
            .enumerate()
            .filter(is_there)
            .map(|(_, request)| request)
    }
}

const HOW: &str = "\
As with ten thousand autoscalers and disjoint objects, but a tenth of them comes every 15 s and another tenth goes, for a minute each.
By then the adapter has forgotten them; it remembers what it was asked for two periods of an autoscaler.
Once they are spread over all namespaces, and once they are those of a tenth of the namespaces.
";

fn rows_of(autoscalers: usize, whose: &str, churned: &Churned) -> [Row; 2] {
    let Churned {
        most_queries,
        outcome,
    } = churned;
    let load = format!(
        "{} of {autoscalers} HPAs × 2 metrics come and as many go every 15 s, {whose}",
        autoscalers / PARTS
    );
    [
        Row {
            what: format!("most queries in any 15 s while {load}"),
            must: "at most 200".to_owned(),
            measured: Cell::new(&[*most_queries], ""),
            verdict: Verdict::reached_if(*most_queries <= 200.0 && outcome.failed.is_empty()),
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
