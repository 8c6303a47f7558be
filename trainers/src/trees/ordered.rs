//! Ordered target statistics: quantities derived from categories without telling a row its own target (Prokhorenkova
//! et al. 2018, "CatBoost: unbiased boosting with categorical features", section 3.2).
//!
//! The training rows are put in an order drawn by chance. A row's value is the mean target of the rows of its level
//! that stand before it, drawn towards the mean of all; everybody else's is the mean over all training rows of the
//! level. Beside it stands how many training rows the level has (CatBoost's `Counter`), which is no target's business.
//!
//! Departures from CatBoost: one order serves all trees, where CatBoost keeps several; numbers are averaged as they are,
//! where CatBoost counts those above a border; there is one prior, the mean; categories are not combined.

use std::sync::Arc;

use super::bins::Bins;
use super::cuts::level_of;
use super::draw;
use super::statistic::LevelStatistic;
use crate::data::{Block, Kind, TrainData};
use crate::error::TrainError;

/// What the mean of all counts for beside a level's own rows, in rows (the paper's `a`).
const PRIOR_WEIGHT: f64 = 1.0;
/// Of several classes, the most frequent so many get a statistic.
const MOST_CLASSES: usize = 12;
/// Bins of a quantity.
const MAX_BINS: usize = 255;
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
        let kinds = data.blocks.iter().flat_map(|block| block.kinds.iter().enumerate().map(move |at| (block, at)));
        let (mut statistics, mut block) = (Vec::new(), Block::numbers(Vec::new(), n_rows, Vec::new()));
        for (feature, (of, (j, kind))) in (0..).zip(kinds) {
            let Kind::Category { n_levels } = *kind else { continue };
            if n_levels as usize <= most_onehot {
                continue;
            }
            let category = Category { feature, n_levels, column: of.column(j) };
            for (statistic, column) in view.derive(&category) {
                block.names.push(statistics.len().to_string());
                block.kinds.push(Kind::Number);
                block.values.extend(column);
                statistics.push(statistic);
            }
        }
        if statistics.is_empty() {
            return Ok(None);
        }
        let bins = Bins::cut(&[Arc::new(block)], &data.rows, MAX_BINS)?;
        Ok(Some(Derived { statistics, bins }))
    }
}

/// A category to derive from.
struct Category<'a> {
    feature: u32,
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

    /// The statistics of a category, each with the column of its values: of training rows what the rows before them
    /// say, of all others what the training rows say.
    fn derive(&self, category: &Category<'_>) -> Vec<(LevelStatistic, Vec<f32>)> {
        let width = category.n_levels as usize + 1;
        let mut counts = vec![0_u32; width];
        self.rows.iter().for_each(|&row| counts[category.level(row as usize)] += 1);
        let counts: Vec<f32> = counts.into_iter().map(|count| count as f32).collect();
        let mut derived: Vec<_> = self.means.iter().map(|(of, prior)| self.ordered(category, of, *prior)).collect();
        let column = (0..self.n_rows).map(|row| counts[category.level(row)]).collect();
        derived.push((statistic(category.feature, counts), column));
        derived
    }

    fn ordered(&self, category: &Category<'_>, of: &Of, prior: f64) -> (LevelStatistic, Vec<f32>) {
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
        (statistic(category.feature, values), known)
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
