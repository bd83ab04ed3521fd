//! Configurations and objects files as they are read or refused, and the files in `config/`.

use std::collections::BTreeMap;

use promql_adapter::config::{ObjectsFile, Override, OverrideValue, RulesFile, load};
use promql_adapter::model::Diagnostic;

use crate::case::{self, Case};

#[test]
fn configurations_are_read_or_refused_as_the_cases_say() {
    case::check("config", check);
}

/// What a configuration comes to: its faults, or what the part `show` asks for, or all rules.
fn check(case: &Case) -> String {
    let environment = pairs(case.section("environment")).into_iter().collect();
    let overrides: Vec<Override> = pairs(case.section("flags"))
        .into_iter()
        .map(|(key, value)| Override {
            flag: "--flag".to_owned(),
            key,
            value: OverrideValue::Text(value),
        })
        .collect();
    match load(case.section("config"), "config.yaml", &environment, &overrides) {
        Err(refused) => listed(&refused.faults),
        Ok(configuration) => match case.section("show").trim() {
            "settings" => format!("{:#?}", configuration.settings),
            "backends" => format!("{:#?}", configuration.settings.backends),
            "places" => places(&configuration.rules),
            _ => format!(
                "{:#?}",
                configuration
                    .rules
                    .rules
                    .iter()
                    .map(|rule| (&rule.form, rule.api, &rule.backend, &rule.policies))
                    .collect::<Vec<_>>()
            ),
        },
    }
}

fn places(rules: &RulesFile) -> String {
    let mut text = String::new();
    for rule in &rules.rules {
        text += &format!("{}\n", rule.place);
        for key in rule.lines.keys() {
            text += &format!("  {}\n", rule.at(key));
        }
    }
    if let Some(rules) = &rules.resource_rules {
        text += &format!("{}\n", rules.place);
    }
    text
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn listed(faults: &[Diagnostic]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

#[test]
fn objects_files_are_read_or_refused_as_the_cases_say() {
    case::check("objects", |case| {
        match ObjectsFile::parse(case.section("objects"), "objects.yaml") {
            Err(faults) => listed(&faults),
            Ok(file) => format!("{file:#?}"),
        }
    });
}

#[test]
fn an_objects_file_may_be_as_long_as_a_cluster_is_large() {
    let objects = 50_000;
    let lines =
        (0..objects).map(|pod| format!("  - {{resource: pods, namespace: shop, name: cart-{pod}}}\n"));
    let text = format!("objects:\n{}", lines.collect::<String>());
    let read = ObjectsFile::parse(&text, "objects.yaml").map(|file| file.objects.len());
    assert_eq!(read.map_err(|faults| listed(&faults)), Ok(objects));
}

#[test]
fn every_file_in_config_is_accepted() {
    for folder in ["config", "config/examples"] {
        for entry in std::fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            if path.is_file() && name.ends_with(".yaml") {
                accept(&name, &std::fs::read_to_string(&path).expect("a readable file"));
            }
        }
    }
}

fn accept(name: &str, text: &str) {
    let faults = match name.ends_with("objects.yaml") {
        true => ObjectsFile::parse(text, name).err(),
        false => load(text, name, &BTreeMap::new(), &[])
            .err()
            .map(|refused| refused.faults),
    };
    assert!(faults.is_none(), "{}", listed(&faults.unwrap_or_default()));
}
