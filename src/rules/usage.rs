//! Rules for `metrics.k8s.io`: the query of each kind of use, and which sample belongs to whom.

use std::collections::BTreeMap;
use std::time::Duration;

use super::query::{Condition, QueryFault, Whose, condition, render_template};
use super::reading::{DropReason, Dropped, dropped};
use super::rule::TemplateQuery;
use crate::model::{Consumer, Diagnostic, Place, Sample, Usage};
use crate::promql::{LabelNameError, MatchOp, Matcher, Narrowing, Query, is_label_name};

/// `resourceRules`, ready to be asked.
#[derive(Debug)]
pub struct UsageRules {
    /// What the answers give as their window.
    pub window: Duration,
    /// One for each query, disabled ones too.
    pub rules: Vec<UsageRule>,
}

/// One query of `resourceRules`.
#[derive(Debug)]
pub struct UsageRule {
    /// What it says the use of.
    pub usage: Usage,
    /// Whose use.
    pub of: Consumer,
    /// Where it stands; its key is `resourceRules.cpu.containerQuery`.
    pub place: Place,
    /// Name of the backend to ask.
    pub backend: String,
    /// How it answers, or why it cannot.
    pub(super) making: Result<UsageMaking, Diagnostic>,
}

/// What a usage rule without a fault has.
#[derive(Debug)]
pub(super) struct UsageMaking {
    pub(super) template: TemplateQuery,
    pub(super) labels: UsageLabels,
    /// The one question that takes the place of those about each namespace, where that is safe.
    pub(super) wide: Option<String>,
}

/// The labels that say whose use a sample is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UsageLabels {
    Containers {
        namespace: String,
        pod: String,
        container: String,
    },
    Nodes {
        node: String,
    },
}

/// Samples by namespace and object, then by container; both are empty where there is none.
#[derive(Debug, Default)]
pub struct UsageReading<'a> {
    /// The samples.
    pub samples: BTreeMap<(&'a str, &'a str), BTreeMap<&'a str, &'a Sample>>,
    /// Samples that are of use to nobody.
    pub dropped: Vec<Dropped>,
}

impl UsageRules {
    /// The rules that say what these use, disabled ones too.
    pub fn of(&self, consumer: Consumer) -> impl Iterator<Item = &UsageRule> {
        self.rules.iter().filter(move |rule| rule.of == consumer)
    }
}

impl UsageRule {
    /// Why it is disabled.
    pub fn fault(&self) -> Option<&Diagnostic> {
        self.making.as_ref().err()
    }

    /// Its key in the file.
    pub fn key(&self) -> &str {
        &self.place.key
    }

    /// The query for these objects. `names` is not empty; the namespace is that of pods.
    pub fn query(&self, namespace: Option<&str>, names: &[String]) -> Result<String, QueryFault> {
        let making = self.making.as_ref().map_err(|_| QueryFault::Empty)?;
        making.query(namespace, names)
    }

    /// The query for all pods of all namespaces, if one can take the place of those for each namespace.
    pub fn wide_query(&self) -> Option<&str> {
        self.making.as_ref().ok()?.wide.as_deref()
    }

    /// The namespace that a sample names.
    pub fn namespace_of<'a>(&self, sample: &'a Sample) -> Option<&'a str> {
        match &self.making.as_ref().ok()?.labels {
            UsageLabels::Containers { namespace, .. } => sample.labels.get(namespace),
            UsageLabels::Nodes { .. } => None,
        }
    }

    /// By which labels, with which values, a series is known to be of these objects.
    pub fn own(&self, namespace: Option<&str>, names: &[String]) -> Vec<(String, Vec<String>)> {
        let Ok(making) = &self.making else {
            return Vec::new();
        };
        match &making.labels {
            UsageLabels::Containers {
                namespace: label,
                pod,
                ..
            } => {
                let namespace = namespace.map(|namespace| (label.clone(), vec![namespace.to_owned()]));
                namespace
                    .into_iter()
                    .chain([(pod.clone(), names.to_vec())])
                    .collect()
            }
            UsageLabels::Nodes { node } => vec![(node.clone(), names.to_vec())],
        }
    }

    /// Sorts samples by whom they belong to. What was not asked for is passed over.
    ///
    /// `namespace` is the one that was asked about; a sample may name it or not. Without it each must name its own.
    /// Of several samples for one container the last in label order counts, as in a rule of this form.
    pub fn read<'a>(
        &self,
        namespace: Option<&'a str>,
        is_asked: impl Fn(&str, &str) -> bool,
        samples: impl IntoIterator<Item = &'a Sample>,
    ) -> UsageReading<'a> {
        let mut reading = UsageReading::default();
        let Ok(making) = &self.making else {
            return reading;
        };
        for sample in samples {
            match making.labels.owner(namespace, sample) {
                Ok((namespace, name, container)) if is_asked(namespace, name) => {
                    reading.add((namespace, name), container, sample);
                }
                Ok(_) => {}
                Err(reason) => reading.dropped.push(dropped(sample, reason)),
            }
        }
        reading
    }
}

impl UsageMaking {
    pub(super) fn query(&self, namespace: Option<&str>, names: &[String]) -> Result<String, QueryFault> {
        let conditions = self.labels.conditions(namespace, names)?;
        render_template(&self.template, "", &conditions, &self.labels.group_by())
    }

    /// The question about all namespaces, if the template does nothing but put matchers and labels in their places
    /// and what it makes of them can be widened.
    pub(super) fn widened(&self) -> Option<String> {
        if self.template.opaque || !self.template.template.only_fills_in() {
            return None;
        }
        let UsageLabels::Containers { .. } = self.labels else {
            return None;
        };
        let any = "any".to_owned();
        let names = std::slice::from_ref(&any);
        let narrow = self.query(Some(&any), names).ok()?;
        let conditions = self.labels.conditions(Some(&any), names).ok()?;
        let [namespace, object] = conditions.as_slice() else {
            return None;
        };
        let any_namespace = Matcher::new(namespace.matcher.label(), MatchOp::NotEqual, "").ok()?;
        let (wide, _) = Query::parse(&narrow).ok()?.widened(Narrowing {
            namespace: Some((&namespace.matcher, &any_namespace)),
            object: Some(&object.matcher),
        })?;
        Some(wide.text().to_owned())
    }
}

impl UsageLabels {
    /// What `.GroupBy` holds.
    pub(super) fn group_by(&self) -> Vec<String> {
        match self {
            UsageLabels::Containers { pod, container, .. } => vec![pod.clone(), container.clone()],
            UsageLabels::Nodes { node } => vec![node.clone()],
        }
    }

    /// What cannot be a label in PromQL.
    pub(super) fn fault(&self) -> Option<LabelNameError> {
        let mut labels = self.group_by();
        if let UsageLabels::Containers { namespace, .. } = self {
            labels.push(namespace.clone());
        }
        labels
            .into_iter()
            .find(|label| !is_label_name(label))
            .map(LabelNameError)
    }

    fn conditions(&self, namespace: Option<&str>, names: &[String]) -> Result<Vec<Condition>, QueryFault> {
        let mut conditions = Vec::new();
        let object = match self {
            UsageLabels::Containers {
                namespace: label,
                pod,
                ..
            } => {
                let namespace = namespace.unwrap_or_default().to_owned();
                conditions.push(condition(label, &[namespace], Whose::Namespace)?);
                pod
            }
            UsageLabels::Nodes { node } => node,
        };
        conditions.push(condition(object, names, Whose::Objects)?);
        Ok(conditions)
    }

    /// Namespace, object and container of a sample.
    fn owner<'a>(
        &self,
        asked: Option<&'a str>,
        sample: &'a Sample,
    ) -> Result<(&'a str, &'a str, &'a str), DropReason> {
        let label = |name: &String| {
            sample
                .labels
                .get(name)
                .ok_or_else(|| DropReason::NoLabel(name.clone()))
        };
        match self {
            UsageLabels::Nodes { node } => Ok(("", label(node)?, "")),
            UsageLabels::Containers {
                namespace,
                pod,
                container,
            } => {
                let own = match (asked, sample.labels.get(namespace)) {
                    (Some(asked), Some(own)) if asked != own => return Err(DropReason::OtherNamespace),
                    (Some(namespace), _) | (None, Some(namespace)) => namespace,
                    (None, None) => return Err(DropReason::NoLabel(namespace.clone())),
                };
                Ok((own, label(pod)?, sample.labels.get(container).unwrap_or_default()))
            }
        }
    }
}

impl<'a> UsageReading<'a> {
    fn add(&mut self, object: (&'a str, &'a str), container: &'a str, sample: &'a Sample) {
        let of_object = self.samples.entry(object).or_default();
        let Some(known) = of_object.insert(container, sample) else {
            return;
        };
        let (last, earlier) = if known.labels > sample.labels {
            (known, sample)
        } else {
            (sample, known)
        };
        of_object.insert(container, last);
        self.dropped.push(dropped(earlier, DropReason::Repeated));
    }
}
