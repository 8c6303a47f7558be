//! Hyperband, asynchronous: halving from several first rungs at once.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::book::{Book, Promotion};
use super::suggest::{Sampler, Suggestion};
use super::trust::lowest_trusted;
use super::views::{Inner, Views};
use crate::error::StudyError;
use crate::history::History;
use crate::trial::Rung;

/// At which rung a new trial first yields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brackets {
    /// Each rung in its turn, low ones more often, as Hyperband has it: right on average whatever a rung is worth.
    #[default]
    Rotating,
    /// The lowest rung whose order of trials has been found to be that of the top, which the first trials go to. Better
    /// on the curves of `benches/curves`.
    Trusted,
}

/// Hyperband (Li et al., JMLR 18, 2018) with the promotions of ASHA (Li et al., `MLSys` 2020) in each bracket, so
/// that nobody waits; with a model inside it is BOHB (Falkner, Klein and Hutter, ICML 2018), asynchronous.
///
/// A bracket is a first rung: on a ladder with top rung R, of every so many new trials the share that goes to rung s
/// first is in proportion to ⌈(R + 1) / (R − s + 1) · η^(R − s)⌉, the sizes of Hyperband's brackets, and trials
/// compare only within their bracket.
///
/// With [`Brackets::Trusted`] there is one bracket, and no trial is judged at a rung below the lowest that is trusted.
pub(super) struct Hyperband {
    reduction_factor: usize,
    brackets: Brackets,
    views: Views,
    book: Option<Book>,
}

impl Hyperband {
    pub(super) fn new(reduction_factor: u32, brackets: Brackets, views: Views) -> Self {
        Self { reduction_factor: reduction_factor as usize, brackets, views, book: None }
    }

    /// The first rung of the next new trial.
    fn start(&self, book: &Book, top: Rung) -> Rung {
        let begun = book.begun();
        let wanted = |s: u16| {
            let below = f64::from(top.0 - s);
            (f64::from(top.0 + 1) / (below + 1.0) * (self.reduction_factor as f64).powf(below)).ceil()
        };
        // The one that is furthest behind its share, the lowest of several.
        let due = |s: &u16| (begun[usize::from(*s)] as f64 + 1.0) / wanted(*s);
        Rung((0..=top.0).min_by(|a, b| due(a).total_cmp(&due(b))).unwrap_or(top.0))
    }
}

impl Sampler for Hyperband {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let top = history.spec().top();
        if top == Rung(0) {
            return self.views.whole(history, rng);
        }
        let rotating = self.brackets == Brackets::Rotating;
        let book = Book::up_to_date(self.book.take(), history, rotating);
        let book = &*self.book.insert(book);
        let lowest = if rotating { Rung(0) } else { lowest_trusted(history) };
        if let Some((trial, rung)) = book.promotable(history, self.reduction_factor, Promotion::Quantile, lowest) {
            return Ok(Suggestion::Resume { trial, until: Rung(rung.0 + 1) });
        }
        match self.views.point(history, book, rng)? {
            Inner::Point(params) => {
                let book = self.book.as_ref().filter(|_| rotating);
                Ok(Suggestion::New { params, until: book.map_or(lowest, |book| self.start(book, top)) })
            }
            Inner::Ends(end) => Ok(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::journal::Event;
    use crate::sampler::SamplingAlgorithm;
    use crate::sampler::halving_tests::{records, study};
    use crate::simulate::{SimulatedExecutor, example_objective};
    use crate::study::StudySpec;
    use crate::trial::{Outcome, TrialId, TrialState};

    fn hyperband(brackets: Brackets, trials: u32, slots: u32) -> StudySpec {
        let inner = Box::new(SamplingAlgorithm::Random);
        study(SamplingAlgorithm::Hyperband { reduction_factor: 3, brackets, inner }, trials, slots)
    }

    /// The promotion that is due in a bracket of trials, on the plain list.
    fn promotion(history: &History, bracket: &[TrialId], rung: Rung) -> Option<TrialId> {
        let goal = history.spec().goal();
        let trials = bracket.iter().filter_map(|id| history.trial(*id));
        let mut order: Vec<_> =
            trials.filter_map(|trial| Some((goal.loss(trial.at(rung)?.values[0]), trial.id))).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        order.truncate(order.len() / 3);
        let paused = |id: &TrialId| history.trial(*id).is_some_and(|t| t.state == TrialState::Paused { rung });
        order.into_iter().map(|(_, id)| id).find(paused)
    }

    #[test]
    fn every_decision_is_that_of_plain_lists() {
        let spec = hyperband(Brackets::Rotating, 90, 4);
        let executor = SimulatedExecutor::new(4, example_objective)
            .lasting(|assignment, rung| Duration::from_millis(1 + (assignment.seed >> rung.0) % 900));
        let records = records(&spec, executor);
        let mut history = History::begin(&records[0]).expect("a sound journal");
        let mut brackets: Vec<Vec<TrialId>> = vec![Vec::new(); 3];
        for record in &records {
            if let Event::Started { trial, from, until, .. } = record.event {
                let due = [Rung(1), Rung(0)].into_iter().find_map(|rung| {
                    brackets.iter().find_map(|bracket| promotion(&history, bracket, rung)).map(|id| (id, rung))
                });
                if let Some((id, rung)) = due {
                    assert_eq!((trial, from, until), (id, Some(rung), Rung(rung.0 + 1)));
                } else {
                    assert_eq!(from, None);
                    brackets[usize::from(until.0)].push(trial);
                }
            }
            history.apply(record).expect("a sound journal");
        }
        // ⌈3/3·9⌉, ⌈3/2·3⌉ and ⌈3/1·1⌉: of 17 trials 9, 5 and 3.
        let sizes: Vec<usize> = brackets.iter().map(Vec::len).collect();
        assert!(
            (47..=49).contains(&sizes[0]) && (25..=28).contains(&sizes[1]) && (15..=17).contains(&sizes[2]),
            "{sizes:?}"
        );
    }

    /// Where new trials went, in their order.
    fn first_rungs(spec: &StudySpec, executor: SimulatedExecutor) -> Vec<u16> {
        let new = |record: &crate::journal::Record| match record.event {
            Event::Started { from: None, until, .. } => Some(until.0),
            _ => None,
        };
        records(spec, executor).iter().filter_map(new).collect()
    }

    #[test]
    fn a_rung_is_opened_once_its_order_is_that_of_the_top() {
        let spec = hyperband(Brackets::Trusted, 40, 1);
        // A number from the seed that is the loss at every rung, and one whose first rung says the opposite.
        let loss = |seed: u64| (seed >> 11) as f64;
        let honest = SimulatedExecutor::new(1, move |_, _, seed| Outcome::single(loss(seed), 1.0));
        let rungs = first_rungs(&spec, honest);
        assert_eq!((&rungs[..4], rungs[4..].iter().max()), ([2; 4].as_slice(), Some(&0)));
        let lying = SimulatedExecutor::new(1, move |_, rung, seed| {
            Outcome::single(if rung == Rung(0) { -loss(seed) } else { loss(seed) }, 1.0)
        });
        let rungs = first_rungs(&spec, lying);
        assert_eq!((rungs[4..].iter().min(), rungs[4..].iter().max()), (Some(&1), Some(&1)));
    }
}
