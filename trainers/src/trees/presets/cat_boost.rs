//! Boosting of symmetric trees with CatBoost's defaults (Prokhorenkova et al. 2018).

use hyperdrive::{Choice, Dimension, Params};

use super::preset::Preset;
use crate::algorithm::Algorithm;
use crate::data::Shape;
use crate::task::Task;
use crate::trees::growth::{Growth, Order};
use crate::trees::settings::Mode;

/// Boosting of symmetric trees. Departures from `CatBoost`: boosting is plain, not ordered; splits are chosen by what
/// they gain, not by the cosine; there are 400 rounds, not 1000; categories are not combined with each other.
pub static CAT_BOOST: Preset = Preset {
    algorithm: Algorithm::CatBoost,
    space,
    defaults,
    n_estimators: ROUNDS as usize,
    growth: |_| Growth {
        order: Order::Symmetric,
        num_leaves: 0,
        max_depth: 6,
        min_child_samples: 1,
        min_child_weight: 0.0,
        reg_lambda: 3.0,
        ..Growth::default()
    },
    mode: Mode::Boosting { learning_rate: 0.06, early_stopping_rounds: 0 },
};

fn space(_: &Shape) -> Vec<Dimension> {
    vec![
        Dimension::int("n_estimators", 50, 2000).log(),
        Dimension::float("learning_rate", 0.01, 0.3).log(),
        Dimension::int("max_depth", 3, 8),
        Dimension::float("reg_lambda", 0.1, 30.0).log(),
        Dimension::float("subsample", 0.5, 1.0),
        Dimension::float("colsample_bytree", 0.3, 1.0),
        Dimension::int("min_child_samples", 1, 64).log(),
        Dimension::choice("cat_statistics", vec![Choice::leaf("false"), Choice::leaf("true")]),
    ]
}

/// Rounds, unless told otherwise.
const ROUNDS: f64 = 400.0;

/// `CatBoost`'s automatic learning rate for so many rows and rounds (`GetLearningRate` in its
/// `options_helper.cpp`, on processors, without a validation set): `ln` of it is linear in `ln` of both. A departure:
/// it is at least 0.01 and at most 0.3.
fn learning_rate(shape: &Shape) -> f64 {
    let (of_rows, start, of_rounds) = match shape.task {
        Task::Binary => (0.427, -7.525, -0.917),
        Task::Multiclass => (0.051, -2.889, -0.845),
        Task::Regression => (0.158, -4.287, -0.813),
    };
    let n = shape.n_rows.max(1) as f64;
    (of_rows * n.ln() + start + of_rounds * (ROUNDS / 1000.0).ln()).exp().clamp(0.01, 0.3)
}

fn defaults(shape: &Shape) -> Params {
    Params::new()
        .with("n_estimators", ROUNDS as i64)
        .with("learning_rate", learning_rate(shape))
        .with("max_depth", 6_i64)
        .with("reg_lambda", 3.0)
        .with("subsample", 0.8)
        .with("colsample_bytree", 1.0)
        .with("min_child_samples", 1_i64)
        .with("cat_statistics", "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CatBoostClassifier(iterations=400).fit(..)` and its like say this of their learning rate
    /// (`get_all_params()["learning_rate"]`, `catboost` 1.2.10).
    #[test]
    fn the_learning_rate_is_catboosts() {
        let rates = [
            (Task::Binary, 2, 200, 0.012_006),
            (Task::Binary, 2, 5000, 0.047_458),
            (Task::Multiclass, 3, 200, 0.158_101),
            (Task::Multiclass, 3, 5000, 0.186_307),
            (Task::Regression, 0, 200, 0.066_876),
            (Task::Regression, 0, 5000, 0.111_210),
        ];
        for (task, n_classes, n_rows, expected) in rates {
            let shape = Shape { task, n_rows, n_features: 3, n_classes };
            assert!((learning_rate(&shape) - expected).abs() < 1e-6, "{task:?} {n_rows}: {}", learning_rate(&shape));
        }
    }
}
