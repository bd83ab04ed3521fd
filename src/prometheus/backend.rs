//! One named backend.

use std::sync::Arc;
use std::time::Duration;

use super::feed::parse_stream;
use super::{Answer, Asked, Error, Lookup, Question, Record, Series, wire};
use crate::config::{BackendSettings, OnPartial};
use crate::http::{Client, Request, Response, Slot, Verbs};
use crate::model::Timestamp;
use crate::telemetry::Metrics;

/// How much larger than other answers a list of series may be.
/// It is read as a stream and not kept, so the limit only ends what never would.
const SERIES_LIMIT_FACTOR: usize = 16;

/// Most that is read of an answer with an error status.
const LONGEST_REFUSAL_BYTES: usize = 64 << 10;

/// Answers from this size on are parsed on a thread of their own, so that they hold up no other request.
const LARGE_ANSWER_BYTES: usize = 256 << 10;

/// A Prometheus, or what speaks like one. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Backend {
    client: Client,
    timeout: Duration,
    max_answer_bytes: usize,
    record: Record,
}

impl Backend {
    /// `client` is made from the same settings.
    pub fn new(name: &str, settings: &BackendSettings, client: Client, metrics: Arc<Metrics>) -> Backend {
        let (timeout, max_answer_bytes) = (settings.timeout, settings.max_answer_bytes);
        Backend {
            client,
            timeout,
            max_answer_bytes,
            record: Record::new(name, metrics),
        }
    }

    /// What is known of the requests to it.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Evaluates a query at a time, within the backend's timeout.
    pub async fn instant(&self, question: &Question, at: Timestamp) -> Result<Answer, Error> {
        self.record
            .observe("query", async {
                let slot = self.client.slot(self.timeout).await?;
                let parameters = vec![
                    ("query", question.query.clone()),
                    ("time", decimal_seconds(at)),
                    ("timeout", format!("{}ms", slot.remaining().as_millis().max(1))),
                    partial_response(question.on_partial),
                ];
                let request = self.request("/api/v1/query", parameters);
                let body = ask(slot, &request).await?.bytes().await?;
                let on_partial = question.on_partial;
                parse(body, move |body| wire::read_answer(body, at, on_partial)).await
            })
            .await
    }

    /// Names of the labels that the series of a selector have.
    pub async fn label_names(&self, lookup: &Lookup) -> Result<Vec<String>, Error> {
        self.record
            .observe(
                "labels",
                self.names(lookup, self.request("/api/v1/labels", parameters(lookup))),
            )
            .await
    }

    /// Values that a label has among the series of a selector.
    pub async fn label_values(&self, label: &str, lookup: &Lookup) -> Result<Vec<String>, Error> {
        let path = format!("/api/v1/label/{label}/values");
        // Prometheus registers no POST for this one.
        let request = Request {
            verbs: Verbs::Get,
            ..self.request(&path, parameters(lookup))
        };
        self.record
            .observe("label_values", self.names(lookup, request))
            .await
    }

    /// The series of a selector, without their label values.
    pub async fn series(&self, lookup: &Lookup) -> Result<Series, Error> {
        self.record
            .observe("series", async {
                let limit_bytes = self.max_answer_bytes.saturating_mul(SERIES_LIMIT_FACTOR);
                let request = Request {
                    limit_bytes,
                    ..self.request("/api/v1/series", parameters(lookup))
                };
                let slot = self.client.slot(lookup.within).await?;
                let response = ask(slot, &request).await?;
                let on_partial = lookup.on_partial;
                parse_stream(response, move |body| wire::read_series(body, on_partial)).await
            })
            .await
    }

    async fn names(&self, lookup: &Lookup, request: Request<'_>) -> Result<Vec<String>, Error> {
        let slot = self.client.slot(lookup.within).await?;
        let body = ask(slot, &request).await?.bytes().await?;
        let on_partial = lookup.on_partial;
        parse(body, move |body| wire::read_names(body, on_partial)).await
    }

    fn request<'a>(&self, path: &'a str, parameters: Vec<(&'static str, String)>) -> Request<'a> {
        Request {
            path,
            parameters,
            verbs: Verbs::GetOrPost,
            limit_bytes: self.max_answer_bytes,
        }
    }
}

impl Asked for Backend {
    fn name(&self) -> &Arc<str> {
        self.record.name()
    }

    async fn instant(&self, question: &Question, at: Timestamp) -> Result<Answer, Error> {
        Backend::instant(self, question, at).await
    }
}

/// Sends a request; any status but success is an error.
async fn ask(slot: Slot, request: &Request<'_>) -> Result<Response, Error> {
    let response = slot.send(request).await?;
    match response.status() {
        200..300 => Ok(response),
        status => Err(wire::refusal(
            status,
            &response.beginning(LONGEST_REFUSAL_BYTES).await,
        )),
    }
}

async fn parse<T: Send + 'static>(
    body: Vec<u8>,
    read: impl FnOnce(&[u8]) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    if body.len() < LARGE_ANSWER_BYTES {
        return read(&body);
    }
    let parsing = tokio::task::spawn_blocking(move || read(&body));
    parsing
        .await
        .expect("parsing does not panic, and a blocking task is not cancelled once it runs")
}

fn parameters(lookup: &Lookup) -> Vec<(&'static str, String)> {
    let mut parameters = vec![
        ("match[]", lookup.selector.clone()),
        partial_response(lookup.on_partial),
    ];
    parameters.extend(lookup.start.map(|start| ("start", decimal_seconds(start))));
    parameters.extend(lookup.end.map(|end| ("end", decimal_seconds(end))));
    parameters.extend(lookup.limit.map(|limit| ("limit", limit.to_string())));
    parameters
}

/// Whether Thanos may leave out what it cannot reach; other backends do not know the parameter and ignore it.
fn partial_response(on_partial: OnPartial) -> (&'static str, String) {
    ("partial_response", (on_partial == OnPartial::Accept).to_string())
}

/// Unix time with milliseconds, as the query API takes it.
fn decimal_seconds(at: Timestamp) -> String {
    let milliseconds = at.as_millisecond();
    format!(
        "{}.{:03}",
        milliseconds.div_euclid(1000),
        milliseconds.rem_euclid(1000)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_with_milliseconds() {
        let written = |milliseconds| decimal_seconds(Timestamp::from_millisecond(milliseconds).unwrap());
        assert_eq!(written(1_700_000_000_000), "1700000000.000");
        assert_eq!(written(1_700_000_000_042), "1700000000.042");
    }
}
