//! The way of a request for what pods or nodes use.
//!
//! CPU and memory are two questions. Where it is safe each is asked about all namespaces at once, so that all
//! autoscalers share its answer; else about each namespace.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::error::{Error, Subject};
use super::trace::{Reading, Trace, UsageOutcome};
use super::{Asker, Provider, values};
use crate::kubernetes::Object;
use crate::model::{
    Amounts, Consumer, FieldCondition, GroupResource, ObjectChoice, ObjectUsage, Quantity, Selector,
    Timestamp, Usage, UsageRequest, Used,
};
use crate::prometheus::Answer;
use crate::rules::{self, DropReason, OnPartial, UsageRule, UsageRules};

/// Questions about single namespaces under way at once, of one request and one kind of use.
const AT_ONCE: usize = 8;

/// How long a rule is asked about each namespace after the question about all failed.
const NARROW_FOR: Duration = Duration::from_secs(10 * 60);

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
    let objects = objects(provider, request)?;
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let enabled = enabled(&rules, request.of, &subject)?;
    let asking = Asking {
        provider,
        request,
        asked: objects
            .iter()
            .map(|object| (&*object.namespace, &*object.name))
            .collect(),
        objects: &objects,
        now,
    };
    let mut known = Known::default();
    for (rule, parts) in enabled
        .iter()
        .zip(join_all(enabled.iter().map(|rule| asking.parts(rule))).await)
    {
        let mut failure = None;
        for (amounts, trace) in parts {
            traces.push(trace);
            match amounts {
                Ok(amounts) => known.add(rule.usage, amounts),
                Err(error) => failure = Some(error),
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
    }
    let usages = known.usages(&objects, request.of, rules.window);
    match &request.objects {
        ObjectChoice::Named(name) if usages.is_empty() => Err(no_usage(request, name, traces)),
        _ => Ok(usages),
    }
}

/// The objects asked for. One that is named must be there: its labels are part of the answer.
fn objects(provider: &Provider, request: &UsageRequest) -> Result<Vec<Object>, Error> {
    let resource = GroupResource::parse(&request.of.to_string());
    let everything = Selector::default();
    let selector = match &request.objects {
        ObjectChoice::Named(_) => &everything,
        ObjectChoice::Matching(selector) => selector,
    };
    let namespace = request.namespace.as_deref();
    let mut objects = provider.sources.objects.list(&resource, namespace, selector);
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
fn enabled<'a>(rules: &'a UsageRules, of: Consumer, subject: &Subject) -> Result<Vec<&'a UsageRule>, Error> {
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

/// Namespace and name, then container, each with the time of its sample and the amount if there is one to serve.
type PartAmounts = BTreeMap<(String, String), BTreeMap<String, (Timestamp, Option<Quantity>)>>;

/// What one question came to, and its way.
type Part = (Result<PartAmounts, Error>, Trace);

/// A request whose objects are known.
struct Asking<'a> {
    provider: &'a Provider,
    request: &'a UsageRequest,
    objects: &'a [Object],
    asked: HashSet<(&'a str, &'a str)>,
    now: Timestamp,
}

impl Asking<'_> {
    /// Asks about one kind of use, with one question if that will do.
    async fn parts(&self, rule: &UsageRule) -> Vec<Part> {
        let narrowed = &self.provider.narrowed;
        if let Some(query) = rule
            .wide_query()
            .filter(|_| !narrowed.is_narrow(rule.key(), self.now))
        {
            let part = self.question(rule, None, query).await;
            match &part.0 {
                // The backend itself is in trouble, and more questions would not help it.
                Ok(_) | Err(Error::BackendUnavailable(_)) => return vec![part],
                // The caller has waited long enough; the next one is answered from narrow questions.
                Err(Error::BackendTimeout(_)) => {
                    narrowed.narrow(rule.key(), self.now);
                    return vec![part];
                }
                // What is wrong in one namespace must not be felt in the others.
                Err(_) => narrowed.narrow(rule.key(), self.now),
            }
        }
        self.narrow_parts(rule).await
    }

    /// Asks about each namespace; nodes have none and are asked about together.
    async fn narrow_parts(&self, rule: &UsageRule) -> Vec<Part> {
        let mut names: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for object in self.objects {
            names
                .entry(&object.namespace)
                .or_default()
                .push(object.name.clone());
        }
        let questions = names
            .into_iter()
            .map(|(namespace, names)| self.narrow_part(rule, namespace, names));
        stream::iter(questions).buffered(AT_ONCE).collect().await
    }

    async fn narrow_part(&self, rule: &UsageRule, namespace: &str, names: Vec<String>) -> Part {
        match rule.query(Some(namespace), &names) {
            Ok(query) => self.question(rule, Some(namespace), &query).await,
            Err(fault) => {
                let subject = Subject::usage(self.request, &rule.usage.to_string());
                (Err(subject.no_query(rule.key(), &fault)), Trace::default())
            }
        }
    }

    /// Asks one question; `namespace` is `None` if it is about all.
    async fn question(&self, rule: &UsageRule, namespace: Option<&str>, query: &str) -> Part {
        let mut trace = Trace {
            objects: Some(self.names(namespace)),
            ..Trace::default()
        };
        let asker = Asker {
            place: &rule.place,
            backend: &rule.backend,
            on_partial: OnPartial::Refuse,
        };
        let metric = rule.usage.to_string();
        let answer = self
            .provider
            .ask(&asker, &metric, query, self.now, &mut trace)
            .await;
        let amounts = answer.map(|answer| self.read(rule, namespace, &answer, &mut trace));
        (amounts, trace)
    }

    /// Who is asked about, as it is explained.
    fn names(&self, namespace: Option<&str>) -> Vec<String> {
        let is_asked = |object: &&Object| namespace.is_none_or(|namespace| namespace == object.namespace);
        let objects = self.objects.iter().filter(is_asked);
        objects
            .map(|object| of(&object.namespace, &object.name, ""))
            .collect()
    }

    fn read(
        &self,
        rule: &UsageRule,
        namespace: Option<&str>,
        answer: &Answer,
        trace: &mut Trace,
    ) -> PartAmounts {
        let is_asked = |namespace: &str, name: &str| self.asked.contains(&(namespace, name));
        let reading = rule.read(namespace, is_asked, &answer.samples);
        if namespace.is_none() {
            // Whoever asks about some may not read what others use.
            let samples = reading.samples.values().flat_map(BTreeMap::values);
            trace.answer = Some(Arc::new(Answer {
                samples: samples.map(|sample| (*sample).clone()).collect(),
                shape: answer.shape,
                evaluated_at: answer.evaluated_at,
                warnings: answer.warnings.clone(),
            }));
        } else if rule.wide_query().is_some() {
            trace.note("asked about this namespace alone, since the question about all failed");
        }
        trace.dropped.extend(reading.dropped);
        let mut amounts = PartAmounts::new();
        for ((namespace, name), samples) in reading.samples {
            let has_named = samples.keys().any(|container| !container.is_empty());
            for (container, sample) in samples {
                if container.is_empty() && has_named {
                    trace.dropped.push(rules::dropped(sample, DropReason::Total));
                    continue;
                }
                let used = values::used(sample);
                match &used {
                    Ok(quantity) => trace.readings.push(Reading {
                        of: of(namespace, name, container),
                        exact: sample.value,
                        served: *quantity,
                    }),
                    Err(reason) => trace.dropped.push(rules::dropped(sample, reason.clone())),
                }
                let object = (namespace.to_owned(), name.to_owned());
                let containers = amounts.entry(object).or_default();
                containers.insert(container.to_owned(), (sample.at, used.ok()));
            }
        }
        amounts
    }
}

/// Who it is, as it is explained.
fn of(namespace: &str, name: &str, container: &str) -> String {
    let parts = [namespace, name, container];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("/")
}

/// What is known of all objects.
#[derive(Default)]
struct Known(HashMap<(String, String), KnownOfObject>);

#[derive(Default)]
struct KnownOfObject {
    containers: BTreeMap<String, Amounts>,
    /// The earliest of the samples that are served; `None` while there is none.
    at: Option<Timestamp>,
}

impl Known {
    fn add(&mut self, usage: Usage, amounts: PartAmounts) {
        for (object, containers) in amounts {
            let known = self.0.entry(object).or_default();
            for (container, (at, quantity)) in containers {
                // A container without its amount stays in sight: the autoscaler takes its pod for missing then.
                let of_container = known.containers.entry(container).or_default();
                let Some(quantity) = quantity else { continue };
                of_container.insert(usage, quantity);
                known.at = Some(known.at.map_or(at, |earliest| earliest.min(at)));
            }
        }
    }

    /// In the order of the objects; those of which nothing is known are left out.
    fn usages(mut self, objects: &[Object], of: Consumer, window: Duration) -> Vec<ObjectUsage> {
        let usages = objects.iter().filter_map(|object| {
            let KnownOfObject { mut containers, at } =
                self.0.remove(&(object.namespace.clone(), object.name.clone()))?;
            Some(ObjectUsage {
                namespace: (of == Consumer::Pods).then(|| object.namespace.clone()),
                name: object.name.clone(),
                labels: object.labels.clone(),
                at: at?,
                window,
                used: match of {
                    Consumer::Pods => Used::Containers(containers),
                    Consumer::Nodes => Used::Whole(containers.remove("").unwrap_or_default()),
                },
            })
        });
        usages.collect()
    }
}

/// Rules whose question about all namespaces failed a while ago.
#[derive(Debug, Default)]
pub(super) struct Narrowed(Mutex<HashMap<String, Timestamp>>);

impl Narrowed {
    fn narrow(&self, key: &str, now: Timestamp) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if since.insert(key.to_owned(), now).is_none() {
            tracing::warn!(
                rule = key,
                "{key}: is asked about each namespace, since the question about all failed"
            );
        }
    }

    fn is_narrow(&self, key: &str, now: Timestamp) -> bool {
        let since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since
            .get(key)
            .is_some_and(|since| now.duration_since(*since).unsigned_abs() < NARROW_FOR)
    }
}
