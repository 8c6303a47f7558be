//! Whether parameters agree with each other: what stands between a damaged file and a walk.

use super::tree::{Link, Node, Tree, TreeEnsemble, level};

/// Bound on what numbers outside the leaves may be, so that no sum overflows.
const LARGEST: f64 = 1e100;

impl TreeEnsemble {
    /// Whether the parameters agree with each other and with a problem of this many features and outputs; a reason
    /// when they do not. What passes can be predicted with and explained without a panic.
    pub fn check(&self, n_features: usize, n_outputs: usize) -> Result<(), String> {
        if (self.n_features(), self.n_outputs()) != (n_features, n_outputs) {
            return Err(format!(
                "trees for {} features and {} outputs, where {n_features} and {n_outputs} are wanted",
                self.n_features(),
                self.n_outputs()
            ));
        }
        let n_raw = self.n_raw_outputs();
        if !self.link.joins(n_raw, n_outputs) || n_raw == 0 {
            return Err(format!("{n_raw} raw scores make no {n_outputs} outputs through link {:?}", self.link));
        }
        if !self.trees.len().is_multiple_of(n_raw) {
            return Err(format!("{} trees are no whole rounds of {n_raw}", self.trees.len()));
        }
        if let Some(bad) = self.base.iter().chain([&self.scale]).find(|x| x.is_nan() || x.abs() > LARGEST) {
            return Err(format!("base or scale is {bad}"));
        }
        for (k, statistic) in self.statistics.iter().enumerate() {
            statistic.check(self.n_features).map_err(|reason| format!("statistic {k}: {reason}"))?;
        }
        let mut n_steps = 0_usize;
        for (t, tree) in self.trees.iter().enumerate() {
            tree.check(self.n_features, self.statistics.len()).map_err(|reason| format!("tree {t}: {reason}"))?;
            n_steps += tree.nodes.len() + tree.leaves.len() + tree.levels.len();
        }
        if n_steps > i32::MAX as usize {
            return Err(format!("{n_steps} nodes, leaves and words are more than can be numbered"));
        }
        Ok(())
    }
}

impl Link {
    /// Whether so many raw scores make so many outputs.
    pub(super) fn joins(self, n_raw: usize, n_outputs: usize) -> bool {
        match self {
            Link::Identity | Link::Exp | Link::Softmax => n_raw == n_outputs,
            Link::Logistic => (n_raw, n_outputs) == (1, 2),
            Link::Shares => n_raw == n_outputs || (n_raw, n_outputs) == (1, 2),
        }
    }
}

impl Tree {
    fn check(&self, n_features: u32, n_statistics: usize) -> Result<(), String> {
        let (n_nodes, n_leaves) = (self.nodes.len(), self.leaves.len());
        if n_leaves != n_nodes + 1 || self.gains.len() != n_nodes || self.covers.len() != n_nodes + n_leaves {
            return Err(format!(
                "{n_nodes} nodes with {n_leaves} leaves, {} gains and {} covers",
                self.gains.len(),
                self.covers.len()
            ));
        }
        if let Some(bad) = self.leaves.iter().chain(&self.gains).find(|x| !x.is_finite()) {
            return Err(format!("a leaf or gain is {bad}"));
        }
        if let Some(bad) = self.covers.iter().find(|x| !(x.is_finite() && **x >= 0.0)) {
            return Err(format!("a cover is {bad}"));
        }
        // A set is nobody else's, so that a layout of sets is no longer than the levels.
        let n_words: usize =
            self.nodes.iter().filter_map(|node| self.set_length(node)).map(|n_words| n_words + 1).sum();
        if n_words > self.levels.len() {
            return Err(format!("{} words are shared among sets of {n_words}", self.levels.len()));
        }
        // Everything but the root hangs below exactly one earlier node: a tree, without cycles.
        let mut reached = vec![false; n_nodes + n_leaves];
        for (n, node) in self.nodes.iter().enumerate() {
            self.check_node(node, n_features, n_statistics).map_err(|reason| format!("node {n}: {reason}"))?;
            for child in [node.left, node.right] {
                let place = if child < 0 { n_nodes + !child as usize } else { child as usize };
                let below = child < 0 || place > n && place < n_nodes;
                match reached.get_mut(place) {
                    Some(seen @ false) if below => *seen = true,
                    _ => return Err(format!("node {n}: leads to {child}, which is not one of its own")),
                }
            }
        }
        Ok(())
    }

    fn check_node(&self, node: &Node, n_features: u32, n_statistics: usize) -> Result<(), String> {
        let n_asked = n_features as usize + n_statistics;
        if node.feature as usize >= n_asked {
            return Err(format!("feature {} of {n_asked}", node.feature));
        }
        if node.category && node.feature >= n_features {
            return Err(format!("a set of levels of statistic {}", node.feature - n_features));
        }
        if node.category {
            if self.set_length(node).is_none() {
                return Err(format!("no set of levels at {} of {}", node.threshold, self.levels.len()));
            }
        } else if node.threshold.is_nan() {
            return Err("the threshold is not a number".to_string());
        }
        Ok(())
    }

    /// How many words the set of a category node has; `None` when there is no such set.
    fn set_length(&self, node: &Node) -> Option<usize> {
        let start = level(node.threshold, u32::MAX).filter(|_| node.category)? as usize;
        let n_words = *self.levels.get(start)? as usize;
        (n_words < self.levels.len() - start).then_some(n_words)
    }
}
