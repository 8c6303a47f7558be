//! What a sampler with a model learns from: the points of a study in columns, and one loss for each result.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::history::History;
use crate::space::Layout;
use crate::trial::{Outcome, Rung, Trial, TrialId, TrialState};

/// The points of a study as columns of numbers, and what came of them; brought up to date from the history's changes.
///
/// A row is a point: those of [`crate::StudySpec::known`] come first, then the trials in the order of their numbers.
#[derive(Clone, Debug)]
pub(crate) struct Observations {
    pub(crate) layout: Layout,
    generation: u64,
    seen: usize,
    /// `columns[slot][row]`, as [`Layout`] has it.
    columns: Vec<Vec<f64>>,
    /// The trial of each row; `None` for what was known before.
    trials: Vec<Option<TrialId>>,
    rows: BTreeMap<TrialId, usize>,
    standing: Vec<Standing>,
    pending: BTreeSet<usize>,
    /// Rows with a result, in the order in which the results came; the loss is that of [`Standing::Full`], else 0.
    results: Vec<Observed>,
    /// How many of the results are not [`Standing::Full`].
    censored: usize,
}

/// What is known of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    /// Under way, or paused below the top rung with nothing that counts yet.
    Pending,
    /// It has a full result, or a partial one that counts as such.
    Full { violation: f64, loss: f64 },
    /// It was stopped with this loss at its last rung, or is paused there in what a halving wrapper shows.
    Stopped { rung: Rung, loss: f64 },
    /// It failed, or was stopped with nothing to show.
    Failed,
}

/// One result as a model takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observed {
    /// Its row.
    pub(crate) row: usize,
    /// Smaller is better; finite.
    pub(crate) loss: f64,
    /// Whether `loss` was measured at the top; otherwise it stands in for what was not.
    pub(crate) exact: bool,
}

/// Where a result stood among those before it: smaller is better.
///
/// Unlike the losses of [`Observations::results`] it does not change when more results come, so a fold can take it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It keeps its constraints, with this loss: measured, or of the place it held where it was stopped.
    Loss(f64),
    /// It breaks its constraints by so much.
    Violation(f64),
    /// It has no result.
    Failed,
}

impl Verdict {
    /// The loss; infinite where it keeps no constraints or has no result.
    pub(crate) fn loss(self) -> f64 {
        if let Self::Loss(loss) = self { loss } else { f64::INFINITY }
    }

    /// Losses before violations before failures.
    pub(crate) fn total_cmp(&self, other: &Self) -> Ordering {
        let key = |verdict: &Self| match *verdict {
            Self::Loss(loss) => (0, loss),
            Self::Violation(violation) => (1, violation),
            Self::Failed => (2, 0.0),
        };
        let (a, b) = (key(self), key(other));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    }
}

/// Earlier results that say how the loss of a stopped trial might have ended, at most.
const COMPARED: usize = 200;

impl Observations {
    /// Those of a history, from nothing or from earlier ones of the same study.
    pub(crate) fn up_to_date(old: Option<Self>, history: &History) -> Self {
        let usable = old.filter(|old| old.generation == history.generation() && old.seen <= history.changes(0).len());
        let mut observations = usable.unwrap_or_else(|| Self::new(history));
        let before = observations.results.len();
        for id in history.changes(observations.seen) {
            if let Some(trial) = history.trial(*id) {
                observations.take(trial, history);
            }
            observations.seen += 1;
        }
        // Changes say which trials are others, not what they were when: the order is that of the records.
        let (trials, results) = (&observations.trials, &mut observations.results);
        let ended = |row: usize| trials[row].and_then(|id| history.trial(id)).and_then(|trial| trial.ended);
        results[before..].sort_by_key(|result| ended(result.row));
        observations
    }

    fn new(history: &History) -> Self {
        let spec = history.spec();
        let layout = Layout::new(&spec.search_space);
        let mut observations = Self {
            columns: vec![Vec::new(); layout.len()],
            layout,
            generation: history.generation(),
            seen: 0,
            trials: Vec::new(),
            rows: BTreeMap::new(),
            standing: Vec::new(),
            pending: BTreeSet::new(),
            results: Vec::new(),
            censored: 0,
        };
        for known in &spec.known {
            let Some(point) = observations.layout.encode(&known.params) else {
                continue;
            };
            let loss = known.values.first().map_or(f64::INFINITY, |value| spec.goal().loss(*value));
            let row = observations.push(None, &point);
            observations.stand(row, Standing::Full { violation: 0.0, loss });
        }
        observations
    }

    fn push(&mut self, trial: Option<TrialId>, point: &[f64]) -> usize {
        for (column, at) in self.columns.iter_mut().zip(point) {
            column.push(*at);
        }
        self.trials.push(trial);
        self.standing.push(Standing::Pending);
        let row = self.trials.len() - 1;
        self.pending.insert(row);
        row
    }

    fn take(&mut self, trial: &Trial, history: &History) {
        let row = if let Some(row) = self.rows.get(&trial.id) {
            *row
        } else {
            // A trial of an earlier version of the space may have no place in this one.
            let Some(point) = self.layout.encode(&trial.params) else {
                return;
            };
            let row = self.push(Some(trial.id), &point);
            self.rows.insert(trial.id, row);
            row
        };
        let goal = history.spec().goal();
        let loss = |outcome: &Outcome| outcome.values.first().map(|value| goal.loss(*value));
        let full = |outcome: &Outcome| {
            loss(outcome).map_or(Standing::Failed, |loss| Standing::Full { violation: outcome.violation(), loss })
        };
        let standing = match &trial.state {
            TrialState::Running { .. } => Standing::Pending,
            // A halving wrapper shows those it has not let go on as ended where they are.
            TrialState::Paused { .. } if trial.ended.is_none() => Standing::Pending,
            TrialState::Finished { .. } => trial.result().map_or(Standing::Failed, full),
            TrialState::Paused { .. } | TrialState::Stopped { .. } => match trial.reports.last() {
                Some((rung, outcome)) => {
                    loss(outcome).map_or(Standing::Failed, |loss| Standing::Stopped { rung: *rung, loss })
                }
                None => Standing::Failed,
            },
            TrialState::Failed { .. } => Standing::Failed,
        };
        self.stand(row, standing);
    }

    fn stand(&mut self, row: usize, standing: Standing) {
        if standing == Standing::Pending || self.standing[row] == standing {
            return;
        }
        let censored = |standing: Standing| {
            let plain = matches!(standing, Standing::Full { violation, .. } if violation == 0.0);
            usize::from(standing != Standing::Pending && !plain)
        };
        let loss = if let Standing::Full { loss, .. } = standing { loss } else { 0.0 };
        if self.pending.remove(&row) {
            self.results.push(Observed { row, loss, exact: true });
        } else if let Some(result) = self.results.iter_mut().rfind(|result| result.row == row) {
            result.loss = loss;
        }
        self.censored += censored(standing);
        self.censored -= censored(self.standing[row]);
        self.standing[row] = standing;
    }

    /// The numbers of one slot, a number for each row.
    pub(crate) fn column(&self, slot: usize) -> &[f64] {
        &self.columns[slot]
    }

    /// One row: a number for each slot.
    pub(crate) fn row(&self, row: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[row]).collect()
    }

    /// Whether there is a row like that.
    pub(crate) fn has(&self, row: &[f64]) -> bool {
        let same = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan();
        (0..self.len()).any(|i| self.columns.iter().zip(row).all(|(column, at)| same(column[i], *at)))
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.trials.len()
    }

    /// Rows without a result yet: under way, or paused.
    pub(crate) fn pending(&self) -> impl Iterator<Item = usize> {
        self.pending.iter().copied()
    }

    /// How many results there are.
    pub(crate) fn n_results(&self) -> usize {
        self.results.len()
    }

    /// Whether a row is from before the study.
    pub(crate) fn is_known(&self, row: usize) -> bool {
        self.trials[row].is_none()
    }

    /// The row of the `n`-th result in the order in which they came, and how it stood then.
    ///
    /// A stopped trial is given a final loss as in [`Self::results`], from at most 200 results before it; the worst
    /// of these where no trial has both.
    pub(crate) fn verdict(&self, n: usize, history: &History) -> (usize, Verdict) {
        let row = self.results[n].row;
        let verdict = match self.standing[row] {
            Standing::Full { violation: 0.0, loss } => Verdict::Loss(loss),
            Standing::Full { violation, .. } => Verdict::Violation(violation),
            Standing::Failed | Standing::Pending => Verdict::Failed,
            Standing::Stopped { rung, loss } => {
                let before = &self.results[n.saturating_sub(COMPARED)..n];
                let worst = before.iter().filter_map(|result| match self.standing[result.row] {
                    Standing::Full { violation: 0.0, loss } => Some(loss),
                    _ => None,
                });
                let worst = worst.reduce(f64::max);
                match self.at_the_end(before, history, rung, loss).or(worst) {
                    Some(loss) => Verdict::Loss(loss),
                    None => Verdict::Failed,
                }
            }
        };
        (row, verdict)
    }

    /// Whether some result is not a plain measured loss, so that what stands in for it may change with the others.
    pub(crate) fn is_censored(&self) -> bool {
        self.censored > 0
    }

    /// All results in the order in which they came, each with a finite loss.
    ///
    /// A trial stopped at a rung is given the final loss that stands where it stood at that rung among those that
    /// have both, so it is never behind all of them. A failed trial has the worst loss of all. One that breaks its
    /// constraints comes after every one that keeps them, in the order of how far it breaks them.
    pub(crate) fn results(&self, history: &History) -> Cow<'_, [Observed]> {
        if !self.is_censored() {
            return Cow::Borrowed(&self.results);
        }
        let mut kept: Vec<f64> = Vec::new();
        let mut broken: Vec<(f64, f64)> = Vec::new();
        for result in &self.results {
            if let Standing::Full { violation, loss } = self.standing[result.row] {
                if violation == 0.0 { kept.push(loss) } else { broken.push((violation, loss)) }
            }
        }
        let plain = |row: usize, loss: f64| Observed { row, loss, exact: true };
        let best = kept.iter().copied().fold(f64::INFINITY, f64::min);
        let worst = kept.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (worst, range) = if kept.is_empty() { (0.0, 1.0) } else { (worst, (worst - best).max(f64::MIN_POSITIVE)) };
        broken.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let beyond = |share: f64| worst + range * (0.1 + share);
        let stand_in = |row: usize| match self.standing[row] {
            Standing::Full { violation: 0.0, loss } => plain(row, loss),
            Standing::Full { violation, loss } => {
                let place = broken.partition_point(|other| *other < (violation, loss));
                Observed { row, loss: beyond(place as f64 / broken.len() as f64), exact: false }
            }
            Standing::Stopped { rung, loss } => {
                let loss = self.at_the_end(&self.results, history, rung, loss).unwrap_or(if kept.is_empty() {
                    0.0
                } else {
                    worst
                });
                Observed { row, loss, exact: false }
            }
            Standing::Failed | Standing::Pending => {
                Observed { row, loss: if broken.is_empty() { worst } else { beyond(1.0) }, exact: false }
            }
        };
        self.results.iter().map(|result| stand_in(result.row)).collect()
    }

    /// The final loss at the place of `loss` among the losses at `rung`, over those of `results` that have both; `None`
    /// where there are none.
    fn at_the_end(&self, results: &[Observed], history: &History, rung: Rung, loss: f64) -> Option<f64> {
        let goal = history.spec().goal();
        let mut before = Vec::new();
        let mut finals = Vec::new();
        for Observed { row, .. } in results {
            let Standing::Full { loss: last, .. } = self.standing[*row] else {
                continue;
            };
            let trial = self.trials[*row].and_then(|id| history.trial(id));
            if let Some(value) = trial.and_then(|trial| trial.at(rung)).and_then(|outcome| outcome.values.first()) {
                before.push(goal.loss(*value));
                finals.push(last);
            }
        }
        if finals.is_empty() {
            return None;
        }
        before.sort_by(f64::total_cmp);
        finals.sort_by(f64::total_cmp);
        let below = before.partition_point(|other| *other < loss);
        let upto = before.partition_point(|other| *other <= loss);
        // The middle of its place among n, as a place between the first and the last.
        let place = (f64::midpoint(below as f64, upto as f64) - 0.5).clamp(0.0, finals.len() as f64 - 1.0);
        let low = place.floor() as usize;
        let high = place.ceil() as usize;
        Some(finals[low] + (finals[high] - finals[low]) * place.fract())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Event, Record};

    use crate::simulate::{Fate, SimulatedExecutor, example_objective, example_study};
    use crate::trial::FailureKind;

    fn records() -> Vec<Record> {
        let mut spec = example_study(3);
        spec.limits.max_trials = Some(60);
        let executor = SimulatedExecutor::new(4, example_objective).with_fate(|assignment| {
            if assignment.seed % 9 == 0 {
                return Fate::Fails { at: Rung(0), kind: FailureKind::Error, reason: "planned".to_owned() };
            }
            Fate::Runs
        });
        let (_, journal) = executor.run(&spec).expect("it runs");
        journal.records().to_vec()
    }

    #[test]
    fn kept_up_to_date_is_the_same_as_made_anew() {
        let records = records();
        assert!(records.iter().any(|record| matches!(record.event, Event::Stopped { .. })), "nothing was stopped");
        let mut history = History::begin(&records[0]).expect("a journal");
        let mut kept = None;
        for record in &records {
            history.apply(record).expect("a sound journal");
            let now = Observations::up_to_date(kept.take(), &history);
            let fresh = Observations::up_to_date(None, &history);
            let results = now.results(&history);
            assert_eq!(results, fresh.results(&history));
            assert_eq!(now.pending().collect::<Vec<_>>(), fresh.pending().collect::<Vec<_>>());
            assert_eq!(now.len(), history.trials().len());
            let finished = results.iter().filter(|result| result.exact).map(|result| result.loss);
            let worst = finished.fold(f64::NEG_INFINITY, f64::max);
            for result in results.iter() {
                assert!(result.loss.is_finite());
                assert!(
                    result.exact || worst == f64::NEG_INFINITY || result.loss <= worst,
                    "behind every finished one"
                );
            }
            kept = Some(now);
        }
        let kept = kept.expect("there were records");
        let all = kept.results(&history);
        assert!(all.iter().any(|result| !result.exact) && all.iter().any(|result| result.exact));
    }
}
