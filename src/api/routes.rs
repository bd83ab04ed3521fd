//! Which path goes to which handler.

use super::ApiState;
use super::groups::{CUSTOM, CustomVersion, EXTERNAL, EXTERNAL_VERSION, Served, USAGE, USAGE_VERSION};
use super::negotiation::{DiscoveryForm, discovery_form, require_json, wants_pretty};
use super::reply;
use super::route::Route;
use super::status::Status;
use super::{aggregated, answer, discovery, explain, openapi};
use crate::rules::Catalog;
use actix_web::http::header::{ALLOW, HeaderValue, VARY};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

/// Mounts everything the metrics APIs are made of, and 404 for what is not served.
///
/// A trailing slash changes nothing, and nothing is ever redirected: kube-apiserver forwards no redirect.
pub fn configure(service: &mut web::ServiceConfig, state: &ApiState) {
    let (state, served) = (state.clone(), state.served());
    service.default_service(web::to(move |http: HttpRequest| {
        let state = state.clone();
        async move { respond(&http, &state, served).await }
    }));
}

async fn respond(http: &HttpRequest, state: &ApiState, served: Served) -> HttpResponse {
    match route(http) {
        Ok(Route::Metrics) => answer::get(http, state).await,
        // In a box, or each request would carry the room for it.
        Ok(Route::Explain) => Box::pin(explain::get(http, state)).await,
        Ok(Route::Resources { group, version }) => {
            let resources = resources(http, state, group, version);
            resources.unwrap_or_else(|status| reply::failure(http, &status))
        }
        route => documented(http, route, served),
    }
}

/// Where the path leads, for the one method there is.
fn route(http: &HttpRequest) -> Result<Route<'_>, Status> {
    let route = Route::of(http.match_info().as_str()).ok_or_else(Status::unknown_route)?;
    match http.method() == Method::GET {
        true => Ok(route),
        false => Err(Status::method_not_allowed()),
    }
}

/// The document, or why there is none.
fn documented(http: &HttpRequest, route: Result<Route<'_>, Status>, served: Served) -> HttpResponse {
    match route.and_then(|route| document(http, route, served)) {
        Ok(document) => document,
        Err(status) => {
            let mut response = reply::failure(http, &status);
            if status.code() == StatusCode::METHOD_NOT_ALLOWED {
                response
                    .headers_mut()
                    .insert(ALLOW, HeaderValue::from_static("GET"));
            }
            response
        }
    }
}

/// What depends on nothing but the groups that are served.
fn document(http: &HttpRequest, route: Route<'_>, served: Served) -> Result<HttpResponse, Status> {
    if !matches!(route, Route::Root | Route::Version | Route::Groups) {
        require_json(http)?;
    }
    Ok(match route {
        Route::Root => reply::ok(http, &root(served)),
        Route::Version => reply::ok(http, &version()),
        Route::OpenApiV2 => openapi::V2.get(served).respond(http),
        Route::OpenApiV3Index => openapi::V3.get(served).index.respond(http),
        Route::OpenApiV3 { group, version } => {
            let document = openapi::V3.get(served).document(group, version);
            document.ok_or_else(Status::unknown_route)?.respond(http)
        }
        Route::Groups => groups(http, served),
        Route::Group(name) => {
            let group = discovery::group(served, name).ok_or_else(Status::unknown_route)?;
            reply::ok(http, &group)
        }
        Route::Resources { .. } | Route::Metrics | Route::Explain => return Err(Status::unknown_route()),
    })
}

/// Paths to begin with, those of `server` among them.
fn root(served: Served) -> Value {
    let groups = served.groups().iter();
    let groups = groups.map(|group| format!("/apis/{}", group.name));
    let others = [
        "/apis",
        "/healthz",
        "/livez",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ];
    let mut paths: Vec<String> = others.map(str::to_owned).into_iter().chain(groups).collect();
    paths.sort();
    json!({ "paths": paths })
}

/// The adapter's own version in the keys of `version.Info`.
fn version() -> Value {
    json!({
        "major": env!("CARGO_PKG_VERSION_MAJOR"),
        "minor": env!("CARGO_PKG_VERSION_MINOR"),
        "gitVersion": concat!("v", env!("CARGO_PKG_VERSION")),
        "platform": format!("{}/{}", std::env::consts::OS, architecture()),
    })
}

/// The architecture as Go names it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn groups(http: &HttpRequest, served: Served) -> HttpResponse {
    let mut response = match discovery_form(http) {
        Ok(DiscoveryForm::AggregatedV2) => aggregated::V2.get(served).respond(http),
        Ok(DiscoveryForm::AggregatedV2beta1) => aggregated::V2BETA1.get(served).respond(http),
        Ok(DiscoveryForm::Groups) => reply::ok(http, &discovery::group_list(served)),
        Err(status) => reply::failure(http, &status),
    };
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept"));
    response
}

fn resources(
    http: &HttpRequest,
    state: &ApiState,
    group: &str,
    version: &str,
) -> Result<HttpResponse, Status> {
    require_json(http)?;
    let (catalog, served) = (state.provider.catalog(), state.served());
    let list = |catalog: &Catalog| resource_list(catalog, served, group, version);
    if wants_pretty(http) {
        return Ok(reply::ok(http, &list(&catalog)?));
    }
    let group_version = format!("{group}/{version}");
    let written = state.listings.written(&catalog, &group_version, list)?;
    Ok(written.respond(http))
}

fn resource_list(
    catalog: &Catalog,
    served: Served,
    group: &str,
    version: &str,
) -> Result<discovery::ApiResourceList, Status> {
    match (group, version, CustomVersion::parse(version)) {
        (CUSTOM, _, Some(version)) => Ok(discovery::custom_resources(version, catalog.custom())),
        (EXTERNAL, EXTERNAL_VERSION, _) => Ok(discovery::external_resources(catalog.external())),
        (USAGE, USAGE_VERSION, _) if served == Served::MetricsAndUsage => Ok(discovery::usage_resources()),
        _ => Err(Status::unknown_route()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{ACCEPT, CONTENT_TYPE, ETAG, IF_NONE_MATCH, USER_AGENT};
    use actix_web::test::{TestRequest, call_and_read_body, call_service, init_service, read_body};
    use actix_web::{App, dev::ServiceResponse};

    async fn answered(http: HttpRequest) -> HttpResponse {
        documented(&http, route(&http), Served::MetricsAndUsage)
    }

    async fn respond(request: TestRequest) -> ServiceResponse {
        let app = init_service(App::new().default_service(web::to(answered))).await;
        call_service(&app, request.to_request()).await
    }

    async fn json_of(request: TestRequest) -> Value {
        let app = init_service(App::new().default_service(web::to(answered))).await;
        serde_json::from_slice(&call_and_read_body(&app, request.to_request()).await).unwrap()
    }

    fn header(response: &ServiceResponse, name: actix_web::http::header::HeaderName) -> &str {
        response.headers().get(name).unwrap().to_str().unwrap()
    }

    #[actix_web::test]
    async fn the_aggregator_gets_its_document_and_then_304() {
        let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        let ask = || TestRequest::with_uri("/apis").insert_header((ACCEPT, accept));
        let response = respond(ask()).await;
        assert_eq!(
            header(&response, CONTENT_TYPE),
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        );
        assert_eq!(header(&response, VARY), "Accept");
        let tag = header(&response, ETAG).to_owned();
        assert_eq!(json_of(ask()).await["kind"], "APIGroupDiscoveryList");
        let again = respond(ask().insert_header((IF_NONE_MATCH, tag))).await;
        assert_eq!(again.status(), 304);
        assert!(read_body(again).await.is_empty());
    }

    #[actix_web::test]
    async fn an_unknown_aggregated_form_is_406_and_never_the_plain_list() {
        let accept = "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList";
        let response = respond(TestRequest::with_uri("/apis").insert_header((ACCEPT, accept))).await;
        assert_eq!(response.status(), 406);
        assert_eq!(header(&response, CONTENT_TYPE), "application/json");
    }

    #[actix_web::test]
    async fn groups_are_served_with_and_without_a_trailing_slash() {
        for path in ["/apis", "/apis/"] {
            assert_eq!(
                json_of(TestRequest::with_uri(path)).await["kind"],
                "APIGroupList",
                "{path}"
            );
        }
        for path in ["/apis/custom.metrics.k8s.io", "/apis/external.metrics.k8s.io/"] {
            assert_eq!(
                json_of(TestRequest::with_uri(path)).await["kind"],
                "APIGroup",
                "{path}"
            );
        }
    }

    #[actix_web::test]
    async fn what_is_not_served_is_a_status() {
        for path in ["/api", "/apis/apps", "/nothing", "/openapi/v3/apis/apps/v1"] {
            let status = json_of(TestRequest::with_uri(path)).await;
            assert_eq!(
                (&status["kind"], &status["code"]),
                (&json!("Status"), &json!(404)),
                "{path}"
            );
        }
    }

    #[actix_web::test]
    async fn every_other_method_is_405() {
        for path in [
            "/apis",
            "/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/pods/p/m",
            "/version",
        ] {
            for method in [Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS] {
                let response = respond(TestRequest::with_uri(path).method(method.clone())).await;
                assert_eq!(
                    (response.status().as_u16(), header(&response, ALLOW)),
                    (405, "GET"),
                    "{method} {path}"
                );
            }
        }
    }

    #[actix_web::test]
    async fn every_version_has_an_openapi_document_at_the_address_that_is_listed() {
        let index = json_of(TestRequest::with_uri("/openapi/v3")).await;
        let paths = index["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 4);
        for (name, entry) in paths {
            let document = json_of(TestRequest::with_uri(
                entry["serverRelativeURL"].as_str().unwrap(),
            ))
            .await;
            assert_eq!(document["openapi"], "3.0.0");
            for path in document["paths"].as_object().unwrap().keys() {
                assert!(path.starts_with(&format!("/{name}/")), "{path}");
            }
        }
    }

    #[actix_web::test]
    async fn every_reference_in_the_openapi_document_leads_somewhere() {
        let document = json_of(TestRequest::with_uri("/openapi/v2")).await;
        assert_eq!(document["swagger"], "2.0");
        for (path, operations) in document["paths"].as_object().unwrap() {
            let reference = operations["get"]["responses"]["200"]["schema"]["$ref"]
                .as_str()
                .unwrap();
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{path}: {reference}");
        }
    }

    #[actix_web::test]
    async fn curl_gets_indented_text() {
        let response = respond(TestRequest::with_uri("/version").insert_header((USER_AGENT, "curl/8"))).await;
        assert!(read_body(response).await.starts_with(b"{\n  \""));
    }

    /// Every request allocates and moves it.
    #[test]
    fn future_of_a_request_has_no_room_for_what_is_rare() {
        fn size_bytes<A, B, C, F>(_: impl FnOnce(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = size_bytes(super::respond);
        assert!(bytes <= 3 << 10, "{bytes}");
    }
}
