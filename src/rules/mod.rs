//! Compiled rules: discovery, association, naming, querying; the catalog of known metrics.
//!
//! A rule goes one way: [`compile()`] turns what was written into [`Rule`]s, series that discovery found are put
//! into a [`Catalog`], a request finds its [`CustomEntry`] or [`ExternalEntry`] there, the entry renders the
//! query, and [`associate`] says which sample belongs to which object.
//! Nothing here waits, reads a clock or prints.

mod association;
mod catalog;
mod compile;
mod discovery;
mod naming;
mod query;
mod reading;
mod rule;

pub use crate::config::{Api, OnNoValue, OnPartial, Policies};
pub use catalog::{Catalog, CustomEntry, CustomMetric, Discovered, ExternalEntry, NoMetric};
pub use compile::{Options, compile};
pub use discovery::{Discovery, FoundSeries, Question};
pub use query::QueryFault;
pub(crate) use reading::dropped;
pub use reading::{DropReason, Dropped, Duplicates, Reading, associate};
pub use rule::Rule;
