//! What the adapter may do in a cluster.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rendered::Rendered;

/// Everything that the adapter's service account may do, one line a permission: verb, resource, the one name if it is
/// bound to one, and the namespace if it is bound to one.
pub(crate) fn rights(rendered: &Rendered) -> BTreeSet<String> {
    let account = rendered.only("ServiceAccount")["metadata"]["name"].clone();
    let bindings = rendered
        .of_kind("ClusterRoleBinding")
        .chain(rendered.of_kind("RoleBinding"));
    let own = bindings.filter(|binding| binding["subjects"][0]["name"] == account);
    own.flat_map(|binding| bound(rendered, binding)).collect()
}

fn bound(rendered: &Rendered, binding: &Value) -> BTreeSet<String> {
    let (kind, name) = (&binding["roleRef"]["kind"], &binding["roleRef"]["name"]);
    let place = match binding["metadata"]["namespace"].as_str() {
        Some(namespace) => format!(" in {namespace}"),
        None => String::new(),
    };
    let known = |role: &&Value| role["kind"] == *kind && role["metadata"]["name"] == *name;
    let Some(role) = rendered.0.iter().find(known) else {
        // A role that Kubernetes has.
        return BTreeSet::from([format!("{}{place}", name.as_str().unwrap())]);
    };
    let parts = aggregated(rendered, role);
    let roles = std::iter::once(role).chain(parts);
    let rules = roles.flat_map(|role| words(&role["rules"])).flat_map(permissions);
    rules.map(|permission| permission + &place).collect()
}

/// The roles that join an aggregated one.
fn aggregated<'a>(rendered: &'a Rendered, role: &'a Value) -> impl Iterator<Item = &'a Value> {
    let selectors = words(&role["aggregationRule"]["clusterRoleSelectors"]);
    let labels = selectors.flat_map(|selector| selector["matchLabels"].as_object().unwrap());
    labels.flat_map(|(label, value)| {
        rendered
            .of_kind("ClusterRole")
            .filter(move |role| role["metadata"]["labels"][label] == *value)
    })
}

fn words(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn permissions(rule: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names: Vec<String> = match rule["resourceNames"].as_array() {
        Some(names) => names.iter().map(|name| format!(" {}", text(name))).collect(),
        None => vec![String::new()],
    };
    let mut permissions = Vec::new();
    for verb in words(&rule["verbs"]) {
        for resource in words(&rule["resources"]) {
            for name in &names {
                permissions.push(format!("{} {}{name}", text(verb), text(resource)));
            }
        }
    }
    permissions
}

#[test]
fn the_adapter_may_do_this_and_nothing_else() {
    let rights: Vec<String> = rights(&Rendered::base()).into_iter().collect();
    assert_eq!(
        rights,
        [
            "create secrets in promql-adapter",
            "get apiservices v1beta1.custom.metrics.k8s.io",
            "get apiservices v1beta1.external.metrics.k8s.io",
            "get apiservices v1beta2.custom.metrics.k8s.io",
            "get configmaps extension-apiserver-authentication",
            "get secrets promql-adapter-ca in promql-adapter",
            "list apiservices",
            "list configmaps extension-apiserver-authentication",
            "list customresourcedefinitions",
            "list pods",
            "list services",
            "patch apiservices v1beta1.custom.metrics.k8s.io",
            "patch apiservices v1beta1.external.metrics.k8s.io",
            "patch apiservices v1beta2.custom.metrics.k8s.io",
            "system:auth-delegator",
            "update secrets promql-adapter-ca in promql-adapter",
            "watch apiservices",
            "watch configmaps extension-apiserver-authentication",
            "watch customresourcedefinitions",
            "watch pods",
            "watch services",
        ]
    );
}

#[test]
fn cpu_and_memory_need_the_names_of_nodes_and_their_own_api_service() {
    let base = rights(&Rendered::base());
    let with_resources = rights(&Rendered::with(&["metrics-k8s-io"]));
    let added: Vec<&String> = with_resources.difference(&base).collect();
    assert_eq!(
        added,
        [
            "get apiservices v1beta1.metrics.k8s.io",
            "list nodes",
            "patch apiservices v1beta1.metrics.k8s.io",
            "watch nodes",
        ]
    );
}

#[test]
fn with_cert_manager_the_adapter_may_touch_no_secret_and_change_no_api_service() {
    let rights = rights(&Rendered::with(&["cert-manager"]));
    let touching = rights
        .iter()
        .filter(|right| right.contains("secrets") || right.starts_with("patch apiservices"));
    assert_eq!(touching.count(), 0, "{rights:#?}");
}

#[test]
fn pods_run_without_root_without_capabilities_and_on_a_file_system_they_cannot_write() {
    let base = Rendered::base();
    let pod = &base.only("Deployment")["spec"]["template"]["spec"];
    let security = &pod["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
    assert!(security["runAsUser"].as_u64().unwrap() > 0);
    let container = &pod["containers"][0];
    assert_eq!(
        container["securityContext"],
        serde_json::json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        })
    );
    let volumes = words(&pod["volumes"]);
    assert_eq!(volumes.filter(|volume| volume["configMap"].is_null()).count(), 0);
}
