//! The report: what was measured, kept as JSON for each figure and written as one page.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::samples::Spread;

/// What one figure came to.
#[derive(Serialize, Deserialize)]
pub(crate) struct Figure {
    /// How it was measured, in markdown.
    pub(crate) how: String,
    pub(crate) rows: Vec<Row>,
    /// Where and when.
    pub(crate) machine: Machine,
}

/// One line of the table.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    /// What must be reached, in words; empty where the figure is only told.
    pub(crate) must: String,
    pub(crate) measured: Cell,
    pub(crate) floor: Cell,
    pub(crate) peer: Cell,
    pub(crate) verdict: Verdict,
    /// Age of the evaluations served, p50 and p99 in seconds.
    pub(crate) age_s: Option<(f64, f64)>,
}

impl Row {
    /// One that is only told; what and how much stay to be given.
    pub(crate) fn told() -> Row {
        Row {
            what: String::new(),
            must: String::new(),
            measured: Cell::Nothing,
            floor: Cell::Nothing,
            peer: Cell::Nothing,
            verdict: Verdict::Told,
            age_s: None,
        }
    }
}

/// What stands for one program in a line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) enum Cell {
    /// There is no such thing.
    #[default]
    Nothing,
    /// The program was not given.
    NotGiven,
    Measured {
        spread: Spread,
        unit: String,
    },
}

/// Whether a figure is what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    Reached,
    NotReached,
    /// Nothing is to be reached.
    Told,
    /// It would need the peer.
    Open,
}

impl Cell {
    pub(crate) fn new(runs: &[f64], unit: &str) -> Cell {
        Cell::of(Spread::of(runs), unit)
    }

    pub(crate) fn of(spread: Spread, unit: &str) -> Cell {
        Cell::Measured {
            spread,
            unit: unit.to_owned(),
        }
    }

    fn text(&self) -> String {
        match self {
            Cell::Nothing => "–".to_owned(),
            Cell::NotGiven => "not given".to_owned(),
            Cell::Measured { spread, unit } => {
                let Spread {
                    median,
                    least,
                    most,
                    runs,
                    ..
                } = *spread;
                let median = number(median);
                let value = format!("{median} {unit}").trim_end().to_owned();
                match runs {
                    1 => value,
                    _ => format!("{value} [{}–{}]", number(least), number(most)),
                }
            }
        }
    }
}

impl Verdict {
    pub(crate) fn reached_if(reached: bool) -> Verdict {
        if reached {
            Verdict::Reached
        } else {
            Verdict::NotReached
        }
    }

    fn text(self) -> &'static str {
        match self {
            Verdict::Reached => "reached",
            Verdict::NotReached => "**not reached**",
            Verdict::Told => "",
            Verdict::Open => "open: peer not given",
        }
    }
}

/// Three digits that count.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    let decimals = match size {
        // What is left of numbers that cancel each other out.
        size if size < 1e-6 => return "0".to_owned(),
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size => (2 - size.log10().floor() as i32).clamp(0, 6) as usize,
    };
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        None if text.len() > 4 => with_separators(&text),
        _ => text,
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn with_separators(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digit.is_ascii_digit() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Where figures are kept between runs. Those of the page are committed with it, or who measures one would lose the others.
pub(crate) struct Results(pub(crate) PathBuf);

impl Results {
    pub(crate) fn keep(&self, name: &str, figure: &Figure) {
        fs::create_dir_all(&self.0).unwrap();
        let text = serde_json::to_string_pretty(figure).unwrap();
        fs::write(self.0.join(format!("{name}.json")), text).unwrap();
    }

    /// `None` if it was never measured, or by a program that wrote another form.
    pub(crate) fn recall(&self, name: &str) -> Option<Figure> {
        let text = fs::read_to_string(self.0.join(format!("{name}.json"))).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// Writes the page: a table and the way of each figure, in this order.
pub(crate) fn write(page: &Path, figures: &[(&str, &str, Option<Figure>)]) {
    let mut text = INTRODUCTION.to_owned();
    text += "\n## The figures\n\n";
    text += "| what | must reach | measured | static handler | peer | verdict | age served, p50 / p99 |\n";
    text += "|---|---|---|---|---|---|---|\n";
    for (_, title, figure) in figures {
        match figure {
            None => writeln!(text, "| {title} | | not measured yet | | | | |").unwrap(),
            Some(figure) => figure.rows.iter().for_each(|row| text += &line(row)),
        }
    }
    text += "\n## How each was measured\n";
    for (name, title, figure) in figures {
        let Some(figure) = figure else { continue };
        let machine = figure.machine.text();
        write!(
            text,
            "\n### {title}\n\n{}\nBy `tests/bench/run {name}`, {machine}.\n",
            figure.how
        )
        .unwrap();
    }
    fs::write(page, text).unwrap();
}

fn line(row: &Row) -> String {
    let age = row.age_s.map_or("–".to_owned(), |(p50, p99)| {
        format!("{} / {} s", number(p50), number(p99))
    });
    let cells = [
        row.what.clone(),
        row.must.clone(),
        row.measured.text(),
        row.floor.text(),
        row.peer.text(),
        row.verdict.text().to_owned(),
        age,
    ];
    format!("| {} |\n", cells.join(" | "))
}

const INTRODUCTION: &str = "\
<!-- Written by tests/bench/run; what it says is in tests/bench/. -->

# Performance

What the adapter takes of the machine, of Prometheus and of kube-apiserver, measured.

```
tests/bench/run                     measure everything and write this page
tests/bench/run warm memory         measure these figures; the others stay as they were last measured
tests/bench/run --quick warm        try a figure with short runs, into target/bench/performance.md
tests/bench/run --minutes=60 soak   the long load, for longer than 20 minutes
```

It builds what it needs, and takes the real programs from Debian packages and the control plane from `tests/cluster`, as the tests do.
The peer is prometheus-adapter: `PEER_PROMETHEUS_ADAPTER=PATH` names its program, and without it the column says so.
The floor is a static handler of the same HTTP library that serves the same bytes over the same TLS with as many threads.
Figures are medians of several runs with the least and the greatest in brackets; what is not reached is shown as not reached.
The age is that of the evaluation whose values were served, when they were served; nothing is won by serving older data than `freshFor` allows, 10 s.
Kubernetes writes that time in whole seconds, so that up to one second of the age is rounding.
";
