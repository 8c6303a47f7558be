//! Quantities that stand for the levels of a category: what a node may ask about instead of a set of levels.

use serde::{Deserialize, Serialize};

use super::file::Floats;
use super::tree::{TreeEnsemble, level};

/// A number for each level of a category, such as the mean target of its training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelStatistic {
    /// The category, one of the features of a row.
    pub feature: u32,
    /// The number of each level.
    #[serde(with = "floats")]
    pub values: Vec<f32>,
    /// The number of a missing value, and of a level beyond the others.
    pub other: f32,
}

impl LevelStatistic {
    /// What a category's number stands for. `n_levels`: how many levels the feature has.
    pub(super) fn of(&self, x: f32, n_levels: u32) -> f32 {
        level(x, n_levels).and_then(|level| self.values.get(level as usize)).copied().unwrap_or(self.other)
    }

    /// Memory held, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<LevelStatistic>() + self.values.len() * size_of::<f32>()
    }

    pub(super) fn check(&self, n_features: u32) -> Result<(), String> {
        if self.feature >= n_features {
            return Err(format!("feature {} of {n_features}", self.feature));
        }
        match self.values.iter().chain([&self.other]).find(|x| !x.is_finite()) {
            Some(bad) => Err(format!("a level's number is {bad}")),
            None => Ok(()),
        }
    }
}

impl TreeEnsemble {
    /// The same trees, with quantities derived from categories: a node about feature `n_features + k` asks about the
    /// `k`th of these.
    #[must_use]
    pub fn with_statistics(self, statistics: Vec<LevelStatistic>) -> TreeEnsemble {
        TreeEnsemble { statistics, ..self }
    }

    /// What nodes about features from `n_features` on ask about, in order.
    pub fn statistics(&self) -> &[LevelStatistic] {
        &self.statistics
    }

    /// The feature of a row that decides a node's question: the node's own, or the category that its quantity is
    /// derived from. The ensemble must have been checked or just grown.
    pub fn source(&self, feature: u32) -> u32 {
        self.statistic(feature).map_or(feature, |statistic| statistic.feature)
    }

    /// The derived quantity that a node of this feature asks about.
    pub(super) fn statistic(&self, feature: u32) -> Option<&LevelStatistic> {
        feature.checked_sub(self.n_features).map(|k| &self.statistics[k as usize])
    }
}

/// Values in files as those of nodes are.
mod floats {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Floats;

    pub(super) fn serialize<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
        Floats(values.to_vec()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
        Floats::deserialize(deserializer).map(|floats| floats.0)
    }
}
