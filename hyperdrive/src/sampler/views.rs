//! What the sampler inside a halving wrapper sees of the study.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;

use super::algorithm::SamplingAlgorithm;
use super::book::Book;
use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::keys::branch;
use crate::params::Params;
use crate::space::Layout;
use crate::study::{Ladder, StudySpec};
use crate::trial::{Rung, Segment, Trial, TrialState};

/// The inner sampler and the study as it sees it, for each rung that has been the highest with enough results.
///
/// The rule is that of BOHB (Falkner, Klein and Hutter, ICML 2018, section 3.2): the model learns from the highest rung
/// at which at least d + 3 trials have reported, for d dimensions; until then, from the rung with most. Results are
/// those at that rung and no others, as values compare only at equal rung.
///
/// Trials that were left behind below it are shown as what they are, paused, and have no result: so they are behind
/// none that has one. (Giving them stand-in losses was measured to mislead: where hundreds are left behind, all
/// survivors of the low rungs come out among the good ones, and a model learns what makes a good start.) A sampler takes
/// what is paused like what is running, as looked at already.
///
/// Each rung has an inner sampler of its own, as what one remembers belongs to one study.
pub(super) struct Views {
    inner: SamplingAlgorithm,
    enough: Option<usize>,
    by_rung: BTreeMap<Rung, View>,
    /// The inner sampler on the whole study, for ladders of one rung.
    whole: Option<Box<dyn Sampler>>,
}

struct View {
    sampler: Box<dyn Sampler>,
    history: History,
}

/// A point of the inner sampler, or that it has none now.
pub(super) enum Inner {
    /// The next point to try.
    Point(Params),
    /// [`Suggestion::Wait`] or [`Suggestion::Done`].
    Ends(Suggestion),
}

impl Views {
    pub(super) fn new(inner: SamplingAlgorithm) -> Self {
        Self { inner, enough: None, by_rung: BTreeMap::new(), whole: None }
    }

    /// What the inner sampler says to the study as it is.
    pub(super) fn whole(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        self.whole.get_or_insert_with(|| self.inner.build()).suggest(history, rng)
    }

    /// The next point, by a model of the highest rung with enough results.
    pub(super) fn point(&mut self, history: &History, book: &Book, rng: &ChaCha8Rng) -> Result<Inner, StudyError> {
        let space = &history.spec().search_space;
        let enough = *self.enough.get_or_insert_with(|| Layout::new(space).len() + 3);
        let rung = model_rung(history, book, enough);
        let cut = |trial: &Trial| Some(until(trial, rung));
        let view = self.by_rung.entry(rung).or_insert_with(|| View {
            sampler: self.inner.build(),
            history: history.filtered(&study_until(history.spec(), rung), &cut),
        });
        view.history.follow(history, &cut);
        match view.sampler.suggest(&view.history, &mut branch(rng, "inner"))? {
            Suggestion::New { params, .. } => Ok(Inner::Point(params)),
            Suggestion::Resume { trial, .. } | Suggestion::From { trial, .. } => Err(StudyError::Suggestion {
                segment: Segment(history.segments()),
                reason: format!(
                    "inside a halving wrapper only new trials can be suggested, not one from trial {trial}"
                ),
            }),
            // What runs in the inner study runs in the outer one.
            end @ (Suggestion::Wait | Suggestion::Done) => Ok(Inner::Ends(end)),
        }
    }
}

/// The highest rung with `enough` results; where none has, the highest of those with most.
fn model_rung(history: &History, book: &Book, enough: usize) -> Rung {
    let rungs = || (0..=history.spec().top().0).map(Rung);
    let trusted = rungs().rev().find(|rung| book.reported(*rung) >= enough);
    trusted.or_else(|| rungs().max_by_key(|rung| book.reported(*rung))).unwrap_or(Rung(0))
}

/// The study whose top rung is `rung`.
pub(super) fn study_until(spec: &StudySpec, rung: Rung) -> StudySpec {
    StudySpec { ladder: Ladder::Rungs(spec.ladder.rungs()[..=usize::from(rung.0)].to_vec()), ..spec.clone() }
}

/// A trial as far as `top`: who reported there has finished, and with that report.
pub(super) fn until(trial: &Trial, top: Rung) -> Trial {
    let reports: Vec<_> = trial.reports.iter().filter(|(rung, _)| *rung <= top).cloned().collect();
    let reported = trial.reported[..reports.len()].to_vec();
    let finished = reports.last().is_some_and(|(rung, _)| *rung == top);
    let state = match &trial.state {
        _ if finished => TrialState::Finished { partial: false },
        // On the way to its first report at `top`, whatever rung it is to yield at.
        TrialState::Running { until } => TrialState::Running { until: top.min(*until) },
        TrialState::Stopped { rung, reason } => TrialState::Stopped { rung: top.min(*rung), reason: reason.clone() },
        other => other.clone(),
    };
    let cost = match reports.last() {
        Some((_, outcome)) if finished => outcome.cost,
        _ => trial.cost,
    };
    let partial = trial.partial.clone().filter(|_| !finished);
    let ended = if finished { reported.last().copied() } else { trial.ended };
    Trial { reports, reported, ended, state, cost, partial, curve: Vec::new(), ..trial.clone() }
}
