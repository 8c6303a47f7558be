//! The suite that every sampler passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::journal::{Event, MemoryJournal, Record};
use crate::keys::keyed_rng;
use crate::limits::Limits;
use crate::order::{Lens, Policies};
use crate::run::{Sitting, drive};
use crate::simulate::{Fate, SimulatedExecutor, example_objective};
use crate::study::StudySpec;
use crate::trial::{FailureKind, Origin, Outcome, Rung, TrialId};

/// Checks a sampler on a simulated study in both orders; `make` returns a fresh one at each call, `spec` says in
/// which space, on which ladder and for which number of trials (at most 200 are run).
///
/// It checks that suggestions lie in the space and on the ladder, that it waits only while something runs, that it
/// comes to an end, that the same study gives the same suggestions, that in ordered mode the number of slots does
/// not matter, and that a fresh sampler shown the history says what the old one said.
///
/// # Panics
/// On the first breach, saying what it is.
pub fn check_sampler(make: &dyn Fn() -> Box<dyn Sampler>, spec: &StudySpec) {
    let most = spec.limits.max_trials.unwrap_or(40).min(200);
    for ordered in [true, false] {
        let search_seconds = (!ordered).then_some(1e6);
        let limits = Limits { max_trials: Some(most), search_seconds, max_cost: None, ..spec.limits.clone() };
        let with_slots = |slots| {
            let limits = Limits { max_concurrent: slots, ..limits.clone() };
            StudySpec { limits, ..spec.clone() }
        };
        let spec = with_slots(3);
        let records = simulate(make, &spec);
        assert_eq!(records, simulate(make, &spec), "the same study gave other suggestions");
        check_count(&records, most);
        check_replay(make, &records);
        if ordered {
            let starts = starts(&records);
            for slots in [1, 8] {
                let others = simulate(make, &with_slots(slots));
                let other = self::starts(&others);
                assert_eq!(starts, other, "with {slots} slots instead of 3 the suggestions were others");
            }
        }
    }
}

/// Runs the study; one trial in eight fails, one first attempt in five is lost after all it had
/// to say.
fn simulate(make: &dyn Fn() -> Box<dyn Sampler>, spec: &StudySpec) -> Vec<Record> {
    let objectives = spec.objectives.len();
    let mut executor = SimulatedExecutor::new(spec.limits.max_concurrent as usize, move |params, rung, seed| {
        // Any space will do: points without the example's parameters differ by their noise.
        let outcome = example_objective(params, rung, seed);
        Outcome { values: vec![outcome.values[0]; objectives], ..outcome }
    })
    .lasting(|assignment, rung| Duration::from_millis(100 + assignment.seed % 900 * u64::from(rung.0 + 1)))
    .with_fate(|assignment| {
        let fails = |kind, at| Fate::Fails { at, kind, reason: "as planned".to_owned() };
        match assignment.seed {
            seed if seed % 8 == 0 => fails(FailureKind::Error, assignment.until),
            seed if seed % 5 == 0 && assignment.attempt == 1 => {
                fails(FailureKind::Interrupted, Rung(assignment.until.0 + 1))
            }
            _ => Fate::Runs,
        }
    });
    let (time, thinking) = (executor.clock(), Arc::new(AtomicU64::new(0)));
    let sampler = Slow { inner: make(), thinking: Arc::clone(&thinking) };
    let clock = || time() + Duration::from_millis(thinking.load(Ordering::Relaxed));
    let mut journal = MemoryJournal::new();
    let sitting = Sitting {
        journal: &mut journal,
        executor: &mut executor,
        clock: &clock,
        stop: &|| false,
        observe: &mut |_, _| {},
    };
    drive(spec, Box::new(sampler), Policies::None, sitting)
        .expect("the sampler keeps to what can be done, and comes to an end");
    journal.records().to_vec()
}

/// A sampler that takes its time, so that in arrival order suggestions are made ahead.
struct Slow {
    inner: Box<dyn Sampler>,
    thinking: Arc<AtomicU64>,
}

impl Sampler for Slow {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        self.thinking.fetch_add(300, Ordering::Relaxed);
        self.inner.suggest(history, rng)
    }
}

fn check_count(records: &[Record], most: u32) {
    let new = |record: &&Record| {
        matches!(record.event, Event::Started { origin: Origin::New | Origin::From(_), attempt: 1, .. })
    };
    let new = records.iter().filter(new).count();
    assert!(new > 0, "nothing was suggested");
    assert!(new <= most as usize, "{new} trials were started, more than {most}");
}

type Start<'a> = (TrialId, &'a crate::params::Params, Origin, crate::trial::Rung);

fn starts(records: &[Record]) -> Vec<Start<'_>> {
    let first = |record| match record {
        &Record { event: Event::Started { trial, ref params, origin, until, attempt: 1, .. }, .. } => {
            Some((trial, params, origin, until))
        }
        _ => None,
    };
    records.iter().filter_map(first).collect()
}

/// A fresh sampler, shown what a suggestion saw, says the same (law 2).
pub(crate) fn check_replay(make: &dyn Fn() -> Box<dyn Sampler>, records: &[Record]) {
    let mut history = History::begin(&records[0]).expect("a sound journal");
    let mut lens = Lens::new(Policies::None);
    for record in records {
        let said = match &record.event {
            Event::Started { params, until, origin, trial, attempt: 1, .. } => Some(match *origin {
                Origin::New => Suggestion::New { params: params.clone(), until: *until },
                Origin::Resume => Suggestion::Resume { trial: *trial, until: *until },
                Origin::From(parent) => Suggestion::From { trial: parent, params: params.clone(), until: *until },
            }),
            Event::Waited { .. } => Some(Suggestion::Wait),
            _ => None,
        };
        if let Some(said) = said {
            let segment = history.segments();
            let mut rng = keyed_rng(history.spec().seed, u64::from(segment), "");
            let ordered = lens.is_ordered();
            let view = lens.view(&history).expect("a sound journal");
            // A suggestion that was made ahead saw less.
            let earlier = match &record.event {
                Event::Started { saw, .. } if !ordered && *saw < view.seq() => {
                    History::replay(&records[..=saw.0 as usize]).expect("a sound journal")
                }
                _ => None,
            };
            let view = earlier.as_ref().unwrap_or(view);
            let says = make().suggest(view, &mut rng).expect("it could be suggested before").settled(view, ordered);
            assert_eq!(says, said, "a fresh sampler says something else at suggestion {segment}");
        }
        history.apply(record).expect("a sound journal");
        lens.hear(&record.event, &history).expect("a sound journal");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::SamplingAlgorithm;
    use crate::simulate::example_study;
    use crate::study::Ladder;

    #[test]
    fn every_sampler_passes() {
        let spec = example_study(5);
        let one_rung = StudySpec { ladder: Ladder::Rungs(spec.ladder.rungs()[2..].to_vec()), ..spec.clone() };
        for algorithm in SamplingAlgorithm::registered(&spec.search_space) {
            for spec in [&spec, &one_rung] {
                check_sampler(&|| algorithm.build(), spec);
            }
        }
    }

    /// Remembers how often it was asked, which no journal knows.
    struct Forgetful(u32);

    impl Sampler for Forgetful {
        fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
            self.0 += 1;
            let spec = history.spec();
            let mut params = spec.search_space.sample(rng);
            params.insert("x", 1.0 / f64::from(self.0));
            Ok(Suggestion::New { params, until: spec.top() })
        }
    }

    /// Looks at what the machine can do, which in ordered mode it is not shown.
    struct Peeking;

    impl Sampler for Peeking {
        fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
            let spec = history.spec();
            let mut params = spec.search_space.sample(rng);
            params.insert("x", 1.0 / f64::from(spec.limits.max_concurrent));
            Ok(Suggestion::New { params, until: spec.top() })
        }
    }

    #[test]
    fn a_sampler_cannot_see_the_machine_in_ordered_mode() {
        check_sampler(&|| Box::new(Peeking), &example_study(5));
    }

    #[test]
    #[should_panic(expected = "a fresh sampler says something else")]
    fn a_sampler_with_a_memory_of_its_own_is_caught() {
        check_sampler(&|| Box::new(Forgetful(0)), &example_study(5));
    }
}
