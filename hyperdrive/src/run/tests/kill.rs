//! A crash after any event, then a resume.

use proptest::prelude::*;

use super::world::{arrival, check_promise, essence, events, executor, ordered, sit};
use crate::journal::{EndReason, Event, MemoryJournal, Record};
use crate::study::StudySpec;
use crate::trial::{FailureKind, Origin, TrialState};

fn whole(spec: &StudySpec) -> MemoryJournal {
    let mut journal = MemoryJournal::new();
    let ended = sit(spec, &mut journal, &mut executor(spec.limits.max_concurrent, 0)).expect("it runs");
    assert_eq!(ended.reason, EndReason::MaxTrials);
    let counts = ended.history.counts();
    assert!(counts.finished > 0 && counts.stopped > 0 && counts.failed > 0, "{counts:?} is a dull study");
    journal
}

/// The journal after a crash at `killed`, resumed to the end with another timing.
fn resumed(spec: &StudySpec, journal: &MemoryJournal, killed: usize) -> MemoryJournal {
    let mut journal = MemoryJournal::holding(events(journal, killed));
    let timing = killed as u64 + 1;
    let ended = sit(spec, &mut journal, &mut executor(spec.limits.max_concurrent, timing));
    assert_eq!(ended.expect("it resumes").reason, EndReason::MaxTrials, "killed at {killed}");
    journal
}

/// First attempts, with all that was decided.
fn decisions(records: &[Record]) -> Vec<Event> {
    let decision = |event: &Event| match event {
        Event::Started { attempt, .. } => *attempt == 1,
        Event::Waited { .. } => true,
        _ => false,
    };
    let mut all: Vec<Event> = records.iter().map(|record| record.event.clone()).filter(decision).collect();
    all.sort_by_key(Event::segment);
    all
}

#[test]
fn ordered_mode_ends_the_same_after_a_crash_at_any_event() {
    let spec = ordered(24, 3);
    let journal = whole(&spec);
    let (all, expected) = (decisions(journal.records()), essence(&super::world::replay(journal.records())));
    for killed in 0..=journal.records().len() {
        let after = resumed(&spec, &journal, killed);
        check_promise(after.records(), killed, 1);
        assert_eq!(essence(&super::world::replay(after.records())), expected, "killed at {killed}");
        assert_eq!(decisions(after.records()), all, "killed at {killed}");
    }
}

#[test]
fn arrival_order_keeps_its_promise_after_a_crash_at_any_event() {
    let spec = arrival(24, 3);
    let journal = whole(&spec);
    for killed in 0..=journal.records().len() {
        let after = resumed(&spec, &journal, killed);
        check_promise(after.records(), killed, 1);
        let counts = super::world::replay(after.records()).counts();
        let all = counts.finished + counts.stopped + counts.failed + counts.paused;
        assert_eq!((counts.running, all), (0, 24), "killed at {killed}");
    }
}

#[test]
fn crashes_of_resumed_studies_keep_the_promise() {
    for spec in [ordered(16, 4), arrival(16, 4)] {
        let journal = whole(&spec);
        for first in (1..journal.records().len()).step_by(7) {
            let once = resumed(&spec, &journal, first);
            for second in (first + 1..once.records().len()).step_by(5) {
                let twice = resumed(&spec, &once, second);
                check_promise(twice.records(), second, 1);
            }
        }
    }
}

#[test]
fn with_retries_enough_ordered_mode_bears_any_number_of_crashes() {
    let mut spec = ordered(16, 4);
    spec.limits.max_retries = 100;
    let journal = whole(&spec);
    let expected = essence(&super::world::replay(journal.records()));
    // Killed a few events after every resume, until it gets through.
    let mut sittings = MemoryJournal::new();
    let mut kept = 0;
    for crash in 0.. {
        let after = resumed(&spec, &sittings, kept);
        if after.records().len() <= kept + 12 {
            assert_eq!(essence(&super::world::replay(after.records())), expected);
            assert!(crash > 10, "only {crash} crashes");
            break;
        }
        kept += 12;
        sittings = after;
    }
}

#[test]
fn a_segment_that_crashes_too_often_is_given_up() {
    let spec = ordered(8, 1);
    let journal = whole_without_variety(&spec);
    let started = |journal: &MemoryJournal, attempt: u32| {
        let found = journal
            .records()
            .iter()
            .position(|record| matches!(&record.event, Event::Started { attempt: a, .. } if *a == attempt));
        found.expect("an attempt") + 1
    };
    let once = resumed(&spec, &journal, started(&journal, 1));
    let twice = resumed(&spec, &once, started(&once, 2));
    let history = super::world::replay(twice.records());
    let lost = &history.trials()[0];
    let reason = "interrupted in attempt 2 of 2".to_owned();
    assert_eq!(lost.state, TrialState::Failed { kind: FailureKind::Interrupted, reason });
    assert_eq!(lost.attempts, 2);
    // It does not count: another trial takes its place.
    assert_eq!(history.trials().len(), 9);
    let new = twice
        .records()
        .iter()
        .filter(|record| matches!(record.event, Event::Started { origin: Origin::New, attempt: 1, .. }));
    assert_eq!(new.count(), 9);
}

fn whole_without_variety(spec: &StudySpec) -> MemoryJournal {
    let mut journal = MemoryJournal::new();
    sit(spec, &mut journal, &mut executor(spec.limits.max_concurrent, 0)).expect("it runs");
    journal
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_crash_any_slots_any_timing(
        share in 0.0..1.0_f64,
        slots in 1_u32..=8,
        later_slots in 1_u32..=8,
        timing in any::<u64>(),
    ) {
        let spec = ordered(20, slots);
        let mut journal = MemoryJournal::new();
        sit(&spec, &mut journal, &mut executor(slots, timing)).expect("it runs");
        let killed = (share * journal.records().len() as f64) as usize;
        let expected = essence(&super::world::replay(journal.records()));
        let mut after = MemoryJournal::holding(events(&journal, killed));
        let spec = ordered(20, later_slots);
        let ended = sit(&spec, &mut after, &mut executor(later_slots, !timing)).expect("it resumes");
        prop_assert_eq!(essence(&ended.history), expected);
        check_promise(after.records(), killed, 1);
    }
}
