//! The objects file: resources and objects for running without a cluster.

use std::path::Path;

use crate::model::{Diagnostic, GroupResource, Labels, Place, Resource, Scope};

use super::faults::Faults;
use super::load::read_text;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};
use super::yaml;

/// Resources and objects as written.
#[derive(Clone, Debug, Default)]
pub struct ObjectsFile {
    /// Resources beside the core ones.
    pub resources: Vec<Resource>,
    /// The objects.
    pub objects: Vec<WrittenObject>,
}

/// One object as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenObject {
    /// Where it stands.
    pub place: Place,
    /// Its resource: `pods`, `deployments.apps`.
    pub resource: GroupResource,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

pub(crate) const OBJECTS_FILE: Section = Section {
    title: "The objects file",
    about: "Named by `objectsFile` or `--objects-file`: the resources and objects to serve metrics for without a cluster.",
    fields: &[
        Field::new(
            "resources",
            "list of resources",
            "[{group: apps, version: v1, kind: Deployment, plural: deployments, scope: Namespaced}]",
            "Resources beside the core ones, which are built in.",
        ),
        Field::new(
            "objects",
            "list of objects",
            "[{resource: pods, namespace: shop, name: cart-0, labels: {app: cart}}]",
            "The objects.",
        ),
    ],
    shared: &[],
};

pub(crate) const RESOURCE: Section = Section {
    title: "An entry of `resources`",
    about: "A resource, as `kubectl api-resources` shows it.",
    fields: &[
        Field::new("group", "text", "apps", "API group; left out for the core group."),
        Field::new("version", "text", "v1", "Its version.").or("v1"),
        Field::new("kind", "text", "Deployment", "Its kind."),
        Field::new("plural", "text", "deployments", "Its name in a path."),
        Field::new(
            "singular",
            "text",
            "deployment",
            "Its singular name. Left out: the kind in lower case.",
        ),
        Field::new(
            "scope",
            "`Namespaced` or `Cluster`",
            "Cluster",
            "Whether its objects live in a namespace.",
        )
        .or("Namespaced"),
    ],
    shared: &[],
};

pub(crate) const OBJECT: Section = Section {
    title: "An entry of `objects`",
    about: "An object.",
    fields: &[
        Field::new(
            "resource",
            "resource",
            "deployments.apps",
            "Plural name, and group outside the core group.",
        ),
        Field::new(
            "namespace",
            "text",
            "shop",
            "Its namespace; left out for an object that lives in none.",
        ),
        Field::new("name", "text", "cart-0", "Its name."),
        Field::new("labels", "mapping of text to text", "{app: cart}", "Its labels."),
    ],
    shared: &[],
};

impl ObjectsFile {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        Self::parse(&read_text(path)?, &path.display().to_string())
    }

    /// Reads the text of a file called `name` and yields all faults at once.
    pub fn parse(text: &str, name: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = Faults::default();
        let Some(root) = yaml::parse(text, name, &mut faults) else {
            return faults.or(None);
        };
        let file = Mapping::open(&root, &OBJECTS_FILE, &mut faults);
        let resources = file.items("resources", &mut faults).iter();
        let resources = resources.map(|node| read_resource(node, &mut faults)).collect();
        let objects = file.items("objects", &mut faults).iter();
        let objects = objects.map(|node| read_object(node, &mut faults)).collect();
        faults.or(Some(ObjectsFile { resources, objects }))
    }
}

fn read_resource(node: &Node, faults: &mut Faults) -> Resource {
    let resource = Mapping::open(node, &RESOURCE, faults);
    let kind: String = resource.required("kind", scalar::word, faults);
    let group: Option<String> = resource.optional("group", scalar::text, faults);
    Resource {
        name: GroupResource {
            group: group.unwrap_or_default(),
            resource: resource.required("plural", scalar::word, faults),
        },
        version: resource.defaulted("version", scalar::word, faults),
        singular: resource
            .optional("singular", scalar::word, faults)
            .unwrap_or_else(|| kind.to_lowercase()),
        scope: resource.defaulted("scope", scope, faults),
        kind,
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    match text {
        "Namespaced" => Ok(Scope::Namespaced),
        "Cluster" => Ok(Scope::Cluster),
        _ => Err(format!("`{text}` is neither `Namespaced` nor `Cluster`")),
    }
}

fn read_object(node: &Node, faults: &mut Faults) -> WrittenObject {
    let object = Mapping::open(node, &OBJECT, faults);
    let resource: String = object.required("resource", scalar::word, faults);
    WrittenObject {
        place: node.place.clone(),
        resource: GroupResource::parse(&resource),
        namespace: object.optional("namespace", scalar::word, faults),
        name: object.required("name", scalar::word, faults),
        labels: object.labels("labels", faults),
    }
}
