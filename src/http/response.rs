//! An answer on its way.

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::OwnedSemaphorePermit;

use super::deadline::Deadline;
use super::error::Error;

/// An answer whose status is known and whose body is still to be read.
///
/// It keeps its permit, so that a body that is read slowly counts among the requests at once.
#[derive(Debug)]
pub struct Response {
    inner: reqwest::Response,
    deadline: Deadline,
    _permit: OwnedSemaphorePermit,
    limit_bytes: usize,
    read_bytes: usize,
}

impl Response {
    pub(crate) fn new(
        inner: reqwest::Response,
        deadline: Deadline,
        permit: OwnedSemaphorePermit,
        limit_bytes: usize,
    ) -> Response {
        Response {
            inner,
            deadline,
            _permit: permit,
            limit_bytes,
            read_bytes: 0,
        }
    }

    /// HTTP status code.
    pub fn status(&self) -> u16 {
        self.inner.status().as_u16()
    }

    /// What the body is, as the server says it.
    pub fn content_type(&self) -> Option<&str> {
        self.inner.headers().get(CONTENT_TYPE)?.to_str().ok()
    }

    /// The next part of the body, decompressed; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self
            .deadline
            .in_time(self.inner.chunk())
            .await?
            .map_err(Error::on_the_way)?;
        self.read_bytes += chunk.as_ref().map_or(0, Bytes::len);
        if self.read_bytes > self.limit_bytes {
            return Err(Error::TooLarge {
                limit_bytes: self.limit_bytes,
            });
        }
        Ok(chunk)
    }

    /// The whole body.
    pub async fn bytes(mut self) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// As much of the body as comes, up to about `most_bytes`: for the text of an error.
    pub async fn beginning(mut self, most_bytes: usize) -> Vec<u8> {
        let mut body = Vec::new();
        while body.len() < most_bytes
            && let Ok(Some(chunk)) = self.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
        body.truncate(most_bytes);
        body
    }
}
