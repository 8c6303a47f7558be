//! The end of a sitting: by time, by the user, and going on after it.

use std::time::Duration;

use super::world::{arrival, check_promise, essence, executor, ordered, random, sit, sit_until};
use crate::journal::{EndReason, Event, MemoryJournal};
use crate::limits::Limits;
use crate::simulate::{Fate, SimulatedExecutor, example_objective};
use crate::study::StudySpec;
use crate::trial::{FailureKind, Trial, TrialState};

fn timed(search_seconds: f64) -> StudySpec {
    random(Limits { search_seconds: Some(search_seconds), max_concurrent: 2, ..Limits::default() })
}

/// Two slots, a second for each of three rungs.
fn steady() -> SimulatedExecutor {
    SimulatedExecutor::new(2, example_objective)
}

#[test]
fn the_deadline_stops_what_runs_and_starts_nothing() {
    let mut journal = MemoryJournal::new();
    let mut executor = steady();
    let clock = executor.clock();
    let ended = sit(&timed(7.5), &mut journal, &mut executor).expect("it runs");
    assert_eq!(ended.reason, EndReason::SearchTime);
    assert_eq!(clock().as_secs_f64(), 7.5);
    assert_eq!((ended.history.spent(), ended.history.ended()), (7.5, Some(EndReason::SearchTime)));
    let counts = ended.history.counts();
    assert_eq!((counts.finished, counts.stopped, counts.running), (4, 2, 0));
    let stopped = ended.history.trials().last().expect("six trials");
    let TrialState::Stopped { rung, reason } = &stopped.state else { panic!("{:?}", stopped.state) };
    assert_eq!((rung.0, reason.as_str()), (0, "the time for the search is spent"));
}

#[test]
fn what_runs_at_the_deadline_may_be_scored_as_partial() {
    let mut executor = steady().scoring_when_stopped();
    let ended = sit(&timed(7.5), &mut MemoryJournal::new(), &mut executor).expect("it runs");
    let last = ended.history.trials().last().expect("six trials");
    assert_eq!(last.state, TrialState::Finished { partial: true });
    assert!(last.value().is_some() && last.partial.is_some());
    assert!(ended.history.best().is_some_and(Trial::is_complete));
}

#[test]
fn one_that_does_not_stop_is_recorded_and_does_not_hold_the_study_up() {
    let mut executor = steady().with_fate(|assignment| match assignment.trial.0 {
        1 => Fate::Hangs,
        _ => Fate::Runs,
    });
    let clock = executor.clock();
    let ended = sit(&timed(7.5), &mut MemoryJournal::new(), &mut executor).expect("it runs");
    assert!(clock() < Duration::from_secs(9), "it took until {:?}", clock());
    let hung = &ended.history.trials()[1].state;
    assert!(matches!(hung, TrialState::Failed { kind: FailureKind::TimedOut, .. }), "{hung:?}");
}

#[test]
fn time_counts_over_all_sittings() {
    let mut journal = MemoryJournal::new();
    let first = sit_until(&timed(10.0), &mut journal, &mut steady(), 4.0).expect("it runs");
    assert_eq!((first.reason, first.history.spent()), (EndReason::Stopped, 4.0));
    let mut executor = steady();
    let clock = executor.clock();
    let second = sit(&timed(10.0), &mut journal, &mut executor).expect("it resumes");
    assert_eq!((second.reason, clock().as_secs_f64()), (EndReason::SearchTime, 6.0));
    // Nothing is left for a third; with more, it goes on.
    let before = journal.records().len();
    let third = sit(&timed(10.0), &mut journal, &mut steady()).expect("it resumes");
    assert_eq!((third.reason, journal.records().len()), (EndReason::SearchTime, before + 2));
    let mut executor = steady();
    let clock = executor.clock();
    let fourth = sit(&timed(15.0), &mut journal, &mut executor).expect("it resumes");
    assert_eq!((clock().as_secs_f64(), fourth.history.spent()), (5.0, 15.0));
    assert!(fourth.history.trials().len() > third.history.trials().len());
}

#[test]
fn time_of_a_sitting_that_crashed_is_counted_as_far_as_the_journal_proves_it() {
    let mut journal = MemoryJournal::new();
    sit(&timed(60.0), &mut journal, &mut steady()).expect("it runs");
    let events = super::world::events(&journal, journal.records().len() - 1);
    let mut crashed = MemoryJournal::holding(events);
    let ended = sit(&timed(60.0), &mut crashed, &mut steady()).expect("it resumes");
    let resumed = crashed.records().iter().find_map(|record| match record.event {
        Event::Resumed { spent_seconds, .. } => Some(spent_seconds),
        _ => None,
    });
    // Twenty pairs of trials of three rungs, each costing 1 + 2 + 3 halves of a second in sum over the two slots,
    // as `example_objective` has it: a report's cost is that of its segment so far.
    let spent = resumed.expect("it was resumed");
    assert!((55.0..=60.0).contains(&spent), "{spent} of 60");
    assert_eq!(ended.reason, EndReason::SearchTime);
}

#[test]
fn what_the_user_stops_is_left_open_and_tried_again_first() {
    for spec in [ordered(16, 3), arrival(16, 3)] {
        let mut journal = MemoryJournal::new();
        let stopped = sit_until(&spec, &mut journal, &mut executor(3, 0), 2.5).expect("it stops");
        assert_eq!(stopped.reason, EndReason::Stopped);
        let open: Vec<_> = stopped.history.open().collect();
        assert!(!open.is_empty());
        let killed = journal.records().len();
        let failed = |event: &Event| matches!(event, Event::Failed { kind: FailureKind::Interrupted, .. });
        assert!(!journal.records().iter().any(|record| failed(&record.event)));
        let ended = sit(&spec, &mut journal, &mut executor(3, 0)).expect("it resumes");
        let again = journal.records()[killed..].iter().filter_map(|record| match record.event {
            Event::Started { segment, attempt: 2, .. } => Some(segment),
            _ => None,
        });
        assert_eq!(again.collect::<Vec<_>>(), open);
        check_promise(journal.records(), killed, 1);
        if spec.limits.search_seconds.is_none() {
            let whole = sit(&spec, &mut MemoryJournal::new(), &mut executor(3, 0)).expect("it runs");
            assert_eq!(essence(&ended.history), essence(&whole.history));
        }
    }
}

#[test]
fn ordered_mode_stopped_at_any_moment_ends_the_same() {
    let spec = StudySpec { limits: Limits { max_retries: 9, ..ordered(16, 3).limits }, ..ordered(16, 3) };
    let whole = sit(&spec, &mut MemoryJournal::new(), &mut executor(3, 0)).expect("it runs");
    for tenths in 0..150 {
        let mut journal = MemoryJournal::new();
        let mut impatient = executor(3, 0).scoring_when_stopped();
        sit_until(&spec, &mut journal, &mut impatient, f64::from(tenths) / 10.0).expect("it stops");
        let ended = sit(&spec, &mut journal, &mut executor(3, 1)).expect("it resumes");
        assert_eq!(essence(&ended.history), essence(&whole.history), "stopped after {tenths} tenths");
    }
}

#[test]
fn a_finished_study_resumes_to_its_end_or_to_more() {
    let mut journal = MemoryJournal::new();
    let first = sit(&ordered(8, 2), &mut journal, &mut executor(2, 0)).expect("it runs");
    let mut idle = executor(2, 0);
    let again = sit(&ordered(8, 2), &mut journal, &mut idle).expect("it resumes");
    assert!(idle.started().is_empty());
    assert_eq!((again.reason, again.history.trials()), (EndReason::MaxTrials, first.history.trials()));
    let more = sit(&ordered(12, 2), &mut journal, &mut executor(2, 0)).expect("it resumes");
    assert_eq!(more.history.trials().len(), 12);
}
