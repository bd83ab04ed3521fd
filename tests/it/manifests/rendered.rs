//! Manifests as `kubectl kustomize` renders them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Components of the base that change nothing of each other.
pub(crate) const COMPONENTS: [&str; 6] = [
    "cert-manager",
    "grafana-dashboard",
    "metrics-k8s-io",
    "network-policy",
    "prometheus-rules",
    "service-monitor",
];

/// The objects of one rendering.
#[derive(Debug)]
pub(crate) struct Rendered(pub(crate) Vec<Value>);

impl Rendered {
    /// Objects from YAML documents.
    pub(crate) fn read(yaml: &str) -> Rendered {
        let objects =
            serde_saphyr::from_multiple::<Value>(yaml).unwrap_or_else(|error| panic!("{error}:\n{yaml}"));
        Rendered(objects.into_iter().filter(|object| !object.is_null()).collect())
    }

    /// The base by itself.
    pub(crate) fn base() -> Rendered {
        Rendered::directory(Path::new("manifests/base"))
    }

    /// The base in its own namespace, with components.
    pub(crate) fn with(components: &[&str]) -> Rendered {
        let list: String = components
            .iter()
            .map(|name| format!("  - ROOT/manifests/components/{name}\n"))
            .collect();
        Rendered::overlay(&format!(
            "resources: [ROOT/manifests/default]\ncomponents:\n{list}"
        ))
    }

    /// A kustomization in which `ROOT` stands for the root of the project, beside a copy of the base's configuration.
    pub(crate) fn overlay(kustomization: &str) -> Rendered {
        let directory = tempfile::tempdir().unwrap();
        // Kustomize takes no absolute paths.
        let here = fs::canonicalize(directory.path()).unwrap();
        let up = "../".repeat(here.components().count() - 1);
        let root = env::current_dir().unwrap();
        let root = up + root.strip_prefix("/").unwrap().to_str().unwrap();
        let text = kustomization.replace("ROOT", &root);
        fs::write(directory.path().join("kustomization.yaml"), text).unwrap();
        fs::copy("manifests/base/config.yaml", directory.path().join("config.yaml")).unwrap();
        Rendered::directory(directory.path())
    }

    fn directory(directory: &Path) -> Rendered {
        let mut command = Command::new(program("KUBECTL"));
        Rendered::read(&output(command.arg("kustomize").arg(directory)).unwrap())
    }

    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    /// The only object of its kind.
    pub(crate) fn only(&self, kind: &str) -> &Value {
        let mut objects = self.of_kind(kind);
        let object = objects.next().unwrap_or_else(|| panic!("there is no {kind}"));
        assert!(objects.next().is_none(), "there are several of {kind}");
        object
    }

    /// The ConfigMap that the pods mount.
    pub(crate) fn configuration(&self) -> &str {
        let pod = &self.only("Deployment")["spec"]["template"]["spec"];
        let volume = pod["volumes"].as_array().unwrap().iter();
        let mounted = volume
            .map(|volume| &volume["configMap"]["name"])
            .find(|name| !name.is_null());
        let mut maps = self.of_kind("ConfigMap");
        let map = maps.find(|map| Some(&map["metadata"]["name"]) == mounted);
        map.expect("the mounted ConfigMap")["data"]["config.yaml"]
            .as_str()
            .unwrap()
    }
}

/// A program that `tests/run` gives by a variable.
pub(crate) fn program(variable: &str) -> PathBuf {
    let Some(path) = env::var_os(variable) else {
        panic!("this test needs a program and {variable} is not set; run the tests with `tests/run`");
    };
    PathBuf::from(path)
}

/// What a program prints, or what it says when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stdout) + &text(output.stderr)),
    }
}
