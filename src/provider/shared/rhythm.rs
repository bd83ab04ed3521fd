//! When an answer is refreshed. Pure: time comes in.

use std::time::Duration;

use crate::model::Timestamp;
use crate::prometheus::Ages;

/// Without this much time between two answers' times and the end of the first one's freshness nothing is refreshed.
const LEAST_ROOM: Duration = Duration::from_millis(500);

/// Most time that is left to a backend before an answer goes stale.
const MOST_ROOM: Duration = Duration::from_secs(5);

/// The evaluation times of a question that is refreshed: the same in all replicas, and of each family others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rhythm {
    period_ms: i64,
    /// The first of them since 1970.
    phase_ms: i64,
    /// From the evaluation time to the moment when it is asked.
    delay: Duration,
}

impl Rhythm {
    /// `None` if there is no time for another answer before one goes stale.
    ///
    /// Times lie on the grid and as far apart as leaves the backend a third of an answer's freshness. `place` and
    /// `jitter` lie between 0 and 1: one moves families apart that would all be evaluated at the same time, the other
    /// replicas that would ask at the same moment.
    pub(super) fn new(ages: &Ages, place: f64, jitter: f64) -> Option<Rhythm> {
        let Ages {
            fresh_for,
            evaluation_grid,
            ..
        } = *ages;
        let room = fresh_for.mul_f64(0.3).clamp(LEAST_ROOM, MOST_ROOM);
        let (longest_ms, grid_ms) = (
            millis(fresh_for.checked_sub(room)?),
            millis(evaluation_grid).max(1),
        );
        let steps = (longest_ms / grid_ms).max(1);
        let period_ms = steps.checked_mul(grid_ms)?;
        let room = fresh_for.checked_sub(Duration::from_millis(period_ms.unsigned_abs()))?;
        if room < LEAST_ROOM {
            return None;
        }
        // Before the next time on the grid, or it would be evaluated then.
        let longest_delay = match evaluation_grid.is_zero() {
            true => room / 6,
            false => (room / 6).min(evaluation_grid / 2),
        };
        Some(Rhythm {
            period_ms,
            phase_ms: (place * steps as f64) as i64 * grid_ms,
            delay: longest_delay.mul_f64(jitter),
        })
    }

    /// Time from one answer to the next.
    pub(super) fn period(&self) -> Duration {
        Duration::from_millis(self.period_ms.unsigned_abs())
    }

    /// When to ask after an answer of this time.
    pub(super) fn after(&self, evaluated_at: Timestamp) -> Timestamp {
        let evaluated_ms = evaluated_at.as_millisecond();
        let since_ms = (evaluated_ms - self.phase_ms).rem_euclid(self.period_ms);
        let next = Timestamp::from_millisecond(evaluated_ms - since_ms + self.period_ms);
        let next = next.and_then(|next| next.checked_add(self.delay));
        next.unwrap_or(evaluated_at)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rhythm(fresh_for_ms: u64, grid_ms: u64, place: f64, jitter: f64) -> Option<Rhythm> {
        let ages = Ages {
            fresh_for: Duration::from_millis(fresh_for_ms),
            serve_stale_for: Duration::ZERO,
            failure_hold: Duration::ZERO,
            evaluation_grid: Duration::from_millis(grid_ms),
        };
        Rhythm::new(&ages, place, jitter)
    }

    fn period_ms(fresh_for_ms: u64, grid_ms: u64) -> Option<u128> {
        let rhythm = rhythm(fresh_for_ms, grid_ms, 0.0, 0.0);
        rhythm.map(|rhythm| rhythm.period().as_millis())
    }

    fn millisecond(at: i64) -> Timestamp {
        Timestamp::from_millisecond(at).unwrap()
    }

    #[test]
    fn backend_has_a_third_of_the_freshness_and_at_most_five_seconds() {
        assert_eq!(period_ms(10_000, 1_000), Some(7_000));
        assert_eq!(period_ms(10_000, 5_000), Some(5_000));
        assert_eq!(period_ms(10_000, 0), Some(7_000));
        assert_eq!(period_ms(2_000, 1_000), Some(1_000));
        assert_eq!(period_ms(60_000, 5_000), Some(55_000));
    }

    #[test]
    fn freshness_little_longer_than_the_grid_leaves_the_backend_less() {
        assert_eq!(period_ms(5_500, 5_000), Some(5_000));
        assert_eq!(period_ms(1_000, 0), Some(500));
    }

    #[test]
    fn nothing_is_refreshed_where_no_newer_answer_can_come_in_time() {
        for (fresh_for_ms, grid_ms) in [(0, 5_000), (5_000, 5_000), (5_400, 5_000), (1, 0), (500, 0)] {
            assert_eq!(period_ms(fresh_for_ms, grid_ms), None, "{fresh_for_ms} {grid_ms}");
        }
    }

    #[test]
    fn next_answer_is_of_the_family_s_own_next_time_whenever_the_last_one_was_asked() {
        let first = rhythm(10_000, 1_000, 0.0, 0.0).unwrap();
        for evaluated_ms in [7_000, 8_000, 13_000] {
            assert_eq!(first.after(millisecond(evaluated_ms)), millisecond(14_000));
        }
        let last = rhythm(10_000, 1_000, 0.99, 0.0).unwrap();
        assert_eq!(last.after(millisecond(7_000)), millisecond(13_000));
        assert_eq!(last.after(millisecond(13_000)), millisecond(20_000));
    }

    #[test]
    fn replicas_ask_at_other_moments_for_the_same_time() {
        let late = rhythm(10_000, 1_000, 0.0, 0.99).unwrap();
        assert_eq!(late.after(millisecond(7_000)), millisecond(14_495));
        let without_grid = rhythm(10_000, 0, 0.0, 0.99).unwrap();
        assert_eq!(without_grid.after(millisecond(7_000)), millisecond(14_495));
    }
}
