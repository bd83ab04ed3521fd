//! The client of the load: one request on one connection.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::workload::load::Work;

/// Asks an instance for this work and reads the answer to its end.
pub(super) async fn ask(address: SocketAddr, work: Work) {
    if let Err(error) = exchange(address, work).await {
        tracing::debug!(%address, "request to {address} failed: {error}");
    }
}

async fn exchange(address: SocketAddr, work: Work) -> io::Result<()> {
    let mut connection = TcpStream::connect(address).await?;
    let request = format!(
        "{} /?takes_us={}&fails={} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        work.method,
        work.takes.as_micros(),
        work.fails,
    );
    connection.write_all(request.as_bytes()).await?;
    connection.read_to_end(&mut Vec::new()).await?;
    Ok(())
}
