//! Algorithms, fitted models and their file format, transforms and metrics.
//!
//! The key decision: **a fitted model is plain parameters of our own**, whatever library learned them. So a
//! model loads and predicts without the `fit` feature (nothing of what fits it), and its file does not
//! change when a library does. Training is stepped, not called back: a [`Training`] is advanced to a fraction
//! of its work, can be stopped there, and says what it has learned so far.
//!
//! What is absent: this crate knows no study, no journal, no workspace, no clock, no file and no thread.
//!
//! # The embeddable predictor
//!
//! ```
//! use trainers::model::{self, Fitted, Model};
//!
//! /// Scores one row of cells as they would stand in a CSV file.
//! fn score(bytes: &[u8]) -> Result<f64, trainers::ModelError> {
//!     let fitted: Fitted = model::from_bytes(bytes)?;
//!     let row = fitted.predict_row(&[("age", "52"), ("city", "Lyon")])?;
//!     if let Some(label) = &row.label {
//!         assert!(fitted.card().classes.contains(label));
//!     }
//!     Ok(row.value)
//! }
//!
//! // A file that is not a model is an error that says so, never a panic.
//! assert!(matches!(score(b"age,city\n52,Lyon\n"), Err(trainers::ModelError::NotAModel)));
//! ```
//! `Fitted` is `Send + Sync`: one loaded model serves every thread of a server.

mod algorithm;
pub mod baseline;
pub mod bayes;
#[cfg(feature = "fit")]
mod check;
mod data;
mod error;
pub mod explain;
#[cfg(feature = "fit")]
mod gather;
pub mod linear;
pub mod metric;
pub mod model;
pub mod neighbors;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod svm;
mod task;
#[cfg(all(test, feature = "fit"))]
mod testing;
#[cfg(feature = "fit")]
mod trainer;
pub mod transform;
pub mod trees;
#[cfg(feature = "fit")]
mod weigh;

pub use algorithm::Algorithm;
#[cfg(feature = "fit")]
pub use check::check_trainer;
#[cfg(feature = "fit")]
pub use data::TrainData;
pub use data::{Block, Kind, Predictions, Shape, Target, TargetValues};
#[cfg(feature = "onnx")]
pub use error::ExportError;
#[cfg(feature = "fit")]
pub use error::TrainError;
pub use error::{ExplainError, MetricError, ModelError, UnknownName};
pub use metric::{
    ClassRanking, Expression, ExpressionError, Goal, Measure, Metric, MetricSpec, MetricSpecError, Needs,
    ReliabilityBin, best_f1_threshold, confusion_matrix, cost_threshold, expected_calibration_error, reliability,
};
pub use model::{
    Blend, Chain, Estimator, Fitted, LogScale, Logarithm, Member, Model, ModelCard, Pooling, RowPrediction, Stacked,
    from_bytes,
};
pub use task::Task;
#[cfg(feature = "fit")]
pub use trainer::{Capabilities, Input, Trainer, Training};
#[cfg(feature = "fit")]
pub use transform::Transform;
pub use transform::{Encoding, FeaturePlan, Featurizer, Scaling, Step};
