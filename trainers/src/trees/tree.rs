//! A fitted tree and a fitted ensemble of trees: plain parameters.

use serde::{Deserialize, Serialize};

use super::cached::Cached;
use super::shap::Shares;
use super::statistic::LevelStatistic;
use super::walk::{self, Layout};
use crate::algorithm::Algorithm;
use crate::data::{Block, Kind};

/// An inner node: a question about one feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Which feature of a row; from `n_features` on, which of [`TreeEnsemble::statistics`].
    pub feature: u32,
    /// A quantity goes left when it is at most this. For a category: where in [`Tree::levels`] its set of levels
    /// begins, as a number; see [`Tree::set`].
    pub threshold: f32,
    /// Where left leads: an inner node when not negative, else the leaf `!left`.
    pub left: i32,
    /// Where right leads, likewise.
    pub right: i32,
    /// Whether a missing value goes left.
    pub missing_left: bool,
    /// Whether the feature is a category.
    pub category: bool,
}

/// A binary tree. Node 0 is the root; a parent stands before its children. A tree without nodes is its one leaf.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// Inner nodes.
    pub nodes: Vec<Node>,
    /// What each leaf adds to the raw score; one more than there are nodes.
    pub leaves: Vec<f32>,
    /// By how much each inner node's split lowered the loss it was grown on.
    pub gains: Vec<f32>,
    /// How many training rows reached each inner node, then each leaf: `nodes.len() + leaves.len()`.
    pub covers: Vec<f32>,
    /// Sets of levels: for each category node, a word with the number of words that follow, then those words,
    /// level `l` in bit `l % 32` of word `l / 32`. Levels beyond go right.
    pub levels: Vec<u32>,
}

impl Tree {
    /// Adds a set of levels, and gives where it begins: what a category node's threshold holds.
    #[cfg(feature = "fit")]
    pub(super) fn add_levels(&mut self, levels: &[u32]) -> usize {
        let at = self.levels.len();
        let n_words = levels.iter().max().map_or(0, |&most| most as usize / 32 + 1);
        self.levels.push(n_words as u32);
        self.levels.resize(at + 1 + n_words, 0);
        for &level in levels {
            self.levels[at + 1 + level as usize / 32] |= 1 << (level % 32);
        }
        at
    }

    /// The set of levels that a category node sends left, 32 to a word. The node must be one of a tree that was
    /// checked or just grown.
    pub fn set(&self, node: &Node) -> &[u32] {
        let start = node.threshold as usize;
        let n_words = self.levels[start] as usize;
        &self.levels[start + 1..][..n_words]
    }

    /// Whether a value goes left at a node. `n_levels`: how many levels the feature has, if it is a category.
    pub(crate) fn goes_left(&self, node: &Node, x: f32, n_levels: u32) -> bool {
        if node.category {
            level(x, n_levels).map_or(node.missing_left, |level| {
                let word = self.set(node).get(level as usize / 32).copied().unwrap_or(0);
                word >> (level % 32) & 1 == 1
            })
        } else {
            // Not `||`, which is a branch.
            (x <= node.threshold) | (node.missing_left & x.is_nan())
        }
    }

    /// The weight of the training rows that went where `left` or `right` of a node leads.
    pub(crate) fn cover(&self, child: i32) -> f64 {
        let place = if child < 0 { self.nodes.len() + !child as usize } else { child as usize };
        f64::from(self.covers[place])
    }

    /// Memory held, in bytes.
    fn bytes(&self) -> usize {
        let words = self.leaves.len() + self.gains.len() + self.covers.len() + self.levels.len();
        size_of::<Tree>() + self.nodes.len() * size_of::<Node>() + words * size_of::<f32>()
    }
}

/// The level that a category's number stands for. `None`, which is to say missing: NaN, a negative or fractional
/// number, or an index that the feature does not have.
pub(crate) fn level(x: f32, n_levels: u32) -> Option<u32> {
    // The cast saturates, and makes 0 of NaN.
    let index = x as u32;
    (index as f32 == x && index < n_levels).then_some(index)
}

/// How many levels a feature of a block has; no bound when the block knows of none.
pub(crate) fn n_levels(block: &Block, feature: u32) -> u32 {
    match block.kinds.get(feature as usize) {
        Some(Kind::Category { n_levels }) => *n_levels,
        _ => u32::MAX,
    }
}

/// How raw scores become predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The score is the prediction.
    Identity,
    /// One score, the log-odds of the second of two classes.
    Logistic,
    /// One score per class, through a softmax.
    Softmax,
    /// The exponential of the score (Poisson).
    Exp,
    /// One score per class (for two classes: of the second), a share between 0 and 1; clipped and brought to sum 1.
    Shares,
}

/// A sum of trees.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeEnsemble {
    pub(crate) algorithm: Algorithm,
    pub(crate) n_features: u32,
    pub(crate) n_outputs: u32,
    pub(crate) link: Link,
    pub(crate) base: Vec<f64>,
    pub(crate) scale: f64,
    pub(crate) trees: Vec<Tree>,
    /// What nodes about features from `n_features` on ask about.
    pub(crate) statistics: Vec<LevelStatistic>,
    /// The trees as they are walked, laid out when first asked.
    pub(super) layout: Cached<Layout>,
    /// What explanations want to know of the training rows, likewise.
    pub(super) shares: Cached<Shares>,
}

impl TreeEnsemble {
    /// An ensemble of plain parameters.
    ///
    /// - `algorithm`: what grew it.
    /// - `n_features`: how many features a row has.
    /// - `n_outputs`: how many numbers a prediction has, 1 for regression, else one per class.
    /// - `link`: how raw scores become predictions.
    /// - `base`: raw score before any tree, one per raw output.
    /// - `scale`: what the sum of trees is multiplied with before `base` is added, 1 for boosting, 1 / rounds for
    ///   forests.
    /// - `trees`: round by round; tree `t` adds to raw output `t % base.len()`.
    ///
    /// The parameters are checked by [`TreeEnsemble::check`], not here.
    pub fn new(
        algorithm: Algorithm,
        n_features: usize,
        n_outputs: usize,
        link: Link,
        base: Vec<f64>,
        scale: f64,
        trees: Vec<Tree>,
    ) -> TreeEnsemble {
        let (n_features, n_outputs) = (n_features as u32, n_outputs as u32);
        let (layout, shares) = (Cached::default(), Cached::default());
        let statistics = Vec::new();
        TreeEnsemble { algorithm, n_features, n_outputs, link, base, scale, trees, statistics, layout, shares }
    }

    /// How many rounds it has.
    pub fn n_rounds(&self) -> usize {
        self.trees.len() / self.base.len().max(1)
    }

    /// The sum of its first rounds, of which it has so many or fewer. A forest's are each a tree of a mean, so all stay.
    #[must_use]
    pub fn up_to(&self, rounds: usize) -> TreeEnsemble {
        let (layout, shares) = (Cached::default(), Cached::default());
        let n_trees = if self.scale == 1.0 { rounds * self.base.len() } else { self.trees.len() };
        let trees = self.trees.iter().take(n_trees).cloned().collect();
        TreeEnsemble { trees, layout, shares, base: self.base.clone(), statistics: self.statistics.clone(), ..*self }
    }

    /// What grew it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many features a row has.
    pub fn n_features(&self) -> usize {
        self.n_features as usize
    }

    /// How many numbers a prediction has: 1 for regression, else one per class.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs as usize
    }

    /// How many raw scores a row has: one per class, or one for two classes and for regression.
    pub fn n_raw_outputs(&self) -> usize {
        self.base.len()
    }

    /// How raw scores become predictions.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Raw score before any tree, one per raw output.
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// What the sum of trees is multiplied with before the base is added.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Trees, round by round: tree `t` adds to raw output `t % n_raw_outputs`.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Memory held, in bytes, with what is worked out at the first prediction and explanation, whether it is yet or
    /// not.
    pub fn bytes(&self) -> usize {
        let walked: usize = self.trees.iter().map(|tree| walk::bytes(tree) + tree.nodes.len() * size_of::<f64>()).sum();
        let derived: usize = self.statistics.iter().map(LevelStatistic::bytes).sum();
        self.trees.iter().map(Tree::bytes).sum::<usize>() + walked + derived + self.base.len() * size_of::<f64>()
    }
}
