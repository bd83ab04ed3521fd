//! The client of one backend.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::authorization::{self, Proof};
use super::credentials::Credentials;
use super::deadline::Deadline;
use super::error::Error;
use super::reloading::Reloading;
use super::request::{Request, Target};
use super::response::Response;
use super::transport;
use crate::config::{BackendSettings, Method};

/// Asks one backend over HTTP. Cloning it is cheap and shares connections and slots.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    /// Without user and password, which are in `proof`.
    base: Url,
    method: Method,
    headers: HeaderMap,
    /// `None` if nothing is to be proved, or if the headers do it.
    proof: Option<Reloading<Proof>>,
    transport: Reloading<reqwest::Client>,
    /// As many permits as requests may be under way at once.
    slots: Arc<Semaphore>,
}

impl Client {
    /// Checks the settings and reads the credentials; does not connect.
    ///
    /// `credentials` stand in where the settings say nothing.
    /// The process must have installed its crypto provider before.
    pub fn new(settings: &BackendSettings, credentials: &Credentials) -> Result<Client, Error> {
        let mut base = parse_base(&settings.url)?;
        let headers = headers(&settings.headers)?;
        let proof = match headers.contains_key(AUTHORIZATION) {
            true => None,
            false => authorization::choose(settings, &base, credentials)?,
        };
        // Neither can fail for a URL with a host; what they hold is in `proof` now.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        let transport = transport::reloading(settings, &base, credentials)?;
        let slots = Arc::new(Semaphore::new(slots(settings.max_concurrent)?));
        let method = settings.method;
        Ok(Client {
            shared: Arc::new(Shared {
                base,
                method,
                headers,
                proof,
                transport,
                slots,
            }),
        })
    }

    /// Waits for leave to send one request. `within` counts from now to the last byte of the answer.
    pub async fn slot(&self, within: Duration) -> Result<Slot, Error> {
        let deadline = Deadline::within(within);
        let permit = deadline.in_time(Arc::clone(&self.shared.slots).acquire_owned());
        Ok(Slot {
            client: self.clone(),
            deadline,
            permit: permit.await?.expect("the semaphore is never closed"),
        })
    }
}

/// Leave to send one request before a deadline.
pub struct Slot {
    client: Client,
    deadline: Deadline,
    permit: OwnedSemaphorePermit,
}

impl Slot {
    /// Time left before the deadline; what a backend can be told about how long to try.
    pub fn remaining(&self) -> Duration {
        self.deadline.remaining()
    }

    /// Sends the request and waits for the head of the answer.
    pub async fn send(self, request: &Request<'_>) -> Result<Response, Error> {
        let shared = &self.client.shared;
        let transport = shared.transport.current();
        let built = match request.target(&shared.base, shared.method)? {
            Target::Get(url) => transport.get(url),
            Target::Post(url) => transport.post(url).form(&request.parameters),
        };
        let mut built = built.headers(shared.headers.clone());
        if let Some(proof) = &shared.proof {
            built = authorization::apply(built, proof.current());
        }
        let response = self.deadline.in_time(built.send()).await?;
        let response = response.map_err(Error::on_the_way)?;
        Ok(Response::new(
            response,
            self.deadline,
            self.permit,
            request.limit_bytes,
        ))
    }
}

fn parse_base(text: &str) -> Result<Url, Error> {
    let mut base = Url::parse(text).map_err(|error| Error::setting("url", error.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") {
        let problem = format!("scheme `{}` is neither `http` nor `https`", base.scheme());
        return Err(Error::setting("url", problem));
    }
    base.set_fragment(None);
    Ok(base)
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Error::setting("headers", format!("`{name}` is not the name of a header")))?;
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::setting(
                "headers",
                format!("the value of `{name}` cannot stand in a header"),
            )
        })?;
        value.set_sensitive(true);
        headers.append(parsed, value);
    }
    Ok(headers)
}

fn slots(max_concurrent: usize) -> Result<usize, Error> {
    match max_concurrent {
        0 => Err(Error::setting("maxConcurrent", "must be at least 1")),
        number => Ok(number.min(Semaphore::MAX_PERMITS)),
    }
}

/// Shows where, not with which credentials.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.shared.base.as_str())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("client", &self.client)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
