//! Explains an answer: the same road as for clients, with the whole trace kept.

mod usage;

use super::ApiState;
use super::answer::within;
use super::explanation::{
    AgeSeen, Answer, DroppedSeen, Explanation, ObjectName, Question, ReadingSeen, RulePlace, SampleSeen,
    ValueServed, Way,
};
use super::groups::{EXTERNAL, EXTERNAL_VERSION};
use super::path::ApiRequest;
use super::reply;
use super::status::Status;
use super::types::time;
use crate::model::{
    CustomRequest, ExternalRequest, ExternalValue, Labels, MetricValue, ObjectChoice, ObjectValue, Place,
    Sample,
};
use crate::provider::{self, Detail, Outcome, Provider, Reading, SampleAge, Trace};
use crate::rules::Dropped;
use actix_web::{HttpRequest, HttpResponse};
use std::collections::BTreeMap;

/// What is put before the path that is to be explained.
pub(super) const PREFIX: &str = "/explain";

/// Who reads an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Who runs the adapter, and sees all that the backend says.
    Operator,
    /// Who may read the answer, and nothing of other objects.
    Client,
}

/// Answers a question as it is answered to clients, and tells how.
pub async fn explain(provider: &Provider, request: &ApiRequest, reader: Reader) -> Explanation {
    match request {
        ApiRequest::Custom { version, request, .. } => {
            let outcome = reader.of(provider.custom(request, Detail::Full).await);
            let question = custom_question(version.group_version(), request);
            let explanation = Explanation::new(question, &outcome, object_value);
            explanation.with_ages(provider, &outcome.trace, reader).await
        }
        ApiRequest::External { request, .. } => {
            let outcome = reader.of(provider.external(request, Detail::Full).await);
            let explanation = Explanation::new(external_question(request), &outcome, external_value);
            explanation.with_ages(provider, &outcome.trace, reader).await
        }
        ApiRequest::Usage { request, .. } => {
            let outcome = provider.usage(request).await;
            usage::explained(provider, request, &outcome, reader).await
        }
    }
}

impl Reader {
    /// What of an answer this reader may know.
    fn of<V>(self, outcome: Outcome<V>) -> Outcome<V> {
        let trace = match self {
            Reader::Operator => outcome.trace,
            Reader::Client => outcome.trace.without_others(),
        };
        Outcome { trace, ..outcome }
    }
}

/// `GET /explain/apis/{group}/{version}/…`: 200 with the explanation, also where a client gets an error.
pub(super) async fn get(http: &HttpRequest, state: &ApiState) -> HttpResponse {
    reply::result(http, explanation(http, state).await)
}

async fn explanation(http: &HttpRequest, state: &ApiState) -> Result<Explanation, Status> {
    let path = http.uri().path();
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let request = state.read(path, http.query_string());
    let request = request.map_err(|fault| Status::bad_request(fault.message()))?;
    within(
        request.timeout(),
        explain(&state.provider, &request, Reader::Client),
    )
    .await
}

impl Explanation {
    fn new<V>(question: Question, outcome: &Outcome<V>, served: fn(&V) -> ValueServed) -> Self {
        Explanation {
            question,
            answer: match &outcome.result {
                Ok(values) => Answer::Values(values.iter().map(served).collect()),
                Err(error) => failure(error),
            },
            way: Way::from(&outcome.trace),
            further_ways: Vec::new(),
        }
    }

    async fn with_ages(self, provider: &Provider, trace: &Trace, reader: Reader) -> Self {
        Explanation {
            way: self.way.with_ages(provider, trace, reader).await,
            ..self
        }
    }
}

impl Way {
    /// Adds how old the samples really were, which takes a question of its own to the backend.
    async fn with_ages(mut self, provider: &Provider, trace: &Trace, reader: Reader) -> Self {
        match provider.sample_ages(trace, reader == Reader::Client).await {
            Ok(ages) => self.sample_ages = ages.iter().map(AgeSeen::from).collect(),
            Err(cause) => self
                .notes
                .push(format!("the age of the samples is not known: {cause}")),
        }
        self
    }
}

fn failure(error: &provider::Error) -> Answer {
    let status = Status::from(error);
    Answer::Failure {
        code: status.code().as_u16(),
        reason: error.reason().to_owned(),
        message: status.message().to_owned(),
    }
}

fn custom_question(api: &str, request: &CustomRequest) -> Question {
    let (object, object_selector) = match &request.objects {
        ObjectChoice::Named(name) => (name.clone(), None),
        ObjectChoice::Matching(selector) => ("*".to_owned(), Some(selector.to_string())),
    };
    Question {
        api: api.to_owned(),
        namespace: request.namespace.clone(),
        resource: Some(request.resource.to_string()),
        object: Some(object),
        object_selector,
        metric: request.metric.clone(),
        metric_selector: request.metric_selector.to_string(),
    }
}

fn external_question(request: &ExternalRequest) -> Question {
    Question {
        api: format!("{EXTERNAL}/{EXTERNAL_VERSION}"),
        namespace: Some(request.namespace.clone()),
        resource: None,
        object: None,
        object_selector: None,
        metric: request.metric.clone(),
        metric_selector: request.selector.to_string(),
    }
}

fn object_value(value: &ObjectValue) -> ValueServed {
    let object = ObjectName {
        kind: value.object.resource.kind.clone(),
        namespace: value.object.namespace.as_deref().map(str::to_owned),
        name: value.object.name.to_string(),
    };
    ValueServed {
        object: Some(object),
        ..served(&value.value)
    }
}

fn external_value(value: &ExternalValue) -> ValueServed {
    ValueServed {
        labels: value.labels.as_ref().map(by_name),
        ..served(&value.value)
    }
}

fn served(value: &MetricValue) -> ValueServed {
    ValueServed {
        object: None,
        labels: None,
        value: value.quantity.to_string(),
        at: time(value.at),
        window_seconds: value.window.map(|window| window.as_secs()),
    }
}

impl From<&Trace> for Way {
    fn from(trace: &Trace) -> Self {
        let samples = trace.answer.as_ref().map_or(&[][..], |answer| &answer.samples);
        Way {
            rule: trace.rule.as_ref().map(RulePlace::from),
            backend: trace.backend.clone(),
            objects: trace.objects.as_ref().map(|names| names.to_vec()),
            query: trace.query.clone(),
            evaluated_at: trace.evaluated_at().map(time),
            samples: samples.iter().map(SampleSeen::from).collect(),
            readings: trace.readings.iter().map(ReadingSeen::from).collect(),
            dropped: trace.dropped.iter().map(DroppedSeen::from).collect(),
            sample_ages: Vec::new(),
            notes: trace.notes.clone(),
        }
    }
}

impl From<&Reading> for ReadingSeen {
    fn from(reading: &Reading) -> Self {
        ReadingSeen {
            of: reading.of.clone(),
            exact: number(reading.exact),
            served: reading.served.to_string(),
        }
    }
}

impl From<&Dropped> for DroppedSeen {
    fn from(dropped: &Dropped) -> Self {
        DroppedSeen {
            labels: by_name(&dropped.labels),
            value: number(dropped.value),
            reason: dropped.reason.to_string(),
        }
    }
}

impl From<&SampleAge> for AgeSeen {
    fn from(age: &SampleAge) -> Self {
        AgeSeen {
            labels: by_name(&age.labels),
            at: age.at.to_string(),
            seconds: age.age.as_secs_f64(),
        }
    }
}

impl From<&Place> for RulePlace {
    fn from(place: &Place) -> Self {
        RulePlace {
            file: place.file.clone(),
            line: place.line,
            key: place.key.clone(),
        }
    }
}

impl From<&Sample> for SampleSeen {
    fn from(sample: &Sample) -> Self {
        SampleSeen {
            labels: by_name(&sample.labels),
            value: number(sample.value),
            at: sample.at.to_string(),
        }
    }
}

fn by_name(labels: &Labels) -> BTreeMap<String, String> {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// As Prometheus writes numbers.
fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GroupResource, ObjectReference, Quantity, Resource, Scope, Timestamp};
    use crate::provider::{BackendAnswer, Shape};
    use std::sync::Arc;

    use super::super::path;

    fn question() -> Question {
        let path = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/http_requests_per_second";
        match path::parse(path, "labelSelector=app%3Dcart") {
            Ok(ApiRequest::Custom { version, request, .. }) => {
                custom_question(version.group_version(), &request)
            }
            other => panic!("{path} is a custom request, not {other:?}"),
        }
    }

    fn at() -> Timestamp {
        "2026-07-01T12:34:55Z".parse().unwrap()
    }

    fn trace(value: f64) -> Trace {
        let sample = Sample {
            labels: Labels::from_iter([("pod", "cart-0")]),
            value,
            at: at(),
        };
        Trace {
            detail: Detail::Full,
            rule: Some(Place {
                file: "adapter.yaml".to_owned(),
                line: Some(3),
                key: "rules[0]".to_owned(),
            }),
            backend: Some("default".to_owned()),
            objects: Some(vec!["cart-0".to_owned()]),
            query: Some("sum by (pod) (rate(http_requests_total[2m]))".to_owned()),
            narrow_query: None,
            own: Vec::new(),
            answer: Some(Arc::new(BackendAnswer {
                samples: vec![sample],
                shape: Shape::Vector,
                evaluated_at: at(),
                warnings: Vec::new(),
            })),
            readings: vec![Reading {
                of: "cart-0".to_owned(),
                exact: value,
                served: Quantity::from_milli(1500),
            }],
            dropped: Vec::new(),
            notes: vec!["answered from the result cache".to_owned()],
        }
    }

    #[test]
    fn an_answer_is_explained_from_question_to_value() {
        let value = ObjectValue {
            object: ObjectReference {
                resource: Arc::new(Resource {
                    name: GroupResource::new("", "pods"),
                    version: "v1".to_owned(),
                    kind: "Pod".to_owned(),
                    singular: "pod".to_owned(),
                    scope: Scope::Namespaced,
                }),
                namespace: Some("shop".into()),
                name: Arc::from("cart-0"),
            },
            value: MetricValue {
                quantity: Quantity::from_milli(1500),
                at: at(),
                window: Some(std::time::Duration::from_secs(120)),
            },
        };
        let outcome = Outcome {
            result: Ok(vec![value]),
            trace: trace(1.5),
            basis: None,
        };
        let explanation = Explanation::new(question(), &outcome, object_value);
        assert_eq!(
            serde_json::to_string(&explanation).unwrap(),
            r#"{"question":{"api":"custom.metrics.k8s.io/v1beta2","namespace":"shop","resource":"pods","object":"*","objectSelector":"app=cart","metric":"http_requests_per_second","metricSelector":""},"answer":{"values":[{"object":{"kind":"Pod","namespace":"shop","name":"cart-0"},"value":"1500m","at":"2026-07-01T12:34:55Z","windowSeconds":120}]},"way":{"rule":{"file":"adapter.yaml","line":3,"key":"rules[0]"},"backend":"default","objects":["cart-0"],"query":"sum by (pod) (rate(http_requests_total[2m]))","evaluatedAt":"2026-07-01T12:34:55Z","samples":[{"labels":{"pod":"cart-0"},"value":"1.5","at":"2026-07-01T12:34:55Z"}],"readings":[{"of":"cart-0","exact":"1.5","served":"1500m"}],"dropped":[],"sampleAges":[],"notes":["answered from the result cache"]}}"#
        );
    }

    #[test]
    fn a_failure_is_explained_as_far_as_it_went() {
        let outcome: Outcome<ObjectValue> = Outcome {
            result: Err(provider::Error::Broken(
                "the value of `cart-0` is +Inf".to_owned(),
            )),
            trace: trace(f64::INFINITY),
            basis: None,
        };
        let explanation = Explanation::new(question(), &outcome, object_value);
        let text = serde_json::to_string(&explanation).unwrap();
        assert_eq!(serde_json::from_str::<Explanation>(&text).unwrap(), explanation);
        assert_eq!(explanation.way.samples[0].value, "+Inf");
        assert_eq!(
            serde_json::to_string(&explanation.answer).unwrap(),
            r#"{"failure":{"code":500,"reason":"BrokenValue","message":"the value of `cart-0` is +Inf"}}"#
        );
    }
}
