//! Asks about one kind of use, and reads the answers.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::known::PartAmounts;
use crate::kubernetes::Object;
use crate::model::{Timestamp, UsageRequest};
use crate::prometheus::Answer;
use crate::provider::error::{Error, Subject};
use crate::provider::trace::{Reading, Trace};
use crate::provider::{Asker, Provider, values};
use crate::rules::{self, DropReason, OnPartial, UsageRule};

/// Questions about single namespaces under way at once, of one request and one kind of use.
const AT_ONCE: usize = 8;

/// What one question came to, and its way.
pub(super) type Part = (Result<PartAmounts, Error>, Trace);

/// A request whose objects are known.
pub(super) struct Asking<'a> {
    provider: &'a Provider,
    request: &'a UsageRequest,
    objects: &'a [Object],
    asked: HashSet<(&'a str, &'a str)>,
    now: Timestamp,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        provider: &'a Provider,
        request: &'a UsageRequest,
        objects: &'a [Object],
        now: Timestamp,
    ) -> Self {
        let asked = objects.iter().map(|object| (&*object.namespace, &*object.name));
        Asking {
            provider,
            request,
            objects,
            asked: asked.collect(),
            now,
        }
    }

    /// Asks about one kind of use, with one question if that will do.
    pub(super) async fn parts(&self, rule: &UsageRule) -> Vec<Part> {
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
                let metric = rule.usage.to_string();
                let subject = Subject::usage(self.request, &metric);
                (Err(subject.no_query(rule.key(), &fault)), Trace::default())
            }
        }
    }

    /// Asks one question; `namespace` is `None` if it is about all.
    async fn question(&self, rule: &UsageRule, namespace: Option<&str>, query: &str) -> Part {
        let mut trace = Trace {
            objects: Some(self.names(namespace)),
            narrow_query: match (namespace, &self.request.namespace) {
                (None, Some(asked)) => self.narrow_query(rule, asked),
                _ => None,
            },
            own: rule.own(self.request.namespace.as_deref(), &self.object_names()),
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

    /// The question that the one about all stands for, where all objects are of one namespace.
    fn narrow_query(&self, rule: &UsageRule, namespace: &str) -> Option<String> {
        rule.query(Some(namespace), &self.object_names()).ok()
    }

    fn object_names(&self) -> Vec<String> {
        self.objects.iter().map(|object| object.name.clone()).collect()
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
        answer: &Arc<Answer>,
        trace: &mut Trace,
    ) -> PartAmounts {
        let is_asked = |namespace: &str, name: &str| self.asked.contains(&(namespace, name));
        let reading = match (namespace, &self.request.namespace) {
            (None, Some(asked)) => {
                let slices = self.provider.slices.of(rule, answer);
                rule.read(None, is_asked, slices.samples(asked))
            }
            _ => rule.read(namespace, is_asked, &answer.samples),
        };
        // Whoever asks about some may not read what others use.
        let samples = reading.samples.values().flat_map(BTreeMap::values);
        trace.answer = Some(Arc::new(Answer {
            samples: samples.map(|sample| (*sample).clone()).collect(),
            shape: answer.shape,
            evaluated_at: answer.evaluated_at,
            warnings: answer.warnings.clone(),
        }));
        if namespace.is_none() {
            trace.note("asked about all namespaces at once; what was not asked for is not shown");
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
