//! What is known about a model besides its parameters.

use datasets::{ColumnSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::task::Task;

/// Everything a reader of predictions needs to know about a model; it travels in the model's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// What is predicted.
    pub task: Task,
    /// Name of the target column.
    pub target: String,
    /// The target column with the rules by which its cells are read: what evaluating a file needs.
    pub target_schema: ColumnSchema,
    /// Class names in the order of the probabilities; empty for regression.
    pub classes: Vec<String>,
    /// Name of the metric the model was chosen by.
    pub metric: String,
    /// Binary only: the positive class is predicted when its probability reaches this; `None` means 0.5.
    pub threshold: Option<f64>,
    /// Binary only: the name of the positive class, the second of `classes`.
    pub positive: Option<String>,
    /// The feature columns with the rules by which their cells are read.
    pub schema: Schema,
    /// Regression only: least and greatest training target.
    pub target_range: Option<(f64, f64)>,
    /// What the model was trained on, in words.
    pub trained_on: String,
    /// Seed of the study that made it.
    pub seed: u64,
    /// Version of the program that made it.
    pub automl_version: String,
}

impl ModelCard {
    /// How many numbers a prediction has: 1 for regression, else one per class.
    pub fn n_outputs(&self) -> usize {
        if self.task.is_classification() { self.classes.len() } else { 1 }
    }
}
