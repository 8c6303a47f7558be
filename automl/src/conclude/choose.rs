//! What an ensemble may draw on, and how far the time goes for choosing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hyperdrive::TrialId;
use rayon::prelude::*;
use trainers::{Blend, MetricError, Predictions, Task};

use super::Conclusion;
use crate::ensemble::{self, Choice, Nested, Pool, Source, Voice, nested};
use crate::error::AutoMlError;
use crate::search::{REFOLDS, TrialResult, deviation, mean};

/// Values (rows × outputs) that are worth comparing for one ensemble; more members mean fewer of them.
const POOL_VALUES: usize = 2_000_000;
/// Most members an ensemble may draw on.
const POOL_MOST: usize = 40;
/// And the fewest.
const POOL_LEAST: usize = 5;
/// Choosing may take this share of the time left.
const CHOOSING_SHARE: f64 = 0.3;
/// No further member is looked for when this many seconds are left.
const CHOOSING_ENDS: f64 = 0.3;

impl Conclusion<'_> {
    /// How many members can be chosen among in the time left; any number where time does not count.
    fn affordable_members(&self) -> usize {
        let Some(until) = self.until else { return usize::MAX };
        let each = self.ground.choosing_seconds(1, self.spec.budget.cores);
        let left = (until - self.clock.seconds()).max(0.0) * CHOOSING_SHARE;
        ((left / each.max(1e-9)) as usize).max(POOL_LEAST)
    }

    /// Chooses within the time there is.
    pub(super) fn choose(&self, pool: &Pool, folds: &[usize], most: usize) -> Result<Choice, MetricError> {
        let late = || self.hurry() || self.until.is_some_and(|until| self.clock.seconds() > until - CHOOSING_ENDS);
        ensemble::choose(pool, folds, most, &late)
    }

    /// The best trials and the best of each algorithm, with their predictions.
    pub(super) fn pool(&self, finished: &[(TrialId, f64)]) -> Result<Pool, AutoMlError> {
        let judged = &self.ground.judged;
        let values = judged.rows.len() * judged.target.n_outputs();
        let most = self.affordable_members().min((POOL_VALUES / values.max(1)).clamp(POOL_LEAST, POOL_MOST));
        let picked = self.diverse(finished, most);
        let voices = picked
            .into_par_iter()
            .map(|trial| {
                let bytes = (self.load)(trial)?;
                let predictions = judged.decode(&bytes).ok_or_else(|| AutoMlError::NoModel {
                    reason: format!("the stored predictions of trial #{} do not fit the data", trial.0),
                    hint: Some("the data or the split has changed; start a new fit".into()),
                })?;
                Ok(Voice { source: Source::Trial(self.known(trial)?), predictions: Arc::new(predictions) })
            })
            .collect::<Result<Vec<_>, AutoMlError>>()?;
        Ok(Pool { judged: judged.clone(), voices, most_us: self.most_us() })
    }

    /// Microseconds a row that the saved model may take.
    fn most_us(&self) -> f64 {
        self.spec.max_latency.map_or(f64::INFINITY, |most| most.0)
    }

    /// Those that are fast enough to be saved; the fastest where none is.
    pub(super) fn fast_enough(&self, finished: Vec<(TrialId, f64)>) -> Result<Vec<(TrialId, f64)>, AutoMlError> {
        if self.spec.max_latency.is_none() {
            return Ok(finished);
        }
        let mut timed = Vec::with_capacity(finished.len());
        for (trial, score) in finished {
            timed.push((self.known(trial)?.measured.predict_us, (trial, score)));
        }
        let fastest = timed.iter().map(|(us, _)| *us).fold(f64::INFINITY, f64::min);
        let most = self.most_us().max(fastest);
        Ok(timed.into_iter().filter(|(us, _)| *us <= most).map(|(_, trial)| trial).collect())
    }

    /// The best of each algorithm in turn, so that a family of a thousand near-equal trials leaves room for the others;
    /// trials of one algorithm with equal scores are the same model under other parameters, and count once.
    fn diverse(&self, finished: &[(TrialId, f64)], most: usize) -> Vec<TrialId> {
        let mut families: BTreeMap<String, Vec<(usize, TrialId)>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (rank, &(trial, score)) in finished.iter().enumerate() {
            let algorithm = self.algorithm(trial);
            if seen.insert((algorithm.clone(), score.to_bits())) {
                families.entry(algorithm).or_default().push((rank, trial));
            }
        }
        let share = most.div_ceil(families.len().max(1));
        let (mut picked, mut rest) = (Vec::new(), Vec::new());
        for family in families.into_values() {
            let (first, others) = family.split_at(family.len().min(share));
            picked.extend_from_slice(first);
            rest.extend_from_slice(others);
        }
        rest.sort_unstable();
        picked.extend(rest.into_iter().take(most.saturating_sub(picked.len())));
        picked.sort_unstable();
        picked.into_iter().map(|(_, trial)| trial).collect()
    }

    /// What is known of a finished trial: from this sitting, or from the history and its child run.
    pub(super) fn known(&self, trial: TrialId) -> Result<TrialResult, AutoMlError> {
        if let Some(result) = self.ground.finished(trial) {
            return Ok(result);
        }
        let recorded = self.history.trial(trial);
        let measured = (self.measured)(trial)?;
        Ok(TrialResult {
            trial,
            params: recorded.map(|trial| trial.params.clone()).unwrap_or_default(),
            algorithm: self.algorithm(trial),
            fold_scores: recorded.map(|trial| trial.curve.clone()).unwrap_or_default(),
            measured,
        })
    }
}

/// The constant and its scores, where nothing that was found is better by more than noise.
pub(super) fn no_better(pool: &Pool, found: &Nested) -> Result<Option<(Choice, Nested)>, MetricError> {
    let Some(at) = pool.voices.iter().position(Voice::is_constant).filter(|_| pool.judged.n_folds() > 1) else {
        return Ok(None);
    };
    let choice = Choice { weights: vec![(at, 1.0)], blend: Blend::default() };
    let by = nested(pool, &|_| Ok(choice.clone()))?;
    let goal = pool.judged.metric.goal();
    let gains: Vec<f64> =
        found.scores().iter().zip(by.scores()).map(|(own, plain)| goal.signed(*own) - goal.signed(plain)).collect();
    // It must be better by more than the standard error.
    let better = mean(&gains) > deviation(&gains) / (gains.len() as f64).sqrt();
    let itself = found.0.iter().zip(&by.0).all(|(own, plain)| own.predictions == plain.predictions);
    Ok((!better && !itself).then_some((choice, by)))
}

/// The same pool with its one fold's rows dealt into up to [`REFOLDS`] by the seed, every class into every fold; none when
/// a class is too rare for two folds.
pub(super) fn refold(pool: &Pool, seed: u64) -> Option<Pool> {
    let judged = &pool.judged;
    let mut order: Vec<usize> = (0..judged.rows.len()).collect();
    let mut rng = hyperdrive::keyed_rng(seed, 0, "refold");
    rand::seq::SliceRandom::shuffle(order.as_mut_slice(), &mut rng);
    let class = |i: usize| judged.target.class(judged.rows[i]).unwrap_or(0);
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for &i in &order {
        *counts.entry(class(i)).or_insert(0) += 1;
    }
    let n_folds = counts.values().copied().min().unwrap_or(0).min(REFOLDS);
    if n_folds < 2 || (judged.target.task == Task::Regression && order.len() < 2 * REFOLDS) {
        return None;
    }
    // Class after class is dealt out like cards; the sort is stable, so the shuffle stays inside each class.
    order.sort_by_key(|&i| class(i));
    let hands: Vec<Vec<usize>> =
        (0..n_folds).map(|f| order.iter().copied().skip(f).step_by(n_folds).collect()).collect();
    let starts = hands.iter().scan(0, |end, hand| {
        *end += hand.len();
        Some(*end)
    });
    let starts: Vec<usize> = std::iter::once(0).chain(starts).collect();
    let dealt = judged.reordered(&hands.concat(), starts);
    let voices = pool.voices.iter().map(|voice| {
        let own = &voice.predictions[0];
        let fold = |hand: &Vec<usize>| {
            Predictions::new(own.n_outputs(), hand.iter().flat_map(|&i| own.row(i).iter().copied()).collect())
        };
        Voice { source: voice.source.clone(), predictions: Arc::new(hands.iter().map(fold).collect()) }
    });
    Some(Pool { judged: dealt, voices: voices.collect(), most_us: pool.most_us })
}
