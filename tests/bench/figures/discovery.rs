//! One look for the series of a rule.

use std::thread;
use std::time::Duration;

use crate::Extent;
use crate::machine::Machine;
use crate::process::Process;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::Spread;
use crate::scene::Scene;
use crate::servers::{Adapter, ControlPlane, Peer, peer};
use crate::shop::{Shop, upstream_rule};

/// How many there are to be found.
pub(super) const SERIES: usize = 50_000;

/// How often Prometheus scrapes. Rules are looked for every 15 s and as far back, so that there always is a sample.
pub(super) const SCRAPED: Duration = Duration::from_secs(10);

/// How long a run is: two looks, three scrapes.
const RUN: Duration = Duration::from_secs(30);

/// Runs of each program and rule at most: twelve of them take six minutes.
const RUNS: usize = 3;

/// Of each program so many look at a time: scraping differs from run to run by more than one look takes.
const PROGRAMS: usize = 10;

/// Series by name.
///
/// Without matchers for the labels: `{namespace!="",pod!=""}` would say all there is to find, and the adapter never look.
const NAME: &str = "requests_00_total";

/// Series by a pattern.
const PATTERN: &str = "{__name__=~\"^requests_.*_total$\",namespace!=\"\",pod!=\"\"}";

/// A configuration with a rule that names its series, looked for every 15 s.
pub(super) fn by_name() -> String {
    configuration(NAME)
}

/// The same with a pattern.
pub(super) fn by_pattern() -> String {
    configuration(PATTERN)
}

fn configuration(series_query: &str) -> String {
    format!(
        "metricsRelistInterval: 15s\nrules:\n{}",
        upstream_rule(series_query)
    )
}

/// So many series of one metric.
pub(super) fn shop(series: usize) -> Shop {
    Shop {
        namespaces: 200.min(series / 10),
        workloads: series / 10,
        pods: 10,
        metrics: 1,
        metrics_each: 1,
    }
}

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let series = Series::set(SERIES);
    let runs = extent.runs.min(RUNS);
    let by_name = Looks {
        adapter: series.looks(&by_name(), runs),
        peer: series.looks_of_peer(NAME, runs),
    };
    let by_pattern = Looks {
        adapter: series.looks(&by_pattern(), runs),
        peer: series.looks_of_peer(PATTERN, runs),
    };
    let mut rows = by_name.rows("by name", Some(1.0 / 20.0));
    rows.extend(by_pattern.rows("by a pattern", None));
    Figure {
        how: HOW.to_owned(),
        rows,
        machine,
    }
}

const HOW: &str = "\
Prometheus has 50,000 series of one metric; what it takes to scrape them every 10 s is measured before and taken off.
Ten of each program run at a time, with a rule of prometheus-adapter's form that looks for them every 15 s; what they take is divided by the looks that Prometheus counts.
The rule by name gives no matchers; with `{namespace!=\"\",pod!=\"\"}` the adapter has nothing to look for and asks nothing.
Bytes are those on the wire, as Prometheus counts them (`prometheus_http_response_size_bytes`), compressed if the client lets it.
";

/// What one look takes, run by run.
#[derive(Default)]
pub(super) struct Look {
    pub(super) bytes: Vec<f64>,
    program_cpu_ms: Vec<f64>,
    prometheus_cpu_ms: Vec<f64>,
}

/// What there is to be found.
pub(super) struct Series {
    scene: Scene,
    /// What Prometheus takes in a run while nobody asks.
    idle: Duration,
}

impl Series {
    /// So many.
    pub(super) fn set(series: usize) -> Series {
        let scene = Scene::set(shop(series), SCRAPED);
        scene.empty();
        let idle = scene.prometheus.idle_cpu(RUN, 2);
        Series { scene, idle }
    }

    pub(super) fn looks(&self, config: &str, runs: usize) -> Look {
        self.scene.configure(config);
        let adapters: Vec<Adapter> = (0..PROGRAMS).map(|_| self.scene.adapter()).collect();
        let programs: Vec<&Process> = adapters.iter().map(|adapter| &adapter.process).collect();
        self.looks_of(&programs, runs)
    }

    /// The peer needs a control plane, though it asks nothing of it here.
    fn looks_of_peer(&self, series_query: &str, runs: usize) -> Option<Look> {
        if !peer::is_given() {
            return None;
        }
        let control_plane = ControlPlane::start();
        let config = format!("rules:\n{}", upstream_rule(series_query));
        let Scene { prometheus, .. } = &self.scene;
        let start = |_| Peer::start(self.scene.path(), &config, &prometheus.url, &control_plane);
        let peers: Vec<Peer> = (0..PROGRAMS).map(start).collect::<Option<_>>()?;
        let programs: Vec<&Process> = peers.iter().map(|peer| &peer.process).collect();
        Some(self.looks_of(&programs, runs))
    }

    fn looks_of(&self, programs: &[&Process], runs: usize) -> Look {
        // The first looks find connections and memory still to be made.
        thread::sleep(Duration::from_secs(3));
        let mut look = Look::default();
        for _ in 0..runs {
            let before = Reading::of(&self.scene, programs);
            thread::sleep(RUN);
            let now = Reading::of(&self.scene, programs);
            let looks = now.looks - before.looks;
            let ms =
                |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64() * 1000.0 / looks;
            look.bytes.push((now.bytes - before.bytes) / looks);
            look.program_cpu_ms.push(ms(now.program, before.program));
            let prometheus = now.prometheus.saturating_sub(self.idle);
            look.prometheus_cpu_ms.push(ms(prometheus, before.prometheus));
        }
        look
    }
}

/// What was taken since the start.
struct Reading {
    looks: f64,
    bytes: f64,
    /// Of all programs.
    program: Duration,
    prometheus: Duration,
}

impl Reading {
    fn of(scene: &Scene, programs: &[&Process]) -> Reading {
        let of_both = |name: &str| {
            let handlers = ["/api/v1/series", "/api/v1/labels"];
            let counters = handlers.map(|handler| {
                let label = format!("handler=\"{handler}\"");
                scene.prometheus.counter(name, &label)
            });
            counters.iter().sum()
        };
        Reading {
            looks: of_both("prometheus_http_requests_total"),
            bytes: of_both("prometheus_http_response_size_bytes_sum"),
            program: programs.iter().map(|program| program.cpu()).sum(),
            prometheus: scene.prometheus.process.cpu(),
        }
    }
}

/// What looks for the same take both programs.
struct Looks {
    adapter: Look,
    /// `None` if it is not given.
    peer: Option<Look>,
}

impl Looks {
    /// `part` is what must be reached of the peer.
    fn rows(&self, way: &str, part: Option<f64>) -> Vec<Row> {
        let bytes = |look: &Look| look.bytes.clone();
        vec![
            self.row(
                &format!("bytes of one discovery of 50,000 series {way}"),
                part,
                "bytes",
                bytes,
            ),
            self.row(
                &format!("CPU of one discovery of 50,000 series {way}, Prometheus' share included"),
                part,
                "ms",
                Look::cpu_ms,
            ),
        ]
    }

    fn row(&self, what: &str, part: Option<f64>, unit: &str, runs: impl Fn(&Look) -> Vec<f64>) -> Row {
        let measured = Spread::of(&runs(&self.adapter));
        let peer = self.peer.as_ref().map(|peer| Spread::of(&runs(peer)));
        Row {
            what: what.to_owned(),
            must: part.map_or(String::new(), |part| {
                format!("at most 1/{:.0} of the peer's", 1.0 / part)
            }),
            measured: Cell::of(measured, unit),
            peer: peer.map_or(Cell::NotGiven, |peer| Cell::of(peer, unit)),
            verdict: match (part, peer) {
                (None, _) => Verdict::Told,
                (Some(_), None) => Verdict::Open,
                (Some(part), Some(peer)) => Verdict::reached_if(measured.median <= part * peer.median),
            },
            ..Row::told()
        }
    }
}

impl Look {
    /// Of both ends.
    pub(super) fn cpu_ms(&self) -> Vec<f64> {
        let both = self.program_cpu_ms.iter().zip(&self.prometheus_cpu_ms);
        both.map(|(program, prometheus)| program + prometheus).collect()
    }
}
