//! What linear algorithms learn.

use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions};
use crate::model::Estimator;
use crate::model::{classes_fit, softmax};

/// `y = intercept + Σ weights·x`, in the target's own unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// One weight per feature.
    pub weights: Vec<f64>,
    /// The prediction where every feature is 0.
    pub intercept: f64,
}

impl Linear {
    pub(crate) fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        Predictions::new(1, scores(block, rows, &self.weights, &[self.intercept]))
    }

    pub(crate) fn fits(&self, n_features: usize) -> bool {
        self.weights.len() == n_features
    }
}

/// Logistic regression: one score and the sigmoid for two learned classes, one score each and the softmax for
/// more. Classes that were absent from the training rows have probability 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    /// How many probabilities a prediction has.
    pub n_outputs: usize,
    /// Indices of the classes that were learned, ascending, at least two.
    pub classes: Vec<u32>,
    /// `n_scores × n_features`, score-major; the only score of two classes is that of the second.
    pub weights: Vec<f64>,
    /// One per score.
    pub intercepts: Vec<f64>,
}

impl Logistic {
    /// A model of one score per class, `classes × n_features` and class-major; of two classes only their difference
    /// matters.
    #[cfg(feature = "fit")]
    pub(crate) fn of_classes(n_outputs: usize, classes: Vec<u32>, weights: Vec<f64>, intercepts: Vec<f64>) -> Logistic {
        if let [negative, positive] = intercepts[..] {
            let (of_negative, of_positive) = weights.split_at(weights.len() / 2);
            let weights = of_positive.iter().zip(of_negative).map(|(to, from)| to - from).collect();
            return Logistic { n_outputs, classes, weights, intercepts: vec![positive - negative] };
        }
        Logistic { n_outputs, classes, weights, intercepts }
    }

    pub(crate) fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        let n_scores = self.intercepts.len();
        let mut scores = scores(block, rows, &self.weights, &self.intercepts);
        let mut values = vec![0.0; rows.len() * self.n_outputs];
        for (scores, out) in
            scores.chunks_exact_mut(n_scores.max(1)).zip(values.chunks_exact_mut(self.n_outputs.max(1)))
        {
            if let ([score], [negative, positive]) = (&*scores, self.classes.as_slice()) {
                // Each side by its own exponential, so that neither loses its digits near 1.
                out[*negative as usize] = 1.0 / (1.0 + score.exp());
                out[*positive as usize] = 1.0 / (1.0 + (-score).exp());
            } else {
                softmax(scores);
                for (class, probability) in self.classes.iter().zip(&*scores) {
                    out[*class as usize] = *probability;
                }
            }
        }
        Predictions::new(self.n_outputs, values)
    }

    pub(crate) fn fits(&self, n_features: usize) -> bool {
        let n_scores = if self.classes.len() == 2 { 1 } else { self.classes.len() };
        self.classes.len() >= 2
            && classes_fit(&self.classes, self.n_outputs)
            && self.intercepts.len() == n_scores
            && self.weights.len() == n_scores * n_features
    }
}

/// `rows.len() × intercepts.len()` scores, row-major. Columns are the outer loop, since the block is
/// column-major; so a row's sum always runs over the features in order, whatever the other rows are.
fn scores(block: &Block, rows: &[u32], weights: &[f64], intercepts: &[f64]) -> Vec<f64> {
    let n_scores = intercepts.len();
    let n_features = weights.len() / n_scores.max(1);
    let mut out = intercepts.repeat(rows.len());
    let mut of_feature = vec![0.0; n_scores];
    for j in 0..n_features {
        for (s, weight) in of_feature.iter_mut().enumerate() {
            *weight = weights[s * n_features + j];
        }
        if of_feature.iter().all(|&weight| weight == 0.0) {
            continue;
        }
        let column = block.column(j);
        for (row, cells) in rows.iter().zip(out.chunks_exact_mut(n_scores.max(1))) {
            let x = f64::from(column.get(*row as usize).copied().unwrap_or(0.0));
            for (cell, weight) in cells.iter_mut().zip(&of_feature) {
                *cell += weight * x;
            }
        }
    }
    out
}

impl From<Linear> for Estimator {
    fn from(model: Linear) -> Estimator {
        Estimator::Linear(model)
    }
}

impl From<Logistic> for Estimator {
    fn from(model: Logistic) -> Estimator {
        Estimator::Logistic(model)
    }
}
