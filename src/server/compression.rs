//! Compresses answers that are worth it.

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use actix_web::middleware::Next;

use crate::api::WORTH_COMPRESSING_BYTES;

const AS_IT_IS: HeaderValue = HeaderValue::from_static("identity");

/// Marks small answers so that the compression around it leaves them alone.
pub(crate) async fn spare_small_answers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    let small = match response.response().body().size() {
        BodySize::None => true,
        BodySize::Sized(size) => size < WORTH_COMPRESSING_BYTES as u64,
        BodySize::Stream => false,
    };
    if small && !response.headers().contains_key(CONTENT_ENCODING) {
        response.headers_mut().insert(CONTENT_ENCODING, AS_IT_IS);
    }
    Ok(response)
}

/// Takes the mark off again.
pub(crate) fn unmark(headers: &mut HeaderMap) {
    if headers.get(CONTENT_ENCODING) == Some(&AS_IT_IS) {
        headers.remove(CONTENT_ENCODING);
    }
}
