//! Scores of predictions against a target: one table of metrics, by both of their names.

mod calibration;
mod classification;
mod regression;
mod table;

pub use calibration::{best_f1_threshold, cost_threshold, expected_calibration_error};
pub use table::{Goal, Metric, Needs};
