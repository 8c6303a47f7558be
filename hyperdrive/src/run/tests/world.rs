//! What the tests share: studies, executors and what must hold of every journal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::early_termination::EarlyTerminationPolicy;
use crate::error::StudyError;
use crate::history::History;
use crate::journal::{Event, MemoryJournal, Record};
use crate::limits::Limits;
use crate::run::{Ended, Executor, Sitting, run};
use crate::sampler::SamplingAlgorithm;
use crate::simulate::{Fate, SimulatedExecutor, example_objective, example_study};
use crate::study::StudySpec;
use crate::trial::{FailureKind, Trial, TrialId};

pub(super) fn random(limits: Limits) -> StudySpec {
    StudySpec {
        sampling_algorithm: SamplingAlgorithm::Random,
        early_termination: EarlyTerminationPolicy::None,
        limits,
        ..example_study(3)
    }
}

/// Promotions and a policy that stops trials, in ordered mode.
pub(super) fn ordered(trials: u32, slots: u32) -> StudySpec {
    let limits = Limits { max_trials: Some(trials), max_concurrent: slots, ..Limits::default() };
    StudySpec { limits, ..example_study(11) }
}

/// The same in arrival order.
pub(super) fn arrival(trials: u32, slots: u32) -> StudySpec {
    let mut spec = ordered(trials, slots);
    spec.limits.search_seconds = Some(1e6);
    spec
}

/// An executor whose segments take times that depend on `timing`, and of which some fail, whatever the timing.
pub(super) fn executor(slots: u32, timing: u64) -> SimulatedExecutor {
    SimulatedExecutor::new(slots as usize, example_objective)
        .lasting(move |assignment, rung| {
            let mixed = (assignment.seed ^ timing.wrapping_mul(0x9e37_79b9_7f4a_7c15))
                .wrapping_mul(0xbf58_476d_1ce4_e5b9 + u64::from(rung.0));
            Duration::from_millis(1 + (mixed >> 40) % 2_000)
        })
        .with_fate(|assignment| match assignment.seed % 7 {
            0 => Fate::Fails { at: assignment.until, kind: FailureKind::Panicked, reason: "as planned".to_owned() },
            _ => Fate::Runs,
        })
}

pub(super) fn sit(
    spec: &StudySpec,
    journal: &mut MemoryJournal,
    executor: &mut SimulatedExecutor,
) -> Result<Ended, StudyError> {
    sit_until(spec, journal, executor, f64::INFINITY)
}

/// A sitting that the user stops after so many seconds.
pub(super) fn sit_until(
    spec: &StudySpec,
    journal: &mut MemoryJournal,
    executor: &mut SimulatedExecutor,
    seconds: f64,
) -> Result<Ended, StudyError> {
    let (clock, begun) = (executor.clock(), executor.clock()());
    let since = || clock().saturating_sub(begun);
    sit_with(spec, journal, executor, &since, &|| since().as_secs_f64() >= seconds)
}

pub(super) fn sit_with(
    spec: &StudySpec,
    journal: &mut MemoryJournal,
    executor: &mut dyn Executor,
    clock: &dyn Fn() -> Duration,
    stop: &dyn Fn() -> bool,
) -> Result<Ended, StudyError> {
    let mut seen = journal.records().len() as u64;
    let mut observe = |record: &Record, history: &History| {
        assert_eq!(record.seq.0, seen, "the observer sees every record once");
        assert!(history.seq() >= record.seq);
        seen += 1;
    };
    let sitting = Sitting { journal: &mut *journal, executor, clock, stop, observe: &mut observe };
    let ended = run(spec, sitting)?;
    assert_eq!(seen, journal.records().len() as u64, "the observer has seen all");
    assert_eq!(replay(journal.records()), ended.history, "the journal replays to the history");
    Ok(ended)
}

pub(super) fn replay(records: &[Record]) -> History {
    History::replay(records).expect("the journal makes sense").expect("the journal has records")
}

pub(super) fn events(journal: &MemoryJournal, upto: usize) -> Vec<Event> {
    journal.records()[..upto].iter().map(|record| record.event.clone()).collect()
}

/// What must not depend on crashes, timing and slots: all but the number of attempts.
pub(super) fn essence(history: &History) -> Vec<Trial> {
    history
        .trials()
        .iter()
        .map(|trial| Trial { attempts: 1, reported: Vec::new(), ended: None, ..trial.clone() })
        .collect()
}

/// *A trial reported finished is never lost and never searched again; any other segment is attempted at most
/// `max_retries + 1` times*, for a crash after `killed` records.
pub(super) fn check_promise(records: &[Record], killed: usize, max_retries: u32) {
    let before = replay(&records[..killed.max(1)]);
    let after = replay(records);
    let done = |trial: &&Trial| matches!(trial.state, crate::trial::TrialState::Finished { .. });
    let finished: BTreeSet<TrialId> = before.trials().iter().filter(done).map(|trial| trial.id).collect();
    for id in &finished {
        assert_eq!(before.trial(*id), after.trial(*id), "killed at {killed}: trial {id} was finished");
    }
    let mut attempts = BTreeMap::new();
    for (i, record) in records.iter().enumerate() {
        let Event::Started { segment, trial, attempt, .. } = &record.event else {
            continue;
        };
        assert!(i < killed || !finished.contains(trial), "killed at {killed}: trial {trial} ran again");
        let count = attempts.entry(*segment).or_insert(0);
        *count += 1;
        assert_eq!(attempt, count, "killed at {killed}: attempts are counted from 1");
        assert!(*count <= max_retries + 1, "killed at {killed}: segment {segment} had {count} attempts");
    }
}
