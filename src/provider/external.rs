//! The way of an external metric request.

use super::error::{Error, Subject};
use super::last::AnswerKey;
use super::shared::{self, Ask, Topic};
use super::trace::{Reading, Trace};
use super::{Provider, values};
use crate::model::{ExternalRequest, ExternalValue, ObjectNames, Timestamp};
use crate::prometheus::{Answer, Shape};
use crate::rules::{self, DropReason, ExternalEntry, OnNoValue};

pub(super) async fn answer(
    provider: &Provider,
    request: &ExternalRequest,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Vec<ExternalValue>, Error> {
    let subject = Subject::external(request);
    let catalog = provider.catalog();
    let entry = catalog
        .find_external(&request.metric)
        .map_err(|why| subject.no_metric(&why))?;
    if trace.is_read() {
        trace.rule = Some(entry.rule.place.clone());
        let label = entry.namespace_label.clone();
        trace.own = label
            .map(|label| (label, vec![request.namespace.clone()]))
            .into_iter()
            .collect();
    }
    let topic = Topic::external(entry, &request.selector);
    let ask = Ask {
        topic: &topic,
        namespace: Some(&request.namespace),
        choice: None,
        names: &ObjectNames::default(),
    };
    let found = shared::found(provider, &ask, &subject, now, trace).await?;
    let asked = Asked {
        provider,
        entry,
        request,
        subject,
        now,
    };
    asked.read(found.answer(), trace)
}

/// A question that has its answer. The autoscaler adds up all items, so one bad sample spoils them all.
struct Asked<'a> {
    provider: &'a Provider,
    entry: &'a ExternalEntry,
    request: &'a ExternalRequest,
    subject: Subject<'a>,
    now: Timestamp,
}

impl Asked<'_> {
    fn read(&self, answer: &Answer, trace: &mut Trace) -> Result<Vec<ExternalValue>, Error> {
        let rule = &self.entry.rule;
        if answer.samples.is_empty() {
            let nothing = || {
                let cause = format!("the query of {} has no samples", rule.key());
                self.subject.not_found("NoSamples", cause)
            };
            return self
                .stand_in("onEmpty", rule.policies.on_empty, trace)
                .ok_or_else(nothing);
        }
        let mut values = Vec::with_capacity(answer.samples.len());
        for sample in &answer.samples {
            match values::value(rule, sample) {
                Ok(value) => {
                    trace.read(|| Reading {
                        of: sample.labels.to_string(),
                        exact: sample.value,
                        served: value.quantity,
                    });
                    values.push(ExternalValue {
                        labels: (answer.shape == Shape::Vector).then(|| sample.labels.clone()),
                        value,
                    });
                }
                Err(reason) => {
                    trace.dropped.push(rules::dropped(sample, reason.clone()));
                    return self.spoiled(&reason, trace);
                }
            }
        }
        self.remember(&values, answer.evaluated_at);
        Ok(values)
    }

    /// One sample cannot be served.
    fn spoiled(&self, reason: &DropReason, trace: &mut Trace) -> Result<Vec<ExternalValue>, Error> {
        let rule = &self.entry.rule;
        if *reason != DropReason::NotANumber {
            return Err(self.subject.broken(rule, &format!("a sample {reason}")));
        }
        self.stand_in("onNoTraffic", rule.policies.on_no_traffic, trace)
            .ok_or_else(|| {
                let cause = format!("a sample of {} {reason}", rule.key());
                self.subject.not_found("NotANumber", cause)
            })
    }

    /// What a policy answers in place of the whole list; `None` where it is an error.
    fn stand_in(
        &self,
        key: &'static str,
        policy: OnNoValue,
        trace: &mut Trace,
    ) -> Option<Vec<ExternalValue>> {
        let rule = &self.entry.rule;
        let (values, said) = match policy {
            OnNoValue::Error => return None,
            OnNoValue::Missing => (Vec::new(), "an empty list".to_owned()),
            OnNoValue::Last { within } => {
                let last = self
                    .provider
                    .last
                    .external
                    .get(&self.last_key(), self.now, within)?;
                (
                    last,
                    format!("the last answer, no older than {} s", within.as_secs_f64()),
                )
            }
            OnNoValue::Value { value } => {
                let stand_in = ExternalValue {
                    labels: None,
                    value: values::constant(rule, value, self.now),
                };
                (vec![stand_in], value.to_string())
            }
        };
        self.provider.sources.metrics.policy_used(rule.key(), key);
        trace.note(format!("{said}, by {key} of {}", rule.key()));
        Some(values)
    }

    fn remember(&self, values: &[ExternalValue], at: Timestamp) {
        if let Some(within) = self.entry.rule.policies.keeps_last() {
            self.provider
                .last
                .external
                .put(self.last_key(), values.to_vec(), at, within);
        }
    }

    fn last_key(&self) -> AnswerKey {
        AnswerKey {
            rule: self.entry.rule.key().to_owned(),
            metric: self.entry.metric.clone(),
            namespace: self.request.namespace.clone(),
            selector: self.request.selector.to_string(),
        }
    }
}
