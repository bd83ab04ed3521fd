//! The way of a custom metric request.

use std::sync::Arc;

use super::basis::{Basis, Grounds};
use super::error::{Error, Subject};
use super::last::ObjectKey;
use super::shared::{self, Ask, Found, Topic};
use super::trace::{Reading, Trace};
use super::{Provider, values};
use crate::kubernetes::Edition;
use crate::model::{
    CustomRequest, MetricValue, ObjectChoice, ObjectNames, ObjectReference, ObjectValue, Resource, Sample,
    Scope, Timestamp,
};
use crate::prometheus::Shape;
use crate::rules::{self, CustomEntry, DropReason, Duplicates, OnNoValue};

pub(super) async fn answer(
    provider: &Provider,
    request: &CustomRequest,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<(Vec<ObjectValue>, Option<Basis>), Error> {
    let subject = Subject::custom(request);
    let resource = served(provider, request, &subject)?;
    let catalog = provider.catalog();
    let entry = catalog
        .find_custom(&resource.name, &request.metric)
        .map_err(|why| subject.no_metric(&why))?;
    if trace.is_read() {
        trace.rule = Some(entry.rule.place.clone());
    }
    let (names, objects) = objects(provider, request, &resource, &subject, trace).await?;
    if trace.is_read() {
        let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
        trace.objects = Some(texts.clone());
        let namespace = entry.namespace_label.clone().zip(request.namespace.clone());
        trace.own = namespace
            .map(|(label, namespace)| (label, vec![namespace]))
            .into_iter()
            .collect();
        trace.own.push((entry.label.clone(), texts));
    }
    let topic = Topic::custom(entry, &request.metric_selector);
    let ask = Ask {
        topic: &topic,
        namespace: request.namespace.as_deref(),
        choice: Some(&request.objects),
        names: &names,
    };
    let found = shared::found(provider, &ask, &subject, now, trace).await?;
    let namespace = request.namespace.as_deref().map(Arc::from);
    let asked = Asked {
        provider,
        request,
        entry,
        namespace: namespace.clone(),
        names: &names,
        subject,
        now,
    };
    let values = asked.read(&found, trace)?;
    let basis = found.held.map(|held| {
        let grounds = Grounds {
            catalog: Arc::downgrade(&catalog),
            entry: Arc::downgrade(entry),
            resource,
            namespace,
            names,
            objects,
        };
        Basis::new(Arc::new(grounds), held, trace)
    });
    Ok((values, basis))
}

/// The resource as it is served, in the scope it was asked for.
fn served(
    provider: &Provider,
    request: &CustomRequest,
    subject: &Subject<'_>,
) -> Result<Arc<Resource>, Error> {
    let resources = provider.sources.objects.resources();
    let resource = resources
        .find(&request.resource)
        .ok_or_else(|| subject.not_found("NoResource", "no such resource is served"))?;
    match (resource.scope, &request.namespace) {
        (Scope::Namespaced, Some(_)) | (Scope::Cluster, None) => Ok(Arc::clone(resource)),
        (Scope::Namespaced, None) => {
            Err(subject.not_found("WrongScope", format!("{} live in a namespace", resource.plural())))
        }
        (Scope::Cluster, Some(_)) => Err(subject.not_found(
            "WrongScope",
            format!("{} do not live in a namespace", resource.plural()),
        )),
    }
}

/// Names of the objects asked for, at least one, and what they were found in if they were not named.
async fn objects(
    provider: &Provider,
    request: &CustomRequest,
    resource: &Resource,
    subject: &Subject<'_>,
    trace: &mut Trace,
) -> Result<(ObjectNames, Option<Edition>), Error> {
    let selector = match &request.objects {
        ObjectChoice::Named(name) => return Ok((ObjectNames::from_iter([name.as_str()]), None)),
        ObjectChoice::Matching(selector) => selector,
    };
    let plural = resource.plural();
    let objects = &provider.sources.objects;
    let matching = objects
        .matching(resource, request.namespace.as_deref(), selector)
        .await
        .map_err(|error| subject.no_objects(&error))?;
    if let Some(why) = matching.outdated {
        trace.note(format!(
            "{plural} as they were last seen, for they are not watched now: {why}"
        ));
    }
    if !matching.names.is_empty() {
        return Ok((matching.names, matching.edition));
    }
    let within = match &request.namespace {
        Some(namespace) => format!(" in namespace {namespace}"),
        None => String::new(),
    };
    Err(subject.not_found(
        "NoObjects",
        if selector.is_empty() {
            format!("there are no {plural}{within}")
        } else {
            format!("selector {selector} matches no {plural}{within}")
        },
    ))
}

/// A question that has its answer.
pub(super) struct Asked<'a> {
    pub(super) provider: &'a Provider,
    pub(super) request: &'a CustomRequest,
    pub(super) entry: &'a CustomEntry,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) names: &'a ObjectNames,
    pub(super) subject: Subject<'a>,
    pub(super) now: Timestamp,
}

impl Asked<'_> {
    pub(super) fn read(&self, found: &Found, trace: &mut Trace) -> Result<Vec<ObjectValue>, Error> {
        let rule = &self.entry.rule;
        let answer = found.answer();
        if answer.shape == Shape::Scalar {
            let cause = "the query gives a number without labels, so it names no object";
            return Err(self.subject.broken(rule, cause));
        }
        let samples = found.samples(self.names);
        if samples.is_empty() {
            return self.nothing(trace);
        }
        let namespace = self.request.namespace.as_deref();
        let reading = rules::associate(self.entry, namespace, self.names, samples);
        trace.dropped.extend(reading.dropped);
        if let Some(name) = reading.repeated.first() {
            if rule.duplicates == Duplicates::Refuse {
                let cause = format!("the query gives several samples for {name}");
                return Err(self.subject.broken(rule, &cause));
            }
            trace.note(format!(
                "of several samples for {name} the last in label order is served"
            ));
        }
        let mut values = Vec::with_capacity(reading.samples.len());
        let mut left_out = false;
        for (name, sample) in reading.samples {
            match self.value(name, sample, answer.evaluated_at, trace) {
                Ok(value) => values.push(self.object(name, value)),
                Err(Unserved::Missing) => left_out = true,
                Err(Unserved::Bad(reason)) => trace.dropped.push(rules::dropped(sample, reason)),
            }
        }
        if values.is_empty() && !left_out {
            return Err(self.unusable(trace));
        }
        Ok(values)
    }

    /// The value of one object, by policy where the sample is not a number.
    fn value(
        &self,
        name: &str,
        sample: &Sample,
        evaluated_at: Timestamp,
        trace: &mut Trace,
    ) -> Result<MetricValue, Unserved> {
        match values::value(&self.entry.rule, sample) {
            Ok(value) => {
                trace.read(|| Reading {
                    of: name.to_owned(),
                    exact: sample.value,
                    served: value.quantity,
                });
                self.remember(name, &value, evaluated_at);
                Ok(value)
            }
            Err(DropReason::NotANumber) => {
                let policy = self.entry.rule.policies.on_no_traffic;
                self.stand_in("onNoTraffic", policy, name, trace)
                    .unwrap_or(Err(Unserved::Bad(DropReason::NotANumber)))
            }
            Err(reason) => Err(Unserved::Bad(reason)),
        }
    }

    /// What a policy puts in place of a value; `None` where it is an error.
    fn stand_in(
        &self,
        key: &'static str,
        policy: OnNoValue,
        name: &str,
        trace: &mut Trace,
    ) -> Option<Result<MetricValue, Unserved>> {
        let rule = &self.entry.rule;
        let (answer, said) = match policy {
            OnNoValue::Error => return None,
            OnNoValue::Missing => (Err(Unserved::Missing), "left out".to_owned()),
            OnNoValue::Last { within } => {
                let last = self
                    .provider
                    .last
                    .custom
                    .get(&self.last_key(name), self.now, within)?;
                let said = format!("the value of {}", last.at);
                (Ok(last), said)
            }
            OnNoValue::Value { value } => {
                let stand_in = values::constant(rule, value, self.now);
                (Ok(stand_in), value.to_string())
            }
        };
        self.provider.sources.metrics.policy_used(rule.key(), key);
        trace.note(format!("{name}: {said}, by {key} of {}", rule.key()));
        Some(answer)
    }

    /// The backend has no sample at all.
    fn nothing(&self, trace: &mut Trace) -> Result<Vec<ObjectValue>, Error> {
        let policy = self.entry.rule.policies.on_empty;
        let mut values = Vec::new();
        let mut left_out = false;
        for name in self.names.iter() {
            match self.stand_in("onEmpty", policy, name, trace) {
                Some(Ok(value)) => values.push(self.object(name, value)),
                Some(Err(_)) => left_out = true,
                None => {}
            }
        }
        if !values.is_empty() || left_out {
            return Ok(values);
        }
        Err(self.subject.not_found(
            "NoSamples",
            format!("the query of {} has no samples", self.entry.rule.key()),
        ))
    }

    /// There are samples, and none can be served: the worst reason is the cause.
    fn unusable(&self, trace: &Trace) -> Error {
        let rule = &self.entry.rule;
        let reasons = || trace.dropped.iter().map(|dropped| &dropped.reason);
        let broken = reasons().find(|reason| matches!(reason, DropReason::Infinite | DropReason::OutOfRange));
        if let Some(reason) = broken {
            return self.subject.broken(rule, &format!("the sample {reason}"));
        }
        if reasons().any(|reason| *reason == DropReason::NotANumber) {
            let cause = format!("the sample of {} {}", rule.key(), DropReason::NotANumber);
            return self.subject.not_found("NotANumber", cause);
        }
        let cause = match reasons().next() {
            Some(reason) => format!("every sample of {} is another's: the first {reason}", rule.key()),
            None => format!("the query of {} has no samples", rule.key()),
        };
        self.subject.not_found("NoSamples", cause)
    }

    fn remember(&self, name: &str, value: &MetricValue, evaluated_at: Timestamp) {
        if let Some(within) = self.entry.rule.policies.keeps_last() {
            let last = &self.provider.last.custom;
            last.put(self.last_key(name), value.clone(), evaluated_at, within);
        }
    }

    fn last_key(&self, name: &str) -> ObjectKey {
        ObjectKey {
            rule: self.entry.rule.key().to_owned(),
            metric: self.request.metric.clone(),
            resource: self.entry.resource.name.clone(),
            namespace: self.request.namespace.clone(),
            name: name.to_owned(),
            selector: self.request.metric_selector.to_string(),
        }
    }

    fn object(&self, name: &Arc<str>, value: MetricValue) -> ObjectValue {
        ObjectValue {
            object: ObjectReference {
                resource: Arc::clone(&self.entry.resource),
                namespace: self.namespace.clone(),
                name: Arc::clone(name),
            },
            value,
        }
    }
}

/// Why an object has no value in a list.
enum Unserved {
    /// A policy leaves it out.
    Missing,
    /// Its sample cannot be served.
    Bad(DropReason),
}
