//! Metrics from end to end: each chooses, and each is shown.

use automl::{AutoMl, AutoMlSpec};
use trainers::{Metric, Task};

use crate::support::{Place, sample};

#[test]
fn every_metric_can_be_asked_for() {
    for (file, target, task) in [
        ("breast_cancer.csv", "diagnosis", Task::Binary),
        ("iris.csv", "species", Task::Multiclass),
        ("diabetes.csv", "progression", Task::Regression),
    ] {
        for &metric in Metric::all().iter().filter(|metric| metric.tasks().contains(&task)) {
            let mut spec = AutoMlSpec::new(sample(file), target);
            spec.metric = Some(metric.into());
            let prepared = AutoMl::new(spec).and_then(|auto| auto.plan()).expect("a plan");
            assert_eq!(prepared.metric.name(), metric.name());
            assert_eq!(prepared.task(), task);
            assert!(prepared.baseline.is_finite(), "{metric}: {}", prepared.baseline);
        }
    }
    let mut spec = AutoMlSpec::new(sample("iris.csv"), "species");
    spec.metric = Some(Metric::AucBinary.into());
    let error = AutoMl::new(spec).and_then(|auto| auto.plan()).expect_err("three classes");
    assert!(error.exit_code() == 2 && error.to_string().contains("AUC_micro"), "{error}");
}

#[test]
fn an_expression_chooses_and_stays_with_the_model() {
    let place = Place::new();
    let data = sample("diabetes.csv");
    let text = "minimize: mean(max(2 * (y - p), p - y)) / mean(y)";
    let options = ["--max-trials", "5", "--name", "cost", "--metric", text];
    let summary = place.json(&[&["fit", &data, "--target", "progression"], options.as_slice()].concat());
    assert_eq!((&summary["goal"]["metric"], &summary["goal"]["higher_is_better"]), (&text.into(), &false.into()));
    let (own, baseline) = (summary["score"]["value"].as_f64(), summary["baseline"].as_f64());
    assert!(own < baseline && own > Some(0.0), "{own:?} {baseline:?}");
    place.ok(&["resume", "cost", "--max-trials", "+2"]);
    let shown = place.json(&["evaluate", "--model", "cost", &data]);
    assert!(shown["scores"][text].is_f64(), "{shown}");
    let words = place.ok(&["evaluate", "--model", "cost", &data]);
    assert!(words.out.lines().any(|line| line.starts_with(text) && line.contains("chosen by")), "{}", words.out);
    for (text, task, words) in [
        ("minimize: y - p", "regression", "put mean"),
        ("minimize: meen(y)", "regression", "character 11"),
        ("maximize: roc_auc", "regression", "does not measure a regression task"),
    ] {
        let ran = place.run(&["fit", &data, "--target", "progression", "--task", task, "--metric", text]);
        assert!(ran.code == 2 && ran.err.contains(words), "{} {}", ran.code, ran.err);
    }
}

#[test]
fn a_model_is_evaluated_by_every_metric_of_its_task() {
    let place = Place::new();
    let table = |rows: std::ops::Range<i32>| -> String {
        let row = |i| format!("{},{},{}\n", i, i * 37 % 11, 100 + 2 * i + i * 37 % 11);
        std::iter::once("a,b,y\n".to_owned()).chain(rows.map(row)).collect()
    };
    let (data, few) = (place.write("train.csv", table(0..120)), place.write("few.csv", table(40..60)));
    let options = ["--max-trials", "5", "--metric", "normalized_root_mean_squared_error", "--task", "regression"];
    let summary = place.json(&[&["fit", &data, "--target", "y"], options.as_slice()].concat());
    assert_eq!(summary["goal"]["metric"], "normalized_root_mean_squared_error");
    let shown = place.json(&["evaluate", "--model", "train@1", &few]);
    let scores = shown["scores"].as_object().expect("scores by name");
    let names: Vec<&str> = Metric::of(Task::Regression).map(Metric::name).collect();
    assert!(names.iter().all(|name| scores[*name].is_f64()) && scores.len() == names.len(), "{scores:?}");
    assert_eq!(shown["azure_names"]["rmse"], "root_mean_squared_error");
    // 0 to 119 give targets from 100 to about 345; the range is that of training, not of the few rows scored.
    let y = |i: i32| f64::from(100 + 2 * i + i * 37 % 11);
    let least = (0..120).map(y).fold(f64::INFINITY, f64::min);
    let range = (0..120).map(y).fold(0.0, f64::max) - least;
    let of = |name: &str| scores[name].as_f64().expect("a number");
    assert!((of("normalized_root_mean_squared_error") * range - of("rmse")).abs() < 1e-9, "{range} {scores:?}");
    let words = place.ok(&["evaluate", "--model", "train@1", &few]);
    let chosen = words.out.lines().find(|line| line.contains("chosen by")).expect("it says which metric chose");
    assert!(chosen.starts_with("normalized_root_mean_squared_error"), "{chosen}");
}
