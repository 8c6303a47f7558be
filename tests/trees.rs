//! Models of trees, end to end: missing cells and unknown words, weights, one file for every way to predict.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyperdrive::Params;
use serde_json::Value;
use trainers::trees::{Boosting, LIGHT_GBM, Objective};
use trainers::{Algorithm, Block, Kind, Target, TargetValues, Task, TrainData, transform};

use crate::support::{Place, root};

const TREES: [Algorithm; 7] = [
    Algorithm::LightGbm,
    Algorithm::XgBoost,
    Algorithm::CatBoost,
    Algorithm::GradientBoosting,
    Algorithm::RandomForest,
    Algorithm::ExtremeRandomTrees,
    Algorithm::DecisionTree,
];

/// What no sum over columns can say: the class is whether a quantity is high, turned round in one half of the towns; a
/// quantity that is missing (every sixth) counts as high. `wrong` turns rows round once more.
fn table(n: usize, wrong: impl Fn(usize) -> bool) -> Vec<String> {
    let mut state = 5_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64) / f64::from(u32::MAX >> 1)
    };
    let line = |i: usize| {
        let (x, town, noise) = (next(), (next() * 9.999) as usize, next());
        let cell = if i.is_multiple_of(6) { String::new() } else { format!("{x:.4}") };
        let high = i.is_multiple_of(6) || x > 0.5;
        let y = high ^ (town * 7 % 10 < 5) ^ wrong(i);
        format!("{cell},town{town},{noise:.4},{}", if y { "yes" } else { "no" })
    };
    (0..n).map(line).collect()
}

fn csv(header: &str, lines: &[String]) -> String {
    format!("{header}\n{}\n", lines.join("\n"))
}

fn is_tree(name: &str) -> bool {
    TREES.iter().any(|algorithm| name.starts_with(algorithm.name()))
}

/// The last columns of what `predict --proba` wrote.
fn probabilities(text: &str) -> Vec<Vec<f64>> {
    let row = |line: &str| line.split(',').skip(1).map(|cell| cell.parse().expect("a probability")).collect();
    text.lines().skip(1).map(row).collect()
}

#[test]
fn a_model_of_trees_predicts_the_same_from_its_file_and_row_by_row() {
    let place = Place::new();
    let lines = table(600, |_| false);
    let data = place.write("made.csv", csv("x,town,noise,y", &lines));
    let summary = place.json(&["fit", &data, "--target", "y", "--max-trials", "12", "--model-out", "made.automl"]);
    let members = summary["model"]["members"].as_array().expect("members");
    assert!(members.iter().all(|member| is_tree(member[0].as_str().expect("a name"))), "{members:?}");
    assert_eq!(summary["search"]["failed"], 0);
    assert!(summary["score"]["value"].as_f64() > Some(0.97), "{}", summary["score"]);
    // Columns are shuffled as they stand in the table.
    let matters: Vec<&str> =
        summary["importance"].as_array().expect("a list").iter().filter_map(|row| row[0].as_str()).collect();
    assert_eq!(matters.last(), Some(&"noise"), "{matters:?}");

    let whole = place.ok(&["predict", "--model", "made@1", &data, "--proba"]).out;
    assert_eq!(whole, place.ok(&["predict", "--model", "made.automl", &data, "--proba"]).out);
    let whole = probabilities(&whole);
    let model = trainers::from_bytes(&std::fs::read(place.path("made.automl")).expect("the file")).expect("sound");
    for (line, of_whole) in lines.iter().zip(&whole) {
        let cells: Vec<(&str, &str)> = ["x", "town", "noise"].into_iter().zip(line.split(',')).collect();
        let alone = model.predict_row(&cells).expect("a prediction");
        assert_eq!(&alone.probabilities, of_whole, "{line}");
    }
    // A word never seen is as good as none; neither stops a prediction.
    let odd = place.write("odd.csv", "x,town,noise\n0.7,,0.5\n0.7,atlantis,0.5\n,,\n");
    let odd = probabilities(&place.ok(&["predict", "--model", "made@1", &odd, "--proba"]).out);
    assert_eq!(odd[0], odd[1]);
    assert!(odd.iter().flatten().all(|p| (0.0..=1.0).contains(p)), "{odd:?}");
}

#[test]
fn rows_of_weight_zero_teach_trees_nothing() {
    let place = Place::new();
    // Two rows in five are wrong, and weigh nothing.
    let wrong = |i: usize| i % 5 < 2;
    let lines = table(1000, wrong);
    let weighed: Vec<String> =
        lines.iter().enumerate().map(|(i, line)| format!("{line},{}", u8::from(!wrong(i)))).collect();
    let data = place.write("made.csv", csv("x,town,noise,y,w", &weighed));
    let clean = place.write("clean.csv", csv("x,town,noise,y", &table(1000, |_| false)));
    let accuracy = |option: &str| -> (f64, Value) {
        let arguments =
            ["fit", &data, "--target", "y", option, "w", "--max-trials", "8", "--test", &clean, "--metric", "accuracy"];
        let summary = place.json(&arguments);
        (summary["test"]["value"].as_f64().expect("a score"), summary)
    };
    let ((weighed, summary), (alike, _)) = (accuracy("--weight"), accuracy("--ignore"));
    assert!(weighed > 0.95 && weighed > alike, "{weighed} with weights, {alike} without");
    let members = summary["model"]["members"].as_array().expect("members");
    assert!(members.iter().any(|member| is_tree(member[0].as_str().expect("a name"))), "{members:?}");
}

/// The snippet of docs/trees.md; `docs` holds that its lines are these.
#[test]
fn other_losses_and_constraints_are_settings_of_the_library() {
    fn explain(data: &TrainData, block: &Block) -> Result<(Vec<f64>, Vec<f64>), trainers::TrainError> {
        let mut boost = LIGHT_GBM.settings(&data.shape(), &Params::new().with("n_estimators", 200_i64))?;
        boost.loss = Objective::Quantile { alpha: 0.9 }.build()?;
        boost.growth.interaction_constraints = vec![vec![0], vec![1]]; // no path asks about both
        let mut training = Boosting::start(data, boost, None)?;
        training.advance_to(200, &AtomicBool::new(false));
        let ensemble = training.model()?;
        let explained = ensemble.shap(block, &[0]);
        let rows: Vec<u32> = (0..block.n_rows as u32).collect();
        let of_first = explained.values.iter().sum::<f64>() + explained.expected[0];
        Ok((ensemble.raw(block, &rows).column(0), vec![of_first]))
    }
    let n = 400;
    let x: Vec<f32> = (0..n).map(|i| (i * 37 % n) as f32 / n as f32).collect();
    let other: Vec<f32> = (0..n).map(|i| (i * 113 % n) as f32 / n as f32).collect();
    let y: Vec<f64> = (0..n).map(|i| f64::from(x[i]) + [0.0, 0.4, -0.4][i % 3]).collect();
    let names = vec!["x".to_owned(), "other".to_owned()];
    let values = [x.clone(), other].concat();
    let block = Arc::new(Block { names, kinds: vec![Kind::Number; 2], n_rows: n, values });
    let target = Target { task: Task::Regression, classes: Vec::new(), values: TargetValues::Numbers(y.clone()) };
    let rows: Vec<u32> = (0..n as u32).collect();
    let data = TrainData::new(vec![block.clone()], rows.into(), Arc::new(target), 1);
    let (predicted, explained) = explain(&data, &block).expect("sound settings");
    let below = predicted.iter().zip(&y).filter(|(p, y)| *y <= *p).count();
    assert!((340..=385).contains(&below), "{below} of 400 labels lie below their 0.9 quantile");
    assert!((explained[0] - predicted[0]).abs() < 1e-9, "{} and {}", explained[0], predicted[0]);
}

#[test]
fn the_seven_are_the_algorithms_that_read_features_as_they_are() {
    let native = |algorithm: &&Algorithm| algorithm.trainer().describe().input == transform::TREE_INPUT;
    assert!(Algorithm::all().iter().filter(native).eq(TREES.iter()));
    let page = std::fs::read_to_string(root().join("docs/trees.md")).expect("the page");
    for algorithm in TREES {
        assert!(page.contains(&format!("| `{algorithm}` |")), "{algorithm} is not on docs/trees.md");
    }
}
