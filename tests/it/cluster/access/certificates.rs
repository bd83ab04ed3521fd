//! Certificates, and headers that count only with the right one.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::scene::{Scene, metric_in};
use crate::support::certificates::{Authority, Pem};
use crate::support::server::eventually;

/// What a front proxy says of somebody who may do everything.
const MASTER: [(&str, &str); 2] = [("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters")];

#[tokio::test]
async fn headers_without_a_certificate_do_not_count() {
    let scene = Scene::set("no-certificate").await;
    for headers in [&[][..], &MASTER[..]] {
        let (status, message) = scene.ask(scene.client(), headers, &metric_in("shop")).await;
        let refusal = "queue_length.external.metrics.k8s.io \"\" is forbidden: User \"system:anonymous\" cannot list \
                       resource \"queue_length\" in API group \"external.metrics.k8s.io\" in the namespace \"shop\"";
        assert_eq!((status, message.as_str()), (403, refusal));
    }
    let plain = scene.adapter.get(&metric_in("shop")).await;
    assert_eq!(plain.status(), 403, "plain HTTP is no way around");
}

#[tokio::test]
async fn certificate_that_nobody_vouches_for_is_401() {
    let scene = Scene::set("unknown-certificate").await;
    let stranger = Authority::new().client("front-proxy-client", &["system:masters"]);
    for headers in [&[][..], &MASTER[..]] {
        let client = scene.client().identity(stranger.identity());
        let answer = scene.ask(client, headers, &metric_in("shop")).await;
        assert_eq!(answer, (401, "Unauthorized".to_owned()));
    }
}

#[tokio::test]
async fn certificate_of_the_front_proxys_authority_with_another_name_is_401() {
    let scene = Scene::set("other-name").await;
    let authority = scene.cluster.authority("request-header-ca");
    let mallory = authority.client("mallory", &["system:masters"]);
    let client = scene.client().identity(mallory.identity());
    let answer = scene.ask(client, &MASTER, &metric_in("shop")).await;
    assert_eq!(answer, (401, "Unauthorized".to_owned()));
    let late = authority.expired_client("front-proxy-client");
    let client = scene.client().identity(late.identity());
    assert_eq!(scene.ask(client, &MASTER, &metric_in("shop")).await.0, 401);
}

#[tokio::test]
async fn headers_of_the_front_proxy_count_and_without_them_it_is_nobody() {
    let scene = Scene::set("front-proxy").await;
    let proxy = Pem::read(&scene.cluster.ready().certificates, "proxy-client");
    let client = || scene.client().identity(proxy.identity());
    let (status, message) = scene.ask(client(), &MASTER, &metric_in("shop")).await;
    assert_eq!(status, 200, "{message}");
    // It is no client that its authority could vouch for.
    assert_eq!(scene.ask(client(), &[], &metric_in("shop")).await.0, 401);
    let (status, message) = scene.ask_for("kim", &metric_in("shop")).await;
    assert_eq!(
        (status, message.contains("User \"kim\" cannot list")),
        (403, true),
        "{message}"
    );
}

#[tokio::test]
async fn headers_beside_a_clients_own_certificate_do_not_count() {
    let scene = Scene::set("client").await;
    let authority = scene.cluster.authority("client-ca");
    let user = authority.client("user", &["people"]);
    let client = scene.client().identity(user.identity());
    let (status, message) = scene.ask(client, &MASTER, &metric_in("shop")).await;
    assert_eq!(
        (status, message.contains("User \"user\" cannot")),
        (403, true),
        "{message}"
    );
    let master = authority.client("root", &["system:masters"]);
    let client = scene.client().identity(master.identity());
    assert_eq!(scene.ask(client, &[], &metric_in("shop")).await.0, 200);
}

#[tokio::test]
async fn authority_that_is_added_to_the_cluster_counts_without_a_restart() {
    let scene = Scene::set("new-authority").await;
    let authority = Authority::new();
    let proxy = authority.client("front-proxy-client", &[]);
    let ask = async || {
        let client = scene.client().identity(proxy.identity());
        scene.ask(client, &MASTER, &metric_in("shop")).await.0
    };
    assert_eq!(ask().await, 401);

    // kube-apiserver keeps what others have put there.
    let maps: Api<ConfigMap> = Api::namespaced(scene.cluster.client().await, "kube-system");
    let name = "extension-apiserver-authentication";
    let key = "requestheader-client-ca-file";
    let map = maps.get(name).await.unwrap();
    let trusted = format!("{}{}", map.data.unwrap()[key], authority.pem());
    let patch = Patch::Merge(json!({"data": {key: trusted}}));
    maps.patch(name, &PatchParams::default(), &patch).await.unwrap();
    eventually("the new authority counts", async || ask().await == 200).await;
}
