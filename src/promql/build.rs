//! The queries that typed rules stand for.
//!
//! Each is written out as text and read back, so that what `explain` shows is what is asked.

use std::time::Duration;

use promql_parser::util::display_duration;

use super::is_label_name;
use super::matcher::LabelNameError;
use super::query::{ParseError, Query};
use super::selector::SeriesSelector;

/// How a histogram is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buckets {
    /// One series for each bucket, `…_bucket`, with its bound in `le`.
    Classic,
    /// All buckets in one series.
    Native,
}

/// Why no query could be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A histogram's selector that is not about one metric.
    #[error("`{selector}` does not name its metric")]
    NoFixedName {
        /// The selector as written.
        selector: String,
    },
    /// A label to keep that cannot be one.
    #[error(transparent)]
    Label(#[from] LabelNameError),
    /// The parts do not make a query, such as an aggregation that PromQL does not have.
    #[error("no query can be made of the rule")]
    Query(#[source] ParseError),
}

/// Events per second of a counter, added up for each combination of the labels in `by`.
pub fn rate(counter: &SeriesSelector, window: Duration, by: &[&str]) -> Result<Query, BuildError> {
    query(&sum_of_rates(counter, window, by)?)
}

/// The `q` quantile of a histogram over the window, for each combination of the labels in `by`.
///
/// Not a number where nothing was observed within the window.
pub fn quantile(
    q: f64,
    histogram: &SeriesSelector,
    window: Duration,
    buckets: Buckets,
    by: &[&str],
) -> Result<Query, BuildError> {
    let rates = match buckets {
        Buckets::Native => sum_of_rates(histogram, window, by)?,
        Buckets::Classic => {
            let series = histogram
                .with_suffix("_bucket")
                .ok_or_else(|| BuildError::NoFixedName {
                    selector: histogram.text().to_owned(),
                })?;
            sum_of_rates(&series, window, &[&["le"], by].concat())?
        }
    };
    query(&format!("histogram_quantile({q}, {rates})"))
}

/// One counter's rate over another's, for each combination of the labels in `by`.
///
/// Zero as soon as there is something below the line, even where the counter above it has no series yet.
pub fn ratio(
    of: &SeriesSelector,
    to: &SeriesSelector,
    window: Duration,
    by: &[&str],
) -> Result<Query, BuildError> {
    let of = sum_of_rates(of, window, by)?;
    let to = sum_of_rates(to, window, by)?;
    query(&format!("({of} or 0 * {to}) / {to}"))
}

/// A gauge, with the series of each combination of the labels in `by` made one by an aggregation such as `sum`.
pub fn gauge(aggregation: &str, series: &SeriesSelector, by: &[&str]) -> Result<Query, BuildError> {
    query(&aggregate(aggregation, by, &series.to_string())?)
}

fn sum_of_rates(counter: &SeriesSelector, window: Duration, by: &[&str]) -> Result<String, BuildError> {
    let rate = format!("rate({counter}[{}])", display_duration(&window));
    aggregate("sum", by, &rate)
}

fn aggregate(aggregation: &str, by: &[&str], inner: &str) -> Result<String, BuildError> {
    if let Some(label) = by.iter().find(|label| !is_label_name(label)) {
        return Err(LabelNameError((*label).to_owned()).into());
    }
    Ok(match by {
        [] => format!("{aggregation}({inner})"),
        labels => format!("{aggregation} by ({}) ({inner})", labels.join(", ")),
    })
}

fn query(text: &str) -> Result<Query, BuildError> {
    Query::parse(text).map_err(BuildError::Query)
}
