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
            order.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
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
