//! What can go wrong: one enum for training, one for a model and its file, one for metrics.

use datasets::DataError;
use thiserror::Error;

use crate::task::Task;

/// A name that is in no table, with the nearest one that is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no {kind} is called `{name}`{}", self.suggestion())]
pub struct UnknownName {
    /// What was looked for: `metric`, `algorithm`.
    pub kind: &'static str,
    /// The name as given.
    pub name: String,
    /// The nearest known name by edit distance, if one is near.
    pub nearest: Option<String>,
}

impl UnknownName {
    pub(crate) fn new(kind: &'static str, name: &str, known: &[&str]) -> UnknownName {
        UnknownName { kind, name: name.to_string(), nearest: datasets::nearest(name, known) }
    }

    fn suggestion(&self) -> String {
        self.nearest.as_ref().map_or_else(String::new, |nearest| format!(" (nearest: `{nearest}`)"))
    }
}

/// Why a score could not be computed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MetricError {
    /// No row was given.
    #[error("metric {metric}: no rows to score")]
    NoRows {
        /// The metric's name.
        metric: &'static str,
    },
    /// The metric is of another task.
    #[error("metric {metric} does not score {task} predictions")]
    WrongTask {
        /// The metric's name.
        metric: &'static str,
        /// The task of the target.
        task: Task,
    },
    /// Target rows and predictions are not parallel.
    #[error(
        "metric {metric}: {rows} rows but {n_predictions} predictions of {n_outputs} outputs, where {expected} outputs are expected"
    )]
    Shape {
        /// The metric's name.
        metric: &'static str,
        /// How many rows were asked for.
        rows: usize,
        /// How many prediction rows there are.
        n_predictions: usize,
        /// How many outputs each prediction has.
        n_outputs: usize,
        /// How many outputs the target asks for.
        expected: usize,
    },
    /// A row that is not in the target, or has no usable target value.
    #[error("metric {metric}: row {row} has no target value")]
    NoTarget {
        /// The metric's name.
        metric: &'static str,
        /// The table row.
        row: u32,
    },
    /// A prediction that is NaN or infinite.
    #[error("metric {metric}: the prediction for row {row} is {value}")]
    NotFinite {
        /// The metric's name.
        metric: &'static str,
        /// The table row.
        row: u32,
        /// The prediction.
        value: f64,
    },
    /// The figure does not exist for these rows.
    #[error("metric {metric} is undefined: {reason}")]
    Undefined {
        /// The metric's name.
        metric: &'static str,
        /// Why, in words.
        reason: &'static str,
    },
    /// An expression has no finite value on these rows.
    #[error("metric `{text}` is {value} on these rows")]
    Expression {
        /// The expression.
        text: String,
        /// Its value.
        value: f64,
    },
}

/// Why a model could not be explained.
#[derive(Debug, Error)]
pub enum ExplainError {
    /// A chain has no exact Shapley values.
    #[error(
        "`{name}` is a {algorithm} model, which has no exact SHAP values; trees and weighted sums have: explain one with \
         --member, or read the permutation importance"
    )]
    NoExactShap {
        /// The chain.
        name: String,
        /// What it was fitted by.
        algorithm: crate::algorithm::Algorithm,
    },
    /// The logarithm that adds up is not that of the prediction.
    #[error(
        "`{name}` learned the logarithm of a number that is 0 somewhere, or says one beyond those it has seen; what adds up \
         is not the logarithm of its prediction: explain another with --member, read the permutation importance, or fit \
         with --block-transformer log_target"
    )]
    BoundLogarithm {
        /// The chain.
        name: String,
    },
    /// A second layer hears the first, so that what a column adds is not a sum.
    #[error(
        "the model has a second layer that reads what its members predict, so that it has no exact SHAP values; explain a \
         member with --member: {}", known.join(", ")
    )]
    Stacked {
        /// The chains of the first layer.
        known: Vec<String>,
    },
    /// Several chains whose values do not add up to the mean that is predicted.
    #[error(
        "the prediction is a mean over {} models that add up to a {unit} each, so that it has no exact SHAP values; \
         explain one with --member: {}", known.len(), known.join(", ")
    )]
    Blend {
        /// What the first such chain adds up to.
        unit: crate::explain::ShapUnit,
        /// The chains.
        known: Vec<String>,
    },
    /// No chain has this name.
    #[error("the model has no member `{name}`, only {}", known.join(", "))]
    NoPart {
        /// The name as given.
        name: String,
        /// The chains there are.
        known: Vec<String>,
    },
    /// The rows could not be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The rows could not be scored.
    #[error(transparent)]
    Metric(#[from] MetricError),
}

/// Why a model could not be read, or could not predict.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The bytes do not begin as a model file does.
    #[error("not a model file: it does not begin with the magic bytes `AUTOML`")]
    NotAModel,
    /// A file of another version.
    #[error("model file of version {found}; this program reads version {supported}")]
    Version {
        /// The file's version.
        found: u32,
        /// The version this program reads.
        supported: u32,
    },
    /// The file is shorter or longer than its header says.
    #[error("model file of {found} bytes, where its header promises {expected}")]
    Truncated {
        /// Bytes the header promises.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The payload is not what was written.
    #[error("model file is damaged: its checksum is {found}, its header says {expected}")]
    Checksum {
        /// SHA-256 in the header, hexadecimal.
        expected: String,
        /// SHA-256 of the payload, hexadecimal.
        found: String,
    },
    /// The payload cannot be written or read, or contradicts itself.
    #[error("model payload: {reason}")]
    Payload {
        /// Why, in words.
        reason: String,
    },
    /// A table lacks a column the model needs.
    #[error("column `{column}` is missing from the table")]
    MissingColumn {
        /// The column.
        column: String,
    },
    /// A column holds another kind of values than the model was fitted on.
    #[error("column `{column}`: the model was fitted on {expected} values, the table holds {found}")]
    WrongKind {
        /// The column.
        column: String,
        /// The kind at fitting.
        expected: &'static str,
        /// The kind now.
        found: &'static str,
    },
    /// The cells of a row could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// Why a model could not be written in another program's form.
#[cfg(feature = "onnx")]
#[derive(Debug, Error)]
pub enum ExportError {
    /// A step that no operator of ONNX does.
    #[error("column `{column}`: ONNX has no operator for its {step}, which {algorithm} looks at")]
    Step {
        /// The column.
        column: String,
        /// What is made of it, by Azure's name.
        step: &'static str,
        /// What was fitted on it.
        algorithm: crate::algorithm::Algorithm,
    },
    /// An estimator that cannot be written.
    #[error("the {algorithm} estimator cannot be written as ONNX: {reason}")]
    Estimator {
        /// What fitted it.
        algorithm: crate::algorithm::Algorithm,
        /// Why, in words.
        reason: String,
    },
    /// A chain reads a column that the model's schema does not have.
    #[error("column `{column}`: a chain reads it, and the model's schema does not have it as a column of that kind")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// An input without a name.
    #[error("a column has no name, which an ONNX input needs")]
    Nameless,
    /// Nothing says how many rows there are.
    #[error("the model has no column that could be an ONNX input")]
    NoColumns,
    /// More than a file can hold.
    #[error("the model takes {n_bytes} bytes, and an ONNX file has at most {most}")]
    TooLarge {
        /// Bytes it takes.
        n_bytes: usize,
        /// Bytes there may be.
        most: usize,
    },
    /// The model itself is not sound.
    #[error(transparent)]
    Model(#[from] ModelError),
}

#[cfg(feature = "onnx")]
impl ExportError {
    /// What to do about it, where something is known to help.
    pub fn hint(&self) -> Option<String> {
        match self {
            ExportError::Step { column, .. } => Some(format!(
                "fit again with --ignore {column}, or give what matters of it as columns of numbers or categories"
            )),
            ExportError::TooLarge { .. } => Some("fit again with --single-model, or block what is large".to_string()),
            _ => None,
        }
    }
}

/// Why a training could not start, go on or give a model.
#[cfg(feature = "fit")]
#[derive(Debug, Error)]
pub enum TrainError {
    /// The algorithm does not answer this task.
    #[error("{algorithm} does not fit {task} targets")]
    WrongTask {
        /// The algorithm.
        algorithm: crate::algorithm::Algorithm,
        /// The task.
        task: Task,
    },
    /// No training row.
    #[error("{algorithm}: no training rows")]
    NoRows {
        /// The algorithm.
        algorithm: crate::algorithm::Algorithm,
    },
    /// Fewer than two classes among the training rows.
    #[error("{algorithm}: the {n_rows} training rows are all of one class")]
    OneClass {
        /// The algorithm.
        algorithm: crate::algorithm::Algorithm,
        /// How many rows there are.
        n_rows: usize,
    },
    /// A feature value too large for sums of squares.
    #[error("feature `{feature}`: the value of row {row} is {value:e}, beyond {most:e}; features have to be scaled")]
    NotScaled {
        /// The feature.
        feature: String,
        /// The table row.
        row: u32,
        /// The value.
        value: f32,
        /// The greatest that is taken.
        most: f32,
    },
    /// A feature value that is NaN or infinite.
    #[error("feature `{feature}`: the value of row {row} is {value}")]
    NotFinite {
        /// The feature.
        feature: String,
        /// The table row.
        row: u32,
        /// The value.
        value: f32,
    },
    /// A training row that is not in the data, or has no usable target value.
    #[error("training row {row} is not in the data or has no target value")]
    BadRow {
        /// The table row.
        row: u32,
    },
    /// A weight that is negative, NaN or infinite.
    #[error("training row {row} has weight {value}; a weight must be finite and not negative")]
    Weight {
        /// The table row.
        row: u32,
        /// The weight.
        value: f64,
    },
    /// Every training row has weight 0.
    #[error("the {n_rows} training rows all have weight 0")]
    NoWeight {
        /// How many rows there are.
        n_rows: usize,
    },
    /// Weights were given to an algorithm that cannot weigh rows.
    #[error("{algorithm} cannot weigh rows")]
    Unweighted {
        /// The algorithm.
        algorithm: crate::algorithm::Algorithm,
    },
    /// A target value that the loss cannot learn from.
    #[error("the target of training row {row} is {value}; {reason}")]
    Label {
        /// The table row.
        row: u32,
        /// Its target.
        value: f64,
        /// What is asked of it, in words.
        reason: &'static str,
    },
    /// The work would take more memory than it may.
    #[error("{algorithm}: {needed} bytes are needed to train on {n_rows} rows, where {allowed} are allowed")]
    Memory {
        /// The algorithm.
        algorithm: crate::algorithm::Algorithm,
        /// Bytes it would take, estimated.
        needed: u64,
        /// Bytes it may take.
        allowed: u64,
        /// How many rows there are.
        n_rows: usize,
    },
    /// The blocks contradict each other or themselves.
    #[error("column blocks: {reason}")]
    Blocks {
        /// Why, in words.
        reason: String,
    },
    /// A hyperparameter is missing, of another type, or out of bounds.
    #[error("hyperparameters: {0}")]
    Params(#[from] hyperdrive::StudyError),
    /// A hyperparameter has a value the algorithm cannot use.
    #[error("hyperparameter `{name}` is {value}; {allowed}")]
    Param {
        /// The hyperparameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// The library that fits gave up.
    #[error("{algorithm}: {reason}")]
    Library {
        /// The algorithm.
        algorithm: crate::algorithm::Algorithm,
        /// What the library said.
        reason: String,
    },
    /// A checkpoint that is not one of this algorithm on this data.
    #[error("{algorithm}: the checkpoint cannot be used: {reason}")]
    Checkpoint {
        /// The algorithm.
        algorithm: crate::algorithm::Algorithm,
        /// Why, in words.
        reason: String,
    },
    /// A model was asked for before any work was done.
    #[error("{algorithm}: stopped before the first step, so there is no model")]
    Unfinished {
        /// The algorithm.
        algorithm: crate::algorithm::Algorithm,
    },
    /// The features could not be built.
    #[error(transparent)]
    Features(#[from] ModelError),
    /// A transform looks at the target, and none was given.
    #[error("column `{column}`: its features are statistics of the target, and no target was given to fit them on")]
    NoTarget {
        /// The column.
        column: String,
    },
    /// The training rows could not be divided for a transform that looks at the target.
    #[error("the training rows cannot be divided for statistics of the target: {reason}")]
    InnerFolds {
        /// What the division said.
        reason: String,
    },
}
