//! HTTP/1.1 over connections that are kept, a thread for each.
//!
//! Plain blocking calls, so that the client costs little beside the server, and sleeps are as fine as the kernel's:
//! the timers of an asynchronous runtime know milliseconds only.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::answer::{Answer, Body, Head, joined};
use super::{Load, Outcome, Request, Target};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(load: &Load<'_>, connections: usize) -> Outcome {
    let tls = load.target.tls.as_ref().map(|trust| trust.client("http/1.1"));
    let ready = Barrier::new(connections);
    thread::scope(|scope| {
        let drivers: Vec<_> = (0..connections)
            .map(|number| {
                let (tls, ready) = (tls.as_ref(), &ready);
                scope.spawn(move || drive(load, tls, ready, number, connections))
            })
            .collect();
        let mut outcome = Outcome::default();
        for driver in drivers {
            outcome.merge(driver.join().expect("a connection is driven to the end"));
        }
        outcome
    })
}

/// The status of the answer to one request on a connection of its own.
pub(crate) fn once(target: &Target, request: &Request) -> io::Result<u16> {
    let tls = target.tls.as_ref().map(|trust| trust.client("http/1.1"));
    let mut connection = Connection::open(target, tls.as_ref())?;
    connection.exchange(&request.bytes).map(|answer| answer.status)
}

/// Sends every `of`th request, from `number` on.
fn drive(
    load: &Load<'_>,
    tls: Option<&Arc<ClientConfig>>,
    ready: &Barrier,
    number: usize,
    of: usize,
) -> Outcome {
    let mut connection = Connection::open(load.target, tls).ok();
    ready.wait();
    let start = Instant::now();
    let mut outcome = Outcome::default();
    for number in (number..).step_by(of) {
        let due = load.due(number).map_or_else(Instant::now, |due| start + due);
        if due >= start + load.length {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let answer = match &mut connection {
            Some(connection) => connection.exchange(&load.request(number).bytes),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        outcome.note(&answer, due.elapsed());
        if answer.is_err() {
            connection = Connection::open(load.target, tls).ok();
        }
    }
    outcome.took = start.elapsed();
    outcome
}

/// With TLS or without.
trait Duplex: Read + Write {}

impl<T: Read + Write> Duplex for T {}

/// A connection that is kept.
struct Connection {
    stream: Box<dyn Duplex>,
    /// What was read of the answer so far; kept to spare its allocation.
    read: Vec<u8>,
    /// A body that came in chunks.
    body: Vec<u8>,
}

impl Connection {
    fn open(target: &Target, tls: Option<&Arc<ClientConfig>>) -> io::Result<Connection> {
        let stream = TcpStream::connect(target.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let stream: Box<dyn Duplex> = match tls {
            None => Box::new(stream),
            Some(tls) => {
                let session =
                    ClientConnection::new(Arc::clone(tls), target.name()).map_err(io::Error::other)?;
                let mut stream = StreamOwned::new(session, stream);
                stream.conn.complete_io(&mut stream.sock)?;
                Box::new(stream)
            }
        };
        Ok(Connection {
            stream,
            read: Vec::new(),
            body: Vec::new(),
        })
    }

    /// Sends a request and reads its answer.
    fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request)?;
        self.stream.flush()?;
        self.read.clear();
        let head = loop {
            self.read_some()?;
            if let Some(head) = Head::read(&self.read) {
                break head;
            }
        };
        let status = head.status;
        match head.body {
            Body::Bytes(length) => {
                let end = head.head_bytes + length;
                while self.read.len() < end {
                    self.read_some()?;
                }
                let body = &self.read[head.head_bytes..end];
                Ok(Answer { status, body })
            }
            Body::Chunks => {
                self.body = loop {
                    match joined(&self.read[head.head_bytes..]) {
                        Some(body) => break body,
                        None => self.read_some()?,
                    }
                };
                let body = &self.body;
                Ok(Answer { status, body })
            }
        }
    }

    fn read_some(&mut self) -> io::Result<()> {
        let mut some = [0; 16 * 1024];
        match self.stream.read(&mut some)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.read.extend_from_slice(&some[..count]);
                Ok(())
            }
        }
    }
}
