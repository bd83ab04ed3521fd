//! Opens the listeners, decides who may ask, runs the tasks of the process and ends them in order.
//!
//! [`Listeners::bind`] opens the sockets, [`Server::new`] makes everything that can fail at start,
//! [`Server::run`] serves until its shutdown future is ready or a task ends.
//!
//! A request passes, from outside to inside: TLS (`tls`), the gate (limits, deadline, who may ask, log line; `gate` and
//! `access`), compression (`compression`), and then a probe (`probes`) or a route of the API.

mod access;
mod assemble;
mod compression;
mod crypto;
mod error;
mod file_watch;
mod gate;
mod http;
mod listeners;
mod plan;
mod probes;
mod readiness;
mod room;
mod run;
mod serve;
mod shutdown;
mod targets;
mod tasks;
mod tls;

pub use assemble::{AssembleError, Assembled, assemble, cluster};
pub use crypto::install_crypto;
pub use error::Error;
pub use listeners::Listeners;
pub use plan::{Drain, Limits, Note, Notes, ServePlan};
pub use readiness::{Condition, Readiness};
pub use run::Server;
pub use serve::{open, serve};
pub use shutdown::termination;
pub use tasks::Task;
