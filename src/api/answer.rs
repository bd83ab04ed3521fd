//! Answers a metric request: read it, ask the provider, write the list.

use super::ApiState;
use super::negotiation::require_json;
use super::path::ApiRequest;
use super::reply;
use super::status::Status;
use super::types::{MetricValueList, external_list};
use super::usage::Usages;
use crate::provider::Detail;
use actix_web::rt::time::timeout as bounded;
use actix_web::{HttpRequest, HttpResponse};
use std::time::Duration;

/// `GET /apis/{group}/{version}/…`.
pub(super) async fn get(http: &HttpRequest, state: &ApiState) -> HttpResponse {
    let answer = answer(http, state).await;
    answer.unwrap_or_else(|status| reply::failure(http, &status))
}

async fn answer(http: &HttpRequest, state: &ApiState) -> Result<HttpResponse, Status> {
    require_json(http)?;
    match state.read(http.uri().path(), http.query_string())? {
        ApiRequest::Custom {
            version,
            request,
            timeout,
        } => {
            let outcome = within(timeout, state.provider.custom(&request, Detail::Brief)).await?;
            let values = outcome.result.map_err(|error| Status::from(&error))?;
            Ok(reply::list(
                http,
                MetricValueList::new(version, &request, &values),
            ))
        }
        ApiRequest::External { request, timeout } => {
            let outcome = within(timeout, state.provider.external(&request, Detail::Brief)).await?;
            let values = outcome.result.map_err(|error| Status::from(&error))?;
            Ok(reply::ok(http, &external_list(&request, &values)))
        }
        ApiRequest::Usage { request, timeout } => {
            let outcome = within(timeout, state.provider.usage(&request)).await?;
            let usages = outcome.result.map_err(|error| Status::from(&error))?;
            let usages = Usages::new(&request, &usages).ok_or_else(Status::unknown_route)?;
            Ok(reply::ok(http, &usages))
        }
    }
}

/// The answer, or 504 if it takes longer than the caller waits.
pub(super) async fn within<T>(timeout: Duration, answer: impl Future<Output = T>) -> Result<T, Status> {
    bounded(timeout, answer).await.map_err(|_| Status::timeout())
}
