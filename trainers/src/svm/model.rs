//! What a kernel machine learns.

use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions};
use crate::model::{classes_fit, softmax};

/// How alike two rows are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// `exp(-gamma |x - y|²)`.
    Rbf {
        /// How soon rows become strangers.
        gamma: f64,
    },
    /// `(gamma x·y + 1)³`.
    Cubic {
        /// What the product is multiplied with.
        gamma: f64,
    },
}

impl Kernel {
    /// The kernel of two rows of as many features.
    #[inline]
    pub(crate) fn of(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Kernel::Rbf { gamma } => (-gamma * f64::from(sum_of(a, b, |a, b| (a - b) * (a - b)))).exp() as f32,
            Kernel::Cubic { gamma } => {
                let near = gamma * f64::from(sum_of(a, b, |a, b| a * b)) + 1.0;
                // What the narrow type cannot hold must not become infinite.
                (near * near * near).clamp(-f64::from(f32::MAX), f64::from(f32::MAX)) as f32
            }
        }
    }

    fn gamma(self) -> f64 {
        match self {
            Kernel::Rbf { gamma } | Kernel::Cubic { gamma } => gamma,
        }
    }
}

/// The sum of a function of two rows, in eight lanes so that it becomes vector instructions.
#[inline]
fn sum_of(a: &[f32], b: &[f32], of: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += of(*a, *b);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += of(*a, *b);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// A score is its intercept and the kernels of the support vectors by their coefficients: log-odds of the second of two
/// learned classes, or one score each and the softmax for more. Classes that were absent from the training rows have
/// probability 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Svm {
    /// How many probabilities a prediction has.
    pub n_outputs: usize,
    /// Indices of the classes that were learned, ascending, at least two.
    pub classes: Vec<u32>,
    /// How alike two rows are.
    pub kernel: Kernel,
    /// Features per support vector.
    pub n_features: usize,
    /// Support vectors, row-major.
    pub points: Vec<f32>,
    /// `points × n_scores`, of each support vector what it adds to each score.
    pub coefficients: Vec<f64>,
    /// One per score.
    pub intercepts: Vec<f64>,
}

impl Svm {
    pub(crate) fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        let n_scores = self.intercepts.len();
        let mut values = vec![0.0; rows.len() * self.n_outputs];
        let mut query = vec![0.0_f32; self.n_features];
        let mut scores = vec![0.0; n_scores];
        for (row, out) in rows.iter().zip(values.chunks_exact_mut(self.n_outputs.max(1))) {
            for (j, x) in query.iter_mut().enumerate() {
                *x = block.column(j).get(*row as usize).copied().unwrap_or(0.0);
            }
            self.score(&query, &mut scores);
            if let ([score], [negative, positive]) = (&*scores, self.classes.as_slice()) {
                out[*negative as usize] = 1.0 / (1.0 + score.exp());
                out[*positive as usize] = 1.0 / (1.0 + (-score).exp());
            } else {
                softmax(&mut scores);
                for (class, probability) in self.classes.iter().zip(&scores) {
                    out[*class as usize] = *probability;
                }
            }
        }
        Predictions::new(self.n_outputs, values)
    }

    fn score(&self, query: &[f32], scores: &mut [f64]) {
        scores.copy_from_slice(&self.intercepts);
        for (i, coefficients) in self.coefficients.chunks_exact(scores.len().max(1)).enumerate() {
            let near = f64::from(self.kernel.of(query, &self.points[i * self.n_features..][..self.n_features]));
            for (score, coefficient) in scores.iter_mut().zip(coefficients) {
                *score += coefficient * near;
            }
        }
    }

    pub(crate) fn fits(&self, n_features: usize) -> bool {
        let n_scores = if self.classes.len() == 2 { 1 } else { self.classes.len() };
        let n_points = self.coefficients.len() / n_scores.max(1);
        self.classes.len() >= 2
            && classes_fit(&self.classes, self.n_outputs)
            && self.intercepts.len() == n_scores
            && self.coefficients.len() == n_points * n_scores
            && self.n_features == n_features
            && n_points.checked_mul(n_features) == Some(self.points.len())
            && self.kernel.gamma().is_finite()
            && self.kernel.gamma() > 0.0
    }
}
