//! Scores of predictions against a target: one table of metrics, by all of their names.

mod average;
mod calibration;
mod confusion;
mod curves;
mod expression;
mod figure;
mod goal;
#[cfg(test)]
mod laws;
mod measure;
mod probabilities;
mod ranking;
mod regression;
mod score;
mod table;
#[cfg(test)]
mod tests;

pub use calibration::{best_f1_threshold, cost_threshold, expected_calibration_error};
pub use curves::{ClassRanking, ReliabilityBin, confusion_matrix, reliability};
pub use expression::{Expression, ExpressionError};
pub use goal::{Goal, Needs};
pub use measure::{Measure, MetricSpec, MetricSpecError};
pub use table::Metric;
