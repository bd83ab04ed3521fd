//! Writes responses.

use super::negotiation::wants_pretty;
use super::status::Status;
use super::types::{MetricValueList, SERIALIZES};
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// The body if there is one, else the failure.
pub(super) fn result<Body: Serialize>(request: &HttpRequest, result: Result<Body, Status>) -> HttpResponse {
    match result {
        Ok(body) => ok(request, &body),
        Err(status) => failure(request, &status),
    }
}

/// A body of success.
pub(super) fn ok(request: &HttpRequest, body: &impl Serialize) -> HttpResponse {
    json(request, StatusCode::OK, body)
}

/// A failure, with its code.
pub(super) fn failure(request: &HttpRequest, status: &Status) -> HttpResponse {
    json(request, status.code(), status)
}

/// The values of a custom metric.
pub(super) fn list(request: &HttpRequest, list: MetricValueList<'_>) -> HttpResponse {
    match wants_pretty(request) {
        true => ok(request, &list),
        false => sent(StatusCode::OK, list.to_vec()),
    }
}

/// Any body, indented if a person reads it.
fn json(request: &HttpRequest, code: StatusCode, body: &impl Serialize) -> HttpResponse {
    let written = match wants_pretty(request) {
        true => serde_json::to_vec_pretty(body),
        false => serde_json::to_vec(body),
    };
    sent(code, written.expect(SERIALIZES))
}

/// What is answered depends on who asks and when, so that nobody may keep it.
fn sent(code: StatusCode, mut bytes: Vec<u8>) -> HttpResponse {
    bytes.push(b'\n');
    HttpResponse::build(code)
        .insert_header((CACHE_CONTROL, "no-cache, private"))
        .content_type("application/json")
        .body(bytes)
}
