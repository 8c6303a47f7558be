//! One tree, leaf by leaf.
//!
//! A node's histogram is built from its rows, or is its parent's less its sibling's. It is kept for its children
//! only while that pays: for a node of few rows, building each child's from its rows, a group of features at a time
//! in the first-level cache, costs less than keeping and subtracting. So memory is bounded by the rows too, not
//! only by leaves × features × bins.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::bins::{Bins, Storage, n_threads};
use super::draw;
use super::growth::{Growth, Order};
use super::histogram::Histograms;
use super::kernel::{Cell, partition};
use super::quantise::Units;
use super::split::{Node, Rule, Scorer, Split};
use super::tree::{self, Tree};

/// Grows trees on some rows of some bins; keeps its buffers from one tree to the next.
pub(super) struct Grower<'a> {
    pub(super) bins: &'a Bins,
    /// The row of each position.
    pub(super) rows: &'a [u32],
    pub(super) growth: &'a Growth,
    pub(super) histograms: Histograms<'a>,
    other: Vec<u32>,
}

/// A tree as it was grown.
pub(super) struct Grown {
    /// Its leaves' values are before shrinkage.
    pub(super) tree: Tree,
    /// Where each leaf's positions are in the list given.
    pub(super) ranges: Vec<(usize, usize)>,
}

/// A leaf that may still be split.
pub(super) struct Leaf {
    pub(super) node: Node,
    pub(super) range: (usize, usize),
    pub(super) depth: usize,
    /// The parent in the tree, and whether this is its left child.
    place: Option<(usize, bool)>,
    pub(super) histogram: Option<Vec<Cell>>,
    best: Option<Split>,
    /// Features asked about above it; kept only under interaction constraints.
    path: Vec<u32>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(bins: &'a Bins, rows: &'a [u32], growth: &'a Growth) -> Grower<'a> {
        Grower { bins, rows, growth, histograms: Histograms::new(bins, rows), other: Vec::new() }
    }

    /// Grows a tree on the rows of these positions, which are ascending and which it puts in the order of the
    /// leaves. `sums` has a cell per position of the view, `key` is what is drawn under.
    pub(super) fn grow(&mut self, sums: &[Cell], units: Units, positions: &mut [u32], key: u64) -> Grown {
        let scorer = Scorer::new(self.growth, units);
        let telling: Vec<usize> = self.bins.telling().collect();
        let features = share(draw::key(key, 1), &telling, self.growth.colsample_bytree);
        let root = root(&scorer, sums, positions, key);
        let mut planting = Planting { tree: Tree::default(), ranges: Vec::new(), scorer, sums, features };
        if self.growth.order == Order::Symmetric {
            self.grow_level_by_level(&mut planting, root, positions);
        } else {
            self.grow_best_first(&mut planting, root, positions);
        }
        let Planting { mut tree, ranges, .. } = planting;
        tree.covers.extend(ranges.iter().map(|(from, to)| (to - from) as f32));
        Grown { tree, ranges }
    }

    fn grow_best_first(&mut self, planting: &mut Planting<'_>, mut root: Leaf, positions: &mut [u32]) {
        self.search_root(planting, &mut root, positions);
        let mut queue = BinaryHeap::new();
        let mut n_leaves = 1;
        let by_depth = self.growth.order == Order::DepthWise;
        let put = |queue: &mut BinaryHeap<Queued>, planting: &mut Planting<'_>, leaf: Leaf| {
            if leaf.best.is_some() {
                queue.push(Queued { by_depth, leaf });
            } else {
                planting.end(&leaf);
            }
        };
        put(&mut queue, planting, root);
        while let Some(Queued { leaf, .. }) = queue.pop() {
            if self.is_full(n_leaves) {
                planting.end(&leaf);
                continue;
            }
            n_leaves += 1;
            let (left, right) = self.split(planting, leaf, positions, n_leaves);
            put(&mut queue, planting, left);
            put(&mut queue, planting, right);
        }
    }

    fn is_full(&self, n_leaves: usize) -> bool {
        self.growth.num_leaves > 0 && n_leaves >= self.growth.num_leaves
    }

    pub(super) fn search_root(&mut self, planting: &Planting<'_>, root: &mut Leaf, positions: &[u32]) {
        if !planting.scorer.can_split(&root.node) || planting.features.is_empty() {
            return;
        }
        if self.keeps(root) {
            root.histogram = Some(self.histograms.build(&planting.features, planting.sums, positions));
        }
        self.search(planting, root, positions);
    }

    /// Splits a leaf; the children know their own best splits.
    fn split(
        &mut self,
        planting: &mut Planting<'_>,
        mut leaf: Leaf,
        positions: &mut [u32],
        n_leaves: usize,
    ) -> (Leaf, Leaf) {
        let histogram = leaf.histogram.take();
        let split = leaf.best.take().expect("only leaves with a split are queued");
        let (mut left, mut right) = self.divide(planting, &leaf, &split, positions);
        let deep = self.growth.max_depth > 0 && left.depth >= self.growth.max_depth;
        let last = deep || self.is_full(n_leaves);
        let wants = |child: &Leaf| !last && planting.scorer.can_split(&child.node);
        let wanted = (wants(&left), wants(&right));
        self.inherit(planting, histogram, (&mut left, &mut right), wanted, positions);
        (left, right)
    }

    /// Puts a split into the tree and the rows on their sides.
    pub(super) fn divide(
        &mut self,
        planting: &mut Planting<'_>,
        leaf: &Leaf,
        split: &Split,
        positions: &mut [u32],
    ) -> (Leaf, Leaf) {
        let feature = &self.bins.features[split.feature];
        let mut goes_left = vec![false; feature.n_bins.max(1)];
        match &split.rule {
            Rule::UpTo { bin, missing_left } => {
                goes_left[..=*bin].fill(true);
                if let Some(missing) = feature.missing() {
                    goes_left[missing] = *missing_left;
                }
            }
            Rule::Levels(bins) => bins.iter().for_each(|&bin| goes_left[bin as usize] = true),
        }
        let (from, to) = leaf.range;
        let here = &mut positions[from..to];
        self.other.resize(self.other.len().max(here.len()), 0);
        let n_left = divide_shared(&feature.column, &goes_left, self.rows, here, &mut self.other);
        let at = planting.ask(self.bins, leaf, split);
        let scorer = &planting.scorer;
        let by_order = feature.is_category() && self.growth.orders_levels(feature.n_values);
        let l2 = self.growth.reg_lambda + if by_order { self.growth.cat_l2 } else { 0.0 };
        let child = |total: Cell, range: (usize, usize), is_left: bool| {
            let n_rows = range.1 - range.0;
            let output = scorer.output(total, n_rows as f64, leaf.node.output, leaf.node.bounds, l2);
            let key = draw::key(leaf.node.key, u64::from(is_left));
            let node = Node { total, n_rows, output, bounds: leaf.node.bounds, key };
            let mut path = leaf.path.clone();
            if !self.growth.interaction_constraints.is_empty() {
                path.push(split.feature as u32);
            }
            Leaf { node, range, depth: leaf.depth + 1, place: Some((at, is_left)), histogram: None, best: None, path }
        };
        let mut left = child(split.left, (from, from + n_left), true);
        let mut right = child(leaf.node.total - split.left, (from + n_left, to), false);
        let middle = f64::midpoint(left.node.output, right.node.output);
        match self.growth.monotone(split.feature) {
            0 => {}
            rising if rising > 0 => (left.node.bounds.1, right.node.bounds.0) = (middle, middle),
            _ => (left.node.bounds.0, right.node.bounds.1) = (middle, middle),
        }
        (left, right)
    }

    /// Gives the children their histograms and finds their best splits.
    fn inherit(
        &mut self,
        planting: &Planting<'_>,
        parent: Option<Vec<Cell>>,
        (left, right): (&mut Leaf, &mut Leaf),
        wanted: (bool, bool),
        positions: &[u32],
    ) {
        let left_is_small = left.node.n_rows <= right.node.n_rows;
        let (small, large, wants_small, wants_large) =
            if left_is_small { (left, right, wanted.0, wanted.1) } else { (right, left, wanted.1, wanted.0) };
        let here = |leaf: &Leaf| leaf.range.0..leaf.range.1;
        let subtracts = wants_large && large.node.n_rows as f64 >= self.histograms.mean_bins;
        match parent {
            Some(mut parent) if subtracts => {
                let own = self.histograms.build(&planting.features, planting.sums, &positions[here(small)]);
                for (cell, own) in parent.iter_mut().zip(&own) {
                    *cell = cell.wrapping_sub(*own);
                }
                small.histogram = Some(own);
                large.histogram = Some(parent);
            }
            parent => {
                self.histograms.release(parent);
                for (leaf, wants) in [(&mut *small, wants_small), (&mut *large, wants_large)] {
                    if wants && self.keeps(leaf) {
                        let rows = &positions[here(leaf)];
                        leaf.histogram = Some(self.histograms.build(&planting.features, planting.sums, rows));
                    }
                }
            }
        }
        for (leaf, wants) in [(small, wants_small), (large, wants_large)] {
            if wants {
                self.search(planting, leaf, &positions[here(leaf)]);
            }
            if leaf.best.is_none() || !self.keeps(leaf) {
                self.histograms.release(leaf.histogram.take());
            }
        }
    }

    /// Whether a histogram of the node would be of use to its children.
    fn keeps(&self, leaf: &Leaf) -> bool {
        self.growth.colsample_bynode >= 0.5 && self.histograms.pays(leaf.node.n_rows)
    }

    fn search(&mut self, planting: &Planting<'_>, leaf: &mut Leaf, positions: &[u32]) {
        let features = self.askable(planting, leaf);
        leaf.best = match &leaf.histogram {
            Some(cells) => self.histograms.search(&planting.scorer, &leaf.node, &features, cells),
            None => self.histograms.search_rows(&planting.scorer, &leaf.node, &features, planting.sums, positions),
        };
    }

    /// The features a node may ask about.
    fn askable(&self, planting: &Planting<'_>, leaf: &Leaf) -> Vec<usize> {
        let constraints = &self.growth.interaction_constraints;
        // A set of levels is found by its place, which single precision counts.
        let full = planting.tree.levels.len() >= MOST_WORDS;
        let quantities = || planting.features.iter().copied().filter(|&j| !self.bins.features[j].is_category());
        let all = &if full { quantities().collect() } else { planting.features.clone() };
        let key = draw::key(leaf.node.key, 2);
        if constraints.is_empty() {
            return share(key, all, self.growth.colsample_bynode);
        }
        let open: Vec<&Vec<u32>> =
            constraints.iter().filter(|set| leaf.path.iter().all(|feature| set.contains(feature))).collect();
        let allowed = |feature: &usize| open.iter().any(|set| set.contains(&(*feature as u32)));
        let features: Vec<usize> = all.iter().copied().filter(allowed).collect();
        share(key, &features, self.growth.colsample_bynode)
    }
}

/// A tree under way, and what it is grown on.
pub(super) struct Planting<'t> {
    tree: Tree,
    ranges: Vec<(usize, usize)>,
    pub(super) scorer: Scorer<'t>,
    pub(super) sums: &'t [Cell],
    pub(super) features: Vec<usize>,
}

impl Planting<'_> {
    /// Adds an inner node in a leaf's place; gives its index.
    fn ask(&mut self, bins: &Bins, leaf: &Leaf, split: &Split) -> usize {
        let feature = &bins.features[split.feature];
        let at = self.tree.nodes.len();
        self.lead(leaf, at as i32);
        let tree_node = |threshold: f32, missing_left: bool| tree::Node {
            feature: split.feature as u32,
            threshold,
            left: 0,
            right: 0,
            missing_left,
            category: feature.is_category(),
        };
        let tree = &mut self.tree;
        let node = match &split.rule {
            // The last bin has no cut above it: every value goes left, only the missing go right.
            Rule::UpTo { bin, missing_left } => {
                tree_node(feature.cuts.get(*bin).copied().unwrap_or(f32::INFINITY), *missing_left)
            }
            Rule::Levels(of_bins) => {
                let levels: Vec<u32> = of_bins.iter().map(|&bin| feature.levels[bin as usize]).collect();
                tree_node(tree.add_levels(&levels) as f32, false)
            }
        };
        tree.nodes.push(node);
        tree.gains.push(split.gain.min(f64::from(f32::MAX)) as f32);
        tree.covers.push(leaf.node.n_rows as f32);
        at
    }

    /// Makes a leaf final.
    pub(super) fn end(&mut self, leaf: &Leaf) {
        let index = self.tree.leaves.len() as i32;
        self.lead(leaf, !index);
        self.tree.leaves.push(leaf.node.output as f32);
        self.ranges.push(leaf.range);
    }

    fn lead(&mut self, leaf: &Leaf, to: i32) {
        if let Some((parent, is_left)) = leaf.place {
            let parent = &mut self.tree.nodes[parent];
            *(if is_left { &mut parent.left } else { &mut parent.right }) = to;
        }
    }
}

fn root(scorer: &Scorer<'_>, sums: &[Cell], positions: &[u32], key: u64) -> Leaf {
    let total = if positions.len() == sums.len() {
        sums.iter().sum()
    } else {
        positions.iter().map(|&at| sums[at as usize]).sum()
    };
    let bounds = (f64::NEG_INFINITY, f64::INFINITY);
    let n_rows = positions.len();
    let output = scorer.output(total, f64::INFINITY, 0.0, bounds, scorer.growth.reg_lambda);
    let node = Node { total, n_rows, output, bounds, key: draw::key(key, 3) };
    Leaf { node, range: (0, n_rows), depth: 0, place: None, histogram: None, best: None, path: Vec::new() }
}

/// Words of sets of levels after which a tree asks about quantities only.
const MOST_WORDS: usize = (1 << 24) - (1 << 12);

/// Positions to divide before other threads are asked to help.
const WORTH_SHARING: usize = 1 << 15;

/// [`partition`] on all threads of the pool: each divides a share, and the shares' sides are put together.
fn divide_shared(column: &Storage, left: &[bool], rows: &[u32], positions: &mut [u32], other: &mut [u32]) -> usize {
    let (n, threads) = (positions.len(), n_threads());
    if threads < 2 || n < WORTH_SHARING {
        return partition(column, left, rows, positions, other);
    }
    let each = n.div_ceil(threads);
    let shares = positions.par_chunks_mut(each).zip(other[..n].par_chunks_mut(each));
    let lefts: Vec<usize> = shares.map(|(own, other)| partition(column, left, rows, own, other)).collect();
    let n_left: usize = lefts.iter().sum();
    let (mut to_left, mut to_right) = (0, n_left);
    for (share, &own) in positions.chunks(each).zip(&lefts) {
        other[to_left..to_left + own].copy_from_slice(&share[..own]);
        other[to_right..to_right + share.len() - own].copy_from_slice(&share[own..]);
        to_left += own;
        to_right += share.len() - own;
    }
    positions.copy_from_slice(&other[..n]);
    n_left
}

/// A share of the features, at least one.
fn share(key: u64, features: &[usize], share: f64) -> Vec<usize> {
    if share >= 1.0 {
        return features.to_vec();
    }
    let n = (features.len() as f64 * share).round().max(1.0);
    draw::choose(key, features, n as usize)
}

/// A leaf in the queue: by depth if so ordered, then by gain, then the older first.
struct Queued {
    by_depth: bool,
    leaf: Leaf,
}

impl Queued {
    fn rank(&self) -> (usize, f64, usize) {
        let depth = if self.by_depth { usize::MAX - self.leaf.depth } else { 0 };
        let gain = self.leaf.best.as_ref().map_or(0.0, |split| split.gain);
        // Of equal gains the leaf whose rows begin earlier.
        (depth, gain, usize::MAX - self.leaf.range.0)
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.rank(), other.rank());
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}
