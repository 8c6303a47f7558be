//! What a trainer is given and what a model gives back.

#[cfg(feature = "fit")]
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::task::Task;
#[cfg(feature = "fit")]
use crate::trees::Bins;

/// The target, one value per table row.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetValues {
    /// Class index per table row, into [`Target::classes`]; an index outside it is a missing target.
    Classes(Vec<u32>),
    /// Number per table row, in the target's own unit; NaN is a missing target.
    Numbers(Vec<f64>),
}

/// The target column, encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// What is asked.
    pub task: Task,
    /// Class names in index order; empty for regression, `[negative, positive]` for binary.
    pub classes: Vec<String>,
    /// One value per table row.
    pub values: TargetValues,
}

impl Target {
    /// How many classes there are; 0 for regression.
    pub fn n_classes(&self) -> usize {
        self.classes.len()
    }

    /// How many numbers a prediction has: 1 for regression, else one per class.
    pub fn n_outputs(&self) -> usize {
        if self.task.is_classification() { self.classes.len() } else { 1 }
    }

    /// How many table rows the target covers.
    pub fn n_rows(&self) -> usize {
        match &self.values {
            TargetValues::Classes(values) => values.len(),
            TargetValues::Numbers(values) => values.len(),
        }
    }

    /// Class indices per table row; `None` for regression.
    pub fn codes(&self) -> Option<&[u32]> {
        match &self.values {
            TargetValues::Classes(values) => Some(values),
            TargetValues::Numbers(_) => None,
        }
    }

    /// Numbers per table row; `None` for classification.
    pub fn numbers(&self) -> Option<&[f64]> {
        match &self.values {
            TargetValues::Classes(_) => None,
            TargetValues::Numbers(values) => Some(values),
        }
    }

    /// The class of a table row; `None` when it is missing or this is regression.
    pub fn class(&self, row: u32) -> Option<u32> {
        match &self.values {
            TargetValues::Classes(values) => {
                values.get(row as usize).copied().filter(|&class| (class as usize) < self.classes.len())
            }
            TargetValues::Numbers(_) => None,
        }
    }

    /// The least and greatest number of some table rows; `None` when there is none or this is classification.
    pub fn range(&self, rows: impl IntoIterator<Item = u32>) -> Option<(f64, f64)> {
        let mut numbers = rows.into_iter().filter_map(|row| self.number(row));
        let first = numbers.next()?;
        Some(numbers.fold((first, first), |(low, high), number| (low.min(number), high.max(number))))
    }

    /// The number of a table row; `None` when it is missing or this is classification.
    pub fn number(&self, row: u32) -> Option<f64> {
        match &self.values {
            TargetValues::Classes(_) => None,
            TargetValues::Numbers(values) => values.get(row as usize).copied().filter(|v| v.is_finite()),
        }
    }
}

/// Predictions, row-major: `n_rows × n_outputs`. Regression has one output, classification one probability per
/// class (two for binary) in the target's class order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    n_outputs: usize,
    values: Vec<f64>,
}

impl Predictions {
    /// Wraps row-major values. Values beyond the last whole row are dropped; `n_outputs` 0 means no rows.
    pub fn new(n_outputs: usize, mut values: Vec<f64>) -> Predictions {
        let n_rows = values.len().checked_div(n_outputs).unwrap_or(0);
        values.truncate(n_rows * n_outputs);
        Predictions { n_outputs, values }
    }

    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.values.len().checked_div(self.n_outputs).unwrap_or(0)
    }

    /// How many numbers per row.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// The numbers of row `i`; empty when there is no such row.
    pub fn row(&self, i: usize) -> &[f64] {
        let start = i.saturating_mul(self.n_outputs);
        self.values.get(start..start.saturating_add(self.n_outputs)).unwrap_or(&[])
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.n_outputs.max(1))
    }

    /// Output `j` of every row; empty when there is no such output.
    pub fn column(&self, j: usize) -> Vec<f64> {
        if j < self.n_outputs { self.rows().map(|row| row[j]).collect() } else { Vec::new() }
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The most probable class of every row; the first of equals. All 0 for regression.
    pub fn labels(&self) -> Vec<u32> {
        self.rows().map(|row| argmax(row) as u32).collect()
    }
}

/// Index of the greatest value, the first of equals; 0 when empty.
pub(crate) fn argmax(values: &[f64]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

/// The class chosen from one row of probabilities: for two classes the second when its probability reaches
/// `threshold`, else the most probable.
pub(crate) fn decide(probabilities: &[f64], threshold: f64) -> usize {
    match probabilities {
        [_, positive] => usize::from(*positive >= threshold),
        _ => argmax(probabilities),
    }
}

/// What the numbers of a feature mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A quantity: larger is more.
    Number,
    /// The index of one of this many levels, without an order; anything else is missing.
    Category {
        /// How many levels there are.
        n_levels: u32,
    },
}

/// Features as columns of `f32`, column-major: `n_rows × names.len()`. Bandwidth counts here, and no feature
/// carries more than seven meaningful digits after scaling.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// Feature names, one per column.
    pub names: Vec<String>,
    /// What each feature's numbers mean, one per column.
    pub kinds: Vec<Kind>,
    /// Rows, as many as the table the block was made of.
    pub n_rows: usize,
    /// Column-major values; NaN is missing, and occurs only where the plan keeps missing values.
    pub values: Vec<f32>,
}

impl Block {
    /// A block of quantities.
    pub fn numbers(names: Vec<String>, n_rows: usize, values: Vec<f32>) -> Block {
        Block { kinds: vec![Kind::Number; names.len()], names, n_rows, values }
    }

    /// How many features.
    pub fn n_features(&self) -> usize {
        self.names.len()
    }

    /// Feature `j` of every row; empty when there is no such feature.
    pub fn column(&self, j: usize) -> &[f32] {
        let start = j.saturating_mul(self.n_rows);
        self.values.get(start..start.saturating_add(self.n_rows)).unwrap_or(&[])
    }

    /// Memory held by the values, in bytes.
    pub fn bytes(&self) -> usize {
        self.values.len() * size_of::<f32>()
    }

    /// These features and behind them those of another block over the same rows.
    #[must_use]
    pub fn beside(&self, other: &Block) -> Block {
        Block {
            names: self.names.iter().chain(&other.names).cloned().collect(),
            kinds: self.kinds.iter().chain(&other.kinds).copied().collect(),
            n_rows: self.n_rows,
            values: self.values.iter().chain(&other.values).copied().collect(),
        }
    }
}

/// What a trainer learns from: shared column blocks, and which rows of them are for training.
#[cfg(feature = "fit")]
#[derive(Debug, Clone)]
pub struct TrainData {
    /// Column blocks over the same table rows; the features are their columns in order.
    pub blocks: Vec<Arc<Block>>,
    /// The same features binned, when somebody has done so for all who share the blocks; what wants bins and finds
    /// none bins the training rows for itself.
    pub bins: Option<Arc<Bins>>,
    /// The training view: row indices into the blocks and the target.
    pub rows: Arc<[u32]>,
    /// Rows on which a trainer that can may stop early; never part of `rows`.
    pub held_out: Option<Arc<[u32]>>,
    /// The target, one value per table row.
    pub target: Arc<Target>,
    /// How much each table row counts, finite and not negative; `None`: all alike.
    pub weights: Option<Arc<[f64]>>,
    /// Seed of whatever the trainer draws.
    pub seed: u64,
    /// Bytes a trainer may take for its work, where it can tell beforehand; `None`: no bound.
    pub memory: Option<u64>,
    /// Threads to work on; `None`: those of the pool the calling thread is one of, else that thread alone. Results do
    /// not depend on it.
    pub pool: Option<Arc<rayon::ThreadPool>>,
}

#[cfg(feature = "fit")]
impl TrainData {
    /// Rows of blocks that all count alike, with no bound of memory and no pool of their own.
    pub fn new(blocks: Vec<Arc<Block>>, rows: Arc<[u32]>, target: Arc<Target>, seed: u64) -> TrainData {
        TrainData { blocks, bins: None, rows, held_out: None, target, weights: None, seed, memory: None, pool: None }
    }

    /// The feature columns of all blocks in order, with their names.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.blocks
            .iter()
            .flat_map(|block| block.names.iter().enumerate().map(|(j, name)| (name.as_str(), block.column(j))))
    }

    /// How many features all blocks have together.
    pub fn n_features(&self) -> usize {
        self.blocks.iter().map(|block| block.n_features()).sum()
    }

    /// The size of the training view.
    pub fn shape(&self) -> Shape {
        Shape {
            task: self.target.task,
            n_rows: self.rows.len(),
            n_features: self.n_features(),
            n_classes: self.target.n_classes(),
        }
    }
}

/// The size of a training problem, from which spaces and work are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// What is asked.
    pub task: Task,
    /// Training rows.
    pub n_rows: usize,
    /// Features after encoding.
    pub n_features: usize,
    /// Classes; 0 for regression.
    pub n_classes: usize,
}

impl Shape {
    /// How many numbers a prediction has: 1 for regression, else one per class.
    pub fn n_outputs(&self) -> usize {
        if self.task.is_classification() { self.n_classes } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_row_major() {
        let predictions = Predictions::new(2, vec![0.9, 0.1, 0.4, 0.6, 0.5]);
        assert_eq!(predictions.n_rows(), 2);
        assert_eq!(predictions.row(1), [0.4, 0.6]);
        assert_eq!(predictions.row(2), [0.0_f64; 0]);
        assert_eq!(predictions.column(1), [0.1, 0.6]);
        assert_eq!(predictions.labels(), [0, 1]);
        assert_eq!(Predictions::new(0, vec![1.0]).n_rows(), 0);
    }

    #[test]
    fn two_classes_are_decided_by_the_threshold() {
        assert_eq!(decide(&[0.7, 0.3], 0.3), 1);
        assert_eq!(decide(&[0.7, 0.3], 0.31), 0);
        assert_eq!(decide(&[0.3, 0.3, 0.4], 0.9), 2);
    }

    #[test]
    fn a_missing_target_is_none() {
        let target = Target {
            task: Task::Binary,
            classes: vec!["no".into(), "yes".into()],
            values: TargetValues::Classes(vec![0, 1, u32::MAX]),
        };
        assert_eq!((target.class(1), target.class(2), target.class(3)), (Some(1), None, None));
        assert_eq!(target.number(0), None);
    }
}
