//! Suggestions that are made before there is a place for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::world::{events, random, replay};
use crate::error::StudyError;
use crate::history::History;
use crate::journal::{Event, MemoryJournal, Record};
use crate::limits::Limits;
use crate::order::Policies;
use crate::run::{Sitting, drive};
use crate::sampler::{Sampler, SamplingAlgorithm, Suggestion, check_replay};
use crate::simulate::SimulatedExecutor;
use crate::study::{Ladder, StudySpec};
use crate::trial::Outcome;

/// Draws points, each in so many milliseconds.
struct Thoughtful {
    inner: Box<dyn Sampler>,
    now: Arc<AtomicU64>,
    takes: u64,
}

impl Sampler for Thoughtful {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        self.now.fetch_add(self.takes, Ordering::Relaxed);
        self.inner.suggest(history, rng)
    }
}

fn study(ordered: bool, slots: u32) -> StudySpec {
    let search_seconds = (!ordered).then_some(1e6);
    let limits = Limits { max_trials: Some(30), search_seconds, max_concurrent: slots, ..Limits::default() };
    StudySpec { ladder: Ladder::single(), ..random(limits) }
}

/// Trials take 1 to 2 s, suggestions `takes` ms.
fn journal(spec: &StudySpec, mut journal: MemoryJournal, takes: u64) -> MemoryJournal {
    let slots = spec.limits.max_concurrent as usize;
    let mut executor = SimulatedExecutor::new(slots, |params, _, seed| {
        let x = params.float("x").expect("the space has an x");
        Outcome::single(x * x, 1.0 + (seed % 1_000) as f64 / 1e3)
    })
    .lasting(|assignment, _| Duration::from_millis(1_000 + assignment.seed % 1_000));
    let now = Arc::new(AtomicU64::new(0));
    let sampler = Thoughtful { inner: SamplingAlgorithm::Random.build(), now: Arc::clone(&now), takes };
    let time = executor.clock();
    let clock = || time() + Duration::from_millis(now.load(Ordering::Relaxed));
    let sitting = Sitting {
        journal: &mut journal,
        executor: &mut executor,
        clock: &clock,
        stop: &|| false,
        observe: &mut |_, _| {},
    };
    drive(spec, Box::new(sampler), Policies::None, sitting).expect("it runs");
    journal
}

/// How many suggestions saw less than what had been journaled when they began.
fn ahead(records: &[Record]) -> usize {
    let behind = |record: &&Record| match &record.event {
        Event::Started { saw, attempt: 1, .. } => saw.0 + 1 < record.seq.0,
        _ => false,
    };
    records.iter().filter(behind).count()
}

#[test]
fn slow_suggestions_are_ready_before_they_are_asked_for() {
    let spec = study(false, 3);
    let records = journal(&spec, MemoryJournal::new(), 200).records().to_vec();
    assert!(ahead(&records) >= 20, "{} of 30", ahead(&records));
    assert_eq!(replay(&records).counts().finished, 30);
    check_replay(&|| SamplingAlgorithm::Random.build(), &records);
    for record in &records {
        if let Event::Started { saw, .. } = record.event {
            // A result, or two at the same moment, frees a place.
            assert!(record.seq.0 - saw.0 <= 5, "{record:?}");
        }
    }
}

#[test]
fn quick_suggestions_see_all_there_is() {
    assert_eq!(ahead(journal(&study(false, 3), MemoryJournal::new(), 10).records()), 0);
}

#[test]
fn one_place_and_ordered_mode_know_nothing_ahead() {
    assert_eq!(ahead(journal(&study(false, 1), MemoryJournal::new(), 500).records()), 0);
    let ordered = journal(&study(true, 3), MemoryJournal::new(), 500);
    let quick = journal(&study(true, 3), MemoryJournal::new(), 0);
    let starts = |journal: &MemoryJournal| {
        let trials = replay(journal.records());
        trials.trials().iter().map(|trial| trial.params.clone()).collect::<Vec<_>>()
    };
    assert_eq!(starts(&ordered), starts(&quick));
}

#[test]
fn a_crash_loses_nothing_but_what_was_ahead() {
    let spec = study(false, 3);
    let whole = journal(&spec, MemoryJournal::new(), 200);
    for killed in 1..whole.records().len() {
        let after = journal(&spec, MemoryJournal::holding(events(&whole, killed)), 200);
        super::world::check_promise(after.records(), killed, 1);
        check_replay(&|| SamplingAlgorithm::Random.build(), after.records());
        assert_eq!(replay(after.records()).counts().finished, 30, "killed at {killed}");
    }
}
