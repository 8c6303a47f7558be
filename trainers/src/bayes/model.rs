//! What naive Bayes learns.

use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions};
use crate::linear::Logistic;
use crate::model::{classes_fit, softmax};

/// A normal distribution per class and feature, and the class shares. Classes that were absent from the
/// training rows have probability 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GaussianNaiveBayes {
    /// How many probabilities a prediction has.
    pub n_outputs: usize,
    /// Indices of the classes that were learned, ascending, at least one.
    pub classes: Vec<u32>,
    /// Natural logarithm of each learned class's share.
    pub log_priors: Vec<f64>,
    /// Means, class-major: `classes × n_features`.
    pub means: Vec<f64>,
    /// Variances, class-major, all above 0.
    pub variances: Vec<f64>,
}

impl GaussianNaiveBayes {
    pub(crate) fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        let n_classes = self.classes.len();
        let n_features = self.means.len() / n_classes.max(1);
        let mut scores = self.log_priors.repeat(rows.len());
        for j in 0..n_features {
            let column = block.column(j);
            let of_class: Vec<(f64, f64, f64)> = (0..n_classes)
                .map(|c| {
                    let variance = self.variances[c * n_features + j];
                    let constant = -0.5 * (std::f64::consts::TAU * variance).ln();
                    (self.means[c * n_features + j], -0.5 / variance, constant)
                })
                .collect();
            for (row, scores) in rows.iter().zip(scores.chunks_exact_mut(n_classes.max(1))) {
                let x = f64::from(column.get(*row as usize).copied().unwrap_or(0.0));
                for (score, (mean, factor, constant)) in scores.iter_mut().zip(&of_class) {
                    *score += constant + factor * (x - mean) * (x - mean);
                }
            }
        }
        let mut values = vec![0.0; rows.len() * self.n_outputs];
        for (scores, out) in
            scores.chunks_exact_mut(n_classes.max(1)).zip(values.chunks_exact_mut(self.n_outputs.max(1)))
        {
            softmax(scores);
            for (class, probability) in self.classes.iter().zip(&*scores) {
                out[*class as usize] = *probability;
            }
        }
        Predictions::new(self.n_outputs, values)
    }

    pub(crate) fn fits(&self, n_features: usize) -> bool {
        let n_parameters = self.classes.len() * n_features;
        classes_fit(&self.classes, self.n_outputs)
            && self.log_priors.len() == self.classes.len()
            && self.means.len() == n_parameters
            && self.variances.len() == n_parameters
            && self.variances.iter().all(|&variance| variance > 0.0)
    }
}

/// A score per class that adds up what each feature says by being above the threshold or not: [`Logistic`] on
/// features that are 1 or 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BernoulliNaiveBayes {
    /// A feature counts as 1 above this, else as 0.
    pub threshold: f64,
    /// The scores of features that are 1 or 0.
    pub scores: Logistic,
}

impl BernoulliNaiveBayes {
    pub(crate) fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        let n_features = self.scores.weights.len() / self.scores.intercepts.len().max(1);
        let mut values = Vec::with_capacity(rows.len() * n_features);
        for j in 0..n_features {
            let column = block.column(j);
            let cell = |row: &u32| f64::from(column.get(*row as usize).copied().unwrap_or(0.0));
            values.extend(rows.iter().map(|row| if cell(row) > self.threshold { 1.0_f32 } else { 0.0 }));
        }
        let own = Block::numbers(vec![String::new(); n_features], rows.len(), values);
        let rows: Vec<u32> = (0..rows.len() as u32).collect();
        self.scores.predict(&own, &rows)
    }

    pub(crate) fn fits(&self, n_features: usize) -> bool {
        self.threshold.is_finite() && self.scores.fits(n_features)
    }
}
