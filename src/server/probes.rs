//! `/healthz`, `/livez`, `/readyz` and `/metrics`.
//!
//! Texts as apiserver has them: `pkg/server/healthz/healthz.go`, 1.36.

use std::fmt::Write;
use std::sync::Arc;

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, Route, guard, web};

use super::{Note, Notes, Readiness};
use crate::telemetry::Metrics;

/// What the probes tell, shared by all workers.
#[derive(Debug)]
pub(crate) struct Probes {
    pub(crate) readiness: Readiness,
    pub(crate) notes: Notes,
    pub(crate) metrics: Arc<Metrics>,
}

/// A named check and whether it passes.
type Check = (&'static str, bool);

/// What each probe has: that the process answers.
const PING: Check = ("ping", true);

/// Whether anyone may ask for this path, at any time. Their sub-paths are not for anyone, as in apiserver.
pub(crate) fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/livez" | "/readyz")
}

/// Mounts the probes and `/metrics`.
///
/// In scopes, whose names are compared before anything else: every other request passes here too.
pub(crate) fn configure(service: &mut web::ServiceConfig) {
    for name in ["/healthz", "/livez"] {
        let scope = web::scope(name).route("", probe().to(alive));
        service.service(scope.route("/{check}", probe().to(one_alive)));
    }
    let scope = web::scope("/readyz").route("", probe().to(ready));
    service
        .service(scope.route("/{check}", probe().to(one_ready)))
        .route("/metrics", web::get().to(metrics));
}

/// Load balancers like to probe with HEAD.
fn probe() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn alive(request: HttpRequest, query: web::Query<Vec<(String, String)>>) -> HttpResponse {
    report(request.path(), &[PING], &[], &query)
}

async fn ready(
    probes: web::Data<Probes>,
    request: HttpRequest,
    query: web::Query<Vec<(String, String)>>,
) -> HttpResponse {
    report(request.path(), &probes.ready(), &probes.notes.now(), &query)
}

async fn one_alive(check: web::Path<String>) -> HttpResponse {
    one(&[PING], &check)
}

async fn one_ready(probes: web::Data<Probes>, check: web::Path<String>) -> HttpResponse {
    one(&probes.ready(), &check)
}

async fn metrics(probes: web::Data<Probes>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(Metrics::CONTENT_TYPE)
        .body(probes.metrics.encode())
}

impl Probes {
    fn ready(&self) -> Vec<Check> {
        std::iter::once(PING).chain(self.readiness.conditions()).collect()
    }
}

/// `ok`, or every check with how it is: when one fails, and when asked with `?verbose`.
fn report(path: &str, checks: &[Check], notes: &[Note], query: &[(String, String)]) -> HttpResponse {
    let probe = path.trim_start_matches('/');
    let mut excluded: Vec<&str> = query
        .iter()
        .filter(|(key, _)| key == "exclude")
        .map(|(_, name)| &**name)
        .collect();
    let mut lines = String::new();
    let mut passed = true;
    for (name, met) in checks {
        let before = excluded.len();
        excluded.retain(|it| it != name);
        let line = match (excluded.len() < before, met) {
            (true, _) => format!("[+]{name} excluded: ok"),
            (false, true) => format!("[+]{name} ok"),
            (false, false) => format!("[-]{name} failed: reason withheld"),
        };
        passed &= !line.starts_with("[-]");
        lines += &line;
        lines.push('\n');
    }
    if !excluded.is_empty() {
        let names: Vec<String> = excluded.iter().map(|name| format!("{name:?}")).collect();
        let _ = writeln!(
            lines,
            "warn: some health checks cannot be excluded: no matches for {}",
            names.join(",")
        );
    }
    for Note { name, text } in notes {
        let _ = writeln!(lines, "[i]{name}: {text}");
    }
    match (passed, query.iter().any(|(key, _)| key == "verbose")) {
        (false, _) => plain(
            HttpResponse::InternalServerError(),
            format!("{lines}{probe} check failed\n"),
        ),
        (true, true) => plain(HttpResponse::Ok(), format!("{lines}{probe} check passed\n")),
        (true, false) => plain(HttpResponse::Ok(), "ok".to_owned()),
    }
}

fn one(checks: &[Check], wanted: &str) -> HttpResponse {
    match checks.iter().find(|(name, _)| *name == wanted) {
        Some((_, true)) => plain(HttpResponse::Ok(), "ok".to_owned()),
        Some((name, false)) => plain(
            HttpResponse::InternalServerError(),
            format!("internal server error: {name} is not met\n"),
        ),
        None => plain(HttpResponse::NotFound(), "404 page not found\n".to_owned()),
    }
}

fn plain(mut builder: actix_web::HttpResponseBuilder, text: String) -> HttpResponse {
    builder
        .content_type(ContentType::plaintext())
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    const CHECKS: [Check; 3] = [PING, ("listeners", true), ("shutdown", false)];

    async fn text(checks: &[Check], query: &[(&str, &str)]) -> (u16, String) {
        let query: Vec<_> = query
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let notes = [Note {
            name: "backend default".to_owned(),
            text: "unreachable".to_owned(),
        }];
        let response = report("/readyz", checks, &notes, &query);
        let code = response.status().as_u16();
        let body = to_bytes(response.into_body()).await.unwrap();
        (code, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn passing_probe_says_ok_alone() {
        assert_eq!(text(&CHECKS[..2], &[]).await, (200, "ok".to_owned()));
    }

    #[tokio::test]
    async fn verbose_probe_lists_checks_and_notes() {
        let expected = "[+]ping ok\n[+]listeners ok\n[i]backend default: unreachable\nreadyz check passed\n";
        assert_eq!(
            text(&CHECKS[..2], &[("verbose", "")]).await,
            (200, expected.to_owned())
        );
    }

    #[tokio::test]
    async fn failing_probe_is_always_verbose() {
        let expected = "[+]ping ok\n[+]listeners ok\n[-]shutdown failed: reason withheld\n\
                        [i]backend default: unreachable\nreadyz check failed\n";
        assert_eq!(text(&CHECKS, &[]).await, (500, expected.to_owned()));
    }

    #[tokio::test]
    async fn excluded_check_does_not_count() {
        assert_eq!(
            text(&CHECKS, &[("exclude", "shutdown")]).await,
            (200, "ok".to_owned())
        );
        let (code, text) = text(
            &CHECKS,
            &[("exclude", "shutdown"), ("exclude", "moon"), ("verbose", "")],
        )
        .await;
        assert!(
            code == 200 && text.contains("[+]shutdown excluded: ok\n"),
            "{text}"
        );
        assert!(
            text.contains("warn: some health checks cannot be excluded: no matches for \"moon\"\n"),
            "{text}"
        );
    }
}
