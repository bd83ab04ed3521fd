//! The image, as `tests/image/build` builds it from `Containerfile`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::adapter::Setup;
use crate::support::fake_prometheus::{FakePrometheus, Reply};

/// An image in the layout of OCI.
struct Image {
    directory: PathBuf,
    /// Descriptor of its only layer.
    layer: Value,
    config: Value,
}

impl Image {
    fn built() -> Image {
        let Some(directory) = std::env::var_os("IMAGE") else {
            panic!("this test needs the image and IMAGE is not set; run the tests with `tests/run`");
        };
        let directory = PathBuf::from(directory);
        let index = read(&directory.join("index.json"));
        let manifest = read(&blob(&directory, &index["manifests"][0]));
        let config = read(&blob(&directory, &manifest["config"]));
        let [layer] = manifest["layers"].as_array().unwrap().as_slice() else {
            panic!("not one layer: {manifest}");
        };
        Image {
            layer: layer.clone(),
            config: config["config"].clone(),
            directory,
        }
    }

    /// Runs tar on the files of the image, in a directory, and gives what it prints.
    fn tar(&self, what: &str, directory: &Path) -> String {
        let output = Command::new("tar")
            .args([what, "--numeric-owner", "--gzip", "--file"])
            .arg(blob(&self.directory, &self.layer))
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What tar lists of each file: mode, owner, size, date, time and name.
    fn files(&self) -> Vec<Vec<String>> {
        let listed = self.tar("-tv", &self.directory);
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        listed.lines().map(words).collect()
    }
}

/// The file of what a descriptor describes.
fn blob(directory: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().unwrap();
    directory.join("blobs").join(digest.replace(':', "/"))
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn image_is_the_program_and_nothing_else_and_not_root() {
    let image = Image::built();
    let [file] = image.files().try_into().unwrap();
    assert_eq!(
        [&file[0], &file[1], &file[5]],
        ["-rwxr-xr-x", "0/0", "promql-adapter"]
    );
    let config = &image.config;
    assert_eq!(config["User"], "65532:65532", "{config}");
    assert_eq!(config["Entrypoint"], json!(["/promql-adapter"]), "{config}");
    assert_eq!(config["Cmd"], Value::Null, "{config}");
}

#[test]
fn image_is_as_large_as_the_guide_says() {
    let guide = fs::read_to_string("docs/guides/install.md").unwrap();
    let line = guide.lines().find(|line| line.ends_with(" MB to pull.")).unwrap();
    let said: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();

    let image = Image::built();
    let on_disk: f64 = image.files()[0][2].parse().unwrap();
    let to_pull = image.layer["size"].as_f64().unwrap();
    for (is, said) in [on_disk, to_pull].map(|bytes| bytes / 1e6).iter().zip(&said) {
        assert!(
            (is / said - 1.0).abs() < 0.2,
            "{is:.1} MB, and the guide says: {line}"
        );
    }
}

#[tokio::test]
async fn program_serves_with_nothing_beside_it() {
    let prometheus = FakePrometheus::start().await;
    prometheus.on("sum(queue_length)", Reply::vector(&[(&[], "7")]));
    let setup = Setup::new(
        "externalRules:\n  - metric: queue_length\n    objects: {}\n    \
         gauge: {series: queue_length, aggregate: sum}\n",
    );
    Image::built().tar("-x", setup.path());
    // The kubelet brings this file into each container.
    fs::create_dir(setup.path().join("etc")).unwrap();
    setup.write("etc/hosts", "127.0.0.1 prometheus.test\n");
    let backend = prometheus.url().replace("127.0.0.1", "prometheus.test");

    let setup = setup.objects("objects: []").backend(&backend);
    let adapter = setup.confined("/promql-adapter", 65532).start().await;
    let path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue_length";
    let (status, body) = adapter.json(path).await;
    assert_eq!((status, &body["items"][0]["value"]), (200, &json!("7")), "{body}");
    assert_eq!(adapter.terminate().await.code, Some(0));
}
