//! The way of a request for what pods or nodes use.
//!
//! CPU and memory are two questions. Where it is safe each is asked about all namespaces at once, so that all
//! autoscalers share its answer; else about each namespace.

mod asking;
mod known;
mod narrowed;
mod slices;

use futures_util::future::join_all;

use super::Provider;
use super::error::{Error, Subject};
use super::trace::{Trace, UsageOutcome};
use crate::kubernetes::Object;
use crate::model::{
    Consumer, FieldCondition, GroupResource, ObjectChoice, ObjectUsage, Selector, Timestamp, UsageRequest,
};
use crate::rules::{UsageRule, UsageRules};

use asking::Asking;
use known::Known;

pub(super) use narrowed::Narrowed;
pub(super) use slices::Slices;

pub(super) async fn answer(provider: &Provider, request: &UsageRequest, now: Timestamp) -> UsageOutcome {
    let mut traces = Vec::new();
    let result = found(provider, request, now, &mut traces).await;
    UsageOutcome { result, traces }
}

async fn found(
    provider: &Provider,
    request: &UsageRequest,
    now: Timestamp,
    traces: &mut Vec<Trace>,
) -> Result<Vec<ObjectUsage>, Error> {
    let subject = Subject::usage(request, "cpu and memory");
    let rules = provider
        .usage_rules()
        .ok_or_else(|| subject.not_found("NoRule", "there are no `resourceRules`"))?;
    let objects = objects(provider, request, &subject).await?;
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let enabled = enabled(&rules, request.of, &subject)?;
    let asking = Asking::new(provider, request, &objects, now);
    let parts = join_all(enabled.iter().map(|rule| asking.parts(rule))).await;
    let mut known = Known::default();
    let mut failure = None;
    for (rule, parts) in enabled.iter().zip(parts) {
        for (amounts, trace) in parts {
            traces.push(trace);
            match amounts {
                Ok(amounts) => known.add(rule.usage, amounts),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
    }
    if let Some(error) = failure {
        return Err(error);
    }
    let usages = known.usages(&objects, request.of, rules.window);
    match &request.objects {
        ObjectChoice::Named(name) if usages.is_empty() => Err(no_usage(request, name, traces)),
        _ => Ok(usages),
    }
}

/// The objects asked for. One that is named must be there: its labels are part of the answer.
async fn objects(
    provider: &Provider,
    request: &UsageRequest,
    subject: &Subject<'_>,
) -> Result<Vec<Object>, Error> {
    let served = provider.sources.objects.resources();
    let resource = served
        .find(&GroupResource::parse(&request.of.to_string()))
        .ok_or_else(|| subject.not_found("NoResource", "no such resource is served"))?;
    let everything = Selector::default();
    let selector = match &request.objects {
        ObjectChoice::Named(_) => &everything,
        ObjectChoice::Matching(selector) => selector,
    };
    let namespace = request.namespace.as_deref();
    let listed = provider.sources.objects.list(resource, namespace, selector);
    let mut objects = listed.await.map_err(|error| subject.no_objects(&error))?;
    objects.retain(|object| {
        let holds = |condition: &FieldCondition| condition.holds(Some(&object.namespace), &object.name);
        request.fields.iter().all(holds)
    });
    let ObjectChoice::Named(name) = &request.objects else {
        return Ok(objects);
    };
    objects.retain(|object| object.name == *name);
    match objects.is_empty() {
        false => Ok(objects),
        true => Err(Error::NoObject {
            of: request.of,
            name: name.clone(),
        }),
    }
}

/// The rules that can be asked: if there is none, nothing can ever be known.
fn enabled<'a>(
    rules: &'a UsageRules,
    of: Consumer,
    subject: &Subject<'_>,
) -> Result<Vec<&'a UsageRule>, Error> {
    let (enabled, disabled): (Vec<_>, Vec<_>) = rules.of(of).partition(|rule| rule.fault().is_none());
    if !enabled.is_empty() {
        return Ok(enabled);
    }
    Err(match disabled.iter().find_map(|rule| rule.fault()) {
        Some(fault) => subject.not_found(
            "RuleDisabled",
            format!("its rule is disabled: {}: {}", fault.place.key, fault.message),
        ),
        None => subject.not_found("NoRule", "`resourceRules` has neither `cpu` nor `memory`"),
    })
}

fn no_usage(request: &UsageRequest, name: &str, traces: &[Trace]) -> Error {
    let bad = traces
        .iter()
        .find_map(|trace| Some((trace.rule.as_ref()?, trace.dropped.first()?)));
    let (reason, cause) = match bad {
        Some((rule, dropped)) => (
            "BrokenValue",
            format!("the sample of {} {}", rule.key, dropped.reason),
        ),
        None => (
            "NoSamples",
            "the queries of `resourceRules` have no samples of it".to_owned(),
        ),
    };
    Error::NoUsage {
        kind: match request.of {
            Consumer::Pods => "podmetrics",
            Consumer::Nodes => "nodemetrics",
        },
        name: match &request.namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        },
        cause,
        reason,
    }
}
