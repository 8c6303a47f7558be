//! Ordered target statistics: quantities derived from categories without telling a row its own target (Prokhorenkova
//! et al. 2018, "`CatBoost`: unbiased boosting with categorical features", section 3.2).
//!
//! The training rows are put in an order drawn by chance. A row's value is the mean target of the rows of its level
//! that stand before it, drawn towards the mean of all; everybody else's is the mean over all training rows of the
//! level. Beside it stands how many training rows the level has (`CatBoost`'s `Counter`), which is no target's
//! business.
//!
//! Quantities are cut where those of the levels lie, which is where predictions are made. Cut at quantiles of what
//! the training rows have, they would tell rows by their place in the order, which means nothing of a new row (the loss
//! on `adult` then rises by 0.7%, and by 1% on `bank_marketing`).
//!
//! Departures from `CatBoost`: one order serves all trees, where `CatBoost` keeps several; numbers are averaged as they
//! are, where `CatBoost` counts those above a border; there is one prior, the mean, which counts for ten rows, not one;
//! categories are not combined.

use super::bins::{Bins, Feature};
use super::cuts::{cut_number, level_of, sample};
use super::draw;
use super::statistic::LevelStatistic;
use crate::data::{Kind, TrainData};
use crate::error::TrainError;

/// What the mean of all counts for beside a level's own rows, in rows (the paper's `a`).
const PRIOR_WEIGHT: f64 = 10.0;
/// Of several classes, the most frequent so many get a statistic.
const MOST_CLASSES: usize = 12;
/// Bins of a quantity. Finer ones tell early rows of a level from late ones, whose values move less.
const MAX_BINS: usize = 64;
/// What the order of the rows is drawn under, apart from every round's key.
const ORDER: u64 = 0x6f72_6465_7200;

/// Quantities derived from categories.
pub(super) struct Derived {
    pub(super) statistics: Vec<LevelStatistic>,
    /// A feature for each, over all rows of the blocks.
    pub(super) bins: Bins,
}

impl Derived {
    /// Derives quantities from every category of more than `most_onehot` levels; nothing when there is none.
    ///
    /// `data` has the training rows that count, `labels` and `weights` are theirs, in order.
    pub(super) fn new(
        data: &TrainData,
        labels: &[f64],
        weights: Option<&[f32]>,
        most_onehot: usize,
    ) -> Result<Option<Derived>, TrainError> {
        let n_rows = data.blocks.first().map_or(0, |block| block.n_rows);
        let view = View::new(data, labels, weights, n_rows)?;
        let sampled = sample(view.rows);
        let kinds = data.blocks.iter().flat_map(|block| block.kinds.iter().enumerate().map(move |at| (block, at)));
        let (mut statistics, mut features) = (Vec::new(), Vec::new());
        for (feature, (of, (j, kind))) in (0..).zip(kinds) {
            let Kind::Category { n_levels } = *kind else { continue };
            if n_levels as usize <= most_onehot {
                continue;
            }
            let category = Category { n_levels, column: of.column(j) };
            let levels: Vec<u32> = sampled.iter().map(|&row| category.level(row as usize) as u32).collect();
            for (values, column) in view.derive(&category) {
                let (cuts, _) = cut_number(&values, &levels, MAX_BINS);
                features.push(Feature::quantity(cuts, &column));
                statistics.push(statistic(feature, values));
            }
        }
        let bins = Bins::of(features, &sampled, n_rows);
        Ok((!statistics.is_empty()).then_some(Derived { statistics, bins }))
    }
}

/// A category to derive from.
struct Category<'a> {
    n_levels: u32,
    column: &'a [f32],
}

impl Category<'_> {
    /// The level of a row; the one after all others when it is missing.
    fn level(&self, row: usize) -> usize {
        let value = self.column.get(row).copied().unwrap_or(f32::NAN);
        level_of(value, self.n_levels).unwrap_or(self.n_levels) as usize
    }
}

/// What a mean is taken of.
enum Of {
    /// The number, less the mean of all, so that it fits single precision.
    Number { mean: f64 },
    /// Whether the class is this one.
    Class(f64),
}

impl Of {
    fn value(&self, label: f64) -> f64 {
        match self {
            Of::Number { mean } => label - mean,
            Of::Class(class) => f64::from(u8::from(label == *class)),
        }
    }
}

/// The training rows in the order that was drawn.
struct View<'a> {
    rows: &'a [u32],
    labels: &'a [f64],
    weights: Option<&'a [f32]>,
    n_rows: usize,
    order: Vec<u32>,
    /// What means are taken of, with the mean of all.
    means: Vec<(Of, f64)>,
}

impl<'a> View<'a> {
    fn new(
        data: &'a TrainData,
        labels: &'a [f64],
        weights: Option<&'a [f32]>,
        n_rows: usize,
    ) -> Result<View<'a>, TrainError> {
        let rows = &data.rows[..];
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= n_rows && !data.blocks.is_empty()) {
            return Err(TrainError::BadRow { row });
        }
        let order = shuffled(draw::key(data.seed, ORDER), rows.len());
        let mut view = View { rows, labels, weights, n_rows, order, means: Vec::new() };
        view.means = view.means(data.target.n_classes());
        Ok(view)
    }

    fn weight(&self, at: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[at]))
    }

    fn mean(&self, of: &Of) -> f64 {
        let (mut sum, mut all) = (0.0, 0.0);
        for (at, &label) in self.labels.iter().enumerate() {
            sum += self.weight(at) * of.value(label);
            all += self.weight(at);
        }
        if all > 0.0 { sum / all } else { 0.0 }
    }

    fn means(&self, n_classes: usize) -> Vec<(Of, f64)> {
        let with_mean = |class: u32| {
            let of = Of::Class(f64::from(class));
            let mean = self.mean(&of);
            (of, mean)
        };
        match n_classes {
            0 => vec![(Of::Number { mean: self.mean(&Of::Number { mean: 0.0 }) }, 0.0)],
            // The share of the one class says that of the other.
            1 | 2 => vec![with_mean(1)],
            _ => {
                let mut means: Vec<(Of, f64)> = (0..n_classes as u32).map(with_mean).collect();
                means.sort_by(|a, b| b.1.total_cmp(&a.1));
                means.truncate(MOST_CLASSES);
                means
            }
        }
    }

    /// The statistics of a category: the number of every level, that of missing values last, and of every row, which
    /// of training rows is what the rows before them say and of all others that of their level.
    fn derive(&self, category: &Category<'_>) -> Vec<(Vec<f32>, Vec<f32>)> {
        let width = category.n_levels as usize + 1;
        let mut counts = vec![0_u32; width];
        self.rows.iter().for_each(|&row| counts[category.level(row as usize)] += 1);
        let counts: Vec<f32> = counts.into_iter().map(|count| count as f32).collect();
        let mut derived: Vec<_> = self.means.iter().map(|(of, prior)| self.ordered(category, of, *prior)).collect();
        let column = (0..self.n_rows).map(|row| counts[category.level(row)]).collect();
        derived.push((counts, column));
        derived
    }

    fn ordered(&self, category: &Category<'_>, of: &Of, prior: f64) -> (Vec<f32>, Vec<f32>) {
        let width = category.n_levels as usize + 1;
        // Of each level so far: the sum of weight times value, and the weight.
        let mut sums = vec![(0.0_f64, 0.0_f64); width];
        let drawn = |(sum, weight): (f64, f64)| single((sum + PRIOR_WEIGHT * prior) / (weight + PRIOR_WEIGHT));
        let mut known = vec![f32::NAN; self.n_rows];
        for &at in &self.order {
            let at = at as usize;
            let row = self.rows[at] as usize;
            let so_far = &mut sums[category.level(row)];
            // A row that the view has twice must not meet its own target the second time.
            if known[row].is_nan() {
                known[row] = drawn(*so_far);
            }
            so_far.0 += self.weight(at) * of.value(self.labels[at]);
            so_far.1 += self.weight(at);
        }
        let values: Vec<f32> = sums.into_iter().map(drawn).collect();
        for (row, value) in known.iter_mut().enumerate().filter(|(_, value)| value.is_nan()) {
            *value = values[category.level(row)];
        }
        (values, known)
    }
}

/// A statistic of numbers of which the last is that of missing values.
fn statistic(feature: u32, mut values: Vec<f32>) -> LevelStatistic {
    let other = values.pop().unwrap_or(0.0);
    LevelStatistic { feature, values, other }
}

/// In single precision, finite.
fn single(value: f64) -> f32 {
    (value as f32).clamp(f32::MIN, f32::MAX)
}

/// `0..n` in an order drawn by chance (Fisher & Yates).
fn shuffled(key: u64, n: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    for i in (1..n).rev() {
        let j = (draw::unit(key.wrapping_add(i as u64)) * (i + 1) as f64) as usize;
        order.swap(i, j);
    }
    order
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::data::{Block, Target, TargetValues};
    use crate::task::Task;

    fn data(column: Vec<f32>, n_levels: u32, rows: Vec<u32>, labels: &[f64], n_classes: usize) -> TrainData {
        let n_rows = column.len();
        let block =
            Block { kinds: vec![Kind::Category { n_levels }], ..Block::numbers(vec!["level".into()], n_rows, column) };
        let (task, values) = match n_classes {
            0 => (Task::Regression, TargetValues::Numbers(labels.to_vec())),
            _ => (Task::Multiclass, TargetValues::Classes(labels.iter().map(|&class| class as u32).collect())),
        };
        let classes = (0..n_classes).map(|class| class.to_string()).collect();
        TrainData::new(vec![Arc::new(block)], rows.into(), Arc::new(Target { task, classes, values }), 5)
    }

    fn category(data: &TrainData) -> Category<'_> {
        let Kind::Category { n_levels } = data.blocks[0].kinds[0] else { panic!("a category") };
        Category { n_levels, column: data.blocks[0].column(0) }
    }

    #[test]
    fn an_order_has_every_position_once() {
        for n in [0, 1, 2, 100] {
            let mut order = shuffled(draw::key(3, 4), n);
            assert!(n < 100 || !order.is_sorted());
            order.sort_unstable();
            assert!(order.iter().copied().eq(0..n as u32));
        }
    }

    #[test]
    fn the_most_frequent_classes_have_a_statistic_and_the_counts() {
        let labels: Vec<f64> = (0..200_u32).map(|i| f64::from(i * i % 15)).collect();
        let data = data(vec![0.0; 200], 2, (0..200).collect(), &labels, 15);
        let view = View::new(&data, &labels, None, 200).expect("rows of the block");
        let derived = view.derive(&category(&data));
        let found: usize = labels.iter().map(|&label| label as usize).collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!((found, view.means.len(), derived.len()), (6, MOST_CLASSES, MOST_CLASSES + 1));
        // 0 is the square of 0 only, 1 that of 1, 4, 11 and 14.
        assert!(matches!(view.means[0].0, Of::Class(class) if class == 1.0 || class == 4.0));
        assert_eq!(&derived[MOST_CLASSES].0[..], &[200.0, 0.0, 0.0]);
    }

    #[test]
    fn a_level_of_its_own_says_nothing_of_a_row() {
        let labels: Vec<f64> = (0..50).map(|i| f64::from(i % 7)).collect();
        let data = data((0..50).map(|i| i as f32).collect(), 50, (0..50).collect(), &labels, 0);
        let view = View::new(&data, &labels, None, 50).expect("rows of the block");
        for (_, column) in view.derive(&category(&data)) {
            assert!(column.iter().all(|value| *value == column[0]), "{column:?}");
        }
        let derived = Derived::new(&data, &labels, None, 4).expect("sound data").expect("a category");
        for feature in derived.bins.features.iter().filter(|feature| feature.n_bins > 1) {
            assert!((0..50).all(|row| feature.column.get(row) == feature.column.get(0)));
        }
    }

    #[test]
    fn large_numbers_keep_their_differences() {
        let labels: Vec<f64> = (0..40).map(|i| 1e12 + f64::from(i % 2)).collect();
        let data = data((0..40).map(|i| (i % 2) as f32).collect(), 2, (0..40).collect(), &labels, 0);
        let view = View::new(&data, &labels, None, 40).expect("rows of the block");
        let values = &view.derive(&category(&data))[0].0;
        assert!((values[0] + 0.5 * 20.0 / 30.0).abs() < 1e-3 && (values[1] - 0.5 * 20.0 / 30.0).abs() < 1e-3);
    }

    proptest! {
        /// Section 3.2, equation 5, told again: what a training row has is the mean of the earlier rows of its level
        /// and of the prior, counted ten times; what others have, that of all.
        #[test]
        fn values_are_means_of_the_rows_before(
            table in prop::collection::vec((0_u32..7, -5_i8..5, 1_u8..9, any::<bool>()), 1..120),
            n_classes in prop::sample::select(vec![0_usize, 3]),
            weighted: bool,
        ) {
            // Levels 5 and 6 of 5 are missing.
            let column: Vec<f32> = table.iter().map(|row| if row.0 < 6 { row.0 as f32 } else { f32::NAN }).collect();
            let label = |y: i8| f64::from(if n_classes == 0 { y } else { y.rem_euclid(3) });
            let all: Vec<f64> = table.iter().map(|row| label(row.1)).collect();
            let rows: Vec<u32> = (0..table.len() as u32).filter(|&row| table[row as usize].3).collect();
            let labels: Vec<f64> = rows.iter().map(|&row| all[row as usize]).collect();
            let weights: Vec<f32> = rows.iter().map(|&row| f32::from(table[row as usize].2) / 4.0).collect();
            let weights = weighted.then_some(&weights[..]);
            let data = data(column.clone(), 5, rows.clone(), &all, n_classes);
            let view = View::new(&data, &labels, weights, column.len()).expect("rows of the block");
            let derived = view.derive(&category(&data));
            let weight = |at: usize| weights.map_or(1.0, |weights| f64::from(weights[at]));
            let same = |a: u32, b: u32| a.min(5) == b.min(5);
            let level = |at: usize| table[rows[at] as usize].0;
            let mut place = vec![0; rows.len()];
            for (i, &at) in shuffled(draw::key(data.seed, ORDER), rows.len()).iter().enumerate() {
                place[at as usize] = i;
            }
            let total: f64 = (0..rows.len()).map(weight).sum();
            for (k, (of, prior)) in view.means.iter().enumerate() {
                let mean = (0..rows.len()).map(|at| weight(at) * of.value(labels[at])).sum::<f64>() / total.max(1e-9);
                prop_assert!((mean - prior).abs() < 1e-9);
                let (values, column) = &derived[k];
                let statistic = statistic(0, values.clone());
                for row in 0..table.len() {
                    let own = rows.iter().position(|&other| other as usize == row);
                    let before: Vec<usize> = (0..rows.len())
                        .filter(|&at| same(level(at), table[row].0) && own.is_none_or(|own| place[at] < place[own]))
                        .collect();
                    let sum: f64 = before.iter().map(|&at| weight(at) * of.value(labels[at])).sum();
                    let count: f64 = before.iter().map(|&at| weight(at)).sum();
                    let expected = (sum + 10.0 * mean) / (count + 10.0);
                    prop_assert!((f64::from(column[row]) - expected).abs() < 1e-5, "{} {expected}", column[row]);
                    if own.is_none() {
                        let x = data.blocks[0].column(0)[row];
                        prop_assert_eq!(statistic.of(x, 5).to_bits(), column[row].to_bits());
                    }
                }
            }
            let (counts, of_rows) = &derived[view.means.len()];
            for row in 0..table.len() {
                let count = (0..rows.len()).filter(|&at| same(level(at), table[row].0)).count() as f32;
                prop_assert_eq!((of_rows[row], statistic(0, counts.clone()).of(column[row], 5)), (count, count));
            }
        }
    }
}
