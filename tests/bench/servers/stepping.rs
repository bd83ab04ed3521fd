//! A pod under a load that steps up: a page with one counter, whose rate is known at every moment.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::page;

/// What the counter stood at when it began, as that of a pod that has run for long.
const COUNTED_BEFORE: f64 = 1e6;

/// The running pod.
pub(crate) struct Stepping {
    pub(crate) address: SocketAddr,
    course: Arc<Mutex<Course>>,
}

/// How the counter grows from a moment on.
#[derive(Clone, Copy)]
struct Course {
    since: Instant,
    /// At that moment.
    counted: f64,
    per_second: f64,
}

impl Stepping {
    /// Starts to expose `requests_total` of the pod `cart-0` in the namespace `shop`.
    pub(crate) fn start(per_second: f64) -> Stepping {
        let course = Course {
            since: Instant::now(),
            counted: COUNTED_BEFORE,
            per_second,
        };
        let course = Arc::new(Mutex::new(course));
        let scraped = Arc::clone(&course);
        let address = page::serve(move || {
            let counted = scraped.lock().unwrap().at(Instant::now());
            format!(
                "# TYPE requests_total counter\n\
                 requests_total{{namespace=\"shop\",pod=\"cart-0\"}} {counted:.3}\n"
            )
        });
        Stepping { address, course }
    }

    /// Changes the rate at once; gives when that was.
    pub(crate) fn step_to(&self, per_second: f64) -> Instant {
        let mut course = self.course.lock().unwrap();
        let since = Instant::now();
        *course = Course {
            since,
            counted: course.at(since),
            per_second,
        };
        since
    }
}

impl Course {
    fn at(self, now: Instant) -> f64 {
        self.counted + self.per_second * (now - self.since).as_secs_f64()
    }
}
