//! Executors, samplers and journals that do not keep to their part.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::world::{ordered, random, sit, sit_with};
use crate::error::{JournalError, StudyError};
use crate::history::History;
use crate::journal::{Event, Journal, MemoryJournal, Record};
use crate::limits::Limits;
use crate::order::Policies;
use crate::params::Params;
use crate::run::{Assignment, Executor, SegmentEnd, Sitting, Update, drive, run};
use crate::sampler::{Sampler, Suggestion};
use crate::simulate::{SimulatedExecutor, example_objective};
use crate::trial::{FailureKind, Outcome, Rung, Segment, Seq, TrialId, TrialState};

/// What to say of a segment.
type Script = fn(&Assignment) -> Vec<Update>;

/// Says what it is told to say of each segment, all of it at once.
struct Scripted {
    script: Script,
    said: VecDeque<Update>,
}

impl Executor for Scripted {
    fn free(&self) -> usize {
        1
    }

    fn start(&mut self, assignment: Assignment) {
        self.said.extend((self.script)(&assignment));
    }

    fn stop(&mut self, _trial: TrialId, _segment: Segment) {}

    fn next(&mut self, _timeout: Duration) -> Option<Update> {
        self.said.pop_front()
    }
}

fn report(assignment: &Assignment, rung: u16) -> Update {
    let Assignment { segment, trial, .. } = *assignment;
    Update::Reported { segment, trial, rung: Rung(rung), outcome: Outcome::single(0.5, 1.0) }
}

fn end(assignment: &Assignment, end: SegmentEnd) -> Update {
    Update::Ended { segment: assignment.segment, trial: assignment.trial, end }
}

fn reached(assignment: &Assignment) -> Update {
    end(assignment, SegmentEnd::Reached { curve: vec![1.0, f64::NAN, 2.0] })
}

fn scripted(script: Script) -> (History, MemoryJournal) {
    let mut journal = MemoryJournal::new();
    let mut executor = Scripted { script, said: VecDeque::new() };
    let spec = random(Limits { max_trials: Some(2), ..Limits::default() });
    let ended = sit_with(&spec, &mut journal, &mut executor, &|| Duration::ZERO, &|| false);
    (ended.expect("it runs").history, journal)
}

#[test]
fn late_reports_and_second_ends_are_dropped() {
    let (history, journal) = scripted(|assignment| {
        let mut said: Vec<Update> = (0..3).map(|rung| report(assignment, rung)).collect();
        said.push(reached(assignment));
        said.extend([report(assignment, 2), reached(assignment), end(assignment, SegmentEnd::Stopped)]);
        said
    });
    assert_eq!(history.counts().finished, 2);
    assert_eq!(history.trials()[0].curve, [1.0], "a curve is kept up to the first number that is not finite");
    let reports = journal.records().iter().filter(|record| matches!(record.event, Event::Reported { .. }));
    assert_eq!(reports.count(), 6);
}

#[test]
fn news_of_an_unknown_segment_is_dropped() {
    let (history, _) = scripted(|assignment| {
        let stranger = Assignment { segment: Segment(77), trial: TrialId(99), ..assignment.clone() };
        let mixed_up = Assignment { trial: TrialId(99), ..assignment.clone() };
        let mut said = vec![report(&stranger, 0), reached(&stranger), report(&mixed_up, 0), reached(&mixed_up)];
        said.extend((0..3).map(|rung| report(assignment, rung)));
        said.push(reached(assignment));
        said
    });
    assert_eq!(history.counts().finished, 2);
}

#[test]
fn reports_out_of_turn_fail_the_trial() {
    let scripts: [(Script, &str); 4] = [
        (|a| vec![report(a, 0), report(a, 0)], "rung 0 was reported, which is not ahead of the trial"),
        (|a| vec![report(a, 3)], "rung 3 was reported, which is not ahead of the trial"),
        (|a| vec![reached(a)], "it arrived without reporting"),
        (|a| vec![report(a, 1), reached(a)], "it arrived without reporting"),
    ];
    for (script, message) in scripts {
        let (history, _) = scripted(script);
        for trial in history.trials() {
            let reason = message.to_owned();
            assert_eq!(trial.state, TrialState::Failed { kind: FailureKind::Error, reason });
        }
    }
}

struct Says(fn(&History) -> Suggestion);

impl Sampler for Says {
    fn suggest(&mut self, history: &History, _rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        Ok((self.0)(history))
    }
}

fn refused(says: fn(&History) -> Suggestion) -> String {
    let spec = random(Limits { max_trials: Some(9), ..Limits::default() });
    let mut executor = SimulatedExecutor::new(1, example_objective);
    let clock = executor.clock();
    let mut journal = MemoryJournal::new();
    let sitting = Sitting {
        journal: &mut journal,
        executor: &mut executor,
        clock: &clock,
        stop: &|| false,
        observe: &mut |_, _| {},
    };
    drive(&spec, Box::new(Says(says)), Policies::None, sitting).expect_err("should be refused").to_string()
}

#[test]
fn suggestions_that_cannot_be_done_are_errors() {
    assert_eq!(refused(|_| Suggestion::Wait), "suggestion 0: the sampler waits, but nothing is running");
    assert_eq!(
        refused(|_| Suggestion::New { params: Params::new(), until: Rung(0) }),
        "suggestion 0: parameter `x`: is missing"
    );
    assert_eq!(
        refused(|_| Suggestion::Resume { trial: TrialId(4), until: Rung(0) }),
        "suggestion 0: trial 4 is unknown"
    );
    assert_eq!(
        refused(|_| {
            let params = Params::new().with("x", 0.5).with("algorithm", "constant");
            Suggestion::New { params, until: Rung(3) }
        }),
        "suggestion 0: rung 3 is not ahead of trial 0 on the ladder"
    );
}

#[test]
fn a_trial_can_begin_from_the_checkpoint_of_another() {
    let spec = random(Limits { max_trials: Some(3), lag: 1, ..Limits::default() });
    let mut executor = SimulatedExecutor::new(1, example_objective);
    let clock = executor.clock();
    let mut journal = MemoryJournal::new();
    let sitting = Sitting {
        journal: &mut journal,
        executor: &mut executor,
        clock: &clock,
        stop: &|| false,
        observe: &mut |_, _| {},
    };
    let says = |history: &History| {
        let params = Params::new().with("x", 0.5).with("algorithm", "constant");
        match history.trials().last() {
            None => Suggestion::New { params, until: Rung(0) },
            Some(last) if last.rung() == Some(Rung(2)) => Suggestion::Done,
            Some(last) => {
                let until = Rung(last.rung().map_or(0, |rung| rung.0 + 1));
                Suggestion::From { trial: last.id, params, until }
            }
        }
    };
    let ended = drive(&spec, Box::new(Says(says)), Policies::None, sitting).expect("it runs");
    let rungs: Vec<_> = executor.started().iter().map(|a| (a.trial.0, a.from, a.until)).collect();
    assert_eq!(rungs, [(0, None, Rung(0)), (1, Some(Rung(0)), Rung(1)), (2, Some(Rung(1)), Rung(2))]);
    assert_eq!(ended.history.counts().finished, 1);
}

/// A journal that fails once it holds so many records.
struct Full(MemoryJournal, usize);

impl Journal for Full {
    fn append(&mut self, events: &[Event]) -> Result<Seq, JournalError> {
        if self.0.records().len() >= self.1 {
            let source = "no space left".into();
            return Err(JournalError::Storage { action: "append to".to_owned(), source });
        }
        self.0.append(events)
    }

    fn read(&mut self, from: Seq) -> Result<Vec<Record>, JournalError> {
        self.0.read(from)
    }
}

#[test]
fn a_journal_that_fails_ends_the_sitting_before_anything_unwritten_is_done() {
    for most in 0..20 {
        let mut journal = Full(MemoryJournal::new(), most);
        let mut executor = SimulatedExecutor::new(2, example_objective);
        let clock = executor.clock();
        let sitting = Sitting {
            journal: &mut journal,
            executor: &mut executor,
            clock: &clock,
            stop: &|| false,
            observe: &mut |_, _| {},
        };
        let error = run(&ordered(12, 2), sitting).expect_err("it is full");
        assert_eq!(error.to_string(), "cannot append to the journal");
        let starts = journal.0.records().iter().filter(|record| matches!(record.event, Event::Started { .. }));
        assert_eq!(starts.count(), executor.started().len());
    }
}

#[test]
fn only_limits_may_change_at_a_resume_and_the_space_grow() {
    let mut journal = MemoryJournal::new();
    let executor = || SimulatedExecutor::new(2, example_objective);
    sit(&ordered(4, 2), &mut journal, &mut executor()).expect("it runs");
    let mut other = ordered(4, 2);
    other.seed += 1;
    let before = journal.clone();
    let error = sit(&other, &mut journal, &mut executor()).expect_err("another seed");
    assert_eq!(
        error.to_string(),
        "`seed` is not what the journal was started with; only the limits may change, and the space grow"
    );
    assert_eq!(journal, before, "nothing was written");
}

#[test]
fn a_journal_that_makes_no_sense_is_refused_with_its_place() {
    let mut journal = MemoryJournal::new();
    let executor = || SimulatedExecutor::new(2, example_objective);
    let spec = ordered(12, 2);
    sit(&spec, &mut journal, &mut executor()).expect("it runs");
    let whole = super::world::events(&journal, journal.records().len());
    for missing in 0..whole.len() {
        let mut events = whole.clone();
        events.remove(missing);
        let begins = matches!(whole[missing], Event::Created { .. } | Event::Started { .. });
        match sit(&spec, &mut MemoryJournal::holding(events), &mut executor()) {
            Err(StudyError::Journal(JournalError::Impossible { seq, .. })) => {
                assert!(seq.0 as usize >= missing);
            }
            // A lost report or end may leave a journal of a study that crashed.
            Ok(ended) if !begins => assert_eq!(ended.history.counts().running, 0),
            other => panic!("without record {missing}, {:?}: {other:?}", whole[missing]),
        }
    }
}

#[test]
fn an_ordered_journal_that_ran_ahead_is_refused() {
    let mut journal = MemoryJournal::new();
    let spec = ordered(20, 2);
    let executor = || SimulatedExecutor::new(2, example_objective);
    sit(&spec, &mut journal, &mut executor()).expect("it runs");
    let mut events = super::world::events(&journal, journal.records().len());
    events.retain(|event| !matches!(event, Event::Paused { segment: Segment(0), .. }));
    let error = sit(&spec, &mut MemoryJournal::holding(events), &mut executor()).expect_err("it ran ahead");
    let message = error.to_string();
    assert!(message.ends_with("segment 8 began before segment 0 ended, which it was to see"), "{message}");
}
