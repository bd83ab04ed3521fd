//! Pages of many hosts, none of which is given a credential.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::CONNECTION;
use tokio::sync::Semaphore;

use super::deadline::Deadline;
use super::error::Error;
use super::response::Response;
use super::transport;

/// One slot in so many is for hosts that were slow before, and they have no other.
const SLOW_SHARE: usize = 4;

/// Gets pages of any host. Cloning it is cheap and shares connections and slots.
#[derive(Clone, Debug)]
pub struct AnyHost {
    client: reqwest::Client,
    prompt: Arc<Semaphore>,
    slow: Arc<Semaphore>,
}

/// A page to be got.
#[derive(Clone, Debug)]
pub struct PageRequest<'a> {
    /// Where it is.
    pub url: &'a str,
    /// Headers of the request.
    pub headers: &'a [(&'static str, String)],
    /// Which slots it may take.
    pub lane: Lane,
    /// What becomes of the connection.
    pub afterwards: Afterwards,
    /// Largest body, after decompression.
    pub limit_bytes: usize,
}

/// Which slots a request may take.
///
/// However many hosts hang, they hold up each other and nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The host answered in time before, or was never asked.
    Prompt,
    /// It did not.
    Slow,
}

/// What becomes of a connection when the page is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It stays open for the next time.
    Keep,
    /// It is closed: kept connections of very many hosts would take all the files that a process may have open.
    Close,
}

impl AnyHost {
    /// With so many requests under way at once, and unused connections kept for so long.
    ///
    /// The process must have installed its crypto provider before.
    pub fn new(max_concurrent: usize, keep_idle: Duration) -> Result<AnyHost, Error> {
        let all = max_concurrent.clamp(2, Semaphore::MAX_PERMITS);
        let slow = (all / SLOW_SHARE).max(1);
        Ok(AnyHost {
            client: transport::without_credentials(keep_idle)?,
            prompt: Arc::new(Semaphore::new(all - slow)),
            slow: Arc::new(Semaphore::new(slow)),
        })
    }

    /// Waits for a slot, asks, and waits for the head of the answer. `within` counts to the last byte.
    pub async fn get(&self, page: &PageRequest<'_>, within: Duration) -> Result<Response, Error> {
        let url = Url::parse(page.url).map_err(|error| Error::setting("url", error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::setting(
                "url",
                "no user and no password is sent to any host",
            ));
        }
        let deadline = Deadline::within(within);
        let slots = match page.lane {
            Lane::Prompt => &self.prompt,
            Lane::Slow => &self.slow,
        };
        let permit = deadline.in_time(Arc::clone(slots).acquire_owned()).await?;
        let permit = permit.expect("the semaphore is never closed");
        let mut request = self.client.get(url);
        for (name, value) in page.headers {
            request = request.header(*name, value);
        }
        if page.afterwards == Afterwards::Close {
            request = request.header(CONNECTION, "close");
        }
        let response = deadline.in_time(request.send()).await?;
        let response = response.map_err(Error::on_the_way)?;
        Ok(Response::new(response, deadline, permit, page.limit_bytes))
    }
}
