//! Boosting of symmetric trees with CatBoost's defaults (Prokhorenkova et al. 2018).

use hyperdrive::{Choice, Dimension, Params};

use super::preset::Preset;
use crate::algorithm::Algorithm;
use crate::data::Shape;
use crate::trees::boost::Mode;
use crate::trees::growth::{Growth, Order};

/// Boosting of symmetric trees. Departures from CatBoost: boosting is plain, not ordered; splits are chosen by what
/// they gain, not by the cosine.
pub static CAT_BOOST: Preset = Preset {
    algorithm: Algorithm::CatBoost,
    space,
    defaults,
    n_estimators: 100,
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
        Dimension::float("learning_rate", 0.005, 0.3).log(),
        Dimension::int("max_depth", 3, 8),
        Dimension::float("reg_lambda", 0.1, 30.0).log(),
        Dimension::float("subsample", 0.5, 1.0),
        Dimension::float("colsample_bytree", 0.3, 1.0),
        Dimension::int("min_child_samples", 1, 64).log(),
        Dimension::choice("cat_statistics", vec![Choice::leaf("false"), Choice::leaf("true")]),
    ]
}

fn defaults(_: &Shape) -> Params {
    Params::new()
        .with("n_estimators", 400_i64)
        .with("learning_rate", 0.06)
        .with("max_depth", 6_i64)
        .with("reg_lambda", 3.0)
        .with("subsample", 0.8)
        .with("colsample_bytree", 1.0)
        .with("min_child_samples", 1_i64)
        .with("cat_statistics", "true")
}
