//! What points bring on a table: each is fitted on the same folds, and what it says of rows it has not seen is kept.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use hyperdrive::{Ladder, MemoryJournal, SamplingAlgorithm, TrialId};
use serde::{Deserialize, Serialize};
use trainers::{Algorithm, Shape, Task};

use super::{Point, Portfolio};
use crate::candidate::{self, Scope};
use crate::clock::Clock;
use crate::error::AutoMlError;
use crate::prepare::{answer, prepare};
use crate::search::{self, Ground, Measured, Sink, Status};
use crate::spec::{AutoMlSpec, CrossValidation};

/// Rows that are looked at; of larger tables a sample.
const ROWS: usize = 4000;
/// No table is cut to less than this share of it.
const LEAST_SHARE: f64 = 0.1;
/// Folds, where the rarest class allows it.
const FOLDS: usize = 3;
/// Seconds that a point may take on a fold or so; then it counts with what it has, or not at all.
const SECONDS: f64 = 20.0;
/// Memory for features.
const MEMORY: u64 = 4 << 30;
/// Longer than any search.
const FOREVER: f64 = 1e7;

/// The stored predictions of finished trials, with the seconds that a fold took.
type Shelf = BTreeMap<TrialId, (Vec<u8>, f64)>;

/// What points brought on one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// The table.
    pub(crate) name: String,
    /// The task.
    pub(crate) task: Task,
    /// Rows it was measured on.
    pub(crate) n_rows: usize,
    /// The target of every row that was predicted; of classes none, for there what is kept is the probability of the
    /// true one.
    pub(crate) truth: Vec<f32>,
    /// What the same answer for every row says.
    pub(crate) constant: Vec<f32>,
    /// The points that came to an end.
    pub(crate) runs: Vec<Run>,
}

/// What one point brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) point: Point,
    /// Seconds to fit a fold and predict it.
    pub(crate) seconds: f64,
    /// Of every row, by a model that has not seen it: the number, or the probability of the true class.
    pub(crate) said: Vec<f32>,
}

/// The points of the portfolio that is shipped, and so many more of each algorithm that can be tuned, drawn from where it
/// is searched.
pub(crate) fn candidates(draws: usize, seed: u64) -> Vec<Point> {
    let mut points = Portfolio::shipped().points;
    let shape = Shape { task: Task::Binary, n_rows: 10_000, n_features: 20, n_classes: 2 };
    for &algorithm in Algorithm::all() {
        let own = algorithm.trainer().describe();
        if own.baseline {
            continue;
        }
        let shape =
            Shape { task: own.tasks[0], n_classes: if own.tasks[0] == Task::Regression { 0 } else { 2 }, ..shape };
        let space = candidate::search_space(&Scope { shape, algorithms: &[algorithm], twist: None });
        let rows_at_most =
            points.iter().find(|point| point.algorithm == algorithm).and_then(|point| point.rows_at_most);
        let mut rng = hyperdrive::keyed_rng(seed, 0, algorithm.name());
        for _ in 0..draws {
            let params = space.sample(&mut rng).under(algorithm.name());
            let params: BTreeMap<_, _> = params.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            if !params.is_empty() && points.iter().all(|point| (point.algorithm, &point.params) != (algorithm, &params))
            {
                points.push(Point { algorithm, params, rows_at_most });
            }
        }
    }
    points
}

/// Fits every point that is for this table; `None` when told to stop before the end.
pub(crate) fn measure(
    name: &str,
    spec: &AutoMlSpec,
    points: &[Point],
    stop: &Arc<AtomicBool>,
) -> Result<Option<Measurement>, AutoMlError> {
    let mut spec = spec.clone();
    let whole = prepare(&spec)?;
    let cut = 1.0 - ROWS as f64 / whole.rows.len() as f64;
    if cut > 0.01 {
        spec.split.holdout = Some(cut.min(1.0 - LEAST_SHARE));
    }
    spec.split.cv = CrossValidation::Folds(FOLDS);
    let mut prepared = prepare(&spec).or_else(|_| {
        // A class may be too rare for as many folds.
        spec.split.cv = CrossValidation::Auto;
        prepare(&spec)
    })?;
    let full = prepared.split.ladder.rungs().last().copied();
    prepared.split.ladder = Ladder::Rungs(full.into_iter().collect());
    let prepared = Arc::new(prepared);
    // What a point brings is measured on the target as it is.
    let scope = Scope { twist: None, ..Ground::scope(&prepared) };
    let space = candidate::search_space(&scope);
    let own: Vec<(&Point, hyperdrive::Params)> = points
        .iter()
        .filter(|point| point.is_for(&scope))
        .map(|point| (point, point.params(&scope)))
        .filter(|(_, params)| space.contains(params).is_ok())
        .collect();
    let mut study = search::study(&spec, &prepared, Some(FOREVER));
    let first = own.iter().map(|(_, params)| params.clone()).collect();
    study.sampling_algorithm = SamplingAlgorithm::Enqueue { points: first, then: Box::new(SamplingAlgorithm::Random) };
    study.limits.max_trials = Some(own.len() as u32);
    study.limits.trial_seconds = Some(SECONDS);
    let stored: Arc<Mutex<Shelf>> = Arc::default();
    let shelf = stored.clone();
    let splits = &prepared.split.folds.splits;
    let n_valid = splits.iter().map(|split| split.valid.len()).sum::<usize>() as f64 / splits.len() as f64;
    let sink: Sink = Box::new(move |trial, bytes, measured: &Measured| {
        let seconds = measured.fit_seconds + measured.predict_us * 1e-6 * n_valid;
        shelf.lock().expect("nobody panics with it").insert(trial, (bytes.to_vec(), seconds));
        Ok(())
    });
    let clock = Clock::start();
    let ground = Arc::new(Ground::new(prepared.clone(), Arc::new(Status::default()), clock, MEMORY, true, false, sink));
    let mut journal = MemoryJournal::new();
    let over = || stop.load(Ordering::Relaxed);
    let searched = search::search(&study, &ground, spec.budget.cores, &mut journal, clock, &over)?;
    if over() {
        return Ok(None);
    }
    let judged = &ground.judged;
    let stored = stored.lock().expect("nobody panics with it");
    let mut runs = Vec::new();
    for (point, params) in own {
        let trial = searched.history.trials().iter().find(|trial| trial.params == params).map(|trial| trial.id);
        let Some((bytes, seconds)) = trial.and_then(|trial| stored.get(&trial)) else { continue };
        let Some(folds) = judged.decode(bytes) else { continue };
        let said = folds.iter().enumerate().flat_map(|(fold, said)| {
            let rows = judged.fold_rows(fold).iter().zip(said.rows());
            rows.map(|(&row, said)| said[judged.target.class(row).unwrap_or(0) as usize] as f32)
        });
        runs.push(Run { point: point.clone(), seconds: *seconds, said: said.collect() });
    }
    let truth: Vec<f32> =
        judged.rows.iter().filter_map(|&row| judged.target.number(row)).map(|number| number as f32).collect();
    Ok(Some(Measurement {
        name: name.to_owned(),
        task: judged.target.task,
        n_rows: judged.rows.len(),
        constant: constant(&judged.target, &judged.rows),
        truth,
        runs,
    }))
}

/// The mean, or the share of each row's class.
fn constant(target: &trainers::Target, rows: &[u32]) -> Vec<f32> {
    let answer = answer(target, rows);
    rows.iter().map(|&row| answer[target.class(row).unwrap_or(0) as usize] as f32).collect()
}
