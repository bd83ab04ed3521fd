//! How the adapter proves who it is, and whom it believes.

use std::path::{Path, PathBuf};

use promql_adapter::config::BackendSettings;
use promql_adapter::http::{self, Authorization, Credentials, Source};
use promql_adapter::prometheus::Error;

use super::{at, backend, backend_with, question, settings};
use crate::support::certificates::{Authority, install_crypto};
use crate::support::fake_prometheus::FakePrometheus;
use promql_adapter::model::chain;

/// Writes a file as the kubelet does: the new one takes the old one's place at once.
fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let (path, fresh) = (directory.join(name), directory.join(format!("{name}.new")));
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(&fresh, &path).unwrap();
    path
}

/// The `Authorization` header of the last request.
fn shown(fake: &FakePrometheus) -> Option<String> {
    fake.requests()
        .last()
        .unwrap()
        .header("authorization")
        .map(str::to_owned)
}

#[tokio::test]
async fn nothing_is_shown_when_nothing_is_set() {
    let fake = FakePrometheus::start().await;
    backend(&settings(fake.url()))
        .instant(&question("up"), at(0))
        .await
        .unwrap();
    assert_eq!(shown(&fake), None);
}

#[tokio::test]
async fn rotated_token_is_used_from_the_next_request_on() {
    let fake = FakePrometheus::start().await;
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings(fake.url());
    settings.token_file = Some(write(directory.path(), "token", "first\n"));
    let backend = backend(&settings);
    backend.instant(&question("up"), at(0)).await.unwrap();
    assert_eq!(shown(&fake).unwrap(), "Bearer first");
    write(directory.path(), "token", "the second\n");
    backend.instant(&question("up"), at(0)).await.unwrap();
    assert_eq!(shown(&fake).unwrap(), "Bearer the second");
    std::fs::remove_file(directory.path().join("token")).unwrap();
    backend.instant(&question("up"), at(0)).await.unwrap();
    assert_eq!(shown(&fake).unwrap(), "Bearer the second");
}

#[tokio::test]
async fn user_and_password_come_from_settings_or_url() {
    let fake = FakePrometheus::start().await;
    let directory = tempfile::tempdir().unwrap();
    let mut from_file = settings(fake.url());
    from_file.username = Some("user".to_owned());
    from_file.password_file = Some(write(directory.path(), "password", "pass\n"));
    backend(&from_file).instant(&question("up"), at(0)).await.unwrap();
    assert_eq!(shown(&fake).unwrap(), "Basic dXNlcjpwYXNz");
    let in_url = settings(fake.url().replace("http://", "http://user:p%40ss@"));
    backend(&in_url).instant(&question("up"), at(0)).await.unwrap();
    assert_eq!(shown(&fake).unwrap(), "Basic dXNlcjpwQHNz");
}

#[tokio::test]
async fn handed_over_token_yields_to_settings_and_header() {
    let fake = FakePrometheus::start().await;
    let token = Authorization::Bearer(Source::Text("cluster".to_owned()));
    let credentials = Credentials {
        authorization: Some(token),
        ..Credentials::default()
    };
    let mut settings = settings(fake.url());
    backend_with(&settings, &credentials)
        .instant(&question("up"), at(0))
        .await
        .unwrap();
    assert_eq!(shown(&fake).unwrap(), "Bearer cluster");
    settings.username = Some("user".to_owned());
    backend_with(&settings, &credentials)
        .instant(&question("up"), at(0))
        .await
        .unwrap();
    assert_eq!(shown(&fake).unwrap(), "Basic dXNlcjo=");
    settings.headers = vec![("Authorization".to_owned(), "Own words".to_owned())];
    backend_with(&settings, &credentials)
        .instant(&question("up"), at(0))
        .await
        .unwrap();
    assert_eq!(shown(&fake).unwrap(), "Own words");
}

#[tokio::test]
async fn server_is_believed_only_with_a_certificate_of_the_authority() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let fake = FakePrometheus::start_tls(authority.listener(None)).await;
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings(fake.url());
    settings.ca_file = Some(write(directory.path(), "ca.crt", stranger.pem()));
    let backend = backend(&settings);
    let error = backend.instant(&question("up"), at(0)).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)));
    assert!(
        chain(&error).contains("invalid peer certificate"),
        "{}",
        chain(&error)
    );
    assert!(
        fake.requests().is_empty(),
        "nothing is sent to a server that is not believed"
    );
    // The right authority is put there while the adapter runs; an unusable file in between changes nothing.
    write(directory.path(), "ca.crt", "not a certificate");
    backend.instant(&question("up"), at(0)).await.unwrap_err();
    write(directory.path(), "ca.crt", authority.pem());
    backend.instant(&question("up"), at(0)).await.unwrap();
}

#[tokio::test]
async fn without_an_authority_the_systems_are_believed_and_not_ours() {
    let fake = FakePrometheus::start_tls(Authority::new().listener(None)).await;
    let error = backend(&settings(fake.url()))
        .instant(&question("up"), at(0))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    let credentials = Credentials {
        insecure_skip_tls_verify: true,
        ..Credentials::default()
    };
    backend_with(&settings(fake.url()), &credentials)
        .instant(&question("up"), at(0))
        .await
        .unwrap();
}

#[tokio::test]
async fn client_certificate_is_shown_and_read_again() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let fake = FakePrometheus::start_tls(authority.listener(Some(&clients))).await;
    let directory = tempfile::tempdir().unwrap();
    let put = |leaf: &crate::support::certificates::Pem| {
        write(directory.path(), "tls.key", &leaf.key);
        write(directory.path(), "tls.crt", &leaf.certificate);
    };
    put(&Authority::new().client("stranger", &[]));
    let mut settings = settings(fake.url());
    settings.ca_file = Some(write(directory.path(), "ca.crt", authority.pem()));
    settings.client_certificate_file = Some(directory.path().join("tls.crt"));
    settings.client_key_file = Some(directory.path().join("tls.key"));
    let backend = backend(&settings);
    backend.instant(&question("up"), at(0)).await.unwrap_err();
    put(&clients.client("adapter", &[]));
    backend.instant(&question("up"), at(0)).await.unwrap();
}

#[tokio::test]
async fn authority_of_the_settings_replaces_only_the_kubeconfigs_authority() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let fake = FakePrometheus::start_tls(authority.listener(Some(&clients))).await;
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings(fake.url());
    settings.ca_file = Some(write(directory.path(), "ca.crt", authority.pem()));
    let leaf = clients.client("adapter", &[]);
    let credentials = Credentials {
        certificate_authority: Some(Source::Text(clients.pem().to_owned())),
        client_certificate: Some((Source::Text(leaf.certificate), Source::Text(leaf.key))),
        authorization: Some(Authorization::Bearer(Source::Text("cluster".to_owned()))),
        insecure_skip_tls_verify: false,
    };
    backend_with(&settings, &credentials)
        .instant(&question("up"), at(0))
        .await
        .unwrap();
    assert_eq!(shown(&fake).unwrap(), "Bearer cluster");
}

/// The reason why no client can be made.
fn refusal(change: impl FnOnce(&mut BackendSettings)) -> String {
    install_crypto();
    let mut settings = settings("https://prometheus".to_owned());
    change(&mut settings);
    http::Client::new(&settings, &Credentials::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn unusable_settings_are_refused_and_named() {
    assert_eq!(
        refusal(|s| s.url = "ftp://h".into()),
        "url: scheme `ftp` is neither `http` nor `https`"
    );
    assert_eq!(
        refusal(|s| s.url = "/prometheus".into()),
        "url: relative URL without a base"
    );
    assert_eq!(
        refusal(|s| s.max_concurrent = 0),
        "maxConcurrent: must be at least 1"
    );
    let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    assert_eq!(
        refusal(|s| s.headers = header("a b", "c")),
        "headers: `a b` is not the name of a header"
    );
    let secret = refusal(|s| s.headers = header("Authorization", "secret\n"));
    assert_eq!(
        secret,
        "headers: the value of `Authorization` cannot stand in a header"
    );
    let half = refusal(|s| s.client_certificate_file = Some("/c".into()));
    assert_eq!(half, "clientKeyFile: the client certificate needs its key");
    let both = refusal(|s| (s.username, s.token_file) = (Some("u".into()), Some("/t".into())));
    assert_eq!(both, "tokenFile: a backend has either a user or a token");
}

#[test]
fn missing_and_empty_credential_files_are_refused_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let empty = write(directory.path(), "empty", "");
    assert_eq!(
        refusal(|s| s.token_file = Some("/none".into())),
        "file `/none` cannot be used"
    );
    assert_eq!(
        refusal(|s| s.ca_file = Some("/none".into())),
        "file `/none` cannot be used"
    );
    let about = |what: &str| format!("{what} `{}` cannot be used", empty.display());
    assert_eq!(
        refusal(|s| s.token_file = Some(empty.clone())),
        about("bearer token")
    );
    assert_eq!(
        refusal(|s| s.ca_file = Some(empty.clone())),
        about("certificate authority")
    );
}

#[test]
fn debug_output_shows_no_secret() {
    install_crypto();
    let mut settings = settings("http://user:secret@prometheus/prom".to_owned());
    settings.headers = vec![("X-Scope-OrgID".into(), "secret".into())];
    let client = http::Client::new(&settings, &Credentials::default()).unwrap();
    let shown = format!("{client:?}");
    assert!(
        shown.contains("http://prometheus/prom") && !shown.contains("secret"),
        "{shown}"
    );
}
