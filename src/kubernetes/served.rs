//! Which resources a cluster serves, by API discovery.

use std::collections::HashSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResource};
use kube::Client;
use kube::core::discovery::v2::{APIGroupDiscovery, APIResourceDiscovery};

use crate::model::{GroupResource, Resource, Resources, Scope};

/// Groups that we or others like us serve: their resources are numbers about objects, not objects.
const METRICS: [&str; 3] = [
    "metrics.k8s.io",
    "custom.metrics.k8s.io",
    "external.metrics.k8s.io",
];

/// An API group, most preferred version first.
#[derive(Debug)]
struct Group {
    name: String,
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    name: String,
    /// `None` if whoever serves them does not answer.
    resources: Option<Vec<Resource>>,
}

/// The resources that are served now. Of those that cannot be learnt, `before` goes on to count.
///
/// Source: apimachinery, `pkg/apis/meta/v1`, and `apidiscovery.k8s.io/v2`, since Kubernetes 1.27 without a setting.
pub(super) async fn read(client: &Client, before: &Resources) -> Result<Resources, kube::Error> {
    let groups = match aggregated(client).await {
        // An older kube-apiserver answers in the form that has no items.
        Ok(groups) if !groups.is_empty() => groups,
        _ => one_by_one(client).await?,
    };
    Ok(merged(groups, before))
}

/// Everything in two requests.
async fn aggregated(client: &Client) -> Result<Vec<Group>, kube::Error> {
    let core = client.list_core_api_versions_aggregated().await?;
    let named = client.list_api_groups_aggregated().await?;
    Ok(core
        .items
        .into_iter()
        .chain(named.items)
        .map(of_document)
        .collect())
}

/// One request for each version of each group. A version whose server does not answer harms no other.
async fn one_by_one(client: &Client) -> Result<Vec<Group>, kube::Error> {
    let mut core = Group {
        name: String::new(),
        versions: Vec::new(),
    };
    for version in client.list_core_api_versions().await?.versions {
        let list = client.list_core_api_resources(&version).await?;
        core.versions.push(of_list("", version, &list.resources));
    }
    let mut groups = vec![core];
    for group in client.list_api_groups().await?.groups {
        if METRICS.contains(&group.name.as_str()) {
            continue;
        }
        let mut versions = Vec::new();
        for version in by_preference(&group) {
            let list = client
                .list_api_group_resources(&format!("{}/{version}", group.name))
                .await;
            versions.push(match list {
                Ok(list) => of_list(&group.name, version, &list.resources),
                Err(_) => Version {
                    name: version,
                    resources: None,
                },
            });
        }
        groups.push(Group {
            name: group.name,
            versions,
        });
    }
    Ok(groups)
}

/// Every resource once, in the most preferred version that serves it.
fn merged(groups: Vec<Group>, before: &Resources) -> Resources {
    let mut taken = HashSet::new();
    let mut resources = Vec::new();
    for group in groups {
        if METRICS.contains(&group.name.as_str()) {
            continue;
        }
        for version in group.versions {
            let known = || {
                let same = |it: &&Resource| it.group() == group.name && it.version == version.name;
                before.iter().filter(same).cloned().collect()
            };
            let served = version.resources.unwrap_or_else(known);
            resources.extend(served.into_iter().filter(|it| taken.insert(it.name.clone())));
        }
    }
    Resources::new(resources)
}

fn of_document(group: APIGroupDiscovery) -> Group {
    let name = group
        .metadata
        .and_then(|metadata| metadata.name)
        .unwrap_or_default();
    let versions = group.versions.into_iter().map(|version| {
        let version_name = version.version.unwrap_or_default();
        let is_unknown = version.freshness.as_deref() == Some("Stale") && version.resources.is_empty();
        let resources = version.resources.into_iter();
        let objects = resources.filter_map(|resource| of_aggregated(&name, &version_name, resource));
        Version {
            resources: (!is_unknown).then(|| objects.collect()),
            name: version_name,
        }
    });
    Group {
        versions: versions.collect(),
        name,
    }
}

fn of_list(group: &str, version: String, resources: &[APIResource]) -> Version {
    let objects = resources.iter().filter_map(|resource| {
        of_parts(&Parts {
            group,
            version: &version,
            kind: &resource.kind,
            plural: &resource.name,
            singular: &resource.singular_name,
            is_namespaced: resource.namespaced,
            verbs: &resource.verbs,
        })
    });
    Version {
        resources: Some(objects.collect()),
        name: version,
    }
}

fn of_aggregated(group: &str, version: &str, resource: APIResourceDiscovery) -> Option<Resource> {
    of_parts(&Parts {
        group,
        version,
        kind: &resource.response_kind?.kind?,
        plural: &resource.resource?,
        singular: &resource.singular_resource.unwrap_or_default(),
        is_namespaced: resource.scope.as_deref() == Some("Namespaced"),
        verbs: &resource.verbs,
    })
}

/// What both forms say of a resource.
struct Parts<'a> {
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    plural: &'a str,
    singular: &'a str,
    is_namespaced: bool,
    verbs: &'a [String],
}

/// `None` for what has no objects that could be watched: reviews, bindings, subresources.
fn of_parts(parts: &Parts<'_>) -> Option<Resource> {
    let can = |wanted: &str| parts.verbs.iter().any(|verb| verb == wanted);
    if !can("list") || !can("watch") || parts.plural.contains('/') {
        return None;
    }
    Some(Resource {
        name: GroupResource::new(parts.group, parts.plural),
        version: parts.version.to_owned(),
        kind: parts.kind.to_owned(),
        singular: match parts.singular {
            "" => parts.kind.to_lowercase(),
            singular => singular.to_owned(),
        },
        scope: match parts.is_namespaced {
            true => Scope::Namespaced,
            false => Scope::Cluster,
        },
    })
}

fn by_preference(group: &APIGroup) -> Vec<String> {
    let preferred = group.preferred_version.as_ref().map(|version| &version.version);
    let mut versions: Vec<String> = group.versions.iter().map(|it| it.version.clone()).collect();
    // Stable, so that the others keep their order.
    versions.sort_by_key(|version| Some(version) != preferred);
    versions
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::GroupResource;

    fn group(name: &str, versions: &[Value]) -> Group {
        let document = json!({"metadata": {"name": name}, "versions": versions});
        of_document(serde_json::from_value(document).unwrap())
    }

    fn resource(plural: &str, kind: &str, verbs: &[&str]) -> Value {
        json!({
            "resource": plural, "responseKind": {"group": "", "version": "", "kind": kind},
            "scope": "Namespaced", "singularResource": kind.to_lowercase(), "verbs": verbs,
        })
    }

    fn watched(plural: &str, kind: &str) -> Value {
        resource(plural, kind, &["get", "list", "watch"])
    }

    /// `PLURAL.GROUP/VERSION` of each.
    fn shown(resources: &Resources) -> Vec<String> {
        let name = |it: &Resource| format!("{}/{}", it.name, it.version);
        resources.iter().map(name).collect()
    }

    #[test]
    fn a_resource_counts_in_the_most_preferred_version_that_has_it() {
        let autoscaling = group(
            "autoscaling",
            &[
                json!({"version": "v2", "resources": [watched("hpas", "Hpa")]}),
                json!({"version": "v1", "resources": [watched("hpas", "Hpa"), watched("vpas", "Vpa")]}),
            ],
        );
        let resources = merged(vec![autoscaling], &Resources::default());
        assert_eq!(shown(&resources), ["hpas.autoscaling/v2", "vpas.autoscaling/v1"]);
    }

    #[test]
    fn what_has_no_objects_to_watch_is_left_out() {
        let core = group(
            "",
            &[json!({"version": "v1", "resources": [
                watched("pods", "Pod"), resource("bindings", "Binding", &["create"]),
            ]})],
        );
        let metrics = group(
            "metrics.k8s.io",
            &[json!({"version": "v1beta1", "resources": [watched("pods", "PodMetrics")]})],
        );
        assert_eq!(
            shown(&merged(vec![core, metrics], &Resources::default())),
            ["pods/v1"]
        );
    }

    #[test]
    fn a_group_whose_server_does_not_answer_keeps_what_it_had() {
        let shop = |version: Value| vec![group("shop.example", &[version])];
        let known = shop(json!({"version": "v1", "resources": [watched("carts", "Cart")]}));
        let before = merged(known, &Resources::default());
        let silent = shop(json!({"version": "v1", "freshness": "Stale"}));
        assert_eq!(merged(silent, &before), before);
        let emptied = shop(json!({"version": "v1", "freshness": "Current"}));
        assert_eq!(shown(&merged(emptied, &before)), Vec::<String>::new());
    }

    #[test]
    fn the_older_form_says_the_same() {
        let list: Vec<APIResource> = serde_json::from_value(json!([
            {"name": "carts", "singularName": "", "namespaced": true, "kind": "Cart", "verbs": ["list", "watch"]},
            {"name": "carts/status", "singularName": "", "namespaced": true, "kind": "Cart", "verbs": ["list", "watch"]},
        ]))
        .unwrap();
        let version = of_list("shop.example", "v1".to_owned(), &list);
        let groups = vec![Group {
            name: "shop.example".to_owned(),
            versions: vec![version],
        }];
        let resources = merged(groups, &Resources::default());
        assert_eq!(shown(&resources), ["carts.shop.example/v1"]);
        let cart = resources.find(&GroupResource::parse("cart")).unwrap();
        assert_eq!((cart.kind.as_str(), cart.scope), ("Cart", Scope::Namespaced));
    }
}
