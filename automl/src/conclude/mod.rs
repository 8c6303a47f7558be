//! After the search: choose, score honestly, fit for good, explain. Nothing here is part of the history; everything can
//! be done again from the finished trials' stored predictions.

mod board;
mod choose;
mod explain;
mod guard;
mod refit;
mod remake;
mod score;
mod second;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use choose::{no_better, refold};
pub(crate) use explain::Explained;
use hyperdrive::{History, TrialId, TrialState};
use trainers::{Fitted, Pooling, Predictions};

use crate::clock::Clock;
use crate::ensemble::{Choice, Nested, Pool, nested, seen};
use crate::error::AutoMlError;
use crate::leaderboard::{EnsembleSummary, Row, Score, StackingGuard, Threshold};
use crate::prepare::Prepared;
use crate::search::{Ground, Measured, deviation, mean};
use crate::spec::{AutoMlSpec, EnsembleKind};

/// What the conclusion may use.
pub(crate) struct Conclusion<'a> {
    pub(crate) spec: &'a AutoMlSpec,
    pub(crate) prepared: &'a Arc<Prepared>,
    pub(crate) ground: &'a Ground,
    pub(crate) history: &'a History,
    pub(crate) clock: Clock,
    /// When the prompt must be back, on `clock`; none in ordered mode.
    pub(crate) until: Option<f64>,
    /// Set when the user presses Ctrl-C and waits.
    pub(crate) stop: &'a AtomicBool,
    /// Stored predictions of a trial of an earlier sitting.
    pub(crate) load: &'a (dyn Fn(TrialId) -> Result<Vec<u8>, AutoMlError> + Sync),
    /// What was measured of a trial of an earlier sitting.
    pub(crate) measured: &'a (dyn Fn(TrialId) -> Result<Measured, AutoMlError> + Sync),
    /// Looks at the holdout before this one.
    pub(crate) looks: u32,
}

/// What came of it.
pub(crate) struct Concluded {
    pub(crate) fitted: Fitted,
    pub(crate) members: Vec<(String, f64)>,
    /// Microseconds a row of what was fitted, features included.
    pub(crate) latency_us: f64,
    pub(crate) leaderboard: Vec<Row>,
    pub(crate) n_models: usize,
    pub(crate) baseline: f64,
    pub(crate) score: Score,
    pub(crate) stacking: Option<StackingGuard>,
    pub(crate) ensemble: Option<EnsembleSummary>,
    pub(crate) test: Option<Score>,
    pub(crate) threshold: Option<Threshold>,
    pub(crate) explained: Explained,
    /// Honest predictions by fold with the table rows they are for: what the report draws.
    pub(crate) judged_rows: Vec<u32>,
    pub(crate) judged_predictions: Predictions,
    /// How many of those rows each fold has, and the threshold it was judged at.
    pub(crate) judged_folds: Vec<(usize, f64)>,
}

/// How what was chosen is put together.
fn together(pool: &Pool, choice: &Choice) -> EnsembleSummary {
    let mean = match choice.blend.pooling {
        Pooling::Arithmetic => "arithmetic",
        Pooling::Geometric => "geometric",
    };
    EnsembleSummary { kind: choice.kind(pool).into(), mean: mean.into(), temperature: choice.blend.temperature }
}

impl Conclusion<'_> {
    pub(crate) fn conclude(&self) -> Result<Concluded, AutoMlError> {
        let finished = self.finished();
        if finished.is_empty() {
            return Err(self.no_model());
        }
        let mut pool = self.pool(&self.fast_enough(finished.clone())?)?;
        let folds: Vec<usize> = (0..pool.judged.n_folds()).collect();
        let single = self.choose(&pool, &folds, 1)?;
        let most = if self.spec.ensemble == EnsembleKind::None { 1 } else { usize::MAX };
        let mut choice = self.choose(&pool, &folds, most)?;
        // One split is cut into several, so that choosing and judging still see different rows.
        let mut refolded = if folds.len() > 1 { None } else { refold(&pool, self.spec.seed) };
        let unseen = folds.len() > 1 || refolded.is_some();
        let judge = |pool: &Pool, folded: Option<&Pool>, choice: &Choice, most: usize| {
            if unseen {
                let pool = folded.unwrap_or(pool);
                nested(pool, &|others| self.choose(pool, others, most))
            } else {
                seen(pool, choice)
            }
        };
        let by_single = judge(&pool, refolded.as_ref(), &single, 1)?;
        let mut by_ensemble = judge(&pool, refolded.as_ref(), &choice, most)?;
        let direction = self.prepared.metric.goal();
        let better = |one: &Nested, other: &Nested| direction.signed(one.score()) > direction.signed(other.score());
        let mut stacking = None;
        if unseen && self.spec.ensemble == EnsembleKind::Stack && self.spec.max_latency.is_none() {
            let second = self.second_layer(refolded.as_ref().unwrap_or(&pool), &choice)?;
            if !second.is_empty() {
                let mut layered = pool.clone();
                let folded = refolded.as_ref().map(|folded| folded.with(second.iter().cloned()));
                let order = folded.as_ref().map(|folded| &folded.judged);
                layered = layered.with(second.into_iter().map(|voice| voice.in_order(order, &pool.judged)));
                let in_two = self.choose(&layered, &folds, most)?;
                let by_two = judge(&layered, folded.as_ref(), &in_two, most)?;
                let mut trusted = false;
                if better(&by_two, &by_ensemble) {
                    (trusted, stacking) = self.trusts(&pool, &layered)?;
                }
                if trusted {
                    (pool, refolded, choice, by_ensemble) = (layered, folded, in_two, by_two);
                }
            }
        }
        let honest_pool = refolded.as_ref().unwrap_or(&pool);
        let ensemble_wins = choice.is_ensemble(&pool) && better(&by_ensemble, &by_single);
        let found = if ensemble_wins { (&choice, &by_ensemble) } else { (&single, &by_single) };
        let plain = no_better(honest_pool, found.1)?;
        let (final_choice, honest) = plain.as_ref().map_or(found, |(choice, by)| (choice, by));
        let ensemble_wins = ensemble_wins && plain.is_none();

        let all: Vec<(usize, Predictions)> =
            folds.iter().map(|&fold| (fold, final_choice.predict(&pool, fold))).collect();
        let threshold = self.threshold(&pool.judged, &all);
        let cut = threshold.as_ref().map_or(0.5, |threshold| threshold.value);

        let mut score = match &self.prepared.split.holdout {
            Some(rows) => self.on_holdout(&pool, final_choice, rows, cut)?,
            None => self.on_nested(&honest_pool.judged, honest, unseen),
        };
        if ensemble_wins {
            score.within_noise_of = within_noise(&by_ensemble.scores(), &by_single.scores())
                .then(|| pool.voices[single.weights[0].0].name());
        }
        let explained = self.explain(&pool, plain.as_ref().map_or(&single, |(choice, _)| choice), cut)?;
        let (fitted, members) = self.fit_final(&pool, final_choice, threshold.as_ref())?;
        let test = self.on_test(&fitted, cut)?;
        let latency_us = self.time_per_row(&fitted);
        let leaderboard = self.board(
            &pool,
            honest_pool,
            &finished,
            ensemble_wins.then_some((&choice, by_ensemble.score())),
            latency_us,
        )?;
        Ok(Concluded {
            fitted,
            members,
            latency_us,
            leaderboard,
            n_models: finished.len(),
            baseline: self.prepared.baseline,
            score,
            // A layer that passed is not told of where a single model is saved after all.
            stacking: stacking.filter(|guard| guard.fired || ensemble_wins),
            ensemble: ensemble_wins.then(|| together(&pool, final_choice)),
            test,
            threshold,
            explained,
            judged_rows: honest
                .0
                .iter()
                .flat_map(|part| honest_pool.judged.fold_rows(part.fold).iter().copied())
                .collect(),
            judged_folds: honest
                .0
                .iter()
                .map(|part| (honest_pool.judged.fold_rows(part.fold).len(), part.threshold))
                .collect(),
            judged_predictions: join(honest.0.iter().map(|part| &part.predictions)),
        })
    }

    /// Whether the user waits for the prompt.
    fn hurry(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Finished trials with their scores, best first; equal ones by number.
    fn finished(&self) -> Vec<(TrialId, f64)> {
        let direction = self.prepared.metric.goal();
        let mut finished: Vec<(TrialId, f64)> = self
            .history
            .trials()
            .iter()
            .filter(|trial| matches!(trial.state, TrialState::Finished { partial: false }))
            .filter_map(|trial| Some((trial.id, trial.value()?)))
            .collect();
        finished.sort_by(|a, b| direction.signed(b.1).total_cmp(&direction.signed(a.1)).then(a.0.cmp(&b.0)));
        finished
    }

    fn no_model(&self) -> AutoMlError {
        let failures = failures(self.history);
        match failures.first() {
            Some((reason, _)) => AutoMlError::NoModel {
                reason: format!(
                    "no trial finished; {} failed, most often because {reason}",
                    failures.iter().map(|(_, n)| n).sum::<usize>()
                ),
                hint: Some("automl leaderboard shows every reason".into()),
            },
            None => AutoMlError::NoModel {
                reason: "no trial finished in the time given".into(),
                hint: Some("give more time with --time-limit".into()),
            },
        }
    }

    fn algorithm(&self, trial: TrialId) -> String {
        let trial = self.history.trial(trial);
        trial.and_then(|trial| trial.params.text(crate::candidate::ALGORITHM).ok()).unwrap_or_default().to_owned()
    }
}

/// Reasons of failures with their counts, most frequent first.
pub(crate) fn failures(history: &History) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for trial in history.trials() {
        if let TrialState::Failed { reason, .. } = &trial.state {
            *counts.entry(reason).or_insert(0) += 1;
        }
    }
    let mut failures: Vec<(String, usize)> = counts.into_iter().map(|(reason, n)| (reason.to_owned(), n)).collect();
    failures.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    failures
}

fn join<'a>(parts: impl Iterator<Item = &'a Predictions>) -> Predictions {
    let (mut n_outputs, mut values) = (1, Vec::new());
    for part in parts {
        n_outputs = part.n_outputs();
        values.extend_from_slice(part.values());
    }
    Predictions::new(n_outputs, values)
}

/// Whether two sets of fold scores differ by less than the standard error of their difference.
fn within_noise(a: &[f64], b: &[f64]) -> bool {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    mean(&differences).abs() < deviation(&differences) / (differences.len().max(1) as f64).sqrt()
}
