//! Sums of trees, round by round: gradient boosting (Friedman 2001; Chen & Guestrin 2016; Ke et al. 2017) and forests
//! (Breiman 2001; Geurts, Ernst & Wehenkel 2006).
//!
//! Everything a round draws is a function of the seed and the round's number, and scores are sums of leaf values in
//! the order of the trees; so a training taken up from its trees goes on as if it had never stopped, to the last bit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bins::{Bins, in_pool};
use super::draw;
use super::grow::{Grower, Grown};
use super::kernel::{Cell, add_at};
use super::loss::{Gradient, Loss, quantile, weigh};
use super::ordered::Derived;
use super::quantise::{CHUNK, Sizes, Units, round};
use super::route::Router;
use super::settings::{Boost, Mode};
use super::statistic::LevelStatistic;
use super::tree::{Link, Tree, TreeEnsemble};
use crate::data::{Predictions, Target, TargetValues, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::trainer::{Training, decode, encode};

/// Labels farther than this from their mean are refused: sums of leaf values must not overflow.
const LARGEST: f64 = f32::MAX as f64 / 4.0;

/// What a training has learned; with its data, all there is to know.
#[derive(Debug, Clone, Default)]
struct Learned {
    trees: Vec<Tree>,
    /// Loss on the held-out rows after each round.
    held_out: Vec<f64>,
}

/// What a checkpoint holds.
#[derive(Debug, Serialize, Deserialize)]
struct Checkpoint {
    trees: TreeEnsemble,
    held_out: Vec<f64>,
}

/// Boosting or a forest under way.
pub struct Boosting {
    boost: Boost,
    bins: Arc<Bins>,
    rows: Arc<[u32]>,
    held_out: Option<HeldOut>,
    labels: Vec<f32>,
    weights: Option<Vec<f32>>,
    /// The last features of the bins, derived from categories.
    statistics: Vec<LevelStatistic>,
    n_features: usize,
    n_outputs: usize,
    /// Raw score before any tree.
    base: Vec<f64>,
    seed: u64,
    pool: Option<Arc<rayon::ThreadPool>>,
    /// Raw scores of the training rows, one vector per raw output; of a forest, nothing.
    scores: Vec<Vec<f32>>,
    cells: Vec<Vec<Cell>>,
    learned: Learned,
}

/// Rows on which the loss is watched.
struct HeldOut {
    rows: Arc<[u32]>,
    labels: Vec<f32>,
    scores: Vec<Vec<f32>>,
}

impl Boosting {
    /// Prepares a training, from nothing or from a checkpoint.
    pub fn start(data: &TrainData, mut boost: Boost, checkpoint: Option<&[u8]>) -> Result<Boosting, TrainError> {
        boost.check()?;
        let algorithm = boost.algorithm;
        let (data, weights) = data.weighed()?;
        let data = &data;
        let weights: Option<Vec<f32>> =
            weights.map(|weights| weights.into_iter().map(|weight| weight as f32).collect());
        let labels = labels(&data.training_targets(algorithm)?);
        if let Mode::Boosting { .. } = boost.mode {
            for (&row, &value) in data.rows.iter().zip(&labels) {
                if let Some(reason) = boost.loss.refuses(value) {
                    return Err(TrainError::Label { row, value, reason });
                }
            }
        }
        let bins = match &data.bins {
            Some(bins) => bins.clone(),
            None => Arc::new(Bins::cut(&data.blocks, &data.rows, 255)?),
        };
        if let Some(&row) = data.rows.iter().find(|&&row| row as usize >= bins.n_rows()) {
            return Err(TrainError::BadRow { row });
        }
        if bins.n_features() != data.n_features() {
            let reason = format!("bins of {} features for {} features", bins.n_features(), data.n_features());
            return Err(TrainError::Blocks { reason });
        }
        let (bins, statistics) = derive(data, &mut boost, bins, &labels, weights.as_deref())?;
        boost.check_memory(data, &bins)?;
        let link = boost.link(data.target.n_classes());
        let base = boost.base(&data.target, &labels, weights.as_deref())?;
        // Residuals of numbers are small beside the numbers: what they are apart from the base fits single precision.
        let shift = if link == Link::Identity { base[0] } else { 0.0 };
        if let Some((&row, &value)) = data.rows.iter().zip(&labels).find(|(_, label)| (*label - shift).abs() > LARGEST)
        {
            let reason = "trees are grown in single precision, which ends at 3e38";
            return Err(TrainError::Label { row, value, reason });
        }
        let start = if link == Link::Identity { vec![0.0] } else { base.clone() };
        let n = data.rows.len();
        let scores = |n: usize| start.iter().map(|&score| vec![score as f32; n]).collect::<Vec<_>>();
        let watched = boost.watched(data);
        let held_out = watched
            .map(|rows| HeldOut::new(&data.target, bins.n_rows(), shift, scores(rows.len()), rows))
            .transpose()?;
        let mut boosting = Boosting {
            bins,
            statistics,
            rows: data.rows.clone(),
            held_out,
            labels: labels.iter().map(|&label| (label - shift) as f32).collect(),
            weights,
            n_features: data.n_features(),
            n_outputs: data.target.n_outputs(),
            scores: if matches!(boost.mode, Mode::Boosting { .. }) { scores(n) } else { Vec::new() },
            cells: vec![vec![0; n]; base.len()],
            base,
            seed: data.seed,
            pool: data.pool.clone(),
            learned: Learned::default(),
            boost,
        };
        if let Some(bytes) = checkpoint {
            boosting.resume(decode(algorithm, bytes)?)?;
        }
        Ok(boosting)
    }

    fn resume(&mut self, checkpoint: Checkpoint) -> Result<(), TrainError> {
        let bad = |reason: String| TrainError::Checkpoint { algorithm: self.boost.algorithm, reason };
        checkpoint.trees.check(self.n_features, self.n_outputs).map_err(bad)?;
        if checkpoint.trees.statistics != self.statistics {
            return Err(bad("its categories stand for other quantities than in this data".into()));
        }
        let learned = Learned { trees: checkpoint.trees.trees, held_out: checkpoint.held_out };
        let known = |tree: &Tree| tree.nodes.iter().all(|node| self.bins.features[node.feature as usize].tells);
        if !learned.trees.iter().all(known) {
            return Err(bad("it asks about a feature that says nothing in this data".into()));
        }
        for (at, tree) in learned.trees.iter().enumerate() {
            let router = Router::new(&self.bins, tree);
            let output = at % self.base.len();
            if let Some(scores) = self.scores.get_mut(output) {
                for (score, &row) in scores.iter_mut().zip(self.rows.iter()) {
                    *score += router.value(row as usize);
                }
            }
            if let Some(held_out) = &mut self.held_out {
                held_out.add(&router, output);
            }
        }
        self.learned = learned;
        Ok(())
    }

    /// How many classes; 0 for regression.
    fn n_classes(&self) -> usize {
        if self.n_outputs > 1 { self.n_outputs } else { 0 }
    }

    /// How many rounds are done.
    pub fn n_rounds(&self) -> usize {
        self.learned.trees.len() / self.base.len()
    }

    /// Works until so many rounds are done, early stopping says enough, or `stop` becomes true; whether it is done.
    pub fn advance_to(&mut self, n_rounds: usize, stop: &AtomicBool) -> bool {
        match self.pool.clone() {
            Some(pool) => pool.install(|| self.work(n_rounds, stop)),
            None => self.work(n_rounds, stop),
        }
    }

    fn work(&mut self, n_rounds: usize, stop: &AtomicBool) -> bool {
        let (bins, rows, growth) = (self.bins.clone(), self.rows.clone(), self.boost.growth.clone());
        let mut grower = Grower::new(&bins, &rows, &growth);
        while self.n_rounds() < n_rounds.min(self.boost.n_estimators) && !self.is_enough() {
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            self.round(&mut grower);
        }
        self.n_rounds() >= self.boost.n_estimators || self.is_enough()
    }

    /// Whether the loss on the held-out rows has not become better for long enough.
    fn is_enough(&self) -> bool {
        let Mode::Boosting { early_stopping_rounds, .. } = self.boost.mode else { return false };
        let best = self.best_round();
        early_stopping_rounds > 0 && self.learned.held_out.len() >= best + early_stopping_rounds
    }

    /// How many rounds gave the least loss on the held-out rows.
    fn best_round(&self) -> usize {
        let losses = self.learned.held_out.iter().enumerate();
        losses.fold((0, f64::INFINITY), |best, (i, &loss)| if loss < best.1 { (i + 1, loss) } else { best }).0
    }

    fn round(&mut self, grower: &mut Grower<'_>) {
        let number = self.n_rounds() as u64;
        let key = draw::key(self.seed, number);
        let sizes = self.gradients();
        let (mut positions, counts) = self.draw(key);
        let whole = self.weights.is_none() && self.is_flat();
        for (output, sizes) in sizes.into_iter().enumerate() {
            let key = draw::key(key, output as u64);
            // A row drawn several times counts several times.
            let most = counts.iter().flatten().copied().max().unwrap_or(1);
            let most = f64::from(most);
            let sizes = Sizes { gradients: sizes.gradients * most, weights: sizes.weights * most };
            let units = Units::of(sizes, self.rows.len(), whole);
            let mut cells = std::mem::take(&mut self.cells[output]);
            quantise(&mut cells, units, key);
            if let Some(counts) = &counts {
                cells.iter_mut().zip(counts).for_each(|(cell, &count)| *cell *= i64::from(count));
            }
            let mut grown = grower.grow(&cells, units, &mut positions, key);
            self.cells[output] = cells;
            self.finish(&mut grown, output, &positions);
            if output + 1 < self.base.len() {
                // The next tree of the round is grown on the same rows, in their order again.
                restore(&mut positions, self.rows.len());
            }
            self.learned.trees.push(grown.tree);
        }
        if let Some(held_out) = &self.held_out {
            self.learned.held_out.push(held_out.loss(self.boost.loss.as_ref()));
        }
    }

    fn is_flat(&self) -> bool {
        matches!(self.boost.mode, Mode::Forest { .. }) || self.boost.loss.is_flat()
    }

    /// Fills the cells with the gradients of every row.
    fn gradients(&mut self) -> Vec<Sizes> {
        let n = self.rows.len();
        let n_raw = self.base.len();
        let is_forest = matches!(self.boost.mode, Mode::Forest { .. });
        let mut parts: Vec<(usize, Vec<&mut [Cell]>)> =
            (0..n.div_ceil(CHUNK)).map(|part| (part * CHUNK, Vec::with_capacity(n_raw))).collect();
        for cells in &mut self.cells {
            for ((_, part), cells) in parts.iter_mut().zip(cells.chunks_mut(CHUNK)) {
                part.push(cells);
            }
        }
        let (boost, scores, labels, weights) = (&self.boost, &self.scores, &self.labels, &self.weights);
        let of = |(first, cells): (usize, Vec<&mut [Cell]>)| -> Vec<Sizes> {
            let range = first..(first + CHUNK).min(n);
            let labels = &labels[range.clone()];
            let weights = weights.as_ref().map(|weights| &weights[range.clone()]);
            let mut buffer = vec![Gradient::default(); labels.len() * n_raw];
            let mut out: Vec<&mut [Gradient]> = buffer.chunks_mut(labels.len()).collect();
            if is_forest {
                share_gradients(labels, &mut out);
            } else {
                let scores: Vec<&[f32]> = scores.iter().map(|scores| &scores[range.clone()]).collect();
                boost.loss.gradients(&scores, labels, &mut out);
            }
            cells.into_iter().zip(&out).map(|(cells, out)| weigh(out, weights, cells)).collect()
        };
        let sizes: Vec<Vec<Sizes>> =
            if in_pool() { parts.into_par_iter().map(of).collect() } else { parts.into_iter().map(of).collect() };
        // Added up in the order of the chunks, whoever computed them.
        sizes.into_iter().fold(vec![Sizes::default(); n_raw], |sums, part| {
            sums.into_iter().zip(part).map(|(sum, own)| sum.plus(own)).collect()
        })
    }

    /// The positions a round is grown on, ascending, and how often each row was drawn.
    fn draw(&self, key: u64) -> (Vec<u32>, Option<Vec<u8>>) {
        let n = self.rows.len();
        let key = draw::key(key, u64::MAX);
        let all = 0..n as u32;
        if matches!(self.boost.mode, Mode::Forest { bootstrap: true }) {
            let mut counts = vec![0_u8; n];
            let n_drawn = ((n as f64 * self.boost.subsample).round() as usize).max(1);
            for i in 0..n_drawn {
                let at = (draw::unit(key.wrapping_add(i as u64)) * n as f64) as usize;
                counts[at] = counts[at].saturating_add(1);
            }
            return (all.filter(|&at| counts[at as usize] > 0).collect(), Some(counts));
        }
        if self.boost.subsample < 1.0 {
            let n_drawn = ((n as f64 * self.boost.subsample).round() as usize).max(1);
            let all: Vec<u32> = all.collect();
            return (draw::choose(key, &all, n_drawn), None);
        }
        (all.collect(), None)
    }

    /// Gives the leaves their values and every row its score.
    fn finish(&mut self, grown: &mut Grown, output: usize, positions: &[u32]) {
        let Mode::Boosting { learning_rate, .. } = self.boost.mode else { return };
        if grown.tree.nodes.is_empty() {
            // Nothing was learned. The base is the best constant already; where a class is all but certain, a step of
            // all rows together would be a quotient of two roundings. LightGBM adds nothing either.
            grown.tree.leaves = vec![0.0];
            return;
        }
        if let Some(alpha) = self.boost.loss.quantile() {
            self.renew(grown, alpha, positions);
        }
        for value in &mut grown.tree.leaves {
            *value = (f64::from(*value) * learning_rate) as f32;
        }
        let scores = &mut self.scores[output];
        for (&value, &(from, to)) in grown.tree.leaves.iter().zip(&grown.ranges) {
            add_at(scores, &positions[from..to], value);
        }
        let outside = positions.len() < self.rows.len();
        if !outside && self.held_out.is_none() {
            return;
        }
        let router = Router::new(&self.bins, &grown.tree);
        if outside {
            let mut drawn = vec![false; self.rows.len()];
            for &at in positions {
                drawn[at as usize] = true;
            }
            for (at, &row) in self.rows.iter().enumerate().filter(|(at, _)| !drawn[*at]) {
                scores[at] += router.value(row as usize);
            }
        }
        if let Some(held_out) = &mut self.held_out {
            held_out.add(&router, output);
        }
    }

    /// Leaf values as quantiles of what is left of the labels.
    fn renew(&self, grown: &mut Grown, alpha: f64, positions: &[u32]) {
        let scores = &self.scores[0];
        let mut pairs = Vec::new();
        for (value, &(from, to)) in grown.tree.leaves.iter_mut().zip(&grown.ranges) {
            pairs.clear();
            pairs.extend(positions[from..to].iter().map(|&at| {
                let at = at as usize;
                let weight = self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[at]));
                (f64::from(self.labels[at] - scores[at]), weight)
            }));
            *value = quantile(&mut pairs, alpha, self.weights.is_some()) as f32;
        }
    }

    /// Predictions for the training rows, each by the trees it had no part in: `None` for rows that had a part in
    /// all. Only for forests with rows drawn for each tree.
    pub fn out_of_bag(&self) -> Vec<Option<Vec<f64>>> {
        let n_raw = self.base.len();
        let mut sums = vec![(vec![0.0; n_raw], 0_u32); self.rows.len()];
        for (number, trees) in self.learned.trees.chunks(n_raw).enumerate() {
            let (drawn, _) = self.draw(draw::key(self.seed, number as u64));
            let mut inside = vec![false; self.rows.len()];
            for &at in &drawn {
                inside[at as usize] = true;
            }
            let routers: Vec<Router<'_>> = trees.iter().map(|tree| Router::new(&self.bins, tree)).collect();
            for (at, (sum, n)) in sums.iter_mut().enumerate().filter(|(at, _)| !inside[*at]) {
                *n += 1;
                for (sum, router) in sum.iter_mut().zip(&routers) {
                    *sum += f64::from(router.value(self.rows[at] as usize));
                }
            }
        }
        let raw = sums.iter().flat_map(|(sum, n)| {
            let each = f64::from((*n).max(1));
            sum.iter().zip(&self.base).map(move |(sum, base)| base + sum / each)
        });
        let predicted = self.ensemble(Vec::new()).linked(Predictions::new(n_raw, raw.collect()));
        sums.iter().zip(predicted.rows()).map(|((_, n), row)| (*n > 0).then(|| row.to_vec())).collect()
    }

    fn ensemble(&self, trees: Vec<Tree>) -> TreeEnsemble {
        let n_rounds = trees.len() / self.base.len();
        let scale = match self.boost.mode {
            Mode::Boosting { .. } => 1.0,
            Mode::Forest { .. } => 1.0 / n_rounds.max(1) as f64,
        };
        let link = self.boost.link(self.n_classes());
        TreeEnsemble::new(self.boost.algorithm, self.n_features, self.n_outputs, link, self.base.clone(), scale, trees)
            .with_statistics(self.statistics.clone())
    }

    /// What has been learned so far: up to the best round on the held-out rows where there are some.
    pub fn model(&self) -> Result<TreeEnsemble, TrainError> {
        self.first_rounds(if self.learned.held_out.is_empty() { self.n_rounds() } else { self.best_round() })
    }

    fn first_rounds(&self, n_rounds: usize) -> Result<TreeEnsemble, TrainError> {
        if self.n_rounds() == 0 {
            return Err(TrainError::Unfinished { algorithm: self.boost.algorithm });
        }
        Ok(self.ensemble(self.learned.trees[..n_rounds.max(1) * self.base.len()].to_vec()))
    }
}

impl Training for Boosting {
    fn advance(&mut self, until: f64, stop: &AtomicBool) -> Result<f64, TrainError> {
        let all = self.boost.n_estimators;
        let wanted = (all as f64 * until.clamp(0.0, 1.0)).ceil() as usize;
        let done = self.advance_to(wanted, stop);
        Ok(if done { 1.0 } else { self.n_rounds() as f64 / all as f64 })
    }

    fn checkpoint(&self) -> Result<Vec<u8>, TrainError> {
        let Learned { trees, held_out } = self.learned.clone();
        encode(self.boost.algorithm, &Checkpoint { trees: self.ensemble(trees), held_out })
    }

    fn model(&self) -> Result<Estimator, TrainError> {
        Boosting::model(self).map(Estimator::Trees)
    }

    fn watched(&self) -> &[f64] {
        &self.learned.held_out
    }

    fn whole(&self) -> Result<Estimator, TrainError> {
        self.first_rounds(self.n_rounds()).map(Estimator::Trees)
    }
}

impl HeldOut {
    fn new(
        target: &Target,
        n_rows: usize,
        shift: f64,
        scores: Vec<Vec<f32>>,
        rows: Arc<[u32]>,
    ) -> Result<HeldOut, TrainError> {
        let label = |&row: &u32| {
            let number = target.number(row).map(|number| number - shift);
            let label = number.or_else(|| target.class(row).map(f64::from));
            label.filter(|_| (row as usize) < n_rows).ok_or(TrainError::BadRow { row })
        };
        let labels = rows.iter().map(|row| Ok(label(row)? as f32)).collect::<Result<_, TrainError>>()?;
        Ok(HeldOut { rows, labels, scores })
    }

    fn add(&mut self, router: &Router<'_>, output: usize) {
        for (score, &row) in self.scores[output].iter_mut().zip(self.rows.iter()) {
            *score += router.value(row as usize);
        }
    }

    fn loss(&self, loss: &dyn Loss) -> f64 {
        let mut scores = vec![0.0; self.scores.len()];
        let mut sum = 0.0;
        for (at, &label) in self.labels.iter().enumerate() {
            for (score, of) in scores.iter_mut().zip(&self.scores) {
                *score = of[at];
            }
            sum += loss.loss(&scores, label);
        }
        sum / self.labels.len() as f64
    }
}

/// Joins the bins with quantities derived from categories, where that is asked for.
fn derive(
    data: &TrainData,
    boost: &mut Boost,
    bins: Arc<Bins>,
    labels: &[f64],
    weights: Option<&[f32]>,
) -> Result<(Arc<Bins>, Vec<LevelStatistic>), TrainError> {
    if !boost.cat_statistics {
        return Ok((bins, Vec::new()));
    }
    let most_onehot = boost.growth.max_cat_to_onehot;
    let work = || Derived::new(data, labels, weights, most_onehot);
    let derived = data.pool.as_ref().map_or_else(work, |pool| pool.install(work))?;
    let Some(Derived { statistics, bins: own }) = derived else { return Ok((bins, Vec::new())) };
    if (own.n_rows(), data.n_features()) != (bins.n_rows(), bins.n_features()) {
        let reason = format!("{} rows of {} features, but bins of {}", own.n_rows(), data.n_features(), bins.n_rows());
        return Err(TrainError::Blocks { reason });
    }
    // Where a category may stand, so may what is derived from it.
    for set in &mut boost.growth.interaction_constraints {
        let derived = (bins.n_features() as u32..).zip(&statistics);
        let of_set: Vec<u32> = derived.filter(|(_, of)| set.contains(&of.feature)).map(|(at, _)| at).collect();
        set.extend(of_set);
    }
    Ok((Arc::new(bins.join(&own)), statistics))
}

/// Squared error from 0: a leaf's value becomes the mean of its labels, or, of several outputs, the share of its class.
fn share_gradients(labels: &[f32], out: &mut [&mut [Gradient]]) {
    let is_share = out.len() > 1;
    for (output, out) in out.iter_mut().enumerate() {
        for (out, &label) in out.iter_mut().zip(labels) {
            let own = if is_share { f32::from(u8::from(label == output as f32)) } else { label };
            *out = Gradient { first: -own, second: 1.0 };
        }
    }
}

fn quantise(cells: &mut [Cell], units: Units, key: u64) {
    let of = |(part, cells): (usize, &mut [Cell])| round(cells, units, part * CHUNK, key);
    if in_pool() {
        cells.par_chunks_mut(CHUNK).enumerate().for_each(of);
    } else {
        cells.chunks_mut(CHUNK).enumerate().for_each(of);
    }
}

/// Puts positions in ascending order again.
fn restore(positions: &mut [u32], n: usize) {
    if positions.len() == n {
        positions.iter_mut().zip(0..).for_each(|(position, at)| *position = at);
    } else {
        positions.sort_unstable();
    }
}

fn labels(targets: &TargetValues) -> Vec<f64> {
    match targets {
        TargetValues::Classes(classes) => classes.iter().map(|&class| f64::from(class)).collect(),
        TargetValues::Numbers(numbers) => numbers.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Shape;
    use crate::task::Task;
    use crate::testing::{IRIS, standardised};
    use crate::trees::LIGHT_GBM;

    #[test]
    fn a_training_that_cannot_fit_into_memory_is_refused_with_figures() {
        let data = standardised(IRIS, Task::Multiclass);
        let Shape { n_rows, n_classes, .. } = data.shape();
        let boost = || LIGHT_GBM.settings(&data.shape(), &hyperdrive::Params::new()).expect("defaults");
        let bins = Bins::cut(&data.blocks, &data.rows, 255).expect("a sound block");
        let needed = boost().memory(n_rows, n_classes, &bins);
        let within = |memory| Boosting::start(&TrainData { memory: Some(memory), ..data.clone() }, boost(), None);
        assert!(within(needed).is_ok());
        let Err(TrainError::Memory { needed: said, allowed, .. }) = within(needed - 1) else {
            panic!("it does not fit")
        };
        assert_eq!((said, allowed), (needed, needed - 1));
    }
}
