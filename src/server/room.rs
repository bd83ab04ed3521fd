//! How many requests are in flight.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use tokio::sync::Notify;

/// Room for requests in flight, shared by all workers.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    limit: usize,
    taken: Arc<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    places: AtomicUsize,
    /// Told when the last place is given back.
    emptied: Notify,
}

/// A place in the room, given back on drop.
#[derive(Debug)]
pub(crate) struct Place(Arc<Taken>);

impl Room {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: Arc::default(),
        }
    }

    /// A place, if one is free.
    pub(crate) fn enter(&self) -> Result<Place, Full> {
        let one_more = |taken| (taken < self.limit).then_some(taken + 1);
        match self
            .taken
            .places
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
        {
            Ok(_) => Ok(Place(Arc::clone(&self.taken))),
            Err(_) => Err(Full),
        }
    }

    /// Requests in flight now.
    pub(crate) fn taken(&self) -> usize {
        self.taken.places.load(Ordering::Relaxed)
    }

    /// Waits until nobody is in.
    pub(crate) async fn empty(&self) {
        loop {
            let mut emptied = pin!(self.taken.emptied.notified());
            // From here on it is heard.
            emptied.as_mut().enable();
            if self.taken() == 0 {
                return;
            }
            emptied.await;
        }
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
        if self.0.places.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.emptied.notify_waiters();
        }
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

    #[tokio::test]
    async fn room_is_empty_when_the_last_place_is_given_back() {
        let room = Room::new(2);
        let places = [room.enter(), room.enter()];
        assert_eq!(room.taken(), 2);
        let empty = tokio::spawn(async move { room.empty().await });
        for place in places {
            assert!(!empty.is_finished());
            tokio::task::yield_now().await;
            drop(place);
        }
        empty.await.unwrap();
    }
}
