//! Paths of requests: what they ask, or what is wrong with them.

use super::table;
use promql_adapter::api::{ApiRequest, path};
use promql_adapter::model::ObjectChoice;

#[test]
fn paths_are_read_as_kubernetes_does() {
    table::check("path.txt", |uri| {
        let uri = uri.replace("P/", "/apis/custom.metrics.k8s.io/v1beta2/");
        let uri = uri.replace("X/", "/apis/external.metrics.k8s.io/v1beta1/");
        let uri = uri.replace("R/", "/apis/metrics.k8s.io/v1beta1/");
        let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
        match path::parse(path, query) {
            Ok(request) => summary(&request),
            Err(status) => format!("{} {status}", status.code().as_u16()),
        }
    });
}

fn summary(request: &ApiRequest) -> String {
    let mut words = match request {
        ApiRequest::Custom { request, .. } => {
            let object = chosen(&request.objects);
            let place = place(request.namespace.as_deref());
            let selector = &request.metric_selector;
            format!(
                "`{}` {{{selector}}} of {} {object} in {place}",
                request.metric, request.resource
            )
        }
        ApiRequest::External { request, .. } => {
            format!(
                "external `{}` {{{}}} for namespace `{}`",
                request.metric, request.selector, request.namespace
            )
        }
        ApiRequest::Usage { request, .. } => {
            let fields = request.fields.iter().map(|condition| format!(", {condition:?}"));
            let place = place(request.namespace.as_deref());
            let object = chosen(&request.objects);
            format!(
                "usage of {} {object} in {place}{}",
                request.of,
                fields.collect::<String>()
            )
        }
    };
    if request.timeout().as_secs() != 60 {
        words += &format!(", within {:?}", request.timeout());
    }
    words
}

fn chosen(objects: &ObjectChoice) -> String {
    match objects {
        ObjectChoice::Named(name) => format!("`{name}`"),
        ObjectChoice::Matching(selector) if selector.is_empty() => "all".to_owned(),
        ObjectChoice::Matching(selector) => format!("all with {selector}"),
    }
}

fn place(namespace: Option<&str>) -> String {
    namespace.map_or("root".to_owned(), |namespace| format!("namespace `{namespace}`"))
}

#[test]
fn the_version_is_that_of_the_path() {
    for version in ["v1beta1", "v1beta2"] {
        let path = format!("/apis/custom.metrics.k8s.io/{version}/nodes/n1/load");
        let Ok(ApiRequest::Custom { version: read, .. }) = path::parse(&path, "") else {
            panic!("{path} is a custom request");
        };
        assert_eq!(format!("{read:?}").to_lowercase(), version);
    }
}
