//! The Kubernetes metrics APIs over HTTP.
//!
//! A request goes through `routes` to `answer`, which reads it with [`path`], asks the provider and writes the list
//! of `types`; whatever goes wrong becomes a [`Status`]. `explain` does the same and tells how.
//! The other modules are documents about the API: `discovery`, `aggregated` and `openapi`.

mod action;
mod aggregated;
mod answer;
mod discovery;
mod document;
mod duration;
mod explain;
mod explanation;
mod groups;
mod label_selector;
mod listings;
mod negotiation;
mod openapi;
pub mod path;
mod protobuf;
mod query;
mod repeated;
mod reply;
mod route;
mod routes;
mod schemas;
mod status;
mod templates;
mod types;
mod usage;

use self::answer::Answered;
use self::listings::Listings;
use self::repeated::Repeated;
use crate::provider::Provider;
use std::sync::Arc;

pub use action::action;
pub use explain::{Reader, explain};
pub use explanation::{
    AgeSeen, Answer, DroppedSeen, Explanation, ObjectName, Question, ReadingSeen, RulePlace, SampleSeen,
    ValueServed, Way,
};
pub use groups::{CustomVersion, api_services};
pub use path::ApiRequest;
pub use reply::{WORTH_COMPRESSING_BYTES, takes_gzip};
pub use route::route_name;
pub use routes::configure;
pub use status::Status;

/// What the handlers need.
#[derive(Clone)]
pub struct ApiState {
    provider: Arc<Provider>,
    listings: Arc<Listings>,
    repeated: Arc<Repeated<Answered>>,
}

impl ApiState {
    /// Requests are answered by this provider.
    pub fn new(provider: Arc<Provider>) -> Self {
        ApiState {
            provider,
            listings: Arc::default(),
            repeated: Arc::default(),
        }
    }

    /// Which groups are served.
    fn served(&self) -> groups::Served {
        groups::Served::by(&self.provider)
    }

    /// A request as [`path::parse`] reads it, if its group is served.
    fn read(&self, path: &str, query: &str) -> Result<ApiRequest, Status> {
        match path::parse(path, query)? {
            ApiRequest::Usage { .. } if self.served() == groups::Served::Metrics => {
                Err(Status::unknown_route())
            }
            request => Ok(request),
        }
    }
}
