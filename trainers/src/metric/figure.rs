//! How a metric is computed.

use super::average::Average;
use super::confusion::{Confusion, Counts};
use crate::data::Predictions;

/// How a metric is computed. Errors say why there is no figure, in words.
#[derive(Clone, Copy)]
pub(super) enum Figure {
    /// Of the (probability, is it of the class) pairs of a class, greatest probability first.
    Ranking(fn(&[(f64, bool)]) -> f64, Average),
    /// Of the true classes and the probabilities.
    Probabilities(fn(&[usize], &Predictions) -> f64),
    /// Of the counts of a class.
    PerClass(fn(Counts) -> f64, Average),
    /// Of the counts of all classes.
    Labels(fn(&Confusion) -> Result<f64, &'static str>),
    /// Of the true and the predicted numbers.
    Numbers(OfNumbers),
    /// Likewise, divided by the range of the training target.
    Normalized(OfNumbers),
}

/// A figure of the true and the predicted numbers.
pub(super) type OfNumbers = fn(&[f64], &[f64]) -> Result<f64, &'static str>;
