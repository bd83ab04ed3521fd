//! What a request needs permission for.
//!
//! Read from method, path and parameters as kube-apiserver reads them, so that both decide about the same.
//! Source: apiserver, `pkg/endpoints/request/requestinfo.go`, 1.36.

use percent_encoding::percent_decode_str;

use super::explain;
use super::query::Query;
use crate::model::{Action, FieldCondition, ObjectField, ResourceAction};

/// Says what a request needs permission for. `path` and `query` are percent-encoded.
///
/// To have an answer explained takes what the answer itself takes.
pub fn action(method: &str, path: &str, query: &str) -> Action {
    // What is no text names nothing that is served.
    let path = percent_decode_str(path).decode_utf8_lossy();
    let explained = path
        .strip_prefix(explain::PREFIX)
        .filter(|rest| rest.starts_with("/apis/"));
    resource_action(method, explained.unwrap_or(&path), query).map_or_else(
        || Action::Path {
            path: path.to_string(),
            verb: method.to_lowercase(),
        },
        Action::Resource,
    )
}

/// `None` if the path names no resource: it leads to a document about the API, or to something else.
fn resource_action(method: &str, path: &str, query: &str) -> Option<ResourceAction> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["apis", group, version, ref rest @ ..] = *segments else {
        return None;
    };
    let (namespace, parts) = match *rest {
        [] => return None,
        // The namespace itself, or what belongs to it alone.
        ["namespaces", namespace] | ["namespaces", namespace, "status" | "finalize", ..] => (namespace, rest),
        ["namespaces", namespace, ref rest @ ..] => (namespace, rest),
        _ => ("", rest),
    };
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let name = match part(1) {
        "" => named_by_field(query),
        name => name.to_owned(),
    };
    Some(ResourceAction {
        verb: verb(method, part(1).is_empty(), query).to_owned(),
        group: group.to_owned(),
        version: version.to_owned(),
        namespace: namespace.to_owned(),
        resource: part(0).to_owned(),
        subresource: part(2).to_owned(),
        name,
    })
}

fn verb(method: &str, of_many: bool, query: &str) -> &'static str {
    match (method, of_many) {
        ("GET" | "HEAD", true) if Query::parse(query).watch() => "watch",
        ("GET" | "HEAD", true) => "list",
        ("GET" | "HEAD", false) => "get",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        _ => "",
    }
}

/// The one name that a field selector leaves, if it leaves one.
fn named_by_field(query: &str) -> String {
    let conditions = Query::parse(query).fields(None).unwrap_or_default();
    let exact = |condition: &FieldCondition| condition.field == ObjectField::Name && condition.equal;
    let found = conditions.into_iter().find(exact);
    found.map(|condition| condition.value).unwrap_or_default()
}
