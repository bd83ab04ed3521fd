//! Hands a body that arrives in chunks to a reader that blocks.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

use super::Error;
use crate::http::Response;

/// Chunks that wait for the reader; beyond them the backend has to wait.
const CHUNKS_AHEAD: usize = 8;

/// Parses a body while it arrives, on a thread of its own.
///
/// An error of the exchange outranks the parser's, which then has seen only the beginning.
pub(crate) async fn parse_stream<T: Send + 'static>(
    mut response: Response,
    parse: impl FnOnce(Chunks) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let chunks = Chunks {
        receiver,
        current: Bytes::new(),
    };
    let parsing = tokio::task::spawn_blocking(move || parse(chunks));
    while let Some(chunk) = response.chunk().await? {
        if sender.send(chunk).await.is_err() {
            // The parser has seen enough to give up.
            break;
        }
    }
    drop(sender);
    parsing
        .await
        .expect("parsing does not panic, and a blocking task is not cancelled once it runs")
}

/// The chunks as one stream of bytes; it ends when the sender is gone.
pub(crate) struct Chunks {
    receiver: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let length = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
