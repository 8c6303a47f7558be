//! The search: a study over candidates, driven by `hyperdrive` and run on threads of this process.

mod again;
mod blocks;
mod executor;
mod oof;
mod rounds;
mod second;
mod shelf;
mod status;
mod threads;
mod trial;

use std::sync::Arc;

use hyperdrive::{
    EarlyTerminationPolicy, EndReason, Goal, History, Journal, Limits, Objective, Params, Record, SamplingAlgorithm,
    Sitting, StudySpec,
};

pub(crate) use executor::ThreadExecutor;
pub use executor::WORKER;
pub(crate) use oof::{Judged, Measured, REFOLDS, TrialResult, deviation, mean};
pub(crate) use rounds::Rounds;
pub(crate) use second::{SECOND_LAYER, most_heard};
pub use status::{BestTrial, Picture, RunningTrial, Status};
pub(crate) use threads::each;
pub(crate) use trial::{Ground, Sink};

use crate::candidate;
use crate::clock::Clock;
use crate::error::AutoMlError;
use crate::portfolio::Portfolio;
use crate::prepare::Prepared;
use crate::spec::{AutoMlSpec, Budget};

/// One in this many trials goes on from its first rung.
const REDUCTION: u32 = 3;
/// Results of an algorithm after which its sampler learns from them.
const STARTUP: u32 = 5;
/// Ordered mode: a suggestion sees the results of all but this many of the latest segments.
const LAG: u32 = 8;
/// A segment lost to a crash is tried once more.
const RETRIES: u32 = 1;
/// No trial takes more than this share of the search.
const TRIAL_SHARE: f64 = 0.4;

/// The study of a request over prepared data. `search_seconds` is what is left for searching; none in ordered mode.
pub(crate) fn study(spec: &AutoMlSpec, prepared: &Prepared, search_seconds: Option<f64>) -> StudySpec {
    let scope = Ground::scope(prepared);
    let warmed = warmed(spec, prepared);
    let mut points = warmed.points;
    let portfolio = spec.portfolio.clone().unwrap_or_else(Portfolio::shipped);
    for point in portfolio.first_points(&scope) {
        if !points.contains(&point) {
            points.push(point);
        }
    }
    let goal = match prepared.metric.goal() {
        trainers::Goal::Higher => Goal::Maximize,
        trainers::Goal::Lower => Goal::Minimize,
    };
    let tpe = SamplingAlgorithm::Tpe { startup: STARTUP, candidates: 24 };
    let shares = SamplingAlgorithm::Shares { of: candidate::ALGORITHM.to_owned(), inner: Box::new(tpe) };
    let asha = SamplingAlgorithm::Asha {
        reduction_factor: REDUCTION,
        promotion: hyperdrive::Promotion::Quantile,
        inner: Box::new(shares),
    };
    StudySpec {
        search_space: candidate::search_space(&scope),
        objectives: vec![Objective { metric: prepared.metric.name().to_owned(), goal }],
        sampling_algorithm: SamplingAlgorithm::Enqueue { points, then: Box::new(asha) },
        early_termination: EarlyTerminationPolicy::None,
        limits: limits(&spec.budget, search_seconds),
        ladder: prepared.split.ladder.clone(),
        known: Vec::new(),
        seed: spec.seed,
    }
}

/// What of an earlier run is tried first.
#[derive(Debug, Default)]
pub(crate) struct Warmed {
    pub(crate) points: Vec<Params>,
    /// The configurations that do not lie in this space, each with its reason.
    pub(crate) skipped: Vec<String>,
}

/// The configurations of the earlier run that the request names, as far as they lie in the space of these data.
pub(crate) fn warmed(spec: &AutoMlSpec, prepared: &Prepared) -> Warmed {
    let mut warmed = Warmed::default();
    let Some(warm) = &spec.warm else { return warmed };
    let space = candidate::search_space(&Ground::scope(prepared));
    for point in &warm.points {
        match space.contains(point) {
            Ok(()) => warmed.points.push(point.clone()),
            Err(error) => {
                let algorithm = point.text(candidate::ALGORITHM).unwrap_or_default();
                warmed.skipped.push(format!("{algorithm}: {error}"));
            }
        }
    }
    warmed
}

/// The limits of one sitting.
pub(crate) fn limits(budget: &Budget, search_seconds: Option<f64>) -> Limits {
    Limits {
        max_trials: budget.max_trials,
        search_seconds,
        trial_seconds: search_seconds.map(|seconds| (seconds * TRIAL_SHARE).max(1.0)),
        max_concurrent: budget.slots() as u32,
        lag: LAG,
        max_retries: RETRIES,
        ..Limits::default()
    }
}

/// How a search ended.
pub(crate) struct Searched {
    pub(crate) history: History,
    pub(crate) reason: EndReason,
}

/// Runs one sitting of the study to its end, on `cores` computing threads.
pub(crate) fn search(
    study: &StudySpec,
    ground: &Arc<Ground>,
    cores: usize,
    journal: &mut dyn Journal,
    clock: Clock,
    stop: &dyn Fn() -> bool,
) -> Result<Searched, AutoMlError> {
    let mut executor = ThreadExecutor::new(ground.clone(), study.limits.slots(), cores)?;
    let began = clock.elapsed();
    let goal = study.objectives[0].goal;
    let status = ground.status.clone();
    let mut observe = |_: &Record, history: &History| {
        let best = history
            .best()
            .and_then(|trial| Some((trial.id, trial.params.text(candidate::ALGORITHM).ok()?, trial.value()?)));
        status.update(|picture| {
            picture.counts = history.counts();
            let Some((trial, algorithm, value)) = best else { return };
            if picture.improvements.last().is_none_or(|last| goal.better(value, last.value)) {
                let at_seconds = clock.seconds();
                picture.improvements.push(BestTrial { trial, algorithm: algorithm.to_owned(), value, at_seconds });
            }
        });
    };
    let ended = hyperdrive::run(
        study,
        Sitting {
            journal,
            executor: &mut executor,
            clock: &|| clock.elapsed().saturating_sub(began),
            stop,
            observe: &mut observe,
        },
    )?;
    Ok(Searched { history: ended.history, reason: ended.reason })
}
