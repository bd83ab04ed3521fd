//! Answers a metric request: read it, ask the provider, write the list.

use super::ApiState;
use super::negotiation::{ListForm, is_for_reader, list_form, require_json, wants_pretty};
use super::path::ApiRequest;
use super::protobuf;
use super::reply;
use super::status::Status;
use super::types::{MetricValueList, external_list};
use super::usage::Usages;
use crate::provider::{Basis, Detail};
use actix_web::rt::time::timeout as bounded;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::TryFutureExt;
use std::time::Duration;

/// How a body is written, and on what it rests.
pub(super) type Written = (ListForm, Basis);

/// `GET /apis/{group}/{version}/…`.
pub(super) async fn get(http: &HttpRequest, state: &ApiState) -> HttpResponse {
    let answer = answer(http, state).await;
    answer.unwrap_or_else(|status| reply::failure(http, &status))
}

async fn answer(http: &HttpRequest, state: &ApiState) -> Result<HttpResponse, Status> {
    let form = list_form(http);
    if let Ok(form) = form
        && let Some(body) = again(http, state, form)
    {
        return Ok(reply::list(form, body));
    }
    match state.read(http.uri().path(), http.query_string())? {
        ApiRequest::Custom {
            version,
            request,
            timeout,
        } => {
            let form = form?;
            let outcome = within(timeout, state.provider.custom(&request, Detail::Brief)).await?;
            let values = outcome.result.map_err(|error| Status::from(&error))?;
            let list = MetricValueList::new(version, &request, &values);
            let body = match form {
                ListForm::Json if wants_pretty(http) => return Ok(reply::ok(http, &list)),
                ListForm::Json => reply::line(list.to_vec()),
                ListForm::Protobuf => protobuf::custom_list(list).into(),
            };
            keep(http, state, outcome.basis.map(|basis| (form, basis)), &body);
            Ok(reply::list(form, body))
        }
        ApiRequest::External { request, timeout } => {
            let form = form?;
            let outcome = within(timeout, state.provider.external(&request, Detail::Brief)).await?;
            let values = outcome.result.map_err(|error| Status::from(&error))?;
            Ok(match form {
                ListForm::Json => reply::ok(http, &external_list(&request, &values)),
                ListForm::Protobuf => reply::list(form, protobuf::external_list(&request, &values).into()),
            })
        }
        ApiRequest::Usage { request, timeout } => {
            require_json(http)?;
            let outcome = within(timeout, state.provider.usage(&request)).await?;
            let usages = outcome.result.map_err(|error| Status::from(&error))?;
            let usages = Usages::new(&request, &usages).ok_or_else(Status::unknown_route)?;
            Ok(reply::ok(http, &usages))
        }
    }
}

/// The body that the last such request got, if it still is the answer.
fn again(http: &HttpRequest, state: &ApiState, form: ListForm) -> Option<Bytes> {
    if is_for_reader(http) {
        return None;
    }
    let stands = |(written, basis): &Written| *written == form && state.provider.stands(basis);
    state.repeated.get(target(http)?, stands)
}

/// Keeps a body for the next such request.
fn keep(http: &HttpRequest, state: &ApiState, written: Option<Written>, body: &Bytes) {
    if let (Some(written), Some(target)) = (written, target(http)) {
        state.repeated.keep(target, written, body.clone());
    }
}

/// Path and parameters as they came: what is written the same way is the same question.
fn target(http: &HttpRequest) -> Option<&str> {
    Some(http.uri().path_and_query()?.as_str())
}

/// The answer, or 504 if it takes longer than the caller waits.
pub(super) fn within<T>(
    timeout: Duration,
    answer: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Status>> {
    bounded(timeout, answer).map_err(|_| Status::timeout())
}
