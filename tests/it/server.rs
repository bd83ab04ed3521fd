//! Listeners, TLS, who is let in, probes, limits and the end.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use futures_util::stream;
use promql_adapter::config::{SniCertificate, TlsVersion};
use promql_adapter::server::{Drain, Error, Note, Notes, Task};
use reqwest::{Client, Response, Version};

use crate::support::certificates::{Authority, Pem};
use crate::support::server::{Home, eventually, plan, settings, start, trusting};

const UNAUTHORIZED: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#;

async fn get(client: &Client, url: &str) -> Response {
    client.get(url).send().await.unwrap()
}

async fn code(client: &Client, url: &str) -> u16 {
    get(client, url).await.status().as_u16()
}

async fn text(client: &Client, url: &str) -> String {
    get(client, url).await.text().await.unwrap()
}

#[tokio::test]
async fn http_2_and_http_1_are_served() {
    let home = Home::new();
    let server = start(home.plan());
    let second = get(&home.client(), &server.https("/hello")).await;
    assert_eq!(
        (second.version(), second.status().as_u16()),
        (Version::HTTP_2, 200)
    );
    let first = get(
        &home.builder().http1_only().build().unwrap(),
        &server.https("/hello"),
    )
    .await;
    assert_eq!(
        (first.version(), first.status().as_u16()),
        (Version::HTTP_11, 200)
    );
    assert_eq!(text(&home.client(), &server.http("/hello")).await, "hello");
}

#[tokio::test]
async fn http_2_answers_do_not_wait_for_acknowledgements() {
    let home = Home::new();
    let server = start(home.plan());
    let client = home.client();
    let url = server.https("/in-parts");
    get(&client, &url).await;
    let began = Instant::now();
    for _ in 0..50 {
        assert_eq!(text(&client, &url).await, "in parts");
    }
    // With Nagle's algorithm the second part waits 40 ms; a slow machine takes a few for the whole.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn http_2_can_be_turned_off() {
    let (home, clients) = (Home::new(), Authority::new());
    let (mut plan, _) = home.plan_with_client_ca(&clients);
    plan.serving.http2 = false;
    let server = start(plan);
    let client = home.client_showing(&clients.client("alice", &[]));
    let response = get(&client, &server.https("/hello")).await;
    assert_eq!(
        (response.version(), response.status().as_u16()),
        (Version::HTTP_11, 200)
    );
    assert_eq!(code(&home.client(), &server.https("/hello")).await, 401);
    assert_eq!(code(&home.client(), &server.http("/healthz")).await, 200);
    assert!(server.shut_down().await.unwrap().is_ok());
}

#[tokio::test]
async fn versions_below_the_least_are_refused() {
    let home = Home::new();
    let mut plan = home.plan();
    let old = || {
        home.builder()
            .tls_version_max(reqwest::tls::Version::TLS_1_2)
            .build()
            .unwrap()
    };
    assert_eq!(code(&old(), &start(home.plan()).https("/hello")).await, 200);
    plan.serving.tls_min_version = TlsVersion::Tls13;
    let server = start(plan);
    assert!(old().get(server.https("/hello")).send().await.is_err());
    assert_eq!(code(&home.client(), &server.https("/hello")).await, 200);
}

#[tokio::test]
async fn a_client_that_asks_for_a_name_is_shown_its_certificate() {
    let home = Home::new();
    let other = Authority::new();
    let (cert_file, key_file) = other.server_named("adapter.example").write(home.path(), "named");
    let mut plan = home.plan();
    plan.serving.sni_certificates = vec![SniCertificate {
        cert_file,
        key_file,
        names: Vec::new(),
    }];
    let server = start(plan);
    let address = server.https_address();
    let client = trusting(other.pem())
        .resolve("adapter.example", address)
        .build()
        .unwrap();
    let url = format!("https://adapter.example:{}/hello", address.port());
    assert_eq!(code(&client, &url).await, 200);
    assert_eq!(code(&home.client(), &server.https("/hello")).await, 200);
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_closing_the_listener() {
    let home = Home::new();
    let server = start(home.plan());
    let old = home.client();
    assert_eq!(code(&old, &server.https("/hello")).await, 200);

    let other = Authority::new();
    other.server().write(home.path(), "tls");
    eventually("the new certificate", async || {
        let new = trusting(other.pem()).build().unwrap();
        new.get(server.https("/hello")).send().await.is_ok()
    })
    .await;
    assert_eq!(
        code(&old, &server.https("/hello")).await,
        200,
        "the open connection stays"
    );
    assert!(
        home.client().get(server.https("/hello")).send().await.is_err(),
        "the old certificate is gone"
    );
}

#[tokio::test]
async fn a_self_signed_certificate_is_made_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let certificate = home.path().join("made/apiserver.crt");
    let server = start(plan(settings(home.path())));
    let made = std::fs::read_to_string(&certificate).unwrap();
    assert_eq!(
        code(&trusting(&made).build().unwrap(), &server.https("/hello")).await,
        200
    );

    let again = start(plan(settings(home.path())));
    assert_eq!(std::fs::read_to_string(&certificate).unwrap(), made);
    assert_eq!(
        code(&trusting(&made).build().unwrap(), &again.https("/hello")).await,
        200
    );
}

#[tokio::test]
async fn without_client_ca_anyone_on_loopback_is_let_in() {
    let home = Home::new();
    let server = start(home.plan());
    assert_eq!(code(&home.client(), &server.https("/hello")).await, 200);
}

#[tokio::test]
async fn with_client_ca_only_its_clients_are_let_in() {
    let (home, clients, strangers) = (Home::new(), Authority::new(), Authority::new());
    let server = start(home.plan_with_client_ca(&clients).0);
    let hello = server.https("/hello");
    let showing = |pem: &Pem| home.client_showing(pem);
    assert_eq!(
        code(&showing(&clients.client("alice", &["team"])), &hello).await,
        200
    );
    for (refused, why) in [
        (home.client(), "no certificate"),
        (
            showing(&strangers.client("alice", &["team"])),
            "another authority",
        ),
        (showing(&clients.expired_client("alice")), "expired"),
        (showing(&clients.server_as_client("alice")), "meant for servers"),
        (showing(&clients.client("", &["team"])), "no name"),
    ] {
        let response = get(&refused, &hello).await;
        assert_eq!(
            (response.status().as_u16(), &*response.text().await.unwrap()),
            (401, UNAUTHORIZED),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_client_of_an_intermediate_authority_is_let_in_if_it_shows_that_too() {
    let (home, clients) = (Home::new(), Authority::new());
    let intermediate = clients.intermediate();
    let server = start(home.plan_with_client_ca(&clients).0);
    let alone = intermediate.client("alice", &[]);
    let chain = Pem {
        certificate: format!("{}{}", alone.certificate, intermediate.pem()),
        key: alone.key.clone(),
    };
    let hello = server.https("/hello");
    assert_eq!(code(&home.client_showing(&chain), &hello).await, 200);
    assert_eq!(code(&home.client_showing(&alone), &hello).await, 401);
}

#[tokio::test]
async fn probes_are_open_to_all_and_nothing_else_is() {
    let home = Home::new();
    let server = start(home.plan_with_client_ca(&Authority::new()).0);
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(text(&home.client(), &server.https(path)).await, "ok", "{path}");
        let head = home.client().head(server.https(path)).send().await.unwrap();
        assert_eq!(head.status(), 200, "HEAD {path}");
    }
    for path in ["/metrics", "/readyz/ping", "/", "/healthz/", "//healthz"] {
        assert_eq!(code(&home.client(), &server.https(path)).await, 401, "{path}");
    }
    assert_eq!(
        code(&home.client(), &server.http("/hello")).await,
        401,
        "plain HTTP has no certificate to show"
    );
}

#[tokio::test]
async fn headers_of_a_front_proxy_are_not_believed() {
    let home = Home::new();
    let server = start(home.plan_with_client_ca(&Authority::new()).0);
    let request = home
        .client()
        .get(server.https("/hello"))
        .header("X-Remote-User", "admin");
    let request = request.header("X-Remote-Group", "system:masters");
    assert_eq!(request.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_changed_client_ca_counts_on_open_connections_too() {
    let (home, before, after) = (Home::new(), Authority::new(), Authority::new());
    let (plan, file) = home.plan_with_client_ca(&before);
    let server = start(plan);
    let (old, new) = (
        home.client_showing(&before.client("a", &[])),
        home.client_showing(&after.client("b", &[])),
    );
    let hello = server.https("/hello");
    assert_eq!((code(&old, &hello).await, code(&new, &hello).await), (200, 401));
    std::fs::write(file, after.pem()).unwrap();
    eventually("the new authority", async || {
        (code(&old, &hello).await, code(&new, &hello).await) == (401, 200)
    })
    .await;
}

#[tokio::test]
async fn readyz_waits_for_every_condition_and_shows_notes() {
    let home = Home::new();
    let mut plan = home.plan();
    let condition = plan.readiness.condition("settings");
    plan.notes = Notes::new(|| {
        vec![Note {
            name: "backend default".to_owned(),
            text: "unreachable".to_owned(),
        }]
    });
    let server = start(plan);
    let client = home.client();
    let response = get(&client, &server.https("/readyz")).await;
    assert_eq!(response.status(), 500);
    let expected = "[+]ping ok\n[-]settings failed: reason withheld\n[+]listeners ok\n[+]shutdown ok\n\
                    [i]backend default: unreachable\nreadyz check failed\n";
    assert_eq!(response.text().await.unwrap(), expected);
    assert_eq!(code(&client, &server.https("/readyz/settings")).await, 500);
    assert_eq!(code(&client, &server.https("/livez")).await, 200);
    condition.met();
    assert_eq!(text(&client, &server.https("/readyz")).await, "ok");
    assert_eq!(text(&client, &server.https("/readyz/settings")).await, "ok");
    assert_eq!(code(&client, &server.https("/readyz/other")).await, 404);
}

#[tokio::test]
async fn a_panic_is_500_and_the_server_lives() {
    let home = Home::new();
    let server = start(home.plan());
    let response = get(&home.client(), &server.https("/panic")).await;
    assert_eq!(response.status(), 500);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains(r#""reason":"InternalError","code":500"#)
    );
    assert_eq!(code(&home.client(), &server.https("/hello")).await, 200);
}

#[tokio::test]
async fn too_many_requests_at_once_are_429_but_probes_answer() {
    let home = Home::new();
    let mut plan = home.plan();
    plan.limits.max_in_flight = 1;
    let server = start(plan);
    let (client, wait) = (home.client(), server.https("/wait"));
    let first = tokio::spawn(async move { code(&client, &wait).await });
    server.wait.entered().await;
    let refused = get(&home.client(), &server.https("/hello")).await;
    assert_eq!(
        (refused.status().as_u16(), refused.headers().get("retry-after")),
        (429, None)
    );
    assert_eq!(
        refused.text().await.unwrap(),
        "Too many requests, please try again later."
    );
    assert_eq!(code(&home.client(), &server.https("/readyz")).await, 200);
    server.wait.release();
    assert_eq!(first.await.unwrap(), 200);
    assert_eq!(code(&home.client(), &server.https("/hello")).await, 200);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_504() {
    let home = Home::new();
    let mut plan = home.plan();
    plan.limits.request_timeout = Duration::from_millis(50);
    let server = start(plan);
    let response = get(&home.client(), &server.https("/wait")).await;
    assert_eq!(response.status(), 504);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains(r#""reason":"Timeout","code":504"#)
    );
}

#[tokio::test]
async fn oversized_headers_and_bodies_are_refused() {
    let home = Home::new();
    let server = start(home.plan());
    for client in [home.client(), home.builder().http1_only().build().unwrap()] {
        let request = client
            .get(server.https("/hello"))
            .header("x-large", "x".repeat(70 * 1024));
        assert_eq!(request.send().await.unwrap().status(), 431);
        let request = client.get(server.https("/hello")).body("x".repeat(70 * 1024));
        assert_eq!(request.send().await.unwrap().status(), 413);
        assert_eq!(code(&client, &server.https("/hello")).await, 200);
    }
}

#[tokio::test]
async fn body_of_unknown_length_is_refused() {
    let home = Home::new();
    let server = start(home.plan());
    let client = home.builder().http1_only().build().unwrap();
    let chunks = stream::iter([Ok::<_, Infallible>("x"), Ok("y")]);
    let request = client
        .get(server.https("/hello"))
        .header("transfer-encoding", "chunked")
        .body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(request.send().await.unwrap().status(), 413);
}

#[tokio::test]
async fn large_answers_are_compressed_and_small_ones_are_not() {
    let home = Home::new();
    let server = start(home.plan());
    let client = home.builder().no_gzip().build().unwrap();
    let encoding = async |path: &str| {
        let response = client
            .get(server.https(path))
            .header("Accept-Encoding", "gzip")
            .send()
            .await
            .unwrap();
        response
            .headers()
            .get("content-encoding")
            .map(|it| it.to_str().unwrap().to_owned())
    };
    assert_eq!(encoding("/big").await.as_deref(), Some("gzip"));
    assert_eq!(encoding("/hello").await, None);
    assert_eq!(text(&home.client(), &server.https("/big")).await.len(), 100_000);
}

#[tokio::test]
async fn every_answer_forbids_caching_and_echoes_the_audit_id() {
    let (home, clients) = (Home::new(), Authority::new());
    let server = start(home.plan_with_client_ca(&clients).0);
    let client = home.client_showing(&clients.client("alice", &[]));
    for (client, code) in [(&client, 200), (&home.client(), 401)] {
        let response = client
            .get(server.https("/hello"))
            .header("Audit-Id", "42")
            .send()
            .await
            .unwrap();
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(response.status(), code);
        assert_eq!(
            (header("cache-control"), header("audit-id")),
            ("no-cache, private".to_owned(), "42".to_owned())
        );
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_unknown_paths_as_one() {
    let home = Home::new();
    let server = start(home.plan());
    let client = home.client();
    for path in ["/hello/a", "/hello/b", "/x", "/y/z", "/panic"] {
        get(&client, &server.https(path)).await;
    }
    let response = get(&client, &server.https("/metrics")).await;
    assert_eq!(
        response.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = response.text().await.unwrap();
    for line in [
        r#"http_requests_total{route="/hello/{name}",code="200"} 2"#,
        r#"http_requests_total{route="unknown",code="404"} 2"#,
        r#"http_requests_total{route="/panic",code="500"} 1"#,
        r#"http_request_duration_seconds_count{route="/hello/{name}",code="200"} 2"#,
    ] {
        assert!(text.lines().any(|it| it == line), "no line {line} in:\n{text}");
    }
}

#[tokio::test]
async fn at_shutdown_readiness_goes_first_and_requests_in_flight_finish() {
    let home = Home::new();
    let mut plan = home.plan();
    plan.drain = Drain {
        delay: Duration::from_secs(1),
        grace: Duration::from_secs(20),
    };
    let server = start(plan);
    let (wait, ready, hello) = (
        server.https("/wait"),
        server.https("/readyz"),
        server.https("/hello"),
    );
    let (release, address) = (server.wait.clone(), server.https_address());
    let client = home.client();
    assert_eq!(code(&client, &ready).await, 200);
    let answer = tokio::spawn({
        let client = client.clone();
        async move { text(&client, &wait).await }
    });
    release.entered().await;

    let done = server.shut_down();
    eventually("readyz goes false", async || code(&client, &ready).await == 500).await;
    assert_eq!(
        code(&home.client(), &hello).await,
        200,
        "requests are still taken"
    );
    let first = home.builder().http1_only().build().unwrap();
    let told = get(&first, &hello).await;
    assert_eq!(
        told.headers().get("Connection").unwrap(),
        "close",
        "and their connections end"
    );
    eventually("the listener closes", async || {
        tokio::net::TcpStream::connect(address).await.is_err()
    })
    .await;
    assert!(!done.is_finished());
    release.release();
    assert_eq!(answer.await.unwrap(), "waited");
    assert!(done.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_request_that_hangs_does_not_hold_the_end_beyond_the_grace_time() {
    let home = Home::new();
    let mut plan = home.plan();
    plan.drain.grace = Duration::from_millis(50);
    let server = start(plan);
    let (client, wait) = (home.client(), server.https("/wait"));
    let answer = tokio::spawn(async move { client.get(wait).send().await });
    server.wait.entered().await;
    assert!(server.shut_down().await.unwrap().is_ok());
    answer.abort();
}

#[tokio::test]
async fn the_end_of_a_task_ends_the_server_and_is_named() {
    let home = Home::new();
    for task in [
        Task::new("relist", async {}),
        Task::new("relist", async { panic!("asked to") }),
    ] {
        let mut plan = home.plan();
        plan.tasks.push(task);
        assert!(matches!(
            start(plan).ended().await,
            Err(Error::TaskEnded("relist"))
        ));
    }
}
