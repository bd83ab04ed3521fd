//! Numbers from many samples.

use serde::{Deserialize, Serialize};

/// What several runs gave: the middle one and the outermost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) runs: usize,
}

impl Spread {
    /// Of at least one run.
    pub(crate) fn of(runs: &[f64]) -> Spread {
        let runs = sorted(runs);
        Spread {
            median: at(&runs, 0.5),
            least: runs[0],
            most: runs[runs.len() - 1],
            runs: runs.len(),
        }
    }

    /// Of the ratios of two things that were measured in the same runs.
    pub(crate) fn of_ratios(over: &[f64], under: &[f64]) -> Spread {
        let ratios: Vec<f64> = over.iter().zip(under).map(|(over, under)| over / under).collect();
        Spread::of(&ratios)
    }
}

/// The value that such a part of the samples does not exceed; of an even number of samples the median is between two.
/// NaN without samples.
pub(crate) fn quantile(samples: &[f64], part: f64) -> f64 {
    at(&sorted(samples), part)
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn at(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = last as f64 * part;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
