//! Asynchronous successive halving.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;

use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::keys::branch;
use crate::study::{Ladder, StudySpec};
use crate::trial::{Rank, Rung, Segment, Trial, TrialId, TrialState};

/// ASHA in its promoting form (Li et al., "A System for Massively Parallel Hyperparameter Tuning", `MLSys` 2020,
/// algorithm 2): from the highest rung down, a trial among the best 1/η of all that reported at a rung goes on to
/// the next; if there is none, a new trial goes to the first.
///
/// Trials that failed or were stopped after a rung still count at it, but do not go on. The inner sampler sees a
/// study of one rung, the first.
pub(super) struct Asha {
    reduction_factor: usize,
    inner: Box<dyn Sampler>,
    cache: Option<Cache>,
}

/// What follows from the history, kept between calls.
struct Cache {
    generation: u64,
    /// Changes of the history taken in so far.
    seen: usize,
    /// Trials that reported at each rung, best first.
    rungs: Vec<BTreeSet<(Rank, TrialId)>>,
    /// What the inner sampler sees.
    inner: History,
}

impl Asha {
    pub(super) fn new(reduction_factor: u32, inner: Box<dyn Sampler>) -> Self {
        Self { reduction_factor: reduction_factor as usize, inner, cache: None }
    }
}

impl Sampler for Asha {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        if history.spec().top() == Rung(0) {
            return self.inner.suggest(history, rng);
        }
        let cache = Cache::up_to_date(self.cache.take(), history);
        let cache = self.cache.insert(cache);
        if let Some((trial, rung)) = cache.promotable(history, self.reduction_factor) {
            return Ok(Suggestion::Resume { trial, until: Rung(rung.0 + 1) });
        }
        match self.inner.suggest(&cache.inner, &mut branch(rng, "inner"))? {
            Suggestion::New { params, .. } => Ok(Suggestion::New { params, until: Rung(0) }),
            // The inner study ends at the first rung: nothing in it is paused, nor ahead of a checkpoint.
            Suggestion::Resume { trial, .. } | Suggestion::From { trial, .. } => Err(StudyError::Suggestion {
                segment: Segment(history.segments()),
                reason: format!("inside asha only new trials can be suggested, not one from trial {trial}"),
            }),
            // What runs in the inner study runs in this one.
            end @ (Suggestion::Wait | Suggestion::Done) => Ok(end),
        }
    }
}

impl Cache {
    fn up_to_date(old: Option<Self>, history: &History) -> Self {
        let usable = old.filter(|cache| cache.generation == history.generation());
        let mut cache = usable.unwrap_or_else(|| Self {
            generation: history.generation(),
            seen: 0,
            rungs: vec![BTreeSet::new(); history.spec().ladder.rungs().len()],
            inner: history.filtered(&first_rung_study(history.spec()), &|trial| Some(first_rung(trial))),
        });
        let goal = history.spec().goal();
        for id in history.changes(cache.seen) {
            for (rung, outcome) in history.trial(*id).map(|trial| trial.reports.as_slice()).unwrap_or_default() {
                cache.rungs[rung.0 as usize].insert((outcome.rank(goal), *id));
            }
            cache.seen += 1;
        }
        cache.inner.follow(history, &|trial| Some(first_rung(trial)));
        cache
    }

    /// The best trial to go on at the highest rung that has one.
    fn promotable(&self, history: &History, reduction_factor: usize) -> Option<(TrialId, Rung)> {
        let below_top = self.rungs.len() - 1;
        (0..below_top).rev().find_map(|r| {
            let rung = Rung(r as u16);
            let best = self.rungs[r].iter().take(self.rungs[r].len() / reduction_factor);
            let paused = |id| history.trial(id).is_some_and(|trial| trial.state == TrialState::Paused { rung });
            best.map(|(_, id)| *id).find(|id| paused(*id)).map(|id| (id, rung))
        })
    }
}

/// The study whose only rung is the first.
fn first_rung_study(spec: &StudySpec) -> StudySpec {
    StudySpec { ladder: Ladder::Rungs(spec.ladder.rungs()[..1].to_vec()), ..spec.clone() }
}

/// A trial as far as the first rung: whoever reported there has finished.
fn first_rung(trial: &Trial) -> Trial {
    let reports: Vec<_> = trial.reports.iter().filter(|(rung, _)| *rung == Rung(0)).cloned().collect();
    let state = match &trial.state {
        _ if !reports.is_empty() => TrialState::Finished { partial: false },
        // On the way to its first report, whatever rung it is to yield at.
        TrialState::Running { .. } => TrialState::Running { until: Rung(0) },
        other => other.clone(),
    };
    let cost = reports.last().map_or(0.0, |(_, outcome)| outcome.cost);
    let partial = trial.partial.clone().filter(|_| reports.is_empty());
    let reported = trial.reported[..reports.len()].to_vec();
    let ended = reported.first().copied().or(trial.ended);
    Trial { reports, reported, ended, state, cost, partial, curve: Vec::new(), ..trial.clone() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::journal::{Event, MemoryJournal, Record};
    use crate::limits::Limits;
    use crate::params::Params;
    use crate::run::{Sitting, run};
    use crate::sampler::SamplingAlgorithm;
    use crate::simulate::{Fate, SimulatedExecutor, example_objective, example_study};
    use crate::trial::{FailureKind, Outcome};

    fn asha(reduction_factor: u32, trials: u32, slots: u32) -> StudySpec {
        let inner = Box::new(SamplingAlgorithm::Random);
        StudySpec {
            sampling_algorithm: SamplingAlgorithm::Asha { reduction_factor, inner },
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

    fn records(spec: &StudySpec, mut executor: SimulatedExecutor) -> Vec<Record> {
        let clock = executor.clock();
        let mut journal = MemoryJournal::new();
        let sitting = Sitting {
            journal: &mut journal,
            executor: &mut executor,
            clock: &clock,
            stop: &|| false,
            observe: &mut |_, _| {},
        };
        run(spec, sitting).expect("it runs");
        journal.records().to_vec()
    }

    /// What was started: the trial and where it was to go.
    fn starts(records: &[Record]) -> Vec<(u32, u16)> {
        let start = |record: &Record| match record.event {
            Event::Started { trial, until, .. } => Some((trial.0, until.0)),
            _ => None,
        };
        records.iter().filter_map(start).collect()
    }

    #[test]
    fn by_hand() {
        // One slot, η = 2, losses by trial as below, the same at every rung.
        let losses = [0.5, 0.3, 0.7, 0.1, 0.4, 0.2, 0.6, 0.8];
        let executor = SimulatedExecutor::new(1, |params, _, _| {
            Outcome::single(params.float("x").expect("the space has an x"), 1.0)
        });
        let mut spec = asha(2, 8, 1);
        let point = |x: f64| Params::new().with("x", x).with("algorithm", "constant");
        let points = losses.map(point).to_vec();
        let inner = SamplingAlgorithm::Enqueue { points, then: Box::new(SamplingAlgorithm::Random) };
        spec.sampling_algorithm = SamplingAlgorithm::Asha { reduction_factor: 2, inner: Box::new(inner) };
        let mut expected = vec![(0, 0), (1, 0)];
        // Of {0, 1} the best is 1.
        expected.extend([(1, 1), (2, 0), (3, 0)]);
        // Of {0, 1, 2, 3} the best two are 3 and 1, and of {3, 1} at the next rung 3.
        expected.extend([(3, 1), (3, 2), (4, 0), (5, 0)]);
        // Of six the best three are 3, 5 and 1; of three at the next rung 3, which is at the top.
        expected.extend([(5, 1), (6, 0), (7, 0)]);
        // Of eight the best four are 3, 5, 1 and 4; of four at the next rung 3 and 5.
        expected.extend([(4, 1), (5, 2)]);
        assert_eq!(starts(&records(&spec, executor)), expected);
    }

    /// Algorithm 2 of the paper on the plain list of trials, without any cache.
    fn paper(history: &History, reduction_factor: usize) -> Option<(TrialId, Rung)> {
        let goal = history.spec().goal();
        for r in (0..history.spec().top().0).rev().map(Rung) {
            let mut at_rung: Vec<(f64, TrialId)> = Vec::new();
            for trial in history.trials() {
                at_rung.extend(trial.at(r).map(|outcome| (goal.loss(outcome.values[0]), trial.id)));
            }
            at_rung.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let candidates = &at_rung[..at_rung.len() / reduction_factor];
            let waiting =
                |id: TrialId| history.trial(id).is_some_and(|trial| trial.state == TrialState::Paused { rung: r });
            if let Some((_, id)) = candidates.iter().find(|(_, id)| waiting(*id)) {
                return Some((*id, r));
            }
        }
        None
    }

    #[test]
    fn every_decision_is_the_papers() {
        for (reduction_factor, slots) in [(2, 1), (3, 4), (4, 8)] {
            let spec = asha(reduction_factor, 80, slots);
            let executor = SimulatedExecutor::new(slots as usize, example_objective)
                .lasting(|assignment, rung| Duration::from_millis(1 + (assignment.seed >> rung.0) % 900));
            let records = records(&spec, executor);
            let mut history = History::begin(&records[0]).expect("a sound journal");
            let mut promotions = 0;
            for record in &records {
                if let Event::Started { trial, from, until, .. } = record.event {
                    match paper(&history, reduction_factor as usize) {
                        Some((id, rung)) => {
                            assert_eq!((trial, from, until), (id, Some(rung), Rung(rung.0 + 1)));
                            promotions += 1;
                        }
                        None => assert_eq!((from, until), (None, Rung(0))),
                    }
                }
                history.apply(record).expect("a sound journal");
            }
            assert!(promotions > 20, "{promotions} promotions");
            assert_eq!(paper(&history, reduction_factor as usize), None, "a promotion was left open");
            assert_eq!((history.trials().len(), history.counts().running), (80, 0));
        }
    }

    #[test]
    fn the_cache_is_what_a_fresh_one_would_be_even_when_reports_are_taken_back() {
        let executor = SimulatedExecutor::new(4, example_objective).with_fate(|assignment| match assignment.attempt {
            1 if assignment.trial.0 % 3 == 0 => Fate::Fails {
                at: Rung(assignment.until.0 + 1),
                kind: FailureKind::Interrupted,
                reason: "killed".to_owned(),
            },
            _ => Fate::Runs,
        });
        let records = records(&asha(3, 30, 4), executor);
        let mut history = History::begin(&records[0]).expect("a sound journal");
        let mut kept = None;
        for record in &records {
            history.apply(record).expect("a sound journal");
            let fresh = Cache::up_to_date(None, &history);
            let cache = Cache::up_to_date(kept.take(), &history);
            assert_eq!(cache.rungs, fresh.rungs, "after record {}", record.seq);
            assert_eq!(cache.inner.trials(), fresh.inner.trials(), "after record {}", record.seq);
            kept = Some(cache);
        }
        assert!(history.generation() > 5, "nothing was taken back");
    }

    #[test]
    fn ordered_mode_leaves_no_promotion_open() {
        for trials in [1, 2, 9, 40] {
            let mut spec = asha(3, trials, 4);
            spec.limits.search_seconds = None;
            let records = records(&spec, SimulatedExecutor::new(4, example_objective));
            let history = History::replay(&records).expect("a sound journal").expect("it has records");
            assert_eq!(paper(&history, 3), None, "of {trials} trials");
            assert_eq!((history.trials().len() as u32, history.counts().running), (trials, 0));
        }
    }

    #[test]
    fn the_inner_sampler_sees_a_study_of_one_rung() {
        let records = records(&asha(3, 30, 4), SimulatedExecutor::new(4, example_objective));
        let history = History::replay(&records).expect("a sound journal").expect("it has records");
        let inner = Cache::up_to_date(None, &history).inner;
        assert_eq!((inner.spec().ladder.rungs().len(), inner.counts().finished), (1, 30));
        assert!(inner.trials().iter().all(|trial| trial.reports.len() == 1));
        assert_eq!(inner.cost(), 30.0, "a unit for the first rung of each");
    }

    #[test]
    fn with_one_rung_it_is_the_inner_sampler() {
        let one = |spec: StudySpec| StudySpec { ladder: Ladder::Rungs(spec.ladder.rungs()[2..].to_vec()), ..spec };
        let run = |spec: &StudySpec| {
            let records = records(spec, SimulatedExecutor::new(2, example_objective));
            History::replay(&records).expect("a sound journal").expect("it has records").trials().to_vec()
        };
        let wrapped = one(asha(3, 12, 2));
        let plain = StudySpec { sampling_algorithm: SamplingAlgorithm::Random, ..wrapped.clone() };
        assert_eq!(run(&wrapped), run(&plain));
    }
}
