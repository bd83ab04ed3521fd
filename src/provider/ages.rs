//! The real age of samples: an instant query stamps its result with the evaluation time.

use std::time::Duration;

use super::{Provider, Trace};
use crate::model::{Labels, Timestamp};
use crate::prometheus::{Asked, Question};
use crate::promql::Query;

/// When a series that a query read last had a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleAge {
    /// Labels of the series.
    pub labels: Labels,
    /// Time of its last sample.
    pub at: Timestamp,
    /// How old that was when the query was evaluated.
    pub age: Duration,
}

/// More series than this are not listed; the oldest come first.
const MOST: usize = 50;

impl Provider {
    /// Asks the backend when the series that a query read last had samples. Costs one query for each selector.
    /// With `only_own`, series are left out that are not known to be of what was asked for.
    ///
    /// The error says why that is not known, as it may be shown.
    pub async fn sample_ages(&self, trace: &Trace, only_own: bool) -> Result<Vec<SampleAge>, String> {
        let query = trace.narrow_query.as_ref().or(trace.query.as_ref());
        let (Some(query), Some(evaluated_at)) = (query, trace.evaluated_at()) else {
            return Ok(Vec::new());
        };
        let backend = trace
            .backend
            .as_ref()
            .and_then(|name| self.sources.backends.get(name));
        let Some(backend) = backend else {
            return Ok(Vec::new());
        };
        let query = Query::read(query);
        if query.is_opaque() {
            return Err("the query is not one whose selectors the adapter can read".to_owned());
        }
        let mut ages = Vec::new();
        for selector in query.selectors() {
            let question = Question {
                query: format!("timestamp({selector})"),
                on_partial: crate::rules::OnPartial::Accept,
            };
            let answer = backend
                .instant(&question, evaluated_at)
                .await
                .map_err(|error| error.client_text())?;
            let samples = answer.samples.into_iter();
            let shown = samples.filter(|sample| !only_own || trace.is_own(&sample.labels));
            ages.extend(shown.filter_map(|sample| {
                let at = Timestamp::from_millisecond((sample.value * 1000.0) as i64).ok()?;
                let age = Duration::try_from(evaluated_at.duration_since(at)).unwrap_or_default();
                Some(SampleAge {
                    labels: sample.labels,
                    at,
                    age,
                })
            }));
        }
        ages.sort_by(|one, other| {
            other
                .age
                .cmp(&one.age)
                .then_with(|| one.labels.cmp(&other.labels))
        });
        ages.truncate(MOST);
        Ok(ages)
    }
}
