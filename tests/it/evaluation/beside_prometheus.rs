//! Every query of our scripts, asked of a real Prometheus with the same samples.

use std::fs;
use std::path::Path;
use std::time::Duration;

use promql_adapter::promql::Expression;

use super::notation::Step;
use super::recorded::{Recorded, Told, append, ours, same, theirs, window};
use super::remote_write;
use super::script::{Command, read};
use super::scripts::{OTHERS, scripts};
use crate::case;
use crate::support::servers::{Backend, Kind};

/// From the samples of one scene to those of the next, which must not see them.
const APART_MS: i64 = 24 * 60 * 60 * 1000;

/// A Prometheus without targets and without samples.
pub(crate) async fn empty_prometheus() -> Backend {
    let directory = tempfile::tempdir().unwrap();
    let targets = directory.path().join("targets.json");
    fs::write(&targets, "[]").unwrap();
    Backend::start(Kind::Prometheus3, &targets).await
}

/// A time for the first scene: full days ago, so that later scenes are in the past too, as remote write wants it.
pub(crate) fn first_scene_ms(scenes: i64) -> i64 {
    let now = std::time::UNIX_EPOCH
        .elapsed()
        .unwrap_or(Duration::ZERO)
        .as_millis() as i64;
    (now / APART_MS - scenes - 1) * APART_MS
}

#[tokio::test]
async fn every_script_gives_the_same_in_prometheus() {
    let (_, faults) = compare(&case::data("promql-eval")).await;
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Says how many queries of the scripts of another folder give the same.
#[tokio::test]
async fn scripts_of_another_folder_are_compared_with_prometheus() {
    let Some(folder) = std::env::var_os(OTHERS) else {
        return;
    };
    let (asked, faults) = compare(Path::new(&folder)).await;
    println!("{asked} queries were asked of both, {} differ", faults.len());
    println!("{}", faults.join("\n"));
}

/// How many queries were asked of both, and where they differ.
async fn compare(folder: &Path) -> (usize, Vec<String>) {
    let scenes: Vec<Scene> = scripts(folder).iter().flat_map(|path| scenes_of(path)).collect();
    let prometheus = empty_prometheus().await;
    let mut base_ms = first_scene_ms(scenes.len() as i64);
    let (mut faults, mut asked) = (Vec::new(), 0);
    for scene in &scenes {
        faults.extend(scene.compare(&prometheus, base_ms).await);
        asked += scene.queries.len();
        base_ms += APART_MS;
    }
    (asked, faults)
}

/// What lies between two `clear` of a script.
#[derive(Default)]
struct Scene {
    script: String,
    series: Vec<Recorded>,
    /// Line, time and text.
    queries: Vec<(usize, i64, String, Expression)>,
}

fn scenes_of(path: &Path) -> Vec<Scene> {
    let script = path.file_name().unwrap().to_string_lossy().into_owned();
    let commands =
        read(&fs::read_to_string(path).unwrap()).unwrap_or_else(|fault| panic!("{script}: {fault}"));
    let mut scenes = vec![Scene::default()];
    for command in commands {
        let scene = scenes.last_mut().unwrap();
        scene.script.clone_from(&script);
        match command {
            Command::Clear => scenes.push(Scene::default()),
            Command::Load(load) => scene
                .series
                .extend(load.series.into_iter().map(|(labels, steps)| {
                    let samples = steps.into_iter().enumerate();
                    let samples = samples.map(|(position, step)| (position as i64 * load.step_ms, step));
                    Recorded {
                        labels,
                        samples: samples.filter(|(at_ms, _)| *at_ms < APART_MS / 2).collect(),
                    }
                })),
            Command::Eval(eval) => {
                if let Ok(expression) = Expression::parse(&eval.query) {
                    scene
                        .queries
                        .push((eval.line, eval.at_ms, eval.query, expression));
                }
            }
            Command::Other => {}
        }
    }
    // What reads native histograms reads none here.
    scenes.retain(|scene| {
        let mut steps = scene.series.iter().flat_map(|series| &series.samples);
        !scene.queries.is_empty() && !steps.any(|(_, step)| *step == Step::Histogram)
    });
    scenes
}

impl Scene {
    async fn compare(&self, prometheus: &Backend, base_ms: i64) -> Vec<String> {
        let series: Vec<Recorded> = self
            .series
            .iter()
            .map(|series| shifted(series, base_ms))
            .collect();
        if !series.is_empty() {
            prometheus.remote_write(remote_write::body(&series)).await;
        }
        let queries: Vec<Expression> = self.queries.iter().map(|(.., query)| query.clone()).collect();
        let mut window = window(&queries);
        for recorded in &series {
            for (at_ms, step) in &recorded.samples {
                append(&mut window, &recorded.labels, *at_ms, *step);
            }
        }
        let mut faults = Vec::new();
        for (line, at_ms, text, query) in &self.queries {
            let at_ms = base_ms + at_ms;
            let theirs = theirs(&prometheus.answer(text, Some(at_ms as f64 / 1000.0)).await);
            let ours = ours(query, &window, at_ms);
            if is_newer(&theirs) {
                continue;
            }
            if !same(&ours, &theirs, 1e-14) {
                faults.push(format!(
                    "{}:{line}: `{text}`\n  ours    {ours}\n  theirs  {theirs}",
                    self.script
                ));
            }
        }
        faults
    }
}

/// Whether the query has a function that came after this Prometheus.
fn is_newer(theirs: &Told) -> bool {
    matches!(theirs, Told::Failure(why) if why.contains("unknown function"))
}

fn shifted(series: &Recorded, base_ms: i64) -> Recorded {
    let samples = series.samples.iter();
    Recorded {
        labels: series.labels.clone(),
        samples: samples.map(|(at_ms, step)| (base_ms + at_ms, *step)).collect(),
    }
}
