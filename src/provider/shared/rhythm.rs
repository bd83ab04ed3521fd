//! When an answer is refreshed. Pure: time comes in.

use std::time::Duration;

use crate::prometheus::Ages;

/// Without this much time between the next time on the grid and the end of an answer's freshness nothing is refreshed.
const LEAST_ROOM: Duration = Duration::from_millis(500);

/// Most time that is left to a backend before an answer goes stale.
const MOST_ROOM: Duration = Duration::from_secs(5);

/// How old an answer is when it is refreshed, counted from its evaluation time; `None` if there is no time for it.
///
/// A new answer is evaluated at a later time on the grid, so before that there is none to be had. Within what remains
/// until the answer goes stale it is asked for about half-way: later there is no time left for a slow backend.
/// `jitter` lies between 0 and 1 and moves questions apart that would all be asked at the same moment.
pub(super) fn refresh_after(ages: &Ages, jitter: f64) -> Option<Duration> {
    let room = ages.fresh_for.checked_sub(ages.evaluation_grid)?;
    if room < LEAST_ROOM {
        return None;
    }
    let lead = room.min(MOST_ROOM).mul_f64(0.6 - 0.2 * jitter);
    ages.fresh_for.checked_sub(lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fresh_for_ms: u64, grid_ms: u64, jitter: f64) -> Option<u128> {
        let ages = Ages {
            fresh_for: Duration::from_millis(fresh_for_ms),
            serve_stale_for: Duration::ZERO,
            failure_hold: Duration::ZERO,
            evaluation_grid: Duration::from_millis(grid_ms),
        };
        refresh_after(&ages, jitter).map(|after| after.as_millis())
    }

    #[test]
    fn answer_is_refreshed_between_the_next_time_on_the_grid_and_its_end() {
        assert_eq!(check(10_000, 5_000, 0.0), Some(7_000));
        assert_eq!(check(10_000, 5_000, 1.0), Some(8_000));
        assert_eq!(check(2_000, 1_000, 0.0), Some(1_400));
    }

    #[test]
    fn long_freshness_is_used_up_to_its_end() {
        assert_eq!(check(60_000, 5_000, 1.0), Some(58_000));
        assert_eq!(check(60_000, 0, 0.0), Some(57_000));
    }

    #[test]
    fn nothing_is_refreshed_where_no_newer_answer_can_come_in_time() {
        assert_eq!(check(0, 5_000, 0.0), None);
        assert_eq!(check(5_000, 5_000, 0.0), None);
        assert_eq!(check(5_400, 5_000, 0.0), None);
        assert_eq!(check(1, 0, 0.0), None);
    }
}
