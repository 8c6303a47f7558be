//! Leaf-wise boosting with LightGBM's defaults (Ke et al. 2017).

use hyperdrive::{Choice, Dimension, Params};

use super::preset::Preset;
use crate::algorithm::Algorithm;
use crate::data::Shape;
use crate::trees::growth::Growth;
use crate::trees::settings::Mode;

/// Leaf-wise boosting. Departures from LightGBM: gradients are rounded to integers, a missing value's direction is
/// learned for every feature, cuts are taken from 50,000 rows, and features are not bundled.
pub static LIGHT_GBM: Preset = Preset {
    algorithm: Algorithm::LightGbm,
    space,
    defaults,
    n_estimators: 100,
    growth: |_| Growth::default(),
    mode: Mode::Boosting { learning_rate: 0.1, early_stopping_rounds: 0 },
};

fn space(shape: &Shape) -> Vec<Dimension> {
    vec![
        Dimension::int("n_estimators", 20, 2000).log(),
        Dimension::float("learning_rate", 0.02, 0.3).log(),
        Dimension::int("num_leaves", 4, most_leaves(shape)).log(),
        Dimension::int("min_child_samples", 2, 128).log(),
        Dimension::float("subsample", 0.5, 1.0),
        Dimension::float("colsample_bytree", 0.2, 1.0),
        Dimension::float("reg_alpha", 1e-8, 10.0).log(),
        Dimension::float("reg_lambda", 1e-8, 10.0).log(),
        Dimension::choice("extra_trees", vec![Choice::leaf("false"), Choice::leaf("true")]),
        Dimension::choice("cat_statistics", vec![Choice::leaf("false"), Choice::leaf("true")]),
    ]
}

/// Leaves of twice as many as it takes to have one for 16 rows, and no more than 512.
fn most_leaves(shape: &Shape) -> i64 {
    (shape.n_rows as i64 / 8).clamp(31, 512)
}

fn defaults(_: &Shape) -> Params {
    Params::new()
        .with("n_estimators", 100_i64)
        .with("learning_rate", 0.1)
        .with("num_leaves", 31_i64)
        .with("min_child_samples", 20_i64)
        .with("subsample", 1.0)
        .with("colsample_bytree", 1.0)
        .with("reg_alpha", 1e-8)
        .with("reg_lambda", 1e-8)
        .with("extra_trees", "false")
        .with("cat_statistics", "false")
}
