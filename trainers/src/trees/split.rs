//! The best split of a node by one feature, from the feature's histogram.

use super::draw;
use super::growth::Growth;
use super::kernel::{Cell, Worths, best_cut, gradient, weight};
use super::quantise::Units;

/// What the search needs to know about a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Sum over its rows.
    pub(super) total: Cell,
    /// How many rows.
    pub(super) n_rows: usize,
    /// Its own value, which path smoothing draws its children towards.
    pub(super) output: f64,
    /// Values its leaves may take, by the monotone constraints above it.
    pub(super) bounds: (f64, f64),
    /// Key of what is drawn for it.
    pub(super) key: u64,
}

/// A node with what is the same for every feature it may ask about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'n> {
    pub(super) node: &'n Node,
    /// What the node is worth unsplit, for a question about a quantity and one about a category.
    pub(super) unsplit: (f64, f64),
    /// The least weight of a child, in units.
    pub(super) least: u32,
    rows_per_weight: f64,
}

impl Asked<'_> {
    /// How many rows make up so much weight.
    fn rows(&self, cell: Cell) -> f64 {
        f64::from(weight(cell)) * self.rows_per_weight
    }
}

/// What a gain depends on beside the sums.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    pub(super) monotone: i8,
    /// The L2 penalty of both sides.
    pub(super) l2: f64,
    pub(super) is_category: bool,
}

/// Which bins go left.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    /// The bins of values up to this one, and the missing bin if so said.
    UpTo { bin: usize, missing_left: bool },
    /// These bins of levels; all others and the missing bin go right.
    Levels(Vec<u32>),
}

/// A split.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Split {
    /// By how much it lowers the loss.
    pub(super) gain: f64,
    pub(super) feature: usize,
    pub(super) rule: Rule,
    /// Sum over the rows that go left.
    pub(super) left: Cell,
}

impl Split {
    /// Whether this one is taken before another: the greater gain, of equal ones the earlier feature.
    pub(super) fn beats(&self, other: &Split) -> bool {
        self.gain > other.gain || (self.gain == other.gain && self.feature < other.feature)
    }
}

/// How gains and values follow from sums, under the settings of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scorer<'a> {
    pub(super) growth: &'a Growth,
    pub(super) units: Units,
    pub(super) plain: bool,
}

/// Room for one feature's search, kept to be used again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    prefix: Vec<Cell>,
    worths: Worths,
    means: Vec<(f64, u32)>,
}

/// The histogram of one feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Histogram<'a> {
    pub(super) feature: usize,
    /// Cells of values, in the order of the bins.
    pub(super) values: &'a [Cell],
    /// The cell of missing values, or 0.
    pub(super) missing: Cell,
    pub(super) is_category: bool,
}

impl<'a> Scorer<'a> {
    pub(super) fn new(growth: &'a Growth, units: Units) -> Scorer<'a> {
        Scorer { growth, units, plain: growth.is_plain() }
    }

    /// A leaf's value before shrinkage: `-g / (h + λ)`, with the L1 penalty (Chen & Guestrin 2016, equation 5).
    pub(super) fn output(&self, cell: Cell, n_rows: f64, parent: f64, bounds: (f64, f64), l2: f64) -> f64 {
        let g = f64::from(gradient(cell)) * self.units.gradient;
        let h = f64::from(weight(cell)) * self.units.weight;
        let growth = self.growth;
        let shrunk = if growth.reg_alpha > 0.0 { g.signum() * (g.abs() - growth.reg_alpha).max(0.0) } else { g };
        let denominator = h + l2;
        let mut output = if denominator > 0.0 { -shrunk / denominator } else { 0.0 };
        if growth.max_delta_step > 0.0 {
            output = output.clamp(-growth.max_delta_step, growth.max_delta_step);
        }
        if growth.path_smooth > 0.0 {
            let own = 1.0 / (1.0 + growth.path_smooth / n_rows);
            output = output * own + parent * (1.0 - own);
        }
        output.max(bounds.0).min(bounds.1)
    }

    /// Twice by how much a leaf of this value lowers the loss.
    fn worth_of(&self, cell: Cell, output: f64, l2: f64) -> f64 {
        let g = f64::from(gradient(cell)) * self.units.gradient;
        let h = f64::from(weight(cell)) * self.units.weight;
        -(2.0 * g * output + (h + l2) * output * output + 2.0 * self.growth.reg_alpha * output.abs())
    }

    /// What is the same for every feature a node may ask about.
    pub(super) fn ask<'n>(&self, node: &'n Node) -> Asked<'n> {
        let l2 = self.growth.reg_lambda;
        // Its best value, also where the split above it asked for more penalty; smoothed as LightGBM does, twice for
        // quantities and once for categories.
        let best = self.output(node.total, node.n_rows as f64, node.output, node.bounds, l2);
        let unsplit = self.worth_of(node.total, best, l2);
        let smoothed = if self.growth.path_smooth > 0.0 { self.worth_of(node.total, node.output, l2) } else { unsplit };
        Asked {
            node,
            unsplit: (unsplit, smoothed),
            least: self.least_weight(node),
            rows_per_weight: self.rows_per_weight(node),
        }
    }

    /// How a quantity is asked about.
    fn about(&self, feature: usize) -> Asking {
        Asking { monotone: self.growth.monotone(feature), l2: self.growth.reg_lambda, is_category: false }
    }

    /// The exact gain of a split; `None` when a monotone constraint forbids it.
    pub(super) fn gain(
        &self,
        asked: &Asked<'_>,
        left: Cell,
        Asking { monotone, l2, is_category }: Asking,
    ) -> Option<f64> {
        let node = asked.node;
        let unsplit = if is_category { asked.unsplit.1 } else { asked.unsplit.0 };
        let right = node.total - left;
        let rows_left = asked.rows(left);
        let of_left = self.output(left, rows_left, node.output, node.bounds, l2);
        let of_right = self.output(right, asked.rows(right), node.output, node.bounds, l2);
        if (monotone > 0 && of_left > of_right) || (monotone < 0 && of_left < of_right) {
            return None;
        }
        Some(self.worth_of(left, of_left, l2) + self.worth_of(right, of_right, l2) - unsplit)
    }

    /// The least gain that is more than the rounding of gradients makes by itself.
    pub(super) fn least_gain(&self, node: &Node) -> f64 {
        const ROUNDING: f64 = 16.0;
        // A node whose weight was rounded to nothing weighs half a unit.
        let whole = f64::from(weight(node.total)).max(0.5);
        let weight_of_row = whole * self.units.weight / node.n_rows as f64;
        let noise = ROUNDING * self.units.gradient * self.units.gradient / weight_of_row;
        self.growth.min_split_gain.max(noise)
    }

    /// The least weight of a child, in units.
    fn least_weight(&self, node: &Node) -> u32 {
        let by_weight = (self.growth.min_child_weight / self.units.weight).ceil();
        // A number of rows is estimated and rounded, so half a row less is enough (as in LightGBM).
        let least_rows = self.growth.min_child_samples.max(1) as f64 - 0.5;
        let by_rows = (least_rows / self.rows_per_weight(node)).ceil();
        // Beyond the room of a sum nothing can be split.
        by_weight.max(by_rows).max(1.0).min(f64::from(u32::MAX / 2)) as u32
    }

    /// How many rows a unit of weight stands for in this node; a row that was drawn twice counts twice.
    fn rows_per_weight(&self, node: &Node) -> f64 {
        if self.units.counts { 1.0 } else { node.n_rows as f64 / f64::from(weight(node.total)) }
    }

    /// Whether the node has rows and weight enough for two children.
    pub(super) fn can_split(&self, node: &Node) -> bool {
        node.n_rows >= 2 && u64::from(weight(node.total)) >= 2 * u64::from(self.least_weight(node))
    }

    /// The split with its exact gain; `None` unless that is enough.
    pub(super) fn confirm(&self, asked: &Asked<'_>, split: Option<Split>) -> Option<Split> {
        let mut split = split?;
        if matches!(split.rule, Rule::UpTo { .. }) {
            split.gain = self.gain(asked, split.left, self.about(split.feature))?;
        }
        (split.gain > self.least_gain(asked.node)).then_some(split)
    }

    /// The best split by this feature, by a gain that is exact to single precision.
    pub(super) fn best(&self, asked: &Asked<'_>, histogram: &Histogram<'_>, scratch: &mut Scratch) -> Option<Split> {
        if histogram.is_category {
            self.best_levels(asked, histogram, scratch)
        } else {
            self.best_cut(asked, histogram, scratch)
        }
    }

    fn best_cut(&self, asked: &Asked<'_>, histogram: &Histogram<'_>, scratch: &mut Scratch) -> Option<Split> {
        let none_missing = histogram.missing == 0;
        let mut best: Option<Split> = None;
        for missing_left in [false, true] {
            if missing_left && none_missing {
                break;
            }
            let first = if missing_left { histogram.missing } else { 0 };
            // The last cut has nothing to its right unless the missing values go there.
            let n_cuts = histogram.values.len() - usize::from(none_missing || missing_left);
            let Some((bin, left, gain)) = self.best_of(asked, histogram, n_cuts, first, scratch) else {
                continue;
            };
            if best.as_ref().is_some_and(|best| gain <= best.gain) {
                continue;
            }
            // What was never missing here goes where most rows go.
            let heavier_left = weight(left) >= weight(asked.node.total - left);
            let missing_left = if none_missing { heavier_left } else { missing_left };
            let rule = Rule::UpTo { bin, missing_left };
            best = Some(Split { gain, feature: histogram.feature, rule, left });
        }
        best
    }

    /// The best bin to cut after, with what goes left and what it gains.
    fn best_of(
        &self,
        asked: &Asked<'_>,
        histogram: &Histogram<'_>,
        n_cuts: usize,
        first: Cell,
        scratch: &mut Scratch,
    ) -> Option<(usize, Cell, f64)> {
        let node = asked.node;
        scratch.prefix.resize(n_cuts, 0);
        let mut sum = first;
        for (prefix, &cell) in scratch.prefix.iter_mut().zip(histogram.values) {
            sum += cell;
            *prefix = sum;
        }
        let prefix = &scratch.prefix[..];
        let all = weight(node.total);
        let from = prefix.partition_point(|&left| weight(left) < asked.least);
        let to = prefix.partition_point(|&left| all - weight(left) >= asked.least);
        if from >= to {
            return None;
        }
        let asking = self.about(histogram.feature);
        if self.growth.extra_trees {
            let span = (to - from) as f64;
            let bin = from + (draw::unit(draw::key(node.key, histogram.feature as u64)) * span) as usize;
            return Some((bin, prefix[bin], self.gain(asked, prefix[bin], asking)?));
        }
        if self.plain {
            let (at, worth) = best_cut(&prefix[from..to], node.total, self.penalties(), &mut scratch.worths);
            let units = self.units.gradient * self.units.gradient / self.units.weight;
            return Some((from + at, prefix[from + at], f64::from(worth) * units - asked.unsplit.0));
        }
        let gains = prefix[from..to].iter().map(|&left| self.gain(asked, left, asking));
        let each = gains.enumerate().filter_map(|(i, gain)| Some((i, gain?)));
        let (at, gain) = each.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        Some((from + at, prefix[from + at], gain))
    }

    /// The L1 and L2 penalties in units.
    fn penalties(&self) -> (f32, f32) {
        let Growth { reg_alpha, reg_lambda, .. } = self.growth;
        ((reg_alpha / self.units.gradient) as f32, (reg_lambda / self.units.weight) as f32)
    }

    /// The best set of levels: one against the rest for few levels, else a run of the levels ordered by their mean
    /// gradient (Fisher 1958, as in LightGBM's `FindBestThresholdCategorical`).
    fn best_levels(&self, asked: &Asked<'_>, histogram: &Histogram<'_>, scratch: &mut Scratch) -> Option<Split> {
        let growth = self.growth;
        let values = histogram.values;
        let found = if growth.orders_levels(values.len()) {
            self.best_run(asked, histogram, scratch)
        } else {
            let all = weight(asked.node.total);
            let fits = |cell: Cell| weight(cell) >= asked.least && all - weight(cell) >= asked.least;
            let worth = |bin: usize| {
                self.gain(asked, values[bin], Asking { monotone: 0, l2: growth.reg_lambda, is_category: true })
            };
            let bins = (0..values.len()).filter(|&bin| fits(values[bin]));
            let best = bins.filter_map(|bin| Some((bin, worth(bin)?))).reduce(|a, b| if b.1 > a.1 { b } else { a });
            best.map(|(bin, gain)| (vec![bin as u32], values[bin], gain))
        };
        let (levels, left, gain) = found?;
        Some(Split { gain, feature: histogram.feature, rule: Rule::Levels(levels), left })
    }

    fn best_run(
        &self,
        asked: &Asked<'_>,
        histogram: &Histogram<'_>,
        scratch: &mut Scratch,
    ) -> Option<(Vec<u32>, Cell, f64)> {
        let (growth, values, node) = (self.growth, histogram.values, asked.node);
        let l2 = growth.reg_lambda + growth.cat_l2;
        let rows = |cell: Cell| asked.rows(cell);
        let means = &mut scratch.means;
        means.clear();
        means.extend((0_u32..).zip(values).filter(|(_, cell)| rows(**cell) >= growth.cat_smooth.max(1.0)).map(
            |(bin, &cell)| {
                let smoothed = f64::from(weight(cell)) + growth.cat_smooth / self.units.weight;
                (f64::from(gradient(cell)) / smoothed, bin)
            },
        ));
        let order = means;
        let most = growth.max_cat_threshold.min(order.len().div_ceil(2));
        order_ends(order, most);
        let least = asked.least;
        let least_group = growth.min_data_per_group as f64;
        // Under extra-random thresholds one length of run is drawn.
        let drawn = growth
            .extra_trees
            .then(|| (draw::unit(draw::key(node.key, histogram.feature as u64)) * most.max(1) as f64) as usize);
        let mut best: Option<(bool, usize, Cell, f64)> = None;
        for backwards in [false, true] {
            let (mut left, mut group) = (0, 0.0);
            for i in 0..most {
                let (_, bin) = if backwards { order[order.len() - 1 - i] } else { order[i] };
                let cell = values[bin as usize];
                left += cell;
                group += rows(cell);
                if weight(left) < least || rows(left) < growth.min_child_samples as f64 {
                    continue;
                }
                let right = node.total - left;
                if weight(right) < least || rows(right) < least_group {
                    break;
                }
                if group < least_group {
                    continue;
                }
                group = 0.0;
                if drawn.is_some_and(|drawn| drawn != i) {
                    continue;
                }
                let Some(gain) = self.gain(asked, left, Asking { monotone: 0, l2, is_category: true }) else {
                    continue;
                };
                if best.is_none_or(|best| gain > best.3) {
                    best = Some((backwards, i + 1, left, gain));
                }
            }
        }
        let (backwards, n, left, gain) = best?;
        let taken = if backwards { &order[order.len() - n..] } else { &order[..n] };
        let mut levels: Vec<u32> = taken.iter().map(|&(_, bin)| bin).collect();
        levels.sort_unstable();
        Some((levels, left, gain))
    }
}

/// Puts the `n` least and the `n` greatest at the ends, in order; of the others nobody asks for the order.
fn order_ends(means: &mut [(f64, u32)], n: usize) {
    let by_mean = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if n == 0 || means.len() <= 4 * n {
        means.sort_unstable_by(by_mean);
        return;
    }
    let last = means.len() - n;
    means.select_nth_unstable_by(n, by_mean).0.sort_unstable_by(by_mean);
    means[n..].select_nth_unstable_by(last - n, by_mean);
    means[last..].sort_unstable_by(by_mean);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_those_of_the_whole_order() {
        for (len, n) in [(0, 0), (1, 1), (7, 3), (100, 3), (100, 20), (100, 50)] {
            let mut means: Vec<(f64, u32)> = (0..len).map(|i| ((draw::mix(u64::from(i)) % 30) as f64, i)).collect();
            let mut sorted = means.clone();
            sorted.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
            order_ends(&mut means, n);
            assert_eq!(means[..n], sorted[..n]);
            assert_eq!(means[means.len() - n..], sorted[sorted.len() - n..]);
        }
    }
}
