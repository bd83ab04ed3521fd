//! What the window keeps, for how long, and in how much memory.

use std::process::Command;
use std::time::{Duration, Instant};

use promql_adapter::embedded::{Demand, Evaluated, Full, Options, Scraped, Window, evaluate};
use promql_adapter::model::{Labels, Timestamp};
use promql_adapter::promql::Expression;
use proptest::prelude::*;

use crate::evaluation::recorded::pairs;

/// Seconds from one scrape to the next.
const INTERVAL: i64 = 15;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn labels(name: &str, pod: &str) -> Labels {
    [("__name__", name), ("pod", pod)].into_iter().collect()
}

fn query(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

/// What these queries read, evaluated no later than one interval after a scrape.
fn demand(queries: &[&str]) -> Demand {
    let queries: Vec<Expression> = queries.iter().map(|text| query(text)).collect();
    Demand::of(
        &queries,
        Options::default().lookback,
        Duration::from_secs(INTERVAL as u64),
    )
}

fn window(queries: &[&str]) -> Window {
    Window::new(demand(queries), usize::MAX)
}

/// Scrapes a target that exposes these series with these values.
fn scrape(window: &mut Window, target: &str, seconds: i64, exposed: &[(&Labels, f64)]) {
    try_scrape(window, target, seconds, exposed).unwrap();
}

fn try_scrape(
    window: &mut Window,
    target: &str,
    seconds: i64,
    exposed: &[(&Labels, f64)],
) -> Result<(), Full> {
    let exposed: Vec<_> = exposed
        .iter()
        .map(|(labels, value)| (pairs(labels), *value))
        .collect();
    let samples: Vec<Scraped> = exposed
        .iter()
        .map(|(labels, value)| sample(labels, *value))
        .collect();
    window.append(target, at(seconds), &samples)
}

fn sample<'a>(labels: &'a [(&'a str, &'a str)], value: f64) -> Scraped<'a> {
    Scraped {
        labels,
        value,
        at: None,
    }
}

/// The samples of a query as `{labels} value`, by label.
fn ask(window: &Window, text: &str, seconds: i64) -> String {
    let Evaluated::Vector(samples) = evaluate(&query(text), window, at(seconds), Options::default()).unwrap()
    else {
        panic!("`{text}` gives no samples");
    };
    let mut lines: Vec<String> = samples
        .iter()
        .map(|sample| format!("{} {}", sample.labels, sample.value))
        .collect();
    lines.sort();
    lines.join("; ")
}

#[test]
fn a_series_ends_when_its_target_exposes_it_no_more_and_can_come_back() {
    let (up, queue) = (labels("up", "a"), labels("queue", "a"));
    let mut window = window(&["up", "queue", "count_over_time(queue[5m])"]);
    scrape(&mut window, "a", 0, &[(&up, 1.0), (&queue, 7.0)]);
    scrape(&mut window, "a", 15, &[(&up, 1.0)]);
    assert_eq!(ask(&window, "queue", 14), r#"{__name__="queue",pod="a"} 7"#);
    assert_eq!(ask(&window, "queue", 15), "");
    assert_eq!(ask(&window, "up", 15), r#"{__name__="up",pod="a"} 1"#);

    scrape(&mut window, "a", 30, &[(&up, 1.0)]);
    scrape(&mut window, "a", 45, &[(&up, 1.0), (&queue, 8.0)]);
    assert_eq!(ask(&window, "queue", 45), r#"{__name__="queue",pod="a"} 8"#);
    assert_eq!(ask(&window, "count_over_time(queue[5m])", 45), r#"{pod="a"} 2"#);
}

#[test]
fn a_scrape_without_samples_ends_every_series_of_its_target_and_no_other() {
    let (a, b) = (labels("queue", "a"), labels("queue", "b"));
    let mut window = window(&["queue"]);
    scrape(&mut window, "a", 0, &[(&a, 1.0)]);
    scrape(&mut window, "b", 0, &[(&b, 2.0)]);
    scrape(&mut window, "a", 15, &[]);
    assert_eq!(ask(&window, "queue", 15), r#"{__name__="queue",pod="b"} 2"#);
}

#[test]
fn a_series_that_no_query_reads_is_not_kept() {
    let (read, unread) = (labels("queue", "a"), labels("queue", "b"));
    let mut window = window(&[r#"sum(queue{pod="a"})"#]);
    scrape(
        &mut window,
        "a",
        0,
        &[(&read, 1.0), (&unread, 2.0), (&labels("other", "a"), 3.0)],
    );
    assert_eq!(window.series(), 1);
    assert_eq!(ask(&window, "queue", 0), r#"{__name__="queue",pod="a"} 1"#);
}

#[test]
fn a_sample_is_kept_as_long_as_the_query_that_looks_back_farthest() {
    let (short, long) = (labels("short", "a"), labels("long", "a"));
    let mut window = window(&["rate(short[1m])", "rate(long[1m])", "max_over_time(long[10m])"]);
    for seconds in (0..=600).step_by(15) {
        scrape(
            &mut window,
            "a",
            seconds,
            &[(&short, seconds as f64), (&long, seconds as f64)],
        );
        window.forget(at(seconds));
    }
    // The range, and one interval more.
    assert_eq!(ask(&window, "count_over_time(short[1h])", 600), r#"{pod="a"} 5"#);
    assert_eq!(ask(&window, "count_over_time(long[1h])", 600), r#"{pod="a"} 41"#);
}

#[test]
fn what_has_ended_is_forgotten_with_its_labels() {
    let mut window = window(&["queue"]);
    let before = window.size_bytes();
    for pod in 0..100 {
        scrape(
            &mut window,
            &format!("{pod}"),
            0,
            &[(&labels("queue", &format!("pod-{pod}")), 1.0)],
        );
    }
    assert_eq!(window.series(), 100);
    window.forget(at(600));
    assert_eq!(window.series(), 0);
    assert!(
        window.size_bytes() <= before + 1024,
        "{} bytes are left",
        window.size_bytes()
    );
}

#[test]
fn new_rules_drop_what_they_do_not_read_and_keep_the_rest() {
    let (queue, load) = (labels("queue", "a"), labels("load", "a"));
    let mut window = window(&["queue", "load"]);
    scrape(&mut window, "a", 0, &[(&queue, 1.0), (&load, 2.0)]);
    window.set_demand(demand(&["load"]));
    assert_eq!(window.series(), 1);
    assert_eq!(ask(&window, "load", 0), r#"{__name__="load",pod="a"} 2"#);
}

#[test]
fn a_scrape_whose_new_series_do_not_fit_is_refused_whole_and_known_series_go_on() {
    let known = labels("queue", "known");
    let mut window = Window::new(demand(&["queue"]), 4096);
    scrape(&mut window, "a", 0, &[(&known, 1.0)]);
    let new: Vec<Labels> = (0..100)
        .map(|pod| labels("queue", &format!("pod-{pod}")))
        .collect();
    let all: Vec<(&Labels, f64)> = [&known]
        .into_iter()
        .chain(&new)
        .map(|labels| (labels, 2.0))
        .collect();
    let refused = try_scrape(&mut window, "a", 15, &all).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the 100 new series of `a` do not fit the memory limit of 4096 bytes; \
         let the rules read fewer series, or raise the limit"
    );
    assert_eq!(ask(&window, "queue", 15), r#"{__name__="queue",pod="known"} 1"#);
    scrape(&mut window, "a", 30, &[(&known, 3.0)]);
    assert_eq!(ask(&window, "queue", 30), r#"{__name__="queue",pod="known"} 3"#);
}

#[test]
fn a_time_that_the_target_gave_counts_and_such_a_series_does_not_end() {
    let cpu = labels("cpu", "a");
    let mut window = window(&["cpu", "count_over_time(cpu[5m])"]);
    let of_cpu = pairs(&cpu);
    let given = |seconds: i64, value: f64| Scraped {
        at: Some(at(seconds)),
        ..sample(&of_cpu, value)
    };
    window.append("a", at(30), &[given(20, 1.0)]).unwrap();
    window.append("a", at(45), &[given(20, 9.0)]).unwrap();
    window.append("a", at(60), &[given(50, 2.0)]).unwrap();
    window.append("a", at(75), &[]).unwrap();
    assert_eq!(ask(&window, "cpu", 45), r#"{__name__="cpu",pod="a"} 1"#);
    assert_eq!(ask(&window, "timestamp(cpu)", 75), r#"{pod="a"} 50"#);
    assert_eq!(ask(&window, "count_over_time(cpu[5m])", 75), r#"{pod="a"} 2"#);
}

#[test]
fn a_scrape_that_is_not_newer_is_dropped() {
    let queue = labels("queue", "a");
    let mut window = window(&["queue"]);
    scrape(&mut window, "a", 30, &[(&queue, 1.0)]);
    scrape(&mut window, "a", 30, &[(&queue, 2.0)]);
    scrape(&mut window, "a", 15, &[]);
    assert_eq!(ask(&window, "queue", 30), r#"{__name__="queue",pod="a"} 1"#);
}

#[test]
fn when_the_clock_is_set_back_a_target_begins_anew() {
    let queue = labels("queue", "a");
    let mut window = window(&["queue", "count_over_time(queue[5m])"]);
    scrape(&mut window, "a", 7200, &[(&queue, 1.0)]);
    scrape(&mut window, "a", 3600, &[(&queue, 2.0)]);
    scrape(&mut window, "a", 3615, &[(&queue, 3.0)]);
    assert_eq!(ask(&window, "queue", 3615), r#"{__name__="queue",pod="a"} 3"#);
    assert_eq!(ask(&window, "count_over_time(queue[5m])", 3615), r#"{pod="a"} 2"#);
    assert_eq!(ask(&window, "queue", 7200), "");
}

#[test]
fn no_exposed_value_is_mistaken_for_the_end_of_its_series() {
    let queue = labels("queue", "a");
    let mut window = window(&["queue"]);
    for (position, bits) in [0x7ff0_0000_0000_0002, 0x7ff0_0000_0000_0003]
        .into_iter()
        .enumerate()
    {
        let seconds = position as i64 * INTERVAL;
        scrape(&mut window, "a", seconds, &[(&queue, f64::from_bits(bits))]);
        assert_eq!(
            ask(&window, "queue", seconds),
            r#"{__name__="queue",pod="a"} NaN"#
        );
    }
}

#[test]
fn a_label_with_an_empty_value_is_none() {
    let with: Labels = [("__name__", "queue"), ("pod", "a"), ("zone", "")]
        .into_iter()
        .collect();
    let mut window = window(&["queue", "count_over_time(queue[5m])"]);
    scrape(&mut window, "a", 0, &[(&with, 1.0)]);
    scrape(&mut window, "a", 15, &[(&labels("queue", "a"), 2.0)]);
    assert_eq!(ask(&window, "count_over_time(queue[5m])", 15), r#"{pod="a"} 2"#);
}

proptest! {
    /// Three series of one target, each exposed or not at each scrape; forgetting what is too old changes no answer.
    #[test]
    fn series_that_share_the_times_of_their_target_are_as_if_alone(
        scrapes in prop::collection::vec((prop::collection::vec(any::<bool>(), 3), 1..40_i64), 1..60),
        late in 0..INTERVAL,
    ) {
        const QUERIES: [&str; 5] = [
            "x",
            "timestamp(x offset 20s)",
            "sum_over_time(x[1m])",
            "count_over_time(x[3m] offset 45s)",
            "last_over_time((x)[2m:10s])",
        ];
        let series: Vec<Labels> = ["a", "b", "c"].iter().map(|pod| labels("x", pod)).collect();
        let (mut together, mut apart) = (window(&QUERIES), window(&QUERIES));
        let mut now = 0;
        for (position, (exposed, pause)) in scrapes.iter().enumerate() {
            now += pause;
            let value = position as f64;
            let present: Vec<_> = series.iter().zip(exposed).filter(|(_, is)| **is).map(|(labels, _)| (labels, value)).collect();
            scrape(&mut together, "all", now, &present);
            together.forget(at(now));
            for (labels, is) in series.iter().zip(exposed) {
                let alone: &[_] = if *is { &[(labels, value)] } else { &[] };
                scrape(&mut apart, &labels.to_string(), now, alone);
            }
            for query in QUERIES {
                prop_assert_eq!(ask(&together, query, now + late), ask(&apart, query, now + late), "{}", query);
            }
        }
    }
}

/// Set for the process that measures itself.
const MEASURED: &str = "WINDOW_MEASURED";

/// 1,000 pods with 60 series each, and 20 samples of each series, in less than 60 MiB.
///
/// Measured in a process of its own, where no other test takes memory.
#[test]
fn window_of_a_thousand_pods_takes_less_than_60_mib() {
    if std::env::var_os(MEASURED).is_some() {
        println!("{}", measured());
        return;
    }
    let name = "window::window_of_a_thousand_pods_takes_less_than_60_mib";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(MEASURED, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let numbers = told
        .lines()
        .find_map(|line| line.strip_prefix("window: "))
        .unwrap_or_else(|| panic!("{told}"));
    println!("{numbers}");
    let bytes = |what: &str| -> usize {
        let at = numbers.find(what).unwrap() + what.len();
        numbers[at..].split_whitespace().next().unwrap().parse().unwrap()
    };
    let (resident, counted) = (bytes("resident "), bytes("counted "));
    assert!(resident < 60 << 20, "{numbers}");
    // The limit is kept by what is counted, so that it must not say less than there is.
    assert!(
        counted > resident * 3 / 4 && counted < resident * 3 / 2,
        "{numbers}"
    );
}

fn measured() -> String {
    let mut window = window(&[r#"{__name__=~"metric_.*"}"#]);
    let targets: Vec<Vec<Labels>> = (0..1000).map(exposed_by).collect();
    let before = resident_bytes();
    let started = Instant::now();
    for round in 0..25 {
        for (pod, series) in targets.iter().enumerate() {
            let value = |position| (round * (position + pod)) as f64 / 7.0;
            let exposed: Vec<(&Labels, f64)> = series
                .iter()
                .enumerate()
                .map(|(position, labels)| (labels, value(position)))
                .collect();
            scrape(
                &mut window,
                &format!("shop/pod-{pod}"),
                round as i64 * INTERVAL,
                &exposed,
            );
        }
        window.forget(at(round as i64 * INTERVAL));
    }
    let appended = started.elapsed().as_secs_f64() * 1e9 / (25 * 60_000) as f64;
    let resident = resident_bytes() - before;
    let samples = ask(
        &window,
        "avg(count_over_time(metric_0_seconds_bucket[5m]))",
        24 * INTERVAL,
    );
    format!(
        "\nwindow: {} series of {} samples: resident {resident} counted {} bytes; {appended:.0} ns to append one",
        window.series(),
        samples.trim_start_matches("{} "),
        window.size_bytes()
    )
}

/// 60 series of a pod: 5 metrics of 12 series, with the labels that a cluster gives them.
fn exposed_by(pod: usize) -> Vec<Labels> {
    let series = (0..60).map(|series| {
        let texts = [
            ("__name__", format!("metric_{}_seconds_bucket", series / 12)),
            ("container", "app".to_owned()),
            ("instance", format!("10.1.{}.{}:8080", pod / 250, pod % 250)),
            ("job", "shop/cart".to_owned()),
            ("le", format!("{}", 0.005 * f64::from(1 << (series % 12)))),
            ("method", "GET".to_owned()),
            ("namespace", "shop".to_owned()),
            ("pod", format!("cart-6d4cf56db6-{pod:05}")),
        ];
        texts.into_iter().collect()
    });
    series.collect()
}

/// Memory of this process that is in use.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident: usize = pages.split_whitespace().nth(1).unwrap().parse().unwrap();
    resident * 4096
}
