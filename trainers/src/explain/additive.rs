//! Exact Shapley values of one estimator's raw scores.
//!
//! Trees: path-dependent, [`TreeEnsemble::shap`](crate::trees::TreeEnsemble::shap). A weighted sum: `w (x - E x)`, where
//! the mean is that of the background rows, exact where features are taken as independent (Lundberg & Lee, "A Unified
//! Approach to Interpreting Model Predictions", 2017, corollary 1).

use super::shap::ShapUnit;
use crate::data::Block;
use crate::linear::{Linear, Logistic};
use crate::model::{Estimator, Logarithm};
use crate::trees::Link;

/// Shapley values: `rows × outputs × features`, with the base of each output.
pub(super) struct Additive {
    pub(super) unit: ShapUnit,
    pub(super) base: Vec<f64>,
    pub(super) values: Vec<f64>,
}

/// The values of all rows of a block; `None` where there is no exact way. Outputs are one for regression and two classes
/// (the second), else one per class.
pub(super) fn additive(estimator: &Estimator, background: &Block, block: &Block) -> Option<Additive> {
    let n_features = block.n_features();
    match estimator {
        Estimator::Constant(model) => {
            let base = if model.values.len() == 2 { vec![model.values[1]] } else { model.values.clone() };
            let values = vec![0.0; block.n_rows * base.len() * n_features];
            Some(Additive { unit: ShapUnit::Prediction, base, values })
        }
        Estimator::Linear(Linear { weights, intercept }) => {
            Some(sums(ShapUnit::Prediction, weights, &[*intercept], background, block))
        }
        // A class that was not learned has no score.
        Estimator::Logistic(Logistic { n_outputs, classes, weights, intercepts }) => match (n_outputs, classes.len()) {
            (2, _) => Some(sums(ShapUnit::LogOdds, weights, intercepts, background, block)),
            (n, learned) if *n == learned => Some(sums(ShapUnit::Softmax, weights, intercepts, background, block)),
            _ => None,
        },
        Estimator::Trees(model) => {
            let unit = match model.link() {
                Link::Identity => ShapUnit::Prediction,
                // The mean of leaves that are shares is one.
                Link::Shares if model.n_raw_outputs() == 1 => ShapUnit::Prediction,
                Link::Shares => ShapUnit::Shares,
                Link::Logistic => ShapUnit::LogOdds,
                Link::Softmax => ShapUnit::Softmax,
                Link::Exp => ShapUnit::Logarithm,
            };
            let rows: Vec<u32> = (0..block.n_rows as u32).collect();
            let found = model.shap(block, &rows);
            Some(Additive { unit, base: found.expected, values: found.values })
        }
        // The logarithm is what adds up, as long as it is that of the prediction itself and within bounds.
        Estimator::Logarithm(Logarithm { scale, estimator }) => {
            let inner = additive(estimator, background, block)?;
            let sound = scale.shift <= 0.0 && inner.unit == ShapUnit::Prediction;
            let total = |row: &[f64]| inner.base[0] + row.iter().sum::<f64>();
            let within = |row: &[f64]| (scale.least..=scale.most).contains(&total(row));
            let all = inner.values.chunks_exact(n_features.max(1)).all(within);
            (sound && all).then_some(Additive { unit: ShapUnit::Logarithm, ..inner })
        }
        Estimator::Knn(_)
        | Estimator::GaussianNaiveBayes(_)
        | Estimator::BernoulliNaiveBayes(_)
        | Estimator::Svm(_) => None,
    }
}

fn sums(unit: ShapUnit, weights: &[f64], intercepts: &[f64], background: &Block, block: &Block) -> Additive {
    let (n_features, n_outputs) = (block.n_features(), intercepts.len());
    let means: Vec<f64> = (0..n_features)
        .map(|j| background.column(j).iter().map(|x| f64::from(*x)).sum::<f64>() / background.n_rows.max(1) as f64)
        .collect();
    let mut base = intercepts.to_vec();
    for (base, weights) in base.iter_mut().zip(weights.chunks_exact(n_features.max(1))) {
        *base += weights.iter().zip(&means).map(|(weight, mean)| weight * mean).sum::<f64>();
    }
    let mut values = Vec::with_capacity(block.n_rows * n_outputs * n_features);
    for row in 0..block.n_rows {
        for output in 0..n_outputs {
            let weights = &weights[output * n_features..][..n_features];
            let of = |(j, weight): (usize, &f64)| weight * (f64::from(block.column(j)[row]) - means[j]);
            values.extend(weights.iter().enumerate().map(of));
        }
    }
    Additive { unit, base, values }
}
