//! Decision trees, grown here on histograms of binned features: gradient boosting, forests, single trees.
//!
//! [`TreeEnsemble`] is what every one of them learns: plain trees, which predict, are explained (importance and Shapley
//! values) and travel in model files without whatever grew them.
//!
//! | room | question |
//! |---|---|
//! | `bins`, `cuts` | which bin is a value in, and where do the bins stand |
//! | `quantise`, `kernel` | sums of gradients as integers; the loops that take the time, and the only `unsafe` |
//! | `histogram`, `split` | which question splits a node best |
//! | `grow`, `symmetric` | which node is split next |
//! | `loss`, `boost`, `route` | what a round learns from, and what it adds |
//! | `ordered` | which quantities stand for a category of many levels |
//! | `settings`, `growth`, `presets` | which settings there are, and which make which algorithm |
//! | `tree`, `statistic`, `file`, `check` | what was learned: plain parameters, without the `fit` feature |
//! | `walk`, `predict` | what it predicts |
//! | `importance`, `shap`, `quadrature` | why |

#[cfg(feature = "fit")]
mod bins;
#[cfg(feature = "fit")]
mod boost;
mod cached;
mod check;
#[cfg(feature = "fit")]
mod cuts;
#[cfg(feature = "fit")]
mod draw;
mod file;
#[cfg(feature = "fit")]
mod grow;
#[cfg(feature = "fit")]
mod growth;
#[cfg(feature = "fit")]
mod histogram;
mod importance;
#[cfg(feature = "fit")]
mod kernel;
#[cfg(all(test, feature = "fit"))]
mod laws;
#[cfg(feature = "fit")]
mod loss;
#[cfg(feature = "fit")]
mod ordered;
mod predict;
#[cfg(feature = "fit")]
mod presets;
mod quadrature;
#[cfg(feature = "fit")]
mod quantise;
#[cfg(feature = "fit")]
mod route;
#[cfg(feature = "fit")]
mod settings;
mod shap;
#[cfg(feature = "fit")]
mod split;
mod statistic;
#[cfg(feature = "fit")]
mod symmetric;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

#[cfg(feature = "fit")]
pub use bins::Bins;
#[cfg(feature = "fit")]
pub use boost::Boosting;
#[cfg(feature = "fit")]
pub use growth::{Growth, Order};
pub use importance::Importance;
#[cfg(feature = "fit")]
pub use loss::{Gradient, Loss, Objective};
pub(crate) use predict::shares;
#[cfg(feature = "fit")]
pub use presets::{
    CAT_BOOST, DECISION_TREE, EXTREME_RANDOM_TREES, GRADIENT_BOOSTING, LIGHT_GBM, Preset, RANDOM_FOREST, XG_BOOST,
};
#[cfg(feature = "fit")]
pub use settings::{Boost, Mode};
pub use shap::ShapValues;
pub use statistic::LevelStatistic;
pub use tree::{Link, Node, Tree, TreeEnsemble};
