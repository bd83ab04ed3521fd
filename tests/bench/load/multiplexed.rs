//! HTTP/2: several requests at a time on each connection.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use h2::client::SendRequest;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::answer::Answer;
use super::{Load, Outcome, Target};

/// One thread, so that the client has no more of the machine than it has for HTTP/1.1.
pub(super) fn run(load: &Load<'_>, connections: usize, streams: usize) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let trust = load.target.tls.as_ref().expect("HTTP/2 is spoken over TLS");
        let tls = trust.client("h2");
        let mut drivers = JoinSet::new();
        let mut senders = Vec::new();
        for _ in 0..connections {
            let (sender, connection) = open(load.target, &tls).await.expect("the server speaks HTTP/2");
            drivers.spawn(connection);
            senders.push(sender);
        }
        let start = Instant::now();
        let next = Cell::new(0);
        let streams = senders
            .iter()
            .flat_map(|sender| (0..streams).map(|_| sender.clone()))
            .map(|sender| drive(load, sender, start, &next));
        let mut outcome = Outcome::default();
        for part in futures_util::future::join_all(streams).await {
            outcome.merge(part);
        }
        outcome
    })
}

/// Asks again and again in one stream's place. At a fixed rate a request may be sent a millisecond late, which counts.
async fn drive(
    load: &Load<'_>,
    mut sender: SendRequest<bytes::Bytes>,
    start: Instant,
    next: &Cell<usize>,
) -> Outcome {
    let mut outcome = Outcome::default();
    loop {
        let number = next.replace(next.get() + 1);
        let due = load.due(number).map_or_else(Instant::now, |due| start + due);
        if due >= start + load.length {
            break;
        }
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        match exchange(&mut sender, load.request(number).head.clone()).await {
            Ok((status, body)) => outcome.note(&Ok(Answer { status, body: &body }), due.elapsed()),
            Err(error) => {
                outcome.note(&Err(io::Error::other(error)), due.elapsed());
                break;
            }
        }
    }
    outcome.took = start.elapsed();
    outcome
}

async fn exchange(
    sender: &mut SendRequest<bytes::Bytes>,
    request: http::Request<()>,
) -> Result<(u16, Vec<u8>), h2::Error> {
    std::future::poll_fn(|context| sender.poll_ready(context)).await?;
    let (response, _) = sender.send_request(request, true)?;
    let response = response.await?;
    let status = response.status().as_u16();
    let mut stream = response.into_body();
    let mut body = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk?;
        stream.flow_control().release_capacity(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

type Connected = h2::client::Connection<tokio_rustls::client::TlsStream<TcpStream>>;

async fn open(
    target: &Target,
    tls: &Arc<ClientConfig>,
) -> io::Result<(SendRequest<bytes::Bytes>, Connected)> {
    let stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    let stream = TlsConnector::from(Arc::clone(tls))
        .connect(target.name(), stream)
        .await?;
    let (sender, connection): (_, Connected) =
        h2::client::handshake(stream).await.map_err(io::Error::other)?;
    Ok((sender, connection))
}
