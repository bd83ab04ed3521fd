//! Which form of an answer the caller takes.
//!
//! Source: apiserver, `pkg/endpoints/handlers/negotiation`.

use super::query::Query;
use super::status::Status;
use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT, USER_AGENT};

/// The forms in which `/apis` is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiscoveryForm {
    /// `APIGroupList`: the groups only.
    Groups,
    /// `apidiscovery.k8s.io/v2`.
    AggregatedV2,
    /// `apidiscovery.k8s.io/v2beta1`, for clusters before 1.30.
    AggregatedV2beta1,
}

/// Refuses a caller that does not take plain JSON.
///
/// Called before a backend is asked, so that nothing is queried in vain.
/// Autoscalers prefer protobuf but take anything.
pub(super) fn require_json(request: &HttpRequest) -> Result<(), Status> {
    let mut wishes = request
        .headers()
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok());
    let mut clauses = wishes.clone().flat_map(|wish| wish.split(',')).filter_map(clause);
    let takes_all = wishes.all(|wish| wish.trim().is_empty());
    match takes_all || clauses.any(|clause| clause.transformation.is_none()) {
        true => Ok(()),
        false => Err(Status::not_acceptable()),
    }
}

/// The form of `/apis` that the caller likes best of those there are.
///
/// A caller that takes only unknown aggregated forms must not get the plain list:
/// kube-apiserver of 1.27 would read it as an aggregated document.
pub(super) fn discovery_form(request: &HttpRequest) -> Result<DiscoveryForm, Status> {
    preferred_discovery_form(&accept(request)).ok_or_else(Status::not_acceptable)
}

fn preferred_discovery_form(accept: &str) -> Option<DiscoveryForm> {
    clauses(accept)
        .iter()
        .find_map(|clause| match &clause.transformation {
            None => Some(DiscoveryForm::Groups),
            Some(Transformation {
                kind: "APIGroupDiscoveryList",
                group: "apidiscovery.k8s.io",
                version: "v2",
            }) => Some(DiscoveryForm::AggregatedV2),
            Some(Transformation {
                kind: "APIGroupDiscoveryList",
                group: "apidiscovery.k8s.io",
                version: "v2beta1",
            }) => Some(DiscoveryForm::AggregatedV2beta1),
            Some(_) => None,
        })
}

/// Whether a person reads the answer: asked for by `pretty`, else guessed from the program, as Go does.
pub(super) fn wants_pretty(request: &HttpRequest) -> bool {
    let query = Query::parse(request.query_string());
    match query.first("pretty").filter(|value| !value.is_empty()) {
        Some(value) => matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"),
        None => is_for_reader(request),
    }
}

/// Whether the program shows what it gets to a person.
pub(super) fn is_for_reader(request: &HttpRequest) -> bool {
    let agent = request.headers().get(USER_AGENT);
    let readers = ["curl", "Wget", "Mozilla/5.0"];
    let agent = agent.and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| readers.iter().any(|reader| agent.starts_with(reader)))
}

fn accept(request: &HttpRequest) -> String {
    let values = request
        .headers()
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

/// A clause of `Accept` that JSON satisfies.
struct Clause<'a> {
    transformation: Option<Transformation<'a>>,
    wildcard: bool,
    quality: f32,
}

/// The parameters `as`, `g` and `v`: the object is wanted as another kind.
struct Transformation<'a> {
    kind: &'a str,
    group: &'a str,
    version: &'a str,
}

/// Clauses that JSON satisfies, the best first; without any wish everything is taken.
fn clauses(accept: &str) -> Vec<Clause<'_>> {
    let wishes = if accept.trim().is_empty() { "*/*" } else { accept };
    let mut clauses: Vec<_> = wishes.split(',').filter_map(clause).collect();
    clauses.sort_by(|one, other| {
        other
            .quality
            .total_cmp(&one.quality)
            .then(one.wildcard.cmp(&other.wildcard))
    });
    clauses
}

/// `None` for a clause that JSON does not satisfy. Unknown parameters say nothing.
fn clause(text: &str) -> Option<Clause<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let wildcard = match parts.next()? {
        "application/json" => false,
        "application/*" | "*/*" => true,
        _ => return None,
    };
    let parameters: Vec<_> = parts.filter_map(|parameter| parameter.split_once('=')).collect();
    let parameter = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name.trim() == wanted);
        found.map(|(_, value)| value.trim())
    };
    let quality = parameter("q")
        .and_then(|quality| quality.parse().ok())
        .unwrap_or(1.0);
    let transformation = parameter("as").map(|kind| Transformation {
        kind,
        group: parameter("g").unwrap_or_default(),
        version: parameter("v").unwrap_or_default(),
    });
    (quality > 0.0).then_some(Clause {
        transformation,
        wildcard,
        quality,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const V2: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const V2BETA1: &str = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

    fn takes_json(accept: &str) -> bool {
        let request = TestRequest::default()
            .insert_header((ACCEPT, accept))
            .to_http_request();
        require_json(&request).is_ok()
    }

    #[test]
    fn json_serves_every_stock_client() {
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/json; charset=utf-8",
            "application/json;stream=watch",
            "application/*",
            "application/json, */*",
            "application/vnd.kubernetes.protobuf, */*",
            "application/vnd.kubernetes.protobuf,application/json",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            &format!("{TABLE},application/json"),
        ] {
            assert!(takes_json(accept), "{accept}");
        }
    }

    #[test]
    fn who_takes_no_json_is_told() {
        for accept in [
            "text/plain",
            "application/vnd.kubernetes.protobuf",
            TABLE,
            "application/json;q=0",
        ] {
            assert!(!takes_json(accept), "{accept}");
        }
    }

    #[test]
    fn several_accept_headers_are_one_wish() {
        let request = TestRequest::default()
            .append_header((ACCEPT, "text/plain"))
            .append_header((ACCEPT, "application/json"))
            .to_http_request();
        assert!(require_json(&request).is_ok());
    }

    #[test]
    fn the_aggregator_gets_the_newest_form_it_knows() {
        let both = format!("{V2},{V2BETA1}");
        let reordered = "application/json;as=APIGroupDiscoveryList;v=v2;profile=nopeer;g=apidiscovery.k8s.io";
        let less_liked = format!("{V2};q=0.5,{V2BETA1}");
        for (accept, form) in [
            (V2, Some(DiscoveryForm::AggregatedV2)),
            (V2BETA1, Some(DiscoveryForm::AggregatedV2beta1)),
            (&both, Some(DiscoveryForm::AggregatedV2)),
            (reordered, Some(DiscoveryForm::AggregatedV2)),
            (&less_liked, Some(DiscoveryForm::AggregatedV2beta1)),
            (
                "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList",
                None,
            ),
            (
                "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,*/*",
                Some(DiscoveryForm::Groups),
            ),
            ("application/json", Some(DiscoveryForm::Groups)),
            (
                "application/vnd.kubernetes.protobuf, */*",
                Some(DiscoveryForm::Groups),
            ),
            ("", Some(DiscoveryForm::Groups)),
            ("text/plain", None),
        ] {
            assert_eq!(preferred_discovery_form(accept), form, "{accept}");
        }
    }

    #[test]
    fn people_get_indented_text() {
        for (uri, agent, pretty) in [
            ("/apis", "kubectl/v1.32", false),
            ("/apis?pretty=true", "kubectl/v1.32", true),
            ("/apis?pretty=1", "", true),
            ("/apis", "curl/8.5.0", true),
            ("/apis?pretty=false", "curl/8.5.0", false),
            ("/apis?pretty=", "curl/8.5.0", true),
        ] {
            let request = TestRequest::with_uri(uri)
                .insert_header((USER_AGENT, agent))
                .to_http_request();
            assert_eq!(wants_pretty(&request), pretty, "{uri} {agent}");
        }
    }
}
