//! How the trials of a study stand at each rung, brought up to date from the history's changes.

use std::collections::BTreeMap;

use crate::history::History;
use crate::trial::{Goal, Outcome, Rung, Trial, TrialId};

/// Which number of a trial's values up to a rung is compared there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// The value at the rung itself.
    Latest,
    /// The best value so far.
    Best,
    /// The mean of the values so far.
    Mean,
}

/// At each rung the measures of all trials that have reported there as losses, smallest first.
///
/// A report costs one insertion, however many trials there are; where the history takes something back
/// ([`History::generation`]) all is counted again.
pub(super) struct Standings {
    measure: Measure,
    generation: u64,
    /// Changes of the history taken in so far.
    seen: usize,
    trials: BTreeMap<TrialId, Tally>,
    rungs: BTreeMap<Rung, Vec<(f64, TrialId)>>,
}

/// What the reports of a trial come to, one after the other.
#[derive(Clone, Copy, Default)]
struct Tally {
    reports: usize,
    latest: f64,
    best: f64,
    sum: f64,
}

/// A trial among all that have reported at its rung, itself included.
pub(super) struct Place<'a> {
    /// In order; with the trial itself where `within`.
    others: &'a [(f64, TrialId)],
    within: bool,
    /// How many are strictly better.
    pub(super) better: usize,
    /// The trial's own measure, as a loss.
    pub(super) loss: f64,
}

impl Standings {
    pub(super) fn new(measure: Measure) -> Self {
        Self { measure, generation: 0, seen: 0, trials: BTreeMap::new(), rungs: BTreeMap::new() }
    }

    /// Where `trial` stands at the rung it has just reported, whether the history knows of that report or not;
    /// `None` where it has reported nothing.
    pub(super) fn place(&mut self, history: &History, trial: &Trial) -> Option<Place<'_>> {
        self.bring_up_to_date(history);
        let goal = history.spec().goal();
        let rung = trial.rung()?;
        let mut tally = Tally::default();
        trial.reports.iter().for_each(|(_, outcome)| tally.add(goal, outcome));
        let loss = tally.measure(self.measure);
        let within = self.trials.get(&trial.id).is_some_and(|known| known.reports >= tally.reports);
        let others = self.rungs.get(&rung).map(Vec::as_slice).unwrap_or_default();
        let better = others.partition_point(|(other, _)| *other < loss);
        Some(Place { others, within, better, loss })
    }

    fn bring_up_to_date(&mut self, history: &History) {
        if self.generation != history.generation() || self.seen > history.changes(0).len() {
            *self = Self { generation: history.generation(), ..Self::new(self.measure) };
        }
        let goal = history.spec().goal();
        for id in history.changes(self.seen) {
            self.seen += 1;
            let Some(trial) = history.trial(*id) else {
                continue;
            };
            let tally = self.trials.entry(*id).or_default();
            for (rung, outcome) in &trial.reports[tally.reports.min(trial.reports.len())..] {
                tally.add(goal, outcome);
                let entry = (tally.measure(self.measure), *id);
                let at_rung = self.rungs.entry(*rung).or_default();
                let before = |other: &(f64, TrialId)| other.0.total_cmp(&entry.0).then(other.1.cmp(&entry.1)).is_lt();
                at_rung.insert(at_rung.partition_point(before), entry);
            }
        }
    }
}

impl Tally {
    fn add(&mut self, goal: Goal, outcome: &Outcome) {
        // Adding 0 turns -0 into 0, which the total order would tell apart.
        let loss = outcome.values.first().map_or(f64::INFINITY, |value| goal.loss(*value)) + 0.0;
        self.latest = loss;
        self.best = if self.reports == 0 { loss } else { self.best.min(loss) };
        self.sum += loss;
        self.reports += 1;
    }

    fn measure(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Latest => self.latest,
            Measure::Best => self.best,
            Measure::Mean => self.sum / self.reports as f64,
        }
    }
}

impl Place<'_> {
    /// How many trials there are, itself included.
    pub(super) fn len(&self) -> usize {
        self.others.len() + usize::from(!self.within)
    }

    /// The loss at place `i` from the best, below [`Self::len`].
    pub(super) fn nth(&self, i: usize) -> f64 {
        if self.within || i < self.better {
            self.others[i].0
        } else if i == self.better {
            self.loss
        } else {
            self.others[i - 1].0
        }
    }

    /// The middle loss; of an even number, the mean of the middle two.
    pub(super) fn median(&self) -> f64 {
        let n = self.len();
        let high = self.nth(n / 2);
        if n.is_multiple_of(2) { f64::midpoint(self.nth(n / 2 - 1), high) } else { high }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::early_termination::table::history;

    proptest! {
        #[test]
        fn a_place_is_what_counting_gives(rows in proptest::collection::vec(
            proptest::collection::vec(-4_i32..4, 1..4), 1..12), measure in 0..3_usize) {
            let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
            let slices: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
            let measure = [Measure::Latest, Measure::Best, Measure::Mean][measure];
            let last = rows.len() - 1;
            let k = rows[last].len();
            let of = |row: &[f64]| match measure {
                Measure::Latest => row[k - 1],
                Measure::Best => row[..k].iter().copied().fold(f64::INFINITY, f64::min),
                Measure::Mean => row[..k].iter().sum::<f64>() / k as f64,
            };
            let mut all: Vec<f64> = rows.iter().filter(|row| row.len() >= k).map(|row| of(row)).collect();
            all.sort_by(f64::total_cmp);
            let whole = history(Goal::Minimize, &slices);
            // In ordered mode the history does not know of the trial's own report.
            let without = history(Goal::Minimize, &slices[..last]);
            for history in [&whole, &without] {
                let mut standings = Standings::new(measure);
                let place = standings.place(history, &whole.trials()[last]).expect("it has reported");
                prop_assert_eq!((0..place.len()).map(|i| place.nth(i) + 0.0).collect::<Vec<_>>(), all.clone());
                prop_assert_eq!(place.better, all.iter().filter(|x| **x < of(&rows[last])).count());
            }
        }
    }

    #[test]
    fn kept_between_calls_is_the_same_as_made_anew() {
        let rows: Vec<Vec<f64>> = (0..30).map(|i| (0..=(i % 3)).map(|k| f64::from(i * 7 % 11 + k)).collect()).collect();
        let slices: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let mut kept = Standings::new(Measure::Mean);
        for n in 1..=slices.len() {
            let history = history(Goal::Maximize, &slices[..n]);
            for trial in history.trials() {
                let mut fresh = Standings::new(Measure::Mean);
                let a = kept.place(&history, trial).expect("it has reported");
                let b = fresh.place(&history, trial).expect("it has reported");
                assert_eq!((a.len(), a.better, a.loss, a.median()), (b.len(), b.better, b.loss, b.median()));
            }
        }
    }
}
