//! Bearer tokens.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use rcgen::{KeyPair, SigningKey};
use serde_json::{Value, json};

use super::scene::{Scene, metric_in};
use crate::support::certificates::Pem;

#[tokio::test]
async fn token_of_an_account_gives_what_the_account_may() {
    let scene = Scene::set("token").await;
    let namespace = scene.cluster.namespace("shop").await;
    account(&scene, &namespace).await;
    let token = scene
        .cluster
        .kubectl(&["create", "token", "reader", "-n", &namespace])
        .await;
    assert_eq!(ask(&scene, token.trim(), &metric_in(&namespace)).await.0, 200);
    let (status, message) = ask(&scene, token.trim(), &metric_in("default")).await;
    let who = format!("User \"system:serviceaccount:{namespace}:reader\" cannot list");
    assert_eq!((status, message.contains(&who)), (403, true), "{message}");
}

#[tokio::test]
async fn token_that_has_expired_is_401() {
    let scene = Scene::set("expired").await;
    let namespace = scene.cluster.namespace("shop").await;
    account(&scene, &namespace).await;
    let valid = token(&scene, &namespace, 3600).await;
    assert_eq!(ask(&scene, &valid, &metric_in(&namespace)).await.0, 200);
    let expired = token(&scene, &namespace, -60).await;
    let answer = ask(&scene, &expired, &metric_in(&namespace)).await;
    assert_eq!(answer, (401, "Unauthorized".to_owned()));
}

#[tokio::test]
async fn token_that_nobody_gave_is_401() {
    let scene = Scene::set("forged").await;
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.";
    assert_eq!(ask(&scene, token, &metric_in("shop")).await.0, 401);
    let basic = [("Authorization", "Basic YWRtaW46YWRtaW4=")];
    let (status, message) = scene.ask(scene.client(), &basic, &metric_in("shop")).await;
    assert_eq!(
        (status, message.contains("system:anonymous")),
        (403, true),
        "{message}"
    );
}

/// An account `reader` that may list the metric in its namespace.
async fn account(scene: &Scene, namespace: &str) {
    scene
        .cluster
        .kubectl(&["create", "serviceaccount", "reader", "-n", namespace])
        .await;
    scene
        .permit(&format!("serviceaccount={namespace}:reader"), namespace)
        .await;
}

async fn ask(scene: &Scene, token: &str, path: &str) -> (u16, String) {
    let bearer = format!("Bearer {token}");
    scene
        .ask(scene.client(), &[("Authorization", &bearer)], path)
        .await
}

/// A token of the account as kube-apiserver makes them, which gives none that ends within ten minutes.
#[expect(clippy::disallowed_methods, reason = "tokens end at a time")]
async fn token(scene: &Scene, namespace: &str, ends_in_seconds: i64) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(scene.cluster.client().await, namespace);
    let uid = accounts.get("reader").await.unwrap().metadata.uid;
    let now = jiff::Timestamp::now().as_second();
    let issuer = "https://kubernetes.default.svc";
    let claims = json!({
        "iss": issuer,
        "aud": [issuer],
        "sub": format!("system:serviceaccount:{namespace}:reader"),
        "iat": now - 7200,
        "nbf": now - 7200,
        "exp": now + ends_in_seconds,
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": "reader", "uid": uid}},
    });
    let signed = format!(
        "{}.{}",
        part(&json!({"alg": "ES256", "typ": "JWT"})),
        part(&claims)
    );
    let pem = Pem::read(&scene.cluster.ready().certificates, "service-account");
    let signature = KeyPair::from_pem(&pem.key)
        .unwrap()
        .sign(signed.as_bytes())
        .unwrap();
    format!("{signed}.{}", base64url(fixed(&signature)))
}

fn part(value: &Value) -> String {
    base64url(value.to_string().into_bytes())
}

fn base64url(bytes: Vec<u8>) -> String {
    let text = serde_json::to_value(ByteString(bytes)).unwrap();
    let text = text.as_str().unwrap().trim_end_matches('=');
    text.replace('+', "-").replace('/', "_")
}

/// The two numbers of an ECDSA signature in 32 bytes each, out of DER. Source: RFC 7518, 3.4.
fn fixed(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut fixed = Vec::new();
    for _ in 0..2 {
        let (number, after) = rest[2..].split_at(usize::from(rest[1]));
        let significant = &number[number.len().saturating_sub(32)..];
        fixed.extend(std::iter::repeat_n(0, 32 - significant.len()));
        fixed.extend(significant);
        rest = after;
    }
    fixed
}
