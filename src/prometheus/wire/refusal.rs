//! Answers that say no.

use serde::Deserialize;

use crate::prometheus::Error;

/// Longest text of an answer that is not the query API's, such as a proxy's error page.
const LONGEST_FOREIGN_TEXT_CHARACTERS: usize = 200;

/// The error in an answer, whatever its data.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    error_type: Option<String>,
    error: String,
}

/// What an answer with an error status means.
pub(crate) fn refusal(status: u16, body: &[u8]) -> Error {
    match serde_json::from_slice::<Refusal>(body) {
        Ok(Refusal { error_type, error }) => {
            classify(status, error_type.as_deref().unwrap_or_default(), error)
        }
        Err(_) => classify(status, "", foreign_text(body)),
    }
}

/// Sorts an error by its type and by the HTTP status that came with it.
pub(crate) fn classify(status: u16, error_type: &str, text: String) -> Error {
    let text = if error_type.is_empty() {
        text
    } else {
        format!("{error_type}: {text}")
    };
    match (status, error_type) {
        (_, "timeout") | (408 | 504, _) => Error::TimedOut(text.into()),
        // VictoriaMetrics, `lib/netstorage` and `promql`: its deadlines have the status of a query that is at fault.
        (422, _) if text.contains("timeout exceeded") => Error::TimedOut(text.into()),
        (401 | 403, _) => Error::Unauthorized { status, text },
        (429 | 503, _) | (_, "too_many_requests" | "unavailable") => Error::Overloaded { text },
        (500.., _) if text.contains("too many") => Error::Overloaded { text },
        (400 | 422, _) | (_, "bad_data" | "execution") => Error::Rejected { text },
        (502, _) => Error::Unreachable(format!("HTTP status 502: {text}").into()),
        (300..400, _) => failed(
            status,
            &text,
            "redirects are not followed, set the URL it leads to",
        ),
        (404, _) => failed(status, &text, "is `url` the base of the query API?"),
        _ => Error::Failed { status, text },
    }
}

/// A status that the settings are likely to be the cause of.
fn failed(status: u16, text: &str, cure: &str) -> Error {
    Error::Failed {
        status,
        text: format!("{text}; {cure}"),
    }
}

/// The first line of some text, shortened.
fn foreign_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    match line.trim() {
        "" => "no text".to_owned(),
        line => line.chars().take(LONGEST_FOREIGN_TEXT_CHARACTERS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str) -> String {
        refusal(status, body.as_bytes()).to_string()
    }

    #[test]
    fn backends_own_words_are_kept() {
        let body = r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error"}"#;
        assert_eq!(
            check(400, body),
            "the backend rejected the query: bad_data: 1:5: parse error"
        );
        let body =
            r#"{"status":"error","errorType":"422","error":"cannot evaluate","data":{"any":["thing"]}}"#;
        assert_eq!(
            check(422, body),
            "the backend rejected the query: 422: cannot evaluate"
        );
    }

    #[test]
    fn status_alone_tells_when_the_body_is_not_the_apis() {
        assert_eq!(check(429, "slow down"), "the backend is overloaded: slow down");
        assert_eq!(check(503, ""), "the backend is overloaded: no text");
        let many = "too many outstanding requests";
        assert_eq!(check(500, many), format!("the backend is overloaded: {many}"));
        assert_eq!(check(504, "x"), "the backend did not answer in time");
        assert_eq!(check(502, "x"), "the backend is unreachable");
        let missing = "HTTP status 404: 404 page not found; is `url` the base of the query API?";
        assert_eq!(
            check(
                404,
                "
 404 page not found
more"
            ),
            format!("the backend answered with {missing}")
        );
        assert_eq!(
            check(418, ""),
            "the backend answered with HTTP status 418: no text"
        );
        let refused = "the backend refused the adapter's credentials (HTTP status 401): Unauthorized";
        assert_eq!(check(401, "Unauthorized"), refused);
    }

    #[test]
    fn timeout_of_the_backend_is_a_timeout_whatever_its_status() {
        let body = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
        assert_eq!(check(503, body), "the backend did not answer in time");
        let body = r#"{"status":"error","errorType":"422","error":"timeout exceeded during query execution: 3 seconds"}"#;
        assert_eq!(check(422, body), "the backend did not answer in time");
    }
}
