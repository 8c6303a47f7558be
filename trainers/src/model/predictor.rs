//! The estimators as plain parameters, behind one enum.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::baseline::Constant;
use crate::bayes::{BernoulliNaiveBayes, GaussianNaiveBayes};
use crate::data::{Block, Predictions};
use crate::linear::{Linear, Logistic};
use crate::model::Logarithm;
use crate::neighbors::Knn;
use crate::svm::Svm;
use crate::trees::TreeEnsemble;

/// What was learned from features, whichever algorithm learned it. The variants hold our own plain
/// parameters, never a library's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// The same prediction for every row.
    Constant(Constant),
    /// A weighted sum (linear regression, elastic net, lasso, descent).
    Linear(Linear),
    /// Weighted sums through a sigmoid or softmax (logistic regression, descent, linear SVM, multinomial naive Bayes).
    Logistic(Logistic),
    /// The nearest training rows.
    Knn(Knn),
    /// A normal distribution per class and feature.
    GaussianNaiveBayes(GaussianNaiveBayes),
    /// What features say by being above a threshold.
    BernoulliNaiveBayes(BernoulliNaiveBayes),
    /// Kernels of the support vectors.
    Svm(Svm),
    /// Boosted trees, a forest or a single tree.
    Trees(TreeEnsemble),
    /// Any of them, fitted on logarithms of the target.
    Logarithm(Logarithm),
}

impl Estimator {
    /// Predicts the given rows of a block, in their order: `rows.len() × n_outputs`.
    ///
    /// The block must have the features the estimator was fitted on, in their order; a feature or row that
    /// the block does not have reads as 0. Each row's prediction depends on that row alone, to the last bit.
    pub fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        match self {
            Estimator::Constant(model) => model.predict(rows),
            Estimator::Linear(model) => model.predict(block, rows),
            Estimator::Logistic(model) => model.predict(block, rows),
            Estimator::Knn(model) => model.predict(block, rows),
            Estimator::GaussianNaiveBayes(model) => model.predict(block, rows),
            Estimator::BernoulliNaiveBayes(model) => model.predict(block, rows),
            Estimator::Svm(model) => model.predict(block, rows),
            Estimator::Trees(model) => model.predict(block, rows),
            Estimator::Logarithm(model) => model.predict(block, rows),
        }
    }

    /// The same with only its first rounds, where it has rounds of boosting and more of them; 0 leaves it as it is.
    pub fn up_to(&self, rounds: usize) -> Cow<'_, Estimator> {
        match self {
            Estimator::Trees(model) if rounds > 0 && rounds < model.n_rounds() => {
                Cow::Owned(Estimator::Trees(model.up_to(rounds)))
            }
            Estimator::Logarithm(Logarithm { scale, estimator }) => match estimator.up_to(rounds) {
                Cow::Owned(first) => {
                    Cow::Owned(Estimator::Logarithm(Logarithm { scale: *scale, estimator: Box::new(first) }))
                }
                Cow::Borrowed(_) => Cow::Borrowed(self),
            },
            _ => Cow::Borrowed(self),
        }
    }

    /// Memory held by the parameters, in bytes, to within what a bound on memory needs.
    pub fn bytes(&self) -> usize {
        let numbers = |n: usize| n * size_of::<f64>();
        match self {
            Estimator::Constant(model) => numbers(model.values.len()),
            Estimator::Linear(model) => numbers(model.weights.len()),
            Estimator::Logistic(model) => numbers(model.weights.len()),
            Estimator::Knn(model) => {
                model.points.len() * size_of::<f32>() + numbers(model.points.len() / model.n_features.max(1))
            }
            Estimator::GaussianNaiveBayes(model) => numbers(2 * model.means.len()),
            Estimator::BernoulliNaiveBayes(model) => numbers(model.scores.weights.len()),
            Estimator::Svm(model) => model.points.len() * size_of::<f32>() + numbers(model.coefficients.len()),
            Estimator::Trees(model) => model.bytes(),
            Estimator::Logarithm(model) => model.estimator.bytes(),
        }
    }

    /// How many numbers a prediction has.
    pub fn n_outputs(&self) -> usize {
        match self {
            Estimator::Constant(model) => model.values.len(),
            Estimator::Linear(_) | Estimator::Logarithm(_) => 1,
            Estimator::Logistic(model) => model.n_outputs,
            Estimator::Knn(model) => model.n_outputs,
            Estimator::GaussianNaiveBayes(model) => model.n_outputs,
            Estimator::BernoulliNaiveBayes(model) => model.scores.n_outputs,
            Estimator::Svm(model) => model.n_outputs,
            Estimator::Trees(model) => model.n_outputs(),
        }
    }

    /// An algorithm that fits estimators of this kind.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Estimator::Constant(_) => Algorithm::Constant,
            Estimator::Linear(_) => Algorithm::LinearRegression,
            Estimator::Logistic(_) => Algorithm::LogisticRegression,
            Estimator::Knn(_) => Algorithm::Knn,
            Estimator::GaussianNaiveBayes(_) => Algorithm::GaussianNaiveBayes,
            Estimator::BernoulliNaiveBayes(_) => Algorithm::BernoulliNaiveBayes,
            Estimator::Svm(_) => Algorithm::Svm,
            Estimator::Trees(model) => model.algorithm(),
            Estimator::Logarithm(model) => model.estimator.algorithm(),
        }
    }

    /// Whether the parameters agree with each other and with a problem of this many features and outputs; a
    /// model file is checked so before it predicts.
    pub(crate) fn check(&self, n_features: usize, n_outputs: usize) -> Result<(), String> {
        if self.n_outputs() != n_outputs {
            return Err(format!("the estimator has {} outputs, the model {n_outputs}", self.n_outputs()));
        }
        let agrees = match self {
            Estimator::Constant(_) => true,
            Estimator::Linear(model) => model.fits(n_features),
            Estimator::Logistic(model) => model.fits(n_features),
            Estimator::Knn(model) => model.fits(n_features),
            Estimator::GaussianNaiveBayes(model) => model.fits(n_features),
            Estimator::BernoulliNaiveBayes(model) => model.fits(n_features),
            Estimator::Svm(model) => model.fits(n_features),
            Estimator::Trees(model) => return model.check(n_features, n_outputs),
            Estimator::Logarithm(model) => return model.check(n_features, n_outputs),
        };
        if agrees {
            Ok(())
        } else {
            Err(format!("the parameters of the {} estimator do not fit {n_features} features", self.algorithm()))
        }
    }
}

/// Whether class indices are ascending and inside the outputs.
pub(crate) fn classes_fit(classes: &[u32], n_outputs: usize) -> bool {
    classes.windows(2).all(|pair| pair[0] < pair[1]) && classes.last().is_some_and(|&last| (last as usize) < n_outputs)
}

/// Turns scores into probabilities in place, `exp(s) / Σ exp(s)`; shifted by the greatest so that no
/// exponential overflows.
pub(crate) fn softmax(scores: &mut [f64]) {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - greatest).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
}
