//! What the tests of halving wrappers share, and tests of what the wrappers share.

use super::SamplingAlgorithm;
use super::book::Book;
use super::observations::Observations;
use super::views::{study_until, until};
use crate::early_termination::EarlyTerminationPolicy;
use crate::history::History;
use crate::journal::{Event, Record};
use crate::limits::Limits;
use crate::simulate::{Fate, SimulatedExecutor, example_objective, example_study};
use crate::study::StudySpec;
use crate::trial::{FailureKind, Rung};

/// The example study with a wrapper, in arrival order.
pub(super) fn study(algorithm: SamplingAlgorithm, trials: u32, slots: u32) -> StudySpec {
    StudySpec {
        sampling_algorithm: algorithm,
        early_termination: EarlyTerminationPolicy::None,
        limits: Limits {
            max_trials: Some(trials),
            search_seconds: Some(1e6),
            max_concurrent: slots,
            ..Limits::default()
        },
        ..example_study(2)
    }
}

pub(super) fn records(spec: &StudySpec, executor: SimulatedExecutor) -> Vec<Record> {
    let (_, journal) = executor.run(spec).expect("it runs");
    journal.records().to_vec()
}

/// What was started: the trial and where it was to go.
pub(super) fn starts(records: &[Record]) -> Vec<(u32, u16)> {
    let start = |record: &Record| match record.event {
        Event::Started { trial, until, .. } => Some((trial.0, until.0)),
        _ => None,
    };
    records.iter().filter_map(start).collect()
}

/// An executor of which every third trial's segments are killed once, after all they had to say.
pub(super) fn killing() -> SimulatedExecutor {
    SimulatedExecutor::new(4, example_objective).with_fate(|assignment| match assignment.attempt {
        1 if assignment.trial.0 % 3 == 0 => Fate::Fails {
            at: Rung(assignment.until.0 + 1),
            kind: FailureKind::Interrupted,
            reason: "killed".to_owned(),
        },
        _ => Fate::Runs,
    })
}

fn hyperband() -> SamplingAlgorithm {
    let inner = Box::new(SamplingAlgorithm::Random);
    SamplingAlgorithm::Hyperband { reduction_factor: 3, brackets: super::Brackets::Rotating, inner }
}

#[test]
fn what_is_kept_is_what_a_fresh_one_would_be_even_when_reports_are_taken_back() {
    let records = records(&study(hyperband(), 40, 4), killing());
    let mut history = History::begin(&records[0]).expect("a sound journal");
    let rungs = || (0..=2).map(Rung);
    let mut kept_book = None;
    let mut kept_views: Vec<Option<(History, Option<Observations>)>> = vec![None; 3];
    for record in &records {
        history.apply(record).expect("a sound journal");
        let fresh = Book::up_to_date(None, &history, true);
        let book = Book::up_to_date(kept_book.take(), &history, true);
        for (bracket, rung) in (0..3).flat_map(|bracket| rungs().map(move |rung| (bracket, rung))) {
            assert_eq!(book.standing(bracket, rung), fresh.standing(bracket, rung), "after record {}", record.seq);
        }
        for rung in rungs() {
            let cut = |trial: &crate::trial::Trial| Some(until(trial, rung));
            let anew = history.filtered(&study_until(history.spec(), rung), &cut);
            let (mut view, observed) = kept_views[usize::from(rung.0)].take().unwrap_or((anew.clone(), None));
            view.follow(&history, &cut);
            assert_eq!(view.trials(), anew.trials(), "after record {}", record.seq);
            // A model's results come in the same order and mean the same, whoever has watched.
            let observed = Observations::up_to_date(observed, &view);
            let observed_anew = Observations::up_to_date(None, &anew);
            assert_eq!(observed.results(&view), observed_anew.results(&anew), "after record {}", record.seq);
            assert_eq!(observed.is_censored(), observed_anew.is_censored(), "after record {}", record.seq);
            kept_views[usize::from(rung.0)] = Some((view, Some(observed)));
        }
        kept_book = Some(book);
    }
    assert!(history.generation() > 5, "nothing was taken back");
}

#[test]
fn results_are_those_of_one_rung_and_who_was_left_behind_is_paused() {
    let records = records(&study(hyperband(), 60, 4), SimulatedExecutor::new(4, example_objective));
    let history = History::replay(&records).expect("a sound journal").expect("it has records");
    for top in (0..=2).map(Rung) {
        let view = history.filtered(&study_until(history.spec(), top), &|trial| Some(until(trial, top)));
        let reached = history.trials().iter().filter(|trial| trial.at(top).is_some()).count();
        let observations = Observations::up_to_date(None, &view);
        let results = observations.results(&view);
        assert!(results.iter().all(|result| result.exact));
        assert_eq!((results.len(), observations.pending().count()), (reached, 60 - reached));
        for (trial, shown) in history.trials().iter().zip(view.trials()) {
            match trial.at(top) {
                Some(outcome) => assert_eq!(shown.result(), Some(outcome)),
                None => assert_eq!((&shown.state, &shown.reports), (&trial.state, &trial.reports)),
            }
        }
    }
    let lowest = history.filtered(&study_until(history.spec(), Rung(0)), &|trial| Some(until(trial, Rung(0))));
    assert_eq!((lowest.spec().ladder.rungs().len(), lowest.counts().finished), (1, 60));
    assert_eq!(lowest.cost(), 60.0, "a unit for the first rung of each");
}
