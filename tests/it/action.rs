//! Requests, and what they need permission for.

use super::table;
use promql_adapter::api::action;
use promql_adapter::model::Action;

#[test]
fn permission_is_needed_for_what_kube_apiserver_reads_in_a_request() {
    table::check("action.txt", |request| {
        let request = request.replace(" C/", " /apis/custom.metrics.k8s.io/v1beta1/");
        let request = request.replace(" X/", " /apis/external.metrics.k8s.io/v1beta1/");
        let request = request.replace(" R/", " /apis/metrics.k8s.io/v1beta1/");
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match action(method, path, query) {
            Action::Path { path, verb } => format!("{verb} path {path}"),
            Action::Resource(action) => {
                let parts = [
                    ("namespace", &action.namespace),
                    ("resource", &action.resource),
                    ("subresource", &action.subresource),
                    ("name", &action.name),
                ];
                let named = parts.iter().filter(|(_, value)| !value.is_empty());
                let named: Vec<String> = named.map(|(part, value)| format!("{part} `{value}`")).collect();
                format!(
                    "{} {}/{}: {}",
                    action.verb,
                    action.group,
                    action.version,
                    named.join(", ")
                )
            }
        }
    });
}
