//! The best split of a node by one feature, from the feature's histogram.

use super::draw;
use super::growth::Growth;
use super::kernel::{Cell, gradient, weight};
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

/// Bins looked at together.
const STRIDE: usize = 16;

/// Room for one feature's search, kept to be used again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    prefix: Vec<Cell>,
    gains: Vec<f32>,
    order: Vec<u32>,
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
            let share = n_rows / growth.path_smooth;
            output = output * share / (share + 1.0) + parent / (share + 1.0);
        }
        output.max(bounds.0).min(bounds.1)
    }

    /// Twice by how much a leaf of this value lowers the loss.
    fn worth_of(&self, cell: Cell, output: f64, l2: f64) -> f64 {
        let g = f64::from(gradient(cell)) * self.units.gradient;
        let h = f64::from(weight(cell)) * self.units.weight;
        -(2.0 * g * output + (h + l2) * output * output + 2.0 * self.growth.reg_alpha * output.abs())
    }

    /// What a node is worth unsplit.
    pub(super) fn unsplit(&self, node: &Node) -> f64 {
        self.worth_of(node.total, node.output, self.growth.reg_lambda)
    }

    /// The exact gain of a split; `None` when a monotone constraint forbids it.
    pub(super) fn gain(&self, node: &Node, left: Cell, monotone: i8, l2: f64) -> Option<f64> {
        let right = node.total - left;
        let rows_left = node.n_rows as f64 * f64::from(weight(left)) / f64::from(weight(node.total));
        let of_left = self.output(left, rows_left, node.output, node.bounds, l2);
        let of_right = self.output(right, node.n_rows as f64 - rows_left, node.output, node.bounds, l2);
        if (monotone > 0 && of_left > of_right) || (monotone < 0 && of_left < of_right) {
            return None;
        }
        let both = self.worth_of(left, of_left, l2) + self.worth_of(right, of_right, l2);
        Some(both - self.unsplit(node))
    }

    /// The least gain that is more than the rounding of gradients makes by itself.
    pub(super) fn least_gain(&self, node: &Node) -> f64 {
        const ROUNDING: f64 = 16.0;
        let weight_of_row = f64::from(weight(node.total)) * self.units.weight / node.n_rows as f64;
        let noise = ROUNDING * self.units.gradient * self.units.gradient / weight_of_row;
        self.growth.min_split_gain.max(noise)
    }

    /// The least weight of a child, in units.
    pub(super) fn least_weight(&self, node: &Node, least_rows: usize) -> u32 {
        let by_weight = (self.growth.min_child_weight / self.units.weight).ceil();
        let by_rows = (f64::from(weight(node.total)) * least_rows as f64 / node.n_rows as f64).ceil();
        // Beyond the room of a sum nothing can be split.
        by_weight.max(by_rows).max(1.0).min(f64::from(u32::MAX / 2)) as u32
    }

    /// Whether the node has rows and weight enough for two children.
    pub(super) fn can_split(&self, node: &Node) -> bool {
        let least = u64::from(self.least_weight(node, self.growth.min_child_samples.max(1)));
        node.n_rows >= 2 && u64::from(weight(node.total)) >= 2 * least
    }

    /// The best split by this feature, if any gains enough.
    pub(super) fn best(&self, node: &Node, histogram: &Histogram<'_>, scratch: &mut Scratch) -> Option<Split> {
        let split = if histogram.is_category {
            self.best_levels(node, histogram, scratch)?
        } else {
            self.best_cut(node, histogram, scratch)?
        };
        (split.gain > self.least_gain(node)).then_some(split)
    }

    fn best_cut(&self, node: &Node, histogram: &Histogram<'_>, scratch: &mut Scratch) -> Option<Split> {
        let monotone = self.growth.monotone(histogram.feature);
        let none_missing = histogram.missing == 0;
        let mut best: Option<Split> = None;
        for missing_left in [false, true] {
            if missing_left && none_missing {
                break;
            }
            let first = if missing_left { histogram.missing } else { 0 };
            // The last cut has nothing to its right unless the missing values go there.
            let n_cuts = histogram.values.len() - usize::from(none_missing || missing_left);
            let Some((bin, left)) = self.best_of(node, histogram, n_cuts, first, scratch) else {
                continue;
            };
            let Some(gain) = self.gain(node, left, monotone, self.growth.reg_lambda) else { continue };
            // What was never missing here goes where most rows go.
            let missing_left = if none_missing { weight(left) >= weight(node.total - left) } else { missing_left };
            let split = Split { gain, feature: histogram.feature, rule: Rule::UpTo { bin, missing_left }, left };
            if best.as_ref().is_none_or(|best| split.gain > best.gain) {
                best = Some(split);
            }
        }
        best
    }

    /// The best bin to cut after, with what goes left.
    fn best_of(
        &self,
        node: &Node,
        histogram: &Histogram<'_>,
        n_cuts: usize,
        first: Cell,
        scratch: &mut Scratch,
    ) -> Option<(usize, Cell)> {
        let mut sum = first;
        scratch.prefix.clear();
        scratch.prefix.extend(histogram.values[..n_cuts].iter().map(|&cell| {
            sum += cell;
            sum
        }));
        let prefix = &scratch.prefix[..];
        let least = self.least_weight(node, self.growth.min_child_samples.max(1));
        let all = weight(node.total);
        let from = prefix.partition_point(|&left| weight(left) < least);
        let to = prefix.partition_point(|&left| all - weight(left) >= least);
        if from >= to {
            return None;
        }
        let bin = if self.growth.extra_trees {
            let span = (to - from) as f64;
            from + (draw::unit(draw::key(node.key, histogram.feature as u64)) * span) as usize
        } else if self.plain {
            from + plain_best(&prefix[from..to], node.total, self.penalties(), &mut scratch.gains)
        } else {
            let (l2, monotone) = (self.growth.reg_lambda, self.growth.monotone(histogram.feature));
            let gains = prefix[from..to].iter().map(|&left| self.gain(node, left, monotone, l2));
            let best = gains.enumerate().filter_map(|(i, gain)| Some((i, gain?)));
            from + best.reduce(|a, b| if b.1 > a.1 { b } else { a })?.0
        };
        Some((bin, prefix[bin]))
    }

    /// The L1 and L2 penalties in units.
    fn penalties(&self) -> (f32, f32) {
        let Growth { reg_alpha, reg_lambda, .. } = self.growth;
        ((reg_alpha / self.units.gradient) as f32, (reg_lambda / self.units.weight) as f32)
    }

    /// The best set of levels: one against the rest for few levels, else a run of the levels ordered by their mean
    /// gradient (Fisher 1958, as in LightGBM's `FindBestThresholdCategorical`).
    fn best_levels(&self, node: &Node, histogram: &Histogram<'_>, scratch: &mut Scratch) -> Option<Split> {
        let growth = self.growth;
        let values = histogram.values;
        let found = if values.len() <= growth.max_cat_to_onehot {
            let least = self.least_weight(node, growth.min_child_samples.max(1));
            let fits = |cell: Cell| weight(cell) >= least && weight(node.total) - weight(cell) >= least;
            let worth = |bin: usize| self.gain(node, values[bin], 0, growth.reg_lambda);
            let bins = (0..values.len()).filter(|&bin| fits(values[bin]));
            let best = bins.filter_map(|bin| Some((bin, worth(bin)?))).reduce(|a, b| if b.1 > a.1 { b } else { a });
            best.map(|(bin, gain)| (vec![bin as u32], values[bin], gain))
        } else {
            self.best_run(node, histogram, scratch)
        };
        let (levels, left, gain) = found?;
        Some(Split { gain, feature: histogram.feature, rule: Rule::Levels(levels), left })
    }

    fn best_run(&self, node: &Node, histogram: &Histogram<'_>, scratch: &mut Scratch) -> Option<(Vec<u32>, Cell, f64)> {
        let (growth, values) = (self.growth, histogram.values);
        let l2 = growth.reg_lambda + growth.cat_l2;
        let rows = |cell: Cell| f64::from(weight(cell)) * node.n_rows as f64 / f64::from(weight(node.total));
        let order = &mut scratch.order;
        order.clear();
        order.extend((0..values.len() as u32).filter(|&bin| rows(values[bin as usize]) >= growth.cat_smooth.max(1.0)));
        let mean = |bin: u32| {
            let cell = values[bin as usize];
            f64::from(gradient(cell)) / (f64::from(weight(cell)) + growth.cat_smooth / self.units.weight)
        };
        order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(a.cmp(&b)));
        let least = self.least_weight(node, growth.min_child_samples.max(1));
        let least_group = growth.min_data_per_group as f64;
        let most = growth.max_cat_threshold.min(order.len().div_ceil(2));
        // Under extra-random thresholds one length of run is drawn.
        let drawn = growth
            .extra_trees
            .then(|| (draw::unit(draw::key(node.key, histogram.feature as u64)) * most.max(1) as f64) as usize);
        let mut best: Option<(bool, usize, Cell, f64)> = None;
        for backwards in [false, true] {
            let (mut left, mut group) = (0, 0.0);
            for i in 0..most {
                let bin = if backwards { order[order.len() - 1 - i] } else { order[i] };
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
                let Some(gain) = self.gain(node, left, 0, l2) else { continue };
                if best.is_none_or(|best| gain > best.3) {
                    best = Some((backwards, i + 1, left, gain));
                }
            }
        }
        let (backwards, n, left, gain) = best?;
        let mut levels = if backwards { order[order.len() - n..].to_vec() } else { order[..n].to_vec() };
        levels.sort_unstable();
        Some((levels, left, gain))
    }
}

/// Where `max(|gl| - α, 0)² / (hl + λ) + max(|gr| - α, 0)² / (hr + λ)` is greatest, the first of equals; everything in
/// units. Single precision is enough to choose by; the gain itself is computed again in double.
fn plain_best(prefix: &[Cell], total: Cell, (alpha, lambda): (f32, f32), gains: &mut Vec<f32>) -> usize {
    let (all_g, all_h) = (gradient(total) as f32, weight(total) as i32 as f32);
    let whole_h = all_h + 2.0 * lambda;
    let shrunk = |g: f32| {
        let size = g.abs() - alpha;
        if size > 0.0 { size } else { 0.0 }
    };
    let of = |left: Cell| {
        let g = gradient(left) as f32;
        let h = weight(left) as i32 as f32 + lambda;
        let (own, other, other_h) = (shrunk(g), shrunk(all_g - g), whole_h - h);
        (own * own * other_h + other * other * h) / (h * other_h)
    };
    gains.resize(prefix.len(), 0.0);
    for (gain, &left) in gains.iter_mut().zip(prefix) {
        *gain = of(left);
    }
    let mut most = [f32::NEG_INFINITY; STRIDE];
    let strides = gains.chunks_exact(STRIDE);
    let rest = strides.remainder();
    for gains in strides {
        for (most, &gain) in most.iter_mut().zip(gains) {
            *most = if gain > *most { gain } else { *most };
        }
    }
    let best = most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    gains.iter().position(|&gain| gain == best).unwrap_or(0)
}
