//! How long after a step in load the answer changes.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use promql_adapter::model::Quantity;
use serde_json::Value;
use tempfile::TempDir;

use super::runs::age_s;
use crate::Extent;
use crate::load::{self, Target};
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row};
use crate::servers::{Adapter, Prometheus, Stepping, Tls};

/// Seconds from one scrape to the next.
const EMBEDDED_S: [u64; 2] = [1, 5];
const PROMETHEUS_S: u64 = 15;

/// Scrapes in the window of the rate.
const SCRAPES: u64 = 4;

/// Requests a second before the first step; each step doubles them.
const FIRST_RATE: f64 = 10.0;

/// How much of the old value has to be added until it counts as left. So much the autoscaler tolerates by default.
const LEFT_BY: f64 = 0.1;

/// How much of the new value has to be there until it counts as reached.
const REACHED_AT: f64 = 0.9;

/// How near to the new value the answer is when it moves no more; the rest is the time that a scrape takes.
const SETTLED_WITHIN: f64 = 0.02;

/// How often each adapter is asked.
const POLL: Duration = Duration::from_millis(50);

/// How long it may take until all answers have settled: several windows of the slowest.
const PATIENCE: Duration = Duration::from_secs(300);

const PATH: &str = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/%2A/requests_per_second";

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let pod = Stepping::start(FIRST_RATE);
    let tls = Tls::new();
    let mut observers: Vec<Observer> = EMBEDDED_S
        .iter()
        .map(|seconds| Observer::embedded(&pod, &tls, *seconds))
        .collect();
    observers.push(Observer::over_prometheus(&pod, &tls));
    let steps = if extent.is_quick { 1 } else { 2 * extent.runs };
    settle(&mut observers, FIRST_RATE, |_| {});
    observers.iter_mut().for_each(|observer| observer.ages_s.clear());
    let mut rate = FIRST_RATE;
    for step in 0..steps {
        pause(&mut observers, pause_before(step));
        let (old, new) = (rate, 2.0 * rate);
        let began = pod.step_to(new);
        observers.iter_mut().for_each(Observer::begin);
        settle(&mut observers, new, |observer| observer.note(began, old, new));
        rate = new;
    }
    Figure {
        how: how(steps),
        rows: observers.iter().flat_map(Observer::rows).collect(),
        machine,
    }
}

fn how(steps: usize) -> String {
    format!(
        "One pod counts requests, and their rate doubles at a known moment, {steps} times in a row; \
         three adapters have the same rule and read the same page: \
         two scrape it themselves every 1 s and every 5 s, and one asks a Prometheus that scrapes it every \
         {PROMETHEUS_S} s.\n\
         The window of the rate is {SCRAPES} scrapes: {windows} s.\n\
         Over Prometheus nothing else is set, so that answers are shared as always: `freshFor` 10 s, \
         `evaluationGrid` 1 s.\n\
         With an embedded backend they are as fresh as the scrapes, as [the page on backends](concepts/backends.md) \
         has it: `freshFor` is the interval, `evaluationGrid` a fifth of it.\n\
         Each adapter is asked every {poll} ms over TLS for the metric of all pods, also between the steps, and the times are \
         those at which an answer came that had left the old value by {left:.0} % (what an autoscaler tolerates), and \
         one that had reached {reached:.0} % of the new one.\n\
         A step comes when all three have settled on the value before it, after a pause that is another one each time, \
         up to {PROMETHEUS_S} s, so that steps come early and late between two scrapes.\n\
         The autoscaler's own period, 15 s by default, comes on top.\n",
        windows = intervals()
            .map(|seconds| (SCRAPES * seconds).to_string())
            .collect::<Vec<_>>()
            .join(", "),
        poll = POLL.as_millis(),
        left = 100.0 * LEFT_BY,
        reached = 100.0 * REACHED_AT,
    )
}

fn intervals() -> impl Iterator<Item = u64> {
    EMBEDDED_S.into_iter().chain([PROMETHEUS_S])
}

/// An adapter that is asked again and again, and what it was seen to do.
struct Observer {
    /// Where it has its samples from.
    name: String,
    target: Target,
    client: reqwest::Client,
    last: Option<Reading>,
    /// Of every answer.
    ages_s: Vec<f64>,
    /// Of each step, as far as it has come.
    reactions: Vec<Reaction>,
    _adapter: Adapter,
    _prometheus: Option<Prometheus>,
    _directory: TempDir,
}

/// A value, and when it came.
#[derive(Clone, Copy)]
struct Reading {
    at: Instant,
    value: f64,
}

/// Seconds since a step.
#[derive(Clone, Copy, Default)]
struct Reaction {
    left_s: Option<f64>,
    reached_s: Option<f64>,
}

impl Observer {
    fn embedded(pod: &Stepping, tls: &Tls, seconds: u64) -> Observer {
        let settings = format!(
            "backends: {{default: {{embedded: {{scrapeInterval: {seconds}s, targets: [{{url: 'http://{}/metrics'}}]}}}}}}\n\
             freshFor: {seconds}s\nevaluationGrid: {}ms\n",
            pod.address,
            1000 * seconds / 5
        );
        let name = format!("embedded backend, a scrape every {seconds} s");
        Observer::start(name, tempfile::tempdir().unwrap(), None, tls, &settings, seconds)
    }

    fn over_prometheus(pod: &Stepping, tls: &Tls) -> Observer {
        let directory = tempfile::tempdir().unwrap();
        let interval = Duration::from_secs(PROMETHEUS_S);
        let mut prometheus = Prometheus::start(directory.path(), pod.address, interval);
        prometheus.wait_for("requests_total", 1);
        let settings = format!("backends: {{default: {{url: '{}'}}}}\n", prometheus.url);
        let name = format!("Prometheus, a scrape every {PROMETHEUS_S} s");
        Observer::start(name, directory, Some(prometheus), tls, &settings, PROMETHEUS_S)
    }

    fn start(
        name: String,
        directory: TempDir,
        prometheus: Option<Prometheus>,
        tls: &Tls,
        settings: &str,
        seconds: u64,
    ) -> Observer {
        let path = directory.path();
        let window = SCRAPES * seconds;
        let rule = format!(
            "rules:\n  - {{metric: requests_per_second, objects: {{namespace: namespace, pods: pod}}, \
             rate: {{counter: requests_total, window: {window}s}}}}\n"
        );
        fs::write(path.join("config.yaml"), settings.to_owned() + &rule).unwrap();
        let objects = "objects:\n  - {resource: pods, namespace: shop, name: cart-0}\n";
        fs::write(path.join("objects.yaml"), objects).unwrap();
        tls.write(path);
        let adapter = Adapter::start_alone_as_configured(path);
        let target = tls.target(adapter.address);
        Observer {
            name,
            client: target.client(),
            target,
            last: None,
            ages_s: Vec::new(),
            reactions: Vec::new(),
            _adapter: adapter,
            _prometheus: prometheus,
            _directory: directory,
        }
    }

    /// Asks once. There is no value before the first window is full; afterwards there always is one.
    fn ask(&mut self) {
        match self.target.try_json(&self.client, PATH) {
            Ok(body) => {
                let at = Instant::now();
                let value = value(&body);
                self.last = value.map(|value| Reading { at, value });
                self.ages_s.extend(load::age_s(&body));
            }
            Err(error) => assert!(self.last.is_none(), "{}: {error}", self.name),
        }
    }

    fn has_settled(&self, rate: f64) -> bool {
        self.last
            .is_some_and(|reading| (reading.value / rate - 1.0).abs() < SETTLED_WITHIN)
    }

    /// A step was made.
    fn begin(&mut self) {
        self.reactions.push(Reaction::default());
    }

    /// Notes what the last answer is the first to show.
    fn note(&mut self, began: Instant, old: f64, new: f64) {
        let reaction = self.reactions.last_mut().expect("a step was made");
        let Some(Reading { at, value }) = self.last else {
            return;
        };
        let elapsed_s = at.saturating_duration_since(began).as_secs_f64();
        if value >= old * (1.0 + LEFT_BY) {
            reaction.left_s.get_or_insert(elapsed_s);
        }
        if value >= new * REACHED_AT {
            reaction.reached_s.get_or_insert(elapsed_s);
        }
    }

    fn rows(&self) -> Vec<Row> {
        let seconds = |time: fn(&Reaction) -> Option<f64>| -> Vec<f64> {
            let times = self.reactions.iter().map(time);
            times.map(|time| time.expect("it has settled")).collect()
        };
        let row = |until: &str, times: &[f64]| Row {
            what: format!("{}: from a step in load until {until}", self.name),
            measured: Cell::new(times, "s"),
            age_s: age_s(&self.ages_s),
            ..Row::told()
        };
        vec![
            row(
                "the answer has left the old value by 10 %",
                &seconds(|it| it.left_s),
            ),
            row("it has reached 90 % of the new one", &seconds(|it| it.reached_s)),
        ]
    }
}

/// The value of the only pod; `None` while it has none.
fn value(body: &[u8]) -> Option<f64> {
    let list: Value = serde_json::from_slice(body).unwrap();
    let value = list.pointer("/items/0/value")?.as_str()?;
    Some(value.parse::<Quantity>().unwrap().milli() as f64 / 1000.0)
}

/// Asks all until each has settled, and shows each after every answer.
fn settle(observers: &mut [Observer], rate: f64, mut show: impl FnMut(&mut Observer)) {
    let deadline = Instant::now() + PATIENCE;
    while !observers.iter().all(|observer| observer.has_settled(rate)) {
        assert!(Instant::now() < deadline, "answers never settled at {rate}");
        ask_all(observers, &mut show);
    }
}

/// Asks all for so long.
fn pause(observers: &mut [Observer], length: Duration) {
    let end = Instant::now() + length;
    while Instant::now() < end {
        ask_all(observers, &mut |_| {});
    }
}

/// Asks all once, one after the other, and waits until they are to be asked again.
fn ask_all(observers: &mut [Observer], show: &mut impl FnMut(&mut Observer)) {
    let next = Instant::now() + POLL;
    for observer in observers {
        observer.ask();
        show(observer);
    }
    thread::sleep(next.saturating_duration_since(Instant::now()));
}

/// Another part of the longest interval before each step: multiples of the golden ratio fill all of them evenly.
fn pause_before(step: usize) -> Duration {
    const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;
    Duration::from_secs(PROMETHEUS_S).mul_f64((step as f64 * GOLDEN_RATIO).fract())
}
