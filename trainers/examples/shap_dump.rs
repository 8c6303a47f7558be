//! Predicts with and explains an ensemble of trees, and writes down all that a peer needs to do the same:
//! `benches/peers/shap_parity.py` reads it.
//!
//! `shap_dump made OUT.json` makes trees by chance; `shap_dump ALGORITHM OUT.json` trains one of ours, by its defaults,
//! on a made regression with missing values; `shap_dump IN.json OUT.json` takes `{"ensemble", "columns"}`, as
//! `benches/peers/from_lightgbm.py` writes them.

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use trainers::trees::{Link, Node, Tree, TreeEnsemble};
use trainers::{Algorithm, Block, Estimator, Kind, Target, TargetValues, Task, TrainData};

#[path = "../../benches/made.rs"]
mod made;

/// Rows that are explained; all are predicted.
const EXPLAINED: usize = 5000;
/// A measurement is the least of so many.
const REPEATS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        return Err("usage: shap_dump (made | ALGORITHM | IN.json) OUT.json".into());
    };
    let (ensemble, block) = match Algorithm::parse(input) {
        Ok(algorithm) => trained(algorithm)?,
        Err(_) if input == "made" => made(),
        Err(_) => read(&fs::read_to_string(input)?)?,
    };
    ensemble.check(block.n_features(), ensemble.n_outputs())?;
    let rows: Vec<u32> = (0..block.n_rows as u32).collect();
    let explained = &rows[..rows.len().min(EXPLAINED)];
    let (raw, predict_seconds) = least(|| ensemble.raw(&block, &rows))?;
    let (shap, shap_seconds) = least(|| ensemble.shap(&block, explained))?;
    let ((), one_by_one_seconds) = least(|| explained.iter().for_each(|&row| drop(ensemble.shap(&block, &[row]))))?;
    let dump = json!({
        "n_raw_outputs": ensemble.n_raw_outputs(),
        "base": ensemble.base(),
        "scale": ensemble.scale(),
        "trees": ensemble.trees().iter().map(tree).collect::<Vec<_>>(),
        "columns": (0..block.n_features()).map(|j| block.column(j)).collect::<Vec<_>>(),
        "raw": raw.values(),
        "values": shap.values,
        "expected": shap.expected,
        "predict_seconds": predict_seconds,
        "shap_seconds": shap_seconds,
        "shap_one_by_one_seconds": one_by_one_seconds,
    });
    fs::write(output, dump.to_string())?;
    Ok(())
}

fn made() -> (TreeEnsemble, Block) {
    let made = made::Made { n_features: 20, n_leaves: 31, n_levels: 0, missing: 0.05 };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let trees = (0..100).map(|_| made.tree(&mut rng)).collect();
    let ensemble = TreeEnsemble::new(Algorithm::Constant, 20, 1, Link::Identity, vec![0.25], 1.0, trees);
    (ensemble, made.block(EXPLAINED, &mut rng))
}

/// What an algorithm learns from 5000 rows of 20 features, a twentieth of the cells missing.
fn trained(algorithm: Algorithm) -> Result<(TreeEnsemble, Block), Box<dyn Error>> {
    let made = made::Made { n_features: 20, n_leaves: 31, n_levels: 0, missing: 0.05 };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let block = made.block(EXPLAINED, &mut rng);
    let x = |row: usize, j: usize| Some(f64::from(block.column(j)[row])).filter(|x| !x.is_nan()).unwrap_or(0.7);
    let label = |row: usize| 10.0 * x(row, 0) * x(row, 1) + 20.0 * (x(row, 2) - 0.5).powi(2) + 5.0 * x(row, 3);
    let values = TargetValues::Numbers((0..EXPLAINED).map(label).collect());
    let target = Target { task: Task::Regression, classes: Vec::new(), values };
    let rows: Vec<u32> = (0..EXPLAINED as u32).collect();
    let data = TrainData::new(vec![Arc::new(block.clone())], rows.into(), Arc::new(target), 1);
    let trainer = algorithm.trainer();
    let mut training = trainer.start(&data, &trainer.default_params(&data.shape()), None)?;
    training.advance(1.0, &AtomicBool::new(false))?;
    match training.model()? {
        Estimator::Trees(ensemble) => Ok((ensemble, block)),
        _ => Err(format!("{algorithm} learns no trees").into()),
    }
}

fn read(text: &str) -> Result<(TreeEnsemble, Block), Box<dyn Error>> {
    let mut input: Value = serde_json::from_str(text)?;
    let ensemble = serde_json::from_value(input["ensemble"].take())?;
    let columns: Vec<Vec<Option<f32>>> = serde_json::from_value(input["columns"].take())?;
    let n_rows = columns.first().map_or(0, Vec::len);
    let values = columns.iter().flatten().map(|x| x.unwrap_or(f32::NAN)).collect();
    let names = (0..columns.len()).map(|j| format!("f{j}")).collect();
    Ok((ensemble, Block::numbers(names, n_rows, values)))
}

/// A tree as the dictionary that `shap.TreeExplainer` takes: inner nodes, then leaves.
fn tree(tree: &Tree) -> Value {
    let n = tree.nodes.len() as i32;
    let place = |child: i32| if child < 0 { n + !child } else { child };
    let leaves = tree.leaves.iter();
    let with_leaves = |of_nodes: Vec<i32>| of_nodes.into_iter().chain(leaves.clone().map(|_| -1)).collect::<Vec<_>>();
    let default = |node: &Node| place(if node.missing_left { node.left } else { node.right });
    // JSON has no infinity, by which every value goes left and only the missing ones right.
    let finite = |node: &Node| node.threshold.min(f32::MAX);
    let nodes = || tree.nodes.iter();
    json!({
        "children_left": with_leaves(nodes().map(|node| place(node.left)).collect()),
        "children_right": with_leaves(nodes().map(|node| place(node.right)).collect()),
        "children_default": with_leaves(nodes().map(default).collect()),
        "features": with_leaves(nodes().map(|node| node.feature as i32).collect()),
        "thresholds": nodes().map(finite).chain(leaves.clone().map(|_| 0.0)).collect::<Vec<_>>(),
        "values": nodes().map(|_| 0.0).chain(leaves.clone().copied()).collect::<Vec<f32>>(),
        "node_sample_weight": tree.covers,
    })
}

/// What it gives, and the least CPU seconds of a few runs.
fn least<T>(run: impl Fn() -> T) -> Result<(T, f64), Box<dyn Error>> {
    let mut best = f64::INFINITY;
    let mut last = None;
    for _ in 0..REPEATS {
        let before = cpu_seconds()?;
        last = Some(run());
        best = best.min(cpu_seconds()? - before);
    }
    Ok((last.ok_or("nothing was run")?, best))
}

/// CPU seconds of this process, which has one thread.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let statistics = fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = statistics.split(' ').next().ok_or("no time in schedstat")?;
    Ok(nanoseconds.parse::<f64>()? * 1e-9)
}
