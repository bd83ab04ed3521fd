//! The time of day.

/// Now.
#[expect(clippy::disallowed_methods, reason = "a report tells when it was made")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
