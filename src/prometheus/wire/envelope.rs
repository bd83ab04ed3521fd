//! What is around the data of every answer.

use serde::Deserialize;

use super::refusal;
use crate::config::OnPartial;
use crate::prometheus::Error;

/// An answer of the query API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope<D> {
    status: Status,
    data: Option<D>,
    error_type: Option<String>,
    error: Option<String>,
    warnings: Option<Vec<String>>,
    /// VictoriaMetrics: some storage nodes did not answer.
    #[serde(default)]
    is_partial: bool,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Error,
}

impl<D> Envelope<D> {
    /// The data with the warnings, if this is a success and complete enough.
    pub(crate) fn accept(self, on_partial: OnPartial) -> Result<(Option<D>, Vec<String>), Error> {
        if self.status == Status::Error {
            let (error_type, text) = (self.error_type.as_deref(), self.error.unwrap_or_default());
            return Err(refusal::classify(200, error_type.unwrap_or_default(), text));
        }
        let mut warnings = self.warnings.unwrap_or_default();
        if self.is_partial {
            warnings.push("the answer is partial".to_owned());
        }
        match incomplete(&warnings) {
            Some(text) if on_partial == OnPartial::Refuse => Err(Error::Partial {
                text: text.to_owned(),
            }),
            _ => Ok((self.data, warnings)),
        }
    }
}

/// Why an answer is incomplete.
///
/// Any warning that the backend does not mark as PromQL's own says that data could not be read: a store
/// that is down, a remote read that failed.
pub(crate) fn incomplete(warnings: &[String]) -> Option<&str> {
    let harmless = |warning: &&String| {
        warning.starts_with("PromQL info:")
            || warning.starts_with("PromQL warning:")
            || is_truncation(warning)
    };
    warnings
        .iter()
        .find(|warning| !harmless(warning))
        .map(String::as_str)
}

/// Whether a warning says that the `limit` we sent was reached. Source: Prometheus, `web/api/v1/api.go`.
pub(crate) fn is_truncation(warning: &str) -> bool {
    warning == "results truncated due to limit"
}

/// Reads an answer whose data is a list of names; `null` is an empty list.
pub(crate) fn read_names(body: &[u8], on_partial: OnPartial) -> Result<Vec<String>, Error> {
    let envelope: Envelope<Vec<String>> = serde_json::from_slice(body).map_err(Error::not_json)?;
    let (names, _) = envelope.accept(on_partial)?;
    Ok(names.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, on_partial: OnPartial) -> String {
        match read_names(body.as_bytes(), on_partial) {
            Ok(names) => names.join(","),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn warning_that_is_not_promqls_own_makes_the_answer_incomplete() {
        let answer =
            |warning: &str| format!(r#"{{"status":"success","data":["a"],"warnings":["{warning}"]}}"#);
        let refused = |warning: &str| check(&answer(warning), OnPartial::Refuse);
        assert_eq!(
            refused("store is down"),
            "the backend's answer is incomplete: store is down"
        );
        assert_eq!(refused("PromQL info: metric might not be a counter"), "a");
        assert_eq!(refused("PromQL warning: bucket label missing"), "a");
        assert_eq!(refused("results truncated due to limit"), "a");
        assert_eq!(check(&answer("store is down"), OnPartial::Accept), "a");
    }

    #[test]
    fn partial_flag_makes_the_answer_incomplete() {
        let body = r#"{"status":"success","isPartial":true,"data":["a"]}"#;
        let refused = "the backend's answer is incomplete: the answer is partial";
        assert_eq!(check(body, OnPartial::Refuse), refused);
        assert_eq!(check(body, OnPartial::Accept), "a");
    }

    #[test]
    fn no_data_is_an_empty_list() {
        assert_eq!(
            check(r#"{"status":"success","data":null}"#, OnPartial::Refuse),
            ""
        );
        assert_eq!(check(r#"{"status":"success"}"#, OnPartial::Refuse), "");
    }

    #[test]
    fn error_with_status_200_is_an_error() {
        let body = r#"{"status":"error","errorType":"execution","error":"no"}"#;
        assert_eq!(
            check(body, OnPartial::Refuse),
            "the backend rejected the query: execution: no"
        );
    }
}
