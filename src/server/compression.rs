//! Compresses answers that are worth it.

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use actix_web::middleware::Next;

/// Smaller answers are sent as they are: compressing one takes longer than sending it.
/// The Go API servers begin at 128 KiB, for networks inside a cluster; metric lists of a namespace are a tenth of that.
const WORTH_IT_BYTES: u64 = 16 * 1024;

const AS_IT_IS: HeaderValue = HeaderValue::from_static("identity");

/// Marks small answers so that the compression around it leaves them alone.
pub(crate) async fn spare_small_answers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    let small = match response.response().body().size() {
        BodySize::None => true,
        BodySize::Sized(size) => size < WORTH_IT_BYTES,
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
