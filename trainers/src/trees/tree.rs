//! A fitted tree and a fitted ensemble of trees: plain parameters.

use serde::{Deserialize, Serialize};

/// An inner node: a question about one feature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Which feature.
    pub feature: u32,
    /// A quantity goes left when it is at most this. For a category: the first of the tree's words that hold the
    /// levels that go left, see [`Tree::levels`].
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tree {
    /// Inner nodes.
    pub nodes: Vec<Node>,
    /// What each leaf adds to the raw score; one more than there are nodes.
    pub leaves: Vec<f32>,
    /// By how much each inner node's split lowered the loss it was grown on.
    pub gains: Vec<f32>,
    /// Weight of the training rows that reached each inner node, then each leaf: `nodes.len() + leaves.len()`.
    pub covers: Vec<f32>,
    /// Sets of levels: for each category node, a word with the number of words that follow, then those words,
    /// level `l` in bit `l % 32` of word `l / 32`. Levels beyond go right.
    pub levels: Vec<u32>,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreeEnsemble {
    /// How many features a row has.
    pub n_features: u32,
    /// How many numbers a prediction has: 1 for regression, else one per class.
    pub n_outputs: u32,
    /// How raw scores become predictions.
    pub link: Link,
    /// Raw score before any tree, one per raw output.
    pub base: Vec<f64>,
    /// What the sum of trees is multiplied with before `base` is added: 1 for boosting, 1 / rounds for forests.
    pub scale: f64,
    /// Trees, round by round: tree `t` adds to raw output `t % base.len()`.
    pub trees: Vec<Tree>,
}
