//! How much each feature matters to an ensemble, by how it was split on.

use super::tree::TreeEnsemble;

/// Importance of every feature, one number each; 0 for a feature that no tree asks about. A split on a quantity that
/// is derived from a category is the category's.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Sum of the gains of the feature's splits, in the unit of the loss (`gain` of `LightGBM`, `total_gain` of
    /// `XGBoost`).
    pub gain: Vec<f64>,
    /// Sum of the weight of the training rows that its splits divided (`total_cover` of `XGBoost`).
    pub cover: Vec<f64>,
    /// How many splits there are (`split` of `LightGBM`, `weight` of `XGBoost`).
    pub splits: Vec<u64>,
}

impl TreeEnsemble {
    /// Importance by gain, cover and number of splits.
    pub fn importance(&self) -> Importance {
        let n = self.n_features();
        let mut importance = Importance { gain: vec![0.0; n], cover: vec![0.0; n], splits: vec![0; n] };
        for tree in &self.trees {
            for ((node, gain), cover) in tree.nodes.iter().zip(&tree.gains).zip(&tree.covers) {
                let feature = self.source(node.feature) as usize;
                importance.gain[feature] += f64::from(*gain);
                importance.cover[feature] += f64::from(*cover);
                importance.splits[feature] += 1;
            }
        }
        importance
    }
}
