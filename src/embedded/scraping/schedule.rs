//! When a target is scraped.

use std::time::Duration;

use crate::model::Timestamp;

/// How long until the first scrape of a target: each has its own time within the interval, given by a number that
/// belongs to it.
///
/// It hangs on the clock, not on when the target was found, so that a thousand pods found at once are not scraped at
/// once.
/// Source: Prometheus 3, `scrape/target.go`, `Target.offset`.
pub(super) fn first_after(now: Timestamp, interval: Duration, number: u64) -> Duration {
    let interval_ns = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
    let since_epoch = u64::try_from(now.as_nanosecond()).unwrap_or(0);
    let (due, elapsed) = (number % interval_ns, since_epoch % interval_ns);
    Duration::from_nanos(match due >= elapsed {
        true => due - elapsed,
        false => interval_ns - elapsed + due,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_its_own_time_in_every_interval() {
        let interval = Duration::from_secs(10);
        let second = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let number = 3_000_000_000;
        for (now, wait) in [(1000, 3), (1002, 1), (1003, 0), (1004, 9), (1010, 3)] {
            assert_eq!(
                first_after(second(now), interval, number),
                Duration::from_secs(wait)
            );
        }
    }

    #[test]
    fn a_thousand_targets_are_spread_over_the_interval() {
        use std::hash::BuildHasher;
        let interval = Duration::from_secs(1);
        let hasher = std::hash::RandomState::new();
        let mut tenths = [0; 10];
        for pod in 0..1000 {
            let number = hasher.hash_one(format!("pod-{pod}"));
            let wait = first_after(Timestamp::UNIX_EPOCH, interval, number);
            tenths[wait.as_millis() as usize / 100] += 1;
        }
        assert!(
            tenths.iter().all(|targets| (50..150).contains(targets)),
            "{tenths:?}"
        );
    }
}
