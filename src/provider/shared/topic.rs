//! What questions that can be asked together are about.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::model::{GroupResource, ObjectChoice, ObjectNames, Selector};
use crate::rules::{CustomEntry, ExternalEntry, QueryFault, Rule, WideQuery};

/// A metric, and the series of it that are selected.
#[derive(Clone, Debug)]
pub(in crate::provider) struct Topic {
    entry: Entry,
    selector: Selector,
}

#[derive(Clone, Debug)]
enum Entry {
    Custom(Arc<CustomEntry>),
    External(Arc<ExternalEntry>),
}

/// Longest query with the names of objects as they are. VictoriaMetrics takes 16 KiB.
const LONGEST_BYTES: usize = 12 << 10;

/// A question about some objects.
#[derive(Debug)]
pub(super) enum Narrow {
    /// That names them; if they are very many, with what their names begin with in common written once.
    Objects(String),
    /// About all objects in their place, since the names are too long.
    AllObjects(WideQuery),
}

/// A topic by name, as long as its rule stays the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Family {
    pub(super) rule: String,
    /// The series it is made from, which one rule may have several of.
    series: String,
    resource: Option<GroupResource>,
    selector: Selector,
}

/// A family that is known, the same only as itself: it need not be read through to be found.
#[derive(Clone, Debug)]
pub(super) struct Known(pub(super) Arc<Family>);

impl Deref for Known {
    type Target = Family;

    fn deref(&self) -> &Family {
        &self.0
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Known) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Known {}

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// Which question of a family.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) family: Known,
    /// `None` where the query does not depend on it.
    pub(super) namespace: Option<String>,
    /// The objects, where the questions about several cannot be put together.
    pub(super) exactly: Option<ObjectChoice>,
}

/// Rule and namespace of the caller, who can make up many questions.
pub(super) type Group = (String, Option<String>);

impl Topic {
    pub(in crate::provider) fn custom(entry: &Arc<CustomEntry>, selector: &Selector) -> Topic {
        Topic {
            entry: Entry::Custom(Arc::clone(entry)),
            selector: selector.clone(),
        }
    }

    pub(in crate::provider) fn external(entry: &Arc<ExternalEntry>, selector: &Selector) -> Topic {
        Topic {
            entry: Entry::External(Arc::clone(entry)),
            selector: selector.clone(),
        }
    }

    pub(in crate::provider) fn rule(&self) -> &Arc<Rule> {
        match &self.entry {
            Entry::Custom(entry) => &entry.rule,
            Entry::External(entry) => &entry.rule,
        }
    }

    pub(super) fn family(&self) -> Family {
        let (series, resource) = match &self.entry {
            Entry::Custom(entry) => (&entry.series, Some(entry.resource.name.clone())),
            Entry::External(entry) => (&entry.series, None),
        };
        Family {
            rule: self.rule().key().to_owned(),
            series: series.clone(),
            resource,
            selector: self.selector.clone(),
        }
    }

    /// Whether the query depends on the namespace.
    pub(super) fn is_of_namespace(&self) -> bool {
        match &self.entry {
            Entry::Custom(entry) => entry.namespace_label.is_some(),
            Entry::External(entry) => entry.namespace_label.is_some(),
        }
    }

    /// The label that names the objects; `None` for an external metric.
    pub(super) fn object_label(&self) -> Option<&str> {
        match &self.entry {
            Entry::Custom(entry) => Some(&entry.label),
            Entry::External(_) => None,
        }
    }

    /// The query about a namespace and some objects of it; for an external metric there are none.
    pub(super) fn narrow(&self, namespace: Option<&str>, names: &ObjectNames) -> Result<String, QueryFault> {
        match &self.entry {
            Entry::Custom(entry) => entry.query(namespace, names, &self.selector),
            Entry::External(entry) => entry.query(namespace.unwrap_or_default(), &self.selector),
        }
    }

    /// The question about a namespace and some objects of it, in a form that backends take.
    pub(super) fn asked(&self, namespace: Option<&str>, names: &ObjectNames) -> Result<Narrow, QueryFault> {
        let text = self.narrow(namespace, names)?;
        if text.len() <= LONGEST_BYTES {
            return Ok(Narrow::Objects(text));
        }
        match (self.all_of(namespace), &self.entry) {
            (Some(all), _) => Ok(Narrow::AllObjects(all)),
            (None, Entry::Custom(entry)) => {
                let short = entry.short_query(namespace, names, &self.selector);
                short.map(Narrow::Objects)
            }
            (None, Entry::External(_)) => Ok(Narrow::Objects(text)),
        }
    }

    /// The query about all objects of these namespaces, where it is as good as the narrow ones.
    pub(super) fn wide(&self, namespaces: &[String]) -> Option<WideQuery> {
        match &self.entry {
            Entry::Custom(entry) => entry.wide_query(namespaces, &self.selector),
            Entry::External(entry) => entry.wide_query(namespaces, &self.selector),
        }
    }

    /// The query about all objects of one namespace, or of the cluster.
    pub(super) fn all_of(&self, namespace: Option<&str>) -> Option<WideQuery> {
        let namespaces: Vec<String> = namespace.map(str::to_owned).into_iter().collect();
        self.wide(&namespaces)
    }

    /// What its narrow questions look like; `None` if there are none. Topics that differ in it have other answers.
    pub(super) fn form(&self) -> Option<String> {
        let name = "any-name";
        self.narrow(Some(name), &ObjectNames::from_iter([name])).ok()
    }

    /// Whether both are of the same rule, not only of one with the same place.
    pub(super) fn is_of_rule_of(&self, other: &Topic) -> bool {
        Arc::ptr_eq(self.rule(), other.rule())
    }
}
