//! Trees laid out for walking, and the walk.
//!
//! A walk is a chain of dependent loads with an even chance of a wrong guess at each branch, so here there are no
//! branches and several chains run side by side: a step is 16 bytes, the two children of a node are neighbours (the
//! right one first, so that a comparison is the offset), and a leaf leads to itself, so that walks of unlike length
//! need no test each. A row is rewritten so that missing values need no test either: a feature has one slot where
//! missing is `-inf`, for the nodes that send it left, and one where it stays NaN, which is at most nothing and so
//! goes right.

use std::collections::{HashMap, VecDeque};

use super::tree::{Tree, TreeEnsemble, level, n_levels};
use crate::data::Block;

/// Walks that run side by side.
pub(super) const LANES: usize = 8;

/// Marks a slot whose number is a level, to be looked up in a set.
const SET: u32 = 1 << 31;

/// A node as it is walked.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// At most this goes to `next + 1`, else to `next`. NaN in a leaf, so that nothing moves on; for a set the bits
    /// of its place in `Layout::sets`.
    threshold: f32,
    /// Which number of the row, and [`SET`].
    slot: u32,
    /// The right child, before the left one; a leaf itself.
    next: u32,
    /// What a leaf adds.
    value: f32,
}

/// A number of a rewritten row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Slot {
    feature: u32,
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reading {
    /// As it is; missing is NaN.
    Quantity,
    /// Missing is `-inf`.
    MissingLow,
    /// One more than the level, as the bits of the number; missing is 0.
    Level,
    /// The number of the level by one of the ensemble's statistics; the slot's feature is the node's.
    Statistic,
}

/// All trees of an ensemble, for rows of rewritten numbers.
#[derive(Debug)]
pub(super) struct Layout {
    steps: Vec<Step>,
    /// Where each tree begins.
    roots: Vec<u32>,
    slots: Vec<Slot>,
    /// Sets, each a word with its length and then its words; bit 0 is for missing, bit `l + 1` for level `l`.
    sets: Vec<u32>,
}

impl Layout {
    pub(super) fn new(model: &TreeEnsemble) -> Layout {
        let trees = &model.trees;
        let n_steps = trees.iter().map(|tree| tree.nodes.len() + tree.leaves.len()).sum();
        let mut layout = Layout {
            steps: Vec::with_capacity(n_steps),
            roots: Vec::with_capacity(trees.len()),
            slots: Vec::new(),
            sets: Vec::new(),
        };
        let mut slots = HashMap::new();
        for tree in trees {
            layout.push(tree, model.n_features, &mut slots);
        }
        layout
    }

    /// Appends a tree breadth first, siblings together.
    fn push(&mut self, tree: &Tree, n_features: u32, slots: &mut HashMap<Slot, u32>) {
        let leaf = |value: f32, at: usize| Step { threshold: f32::NAN, slot: 0, next: at as u32, value };
        let root = self.steps.len();
        self.roots.push(root as u32);
        self.steps.push(leaf(tree.leaves[0], root));
        let mut open = VecDeque::new();
        if !tree.nodes.is_empty() {
            open.push_back((0, root));
        }
        while let Some((node, at)) = open.pop_front() {
            let node = &tree.nodes[node as usize];
            let next = self.steps.len();
            for child in [node.right, node.left] {
                let place = self.steps.len();
                if child < 0 {
                    self.steps.push(leaf(tree.leaves[!child as usize], place));
                } else {
                    self.steps.push(leaf(0.0, place));
                    open.push_back((child, place));
                }
            }
            let reading = match (node.category, node.missing_left) {
                _ if node.feature >= n_features => Reading::Statistic,
                (true, _) => Reading::Level,
                (false, true) => Reading::MissingLow,
                (false, false) => Reading::Quantity,
            };
            let slot = Slot { feature: node.feature, reading };
            let mut number = *slots.entry(slot).or_insert_with(|| {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            });
            let mut threshold = node.threshold;
            if node.category {
                number |= SET;
                threshold = f32::from_bits(self.push_set(tree.set(node), node.missing_left));
            }
            self.steps[at] = Step { threshold, slot: number, next: next as u32, value: 0.0 };
        }
    }

    /// Appends a set with every level one bit higher, and missing at the lowest; gives its place.
    fn push_set(&mut self, words: &[u32], missing_left: bool) -> u32 {
        let place = self.sets.len() as u32;
        self.sets.push(words.len() as u32 + 1);
        let mut carry = u32::from(missing_left);
        for &word in words {
            self.sets.push(word << 1 | carry);
            carry = word >> 31;
        }
        self.sets.push(carry);
        place
    }

    pub(super) fn has_sets(&self) -> bool {
        !self.sets.is_empty()
    }

    pub(super) fn n_trees(&self) -> usize {
        self.roots.len()
    }

    /// How many numbers a rewritten row has; at least one, so that a leaf has something to look at.
    pub(super) fn width(&self) -> usize {
        self.slots.len().max(1)
    }

    /// Rewrites rows of a block, row-major: `rows.len() × width`, for the ensemble that this is the layout of.
    pub(super) fn gather(&self, model: &TreeEnsemble, block: &Block, rows: &[u32], out: &mut [f32]) {
        let width = self.width();
        for (s, slot) in self.slots.iter().enumerate() {
            let feature = model.source(slot.feature);
            let column = block.column(feature as usize);
            let cells = out.iter_mut().skip(s).step_by(width);
            let values = rows.iter().map(|&row| column.get(row as usize).copied().unwrap_or(0.0));
            match slot.reading {
                Reading::Quantity => cells.zip(values).for_each(|(cell, x)| *cell = x),
                Reading::MissingLow => {
                    cells.zip(values).for_each(|(cell, x)| *cell = if x.is_nan() { f32::NEG_INFINITY } else { x });
                }
                Reading::Level => {
                    let n_levels = n_levels(block, feature);
                    cells.zip(values).for_each(|(cell, x)| {
                        *cell = f32::from_bits(level(x, n_levels).map_or(0, |level| level + 1));
                    });
                }
                Reading::Statistic => {
                    let n_levels = n_levels(block, feature);
                    let statistic = model.statistic(slot.feature);
                    let of = |x| statistic.map_or(x, |statistic| statistic.of(x, n_levels));
                    cells.zip(values).for_each(|(cell, x)| *cell = of(x));
                }
            }
        }
    }

    /// What tree `tree` adds to each of [`LANES`] rewritten rows.
    pub(super) fn rows_through<const SETS: bool>(&self, tree: usize, rows: &[f32]) -> [f32; LANES] {
        let width = self.width();
        self.walk::<SETS>(rows, std::array::from_fn(|lane| lane * width), [self.roots[tree]; LANES])
    }

    /// What each of the next [`LANES`] trees from `first` on adds to one rewritten row; past the last tree, any
    /// number.
    pub(super) fn row_through<const SETS: bool>(&self, first: usize, row: &[f32]) -> [f32; LANES] {
        let roots = &self.roots[first..];
        self.walk::<SETS>(row, [0; LANES], std::array::from_fn(|lane| roots[lane.min(roots.len() - 1)]))
    }

    fn walk<const SETS: bool>(&self, rows: &[f32], starts: [usize; LANES], mut at: [u32; LANES]) -> [f32; LANES] {
        let steps = self.steps.as_slice();
        loop {
            let mut moved = 0;
            for (at, start) in at.iter_mut().zip(starts) {
                let step = &steps[*at as usize];
                let x = rows[start + (if SETS { step.slot & !SET } else { step.slot }) as usize];
                let left = if SETS && step.slot & SET != 0 {
                    self.contains(step.threshold.to_bits(), x.to_bits())
                } else {
                    x <= step.threshold
                };
                let next = step.next + u32::from(left);
                moved |= next ^ *at;
                *at = next;
            }
            if moved == 0 {
                return at.map(|at| steps[at as usize].value);
            }
        }
    }

    fn contains(&self, set: u32, bit: u32) -> bool {
        let (n_words, words) = (self.sets[set as usize], &self.sets[set as usize + 1..]);
        bit / 32 < n_words && words[bit as usize / 32] >> (bit % 32) & 1 == 1
    }
}

/// Memory that a tree takes in a layout, in bytes, nearly.
pub(super) fn bytes(tree: &Tree) -> usize {
    (tree.nodes.len() + tree.leaves.len()) * size_of::<Step>() + tree.levels.len() * size_of::<u32>()
}
