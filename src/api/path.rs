//! From path and parameters to a question: the one reader for HTTP and for `explain`.
//!
//! Source: apiserver, `pkg/endpoints/request/requestinfo.go`; custom-metrics-apiserver,
//! `pkg/apiserver/installer` (routes) and `pkg/apiserver/endpoints/handlers/get.go` (the namespace metric).

use super::groups::{CUSTOM, CustomVersion, EXTERNAL, EXTERNAL_VERSION, USAGE, USAGE_VERSION};
use super::query::Query;
use super::status::Status;
use crate::model::{Consumer, CustomRequest, ExternalRequest, GroupResource, ObjectChoice, UsageRequest};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::time::Duration;

/// A question to one of the metrics APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiRequest {
    /// To `custom.metrics.k8s.io`.
    Custom {
        /// The version in which the answer is written.
        version: CustomVersion,
        /// What is asked.
        request: CustomRequest,
        /// How long the answer may take.
        timeout: Duration,
    },
    /// To `external.metrics.k8s.io`.
    External {
        /// What is asked.
        request: ExternalRequest,
        /// How long the answer may take.
        timeout: Duration,
    },
    /// To `metrics.k8s.io`.
    Usage {
        /// What is asked.
        request: UsageRequest,
        /// How long the answer may take.
        timeout: Duration,
    },
}

impl ApiRequest {
    /// How long the answer may take.
    pub fn timeout(&self) -> Duration {
        match self {
            ApiRequest::Custom { timeout, .. }
            | ApiRequest::External { timeout, .. }
            | ApiRequest::Usage { timeout, .. } => *timeout,
        }
    }
}

/// Reads a metric request.
///
/// `path` begins with `/apis/` and is still percent-encoded, as is `query`, the part behind the question mark.
/// As in Go, the whole path is decoded before it is cut at slashes, so that `%2F` parts segments too.
pub fn parse(path: &str, query: &str) -> Result<ApiRequest, Status> {
    let invalid = |_| Status::bad_request("invalid request path");
    let path = match path.contains('%') {
        true => percent_decode_str(path).decode_utf8().map_err(invalid)?,
        false => Cow::Borrowed(path),
    };
    let segments: Vec<&str> = path.strip_suffix('/').unwrap_or(&path).split('/').collect();
    let query = Query::parse(query);
    match segments.as_slice() {
        ["", "apis", _, _, rest @ ..] if rest.iter().any(|segment| matches!(*segment, "" | "." | "..")) => {
            Err(Status::unknown_route())
        }
        ["", "apis", CUSTOM, version, rest @ ..] => {
            let version = CustomVersion::parse(version).ok_or_else(Status::unknown_route)?;
            custom(version, rest, &query)
        }
        ["", "apis", EXTERNAL, EXTERNAL_VERSION, rest @ ..] => external(rest, &query),
        ["", "apis", USAGE, USAGE_VERSION, rest @ ..] => usage(rest, &query),
        _ => Err(Status::unknown_route()),
    }
}

fn custom(version: CustomVersion, segments: &[&str], query: &Query) -> Result<ApiRequest, Status> {
    let (namespace, resource, name, metric) = match *segments {
        ["namespaces", namespace, "metrics", metric] => (None, "namespaces", namespace, metric),
        ["namespaces", _, "metrics", _, _] => return Err(Status::unknown_route()),
        ["namespaces", namespace, resource, name, metric] => (Some(namespace), resource, name, metric),
        ["namespaces", _, _] => return Err(Status::bad_request("invalid request path")),
        [resource, name, metric] => (None, resource, name, metric),
        _ => return Err(Status::unknown_route()),
    };
    let resource = GroupResource::parse(resource);
    namespace.map_or(Ok(()), check_namespace)?;
    check_name(name, || resource.clone())?;
    query.check_numbers()?;
    query.fields(Some(name))?;
    let object_selector = query.selector("labelSelector")?;
    Ok(ApiRequest::Custom {
        version,
        request: CustomRequest {
            resource,
            namespace: namespace.map(str::to_owned),
            objects: match name {
                "*" => ObjectChoice::Matching(object_selector),
                _ => ObjectChoice::Named(name.to_owned()),
            },
            metric: metric.to_owned(),
            metric_selector: query.selector("metricLabelSelector")?,
        },
        timeout: query.timeout()?,
    })
}

fn external(segments: &[&str], query: &Query) -> Result<ApiRequest, Status> {
    let ["namespaces", namespace, metric] = *segments else {
        return Err(Status::unknown_route());
    };
    check_name(namespace, namespaces)?;
    if query.watch() {
        return Err(Status::watch_not_supported("*", EXTERNAL));
    }
    query.check_numbers()?;
    query.fields(None)?;
    Ok(ApiRequest::External {
        request: ExternalRequest {
            namespace: namespace.to_owned(),
            metric: metric.to_owned(),
            selector: query.selector("labelSelector")?,
        },
        timeout: query.timeout()?,
    })
}

fn usage(segments: &[&str], query: &Query) -> Result<ApiRequest, Status> {
    let (of, namespace, name) = match *segments {
        ["nodes"] => (Consumer::Nodes, None, None),
        ["nodes", name] => (Consumer::Nodes, None, Some(name)),
        ["pods"] => (Consumer::Pods, None, None),
        ["namespaces", namespace, "pods"] => (Consumer::Pods, Some(namespace), None),
        ["namespaces", namespace, "pods", name] => (Consumer::Pods, Some(namespace), Some(name)),
        _ => return Err(Status::unknown_route()),
    };
    let resource = of.to_string();
    namespace.map_or(Ok(()), |namespace| check_name(namespace, namespaces))?;
    name.map_or(Ok(()), |name| {
        check_name(name, || GroupResource::parse(&resource))
    })?;
    if name.is_none() && query.watch() {
        return Err(Status::watch_not_supported(&resource, USAGE));
    }
    query.check_numbers()?;
    let fields = query.fields(name)?;
    let selector = query.selector("labelSelector")?;
    Ok(ApiRequest::Usage {
        request: UsageRequest {
            of,
            namespace: namespace.map(str::to_owned),
            objects: match name {
                Some(name) => ObjectChoice::Named(name.to_owned()),
                None => ObjectChoice::Matching(selector),
            },
            fields,
        },
        timeout: query.timeout()?,
    })
}

/// Objects of all namespaces at once cannot be asked for. External metrics take `*` as a namespace like any other,
/// and a rule that does not look at the namespace answers.
fn check_namespace(name: &str) -> Result<(), Status> {
    match name {
        "*" => Err(Status::object_not_found(&namespaces(), name)),
        _ => check_name(name, namespaces),
    }
}

fn namespaces() -> GroupResource {
    GroupResource::parse("namespaces")
}

/// A name that no object can have: there is no such object, and no query is made of it.
///
/// Source: apimachinery, `pkg/api/validation/path/name.go`; the other rules were seen to when the path was cut.
fn check_name(name: &str, of: impl FnOnce() -> GroupResource) -> Result<(), Status> {
    match name.contains('%') {
        true => Err(Status::object_not_found(&of(), name)),
        false => Ok(()),
    }
}
