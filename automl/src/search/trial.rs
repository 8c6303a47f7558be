//! One trial's work: its candidate fitted and judged fold by fold, from where it stands to the rung it was sent to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyperdrive::{Assignment, FailureKind, Fidelity, Outcome, Params, Rung, SegmentEnd, StudyError, TrialId};
use trainers::{Chain, Estimator, Featurizer, Predictions, Shape, Target, TargetValues, TrainData};

use super::blocks::{Answers, BlockCache};
use super::executor::{Report, Work};
use super::oof::{Judged, Measured, TrialResult, mean};
use super::rounds::Rounds;
use super::shelf::Shelf;
use super::status::Status;
use super::threads::Pool;
use crate::candidate::{Candidate, Scope, Twist};
use crate::clock::Clock;
use crate::error::AutoMlError;
use crate::prepare::Prepared;

/// Fold models of the best trials may hold this share of the memory; the others are fitted again from their seed.
const KEPT_SHARE: f64 = 0.2;
const KEPT_MOST: usize = 32;
/// So may paused trials, for their next rung.
const PAUSED_SHARE: f64 = 0.2;
const PAUSED_MOST: usize = 1000;
/// What a fold holds beside its estimator and predictions, in bytes, roughly.
const FOLD_BYTES: u64 = 4096;

/// Validation rows predicted between two looks at the stop signal.
const PIECE: usize = 512;
/// Boosting looks at the clock after this share of its most rounds.
const STEP: f64 = 0.01;
/// Fitting a fold may take this share of its part of a trial's time.
const FOLD_SHARE: f64 = 0.8;
/// Rounds of choosing before nothing improves any more, as a rule, under both means and with either number of layers.
const LIKELY_ROUNDS: f64 = 25.0;
/// An ensemble has about this many members of weight.
const LIKELY_MEMBERS: usize = 6;

/// Where a finished trial's predictions, as stored, and what was measured go before it is reported finished.
pub(crate) type Sink = Box<dyn Fn(TrialId, &[u8], &Measured) -> Result<(), AutoMlError> + Send + Sync>;

/// Everything trials share.
pub(crate) struct Ground {
    pub(super) prepared: Arc<Prepared>,
    pub(super) columns: Vec<String>,
    pub(crate) judged: Judged,
    pub(super) blocks: BlockCache,
    pub(crate) status: Arc<Status>,
    clock: Clock,
    /// What one training may take, where something is given.
    memory: Option<u64>,
    /// Whether costs count in the trainers' own work units, not seconds.
    ordered: bool,
    sink: Sink,
    paused: Mutex<Shelf<Progress>>,
    pub(super) kept: Mutex<Shelf<Vec<FoldModel>>>,
    pub(super) finished: Mutex<BTreeMap<TrialId, TrialResult>>,
    /// Seconds spent on scoring folds, and how many were scored.
    scoring: Mutex<(f64, u32)>,
}

/// One fold's fitted chain.
#[derive(Debug, Clone)]
pub(crate) struct FoldModel {
    features: Arc<Featurizer>,
    pub(super) estimator: Estimator,
}

impl FoldModel {
    pub(crate) fn chain(&self) -> Chain {
        Chain { features: (*self.features).clone(), estimator: self.estimator.clone() }
    }
}

/// What a trial that paused has done so far, at one share of the rows.
#[derive(Debug, Default)]
struct Progress {
    rows_share: f64,
    folds: Vec<FoldResult>,
}

#[derive(Debug)]
struct FoldResult {
    predictions: Predictions,
    score: f64,
    cost: f64,
    fit_seconds: f64,
    predict_us: f64,
    /// Up to its best round; with all its rounds as long as other folds may tell better which is best.
    model: FoldModel,
    /// Losses on the validation rows after each round, where they were watched.
    curve: Vec<f64>,
}

impl Work for Ground {
    fn run(
        &self,
        assignment: &Assignment,
        stop: &AtomicBool,
        deadline: Option<f64>,
        pool: &Pool,
        report: Report<'_>,
    ) -> SegmentEnd {
        let end = self.advance(assignment, stop, deadline, pool, report).unwrap_or_else(|halt| match halt {
            Halt::Stopped => SegmentEnd::Stopped,
            Halt::Failed(reason) => SegmentEnd::Failed { kind: FailureKind::Error, reason },
            Halt::Late(reason) => SegmentEnd::Failed { kind: FailureKind::TimedOut, reason },
            Halt::Partial(outcome, curve) => SegmentEnd::Partial { outcome, curve },
        });
        self.abandoned(assignment.trial);
        end
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    fn ordered(&self) -> bool {
        self.ordered
    }

    fn abandoned(&self, trial: TrialId) {
        self.status.update(|picture| {
            picture.running.remove(&trial.0);
        });
    }
}

impl Progress {
    fn rounds(&self) -> Rounds {
        Rounds::of(&self.folds.iter().map(|fold| fold.curve.as_slice()).collect::<Vec<_>>())
    }
}

impl FoldResult {
    fn bytes(&self) -> u64 {
        FOLD_BYTES + (self.model.estimator.bytes() + size_of_val(self.predictions.values())) as u64
    }
}

impl Ground {
    pub(crate) fn new(
        prepared: Arc<Prepared>,
        status: Arc<Status>,
        clock: Clock,
        memory: u64,
        bounded: bool,
        ordered: bool,
        sink: Sink,
    ) -> Self {
        let judged = Judged::new(&prepared.split.folds, prepared.target.clone(), prepared.metric.clone());
        let target = match &prepared.weights {
            Some(weights) => Arc::new(counted(&prepared.target, &weights.values)),
            None => prepared.target.clone(),
        };
        let answers = Answers { target, together: prepared.split.together.clone(), seed: prepared.split.folds.seed };
        Self {
            columns: prepared.features(),
            blocks: BlockCache::new(prepared.table.clone(), answers, prepared.split.searched(), memory, bounded),
            judged,
            memory: bounded.then_some(memory),
            status,
            clock,
            ordered,
            sink,
            paused: Mutex::new(Shelf::new((memory as f64 * PAUSED_SHARE) as u64, PAUSED_MOST)),
            kept: Mutex::new(Shelf::new((memory as f64 * KEPT_SHARE) as u64, KEPT_MOST)),
            finished: Mutex::default(),
            scoring: Mutex::default(),
            prepared,
        }
    }

    pub(super) fn candidate(&self, params: &Params) -> Result<Candidate, StudyError> {
        Candidate::of(params, &self.columns, &self.prepared.settings)
    }

    fn advance(
        &self,
        assignment: &Assignment,
        stop: &AtomicBool,
        deadline: Option<f64>,
        pool: &Pool,
        report: Report<'_>,
    ) -> Result<SegmentEnd, Halt> {
        let candidate = self.candidate(&assignment.params).map_err(|e| Halt::Failed(e.to_string()))?;
        let ladder = self.prepared.split.ladder.rungs();
        let taken = lock(&self.paused).take(assignment.trial);
        // A checkpoint that is gone (a crash, an eviction) is built again from the start, unreported.
        let mut progress = taken.unwrap_or_default();
        let first = assignment.from.map_or(0, |rung| rung.0 + 1);
        let mut curve = Vec::new();
        let mut cost = 0.0;
        for rung in first..=assignment.until.0 {
            let fidelity = ladder[usize::from(rung)];
            if progress.rows_share != fidelity.rows {
                progress = Progress { rows_share: fidelity.rows, folds: Vec::new() };
            }
            while progress.folds.len() < usize::from(fidelity.folds) {
                self.show(assignment, &candidate, &progress, fidelity);
                if stop.load(Ordering::Relaxed) {
                    return Err(Halt::Stopped);
                }
                if deadline.is_some_and(|at| self.clock.seconds() > at) {
                    return Err(late(&progress, outcome(&progress, cost)));
                }
                let fold = progress.folds.len();
                let left = usize::from(ladder.last().map_or(1, |last| last.folds)) - fold;
                let now = self.clock.seconds();
                let until = deadline.map(|at| now + FOLD_SHARE * (at - now) / left.max(1) as f64);
                let means = Means { seed: assignment.seed, pool, stop, until };
                let result = self.fold(&candidate, fold, fidelity, &means);
                let overdue = deadline.is_some_and(|at| self.clock.seconds() > at);
                let result = match result {
                    // The executor asks a trial to stop at its own deadline too.
                    Err(Halt::Stopped) if overdue => return Err(late(&progress, outcome(&progress, cost))),
                    other => other?,
                };
                cost += result.cost;
                progress.folds.push(result);
            }
            curve = progress.folds.iter().map(|fold| fold.score).collect();
            if usize::from(rung) + 1 == ladder.len() {
                // Told to stop by the search: nobody waits for it any more. At its own deadline it may still finish.
                let overdue = deadline.is_some_and(|at| self.clock.seconds() > at);
                if stop.load(Ordering::Relaxed) && !overdue {
                    return Err(Halt::Stopped);
                }
                self.settle(&candidate, &mut progress, stop)?;
                curve = progress.folds.iter().map(|fold| fold.score).collect();
                self.store(assignment, &candidate, &progress)?;
            }
            report(Rung(rung), outcome(&progress, cost));
        }
        if usize::from(assignment.until.0) + 1 < ladder.len() {
            self.pause(assignment.trial, progress);
        }
        Ok(SegmentEnd::Reached { curve })
    }

    /// Fits and judges one fold.
    fn fold(
        &self,
        candidate: &Candidate,
        fold: usize,
        fidelity: Fidelity,
        means: &Means<'_>,
    ) -> Result<FoldResult, Halt> {
        let split = &self.prepared.split.folds.splits[fold];
        let rows = share(&split.train, fidelity.rows, self.prepared.split.folds.seed);
        let watched = candidate.watches().then(|| split.valid.clone());
        let fitted = self.fit(candidate, fold as u16, fidelity.rows, &rows, watched, means)?;
        let best = Rounds::of(&[&fitted.curve]).refit;
        let began = self.clock.seconds();
        let predictions = self.predict(&fitted.model.estimator.up_to(best), &fitted.block, &split.valid, means.stop)?;
        let seconds = self.clock.seconds() - began;
        let predict_us = fitted.features_us + seconds * 1e6 / split.valid.len().max(1) as f64;
        if predictions.values().iter().any(|v| !v.is_finite()) {
            return Err(Halt::Failed(format!("predictions of fold {} are not finite", fold + 1)));
        }
        let predictions = self.judged.round(&predictions);
        let score = self.score(fold, &predictions)?;
        Ok(FoldResult {
            predictions,
            curve: fitted.curve,
            score,
            cost: fitted.cost,
            fit_seconds: fitted.seconds,
            predict_us,
            model: fitted.model,
        })
    }

    fn score(&self, fold: usize, predictions: &Predictions) -> Result<f64, Halt> {
        let began = self.clock.seconds();
        let score = self.judged.score_fold(fold, predictions, 0.5).map_err(|e| Halt::Failed(e.to_string()))?;
        self.note_scoring(self.clock.seconds() - began);
        Ok(score)
    }

    /// Takes of each fold's model the rounds that the other folds found best, and judges it again.
    fn settle(&self, candidate: &Candidate, progress: &mut Progress, stop: &AtomicBool) -> Result<(), Halt> {
        let rounds = progress.rounds();
        for (fold, rounds) in rounds.folds.into_iter().enumerate() {
            let own = &mut progress.folds[fold];
            own.model.estimator = own.model.estimator.up_to(rounds).into_owned();
            // It was judged with the rounds that its own rows found best.
            if rounds != Rounds::of(&[&own.curve]).refit {
                let split = &self.prepared.split.folds.splits[fold];
                let rows = share(&split.train, progress.rows_share, self.prepared.split.folds.seed);
                let featurized =
                    self.blocks.get(&candidate.plan, fold as u16, progress.rows_share, &rows).map_err(Halt::Failed)?;
                let predictions = self.predict(&own.model.estimator, &featurized.block, &split.valid, stop)?;
                own.predictions = self.judged.round(&predictions);
                own.score = self.score(fold, &own.predictions)?;
            }
        }
        Ok(())
    }

    /// Predicts piece by piece, so that a slow predictor can be stopped; a row's prediction depends on that row alone.
    pub(super) fn predict(
        &self,
        estimator: &Estimator,
        block: &trainers::Block,
        rows: &[u32],
        stop: &AtomicBool,
    ) -> Result<Predictions, Halt> {
        let mut values = Vec::with_capacity(rows.len() * self.judged.target.n_outputs());
        for piece in rows.chunks(PIECE) {
            if stop.load(Ordering::Relaxed) {
                return Err(Halt::Stopped);
            }
            values.extend_from_slice(estimator.predict(block, piece).values());
        }
        Ok(Predictions::new(self.judged.target.n_outputs(), values))
    }

    /// What scoring a fold takes on average, from which choosing an ensemble is predicted.
    fn note_scoring(&self, seconds: f64) {
        let mut scoring = lock(&self.scoring);
        *scoring = (scoring.0 + seconds, scoring.1 + 1);
    }

    /// Seconds that choosing among this many members takes, nested included.
    pub(crate) fn choosing_seconds(&self, n_members: usize, cores: usize) -> f64 {
        let folds = self.judged.n_folds() as f64;
        let scorings = n_members as f64 * LIKELY_ROUNDS * folds * (1.0 + folds);
        let (seconds, n) = *lock(&self.scoring);
        seconds / f64::from(n.max(1)) * scorings / cores as f64
    }

    /// Fits a candidate on some rows: a fold's training view here, all rows in a refit. Where it watches held-out rows
    /// the model has all its rounds.
    pub(super) fn fit(
        &self,
        candidate: &Candidate,
        fold: u16,
        rows_share: f64,
        rows: &Arc<[u32]>,
        held_out: Option<Arc<[u32]>>,
        &Means { seed, pool, stop, until }: &Means<'_>,
    ) -> Result<FittedFold, Halt> {
        let featurized = self.blocks.get(&candidate.plan, fold, rows_share, rows).map_err(Halt::Failed)?;
        if stop.load(Ordering::Relaxed) {
            return Err(Halt::Stopped);
        }
        let trainer = candidate.algorithm.trainer();
        let target = candidate.target(&self.prepared).clone();
        let seed = seed.wrapping_add(u64::from(fold));
        let data = TrainData {
            bins: featurized.bins.clone(),
            weights: candidate.weights(&self.prepared),
            memory: self.memory,
            held_out,
            pool: pool.clone(),
            ..TrainData::new(vec![featurized.block.clone()], rows.clone(), target, seed)
        };
        let shape = data.shape();
        let began = self.clock.seconds();
        let failed = |error: trainers::TrainError| Halt::Failed(error.to_string());
        let mut training = trainer.start(&data, &candidate.params, None).map_err(failed)?;
        let mut done = 0.0;
        while done < 1.0 {
            let next = if candidate.watches() && until.is_some() { done + STEP } else { 1.0 };
            done = training.advance(next.min(1.0), stop).map_err(failed)?;
            if stop.load(Ordering::Relaxed) {
                return Err(Halt::Stopped);
            }
            // What is learned by then is a model of fewer rounds.
            if candidate.watches() && until.is_some_and(|at| self.clock.seconds() > at) {
                break;
            }
        }
        let estimator = candidate.answering(training.whole().map_err(failed)?, &self.prepared);
        let seconds = self.clock.seconds() - began;
        let curve = training.watched().to_vec();
        let work = || trainer.work(&shape, &candidate.params) * candidate.share_of_work(curve.len());
        let cost = if self.ordered { work() } else { seconds };
        let model = FoldModel { features: featurized.featurizer.clone(), estimator };
        let (block, features_us) = (featurized.block.clone(), featurized.us_per_row);
        Ok(FittedFold { model, block, features_us, cost, seconds, curve })
    }

    /// Whether a trial's fold models are at hand.
    pub(crate) fn keeps(&self, trial: TrialId) -> bool {
        lock(&self.kept).get(trial).is_some()
    }

    /// Seconds that judging and refitting the best trials so far will take, from what they have taken.
    pub(crate) fn after_search(&self, cores: usize) -> f64 {
        let best = lock(&self.kept).best(LIKELY_MEMBERS);
        let finished = lock(&self.finished);
        let members: Vec<&TrialResult> = best.iter().filter_map(|trial| finished.get(trial)).collect();
        let judged = self.prepared.split.holdout.as_ref().map_or(0, |rows| rows.len())
            + self.prepared.test.as_ref().map_or(0, |test| test.rows.len());
        let predict: f64 = members.iter().map(|member| member.measured.predict_us * 1e-6).sum();
        self.choosing_seconds(LIKELY_MEMBERS, cores)
            + predict * judged as f64 / cores as f64
            + self.refit_seconds(members.iter().map(|member| member.measured.fit_seconds), cores)
    }

    /// Seconds to fit these on all rows, from what a fold took: more rows than any fold's, `cores` at a time.
    pub(crate) fn refit_seconds(&self, fold_seconds: impl Iterator<Item = f64>, cores: usize) -> f64 {
        let train = self.prepared.split.folds.splits.iter().map(|split| split.train.len()).max().unwrap_or(1);
        let growth = self.prepared.rows.len() as f64 / train.max(1) as f64;
        let (longest, sum) = fold_seconds.fold((0.0_f64, 0.0), |(longest, sum), s| (longest.max(s), sum + s));
        longest.max(sum / cores as f64) * growth.powf(1.5)
    }

    /// Trials finished in this sitting.
    pub(crate) fn finished(&self, trial: TrialId) -> Option<TrialResult> {
        lock(&self.finished).get(&trial).cloned()
    }

    /// What candidates are drawn from.
    pub(crate) fn scope(prepared: &Prepared) -> Scope<'_> {
        Scope { shape: Self::shape(prepared), algorithms: &prepared.algorithms, twist: Twist::of(prepared) }
    }

    /// The shape a candidate trains on: one fold's training rows.
    pub(crate) fn shape(prepared: &Prepared) -> Shape {
        let n_rows = prepared.split.folds.splits.iter().map(|split| split.train.len()).min().unwrap_or(0);
        Shape {
            task: prepared.task(),
            n_rows,
            n_features: prepared.schema.columns.len(),
            n_classes: prepared.target.n_classes(),
        }
    }

    /// Makes a finished trial durable, then known.
    fn store(&self, assignment: &Assignment, candidate: &Candidate, progress: &Progress) -> Result<(), Halt> {
        let predictions: Vec<Predictions> = progress.folds.iter().map(|fold| fold.predictions.clone()).collect();
        let of = |get: fn(&FoldResult) -> f64| mean(&progress.folds.iter().map(get).collect::<Vec<_>>());
        let result = TrialResult {
            trial: assignment.trial,
            params: assignment.params.clone(),
            algorithm: candidate.algorithm.name().to_owned(),
            fold_scores: progress.folds.iter().map(|fold| fold.score).collect(),
            measured: Measured {
                fit_seconds: of(|fold| fold.fit_seconds),
                predict_us: of(|fold| fold.predict_us),
                rounds: progress.rounds(),
            },
        };
        (self.sink)(assignment.trial, &self.judged.encode(&predictions), &result.measured)
            .map_err(|error| Halt::Failed(format!("its predictions could not be stored: {error}")))?;
        self.keep(&result, progress);
        lock(&self.finished).insert(assignment.trial, result);
        Ok(())
    }

    /// Keeps a paused trial's folds for its next rung.
    fn pause(&self, trial: TrialId, progress: Progress) {
        let score = self.judged.metric.goal().signed(progress.folds.first().map_or(f64::NAN, |fold| fold.score));
        let bytes = progress.folds.iter().map(FoldResult::bytes).sum();
        lock(&self.paused).put(trial, score, bytes, progress);
    }

    /// Keeps the fold models of the best.
    fn keep(&self, result: &TrialResult, progress: &Progress) {
        let score = self.judged.metric.goal().signed(result.score());
        let bytes = progress.folds.iter().map(FoldResult::bytes).sum();
        let models = progress.folds.iter().map(|fold| fold.model.clone()).collect();
        lock(&self.kept).put(result.trial, score, bytes, models);
    }

    fn show(&self, assignment: &Assignment, candidate: &Candidate, progress: &Progress, fidelity: Fidelity) {
        let value = (!progress.folds.is_empty())
            .then(|| mean(&progress.folds.iter().map(|fold| fold.score).collect::<Vec<_>>()));
        let of = self.prepared.split.folds.splits.len();
        let text = if of > 1 {
            format!("fold {}/{of}", progress.folds.len() + 1)
        } else {
            format!("{:.0}% of rows", fidelity.rows * 100.0)
        };
        let running =
            super::status::RunningTrial { algorithm: candidate.algorithm.name().into(), progress: text, value };
        self.status.update(|picture| {
            picture.running.insert(assignment.trial.0, running);
        });
    }
}

/// What a fit is done with, beside the data.
pub(super) struct Means<'a> {
    /// The trial's seed.
    pub(super) seed: u64,
    pub(super) pool: &'a Pool,
    pub(super) stop: &'a AtomicBool,
    /// When boosting that watches held-out rows ends with the rounds it has, so that every fold has its turn.
    pub(super) until: Option<f64>,
}

pub(super) struct FittedFold {
    pub(super) model: FoldModel,
    pub(super) block: Arc<trainers::Block>,
    /// Microseconds a row that making it took.
    pub(super) features_us: f64,
    cost: f64,
    seconds: f64,
    curve: Vec<f64>,
}

/// Why a segment did not reach its rung.
pub(super) enum Halt {
    Stopped,
    Failed(String),
    Late(String),
    Partial(Outcome, Vec<f64>),
}

impl Halt {
    pub(super) fn into_error(self, result: &TrialResult) -> AutoMlError {
        let reason = match self {
            Self::Failed(reason) | Self::Late(reason) => reason,
            Self::Stopped | Self::Partial(..) => "stopped".into(),
        };
        AutoMlError::NoModel { reason: format!("{} could not be fitted again: {reason}", result.name()), hint: None }
    }
}

/// What a rung reports: the mean score over the folds so far, and what this segment cost.
fn outcome(progress: &Progress, cost: f64) -> Outcome {
    let scores: Vec<f64> = progress.folds.iter().map(|fold| fold.score).collect();
    Outcome { values: vec![mean(&scores)], constraints: Vec::new(), cost }
}

/// At its deadline a trial is scored with what it has.
fn late(progress: &Progress, outcome: Outcome) -> Halt {
    if progress.folds.is_empty() {
        return Halt::Late("its time was up before the first fold was done".into());
    }
    Halt::Partial(outcome, progress.folds.iter().map(|fold| fold.score).collect())
}

/// The target without the rows of weight 0, which are as good as absent: statistics of it do not look at them.
fn counted(target: &Target, weights: &[f64]) -> Target {
    let mut target = target.clone();
    match &mut target.values {
        TargetValues::Classes(values) => {
            values
                .iter_mut()
                .zip(weights)
                .filter(|(_, weight)| **weight == 0.0)
                .for_each(|(class, _)| *class = u32::MAX);
        }
        TargetValues::Numbers(values) => {
            values.iter_mut().zip(weights).filter(|(_, weight)| **weight == 0.0).for_each(|(v, _)| *v = f64::NAN);
        }
    }
    target
}

/// A seeded share of the rows, in row order; all of them without a copy.
fn share(rows: &Arc<[u32]>, fraction: f64, seed: u64) -> Arc<[u32]> {
    if fraction >= 1.0 {
        return rows.clone();
    }
    let n = ((rows.len() as f64 * fraction).round() as usize).clamp(1, rows.len());
    let mut rng = hyperdrive::keyed_rng(seed, 0, "share of rows");
    let mut picked: Vec<u32> = rand::seq::index::sample(&mut rng, rows.len(), n).into_iter().map(|i| rows[i]).collect();
    picked.sort_unstable();
    picked.into()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panicking trial leaves these maps whole: every change to them is a single insert or remove.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use trainers::Task;

    use super::*;

    #[test]
    fn rows_of_weight_0_have_no_target_to_look_at() {
        let target = |task, values| Target { task, classes: vec!["a".into(), "b".into()], values };
        let of = counted(&target(Task::Binary, TargetValues::Classes(vec![0, 1, 1])), &[1.0, 0.0, 0.5]);
        assert_eq!([of.class(0), of.class(1), of.class(2)], [Some(0), None, Some(1)]);
        let of = counted(&target(Task::Regression, TargetValues::Numbers(vec![1.0, 2.0])), &[0.0, 3.0]);
        assert_eq!([of.number(0), of.number(1)], [None, Some(2.0)]);
    }
}
