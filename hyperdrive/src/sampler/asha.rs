//! Asynchronous successive halving.

use rand_chacha::ChaCha8Rng;

use super::book::{Book, Promotion};
use super::suggest::{Sampler, Suggestion};
use super::views::{Inner, Views};
use crate::error::StudyError;
use crate::history::History;
use crate::trial::Rung;

/// ASHA in its promoting form (Li et al., "A System for Massively Parallel Hyperparameter Tuning", `MLSys` 2020,
/// algorithm 2): from the highest rung down, a trial among the best 1/η of all that reported at a rung goes on to
/// the next; if there is none, a new trial goes to the first.
///
/// Trials that failed or were stopped after a rung still count at it, but do not go on. What the inner sampler sees is
/// said at [`Views`].
pub(super) struct Asha {
    reduction_factor: usize,
    promotion: Promotion,
    views: Views,
    book: Option<Book>,
}

impl Asha {
    pub(super) fn new(reduction_factor: u32, promotion: Promotion, views: Views) -> Self {
        Self { reduction_factor: reduction_factor as usize, promotion, views, book: None }
    }
}

impl Sampler for Asha {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        if history.spec().top() == Rung(0) {
            return self.views.whole(history, rng);
        }
        let book = Book::up_to_date(self.book.take(), history, false);
        let book = &*self.book.insert(book);
        if let Some((trial, rung)) = book.promotable(history, self.reduction_factor, self.promotion, Rung(0)) {
            return Ok(Suggestion::Resume { trial, until: Rung(rung.0 + 1) });
        }
        match self.views.point(history, book, rng)? {
            Inner::Point(params) => Ok(Suggestion::New { params, until: Rung(0) }),
            Inner::Ends(end) => Ok(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::journal::Event;
    use crate::params::Params;
    use crate::sampler::SamplingAlgorithm;
    use crate::sampler::halving_tests::{records, starts, study};
    use crate::simulate::{SimulatedExecutor, example_objective};
    use crate::study::{Ladder, StudySpec};
    use crate::trial::{Outcome, TrialId, TrialState};

    fn asha(reduction_factor: u32, trials: u32, slots: u32) -> StudySpec {
        let inner = Box::new(SamplingAlgorithm::Random);
        study(SamplingAlgorithm::Asha { reduction_factor, promotion: Promotion::Quantile, inner }, trials, slots)
    }

    #[test]
    fn by_hand() {
        // One slot, η = 2, losses by trial as below, the same at every rung.
        let losses = [0.5, 0.3, 0.7, 0.1, 0.4, 0.2, 0.6, 0.8];
        let executor = SimulatedExecutor::new(1, |params, _, _| {
            Outcome::single(params.float("x").expect("the space has an x"), 1.0)
        });
        let mut spec = asha(2, 8, 1);
        let point = |x: f64| Params::new().with("x", x).with("algorithm", "constant");
        let points = losses.map(point).to_vec();
        let inner = SamplingAlgorithm::Enqueue { points, then: Box::new(SamplingAlgorithm::Random) };
        spec.sampling_algorithm =
            SamplingAlgorithm::Asha { reduction_factor: 2, promotion: Promotion::Quantile, inner: Box::new(inner) };
        let mut expected = vec![(0, 0), (1, 0)];
        // Of {0, 1} the best is 1.
        expected.extend([(1, 1), (2, 0), (3, 0)]);
        // Of {0, 1, 2, 3} the best two are 3 and 1, and of {3, 1} at the next rung 3.
        expected.extend([(3, 1), (3, 2), (4, 0), (5, 0)]);
        // Of six the best three are 3, 5 and 1; of three at the next rung 3, which is at the top.
        expected.extend([(5, 1), (6, 0), (7, 0)]);
        // Of eight the best four are 3, 5, 1 and 4; of four at the next rung 3 and 5.
        expected.extend([(4, 1), (5, 2)]);
        assert_eq!(starts(&records(&spec, executor)), expected);
    }

    #[test]
    fn by_cost_a_dear_trial_waits_until_the_others_have_cost_as_much() {
        // η = 2, one slot; loss and cost of each trial, the same at every rung.
        let points = [(0.2, 1.0), (0.1, 6.0), (0.3, 1.0), (0.4, 4.0), (0.5, 2.0), (0.6, 1.0)];
        let executor = SimulatedExecutor::new(1, move |params, _, _| {
            let x = params.float("x").expect("the space has an x");
            let (_, cost) = points.into_iter().find(|(loss, _)| *loss == x).expect("one of the points");
            Outcome::single(x, cost)
        });
        let mut spec = asha(2, 6, 1);
        let point = |(x, _): (f64, f64)| Params::new().with("x", x).with("algorithm", "constant");
        let inner = SamplingAlgorithm::Enqueue {
            points: points.map(point).to_vec(),
            then: Box::new(SamplingAlgorithm::Random),
        };
        spec.sampling_algorithm =
            SamplingAlgorithm::Asha { reduction_factor: 2, promotion: Promotion::Cost, inner: Box::new(inner) };
        // Trial 1, the best, is 6 of 7, of 8, then of 12: half. With 0 it is 7: half of 14, once 4 has arrived.
        let expected = [(0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (4, 0), (0, 1), (5, 0)];
        assert_eq!(starts(&records(&spec, executor)), expected);
    }

    /// Algorithm 2 of the paper on the plain list of trials, without any cache.
    fn paper(history: &History, reduction_factor: usize) -> Option<(TrialId, Rung)> {
        let goal = history.spec().goal();
        for r in (0..history.spec().top().0).rev().map(Rung) {
            let mut at_rung: Vec<(f64, TrialId)> = Vec::new();
            for trial in history.trials() {
                at_rung.extend(trial.at(r).map(|outcome| (goal.loss(outcome.values[0]), trial.id)));
            }
            at_rung.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let candidates = &at_rung[..at_rung.len() / reduction_factor];
            let waiting =
                |id: TrialId| history.trial(id).is_some_and(|trial| trial.state == TrialState::Paused { rung: r });
            if let Some((_, id)) = candidates.iter().find(|(_, id)| waiting(*id)) {
                return Some((*id, r));
            }
        }
        None
    }

    #[test]
    fn every_decision_is_the_papers() {
        for (reduction_factor, slots) in [(2, 1), (3, 4), (4, 8)] {
            let spec = asha(reduction_factor, 80, slots);
            let executor = SimulatedExecutor::new(slots as usize, example_objective)
                .lasting(|assignment, rung| Duration::from_millis(1 + (assignment.seed >> rung.0) % 900));
            let records = records(&spec, executor);
            let mut history = History::begin(&records[0]).expect("a sound journal");
            let mut promotions = 0;
            for record in &records {
                if let Event::Started { trial, from, until, .. } = record.event {
                    match paper(&history, reduction_factor as usize) {
                        Some((id, rung)) => {
                            assert_eq!((trial, from, until), (id, Some(rung), Rung(rung.0 + 1)));
                            promotions += 1;
                        }
                        None => assert_eq!((from, until), (None, Rung(0))),
                    }
                }
                history.apply(record).expect("a sound journal");
            }
            assert!(promotions > 20, "{promotions} promotions");
            assert_eq!(paper(&history, reduction_factor as usize), None, "a promotion was left open");
            assert_eq!((history.trials().len(), history.counts().running), (80, 0));
        }
    }

    #[test]
    fn ordered_mode_leaves_no_promotion_open() {
        for trials in [1, 2, 9, 40] {
            let mut spec = asha(3, trials, 4);
            spec.limits.search_seconds = None;
            let records = records(&spec, SimulatedExecutor::new(4, example_objective));
            let history = History::replay(&records).expect("a sound journal").expect("it has records");
            assert_eq!(paper(&history, 3), None, "of {trials} trials");
            assert_eq!((history.trials().len() as u32, history.counts().running), (trials, 0));
        }
    }

    #[test]
    fn with_one_rung_it_is_the_inner_sampler() {
        let one = |spec: StudySpec| StudySpec { ladder: Ladder::Rungs(spec.ladder.rungs()[2..].to_vec()), ..spec };
        let run = |spec: &StudySpec| {
            let records = records(spec, SimulatedExecutor::new(2, example_objective));
            History::replay(&records).expect("a sound journal").expect("it has records").trials().to_vec()
        };
        let wrapped = one(asha(3, 12, 2));
        let plain = StudySpec { sampling_algorithm: SamplingAlgorithm::Random, ..wrapped.clone() };
        assert_eq!(run(&wrapped), run(&plain));
    }
}
