//! The chart, rendered by Helm.

use std::fs;
use std::process::Command;

use promql_adapter::config;
use promql_adapter::config::Backend;
use serde_json::{Value, json};

use super::rendered::{Rendered, output, program};
use super::rights::rights;
use super::settings::settings;

/// The chart as release `promql-adapter` in the namespace of that name, with these values.
pub(crate) fn chart(values: &str) -> Result<Rendered, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), values).unwrap();
    let mut helm = Command::new(program("HELM"));
    helm.args(["template", "promql-adapter", "manifests/chart"]);
    helm.args(["--namespace", "promql-adapter", "--values"]);
    let rendered = output(helm.arg(file.path()))?;
    Ok(Rendered::read(&rendered))
}

/// A values file as people have them for prometheus-adapter.
pub(crate) fn values_of_prometheus_adapter() -> String {
    fs::read_to_string("tests/data/manifests/prometheus-adapter-values.yaml").unwrap()
}

/// Values that say what the base says: its rules and address, and the two settings in which the charts differ from it.
fn values_of_the_base(base: &Rendered) -> String {
    let configuration: Value = serde_saphyr::from_str(base.configuration()).unwrap();
    let url = &configuration["backends"]["default"]["url"];
    json!({
        "prometheus": {"url": url, "port": null},
        "rules": {"default": false, "custom": configuration["rules"]},
        "apiServices": {"external": true},
        "metricsRelistInterval": "10m",
        // The base has no RoleBinding in kube-system, which `namespace:` of a kustomization would move away.
        "rbac": {"useAuthReaderClusterRole": true},
    })
    .to_string()
}

#[test]
fn the_chart_means_what_the_base_means() {
    let base = Rendered::base();
    let chart = chart(&values_of_the_base(&base)).unwrap();
    assert_eq!(
        format!("{:#?}", settings(&chart)),
        format!("{:#?}", settings(&base))
    );
    assert_eq!(written(&chart), written(&base));
    assert_eq!(rights(&chart), rights(&base));
    for kind in ["APIService", "Service", "PodDisruptionBudget", "Deployment"] {
        assert_eq!(specs(&chart, kind), specs(&base, kind));
    }
}

/// The rules as the adapter reads them.
fn written(rendered: &Rendered) -> Vec<String> {
    let loaded = config::load(rendered.configuration(), "config.yaml", &Default::default(), &[]).unwrap();
    let rules = loaded.rules.rules.iter();
    rules
        .map(|rule| format!("{:?}", (&rule.form, rule.api, &rule.backend, &rule.policies)))
        .collect()
}

/// What the objects of a kind say, but for labels that only Helm has, and for what is compared as settings.
fn specs(rendered: &Rendered, kind: &str) -> Vec<Value> {
    let mut specs: Vec<Value> = rendered
        .of_kind(kind)
        .map(|object| object["spec"].clone())
        .collect();
    for spec in &mut specs {
        plain(spec);
    }
    specs.sort_by_key(|spec| (spec["group"].to_string(), spec["version"].to_string()));
    specs
}

fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let unlike = [
                "app.kubernetes.io/instance",
                "app.kubernetes.io/managed-by",
                "app.kubernetes.io/version",
            ];
            fields.retain(|key, value| {
                // A rolling update and a ClusterIP are what is meant if nothing is said.
                let said = [
                    ("type", "RollingUpdate"),
                    ("type", "ClusterIP"),
                    ("imagePullPolicy", "IfNotPresent"),
                ];
                !unlike.contains(&key.as_str())
                    && !["helm.sh/chart", "checksum/config", "args", "env", "configMap"]
                        .contains(&key.as_str())
                    && !said.iter().any(|(name, said)| key == name && value == said)
            });
            fields.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

#[test]
fn values_of_prometheus_adapter_install_and_keep_their_meaning() {
    let chart = chart(&values_of_prometheus_adapter()).unwrap();
    let settings = settings(&chart);
    assert_eq!(settings.serving.secure_port, 8443);
    let Backend::Remote(backend) = &settings.backends["default"] else {
        panic!("{:?}", settings.backends);
    };
    assert_eq!(backend.url, "http://prometheus-operated.monitoring.svc:9090/prom");
    let names: Vec<&Value> = chart
        .of_kind("APIService")
        .map(|object| &object["metadata"]["name"])
        .collect();
    let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(names.len(), 4, "{names:?}");
    let deployment = chart.only("Deployment");
    assert_eq!(deployment["spec"]["replicas"], 3);
    assert_eq!(
        deployment["spec"]["template"]["metadata"]["annotations"]["team"],
        "platform"
    );
    assert_eq!(deployment["metadata"]["labels"]["cost-center"], "42");
}

#[test]
fn without_a_url_the_adapter_may_scrape_for_itself() {
    let values = "prometheus: {url: ''}\nconfig: {backends: {default: {embedded: {annotatedPods: true}}}}\n";
    let settings = settings(&chart(values).unwrap());
    let Backend::Embedded(backend) = &settings.backends["default"] else {
        panic!("{:?}", settings.backends);
    };
    assert!(backend.annotated_pods);
}

#[test]
fn default_values_make_rules_without_a_fault() {
    settings(&chart("{}").unwrap());
}

#[test]
fn values_that_would_install_something_else_are_refused_with_their_cure() {
    let pem = "-----BEGIN CERTIFICATE-----";
    let refused = [
        (
            json!({"image": {"repository": "registry.k8s.io/prometheus-adapter/prometheus-adapter"}}),
            "take `image` out of the values",
        ),
        (
            json!({"extraArguments": ["--tls-cert-file=/tls.crt"]}),
            "give it by `tls` or `certManager`",
        ),
        (
            json!({"tls": {"enable": true, "ca": pem, "key": pem}}),
            "tls.enable is true and tls.certificate is not PEM",
        ),
        (
            json!({"tls": {"enable": true, "ca": pem, "key": pem, "certificate": pem}, "certManager": {"enabled": true}}),
            "leave one of them out",
        ),
        (
            json!({"rules": {"existing": "mine"}, "config": {"freshFor": "5s"}}),
            "put these settings into that ConfigMap",
        ),
    ];
    for (values, cure) in refused {
        let said = chart(&values.to_string()).unwrap_err();
        assert!(said.contains(cure), "{values}: {said}");
    }
}

#[test]
fn given_certificates_are_mounted_and_trusted_and_need_no_right_to_secrets() {
    let pem = "-----BEGIN CERTIFICATE-----\n";
    let values = json!({"tls": {"enable": true, "ca": pem, "key": pem, "certificate": pem}});
    let chart = chart(&values.to_string()).unwrap();
    let serving = settings(&chart).serving;
    assert_eq!(
        serving.tls_cert_file.unwrap().to_str(),
        Some("/etc/promql-adapter-serving/tls.crt")
    );
    for object in chart.of_kind("APIService") {
        assert!(object["spec"]["caBundle"].is_string());
    }
    let rights = rights(&chart);
    assert!(
        !rights.iter().any(|right| right.contains("secrets")),
        "{rights:?}"
    );
}
