//! Why a backend gave no answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::http;
use crate::telemetry::BackendOutcome;

/// An error of another layer, kept as the cause.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a backend gave no answer.
///
/// The text and its causes are for the log. What a client may be told is [`Error::client_text`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection, or it broke.
    #[error("the backend is unreachable")]
    Unreachable(#[source] Cause),
    /// The deadline passed, here or there.
    #[error("the backend did not answer in time")]
    TimedOut(#[source] Cause),
    /// The backend has too much to do: 429, 503, or its own words.
    #[error("the backend is overloaded: {text}")]
    Overloaded {
        /// The backend's own words.
        text: String,
    },
    /// The query is at fault: it does not parse, or cannot be evaluated.
    #[error("the backend rejected the query: {text}")]
    Rejected {
        /// The backend's own words.
        text: String,
    },
    /// The adapter may not ask: 401 or 403.
    #[error("the backend refused the adapter's credentials (HTTP status {status}): {text}")]
    Unauthorized {
        /// HTTP status code.
        status: u16,
        /// The backend's own words.
        text: String,
    },
    /// Any other status; a wrong base URL often ends here.
    #[error("the backend answered with HTTP status {status}: {text}")]
    Failed {
        /// HTTP status code.
        status: u16,
        /// The backend's own words.
        text: String,
    },
    /// The adapter's own backend has not scraped for as long as the query looks back, so that numbers would be too small.
    #[error(
        "the embedded backend has scraped for {} s, and the query looks back for {} s",
        scraped.as_secs(),
        back.as_secs_f64()
    )]
    TooYoung {
        /// How long it has scraped at the time that was asked for.
        scraped: Duration,
        /// How far the query looks back, or from one scrape to the next if that is more.
        back: Duration,
    },
    /// Some of the data could not be read, so that numbers would be too small.
    #[error("the backend's answer is incomplete: {text}")]
    Partial {
        /// The backend's own words.
        text: String,
    },
    /// Success, but not an answer that can be used.
    #[error("the backend's answer cannot be used: {what}")]
    Malformed {
        /// What is wrong with it, in our words.
        what: &'static str,
        /// Where in the answer.
        source: Option<serde_json::Error>,
    },
    /// The answer is larger than allowed.
    #[error("the backend's answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit, after decompression.
        limit_bytes: usize,
    },
}

impl Error {
    /// What the owner of a workload may read: no address, and no words of the backend but about the query itself.
    pub fn client_text(&self) -> String {
        match self {
            Error::Overloaded { .. } => "the backend is overloaded".to_owned(),
            Error::Rejected { text } if names_an_address(text) => "the backend rejected the query".to_owned(),
            Error::Unauthorized { .. } => "the backend refused the adapter's credentials".to_owned(),
            Error::Failed { status, .. } => format!("the backend answered with HTTP status {status}"),
            Error::Partial { .. } => "the backend's answer is incomplete".to_owned(),
            Error::Unreachable(_)
            | Error::TimedOut(_)
            | Error::Rejected { .. }
            | Error::TooYoung { .. }
            | Error::Malformed { .. }
            | Error::TooLarge { .. } => self.to_string(),
        }
    }

    /// What anyone may read, the owner of another workload too: not even the backend's words about the query.
    pub fn public_text(&self) -> String {
        match self {
            Error::Rejected { .. } => "the backend rejected the query".to_owned(),
            other => other.client_text(),
        }
    }

    /// How the adapter's own metrics count it.
    pub(crate) fn outcome(&self) -> BackendOutcome {
        match self {
            Error::Unreachable(_) => BackendOutcome::Unreachable,
            Error::TimedOut(_) => BackendOutcome::TimedOut,
            Error::Overloaded { .. } => BackendOutcome::Overloaded,
            Error::Rejected { .. } => BackendOutcome::Rejected,
            Error::Unauthorized { .. } => BackendOutcome::Unauthorized,
            Error::Failed { .. } => BackendOutcome::Failed,
            Error::TooYoung { .. } => BackendOutcome::TooYoung,
            Error::Partial { .. } => BackendOutcome::Partial,
            Error::Malformed { .. } => BackendOutcome::Malformed,
            Error::TooLarge { .. } => BackendOutcome::TooLarge,
        }
    }

    /// An answer that says success and cannot be used.
    pub(crate) fn malformed(what: &'static str) -> Error {
        Error::Malformed { what, source: None }
    }

    /// An answer that is not the JSON it should be.
    pub(crate) fn not_json(source: serde_json::Error) -> Error {
        Error::Malformed {
            what: "it is not the JSON of the query API",
            source: Some(source),
        }
    }
}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Error {
        match error {
            http::Error::TimedOut(_) => Error::TimedOut(error.into()),
            http::Error::TooLarge { limit_bytes } => Error::TooLarge { limit_bytes },
            http::Error::TooLongForGet { .. } => Error::Rejected {
                text: error.to_string(),
            },
            http::Error::Unreachable(_)
            | http::Error::Interrupted(_)
            | http::Error::Settings { .. }
            | http::Error::Credentials { .. } => Error::Unreachable(error.into()),
        }
    }
}

/// Whether a text of a backend tells where something listens, as Thanos does about its stores.
pub(super) fn names_an_address(text: &str) -> bool {
    let is_address = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '[' && c != ']');
        word.parse::<SocketAddr>().is_ok() || word.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4())
    };
    let separators = |c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'' | '(' | ')' | '=' | '>');
    text.contains("://") || text.split(separators).any(is_address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_reads_the_backends_words_about_its_query_unless_they_hold_an_address() {
        let told = |text: &str| {
            Error::Rejected {
                text: text.to_owned(),
            }
            .client_text()
        };
        let parse = "1:5: parse error: unexpected end of input";
        assert_eq!(told(parse), format!("the backend rejected the query: {parse}"));
        let silent = "the backend rejected the query";
        assert_eq!(told("Get \"http://store/api\": EOF"), silent);
        assert_eq!(
            told("expanding series: dial tcp 10.1.2.3:10901: connection refused"),
            silent
        );
        assert_eq!(told("rpc error: store=10.1.2.3 is gone"), silent);
    }
}
