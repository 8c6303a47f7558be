//! Shapley values of raw scores, path-dependent: the `TreeSHAP` of Lundberg, Erion & Lee, "Consistent Individualized
//! Feature Attribution for Tree Ensembles" (2018), computed another way.
//!
//! A leaf of value `v` is a game of its own. Its path asks about `d` features; feature `i` lets the row pass
//! (`o_i` = 1) or not (0), and lets a share `z_i` of the training rows pass that came as far. The coalition `S` earns
//! `v ∏_{i∈S} o_i ∏_{i∉S} z_i`. The Shapley value by Owen's multilinear extension ("Multilinear Extensions of Games",
//! 1972) is then
//!
//! `φ_i = v (o_i - z_i) ∫₀¹ ∏_{j≠i} (z_j (1 - x) + o_j x) dx`,
//!
//! a polynomial of degree `d - 1`, for which `⌈d/2⌉` points of Gauss and Legendre are exact. No factor is
//! negative, so nothing cancels, as it does where weights of a path are unwound; `z_i` = 0 is no special case; features
//! that the row fails all have the same value. Whichever way, the values are those of algorithm 2 of the paper.
//!
//! A leaf's values depend on the row only through the set of features that let it pass. So rows are explained many at
//! a time, leaf by leaf, and what is computed for a set is kept for other rows ("Fast `TreeSHAP`", Yang 2021, keeps all
//! sets in advance).

use super::quadrature::Quadrature;
use super::tree::{Node, Tree, TreeEnsemble, n_levels};
use crate::data::Block;

/// Rows that are explained together.
const MOST_ROWS: usize = 2048;
/// Numbers that are held for the rows that are explained together, about.
const MOST_NUMBERS: usize = 1 << 22;
/// Features of a path up to which the values of its sets are kept.
const KEPT_FEATURES: usize = 11;
/// Features of a path up to which a set is held as bits.
const MASK_FEATURES: usize = 32;

/// Shapley values of raw scores: for each row and raw output, `expected` and the values of all features add up to the
/// raw score.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapValues {
    /// How many rows.
    pub n_rows: usize,
    /// How many raw scores a row has.
    pub n_raw_outputs: usize,
    /// How many features.
    pub n_features: usize,
    /// `n_rows × n_raw_outputs × n_features`, in the unit of the raw score.
    pub values: Vec<f64>,
    /// Expected raw score, one per raw output: the mean over the training rows, as far as the covers know it.
    pub expected: Vec<f64>,
}

impl TreeEnsemble {
    /// Explains the raw scores of the given rows, in their order.
    ///
    /// A feature or row that the block does not have reads as 0. Each row's values depend on that row alone, to the
    /// last bit. What lies below a node that no training row reached weighs alike, left and right.
    pub fn shap(&self, block: &Block, rows: &[u32]) -> ShapValues {
        let (n_raw, n_features) = (self.n_raw_outputs(), self.n_features());
        let mut values = vec![0.0; rows.len() * n_raw * n_features];
        let mut explainer = Explainer::default();
        let deepest = self.trees.iter().map(depth).max().unwrap_or(0);
        let at_a_time = (MOST_NUMBERS / (n_raw * n_features).max(deepest).max(1)).clamp(1, MOST_ROWS);
        let mut columns = Vec::new();
        for (rows, values) in rows.chunks(at_a_time).zip(values.chunks_mut((at_a_time * n_raw * n_features).max(1))) {
            // Column-major while leaves add to it: [raw output][feature][row].
            columns.clear();
            columns.resize(n_raw * n_features * rows.len(), 0.0);
            for (t, tree) in self.trees.iter().enumerate() {
                let size = n_features * rows.len();
                explainer.explain(tree, block, rows, &mut columns[t % n_raw * size..][..size]);
            }
            for (column, sums) in columns.chunks_exact(rows.len()).enumerate() {
                for (cell, sum) in values[column..].iter_mut().step_by(n_raw * n_features).zip(sums) {
                    *cell = self.scale * sum;
                }
            }
        }
        ShapValues { n_rows: rows.len(), n_raw_outputs: n_raw, n_features, values, expected: self.expected() }
    }

    /// The expected raw score, one per raw output.
    fn expected(&self) -> Vec<f64> {
        let n_raw = self.n_raw_outputs();
        let mut sums = vec![0.0; n_raw];
        for (t, tree) in self.trees.iter().enumerate() {
            sums[t % n_raw] += expectation(tree);
        }
        self.base.iter().zip(sums).map(|(base, sum)| base + self.scale * sum).collect()
    }
}

/// The share of a node's training rows that went left.
fn left_share(tree: &Tree, node: &Node) -> f64 {
    let (left, right) = (tree.cover(node.left), tree.cover(node.right));
    if left + right > 0.0 { left / (left + right) } else { 0.5 }
}

/// The mean of a tree's leaves over its training rows.
fn expectation(tree: &Tree) -> f64 {
    let mut means = vec![0.0; tree.nodes.len()];
    let mean = |means: &[f64], child: i32| {
        if child < 0 { f64::from(tree.leaves[!child as usize]) } else { means[child as usize] }
    };
    // Children stand after their parents.
    for (n, node) in tree.nodes.iter().enumerate().rev() {
        let share = left_share(tree, node);
        means[n] = share * mean(&means, node.left) + (1.0 - share) * mean(&means, node.right);
    }
    means.first().copied().unwrap_or(f64::from(tree.leaves[0]))
}

/// How many nodes the longest path has.
fn depth(tree: &Tree) -> usize {
    let mut depths = vec![1; tree.nodes.len()];
    for (n, node) in tree.nodes.iter().enumerate() {
        for child in [node.left, node.right] {
            if child >= 0 {
                depths[child as usize] = depths[n] + 1;
            }
        }
    }
    depths.into_iter().max().unwrap_or(0)
}

/// A step down a path, and what it did to the list of features.
struct Edge {
    left: bool,
    /// Which feature of the path it asked about.
    place: usize,
    /// The share of that feature before; `None` when the edge brought it in.
    before: Option<f64>,
}

/// A child still to be visited: below the node at a depth of the path, on its left or right.
struct Pending {
    child: i32,
    depth: usize,
    left: bool,
    share: f64,
    feature: u32,
}

/// Walks one tree depth first for many rows, with all its memory.
#[derive(Default)]
struct Explainer {
    path: Vec<Edge>,
    pending: Vec<Pending>,
    /// The features of the path, and the share of training rows each lets pass.
    features: Vec<u32>,
    shares: Vec<f64>,
    /// By depth and row: whether the row goes left at the node of the path there.
    goes_left: Vec<bool>,
    /// By depth and row: bit `p` is set when the edges down to there let the row pass that ask about feature `p` of
    /// the path.
    masks: Vec<u32>,
    game: Game,
    table: Table,
    passes: Vec<bool>,
    values: Vec<f64>,
}

impl Explainer {
    /// Adds the values of a tree for some rows to `sums`, which is column-major: `n_features × rows`.
    fn explain(&mut self, tree: &Tree, block: &Block, rows: &[u32], sums: &mut [f64]) {
        if tree.nodes.is_empty() {
            return;
        }
        self.path.clear();
        self.features.clear();
        self.shares.clear();
        self.masks.clear();
        self.masks.resize(rows.len(), 0);
        self.visit(tree, 0, block, rows);
        while let Some(next) = self.pending.pop() {
            self.back_to(next.depth);
            self.down(&next, rows.len());
            if next.child < 0 {
                self.leaf(f64::from(tree.leaves[!next.child as usize]), rows.len(), sums);
            } else {
                self.visit(tree, next.child as usize, block, rows);
            }
        }
        self.back_to(0);
    }

    /// Asks all rows the question of the node at the end of the path, and notes its children.
    fn visit(&mut self, tree: &Tree, node: usize, block: &Block, rows: &[u32]) {
        let depth = self.path.len();
        let node = &tree.nodes[node];
        self.goes_left.resize((depth + 1) * rows.len(), false);
        let column = block.column(node.feature as usize);
        let n_levels = n_levels(block, node.feature);
        for (goes_left, &row) in self.goes_left[depth * rows.len()..].iter_mut().zip(rows) {
            *goes_left = tree.goes_left(node, column.get(row as usize).copied().unwrap_or(0.0), n_levels);
        }
        let share = left_share(tree, node);
        let feature = node.feature;
        self.pending.push(Pending { child: node.right, depth, left: false, share: 1.0 - share, feature });
        self.pending.push(Pending { child: node.left, depth, left: true, share, feature });
    }

    fn back_to(&mut self, depth: usize) {
        while self.path.len() > depth
            && let Some(edge) = self.path.pop()
        {
            if let Some(before) = edge.before {
                self.shares[edge.place] = before;
            } else {
                self.features.pop();
                self.shares.pop();
            }
        }
    }

    fn down(&mut self, next: &Pending, n: usize) {
        let found = self.features.iter().position(|&feature| feature == next.feature);
        let place = found.unwrap_or(self.features.len());
        let before = found.map(|place| self.shares[place]);
        if let Some(before) = before {
            self.shares[place] = before * next.share;
        } else {
            self.features.push(next.feature);
            self.shares.push(next.share);
        }
        let depth = next.depth;
        self.path.push(Edge { left: next.left, place, before });
        if self.features.len() > MASK_FEATURES {
            return;
        }
        if self.masks.len() < (depth + 2) * n {
            self.masks.resize((depth + 2) * n, 0);
        }
        let (above, below) = self.masks.split_at_mut((depth + 1) * n);
        let rows = above[depth * n..].iter().zip(&self.goes_left[depth * n..]).zip(below);
        if before.is_none() {
            rows.for_each(|((above, left), below)| *below = above | u32::from(*left == next.left) << place);
        } else {
            rows.for_each(|((above, left), below)| *below = above & !(u32::from(*left != next.left) << place));
        }
    }

    /// Adds the values of the leaf at the end of the path.
    fn leaf(&mut self, value: f64, n: usize, sums: &mut [f64]) {
        let d = self.features.len();
        self.game.set_up(value, &self.shares);
        let masks = if d <= MASK_FEATURES { &self.masks[self.path.len() * n..][..n] } else { &[] };
        if d <= KEPT_FEATURES {
            self.table.fill(&mut self.game, masks);
            for (place, &feature) in self.features.iter().enumerate() {
                let of_feature = self.table.of_feature(place);
                // One less than a power of two, so that no index is out of range.
                let last = of_feature.len() - 1;
                for (sum, mask) in sums[feature as usize * n..][..n].iter_mut().zip(masks) {
                    *sum += of_feature[*mask as usize & last];
                }
            }
            return;
        }
        self.values.resize(d, 0.0);
        for row in 0..n {
            self.passes.clear();
            if d <= MASK_FEATURES {
                self.passes.extend((0..d).map(|place| masks[row] >> place & 1 == 1));
            } else {
                self.passes.resize(d, true);
                for (depth, edge) in self.path.iter().enumerate() {
                    self.passes[edge.place] &= self.goes_left[depth * n + row] == edge.left;
                }
            }
            self.game.solve(|place| self.passes[place], &mut self.values);
            for (&feature, value) in self.features.iter().zip(&self.values) {
                sums[feature as usize * n + row] += value;
            }
        }
    }
}

/// The game of one leaf.
#[derive(Default)]
struct Game {
    /// Rules by number of points, as far as they were needed.
    rules: Vec<Quadrature>,
    value: f64,
    shares: Vec<f64>,
    /// `z (1 - x) + x` by feature and point, and its inverse.
    factors: Vec<f64>,
    inverses: Vec<f64>,
    products: Vec<f64>,
}

impl Game {
    fn set_up(&mut self, value: f64, shares: &[f64]) {
        let n_points = shares.len().div_ceil(2);
        while self.rules.len() <= n_points {
            self.rules.push(Quadrature::new(self.rules.len()));
        }
        let points = &self.rules[n_points].points;
        self.value = value;
        self.shares.clear();
        self.shares.extend_from_slice(shares);
        self.factors.clear();
        self.factors.extend(shares.iter().flat_map(|z| points.iter().map(move |x| z * (1.0 - x) + x)));
        self.inverses.clear();
        self.inverses.extend(self.factors.iter().map(|factor| 1.0 / factor));
    }

    /// The Shapley value of each feature, when `passes` says which let the row pass.
    fn solve(&mut self, passes: impl Fn(usize) -> bool, values: &mut [f64]) {
        let n_points = self.shares.len().div_ceil(2);
        let rule = &self.rules[n_points];
        // Integrand at each point: weight × value × every factor.
        self.products.clear();
        self.products.extend(rule.weights.iter().map(|weight| weight * self.value));
        let (mut failed, mut n_failed) = (1.0, 0);
        for (place, factors) in self.factors.chunks_exact(n_points).enumerate() {
            if passes(place) {
                self.products.iter_mut().zip(factors).for_each(|(product, factor)| *product *= factor);
            } else {
                failed *= self.shares[place];
                n_failed += 1;
            }
        }
        // A failed feature's own factor, z (1 - x), is -(o - z) times (1 - x): one power less is left for its value.
        let mut of_failed = 0.0;
        for (product, x) in self.products.iter_mut().zip(&rule.points) {
            if n_failed > 0 {
                let without_one = *product * failed * (1.0 - x).powi(n_failed - 1);
                of_failed -= without_one;
                *product = without_one * (1.0 - x);
            }
        }
        for (place, value) in values.iter_mut().enumerate() {
            *value = if passes(place) {
                let inverses = &self.inverses[place * n_points..][..n_points];
                let sum: f64 = self.products.iter().zip(inverses).map(|(product, inverse)| product * inverse).sum();
                (1.0 - self.shares[place]) * sum
            } else {
                of_failed
            };
        }
    }
}

/// The values of one leaf by the set of features that let a row pass.
#[derive(Default)]
struct Table {
    /// Which leaf's values stand at a set.
    written: Vec<u64>,
    leaf: u64,
    n_sets: usize,
    /// `d × 2^d`, by feature.
    values: Vec<f64>,
    scratch: Vec<f64>,
}

impl Table {
    /// Makes sure that the values of all the given sets stand in the table.
    fn fill(&mut self, game: &mut Game, masks: &[u32]) {
        let d = game.shares.len();
        self.n_sets = 1 << d;
        self.leaf += 1;
        self.written.resize(self.written.len().max(self.n_sets), 0);
        self.values.resize(self.values.len().max(d << d), 0.0);
        self.scratch.resize(d, 0.0);
        let written = &mut self.written[..self.n_sets];
        for &mask in masks {
            let set = mask as usize;
            if written[set] != self.leaf {
                written[set] = self.leaf;
                game.solve(|place| mask >> place & 1 == 1, &mut self.scratch);
                for (place, &value) in self.scratch.iter().enumerate() {
                    self.values[(place << d) + set] = value;
                }
            }
        }
    }

    /// The values of one feature, by set.
    fn of_feature(&self, place: usize) -> &[f64] {
        &self.values[place * self.n_sets..][..self.n_sets]
    }
}
