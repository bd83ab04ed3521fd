//! What the adapter makes of its arguments, its environment and its ConfigMap.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches};
use promql_adapter::cli::{ServeFlags, normalized_arguments};
use promql_adapter::config::{self, Settings};
use promql_adapter::kubernetes::Objects;
use promql_adapter::rules::{self, Options};
use serde_json::Value;

use super::rendered::{COMPONENTS, Rendered};

/// The settings that a pod runs with; a fault of settings or rules fails the test.
pub(crate) fn settings(rendered: &Rendered) -> Settings {
    let container = container(rendered);
    let arguments = container["args"].as_array().unwrap().iter();
    let arguments = arguments.map(|argument| OsString::from(argument.as_str().unwrap()));
    let arguments = [OsString::from("promql-adapter")].into_iter().chain(arguments);
    let command = ServeFlags::augment_args(Command::new("promql-adapter"));
    let matches = command
        .try_get_matches_from(normalized_arguments(arguments))
        .unwrap();
    let flags = ServeFlags::from_arg_matches(&matches).unwrap();
    let text = rendered.configuration();
    let loaded = config::load(text, "config.yaml", &environment(container), &flags.overrides)
        .unwrap_or_else(|refused| panic!("{:#?}\n{text}", refused.faults));
    let resources = Objects::none().resources();
    let rules = rules::compile(&loaded.rules, &resources, &Options::default())
        .unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    for rule in rules.rules {
        assert!(rule.fault().is_none(), "{rule:#?}");
    }
    loaded.settings
}

fn container(rendered: &Rendered) -> &Value {
    &rendered.only("Deployment")["spec"]["template"]["spec"]["containers"][0]
}

fn environment(container: &Value) -> BTreeMap<String, String> {
    let variables = container["env"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    variables
        .map(|variable| (text(&variable["name"]), text(&variable["value"])))
        .collect()
}

#[test]
fn settings_and_rules_of_the_base_and_of_each_component_have_no_fault() {
    settings(&Rendered::base());
    for component in COMPONENTS {
        settings(&Rendered::with(&[component]));
    }
}

#[test]
fn the_component_for_cpu_and_memory_only_adds_to_the_configuration_of_the_base() {
    let base = Rendered::base();
    let with_resources = Rendered::with(&["metrics-k8s-io"]);
    let added = with_resources.configuration().strip_prefix(base.configuration());
    assert!(added.unwrap().contains("\nresourceRules:\n"));
}

#[test]
fn ports_agree_and_a_pod_may_end_as_slowly_as_its_settings_say() {
    let base = Rendered::base();
    let settings = settings(&base);
    let pod = &base.only("Deployment")["spec"]["template"]["spec"];
    let port = &pod["containers"][0]["ports"][0];
    assert_eq!(port["containerPort"], settings.serving.secure_port);
    assert_eq!(
        base.only("Service")["spec"]["ports"][0]["targetPort"],
        port["name"]
    );
    let grace = Duration::from_secs(pod["terminationGracePeriodSeconds"].as_u64().unwrap());
    assert!(grace > settings.serving.shutdown_delay + settings.serving.shutdown_grace);
}

#[test]
fn certificates_come_from_the_secret_and_for_the_service_that_the_manifests_allow_and_make() {
    let base = Rendered::base();
    let certificate = settings(&base).serving.certificate_secret.unwrap();
    let service = &base.only("Service")["metadata"];
    assert_eq!(certificate.service.name, service["name"].as_str().unwrap());
    // Left out is the namespace of the pod, which is that of the Service.
    assert_eq!(
        (certificate.service.namespace, certificate.secret.namespace),
        (None, None)
    );
    let role = base.only("Role");
    assert_eq!(
        role["rules"][0]["resourceNames"],
        serde_json::json!([certificate.secret.name])
    );
    for api_service in base.of_kind("APIService") {
        assert_eq!(api_service["spec"]["service"]["name"], service["name"]);
    }
}

#[test]
fn another_namespace_is_one_line_that_moves_everything() {
    let moved = Rendered::overlay("namespace: monitoring\nresources: [ROOT/manifests/base]\n");
    let text = serde_json::to_string(&moved.0).unwrap();
    assert!(!text.contains(r#""namespace":"promql-adapter""#), "{text}");
    assert!(text.contains(r#""namespace":"kube-system""#));
    assert!(
        moved.of_kind("Namespace").next().is_none(),
        "deleting the adapter would delete the namespace"
    );
}

/// The YAML blocks of the guide, which are kustomizations or parts of one.
fn blocks_of_the_guide() -> Vec<String> {
    let guide = std::fs::read_to_string("docs/guides/install.md").unwrap();
    let blocks = guide.split("```yaml\n").skip(1);
    blocks
        .map(|block| {
            block
                .split("```")
                .next()
                .unwrap()
                .replace("../manifests", "ROOT/manifests")
        })
        .collect()
}

#[test]
fn kustomizations_of_the_guide_do_what_it_says() {
    let blocks = blocks_of_the_guide();
    let [whole, without_external, with_cert_manager] = &blocks[..] else {
        panic!("the guide has other blocks: {blocks:#?}");
    };
    let whole = Rendered::overlay(whole);
    let container = container(&whole);
    assert_eq!(container["image"], "registry.example.com/promql-adapter:0.1.0");
    settings(&whole);

    let base = "resources: [ROOT/manifests/base]\n";
    let without_external = Rendered::overlay(&format!("{base}{without_external}"));
    assert_eq!(without_external.of_kind("APIService").count(), 2);

    let component = "namespace: monitoring\ncomponents: [ROOT/manifests/components/cert-manager]\n";
    let with_cert_manager = Rendered::overlay(&format!("{base}{component}{with_cert_manager}"));
    let text = serde_json::to_string(&with_cert_manager.0).unwrap();
    assert!(
        text.contains("monitoring/promql-adapter-serving") && text.contains("promql-adapter.monitoring.svc")
    );
    assert!(!text.contains("promql-adapter/promql-adapter-serving") && !text.contains(".promql-adapter.svc"));
}

#[test]
fn no_api_service_skips_the_check_of_the_certificate_or_fixes_its_authority() {
    let rendered = Rendered::with(&["metrics-k8s-io"]);
    let names: Vec<&Value> = rendered
        .of_kind("APIService")
        .inspect(|object| {
            let spec = object["spec"].as_object().unwrap();
            assert!(!spec.contains_key("insecureSkipTLSVerify") && !spec.contains_key("caBundle"));
        })
        .map(|object| &object["metadata"]["name"])
        .collect();
    assert_eq!(
        names,
        [
            "v1beta1.custom.metrics.k8s.io",
            "v1beta1.external.metrics.k8s.io",
            "v1beta1.metrics.k8s.io",
            "v1beta2.custom.metrics.k8s.io",
        ]
    );
}
