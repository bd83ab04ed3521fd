//! Which label names which resource.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{GroupResource, Resource, Resources};
use crate::promql::{ResourceTemplate, TemplateError};

/// Labels and the resources they name.
#[derive(Debug, Default)]
pub(super) struct Association {
    /// Written by the operator: label and resource; the first label of a resource is the one queries use.
    written: Vec<(String, Arc<Resource>)>,
    /// What the operator's template makes of every resource that is served.
    templated: BTreeMap<String, Arc<Resource>>,
    /// The label whose value is the namespace.
    namespace: Option<String>,
}

impl Association {
    /// From labels that the operator wrote; `scope` is the label of the namespace where that is not one of them.
    pub(super) fn written(labels: Vec<(String, Arc<Resource>)>, scope: Option<String>) -> Association {
        let of_labels = labels.iter().find(|(_, resource)| is_namespace(resource));
        let namespace = scope.or_else(|| of_labels.map(|(label, _)| label.clone()));
        Association {
            written: labels,
            templated: BTreeMap::new(),
            namespace,
        }
    }

    /// Adds what a template makes of each resource.
    ///
    /// A label has lost the dots of the group (`kube_networking_k8s_io_ingress`), so it is not taken apart:
    /// the label of every served resource is made and compared.
    pub(super) fn with_template(
        mut self,
        template: &ResourceTemplate,
        resources: &Resources,
    ) -> Result<Association, TemplateError> {
        for resource in resources.iter() {
            let shared = Arc::new(resource.clone());
            for name in [&*resource.singular, resource.plural()] {
                let label = template.label_for(name, resource.group())?;
                self.templated.entry(label).or_insert_with(|| Arc::clone(&shared));
            }
        }
        if self.namespace.is_none() {
            self.namespace = Some(template.label_for("namespace", "")?);
        }
        Ok(self)
    }

    /// The label whose value is the namespace.
    pub(super) fn namespace_label(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Whether no label can name a resource.
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.templated.is_empty()
    }

    /// Labels the operator wrote.
    pub(super) fn written_labels(&self) -> impl Iterator<Item = &str> {
        self.written.iter().map(|(label, _)| label.as_str())
    }

    /// Resources that a series with these labels describes, each with the label that names it.
    pub(super) fn resources_of(
        &self,
        label_names: &BTreeSet<String>,
    ) -> BTreeMap<GroupResource, (Arc<Resource>, String)> {
        let written = self
            .written
            .iter()
            .filter(|(label, _)| label_names.contains(label));
        let is_written = |label: &str| self.written_labels().any(|known| known == label);
        let templated = label_names
            .iter()
            .filter(|label| !is_written(label))
            .filter_map(|label| Some((label, self.templated.get(label)?)));
        let mut found = BTreeMap::new();
        for (label, resource) in written
            .map(|(label, resource)| (label, resource))
            .chain(templated)
        {
            found
                .entry(resource.name.clone())
                .or_insert_with(|| (resource.clone(), label.clone()));
        }
        found
    }
}

fn is_namespace(resource: &Resource) -> bool {
    resource.group().is_empty() && resource.plural() == "namespaces"
}
