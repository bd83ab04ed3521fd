//! The one HTTP client: credentials, TLS, deadlines, size limits.
//!
//! A [`Client`] stands for one backend. A caller takes a [`Slot`], which waits while too many requests are
//! under way, and sends one [`Request`] with it; the deadline counts from asking for the slot to the last byte.
//!
//! ```text
//! Client::slot(within) ──► Slot::send(request) ──► Response::chunk, chunk, …
//! ```
//!
//! [`AnyHost`] gets pages of many hosts under the same limits, and has no credentials.
//!
//! Redirects are not followed: a backend that redirects could have the credentials sent elsewhere, and
//! every request would cost two.

mod any_host;
mod authorization;
mod client;
mod credentials;
mod deadline;
mod error;
mod reloading;
mod request;
mod response;
mod transport;

pub use any_host::{Afterwards, AnyHost, Lane, PageRequest};
pub use client::{Client, Slot};
pub use credentials::{Authorization, Credentials, Source};
pub use error::Error;
pub use request::{Request, Verbs};
pub use response::Response;
