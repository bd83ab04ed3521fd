//! The load: who asks, what, how often, and what came back.
//!
//! Latencies at a fixed rate count from the moment at which a request was due, not from when it was sent: a server that
//! stalls makes the requests behind it late, and that is theirs to show.

mod answer;
mod keep_alive;
mod multiplexed;
mod outcome;
mod target;

use std::time::Duration;

pub(crate) use answer::age_s;
pub(crate) use keep_alive::once;
pub(crate) use outcome::Outcome;
pub(crate) use target::{ACCEPT, Request, Target, Trust};

/// How a client keeps its requests apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1, one request at a time on each of these connections, which are kept.
    KeepAlive { connections: usize },
    /// HTTP/2, so many requests at a time on each of these connections.
    Multiplexed { connections: usize, streams: usize },
}

/// When a request is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// As soon as the answer before it has come.
    Closed,
    /// So many a second, whether answers come or not.
    Rate(f64),
}

/// What is asked of a server.
pub(crate) struct Load<'a> {
    pub(crate) target: &'a Target,
    /// Asked in turn.
    pub(crate) requests: &'a [Request],
    pub(crate) protocol: Protocol,
    pub(crate) pace: Pace,
    pub(crate) length: Duration,
}

impl Load<'_> {
    /// Lays it on, and waits for its end.
    pub(crate) fn run(&self) -> Outcome {
        match self.protocol {
            Protocol::KeepAlive { connections } => keep_alive::run(self, connections),
            Protocol::Multiplexed { connections, streams } => multiplexed::run(self, connections, streams),
        }
    }

    /// The request of a number.
    fn request(&self, number: usize) -> &Request {
        &self.requests[number % self.requests.len()]
    }

    /// When the request of a number is due, from the start; `None` if that is now.
    fn due(&self, number: usize) -> Option<Duration> {
        match self.pace {
            Pace::Closed => None,
            Pace::Rate(rate) => Some(Duration::from_secs_f64(number as f64 / rate)),
        }
    }
}
