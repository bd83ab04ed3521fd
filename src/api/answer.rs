//! Answers a metric request: read it, ask the provider, write the list.

use super::ApiState;
use super::negotiation::{is_for_reader, require_json, wants_pretty};
use super::path::ApiRequest;
use super::reply;
use super::status::Status;
use super::types::{MetricValueList, external_list};
use super::usage::Usages;
use crate::provider::{Basis, Detail};
use actix_web::rt::time::timeout as bounded;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use std::time::Duration;

/// `GET /apis/{group}/{version}/…`.
pub(super) async fn get(http: &HttpRequest, state: &ApiState) -> HttpResponse {
    let answer = answer(http, state).await;
    answer.unwrap_or_else(|status| reply::failure(http, &status))
}

async fn answer(http: &HttpRequest, state: &ApiState) -> Result<HttpResponse, Status> {
    require_json(http)?;
    if let Some(body) = again(http, state) {
        return Ok(reply::written(body));
    }
    match state.read(http.uri().path(), http.query_string())? {
        ApiRequest::Custom {
            version,
            request,
            timeout,
        } => {
            let outcome = within(timeout, state.provider.custom(&request, Detail::Brief)).await?;
            let values = outcome.result.map_err(|error| Status::from(&error))?;
            let list = MetricValueList::new(version, &request, &values);
            if wants_pretty(http) {
                return Ok(reply::ok(http, &list));
            }
            let body = reply::list(list);
            keep(http, state, outcome.basis, &body);
            Ok(reply::written(body))
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

/// The body that the last such request got, if it still is the answer.
fn again(http: &HttpRequest, state: &ApiState) -> Option<Bytes> {
    if is_for_reader(http) {
        return None;
    }
    state
        .repeated
        .get(target(http)?, |basis| state.provider.stands(basis))
}

/// Keeps a body for the next such request.
fn keep(http: &HttpRequest, state: &ApiState, basis: Option<Basis>, body: &Bytes) {
    if let (Some(basis), Some(target)) = (basis, target(http)) {
        state.repeated.keep(target, basis, body.clone());
    }
}

/// Path and parameters as they came: what is written the same way is the same question.
fn target(http: &HttpRequest) -> Option<&str> {
    Some(http.uri().path_and_query()?.as_str())
}

/// The answer, or 504 if it takes longer than the caller waits.
pub(super) async fn within<T>(timeout: Duration, answer: impl Future<Output = T>) -> Result<T, Status> {
    bounded(timeout, answer).await.map_err(|_| Status::timeout())
}
