//! Symmetric trees: one question for all leaves of a depth (Prokhorenkova et al. 2018, section 4).
//!
//! A question's gain is the sum of what it gains in every leaf; a leaf that it would leave a side too small of counts
//! as it is. Categories are asked about one level at a time: a set of levels that suits all leaves at once is not
//! to be had by ordering them.

use super::grow::{Grower, Leaf, Planting};
use super::histogram::histogram;
use super::kernel::Cell;
use super::split::{Asked, Asking, Rule, Scorer, Split};

/// A question for a whole level.
struct Question {
    gain: f64,
    feature: usize,
    rule: Rule,
}

impl Grower<'_> {
    pub(super) fn grow_level_by_level(&mut self, planting: &mut Planting<'_>, root: Leaf, positions: &mut [u32]) {
        let mut leaves = vec![root];
        for _ in 0..self.growth.max_depth {
            let Some(question) = self.question(planting, &mut leaves, positions) else { break };
            leaves = leaves.into_iter().flat_map(|leaf| self.answer(planting, leaf, &question, positions)).collect();
        }
        for mut leaf in leaves {
            self.histograms.release(leaf.histogram.take());
            planting.end(&leaf);
        }
    }

    /// The question that gains most over all leaves.
    fn question(&mut self, planting: &Planting<'_>, leaves: &mut [Leaf], positions: &[u32]) -> Option<Question> {
        for leaf in leaves.iter_mut().filter(|leaf| leaf.histogram.is_none() && leaf.node.n_rows > 0) {
            let rows = &positions[leaf.range.0..leaf.range.1];
            leaf.histogram = Some(self.histograms.build(&planting.features, planting.sums, rows));
        }
        let scorer = &planting.scorer;
        let asked: Vec<Asked<'_>> = leaves.iter().map(|leaf| scorer.ask(&leaf.node)).collect();
        let worth_now: f64 = asked.iter().map(|asked| asked.unsplit.0).sum();
        let least: f64 =
            leaves.iter().filter(|leaf| leaf.node.n_rows > 0).map(|leaf| scorer.least_gain(&leaf.node)).sum();
        let mut best: Option<Question> = None;
        let mut worths = Vec::new();
        for &feature in &planting.features {
            let of = &self.bins.features[feature];
            let n = of.n_values;
            let with_missing = !of.is_category() && of.missing().is_some();
            for missing_left in [false, true] {
                if missing_left && !with_missing {
                    break;
                }
                worths.clear();
                worths.resize(n, 0.0);
                for (leaf, asked) in leaves.iter().zip(&asked) {
                    let Some(cells) = &leaf.histogram else { continue };
                    let own = histogram(self.bins, feature, &cells[self.bins.places[feature].offset..]);
                    let first = if missing_left { own.missing } else { 0 };
                    scorer.add_worths(asked, own.values, first, own.is_category, &mut worths);
                }
                let Some((bin, worth)) =
                    worths.iter().copied().enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a })
                else {
                    continue;
                };
                let gain = f64::from(worth) - worth_now;
                if gain > least && best.as_ref().is_none_or(|best| gain > best.gain) {
                    let rule = if of.is_category() {
                        Rule::Levels(vec![bin as u32])
                    } else {
                        Rule::UpTo { bin, missing_left }
                    };
                    best = Some(Question { gain, feature, rule });
                }
            }
        }
        best
    }

    fn answer(
        &mut self,
        planting: &mut Planting<'_>,
        mut leaf: Leaf,
        question: &Question,
        positions: &mut [u32],
    ) -> [Leaf; 2] {
        // A leaf without rows has no histogram, and nothing on either side.
        let parent = leaf.histogram.take();
        let offset = self.bins.places[question.feature].offset;
        let left = parent.as_ref().map_or(0, |cells| {
            let own = histogram(self.bins, question.feature, &cells[offset..]);
            match &question.rule {
                Rule::UpTo { bin, missing_left } => {
                    own.values[..=*bin].iter().sum::<Cell>() + if *missing_left { own.missing } else { 0 }
                }
                Rule::Levels(bins) => bins.iter().map(|&bin| own.values[bin as usize]).sum(),
            }
        });
        let split = Split {
            gain: planting.scorer.gain_of(&planting.scorer.ask(&leaf.node), left),
            feature: question.feature,
            rule: question.rule.clone(),
            left,
        };
        let (mut left, mut right) = self.divide(planting, &leaf, &split, positions);
        // A side without rows answers as its parent did.
        for child in [&mut left, &mut right] {
            if child.node.n_rows == 0 {
                child.node.output = leaf.node.output;
            }
        }
        if left.depth == self.growth.max_depth {
            // No question follows.
            self.histograms.release(parent);
        } else if let Some(parent) = parent {
            self.bequeath(planting, parent, (&mut left, &mut right), positions);
        }
        [left, right]
    }

    /// Gives the children that have rows their histograms: the smaller's is built, the larger's what is then left of
    /// the parent's.
    fn bequeath(
        &mut self,
        planting: &Planting<'_>,
        mut parent: Vec<Cell>,
        (left, right): (&mut Leaf, &mut Leaf),
        positions: &[u32],
    ) {
        let (small, large) = if left.node.n_rows <= right.node.n_rows { (left, right) } else { (right, left) };
        if small.node.n_rows > 0 {
            let rows = &positions[small.range.0..small.range.1];
            let own = self.histograms.build(&planting.features, planting.sums, rows);
            for (cell, own) in parent.iter_mut().zip(&own) {
                *cell = cell.wrapping_sub(*own);
            }
            small.histogram = Some(own);
        }
        large.histogram = Some(parent);
    }
}

impl Scorer<'_> {
    /// Adds, per bin, what both sides of a cut after it (or of the level alone) are worth.
    fn add_worths(&self, asked: &Asked<'_>, values: &[Cell], first: Cell, levels: bool, worths: &mut [f32]) {
        let (node, least) = (asked.node, asked.least);
        if node.n_rows == 0 {
            return;
        }
        let mut sum = first;
        let now = asked.unsplit.0 as f32;
        let lambda = self.growth.reg_lambda as f32;
        let alpha = self.growth.reg_alpha as f32;
        let shrunk = |g: f32| (g.abs() - alpha).max(0.0);
        let (per_g, per_h) = (self.units.gradient as f32, self.units.weight as f32);
        let (all_g, all_h) = (super::kernel::gradient(node.total), super::kernel::weight(node.total));
        for (worth, &cell) in worths.iter_mut().zip(values) {
            sum = if levels { cell } else { sum + cell };
            let (g, h) = (super::kernel::gradient(sum), super::kernel::weight(sum));
            let fits = h >= least && all_h - h >= least;
            let (g, other_g) = (g as f32 * per_g, (all_g - g) as f32 * per_g);
            let (h, other_h) = (h as i32 as f32 * per_h + lambda, (all_h - h) as i32 as f32 * per_h + lambda);
            let (g, other_g) = (shrunk(g), shrunk(other_g));
            let both = (g * g * other_h + other_g * other_g * h) / (h * other_h);
            *worth += if fits { both } else { now };
        }
    }

    /// The gain of a split that was chosen for other leaves too; 0 when it leaves a side empty.
    fn gain_of(&self, asked: &Asked<'_>, left: Cell) -> f64 {
        if left == 0 || left == asked.node.total {
            return 0.0;
        }
        self.gain(asked, left, Asking { monotone: 0, l2: self.growth.reg_lambda, is_category: false })
            .unwrap_or(0.0)
            .max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::Block;
    use crate::trees::bins::Bins;
    use crate::trees::draw;
    use crate::trees::growth::{Growth, Order};
    use crate::trees::quantise::{Sizes, Units, hold, round};

    /// Bins of four features of so many values each, and a cell per row for a target that is their weighted sum.
    fn made(n_rows: usize, n_values: u32) -> (Bins, Vec<Cell>, Units) {
        let unit = |j: usize, row: usize| draw::unit(draw::key(j as u64, row as u64));
        let value = |j: usize, row: usize| (unit(j, row) * f64::from(n_values)).floor() as f32;
        let values = (0..4).flat_map(|j| (0..n_rows).map(move |row| value(j, row))).collect();
        let names = (0..4).map(|j| format!("x{j}")).collect();
        let rows: Vec<u32> = (0..n_rows as u32).collect();
        let bins = Bins::cut(&[Block::numbers(names, n_rows, values).into()], &rows, 255).expect("a sound block");
        let firsts = (0..n_rows).map(|row| (0..4).map(|j| (j + 3) as f32 * value(j, row)).sum::<f32>() - 9.0);
        let firsts: Vec<f32> = firsts.collect();
        let gradients = firsts.iter().map(|first| f64::from(first.abs())).sum();
        let units = Units::of(Sizes { gradients, weights: n_rows as f64 }, n_rows, true);
        let mut cells: Vec<Cell> = firsts.iter().map(|&first| hold(first, 1.0)).collect();
        round(&mut cells, units, 0, 1);
        (bins, cells, units)
    }

    /// How many histograms there were at once while a tree was grown, how many are counted on, and its leaves.
    fn grown(n_rows: usize, n_values: u32, max_depth: usize) -> (usize, usize, usize) {
        let (bins, cells, units) = made(n_rows, n_values);
        let growth = Growth { order: Order::Symmetric, max_depth, min_child_samples: 1, ..Growth::default() };
        let mut positions: Vec<u32> = (0..n_rows as u32).collect();
        let rows = positions.clone();
        let mut grower = Grower::new(&bins, &rows, &growth);
        let tree = grower.grow(&cells, units, &mut positions, 1).tree;
        (grower.histograms.n_free(), bins.most_kept(n_rows, &growth), tree.leaves.len())
    }

    /// Every feature is asked about once, and every leaf has rows.
    #[test]
    fn the_last_level_has_no_histograms() {
        assert_eq!(grown(1000, 2, 4), (8, 9, 16));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn no_more_histograms_are_kept_than_are_counted(
            n_rows in 1_usize..300, n_values in 2_u32..200, max_depth in 1_usize..8,
        ) {
            let (kept, counted, _) = grown(n_rows, n_values, max_depth);
            prop_assert!(kept <= counted, "{kept} are kept, {counted} counted");
        }
    }
}
