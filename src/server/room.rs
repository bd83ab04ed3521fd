//! How many requests are in flight.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use tokio::sync::watch;

/// Room for requests in flight, shared by all workers.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    limit: usize,
    taken: Arc<watch::Sender<usize>>,
}

/// A place in the room, given back on drop.
#[derive(Debug)]
pub(crate) struct Place(Arc<watch::Sender<usize>>);

impl Room {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: Arc::new(watch::Sender::new(0)),
        }
    }

    /// A place, if one is free.
    pub(crate) fn enter(&self) -> Result<Place, Full> {
        let entered = self.taken.send_if_modified(|taken| {
            let room = *taken < self.limit;
            *taken += usize::from(room);
            room
        });
        if entered {
            Ok(Place(Arc::clone(&self.taken)))
        } else {
            Err(Full)
        }
    }

    /// Requests in flight now.
    pub(crate) fn taken(&self) -> usize {
        *self.taken.borrow()
    }

    /// Waits until nobody is in.
    pub(crate) async fn empty(&self) {
        // The sender lives as long as `self`, so that waiting cannot fail.
        let _ = self.taken.subscribe().wait_for(|taken| *taken == 0).await;
    }
}

/// No place is free.
///
/// Plain text as apiserver has it (`pkg/server/filters/maxinflight.go`), but without its Retry-After: client-go
/// would sleep on it inside one of the few workers of the HPA controller.
#[derive(Debug, thiserror::Error)]
#[error("Too many requests, please try again later.")]
pub(crate) struct Full;

impl ResponseError for Full {
    fn status_code(&self) -> StatusCode {
        StatusCode::TOO_MANY_REQUESTS
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code())
            .content_type("text/plain; charset=utf-8")
            .body(self.to_string())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.send_modify(|taken| *taken -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_dropped() {
        let room = Room::new(1);
        let place = room.enter();
        assert!(place.is_ok() && room.enter().is_err());
        drop(place);
        assert!(room.enter().is_ok());
    }

    #[tokio::test]
    async fn an_empty_room_is_not_waited_for() {
        Room::new(1).empty().await;
    }
}
