//! Trees and rows made by chance rather than grown on data, for benches, the parity check of SHAP values and unit
//! tests. Whoever includes this brings the types into scope: they are this crate's own for its unit tests.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Block, Kind, Node, Tree};

/// What is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    /// Features of a row. Quantities lie between 0 and 1.
    pub(crate) n_features: usize,
    /// Leaves of a tree.
    pub(crate) n_leaves: usize,
    /// Levels of every third feature, which then is a category; 0: all are quantities.
    pub(crate) n_levels: u32,
    /// Share of missing values.
    pub(crate) missing: f64,
}

/// A leaf while a tree is made: where its parent points to it, and the quantities that reach it.
struct Open {
    parent: Option<(usize, bool)>,
    cover: f32,
    low: Vec<f32>,
    high: Vec<f32>,
}

impl Made {
    /// What the features are.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        (0..self.n_features)
            .map(|j| if self.is_category(j) { Kind::Category { n_levels: self.n_levels } } else { Kind::Number })
            .collect()
    }

    fn is_category(&self, feature: usize) -> bool {
        self.n_levels > 0 && feature.is_multiple_of(3)
    }

    /// A tree that was split leaf by leaf, larger leaves sooner; covers are what uniform rows would give.
    pub(crate) fn tree(&self, rng: &mut ChaCha8Rng) -> Tree {
        let mut tree = Tree { leaves: vec![rng.random_range(-1.0..1.0)], ..Tree::default() };
        let whole = vec![0.0; self.n_features];
        let mut open = vec![Open { parent: None, cover: 4096.0, low: whole.clone(), high: vec![1.0; self.n_features] }];
        let mut node_covers = Vec::new();
        while open.len() < self.n_leaves {
            // The larger of two leaves drawn.
            let drawn = [rng.random_range(0..open.len()), rng.random_range(0..open.len())];
            let leaf = if open[drawn[0]].cover >= open[drawn[1]].cover { drawn[0] } else { drawn[1] };
            let feature = rng.random_range(0..self.n_features);
            let (node, share) = self.node(&mut tree, feature, &open[leaf], leaf, open.len(), rng);
            let n = tree.nodes.len();
            if let Some((parent, left)) = open[leaf].parent {
                let parent: &mut Node = &mut tree.nodes[parent];
                *(if left { &mut parent.left } else { &mut parent.right }) = n as i32;
            }
            tree.nodes.push(node);
            tree.gains.push(rng.random());
            tree.leaves.push(rng.random_range(-1.0..1.0));
            let cover = open[leaf].cover;
            node_covers.push(cover);
            let (mut low, high) = (open[leaf].low.clone(), open[leaf].high.clone());
            if !node.category {
                low[feature] = node.threshold;
                open[leaf].high[feature] = node.threshold;
            }
            open[leaf].parent = Some((n, true));
            open[leaf].cover = cover * share;
            open.push(Open { parent: Some((n, false)), cover: cover - cover * share, low, high });
        }
        tree.covers = node_covers.into_iter().chain(open.iter().map(|leaf| leaf.cover)).collect();
        tree
    }

    /// A node with two leaves, and the share of rows that goes left.
    fn node(
        &self,
        tree: &mut Tree,
        feature: usize,
        open: &Open,
        left: usize,
        right: usize,
        rng: &mut ChaCha8Rng,
    ) -> (Node, f32) {
        let category = self.is_category(feature);
        let (threshold, share) = if category {
            let place = tree.levels.len();
            // The last words may be left out, when no level of theirs goes left.
            let n_words = rng.random_range(1..=self.n_levels.div_ceil(32));
            tree.levels.push(n_words);
            tree.levels.extend((0..n_words).map(|_| rng.random::<u32>()));
            let inside: u32 = tree.levels[place + 1..].iter().map(|word| word.count_ones()).sum();
            (place as f32, inside.min(self.n_levels) as f32 / self.n_levels as f32)
        } else {
            let share = rng.random_range(0.1..0.9);
            (open.low[feature] + share * (open.high[feature] - open.low[feature]), share)
        };
        let missing_left = rng.random();
        let (left, right) = (!(left as i32), !(right as i32));
        (Node { feature: feature as u32, threshold, left, right, missing_left, category }, share)
    }

    /// A block of rows.
    pub(crate) fn block(&self, n_rows: usize, rng: &mut ChaCha8Rng) -> Block {
        let mut values = Vec::with_capacity(n_rows * self.n_features);
        for j in 0..self.n_features {
            for _ in 0..n_rows {
                let x = if self.is_category(j) { rng.random_range(0..self.n_levels) as f32 } else { rng.random() };
                values.push(if rng.random_bool(self.missing) { f32::NAN } else { x });
            }
        }
        Block { names: (0..self.n_features).map(|j| format!("f{j}")).collect(), kinds: self.kinds(), n_rows, values }
    }
}
