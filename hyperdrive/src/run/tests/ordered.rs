//! Ordered mode: the same study on any number of slots, whoever is faster.

use std::collections::BTreeSet;

use super::world::{arrival, essence, executor, ordered, sit};
use crate::early_termination::EarlyTerminationPolicy;
use crate::journal::{Event, MemoryJournal};
use crate::sampler::SamplingAlgorithm;
use crate::simulate::example_objective;
use crate::study::StudySpec;
use crate::trial::{Segment, Trial};

fn trials(spec: &StudySpec, timing: u64) -> (Vec<Trial>, MemoryJournal) {
    let mut journal = MemoryJournal::new();
    let ended = sit(spec, &mut journal, &mut executor(spec.limits.max_concurrent, timing)).expect("it runs");
    (essence(&ended.history), journal)
}

/// Every sampler with one policy, and every policy with one sampler: a product of all would take minutes.
#[test]
fn slots_and_timing_change_nothing() {
    let plain = ordered(30, 1);
    let samplers = SamplingAlgorithm::registered(&plain.search_space).into_iter();
    let policies = EarlyTerminationPolicy::registered().into_iter();
    let mut studies: Vec<StudySpec> =
        samplers.map(|sampling_algorithm| StudySpec { sampling_algorithm, ..plain.clone() }).collect();
    studies.extend(policies.map(|early_termination| StudySpec { early_termination, ..plain.clone() }));
    for study in studies {
        let with = |slots| StudySpec { limits: ordered(30, slots).limits, ..study.clone() };
        let (expected, _) = trials(&with(1), 0);
        for (slots, timing) in [(1, 1), (2, 0), (3, 1), (5, 2), (8, 0), (8, 3)] {
            let (found, _) = trials(&with(slots), timing);
            assert_eq!(found, expected, "{slots} slots, timing {timing}");
        }
    }
}

/// The test above could not fail if timing never mattered: in arrival order it does.
#[test]
fn in_arrival_order_timing_does_matter() {
    let params = |timing| trials(&arrival(30, 4), timing).0;
    assert_ne!(params(0), params(1));
}

#[test]
fn the_lag_is_part_of_the_study() {
    let with_lag = |lag| {
        let mut spec = ordered(30, 1);
        spec.limits.lag = lag;
        trials(&spec, 0).0
    };
    assert_ne!(with_lag(1), with_lag(8));
}

#[test]
fn no_suggestion_is_made_before_what_it_is_to_see() {
    let (_, journal) = trials(&ordered(30, 8), 2);
    let mut open = BTreeSet::new();
    for record in journal.records() {
        match &record.event {
            Event::Started { segment, suggest_seconds, .. } => {
                assert_eq!(*suggest_seconds, 0.0);
                let late: Vec<&Segment> = open.iter().filter(|other: &&Segment| other.0 + 8 <= segment.0).collect();
                assert!(late.is_empty(), "segment {segment} began before {late:?} ended");
                open.insert(*segment);
            }
            event @ (Event::Paused { .. } | Event::Finished { .. } | Event::Stopped { .. } | Event::Failed { .. }) => {
                assert!(event.segment().is_some_and(|segment| open.remove(&segment)));
            }
            _ => {}
        }
    }
    let waits = journal.records().iter().filter(|record| matches!(record.event, Event::Waited { .. }));
    assert!(waits.count() > 0, "a wait is a numbered suggestion");
}

#[test]
fn more_slots_than_the_lag_are_not_used() {
    let mut spec = ordered(30, 64);
    spec.limits.lag = 2;
    let (_, journal) = trials(&spec, 1);
    let mut open = 0;
    for record in journal.records() {
        match record.event {
            Event::Started { .. } => open += 1,
            Event::Paused { .. } | Event::Finished { .. } | Event::Stopped { .. } | Event::Failed { .. } => open -= 1,
            _ => {}
        }
        assert!(open <= 2);
    }
}

#[test]
fn ordered_mode_gives_no_deadline() {
    let mut spec = ordered(10, 2);
    spec.limits.trial_seconds = Some(0.001);
    let mut executor = executor(2, 0);
    let ended = sit(&spec, &mut MemoryJournal::new(), &mut executor).expect("it runs");
    assert!(executor.started().iter().all(|assignment| assignment.trial_seconds.is_none()));
    assert!(ended.history.best().is_some());
}

#[test]
fn more_trials_continue_a_finished_study_the_same_on_any_slots() {
    let continued = |slots, timing| {
        let mut journal = MemoryJournal::new();
        sit(&ordered(12, slots), &mut journal, &mut executor(slots, timing)).expect("it runs");
        let more = ordered(24, slots);
        let ended = sit(&more, &mut journal, &mut executor(slots, timing + 1)).expect("it goes on");
        assert_eq!(ended.history.trials().len(), 24);
        essence(&ended.history)
    };
    let expected = continued(1, 0);
    for slots in 2..=8 {
        assert_eq!(continued(slots, u64::from(slots)), expected, "{slots} slots");
    }
}

#[test]
fn a_study_may_change_its_order_between_sittings() {
    let mut journal = MemoryJournal::new();
    for (spec, trials) in [(ordered(10, 3), 10), (arrival(20, 3), 20), (ordered(30, 3), 30)] {
        let ended = sit(&spec, &mut journal, &mut executor(3, trials)).expect("it goes on");
        assert_eq!(ended.history.trials().len() as u64, trials);
    }
    // And it does so wherever the arrival part was cut off.
    for killed in 1..journal.records().len() {
        let mut cut = MemoryJournal::holding(super::world::events(&journal, killed));
        let ended = sit(&ordered(40, 3), &mut cut, &mut executor(3, 7)).expect("it goes on");
        let lost = ended.history.trials().len() as u32 - 40;
        assert!(lost <= 6, "killed at {killed}: {lost} trials were lost to crashes");
        let mut again = MemoryJournal::holding(super::world::events(&journal, killed));
        let other = sit(&ordered(40, 8), &mut again, &mut executor(8, 9)).expect("it goes on");
        assert_eq!(essence(&other.history), essence(&ended.history), "killed at {killed}");
    }
}

#[test]
fn the_seed_is_the_trials_own() {
    let mut executor = executor(4, 0);
    let ended = sit(&ordered(12, 4), &mut MemoryJournal::new(), &mut executor).expect("it runs");
    for assignment in executor.started() {
        let trial = ended.history.trial(assignment.trial).expect("it was started");
        for (rung, outcome) in &trial.reports {
            assert_eq!(*outcome, example_objective(&trial.params, *rung, assignment.seed));
        }
    }
}
