//! Which leaf a row of bins comes to: for rows that a tree was not grown on.

use super::bins::Bins;
use super::tree::Tree;

/// A tree's questions in terms of bins.
pub(super) struct Router<'a> {
    bins: &'a Bins,
    tree: &'a Tree,
    nodes: Vec<Question>,
}

struct Question {
    /// Whether each bin goes left.
    left: Vec<bool>,
}

impl<'a> Router<'a> {
    pub(super) fn new(bins: &'a Bins, tree: &'a Tree) -> Router<'a> {
        let nodes = tree.nodes.iter().map(|node| {
            let feature = &bins.features[node.feature as usize];
            let mut left: Vec<bool> = if node.category {
                let words = tree.set(node);
                let holds =
                    |&level: &u32| words.get(level as usize / 32).is_some_and(|word| word >> (level % 32) & 1 == 1);
                feature.levels.iter().map(holds).collect()
            } else {
                (0..feature.n_values)
                    .map(|bin| feature.cuts.get(bin).is_none_or(|&cut| cut <= node.threshold))
                    .collect()
            };
            if !node.category && node.threshold < f32::INFINITY && feature.n_values > 0 {
                // The last bin has no upper cut; only an infinite threshold sends it left.
                left[feature.n_values - 1] = false;
            }
            left.resize(feature.n_bins.max(feature.n_values), node.missing_left);
            Question { left }
        });
        Router { bins, tree, nodes: nodes.collect() }
    }

    /// The index of the row's leaf.
    pub(super) fn leaf(&self, row: usize) -> usize {
        if self.nodes.is_empty() {
            return 0;
        }
        let mut at = 0;
        loop {
            let question = &self.nodes[at];
            let node = &self.tree.nodes[at];
            let bin = self.bins.features[node.feature as usize].column.get(row);
            let next = if question.left[bin] { node.left } else { node.right };
            if next < 0 {
                return !next as usize;
            }
            at = next as usize;
        }
    }

    /// What the tree adds to the row's raw score.
    pub(super) fn value(&self, row: usize) -> f32 {
        self.tree.leaves[self.leaf(row)]
    }
}
