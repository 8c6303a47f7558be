//! A small model on a few rows, which tells whether a suspicion is true: what the score becomes when rows are divided
//! otherwise, or when columns are not there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datasets::{Column, Folds, Table, Values};
use trainers::transform::FeatureSettings;
use trainers::trees::Bins;
use trainers::{
    Algorithm, Block, Encoding, Estimator, FeaturePlan, Featurizer, Measure, Scaling, Target, TargetValues, TrainData,
};

use crate::prepare::answer;
use crate::search::mean;

/// Most rows that are looked at.
pub(super) const ROWS: usize = 4000;
/// And the fewest, below which a score says nothing.
pub(super) const LEAST: usize = 60;
/// Most cells, so that a wide table takes no longer; and the fewest rows of it.
const CELLS: usize = 2_000_000;
const ROWS_OF_WIDE: usize = 300;
/// Divisions that are scored.
pub(super) const FOLDS: usize = 3;
/// Trees that are grown, over all classes.
const TREES: usize = 80;
/// The fewest rounds of them.
const LEAST_ROUNDS: usize = 8;
const LEAVES: i64 = 15;
const LEARNING_RATE: f64 = 0.15;
const BINS: usize = 63;

/// Rows of a table with the answers, ready to be learned from in several ways.
pub(super) struct Probe {
    target: Arc<Target>,
    block: Arc<Block>,
    bins: Arc<Bins>,
    /// The table column of every feature.
    sources: Vec<String>,
    seed: u64,
}

impl Probe {
    /// The most rows to look at of a table with so many columns.
    pub(super) fn most_rows(n_columns: usize) -> usize {
        ROWS.min((CELLS / n_columns.max(1)).max(ROWS_OF_WIDE))
    }

    /// These rows and columns; texts are left aside. None where nothing is left to learn from.
    pub(super) fn new(table: &Table, target: &Target, columns: &[String], rows: &[u32], seed: u64) -> Option<Self> {
        let known = |name: &String| {
            let column = table.column(name).filter(|column| !matches!(column.values, Values::Text(_)))?;
            Some(Column::new(name, column.values.take(rows)))
        };
        let own = Table::with_rows(columns.iter().filter_map(known).collect(), rows.len()).ok()?;
        let columns = own.columns().iter().map(|column| column.name.clone()).collect();
        let plan = FeaturePlan {
            categorical: Encoding::Native,
            scaling: Scaling::None,
            columns,
            settings: FeatureSettings::default(),
        };
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        let featurizer = Featurizer::fit(&plan, &own, &all).ok()?;
        let block = Arc::new(featurizer.apply(&own).ok()?);
        if block.n_features() == 0 || rows.len() < LEAST {
            return None;
        }
        let bins = Arc::new(Bins::cut(std::slice::from_ref(&block), &all, BINS).ok()?);
        let sources =
            featurizer.columns.iter().flat_map(|fitted| fitted.names().into_iter().map(|_| fitted.column.clone()));
        Some(Self { target: Arc::new(taken(target, rows)), sources: sources.collect(), block, bins, seed })
    }

    /// All of its rows, numbered from 0.
    pub(super) fn rows(&self) -> Vec<u32> {
        (0..self.block.n_rows as u32).collect()
    }

    fn fit(&self, rows: &[u32]) -> Option<Estimator> {
        let data = TrainData {
            bins: Some(self.bins.clone()),
            ..TrainData::new(vec![self.block.clone()], rows.into(), self.target.clone(), self.seed)
        };
        let trainer = Algorithm::LightGbm.trainer();
        let trees_a_round = if self.target.n_outputs() > 2 { self.target.n_outputs() } else { 1 };
        let params = trainer
            .default_params(&data.shape())
            .with("n_estimators", (TREES / trees_a_round).max(LEAST_ROUNDS) as i64)
            .with("num_leaves", LEAVES)
            .with("learning_rate", LEARNING_RATE);
        let mut training = trainer.start(&data, &params, None).ok()?;
        training.advance(1.0, &AtomicBool::new(false)).ok()?;
        training.model().ok()
    }

    /// The score of every fold, in the metric's own direction; none where one cannot be scored.
    pub(super) fn scores(&self, metric: &Measure, folds: &Folds) -> Option<Vec<f64>> {
        let score = |split: &datasets::Split| {
            let predictions = self.fit(&split.train)?.predict(&self.block, &split.valid);
            metric.score(&self.target, &split.valid, &predictions, 0.5).ok().filter(|score| score.is_finite())
        };
        folds.splits.iter().map(score).collect()
    }

    /// The same answer for every row, scored alike.
    pub(super) fn constant(&self, metric: &Measure, folds: &Folds) -> Option<f64> {
        let n_outputs = self.target.n_outputs();
        let score = |split: &datasets::Split| {
            let answer = answer(&self.target, &split.train);
            let values = split.valid.iter().flat_map(|_| answer.iter().copied()).collect();
            metric.score(&self.target, &split.valid, &trainers::Predictions::new(n_outputs, values), 0.5).ok()
        };
        let scores: Option<Vec<f64>> = folds.splits.iter().map(score).collect();
        scores.map(|scores| mean(&scores))
    }

    /// Folds as a search would make them.
    pub(super) fn folds(&self) -> Option<Folds> {
        let rows = self.rows();
        match self.target.codes() {
            Some(classes) => Folds::stratified(&rows, classes, FOLDS, self.seed, None).ok(),
            None => Folds::plain(&rows, FOLDS, self.seed, None).ok(),
        }
    }

    /// Every column's share of what splits gain when all rows are learned from, greatest first.
    pub(super) fn shares(&self) -> Option<Vec<(String, f64)>> {
        let Estimator::Trees(trees) = self.fit(&self.rows())? else { return None };
        let mut gains: BTreeMap<&String, f64> = BTreeMap::new();
        for (source, gain) in self.sources.iter().zip(trees.importance().gain) {
            *gains.entry(source).or_insert(0.0) += gain.max(0.0);
        }
        let total: f64 = gains.values().sum();
        let mut shares: Vec<(String, f64)> =
            gains.into_iter().map(|(name, gain)| (name.clone(), gain / total)).collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        (total > 0.0).then_some(shares)
    }
}

/// What dividing rows by a key does to a score, beside dividing them alike by the same key dealt out at random.
pub(super) struct Divided {
    pub(super) at_random: f64,
    pub(super) by_key: f64,
    /// How much of what was learned beyond the constant answer is lost by the key: 0 for none, 1 for all of it.
    pub(super) lost: f64,
    /// Whether every fold lost.
    pub(super) every: bool,
}

impl Divided {
    /// The metric's scores of folds by the key and of folds at random.
    pub(super) fn of(probe: &Probe, metric: &Measure, by_key: &Folds, at_random: &Folds) -> Option<Self> {
        let (own, random) = (probe.scores(metric, by_key)?, probe.scores(metric, at_random)?);
        let constant = probe.constant(metric, at_random)?;
        let goal = metric.goal();
        let learned = goal.signed(mean(&random)) - goal.signed(constant);
        let lost = goal.signed(mean(&random)) - goal.signed(mean(&own));
        Some(Self {
            at_random: mean(&random),
            by_key: mean(&own),
            lost: if learned > 0.0 { lost / learned } else { 0.0 },
            every: own.iter().zip(&random).all(|(own, random)| goal.better(*random, *own)),
        })
    }
}

/// The target of some rows alone.
fn taken(target: &Target, rows: &[u32]) -> Target {
    let values = match &target.values {
        TargetValues::Numbers(v) => TargetValues::Numbers(rows.iter().map(|&row| v[row as usize]).collect()),
        TargetValues::Classes(v) => TargetValues::Classes(rows.iter().map(|&row| v[row as usize]).collect()),
    };
    Target { task: target.task, classes: target.classes.clone(), values }
}

/// At most so many of the rows, drawn by the seed, in file order.
pub(super) fn sample(rows: &[u32], most: usize, seed: u64, path: &str) -> Vec<u32> {
    if rows.len() <= most {
        return rows.to_vec();
    }
    let mut drawn = dealt(rows, seed, path);
    drawn.truncate(most);
    drawn.sort_unstable();
    drawn
}

/// The same numbers in an order drawn by the seed.
pub(super) fn dealt<T: Clone>(keys: &[T], seed: u64, path: &str) -> Vec<T> {
    let mut dealt = keys.to_vec();
    let mut rng = hyperdrive::keyed_rng(seed, 0, path);
    rand::seq::SliceRandom::shuffle(dealt.as_mut_slice(), &mut rng);
    dealt
}
