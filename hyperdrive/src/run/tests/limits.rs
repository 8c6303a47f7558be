//! Each limit, and the kinds of trouble a segment can be in.

use std::time::Duration;

use super::world::{random, sit};
use crate::journal::{EndReason, MemoryJournal};
use crate::limits::Limits;
use crate::params::Params;
use crate::sampler::SamplingAlgorithm;
use crate::simulate::{Fate, SimulatedExecutor, example_objective};
use crate::study::StudySpec;
use crate::trial::{FailureKind, Outcome, Rung, TrialState};

fn count(max_trials: u32) -> Limits {
    Limits { max_trials: Some(max_trials), max_concurrent: 2, ..Limits::default() }
}

fn by_arrival(max_trials: u32) -> Limits {
    Limits { search_seconds: Some(1e6), ..count(max_trials) }
}

fn steady() -> SimulatedExecutor {
    SimulatedExecutor::new(2, example_objective)
}

#[test]
fn as_many_trials_as_asked_for() {
    for limits in [count(7), by_arrival(7)] {
        let ended = sit(&random(limits), &mut MemoryJournal::new(), &mut steady()).expect("it runs");
        assert_eq!((ended.reason, ended.history.counts().finished), (EndReason::MaxTrials, 7));
    }
    let none = sit(&random(count(0)), &mut MemoryJournal::new(), &mut steady()).expect("it runs");
    assert_eq!((none.reason, none.history.trials().len()), (EndReason::MaxTrials, 0));
}

#[test]
fn a_sampler_that_runs_out_ends_the_study() {
    let points: Vec<Params> = vec![];
    let enqueue = SamplingAlgorithm::Enqueue { points, then: Box::new(SamplingAlgorithm::Random) };
    let spec = StudySpec { sampling_algorithm: enqueue, ..random(by_arrival(3)) };
    let ended = sit(&spec, &mut MemoryJournal::new(), &mut steady()).expect("it runs");
    assert_eq!(ended.history.counts().finished, 3);
}

#[test]
fn the_cost_allowed_is_not_passed_by_more_than_what_runs() {
    for limits in [count(1_000), by_arrival(1_000)] {
        // A trial costs 1, then 2, then 3 in its one segment: 3 in all.
        let spec = random(Limits { max_cost: Some(30.0), lag: 2, ..limits });
        let ended = sit(&spec, &mut MemoryJournal::new(), &mut steady()).expect("it runs");
        assert_eq!(ended.reason, EndReason::MaxCost);
        let cost = ended.history.cost();
        assert!((30.0..=30.0 + 2.0 * 3.0).contains(&cost), "{cost}");
        let sum: f64 = ended.history.trials().iter().map(|trial| trial.cost).sum();
        assert!((cost - sum).abs() < 1e-9);
    }
}

#[test]
fn a_target_that_is_reached_ends_the_study() {
    for limits in [count(1_000), by_arrival(1_000)] {
        let spec = random(Limits { target: Some(0.3), lag: 2, ..limits.clone() });
        let ended = sit(&spec, &mut MemoryJournal::new(), &mut steady()).expect("it runs");
        assert_eq!(ended.reason, EndReason::Target);
        let values: Vec<f64> = ended.history.trials().iter().filter_map(crate::trial::Trial::value).collect();
        let first = values.iter().position(|value| *value <= 0.3).expect("it was reached");
        assert!(first > 0 && values.len() <= first + 3, "{first} of {}", values.len());
        // A resume with the same target ends at once, one that asks for more goes on.
        let mut journal = MemoryJournal::new();
        sit(&spec, &mut journal, &mut steady()).expect("it runs");
        let again = sit(&spec, &mut journal, &mut steady()).expect("it resumes");
        assert_eq!((again.reason, again.history.trials().len()), (EndReason::Target, values.len()));
        let more = random(Limits { target: Some(-1.0), max_trials: Some(values.len() as u32 + 5), lag: 2, ..limits });
        let more = sit(&more, &mut journal, &mut steady()).expect("it resumes");
        assert_eq!((more.reason, more.history.trials().len()), (EndReason::MaxTrials, values.len() + 5));
    }
}

#[test]
fn trials_in_vain_end_the_study() {
    for limits in [count(1_000), by_arrival(1_000)] {
        let spec = random(Limits { no_improvement: Some(20), lag: 2, ..limits });
        let ended = sit(&spec, &mut MemoryJournal::new(), &mut steady()).expect("it runs");
        assert_eq!(ended.reason, EndReason::NoImprovement);
        let since = ended.history.since_best();
        assert!((20..=20 + 2).contains(&since), "{since}");
    }
}

#[test]
fn ordered_mode_ends_at_the_same_trial_on_any_number_of_slots() {
    let limits = [
        Limits { target: Some(0.3), ..count(1_000) },
        Limits { no_improvement: Some(20), ..count(1_000) },
        Limits { max_cost: Some(50.0), ..count(1_000) },
    ];
    for limits in limits {
        let ends = [1, 2, 8].map(|slots| {
            let spec = random(Limits { max_concurrent: slots, ..limits.clone() });
            let mut executor = super::world::executor(slots, u64::from(slots));
            let ended = sit(&spec, &mut MemoryJournal::new(), &mut executor).expect("it runs");
            (super::world::essence(&ended.history), ended.reason)
        });
        assert_ne!(ends[0].1, EndReason::MaxTrials);
        assert_eq!(ends[0], ends[1]);
        assert_eq!(ends[0], ends[2]);
    }
}

#[test]
fn a_trial_past_its_own_deadline_is_scored_with_what_it_has() {
    let limits = Limits { trial_seconds: Some(2.5), ..by_arrival(4) };
    let mut executor = steady().with_fate(|assignment| match assignment.trial.0 {
        1 => Fate::Hangs,
        _ => Fate::Runs,
    });
    let ended = sit(&random(limits), &mut MemoryJournal::new(), &mut executor).expect("it runs");
    let trials = ended.history.trials();
    assert_eq!(trials[0].state, TrialState::Finished { partial: true });
    assert_eq!(trials[0].partial.as_ref(), trials[0].at(Rung(1)), "two rungs in two and a half seconds");
    let reason = "out of time".to_owned();
    assert_eq!(trials[1].state, TrialState::Failed { kind: FailureKind::TimedOut, reason });
    assert_eq!(ended.history.counts().finished, 3);
    assert!(ended.history.best().is_none(), "a partial result is of no rung");
}

#[test]
fn a_hang_guard_marks_the_study() {
    let mut executor = steady().with_fate(|assignment| match assignment.trial.0 {
        1 => Fate::Hangs,
        _ => Fate::Runs,
    });
    let ended = sit(&random(count(5)), &mut MemoryJournal::new(), &mut executor).expect("it runs");
    assert!(!ended.history.is_reproducible());
    let hung = &ended.history.trials()[1].state;
    assert!(matches!(hung, TrialState::Failed { kind: FailureKind::TimedOut, .. }), "{hung:?}");
    assert_eq!(ended.history.counts().finished, 4);
}

#[test]
fn failures_are_data_and_final() {
    for kind in [FailureKind::Error, FailureKind::Panicked, FailureKind::TimedOut] {
        let mut executor =
            steady().with_fate(move |_| Fate::Fails { at: Rung(1), kind, reason: "as planned".to_owned() });
        let ended = sit(&random(count(4)), &mut MemoryJournal::new(), &mut executor).expect("it runs");
        assert_eq!((ended.history.counts().failed, executor.started().len()), (4, 4));
        assert_eq!(ended.history.counts().running, 0);
    }
}

#[test]
fn a_worker_that_dies_is_tried_again_and_then_given_up() {
    let dies = |attempts: u32| {
        steady().with_fate(move |assignment| match (assignment.trial.0, assignment.attempt) {
            (2, attempt) if attempt <= attempts => {
                Fate::Fails { at: Rung(1), kind: FailureKind::Interrupted, reason: "killed".to_owned() }
            }
            _ => Fate::Runs,
        })
    };
    for limits in [count(6), by_arrival(6)] {
        let mut executor = dies(1);
        let once = sit(&random(limits.clone()), &mut MemoryJournal::new(), &mut executor).expect("it runs");
        assert_eq!(once.history.counts().finished, 6);
        assert_eq!(once.history.trials()[2].attempts, 2);
        // It is tried again before anything new.
        let started: Vec<u32> = executor.started().iter().map(|assignment| assignment.trial.0).collect();
        assert_eq!(started, [0, 1, 2, 3, 2, 4, 5]);
        let twice = sit(&random(limits), &mut MemoryJournal::new(), &mut dies(2)).expect("it runs");
        assert_eq!((twice.history.counts().finished, twice.history.counts().failed), (6, 1));
    }
}

#[test]
fn what_is_no_number_is_a_failure_that_names_it() {
    type Spoil = fn(&mut Outcome);
    let cases: [(Spoil, &str); 5] = [
        (|outcome| outcome.values[0] = f64::NAN, "metric loss is NaN"),
        (|outcome| outcome.values[0] = f64::INFINITY, "metric loss is inf"),
        (|outcome| outcome.values.clear(), "0 values were reported for 1 objectives"),
        (|outcome| outcome.constraints.push(f64::NAN), "a constraint is NaN"),
        (|outcome| outcome.cost = -1.0, "the cost is -1"),
    ];
    for (spoil, message) in cases {
        let mut executor = SimulatedExecutor::new(2, move |params, rung, seed| {
            let mut outcome = example_objective(params, rung, seed);
            if rung == Rung(1) {
                spoil(&mut outcome);
            }
            outcome
        })
        .lasting(|_, _| Duration::from_millis(10));
        let ended = sit(&random(count(3)), &mut MemoryJournal::new(), &mut executor).expect("it runs");
        for trial in ended.history.trials() {
            let reason = message.to_owned();
            assert_eq!(trial.state, TrialState::Failed { kind: FailureKind::Error, reason });
            assert_eq!(trial.reports.len(), 1, "what it reported before stays");
        }
    }
}
