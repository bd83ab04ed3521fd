//! The alerts, the recording rules and the dashboard over the adapter's own metrics.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::process::Command;

use promql_parser::parser::{self, Expr};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::{Value, json};

use super::rendered::{Rendered, output, program};

fn groups() -> Value {
    let rendered = Rendered::with(&["prometheus-rules"]);
    rendered.only("PrometheusRule")["spec"]["groups"].clone()
}

fn rules() -> Vec<Value> {
    let groups = groups();
    let groups = groups.as_array().unwrap().iter();
    groups
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

/// Names that an expression may ask for: the series of the metrics in the reference page, what Prometheus says of
/// every target, and what the rules record.
fn known() -> BTreeSet<String> {
    let page = fs::read_to_string("docs/reference/metrics.md").unwrap();
    let mut known = BTreeSet::from(["up".to_owned()]);
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = columns[1].trim_matches('`').to_owned();
        if columns[2] == "histogram" {
            known.extend(["_bucket", "_count", "_sum"].map(|end| format!("{name}{end}")));
        } else {
            known.insert(name);
        }
    }
    known.extend(
        rules()
            .iter()
            .filter_map(|rule| Some(rule["record"].as_str()?.to_owned())),
    );
    known
}

/// The metrics that an expression asks for.
fn asked(expression: &str) -> Vec<String> {
    struct Names(Vec<String>);
    impl ExprVisitor for Names {
        type Error = Infallible;
        fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Infallible> {
            match expression {
                Expr::VectorSelector(selector) => self.0.extend(selector.name.clone()),
                Expr::MatrixSelector(selector) => self.0.extend(selector.vs.name.clone()),
                _ => {}
            }
            Ok(true)
        }
    }
    let tree = parser::parse(expression).unwrap_or_else(|error| panic!("{error}: {expression}"));
    let mut names = Names(Vec::new());
    let Ok(_) = walk_expr(&mut names, &tree);
    assert!(!names.0.is_empty(), "{expression}");
    names.0
}

fn assert_known(expression: &str, known: &BTreeSet<String>) {
    for name in asked(expression) {
        assert!(
            known.contains(&name),
            "the adapter has no metric `{name}`: {expression}"
        );
    }
}

#[test]
fn alerts_and_records_ask_for_metrics_that_the_adapter_has() {
    let known = known();
    for rule in rules() {
        assert_known(rule["expr"].as_str().unwrap(), &known);
    }
}

#[test]
fn every_alert_says_in_its_description_what_to_look_at_or_to_do() {
    for alert in rules().iter().filter(|rule| rule["record"].is_null()) {
        let text = |key: &str| alert["annotations"][key].as_str().unwrap().to_lowercase();
        let cure = ["look", "mend", "bind", "give", "narrow"];
        assert!(!text("summary").is_empty());
        assert!(
            cure.iter().any(|word| text("description").contains(word)),
            "{alert:#}"
        );
        assert!(["critical", "warning"].contains(&alert["labels"]["severity"].as_str().unwrap()));
    }
}

#[test]
fn the_dashboard_asks_for_metrics_that_the_adapter_has() {
    let rendered = Rendered::with(&["grafana-dashboard"]);
    let mut maps = rendered.of_kind("ConfigMap");
    let map = maps.find(|map| map["metadata"]["labels"]["grafana_dashboard"] == "1");
    let dashboard = map.unwrap()["data"]["promql-adapter.json"]
        .as_str()
        .unwrap()
        .to_owned();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let known = known();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            assert_known(target["expr"].as_str().unwrap(), &known);
        }
    }
}

#[test]
fn alerts_fire_and_stay_silent_as_their_cases_say() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("rules.yaml", &json!({"groups": groups()}).to_string());
    write(
        "cases.yaml",
        &fs::read_to_string("tests/data/manifests/alerts.yaml").unwrap(),
    );
    // It comes with Prometheus.
    let promtool = program("PROMETHEUS_2").with_file_name("promtool");
    let mut command = Command::new(promtool);
    let said = output(
        command
            .args(["test", "rules", "cases.yaml"])
            .current_dir(directory.path()),
    );
    said.unwrap_or_else(|said| panic!("{said}"));
}
