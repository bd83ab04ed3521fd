//! What an embedded backend takes for its scrapes.

use std::thread;
use std::time::{Duration, Instant};

use crate::Extent;
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::Spread;
use crate::servers::pods::{Pods, READ, UNREAD};
use crate::servers::scraper::Scraper;

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let directory = tempfile::tempdir().unwrap();
    let pods = Pods::start(directory.path());
    let mut rows = Vec::new();
    for (count, seconds, most_processors, most_mib) in [(1000, 1, 0.5, 120.0), (5000, 15, 0.25, 250.0)] {
        let interval = Duration::from_secs(seconds);
        let (mut processors, mut resident) = (Vec::new(), Vec::new());
        for _ in 0..extent.runs.min(3) {
            let scraper = Scraper::start(directory.path(), &pods, count, interval);
            let measured = run(&scraper, count, interval, extent.length.max(2 * interval));
            processors.push(measured.0);
            resident.push(measured.1);
        }
        let what = format!("scraping {count} pods every {seconds} s");
        rows.push(row(
            &format!("processors for {what}"),
            "",
            most_processors,
            &processors,
        ));
        rows.push(row(
            &format!("resident memory while {what}"),
            "MiB",
            most_mib,
            &resident,
        ));
    }
    Figure {
        how: how(),
        rows,
        machine,
    }
}

fn how() -> String {
    format!(
        "Each pod exposes {} series, of which {READ} are read by `sum by (pod) (rate(…[1m]))`; all pods are one process \
         that answers at once.\n\
         A process with an embedded backend and nothing else scrapes them for some intervals unmeasured; \
         then its processor time is counted, and in the end its memory.\n\
         A run in which a scrape fails does not count.\n",
        READ + UNREAD
    )
}

/// How many processors are busy, and how many MiB are resident.
fn run(scraper: &Scraper, pods: usize, interval: Duration, length: Duration) -> (f64, f64) {
    // The window is as full as it gets when it holds a minute and two intervals.
    thread::sleep(Duration::from_secs(65) + 2 * interval);
    let (before, began) = (scraper.process.cpu(), Instant::now());
    let (good_before, _) = scraper.scrapes();
    thread::sleep(length);
    let took = began.elapsed();
    let busy = (scraper.process.cpu() - before).as_secs_f64() / took.as_secs_f64();
    let (good, bad) = scraper.scrapes();
    assert_eq!(bad, 0.0, "scrapes failed:\n{}", scraper.process.log());
    let due = pods as f64 * took.as_secs_f64() / interval.as_secs_f64();
    assert!(
        good - good_before > 0.9 * due - pods as f64,
        "{} of {due} scrapes were made",
        good - good_before
    );
    (busy, scraper.process.resident_mib())
}

fn row(what: &str, unit: &str, most: f64, runs: &[f64]) -> Row {
    let spread = Spread::of(runs);
    Row {
        what: what.to_owned(),
        must: format!("at most {most} {unit}").trim_end().to_owned(),
        measured: Cell::of(spread, unit),
        verdict: Verdict::reached_if(spread.median <= most),
        ..Row::told()
    }
}
