//! Laws of what is grown, on small made data: a file a subject.

mod bad_input;
mod bugs;
mod categories;
mod constraints;
mod custom_loss;
mod descent;
mod forests;
mod golden;
mod leaves;
mod missing;
mod quantiles;
mod resume;
mod threads;
mod weights;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::draw;
use super::{Boost, Boosting, Growth, Mode, Node, Objective, Tree, TreeEnsemble};
use crate::algorithm::Algorithm;
use crate::data::{Block, Kind, Target, TargetValues, TrainData};
use crate::error::TrainError;
use crate::task::Task;
use crate::trainer::Training;

static GO_ON: AtomicBool = AtomicBool::new(false);

const OBJECTIVES: [Objective; 7] = [
    Objective::Squared,
    Objective::Absolute,
    Objective::Huber { delta: 0.5 },
    Objective::Quantile { alpha: 0.3 },
    Objective::Poisson,
    Objective::Logistic,
    Objective::Softmax { n_classes: 3 },
];

/// A number from 0 to 1 for a place.
fn unit(seed: u64, at: usize) -> f64 {
    draw::unit(draw::key(seed, at as u64))
}

/// Boosting with `LightGBM`'s settings but for leaves that suit small data.
fn boosting(objective: Objective, n_estimators: usize) -> Boost {
    Boost {
        cat_statistics: false,
        algorithm: Algorithm::LightGbm,
        n_estimators,
        mode: Mode::Boosting { learning_rate: 0.1, early_stopping_rounds: 0 },
        subsample: 1.0,
        growth: Growth {
            num_leaves: 8,
            min_child_samples: 5,
            cat_smooth: 1.0,
            min_data_per_group: 5,
            ..Growth::default()
        },
        loss: objective.build().expect("sound parameters"),
    }
}

/// A forest of unbounded trees.
fn forest(n_estimators: usize, bootstrap: bool) -> Boost {
    Boost {
        mode: Mode::Forest { bootstrap },
        growth: Growth { num_leaves: 0, min_child_samples: 1, min_child_weight: 0.0, ..Growth::default() },
        algorithm: Algorithm::RandomForest,
        ..boosting(Objective::Squared, n_estimators)
    }
}

fn block(columns: &[(Kind, Vec<f32>)]) -> Block {
    Block {
        names: (0..columns.len()).map(|j| format!("x{j}")).collect(),
        kinds: columns.iter().map(|(kind, _)| *kind).collect(),
        n_rows: columns.first().map_or(0, |(_, column)| column.len()),
        values: columns.iter().flat_map(|(_, column)| column.iter().copied()).collect(),
    }
}

fn classes(task: Task, n: usize, values: Vec<u32>) -> Target {
    let classes = (0..n).map(|class| format!("c{class}")).collect();
    Target { task, classes, values: TargetValues::Classes(values) }
}

fn numbers(values: Vec<f64>) -> Target {
    Target { task: Task::Regression, classes: Vec::new(), values: TargetValues::Numbers(values) }
}

fn data(columns: &[(Kind, Vec<f32>)], target: Target) -> TrainData {
    let block = block(columns);
    let rows = (0..block.n_rows as u32).collect();
    TrainData::new(vec![Arc::new(block)], rows, Arc::new(target), 7)
}

/// Quantities only.
fn quantities(columns: &[Vec<f32>], target: Target) -> TrainData {
    let columns: Vec<(Kind, Vec<f32>)> = columns.iter().map(|column| (Kind::Number, column.clone())).collect();
    data(&columns, target)
}

/// Three quantities with missing values, a category of 12 levels and one of 3, and a target for the objective.
fn mixed(objective: Objective, n: usize, seed: u64) -> TrainData {
    let column = |j: u64| (0..n).map(move |i| unit(seed ^ (j << 32), i));
    let mut columns: Vec<(Kind, Vec<f32>)> = (0..3)
        .map(|j| {
            let values = column(j).map(|u| if u < 0.08 { f32::NAN } else { (u * 4.0) as f32 });
            (Kind::Number, values.collect())
        })
        .collect();
    for (j, n_levels) in [(3, 12), (4, 3)] {
        let level = |u: f64| if u > 0.97 { f32::NAN } else { (u * f64::from(n_levels)).floor() as f32 };
        columns.push((Kind::Category { n_levels }, column(j).map(level).collect()));
    }
    let known = |x: f32, otherwise: f64| if x.is_nan() { otherwise } else { f64::from(x) };
    let signal: Vec<f64> = (0..n)
        .map(|i| {
            let of = |j: usize| columns[j].1[i];
            let level = known(of(3), 0.0) as u64 * 5 % 7;
            known(of(0), 5.0) - (known(of(1), 1.0) - 2.0).abs() * 1.5 + 0.4 * level as f64 + unit(seed ^ 0x63, i)
        })
        .collect();
    let target = match objective {
        Objective::Logistic => classes(Task::Binary, 2, signal.iter().map(|&signal| u32::from(signal > 2.5)).collect()),
        Objective::Softmax { n_classes } => {
            let class = |&signal: &f64| ((signal / 1.7).max(0.0) as u32).min(n_classes as u32 - 1);
            classes(Task::Multiclass, n_classes, signal.iter().map(class).collect())
        }
        Objective::Poisson => numbers(signal.iter().map(|signal| signal.max(0.0).floor()).collect()),
        _ => numbers(signal),
    };
    data(&columns, target)
}

fn run(data: &TrainData, boost: Boost) -> Result<TreeEnsemble, TrainError> {
    let mut boosting = Boosting::start(data, boost, None)?;
    boosting.advance(1.0, &GO_ON)?;
    Boosting::model(&boosting)
}

fn grow(data: &TrainData, boost: Boost) -> TreeEnsemble {
    run(data, boost).expect("sound data and settings")
}

fn bytes(model: &TreeEnsemble) -> Vec<u8> {
    rmp_serde::to_vec_named(model).expect("plain parameters")
}

/// Raw scores of all rows, the first output.
fn raw(model: &TreeEnsemble, data: &TrainData) -> Vec<f64> {
    let rows: Vec<u32> = (0..data.blocks[0].n_rows as u32).collect();
    model.raw(&data.blocks[0], &rows).column(0)
}

fn children(tree: &Tree, node: &Node, block: &Block, rows: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let feature = node.feature as usize;
    let n_levels = match block.kinds[feature] {
        Kind::Category { n_levels } => n_levels,
        Kind::Number => 0,
    };
    rows.iter().partition(|&&row| tree.goes_left(node, block.column(feature)[row as usize], n_levels))
}

/// The rows that come to each inner node, and to each leaf.
fn residents(tree: &Tree, block: &Block, rows: &[u32]) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let (mut nodes, mut leaves) = (vec![Vec::new(); tree.nodes.len()], vec![Vec::new(); tree.leaves.len()]);
    if nodes.is_empty() {
        return (nodes, vec![rows.to_vec()]);
    }
    nodes[0] = rows.to_vec();
    for (at, node) in tree.nodes.iter().enumerate() {
        let (left, right) = children(tree, node, block, &nodes[at]);
        for (child, rows) in [(node.left, left), (node.right, right)] {
            *(if child < 0 { &mut leaves[!child as usize] } else { &mut nodes[child as usize] }) = rows;
        }
    }
    (nodes, leaves)
}

/// The features asked about on the way to each leaf.
fn paths(tree: &Tree) -> Vec<Vec<u32>> {
    let mut open = if tree.nodes.is_empty() { Vec::new() } else { vec![(0, Vec::new())] };
    let mut paths = vec![Vec::new(); tree.leaves.len()];
    while let Some((at, path)) = open.pop() {
        let node: &Node = &tree.nodes[at];
        let path: Vec<u32> = path.into_iter().chain([node.feature]).collect();
        for child in [node.left, node.right] {
            if child < 0 {
                paths[!child as usize].clone_from(&path);
            } else {
                open.push((child as usize, path.clone()));
            }
        }
    }
    paths
}
