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
    /// What a quantity derived from a category adds is the category's. A feature or row that the block does not have
    /// reads as 0. Each row's values depend on that row alone, to the
    /// last bit. What lies below a node that no training row reached weighs alike, left and right.
    pub fn shap(&self, block: &Block, rows: &[u32]) -> ShapValues {
        let (n_raw, n_features) = (self.n_raw_outputs(), self.n_features());
        let mut values = vec![0.0; rows.len() * n_raw * n_features];
        let mut explainer = Explainer::default();
        let shares = self.shares.get(|| Shares::new(self));
        let at_a_time = (MOST_NUMBERS / (n_raw * n_features).max(shares.deepest).max(1)).clamp(1, MOST_ROWS);
        let mut columns = Vec::new();
        for (rows, values) in rows.chunks(at_a_time).zip(values.chunks_mut((at_a_time * n_raw * n_features).max(1))) {
            // Column-major while leaves add to it: [raw output][feature][row].
            columns.clear();
            columns.resize(n_raw * n_features * rows.len(), 0.0);
            let mut left = shares.left.as_slice();
            for (t, tree) in self.trees.iter().enumerate() {
                let size = n_features * rows.len();
                let (of_tree, rest) = left.split_at(tree.nodes.len());
                left = rest;
                explainer.explain(self, tree, of_tree, block, rows, &mut columns[t % n_raw * size..][..size]);
            }
            for (column, sums) in columns.chunks_exact(rows.len()).enumerate() {
                for (cell, sum) in values[column..].iter_mut().step_by(n_raw * n_features).zip(sums) {
                    *cell = self.scale * sum;
                }
            }
        }
        ShapValues { n_rows: rows.len(), n_raw_outputs: n_raw, n_features, values, expected: shares.expected.clone() }
    }
}

/// What explanations want to know of the training rows.
#[derive(Debug)]
pub(super) struct Shares {
    /// The share of each node's training rows that went left, tree by tree.
    left: Vec<f64>,
    /// How many nodes the longest path has.
    deepest: usize,
    /// The expected raw score, one per raw output.
    expected: Vec<f64>,
}

impl Shares {
    fn new(model: &TreeEnsemble) -> Shares {
        let n_raw = model.n_raw_outputs();
        let mut shares = Shares { left: Vec::new(), deepest: 0, expected: vec![0.0; n_raw] };
        for (t, tree) in model.trees.iter().enumerate() {
            let first = shares.left.len();
            shares.left.extend(tree.nodes.iter().map(|node| left_share(tree, node)));
            shares.deepest = shares.deepest.max(depth(tree));
            shares.expected[t % n_raw] += expectation(tree, &shares.left[first..]);
        }
        for (expected, base) in shares.expected.iter_mut().zip(&model.base) {
            *expected = base + model.scale * *expected;
        }
        shares
    }
}

/// The share of a node's training rows that went left.
fn left_share(tree: &Tree, node: &Node) -> f64 {
    let (left, right) = (tree.cover(node.left), tree.cover(node.right));
    if left + right > 0.0 { left / (left + right) } else { 0.5 }
}

/// The mean of a tree's leaves over its training rows.
fn expectation(tree: &Tree, shares: &[f64]) -> f64 {
    let mut means = vec![0.0; tree.nodes.len()];
    let mean = |means: &[f64], child: i32| {
        if child < 0 { f64::from(tree.leaves[!child as usize]) } else { means[child as usize] }
    };
    // Children stand after their parents.
    for (n, (node, share)) in tree.nodes.iter().zip(shares).enumerate().rev() {
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
}

impl Explainer {
    /// Adds the values of a tree of the model, of whose training rows these shares went left, for some rows to
    /// `sums`, which is column-major: `n_features × rows`.
    fn explain(
        &mut self,
        model: &TreeEnsemble,
        tree: &Tree,
        left_shares: &[f64],
        block: &Block,
        rows: &[u32],
        sums: &mut [f64],
    ) {
        if tree.nodes.is_empty() {
            return;
        }
        self.path.clear();
        self.features.clear();
        self.shares.clear();
        self.masks.clear();
        self.masks.resize(rows.len(), 0);
        self.visit(model, tree, 0, left_shares[0], block, rows);
        while let Some(next) = self.pending.pop() {
            self.back_to(next.depth);
            self.down(&next, rows.len());
            if next.child < 0 {
                self.leaf(f64::from(tree.leaves[!next.child as usize]), rows.len(), sums);
            } else {
                let node = next.child as usize;
                self.visit(model, tree, node, left_shares[node], block, rows);
            }
        }
        self.back_to(0);
    }

    /// Asks all rows the question of the node at the end of the path, and notes its children.
    fn visit(&mut self, model: &TreeEnsemble, tree: &Tree, node: usize, share: f64, block: &Block, rows: &[u32]) {
        let depth = self.path.len();
        let node = &tree.nodes[node];
        self.goes_left.resize((depth + 1) * rows.len(), false);
        // The player is the feature of the row, whichever of its readings the node asks about.
        let feature = model.source(node.feature);
        let column = block.column(feature as usize);
        let n_levels = n_levels(block, feature);
        let statistic = model.statistic(node.feature);
        for (goes_left, &row) in self.goes_left[depth * rows.len()..].iter_mut().zip(rows) {
            let x = column.get(row as usize).copied().unwrap_or(0.0);
            let x = statistic.map_or(x, |statistic| statistic.of(x, n_levels));
            *goes_left = tree.goes_left(node, x, n_levels);
        }
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
        let masks = if d <= MASK_FEATURES { &self.masks[self.path.len() * n..][..n] } else { &[] };
        if d <= KEPT_FEATURES {
            self.table.fill(&mut self.game, value, &self.shares, masks);
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
        let features = &self.features;
        for group in 0..Game::n_groups(d) {
            self.game.hold(value, &self.shares, group);
            for row in 0..n {
                let add = |place: usize, part| sums[features[place] as usize * n + row] += part;
                if d <= MASK_FEATURES {
                    self.game.solve(|place| masks[row] >> place & 1 == 1, add);
                    continue;
                }
                self.passes.clear();
                self.passes.resize(d, true);
                for (depth, edge) in self.path.iter().enumerate() {
                    self.passes[edge.place] &= self.goes_left[depth * n + row] == edge.left;
                }
                self.game.solve(|place| self.passes[place], add);
            }
        }
    }
}

/// Points at which an integrand is held at a time.
const POINTS: usize = 4;

/// What one feature of a path does to an integrand at some points, when it fails the row and when it lets it pass.
#[derive(Clone, Copy)]
struct Factors {
    /// Its factor, `z (1 - x)` or `z (1 - x) + x`.
    of_product: [[f64; POINTS]; 2],
    /// What makes its value of the product of all factors: `o - z` divided by its own. Where it fails that is
    /// `-1 / (1 - x)`, whatever `z` is.
    of_value: [[f64; POINTS]; 2],
}

/// The game of one leaf, held at one group of points after the other.
#[derive(Default)]
struct Game {
    /// Rules by number of groups of points, as far as they were needed.
    rules: Vec<Quadrature>,
    /// At each point: its weight times the leaf's value.
    start: [f64; POINTS],
    factors: Vec<Factors>,
}

impl Game {
    /// How many groups of points are exact for a path of `d` features.
    fn n_groups(d: usize) -> usize {
        d.div_ceil(2 * POINTS)
    }

    /// Holds the game of a leaf, given the share of training rows that each feature lets pass, at one group of points.
    fn hold(&mut self, value: f64, shares: &[f64], group: usize) {
        let n_groups = Game::n_groups(shares.len());
        while self.rules.len() <= n_groups {
            self.rules.push(Quadrature::new(self.rules.len() * POINTS));
        }
        let rule = &self.rules[n_groups];
        let points: [f64; POINTS] = std::array::from_fn(|q| rule.points[group * POINTS + q]);
        self.start = std::array::from_fn(|q| rule.weights[group * POINTS + q] * value);
        let failed = points.map(|x| -1.0 / (1.0 - x));
        self.factors.clear();
        self.factors.extend(shares.iter().map(|&z| {
            let fails = points.map(|x| z * (1.0 - x));
            let passes: [f64; POINTS] = std::array::from_fn(|q| fails[q] + points[q]);
            Factors { of_product: [fails, passes], of_value: [failed, passes.map(|factor| (1.0 - z) / factor)] }
        }));
    }

    /// The part of each feature's Shapley value from the points held, when `passes` says which let the row pass.
    fn solve(&self, passes: impl Fn(usize) -> bool, mut add: impl FnMut(usize, f64)) {
        let mut product = self.start;
        for (place, factors) in self.factors.iter().enumerate() {
            let factor = &factors.of_product[usize::from(passes(place))];
            product.iter_mut().zip(factor).for_each(|(product, factor)| *product *= factor);
        }
        for (place, factors) in self.factors.iter().enumerate() {
            let factor = &factors.of_value[usize::from(passes(place))];
            let [a, b, c, d]: [f64; POINTS] = std::array::from_fn(|q| product[q] * factor[q]);
            add(place, (a + c) + (b + d));
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
    /// Sets that were met.
    sets: Vec<u32>,
}

impl Table {
    /// Works out the values of a leaf for all the given sets.
    fn fill(&mut self, game: &mut Game, value: f64, shares: &[f64], masks: &[u32]) {
        let d = shares.len();
        self.n_sets = 1 << d;
        self.leaf += 1;
        self.written.resize(self.written.len().max(self.n_sets), 0);
        self.values.resize(self.values.len().max(d << d), 0.0);
        self.sets.clear();
        let written = &mut self.written[..self.n_sets];
        for &mask in masks {
            if written[mask as usize] != self.leaf {
                written[mask as usize] = self.leaf;
                self.sets.push(mask);
            }
        }
        for group in 0..Game::n_groups(d) {
            game.hold(value, shares, group);
            for &set in &self.sets {
                let passes = |place: usize| set >> place & 1 == 1;
                game.solve(passes, |place, part| {
                    let cell = &mut self.values[(place << d) + set as usize];
                    *cell = if group == 0 { part } else { *cell + part };
                });
            }
        }
    }

    /// The values of one feature, by set.
    fn of_feature(&self, place: usize) -> &[f64] {
        &self.values[place * self.n_sets..][..self.n_sets]
    }
}
