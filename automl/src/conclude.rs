//! After the search: choose, score honestly, fit for good, explain. Nothing here is part of the history; everything can
//! be done again from the finished trials' stored predictions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datasets::{Column, Table};
use hyperdrive::{History, TrialId, TrialState};
use rayon::prelude::*;
use trainers::{Chain, Fitted, Member, Metric, Model, ModelCard, Predictions, Target, Task};

use crate::clock::Clock;
use crate::ensemble::{self, Choice, Interval, Pool, best_threshold, bootstrap, nested, threshold_metric};
use crate::error::AutoMlError;
use crate::leaderboard::{Row, Score, Threshold};
use crate::predict::predict_rows;
use crate::prepare::Prepared;
use crate::search::{Ground, Judged, TrialResult, deviation, mean};
use crate::spec::AutoMlSpec;

/// Values (rows × outputs) that are worth comparing for one ensemble; more members mean fewer of them.
const POOL_VALUES: usize = 4_000_000;
/// Most members an ensemble may draw on.
const POOL_MOST: usize = 40;
/// Rows of the leaderboard that are kept.
const BOARD: usize = 25;
/// Resamples behind an interval.
const RESAMPLES: usize = 200;
/// Folds made of one validation split, so that a choice can be judged on rows it did not see.
const REFOLDS: usize = 5;
/// A refit is begun only when it is predicted to take at most this share of the time left.
const REFIT_SHARE: f64 = 0.8;
/// Shuffling columns may take this share of the time left.
const IMPORTANCE_SHARE: f64 = 0.25;
/// Fewer rows than this say nothing about a column.
const IMPORTANCE_LEAST: usize = 100;
/// Bins of the expected calibration error.
const CALIBRATION_BINS: usize = 15;
/// Rows on which columns are shuffled.
const IMPORTANCE_ROWS: usize = 1000;

/// What the conclusion may use.
pub(crate) struct Conclusion<'a> {
    pub(crate) spec: &'a AutoMlSpec,
    pub(crate) prepared: &'a Arc<Prepared>,
    pub(crate) ground: &'a Ground,
    pub(crate) history: &'a History,
    pub(crate) clock: Clock,
    /// When the prompt must be back, on `clock`; none in ordered mode.
    pub(crate) until: Option<f64>,
    /// Whether the user pressed Ctrl-C and waits.
    pub(crate) hurry: bool,
    /// Stored predictions of a trial of an earlier sitting.
    pub(crate) load: &'a (dyn Fn(TrialId) -> Result<Vec<u8>, AutoMlError> + Sync),
    /// Looks at the holdout before this one.
    pub(crate) looks: u32,
}

/// What came of it.
pub(crate) struct Concluded {
    pub(crate) fitted: Fitted,
    pub(crate) members: Vec<(String, f64)>,
    pub(crate) leaderboard: Vec<Row>,
    pub(crate) n_models: usize,
    pub(crate) baseline: Option<f64>,
    pub(crate) score: Score,
    pub(crate) test: Option<Score>,
    pub(crate) threshold: Option<Threshold>,
    pub(crate) importance: Vec<(String, f64)>,
    /// Honest predictions by fold with the table rows they are for: what the report draws.
    pub(crate) judged_rows: Vec<u32>,
    pub(crate) judged_predictions: Predictions,
}

impl Conclusion<'_> {
    pub(crate) fn conclude(&self) -> Result<Concluded, AutoMlError> {
        let finished = self.finished();
        if finished.is_empty() {
            return Err(self.no_model());
        }
        let pool = self.pool(&finished)?;
        let folds: Vec<usize> = (0..pool.judged.n_folds()).collect();
        let choice = ensemble::choose(&pool, &folds, usize::MAX)?;
        let single = ensemble::choose(&pool, &folds, 1)?;
        // One split is cut into several, so that choosing and judging still see different rows.
        let honest_pool = if pool.judged.n_folds() > 1 { None } else { Some(refold(&pool, self.spec.seed)) };
        let honest_pool = honest_pool.as_ref().unwrap_or(&pool);
        let by_ensemble = nested(honest_pool, &|others| ensemble::choose(honest_pool, others, usize::MAX))?;
        let by_single = nested(honest_pool, &|others| ensemble::choose(honest_pool, others, 1))?;
        let direction = self.prepared.metric.goal();
        let ensemble_wins =
            choice.weights.len() > 1 && direction.signed(by_ensemble.score()) > direction.signed(by_single.score());
        let (final_choice, honest) = if ensemble_wins { (&choice, &by_ensemble) } else { (&single, &by_single) };

        let all: Vec<(usize, Predictions)> =
            folds.iter().map(|&fold| (fold, final_choice.predict(&pool, fold))).collect();
        let threshold = self.threshold(&pool.judged, &all);
        let cut = threshold.as_ref().map_or(0.5, |threshold| threshold.value);

        let mut score = match &self.prepared.split.holdout {
            Some(rows) => self.on_holdout(&pool, final_choice, rows, cut)?,
            None => self.on_nested(&honest_pool.judged, honest),
        };
        if ensemble_wins {
            score.within_noise_of = within_noise(&by_ensemble.scores, &by_single.scores)
                .then(|| pool.members[single.weights[0].0].0.name());
        }
        let importance = self.importance(&pool, &single, cut)?;
        let (fitted, members) = self.fit_final(&pool, final_choice, threshold.as_ref())?;
        let test = self.on_test(&fitted, cut)?;
        let leaderboard = self.board(
            &pool,
            honest_pool,
            &finished,
            ensemble_wins.then_some((&choice, by_ensemble.score())),
            &fitted,
        )?;
        Ok(Concluded {
            fitted,
            members,
            leaderboard,
            n_models: finished.len(),
            baseline: self.baseline(),
            score,
            test,
            threshold,
            importance,
            judged_rows: honest_pool.judged.rows.clone(),
            judged_predictions: join(&honest.folds),
        })
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
            Some((reason, n)) => AutoMlError::NoModel {
                reason: format!("no trial finished; {n} failed, most often because {reason}"),
                hint: Some("automl leaderboard shows every reason".into()),
            },
            None => AutoMlError::NoModel {
                reason: "no trial finished in the time given".into(),
                hint: Some("give more time with --time-limit".into()),
            },
        }
    }

    /// The best trials and the best of each algorithm, with their predictions.
    fn pool(&self, finished: &[(TrialId, f64)]) -> Result<Pool, AutoMlError> {
        let judged = &self.ground.judged;
        let values = judged.rows.len() * judged.target.n_outputs();
        let most = (POOL_VALUES / values.max(1)).clamp(4, POOL_MOST);
        let (mut picked, mut algorithms) = (Vec::new(), BTreeSet::new());
        for &(trial, _) in finished {
            let algorithm = self.algorithm(trial);
            let first = algorithms.insert(algorithm.clone());
            if algorithm != "constant" && (picked.len() < most || first) {
                picked.push(trial);
            }
        }
        if picked.is_empty() {
            picked.push(finished[0].0);
        }
        let members = picked
            .into_par_iter()
            .map(|trial| {
                let bytes = (self.load)(trial)?;
                let predictions = judged.decode(&bytes).ok_or_else(|| AutoMlError::NoModel {
                    reason: format!("the stored predictions of trial #{} do not fit the data", trial.0),
                    hint: Some("the data or the split has changed; start a new fit".into()),
                })?;
                Ok((self.result(trial, &predictions)?, Arc::new(predictions)))
            })
            .collect::<Result<Vec<_>, AutoMlError>>()?;
        Ok(Pool { judged: judged.clone(), members })
    }

    fn algorithm(&self, trial: TrialId) -> String {
        let trial = self.history.trial(trial);
        trial.and_then(|trial| trial.params.text(crate::candidate::ALGORITHM).ok()).unwrap_or_default().to_owned()
    }

    /// What is known of a finished trial; scores are computed again from what was stored, to the last bit.
    fn result(&self, trial: TrialId, predictions: &[Predictions]) -> Result<TrialResult, AutoMlError> {
        if let Some(result) = self.ground.finished(trial) {
            return Ok(result);
        }
        let params = self.history.trial(trial).map(|trial| trial.params.clone()).unwrap_or_default();
        let scores = predictions.iter().enumerate().map(|(fold, p)| self.ground.judged.score_fold(fold, p, 0.5));
        Ok(TrialResult {
            trial,
            params,
            algorithm: self.algorithm(trial),
            fold_scores: scores.collect::<Result<_, _>>()?,
            fit_seconds: 0.0,
            predict_us: 0.0,
        })
    }

    fn threshold(&self, judged: &Judged, folds: &[(usize, Predictions)]) -> Option<Threshold> {
        if self.prepared.task() != Task::Binary {
            return None;
        }
        let metric = threshold_metric(judged);
        let value = best_threshold(judged, metric, folds);
        let rows: Vec<u32> = folds.iter().flat_map(|(fold, _)| judged.fold_rows(*fold).iter().copied()).collect();
        let all = join(&folds.iter().map(|(_, p)| p.clone()).collect::<Vec<_>>());
        let at = |threshold| metric.score(&judged.target, &rows, &all, threshold).unwrap_or(f64::NAN);
        Some(Threshold { value, metric: metric.name().into(), score: at(value), score_at_half: at(0.5) })
    }

    fn on_nested(&self, judged: &Judged, honest: &ensemble::Nested) -> Score {
        let folds: Vec<(usize, &Predictions, f64)> =
            honest.folds.iter().zip(&honest.thresholds).enumerate().map(|(f, (p, &t))| (f, p, t)).collect();
        let interval = bootstrap(judged, &folds, self.resamples(judged.rows.len()), self.spec.seed);
        let all = join(&honest.folds);
        self.score(
            honest.score(),
            interval,
            "nested out-of-fold",
            &judged.target,
            &judged.rows,
            &all,
            mean(&honest.thresholds),
        )
    }

    /// The models as they were before any refit, on the rows nothing was chosen on.
    fn on_holdout(&self, pool: &Pool, choice: &Choice, rows: &Arc<[u32]>, cut: f64) -> Result<Score, AutoMlError> {
        let bag = self.bag(pool, choice)?;
        let table = self.prepared.table.take(rows)?;
        let predictions = predict_rows(&bag, &table)?;
        let target = &self.prepared.target;
        let value = self.prepared.metric.score(target, rows, &predictions, cut)?;
        let interval = self.interval_of(target, rows, &predictions, cut);
        let mut score = self.score(value, interval, "holdout", target, rows, &predictions, cut);
        score.looks = self.looks + 1;
        Ok(score)
    }

    fn on_test(&self, fitted: &Fitted, cut: f64) -> Result<Option<Score>, AutoMlError> {
        let Some(test) = &self.prepared.test else { return Ok(None) };
        let table = test.table.take(&test.rows)?;
        let predictions = predict_rows(fitted, &table)?;
        let value = self.prepared.metric.score(&test.target, &test.rows, &predictions, cut)?;
        let target = Arc::new(test.target.clone());
        let interval = self.interval_of(&target, &test.rows, &predictions, cut);
        Ok(Some(self.score(value, interval, "test", &test.target, &test.rows, &predictions, cut)))
    }

    fn interval_of(&self, target: &Arc<Target>, rows: &[u32], predictions: &Predictions, cut: f64) -> Option<Interval> {
        let judged = Judged::of_rows(rows.to_vec(), target.clone(), self.prepared.metric);
        bootstrap(&judged, &[(0, predictions, cut)], self.resamples(rows.len()), self.spec.seed)
    }

    fn resamples(&self, n_rows: usize) -> usize {
        let affordable = 4_000_000 / n_rows.max(1);
        let most = if self.hurry { RESAMPLES / 4 } else { RESAMPLES };
        affordable.clamp(40, most)
    }

    #[expect(clippy::too_many_arguments, reason = "one place makes every kind of score from its parts")]
    fn score(
        &self,
        value: f64,
        interval: Option<Interval>,
        source: &str,
        target: &Target,
        rows: &[u32],
        predictions: &Predictions,
        cut: f64,
    ) -> Score {
        let own = self.prepared.metric;
        let measured = Metric::all().iter().filter(|metric| **metric != own && metric.tasks().contains(&target.task));
        let mut others: BTreeMap<String, f64> = measured
            .filter_map(|metric| Some((metric.name().to_owned(), metric.score(target, rows, predictions, cut).ok()?)))
            .collect();
        if target.task.is_classification() {
            let ece = trainers::expected_calibration_error(target, rows, predictions, CALIBRATION_BINS);
            others.extend(ece.ok().map(|ece| ("expected_calibration_error".to_owned(), ece)));
        }
        Score {
            metric: own.name().into(),
            value,
            interval: interval.map(|interval| (interval.low, interval.high)),
            source: source.into(),
            n_rows: rows.len(),
            others,
            within_noise_of: None,
            looks: 0,
        }
    }

    /// Members as bags of their fold models.
    fn bag(&self, pool: &Pool, choice: &Choice) -> Result<Fitted, AutoMlError> {
        let members = choice
            .weights
            .par_iter()
            .map(|&(at, weight)| {
                let result = &pool.members[at].0;
                let chains = self.ground.fold_models(result, self.seed(result.trial))?;
                Ok(Member { weight, chains, name: result.name() })
            })
            .collect::<Result<Vec<_>, AutoMlError>>()?;
        Ok(Fitted { card: self.card(None, String::new()), members })
    }

    fn seed(&self, trial: TrialId) -> u64 {
        hyperdrive::trial_seed(self.spec.seed, trial)
    }

    /// Fits the chosen members on every row when there is time, else keeps their fold models as a bag.
    fn fit_final(
        &self,
        pool: &Pool,
        choice: &Choice,
        threshold: Option<&Threshold>,
    ) -> Result<(Fitted, Vec<(String, f64)>), AutoMlError> {
        let members: Vec<(String, f64)> =
            choice.weights.iter().map(|&(at, weight)| (pool.members[at].0.name(), weight)).collect();
        let n = crate::prepare::thousands(self.prepared.rows.len());
        let scored_before = "scores are from before that";
        if self.time_to_refit(pool, choice) {
            let rows: Arc<[u32]> = self.prepared.rows.clone().into();
            let refitted = choice
                .weights
                .par_iter()
                .map(|&(at, weight)| {
                    let result = &pool.members[at].0;
                    let chain = self.ground.refit(result, self.seed(result.trial), &rows)?;
                    Ok(Member { weight, chains: vec![chain], name: result.name() })
                })
                .collect::<Result<Vec<Member>, AutoMlError>>();
            if let Ok(refitted) = refitted {
                let words = format!("fitted on all {n} rows; {scored_before}");
                return Ok((Fitted { card: self.card(threshold, words), members: refitted }, members));
            }
        }
        let why = if self.hurry { "stopped before a refit" } else { "no time was left to refit" };
        let mut bag = self.bag(pool, choice)?;
        let splits = &self.prepared.split.folds.splits;
        let words = if splits.len() > 1 {
            format!("the mean of {} fold models, each fitted on its part of {n} rows; {why}", splits.len())
        } else {
            let part = crate::prepare::thousands(splits[0].train.len());
            format!("fitted on {part} of {n} rows; {why}")
        };
        bag.card = self.card(threshold, words);
        Ok((bag, members))
    }

    /// Predicted from what the folds took: a refit sees more rows than any of them.
    fn time_to_refit(&self, pool: &Pool, choice: &Choice) -> bool {
        let Some(until) = self.until else { return true };
        if self.hurry {
            return false;
        }
        let seconds = choice.weights.iter().map(|&(at, _)| pool.members[at].0.fit_seconds);
        let predicted = self.ground.refit_seconds(seconds, self.spec.budget.cores);
        predicted < REFIT_SHARE * (until - self.clock.seconds())
    }

    fn card(&self, threshold: Option<&Threshold>, trained_on: String) -> ModelCard {
        let prepared = self.prepared;
        let target = &prepared.target;
        let numbers = target.numbers().map(|numbers| {
            prepared.rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &row| {
                (low.min(numbers[row as usize]), high.max(numbers[row as usize]))
            })
        });
        ModelCard {
            task: target.task,
            target: self.spec.target.clone(),
            target_schema: prepared.target_schema.clone(),
            classes: target.classes.clone(),
            metric: prepared.metric.name().into(),
            threshold: threshold.map(|threshold| threshold.value),
            positive: (target.task == Task::Binary).then(|| target.classes[1].clone()),
            schema: prepared.schema.clone(),
            target_range: numbers,
            trained_on,
            seed: self.spec.seed,
            automl_version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// Permutation importance (Breiman 2001) of the best single model, on validation rows its fold models never saw.
    fn importance(&self, pool: &Pool, single: &Choice, cut: f64) -> Result<Vec<(String, f64)>, AutoMlError> {
        let (at, _) = single.weights[0];
        let result = &pool.members[at].0;
        if self.hurry && !self.ground.keeps(result.trial) {
            return Ok(Vec::new());
        }
        let chains = self.ground.fold_models(result, self.seed(result.trial))?;
        let fold = 0;
        let mut rows: Vec<u32> = pool.judged.fold_rows(fold).to_vec();
        let mut rng = hyperdrive::keyed_rng(self.spec.seed, 0, "importance rows");
        rand::seq::SliceRandom::shuffle(rows.as_mut_slice(), &mut rng);
        rows.truncate(IMPORTANCE_ROWS);
        let chain: &Chain = &chains[fold];
        let model = Fitted {
            card: self.card(None, String::new()),
            members: vec![Member { weight: 1.0, chains: vec![chain.clone()], name: result.name() }],
        };
        let direction = self.prepared.metric.goal();
        let score = |table: &Table, rows: &[u32]| -> Result<f64, AutoMlError> {
            let predictions = model.predict(table)?;
            Ok(direction.signed(self.prepared.metric.score(&self.prepared.target, rows, &predictions, cut)?))
        };
        let began = self.clock.seconds();
        let mut table = self.prepared.table.take(&rows)?;
        let Ok(mut whole) = score(&table, &rows) else { return Ok(Vec::new()) };
        if let Some(until) = self.until {
            // One pass over the rows tells what a pass per column will take.
            let now = self.clock.seconds();
            let passes = (now - began) * self.prepared.schema.columns.len() as f64 / self.spec.budget.cores as f64;
            let affordable = (until - now).max(0.0) * IMPORTANCE_SHARE;
            if passes > affordable {
                rows.truncate((rows.len() as f64 * affordable / passes) as usize);
                if rows.len() < IMPORTANCE_LEAST {
                    return Ok(Vec::new());
                }
                table = self.prepared.table.take(&rows)?;
                whole = match score(&table, &rows) {
                    Ok(whole) => whole,
                    Err(_) => return Ok(Vec::new()),
                };
            }
        }
        let columns = self.prepared.features();
        let mut found: Vec<(String, f64)> = columns
            .into_par_iter()
            .enumerate()
            .filter_map(|(i, name)| {
                let mut order: Vec<u32> = (0..rows.len() as u32).collect();
                let mut rng = hyperdrive::keyed_rng(self.spec.seed, i as u64, "importance");
                rand::seq::SliceRandom::shuffle(order.as_mut_slice(), &mut rng);
                let mixed = shuffled(&table, &name, &order)?;
                Some((name, whole - score(&mixed, &rows).ok()?))
            })
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(found)
    }

    /// The ensemble, then the best trials; the best of each algorithm with its nested score.
    fn board(
        &self,
        pool: &Pool,
        honest_pool: &Pool,
        finished: &[(TrialId, f64)],
        ensemble: Option<(&Choice, f64)>,
        fitted: &Fitted,
    ) -> Result<Vec<Row>, AutoMlError> {
        let folds: Vec<usize> = (0..pool.judged.n_folds()).collect();
        let mut rows = Vec::new();
        if let Some((choice, nested)) = ensemble {
            let scores = choice.scores(pool, &folds, 0.5)?;
            rows.push(Row {
                name: format!("ensemble of {}", choice.weights.len()),
                trial: None,
                score: mean(&scores),
                deviation: deviation(&scores),
                nested: Some(nested),
                fit_seconds: choice.weights.iter().map(|&(at, _)| pool.members[at].0.fit_seconds).sum(),
                predict_us: self.time_per_row(fitted),
                params: String::new(),
            });
        }
        let mut seen = BTreeSet::new();
        for &(trial, score) in finished.iter().take(BOARD) {
            let Some((result, _)) = pool.members.iter().find(|(result, _)| result.trial == trial) else { continue };
            let first = seen.insert(result.algorithm.clone());
            rows.push(Row {
                name: result.name(),
                trial: Some(trial.0),
                score,
                deviation: deviation(&result.fold_scores),
                nested: if first { nested_of(honest_pool, &result.algorithm) } else { None },
                fit_seconds: result.fit_seconds,
                predict_us: result.predict_us,
                params: result.params.under(&result.algorithm).to_string(),
            });
        }
        let direction = self.prepared.metric.goal();
        rows.sort_by(|a, b| direction.signed(b.score).total_cmp(&direction.signed(a.score)));
        Ok(rows)
    }

    /// Microseconds a row of the saved model, features included.
    fn time_per_row(&self, fitted: &Fitted) -> f64 {
        let rows: Vec<u32> = self.prepared.rows.iter().copied().take(IMPORTANCE_ROWS).collect();
        let Ok(table) = self.prepared.table.take(&rows) else { return 0.0 };
        let began = self.clock.seconds();
        if fitted.predict(&table).is_err() {
            return 0.0;
        }
        (self.clock.seconds() - began) * 1e6 / rows.len().max(1) as f64
    }

    fn baseline(&self) -> Option<f64> {
        let constant = self.history.trials().iter().find(|trial| self.algorithm(trial.id) == "constant")?;
        constant.value()
    }
}

/// The best of one algorithm chosen without each fold, scored on it.
fn nested_of(pool: &Pool, algorithm: &str) -> Option<f64> {
    let members = pool.members.iter().filter(|(result, _)| result.algorithm == algorithm).cloned().collect();
    let own = Pool { judged: pool.judged.clone(), members };
    nested(&own, &|others| ensemble::choose(&own, others, 1)).ok().map(|nested| nested.score())
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

/// The table with one column's rows in another order.
fn shuffled(table: &Table, name: &str, order: &[u32]) -> Option<Table> {
    let columns = table.columns().iter().map(|column| {
        let values = if column.name == name { column.values.take(order) } else { column.values.clone() };
        Column::new(column.name.clone(), values)
    });
    Table::new(columns.collect()).ok()
}

fn join(folds: &[Predictions]) -> Predictions {
    let n_outputs = folds.first().map_or(1, Predictions::n_outputs);
    Predictions::new(n_outputs, folds.iter().flat_map(|fold| fold.values().iter().copied()).collect())
}

/// Whether two sets of fold scores differ by less than the standard error of their difference.
fn within_noise(a: &[f64], b: &[f64]) -> bool {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    mean(&differences).abs() < deviation(&differences) / (differences.len().max(1) as f64).sqrt()
}

/// The same pool with its one fold's rows dealt into [`REFOLDS`] by the seed.
fn refold(pool: &Pool, seed: u64) -> Pool {
    let mut order: Vec<usize> = (0..pool.judged.rows.len()).collect();
    let mut rng = hyperdrive::keyed_rng(seed, 0, "refold");
    rand::seq::SliceRandom::shuffle(order.as_mut_slice(), &mut rng);
    let bounds: Vec<usize> = (0..=REFOLDS).map(|fold| fold * order.len() / REFOLDS).collect();
    let judged = pool.judged.reordered(&order, bounds.clone());
    let members = pool.members.iter().map(|(result, predictions)| {
        let own = &predictions[0];
        let fold = |f: usize| {
            let values = order[bounds[f]..bounds[f + 1]].iter().flat_map(|&i| own.row(i).iter().copied());
            Predictions::new(own.n_outputs(), values.collect())
        };
        (result.clone(), Arc::new((0..REFOLDS).map(fold).collect()))
    });
    Pool { judged, members: members.collect() }
}
