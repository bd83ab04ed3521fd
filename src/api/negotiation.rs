//! Which form of an answer the caller takes.
//!
//! Source: apiserver, `pkg/endpoints/handlers/negotiation`.

use super::query::Query;
use super::status::Status;
use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT, USER_AGENT};

/// Media type of everything there is.
pub(super) const JSON: &str = "application/json";

/// Media type of lists of values in the other form they have.
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

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

/// The forms in which lists of values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListForm {
    /// For everybody.
    Json,
    /// For who names it, as autoscalers do: both ends have less work with it.
    Protobuf,
}

/// Refuses a caller that does not take plain JSON.
///
/// Called before a backend is asked, so that nothing is queried in vain.
pub(super) fn require_json(request: &HttpRequest) -> Result<(), Status> {
    let takes = |clause: &Clause<'_>| (clause.transformation.is_none() && clause.is_json()).then_some(());
    best(request, takes).ok_or_else(|| Status::not_acceptable(&[JSON]))
}

/// The form of a list that the caller likes best.
pub(super) fn list_form(request: &HttpRequest) -> Result<ListForm, Status> {
    let form = |clause: &Clause<'_>| match (&clause.transformation, clause.media) {
        (Some(_), _) => None,
        (None, Media::Protobuf) => Some(ListForm::Protobuf),
        (None, Media::Json | Media::Any) => Some(ListForm::Json),
    };
    best(request, form).ok_or_else(|| Status::not_acceptable(&[JSON, PROTOBUF]))
}

/// The form of `/apis` that the caller likes best of those there are.
///
/// A caller that takes only unknown aggregated forms must not get the plain list:
/// kube-apiserver of 1.27 would read it as an aggregated document.
pub(super) fn discovery_form(request: &HttpRequest) -> Result<DiscoveryForm, Status> {
    let form = |clause: &Clause<'_>| match &clause.transformation {
        _ if !clause.is_json() => None,
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
    };
    best(request, form).ok_or_else(|| Status::not_acceptable(&[JSON]))
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

/// The form of the clause that is liked best, of those that lead to one.
fn best<Form>(request: &HttpRequest, form: impl Fn(&Clause<'_>) -> Option<Form>) -> Option<Form> {
    let forms = clauses(request).filter_map(|clause| Some((form(&clause)?, clause)));
    let best = forms.reduce(|best, other| match other.1.is_liked_more_than(&best.1) {
        true => other,
        false => best,
    });
    best.map(|(form, _)| form)
}

/// The clauses of `Accept` that something here satisfies; without any wish everything is taken.
fn clauses(request: &HttpRequest) -> impl Iterator<Item = Clause<'_>> {
    let wishes = || {
        let values = request.headers().get_all(ACCEPT);
        values.filter_map(|value| value.to_str().ok())
    };
    let takes_all = wishes().all(|wish| wish.trim().is_empty());
    let named = wishes().flat_map(|wish| wish.split(',')).filter_map(clause);
    named.chain(takes_all.then_some(Clause {
        media: Media::Any,
        transformation: None,
        quality: 1.0,
    }))
}

/// A clause of `Accept`.
struct Clause<'a> {
    media: Media,
    transformation: Option<Transformation<'a>>,
    quality: f32,
}

/// What a clause names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Protobuf,
    /// By a star.
    Any,
}

/// The parameters `as`, `g` and `v`: the object is wanted as another kind.
struct Transformation<'a> {
    kind: &'a str,
    group: &'a str,
    version: &'a str,
}

impl Clause<'_> {
    fn is_json(&self) -> bool {
        matches!(self.media, Media::Json | Media::Any)
    }

    /// Of two that are liked alike the one that names something goes first, then the one that came first.
    fn is_liked_more_than(&self, other: &Clause<'_>) -> bool {
        let rank = |clause: &Clause<'_>| (clause.quality, clause.media != Media::Any);
        rank(self) > rank(other)
    }
}

/// `None` for a clause that nothing here satisfies. Unknown parameters say nothing.
fn clause(text: &str) -> Option<Clause<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let media = match parts.next()? {
        JSON => Media::Json,
        PROTOBUF => Media::Protobuf,
        "application/*" | "*/*" => Media::Any,
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
        media,
        transformation,
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

    fn asking(accept: &str) -> HttpRequest {
        TestRequest::default()
            .insert_header((ACCEPT, accept))
            .to_http_request()
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
            assert!(require_json(&asking(accept)).is_ok(), "{accept}");
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
            assert!(require_json(&asking(accept)).is_err(), "{accept}");
        }
    }

    #[test]
    fn lists_are_protobuf_for_who_names_it_first_or_likes_it_more() {
        let (json, protobuf) = (Some(ListForm::Json), Some(ListForm::Protobuf));
        for (accept, form) in [
            (format!("{PROTOBUF}, */*"), protobuf),
            (format!("{PROTOBUF},application/json"), protobuf),
            (format!("application/json,{PROTOBUF}"), json),
            (format!("*/*, {PROTOBUF}"), protobuf),
            (format!("{PROTOBUF};q=0.5, application/json;q=0.4"), protobuf),
            (format!("{PROTOBUF};q=0.5, */*"), json),
            (format!("{PROTOBUF};q=0, */*"), json),
            (
                format!("{PROTOBUF};as=Table;v=v1;g=meta.k8s.io,{TABLE}, */*"),
                json,
            ),
            (String::new(), json),
            (format!("text/plain,{PROTOBUF}"), protobuf),
            (format!("text/plain,{TABLE}"), None),
        ] {
            assert_eq!(list_form(&asking(&accept)).ok(), form, "{accept}");
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
            assert_eq!(discovery_form(&asking(accept)).ok(), form, "{accept}");
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
