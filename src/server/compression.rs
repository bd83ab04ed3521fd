//! Compresses answers that are worth it.

use actix_http::encoding::Encoder;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{CONTENT_ENCODING, ContentEncoding};

use crate::api::{WORTH_COMPRESSING_BYTES, takes_gzip};

/// The answer, compressed if it is large, is not compressed yet, and the client takes it.
pub(crate) fn compressed(response: ServiceResponse<impl MessageBody + 'static>) -> ServiceResponse<BoxBody> {
    let is_large = match response.response().body().size() {
        BodySize::None => false,
        BodySize::Sized(size) => size >= WORTH_COMPRESSING_BYTES as u64,
        BodySize::Stream => true,
    };
    let is_plain = !response.headers().contains_key(CONTENT_ENCODING);
    if is_large && is_plain && takes_gzip(response.request()) {
        let encode = |head: &mut _, body| Encoder::response(ContentEncoding::Gzip, head, body);
        return response.map_body(encode).map_into_boxed_body();
    }
    response.map_into_boxed_body()
}
