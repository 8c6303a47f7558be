//! How the best came about.

use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::trial::{Rank, Seq, Trial, TrialId};

/// Where a study stood once one trial was over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The trial.
    pub trial: TrialId,
    /// Cost of all trials that were over by then, with this one.
    pub cost: f64,
    /// The first objective of the trial: of its result, or at the highest rung it had reported.
    pub value: Option<f64>,
    /// Whether the trial finished at the top rung and keeps its constraints, so that it can be the best.
    pub counts: bool,
    /// The first objective of the best trial by then, and which it is; `None` while there is none.
    pub best: Option<(TrialId, f64)>,
}

/// The course of a study: its trials in the order in which they were over, those that failed or were stopped too.
///
/// Against the place in the list it is the best by trial; against [`Progress::cost`] the best by cost, which is seconds
/// in arrival order and work units in ordered mode.
pub fn best_so_far(history: &History) -> Vec<Progress> {
    let goal = history.spec().goal();
    let mut over: Vec<(Seq, &Trial)> =
        history.trials().iter().filter_map(|trial| trial.ended.map(|ended| (ended, trial))).collect();
    over.sort_by_key(|(ended, trial)| (*ended, trial.id));
    let mut cost = 0.0;
    let mut best: Option<(Rank, TrialId, f64)> = None;
    let step = |(_, trial): (Seq, &Trial)| {
        cost += trial.cost;
        let value = trial.value();
        let counted = feasible(trial).and_then(|_| trial.result()).zip(value);
        if let Some((outcome, value)) = counted {
            let mine = (outcome.rank(goal), trial.id, value);
            if best.is_none_or(|best| (mine.0, mine.1) < (best.0, best.1)) {
                best = Some(mine);
            }
        }
        let best = best.map(|(_, id, value)| (id, value));
        Progress { trial: trial.id, cost, value, counts: counted.is_some(), best }
    };
    over.into_iter().map(step).collect()
}

/// The place of each trial that finished at the top rung and keeps its constraints, by the first objective, from 1 for
/// the best, in that order; equal values share the place of the first of them.
pub fn ranks(history: &History) -> Vec<(TrialId, u32)> {
    let goal = history.spec().goal();
    let ranked = |trial: &Trial| Some((feasible(trial)?.result()?.rank(goal), trial.id));
    let mut trials: Vec<(Rank, TrialId)> = history.trials().iter().filter_map(ranked).collect();
    trials.sort();
    let mut places: Vec<(TrialId, u32)> = Vec::with_capacity(trials.len());
    for (i, (rank, id)) in trials.iter().enumerate() {
        let equal = i > 0 && trials[i - 1].0 == *rank;
        places.push((*id, if equal { places[i - 1].1 } else { i as u32 + 1 }));
    }
    places
}

/// The trial, if it can be the best.
fn feasible(trial: &Trial) -> Option<&Trial> {
    let kept = trial.is_complete() && trial.result().is_some_and(|outcome| outcome.violation() == 0.0);
    kept.then_some(trial)
}
