//! A journal gone through once more: what was suggested is derived again from what each suggestion saw.

use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::journal::{Event, Record};
use crate::keys::keyed_rng;
use crate::order::{Lens, Policies};
use crate::trial::{Origin, Segment};

/// What going through a journal once more came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// Suggestions that began something.
    pub n_suggestions: u32,
    /// Suggestions to wait.
    pub n_waits: u32,
    /// Segments that were begun again after a crash or an end; those are no suggestions.
    pub n_retries: u32,
    /// Suggestions that come out otherwise than they were recorded.
    pub differences: Vec<Difference>,
}

/// A suggestion that comes out otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its number.
    pub segment: Segment,
    /// What the journal has.
    pub recorded: Suggestion,
    /// What the sampler says; an error's words where it says nothing.
    pub derived: Result<Suggestion, String>,
}

impl Replay {
    /// Derives every suggestion of a journal again with the sampler of its specification: the same history and the same
    /// key must give the same suggestion (law 2).
    ///
    /// Errors: the journal is empty or unsound.
    pub fn of(records: &[Record]) -> Result<Self, StudyError> {
        Self::with(records, &|history| history.spec().sampling_algorithm.build())
    }

    /// The same with samplers from `make`, one for each sitting and for each suggestion that was made ahead.
    pub(crate) fn with(records: &[Record], make: &dyn Fn(&History) -> Box<dyn Sampler>) -> Result<Self, StudyError> {
        let mut replay = Self::default();
        let Some(first) = records.first() else { return Ok(replay) };
        let mut history = History::begin(first)?;
        let mut lens = Lens::new(Policies::None);
        let mut sampler = make(&history);
        for record in records {
            if let Event::Resumed { .. } = record.event {
                sampler = make(&history);
            }
            replay.n_retries += u32::from(matches!(record.event, Event::Started { attempt: 2.., .. }));
            if let Some(recorded) = recorded(&record.event) {
                let segment = history.segments();
                let mut rng = keyed_rng(history.spec().seed, u64::from(segment), "");
                let ordered = lens.is_ordered();
                let view = lens.view(&history)?;
                // A suggestion that was made ahead saw less.
                let derived = match &record.event {
                    Event::Started { saw, .. } if !ordered && *saw < view.seq() => {
                        let earlier = History::replay(&records[..=saw.0 as usize])?;
                        let view = earlier.as_ref().unwrap_or(view);
                        make(view).suggest(view, &mut rng).map(|said| said.settled(view, ordered))
                    }
                    _ => sampler.suggest(view, &mut rng).map(|said| said.settled(view, ordered)),
                };
                let derived = derived.map_err(|error| error.to_string());
                let count = if recorded == Suggestion::Wait { &mut replay.n_waits } else { &mut replay.n_suggestions };
                *count += 1;
                if derived.as_ref() != Ok(&recorded) {
                    replay.differences.push(Difference { segment: Segment(segment), recorded, derived });
                }
            }
            history.apply(record)?;
            lens.hear(&record.event, &history)?;
        }
        Ok(replay)
    }
}

/// The suggestion that an event is the outcome of; none of a retry.
fn recorded(event: &Event) -> Option<Suggestion> {
    match event {
        Event::Started { params, until, origin, trial, attempt: 1, .. } => Some(match *origin {
            Origin::New => Suggestion::New { params: params.clone(), until: *until },
            Origin::Resume => Suggestion::Resume { trial: *trial, until: *until },
            Origin::From(parent) => Suggestion::From { trial: parent, params: params.clone(), until: *until },
        }),
        Event::Waited { .. } => Some(Suggestion::Wait),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::sampler::SamplingAlgorithm;
    use crate::simulate::{SimulatedExecutor, example_objective, example_study};
    use crate::study::StudySpec;

    fn journal(search_seconds: Option<f64>) -> Vec<Record> {
        let tpe = SamplingAlgorithm::Tpe { startup: 5, candidates: 8 };
        let limits = Limits { max_trials: Some(30), search_seconds, max_concurrent: 3, ..Limits::default() };
        let spec = StudySpec { sampling_algorithm: tpe, limits, ..example_study(3) };
        let executor = SimulatedExecutor::new(3, example_objective);
        let (_, journal) = executor.run(&spec).expect("a study");
        journal.records().to_vec()
    }

    #[test]
    fn every_decision_comes_out_again_in_both_orders() {
        for search_seconds in [None, Some(1e6)] {
            let replay = Replay::of(&journal(search_seconds)).expect("a sound journal");
            assert_eq!((replay.n_suggestions, replay.differences.len()), (30, 0), "{:?}", replay.differences.first());
        }
        assert_eq!(Replay::of(&[]).expect("nothing is sound"), Replay::default());
    }

    #[test]
    fn a_changed_result_changes_what_follows_from_it() {
        let mut records = journal(Some(1e6));
        for record in &mut records {
            if let Event::Reported { outcome, .. } | Event::Finished { outcome, .. } = &mut record.event {
                // What was best is worst.
                outcome.values[0] = -outcome.values[0];
            }
        }
        let replay = Replay::of(&records).expect("a journal of other results is as sound");
        assert!(!replay.differences.is_empty());
        assert!(replay.differences.iter().all(|difference| difference.segment.0 >= 5), "the first are drawn evenly");
    }
}
