//! What came of a load.

use std::collections::BTreeMap;
use std::time::Duration;

use super::answer::Answer;

/// One answer of so many is looked at for its age: to read each would cost more than to fetch it.
const LOOKED_AT: usize = 16;

/// What came of a load, or of one connection's part.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Answered with 200.
    pub(crate) answered: usize,
    /// Not answered with 200: the status, or `no answer`, and how often.
    pub(crate) failed: BTreeMap<String, usize>,
    /// Of the answered, in milliseconds, in no order.
    pub(crate) latencies_ms: Vec<f64>,
    /// Ages of evaluations when they were served, in seconds, of a part of the answered.
    pub(crate) ages_s: Vec<f64>,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
}

impl Outcome {
    /// Notes an answer that came so long after it was due.
    pub(super) fn note(&mut self, answer: &std::io::Result<Answer<'_>>, latency: Duration) {
        match answer {
            Ok(Answer { status: 200, body }) => {
                if self.answered.is_multiple_of(LOOKED_AT) {
                    self.ages_s.extend(super::answer::age_s(body));
                }
                self.answered += 1;
                self.latencies_ms.push(latency.as_secs_f64() * 1000.0);
            }
            Ok(answer) => self.fail(answer.status.to_string()),
            Err(_) => self.fail("no answer".to_owned()),
        }
    }

    fn fail(&mut self, why: String) {
        *self.failed.entry(why).or_default() += 1;
    }

    /// Takes in what came of another connection.
    pub(super) fn merge(&mut self, other: Outcome) {
        self.answered += other.answered;
        for (why, count) in other.failed {
            *self.failed.entry(why).or_default() += count;
        }
        self.latencies_ms.extend(other.latencies_ms);
        self.ages_s.extend(other.ages_s);
        self.took = self.took.max(other.took);
    }

    /// Fails unless everything was answered with 200.
    pub(crate) fn complete(self) -> Outcome {
        assert!(self.failed.is_empty(), "not answered: {:?}", self.failed);
        self
    }

    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }
}
