//! Points in time.

use std::time::Duration;

pub use jiff::Timestamp;

/// How far a time is from now.
///
/// The future counts like the past: after the clock was set back, an answer from then would otherwise be fresh, and
/// a failure held, until the clock has caught up. A future of a moment is another thread's view of now.
pub fn age(at: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(at).unsigned_abs()
}
