//! Successive halving, synchronous.

use rand_chacha::ChaCha8Rng;

use super::book::Book;
use super::suggest::{Sampler, Suggestion};
use super::views::{Inner, Views};
use crate::error::StudyError;
use crate::history::History;
use crate::trial::{Rank, Rung, Trial, TrialId, TrialState};

/// Successive halving (Jamieson and Talwalkar, AISTATS 2016): a batch of η^R new trials goes to the first of the
/// rungs 0 to R; once all of them have arrived, the best 1/η go on to the next together, and so on to the top.
///
/// A trial that fails or is stopped has arrived, and does not go on. Nothing waits for stragglers: where a batch has
/// nothing to start, the next one begins. The last batch may be smaller, where the number of trials is limited.
pub(super) struct SuccessiveHalving {
    reduction_factor: usize,
    views: Views,
    book: Option<Book>,
    /// The generation, and the first batch that is not known to be over.
    first: (u64, usize),
}

/// What a batch has to do next.
enum Next {
    /// A trial that goes on.
    Resume(TrialId, Rung),
    /// Nothing before more has arrived.
    Later,
    /// Nothing ever.
    Over,
}

impl SuccessiveHalving {
    pub(super) fn new(reduction_factor: u32, views: Views) -> Self {
        Self { reduction_factor: reduction_factor as usize, views, book: None, first: (0, 0) }
    }

    /// What the trials of a batch have to do next; all that it will ever have are there.
    fn next(&self, history: &History, batch: &[Trial]) -> Next {
        let goal = history.spec().goal();
        let mut stage: Vec<&Trial> = batch.iter().collect();
        for rung in (0..history.spec().top().0).map(Rung) {
            let arrived = |trial: &&Trial| trial.at(rung).is_some() && !is_on_the_way(trial, rung) || is_out(trial);
            if !stage.iter().all(arrived) {
                return Next::Later;
            }
            let mut order: Vec<(Rank, TrialId, &Trial)> = Vec::new();
            for trial in &stage {
                order.extend(trial.at(rung).map(|outcome| (outcome.rank(goal), trial.id, *trial)));
            }
            order.sort_by_key(|(rank, id, _)| (*rank, *id));
            order.truncate(stage.len() / self.reduction_factor);
            if let Some((_, id, _)) = order.iter().find(|(_, _, trial)| trial.state == TrialState::Paused { rung }) {
                return Next::Resume(*id, rung);
            }
            stage = order.into_iter().map(|(_, _, trial)| trial).collect();
        }
        if stage.iter().any(|trial| trial.is_running()) { Next::Later } else { Next::Over }
    }
}

/// Whether it is running to `rung`, which it has reported but not yielded at.
fn is_on_the_way(trial: &Trial, rung: Rung) -> bool {
    trial.state == (TrialState::Running { until: rung })
}

fn is_out(trial: &Trial) -> bool {
    matches!(trial.state, TrialState::Failed { .. } | TrialState::Stopped { .. } | TrialState::Finished { .. })
}

impl Sampler for SuccessiveHalving {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let top = history.spec().top();
        if top == Rung(0) {
            return self.views.whole(history, rng);
        }
        let size = self.reduction_factor.saturating_pow(u32::from(top.0));
        if self.first.0 != history.generation() {
            self.first = (history.generation(), 0);
        }
        let trials = history.trials();
        for (i, batch) in trials.chunks(size).enumerate().skip(self.first.1) {
            if batch.len() < size && !history.is_full() {
                break;
            }
            match self.next(history, batch) {
                Next::Resume(trial, rung) => return Ok(Suggestion::Resume { trial, until: Rung(rung.0 + 1) }),
                Next::Over if i == self.first.1 && batch.len() == size => self.first.1 += 1,
                Next::Over | Next::Later => {}
            }
        }
        let book = Book::up_to_date(self.book.take(), history, false);
        match self.views.point(history, self.book.insert(book), rng)? {
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
    use crate::sampler::halving_tests::{killing, records, starts, study};
    use crate::simulate::{SimulatedExecutor, example_objective};
    use crate::study::StudySpec;
    use crate::trial::{Outcome, TrialId};

    fn halving(reduction_factor: u32, trials: u32, slots: u32) -> StudySpec {
        let inner = Box::new(SamplingAlgorithm::Random);
        study(SamplingAlgorithm::SuccessiveHalving { reduction_factor, inner }, trials, slots)
    }

    #[test]
    fn by_hand() {
        // One slot, η = 2 and three rungs: batches of four. Losses by trial, the same at every rung.
        let losses = [0.5, 0.3, 0.7, 0.1, 0.4, 0.2];
        let executor = SimulatedExecutor::new(1, |params, _, _| {
            Outcome::single(params.float("x").expect("the space has an x"), 1.0)
        });
        let mut spec = halving(2, 6, 1);
        let points = losses.map(|x| Params::new().with("x", x).with("algorithm", "constant")).to_vec();
        let inner = Box::new(SamplingAlgorithm::Enqueue { points, then: Box::new(SamplingAlgorithm::Random) });
        spec.sampling_algorithm = SamplingAlgorithm::SuccessiveHalving { reduction_factor: 2, inner };
        // The whole batch, then the best two, then the best one; the last batch is of two, of which one goes on.
        let expected = [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (1, 1), (3, 2), (4, 0), (5, 0), (5, 1)];
        assert_eq!(starts(&records(&spec, executor)), expected);
    }

    /// The trials of a batch that go from each rung to the next, by the plain algorithm on final values.
    fn survivors(batch: &[Trial], eta: usize) -> Vec<Vec<TrialId>> {
        let mut stage: Vec<&Trial> = batch.iter().collect();
        let mut goes = Vec::new();
        for rung in (0..2).map(Rung) {
            let keep = stage.len() / eta;
            stage.retain(|trial| trial.at(rung).is_some());
            stage.sort_by(|a, b| {
                a.at(rung).map(|o| o.values[0]).partial_cmp(&b.at(rung).map(|o| o.values[0])).expect("no NaN")
            });
            stage.truncate(keep);
            goes.push(stage.iter().map(|trial| trial.id).collect());
        }
        goes
    }

    #[test]
    fn every_batch_ends_as_the_plain_algorithm_has_it() {
        for (eta, slots) in [(2, 1), (3, 4), (2, 8)] {
            for executor in [
                SimulatedExecutor::new(slots as usize, example_objective)
                    .lasting(|assignment, rung| Duration::from_millis(1 + (assignment.seed >> rung.0) % 900)),
                killing(),
            ] {
                let records = records(&halving(eta, 40, slots), executor);
                let history = History::replay(&records).expect("a sound journal").expect("it has records");
                let eta = eta as usize;
                for batch in history.trials().chunks(eta * eta) {
                    let goes = survivors(batch, eta);
                    for trial in batch {
                        for (rung, goes) in (0_u16..).zip(&goes) {
                            let went = trial.at(Rung(rung + 1)).is_some();
                            assert_eq!(went, goes.contains(&trial.id), "trial {} from rung {rung}", trial.id);
                        }
                    }
                }
                assert_eq!((history.trials().len(), history.counts().running), (40, 0));
                let resumed =
                    |record: &&crate::journal::Record| matches!(record.event, Event::Started { from: Some(_), .. });
                assert!(records.iter().filter(resumed).count() > 10);
            }
        }
    }
}
