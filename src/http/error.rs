//! Why there is no answer over HTTP.

use std::time::Duration;

/// An error of another layer, kept as the cause.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a client cannot be made or a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting cannot be used. Only when the client is made.
    #[error("{setting}: {problem}")]
    Settings {
        /// The key below the backend, as the user writes it.
        setting: &'static str,
        /// What is wrong with it; never the value, which may be secret.
        problem: String,
    },
    /// A credential cannot be read or used. Only when the client is made; later the last good one stays in force.
    #[error("{what} cannot be used")]
    Credentials {
        /// Which credential, with its file if it has one.
        what: String,
        /// Why.
        source: Cause,
    },
    /// No connection, or none that is trusted.
    #[error("no connection")]
    Unreachable(#[source] Cause),
    /// The connection broke while the answer was under way.
    #[error("the connection ended before the answer was complete")]
    Interrupted(#[source] Cause),
    /// The deadline passed, while waiting for a free slot or for the answer.
    #[error("no complete answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The answer is larger than allowed; the rest of it was not read.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit, after decompression.
        limit_bytes: usize,
    },
    /// The parameters do not fit into a URL and the request may only be a GET.
    #[error("the query is too long for a GET request ({url_bytes} bytes)")]
    TooLongForGet {
        /// Length of the URL it would take.
        url_bytes: usize,
    },
}

impl Error {
    /// A setting that cannot be used.
    pub(crate) fn setting(setting: &'static str, problem: impl Into<String>) -> Error {
        let problem = problem.into();
        Error::Settings { setting, problem }
    }

    /// A credential that cannot be used.
    pub(crate) fn credentials(what: impl Into<String>, source: impl Into<Cause>) -> Error {
        let (what, source) = (what.into(), source.into());
        Error::Credentials { what, source }
    }

    /// What the HTTP library says about a request on its way.
    ///
    /// The URL is left out: the log line has the backend's name, and the URL holds the whole query.
    pub(crate) fn on_the_way(error: reqwest::Error) -> Error {
        let error = error.without_url();
        if error.is_body() || error.is_decode() {
            Error::Interrupted(error.into())
        } else {
            Error::Unreachable(error.into())
        }
    }
}
