//! Compiled rules: discovery, association, naming, querying; the catalog of known metrics.
//!
//! A rule goes one way: [`compile()`] turns what was written into [`Rule`]s, series that discovery found are put
//! into a [`Catalog`], a request finds its [`CustomEntry`] or [`ExternalEntry`] there, the entry renders the
//! query, and [`associate`] says which sample belongs to which object.
//! `resourceRules` become [`UsageRules`], whose queries and readings are beside that way.
//! Nothing here waits, reads a clock or prints.

mod association;
mod catalog;
mod compile;
mod discovery;
mod naming;
mod query;
mod reading;
mod reads;
mod rule;
mod sharing;
mod usage;

pub use crate::config::{Api, OnNoValue, OnPartial, Policies};
pub use catalog::{Catalog, CustomEntry, CustomMetric, Discovered, ExternalEntry, NoMetric};
pub use compile::{Compiled, Options, compile};
pub use discovery::{Discovery, FoundSeries, Question};
pub use query::QueryFault;
pub(crate) use reading::dropped;
pub use reading::{DropReason, Dropped, Duplicates, Reading, associate};
pub use reads::reads;
pub use rule::Rule;
pub use sharing::WideQuery;
pub use usage::{UsageReading, UsageRule, UsageRules};
