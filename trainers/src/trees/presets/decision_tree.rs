//! A single tree (Breiman et al. 1984).

use hyperdrive::{Dimension, Params};

use super::preset::Preset;
use super::random_forest::forest_growth;
use crate::algorithm::Algorithm;
use crate::data::Shape;
use crate::trees::growth::Growth;
use crate::trees::settings::Mode;

/// A single tree; small enough, it can be read. Of several classes each has a tree of its own.
pub static DECISION_TREE: Preset = Preset {
    algorithm: Algorithm::DecisionTree,
    space,
    defaults,
    n_estimators: 1,
    growth: |_| Growth { num_leaves: 32, ..forest_growth() },
    mode: Mode::Forest { bootstrap: false },
};

fn space(_: &Shape) -> Vec<Dimension> {
    vec![
        Dimension::int("num_leaves", 2, 512).log(),
        Dimension::int("max_depth", 1, 16),
        Dimension::int("min_child_samples", 1, 128).log(),
    ]
}

fn defaults(_: &Shape) -> Params {
    Params::new().with("num_leaves", 32_i64).with("max_depth", 8_i64).with("min_child_samples", 5_i64)
}
