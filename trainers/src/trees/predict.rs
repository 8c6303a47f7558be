//! Prediction.

use super::tree::{Link, TreeEnsemble};
use super::walk::{LANES, Layout};
use crate::data::{Block, Predictions};
use crate::model::softmax;

/// Numbers of rewritten rows that are walked at a time: half of a first-level cache.
const AT_A_TIME: usize = 6 * 1024;

impl TreeEnsemble {
    /// Predicts the given rows of a block, in their order: `rows.len() × n_outputs`.
    ///
    /// A feature or row that the block does not have reads as 0. Each row's prediction depends on that row alone, to
    /// the last bit. The first call lays the trees out for walking; the ensemble must have been checked or just
    /// grown.
    pub fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        self.linked(self.raw(block, rows))
    }

    /// Predictions from raw scores.
    pub(super) fn linked(&self, raw: Predictions) -> Predictions {
        let n_outputs = self.n_outputs();
        if self.link == Link::Identity {
            return raw;
        }
        let mut values = raw.values().to_vec();
        if self.n_raw_outputs() != n_outputs {
            values = Vec::with_capacity(raw.n_rows() * n_outputs);
            for &score in raw.values() {
                values.extend(two_classes(self.link, score));
            }
            return Predictions::new(n_outputs, values);
        }
        for row in values.chunks_exact_mut(n_outputs.max(1)) {
            match self.link {
                Link::Softmax => softmax(row),
                Link::Shares => shares(row),
                Link::Exp => row.iter_mut().for_each(|score| *score = score.exp().min(f64::MAX)),
                Link::Identity | Link::Logistic => {}
            }
        }
        Predictions::new(n_outputs, values)
    }

    /// The raw scores of the given rows, before the link: `rows.len() × n_raw_outputs`.
    pub fn raw(&self, block: &Block, rows: &[u32]) -> Predictions {
        let layout = self.layout.get(|| Layout::new(self));
        let values = if layout.has_sets() {
            self.sums::<true>(layout, block, rows)
        } else {
            self.sums::<false>(layout, block, rows)
        };
        Predictions::new(self.n_raw_outputs(), values)
    }

    fn sums<const SETS: bool>(&self, layout: &Layout, block: &Block, rows: &[u32]) -> Vec<f64> {
        let n_raw = self.n_raw_outputs();
        let width = layout.width();
        let at_a_time = (AT_A_TIME / width).next_multiple_of(LANES).max(LANES);
        let mut gathered = vec![0.0; rows.len().min(at_a_time) * width];
        let mut sums = vec![0.0; rows.len() * n_raw];
        for (rows, sums) in rows.chunks(at_a_time).zip(sums.chunks_mut((at_a_time * n_raw).max(1))) {
            let gathered = &mut gathered[..rows.len() * width];
            layout.gather(self, block, rows, gathered);
            // Whole groups of rows go through tree by tree, what remains row by row; a row's sum runs over the trees
            // in order either way.
            let together = rows.len() / LANES * LANES;
            for tree in 0..layout.n_trees() {
                let groups = gathered.chunks_exact(LANES * width).zip(sums.chunks_exact_mut(LANES * n_raw));
                for (group, sums) in groups {
                    let added = layout.rows_through::<SETS>(tree, group);
                    for (sum, added) in sums[tree % n_raw..].iter_mut().step_by(n_raw).zip(added) {
                        *sum += f64::from(added);
                    }
                }
            }
            for (row, sums) in gathered.chunks_exact(width).zip(sums.chunks_exact_mut(n_raw)).skip(together) {
                for first in (0..layout.n_trees()).step_by(LANES) {
                    let added = layout.row_through::<SETS>(first, row);
                    for (tree, added) in (first..layout.n_trees()).zip(added) {
                        sums[tree % n_raw] += f64::from(added);
                    }
                }
            }
        }
        for row in sums.chunks_exact_mut(n_raw.max(1)) {
            for (sum, base) in row.iter_mut().zip(&self.base) {
                *sum = base + self.scale * *sum;
            }
        }
        sums
    }
}

/// The probabilities of two classes from the one score of the second.
fn two_classes(link: Link, score: f64) -> [f64; 2] {
    if link == Link::Logistic {
        // Each side by its own exponential, so that neither loses its digits near 1.
        [1.0 / (1.0 + score.exp()), 1.0 / (1.0 + (-score).exp())]
    } else {
        let share = score.clamp(0.0, 1.0);
        [1.0 - share, share]
    }
}

/// Clips scores to shares and brings their sum to 1; uniform when no class has any.
pub(crate) fn shares(scores: &mut [f64]) {
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = score.clamp(0.0, 1.0);
        sum += *score;
    }
    let n = scores.len() as f64;
    for score in scores.iter_mut() {
        *score = if sum > 0.0 { *score / sum } else { 1.0 / n };
    }
}
