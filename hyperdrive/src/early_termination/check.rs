//! The suite that every policy passes.

use std::time::Duration;

use super::decide::{Decision, EarlyTermination};
use crate::history::History;
use crate::journal::{Event, MemoryJournal, Record};
use crate::limits::Limits;
use crate::order::{Lens, Policies};
use crate::run::{Sitting, drive};
use crate::sampler::SamplingAlgorithm;
use crate::simulate::{SimulatedExecutor, example_objective};
use crate::study::StudySpec;
use crate::trial::Trial;

/// Checks a policy on a simulated random search of `spec`'s space and ladder, in both orders; `make` returns a fresh
/// one at each call.
///
/// It checks that a fresh policy shown the history decides what the old one decided, that the same study gives the
/// same decisions, that in ordered mode the number of slots does not matter, and that some trial always finishes.
///
/// # Panics
/// On the first breach, saying what it is.
pub fn check_early_termination(make: &(dyn Fn() -> Box<dyn EarlyTermination> + Sync), spec: &StudySpec) {
    for ordered in [true, false] {
        let study = |slots| StudySpec {
            sampling_algorithm: SamplingAlgorithm::Random,
            limits: Limits {
                max_trials: Some(60),
                search_seconds: (!ordered).then_some(1e6),
                max_concurrent: slots,
                ..Limits::default()
            },
            ..spec.clone()
        };
        let records = simulate(make, &study(3));
        assert_eq!(records, simulate(make, &study(3)), "the same study gave other decisions");
        let history = replay(&records);
        assert!(history.counts().finished > 0, "no trial was left to finish");
        check_replay(make, &records);
        if ordered {
            for slots in [1, 8] {
                let other = replay(&simulate(make, &study(slots)));
                assert_eq!(ageless(&history), ageless(&other), "with {slots} slots instead of 3 decisions were others");
            }
        }
    }
}

fn simulate(make: &(dyn Fn() -> Box<dyn EarlyTermination> + Sync), spec: &StudySpec) -> Vec<Record> {
    let slots = spec.limits.max_concurrent as usize;
    let mut executor = SimulatedExecutor::new(slots, example_objective)
        .lasting(|assignment, rung| Duration::from_millis(100 + assignment.seed % 900 * u64::from(rung.0 + 1)));
    let clock = executor.clock();
    let mut journal = MemoryJournal::new();
    let sitting = Sitting {
        journal: &mut journal,
        executor: &mut executor,
        clock: &clock,
        stop: &|| false,
        observe: &mut |_, _| {},
    };
    drive(spec, spec.sampling_algorithm.build(), Policies::Made(make), sitting).expect("a sound study runs");
    journal.records().to_vec()
}

/// The trials without the numbers of their records, which are in arrival order.
fn ageless(history: &History) -> Vec<Trial> {
    let strip = |trial: &Trial| Trial { reported: Vec::new(), ended: None, ..trial.clone() };
    history.trials().iter().map(strip).collect()
}

fn replay(records: &[Record]) -> History {
    History::replay(records).expect("a sound journal").expect("a journal with records")
}

/// At each report below the top, a fresh policy stops exactly the trials that were stopped there.
fn check_replay(make: &(dyn Fn() -> Box<dyn EarlyTermination> + Sync), records: &[Record]) {
    let mut history = History::begin(&records[0]).expect("a sound journal");
    let mut lens = Lens::new(Policies::Made(make));
    for (i, record) in records.iter().enumerate() {
        history.apply(record).expect("a sound journal");
        lens.hear(&record.event, &history).expect("a sound journal");
        let Event::Reported { segment, trial, rung, .. } = &record.event else {
            continue;
        };
        if *rung == history.spec().top() {
            continue;
        }
        let said = match records.get(i + 1).map(|next| &next.event) {
            Some(Event::Stopped { trial: other, reason, .. }) if other == trial => {
                Decision::Stop { reason: reason.clone() }
            }
            _ => Decision::Continue,
        };
        let subject = lens.subject(history.trial(*trial).expect("it has reported"));
        let (_, view) = lens.policy(*segment, &history).expect("the segment is open");
        assert_eq!(make().decide(view, &subject), said, "a fresh policy decides otherwise on trial {trial}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::simulate::example_study;

    #[test]
    fn every_policy_passes() {
        for policy in EarlyTerminationPolicy::registered() {
            check_early_termination(&|| policy.build(), &example_study(5));
        }
    }

    /// Stops every second trial it is asked about, which no journal knows.
    struct Moody(u32);

    impl EarlyTermination for Moody {
        fn decide(&mut self, _history: &History, _trial: &crate::trial::Trial) -> Decision {
            self.0 += 1;
            if self.0.is_multiple_of(5) { Decision::Stop { reason: "moody".to_owned() } } else { Decision::Continue }
        }
    }

    #[test]
    #[should_panic(expected = "a fresh policy decides otherwise")]
    fn a_policy_with_a_memory_of_its_own_is_caught() {
        check_early_termination(&|| Box::new(Moody(0)), &example_study(5));
    }
}
