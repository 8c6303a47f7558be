//! Nothing twice where points can be counted, and nothing forbidden.

use std::collections::BTreeSet;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::keys::branch;
use crate::params::Params;
use crate::space::Space;

/// How often the sampler inside is asked again before a point is taken without it.
const AGAIN: usize = 10;
/// Random numbers tried for a point before all of them are gone through.
const DRAWS: usize = 100;
/// Up to this many points all of them are gone through; of more, so many are drawn, after which a space is taken to
/// have none left.
const COUNTABLE: u128 = 1 << 18;

/// Lets through what a sampler suggests, but in a finite space no point that any trial of the history has, and nowhere
/// one that is forbidden: then the sampler is asked again with other random numbers, a few times, and after that an
/// untried point is drawn. Where none is left, it is done.
///
/// In an infinite space in which nothing is forbidden it changes nothing.
pub(super) struct Sieve {
    inner: Box<dyn Sampler>,
    cache: Option<Tried>,
}

/// The points of the history, of those that the space has.
struct Tried {
    generation: u64,
    /// Changes of the history taken in so far.
    seen: usize,
    points: BTreeSet<String>,
}

impl Sieve {
    pub(super) fn new(inner: Box<dyn Sampler>) -> Self {
        Self { inner, cache: None }
    }
}

impl Sampler for Sieve {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let space = &history.spec().search_space;
        let size = space.size();
        if size.is_none() && space.forbidden.is_empty() {
            return self.inner.suggest(history, rng);
        }
        let tried = size.map(|_| Tried::up_to_date(self.cache.take(), history));
        let is_new = |params: &Params| {
            let tried = tried.as_ref().is_some_and(|tried| tried.has(space, params));
            !tried && space.forbids(params).is_none()
        };
        let mut said = Ok(Suggestion::Done);
        let is_left = tried.as_ref().zip(size).is_none_or(|(tried, size)| (tried.points.len() as u128) < size);
        if is_left {
            said = self.inner.suggest(history, rng);
            for again in 0..AGAIN {
                if !matches!(&said, Ok(Suggestion::New { params, .. }) if !is_new(params)) {
                    break;
                }
                said = self.inner.suggest(history, &mut branch(rng, &format!("again {again}")));
            }
            if let Ok(Suggestion::New { params, until }) = &said
                && !is_new(params)
            {
                let mut rng = branch(rng, "untried");
                let found = match size {
                    Some(size) => untried(space, size, &is_new, &mut rng),
                    None => Some(space.sample(&mut rng)),
                };
                said = Ok(found.map_or(Suggestion::Done, |params| Suggestion::New { params, until: *until }));
            }
        }
        self.cache = tried;
        said
    }
}

/// A point of a finite space that is new, if there is one.
fn untried(space: &Space, size: u128, is_new: &dyn Fn(&Params) -> bool, rng: &mut ChaCha8Rng) -> Option<Params> {
    let draws = if size > COUNTABLE { COUNTABLE as usize } else { DRAWS };
    let drawn = (0..draws).find_map(|_| space.nth(rng.random_range(0..size)).filter(|params| is_new(params)));
    if drawn.is_some() || size > COUNTABLE {
        return drawn;
    }
    let start = rng.random_range(0..size);
    let all = (start..size).chain(0..start);
    all.filter_map(|n| space.nth(n)).find(|params| is_new(params))
}

impl Tried {
    fn up_to_date(old: Option<Self>, history: &History) -> Self {
        let usable = old.filter(|old| old.generation == history.generation() && old.seen <= history.changes(0).len());
        let mut tried =
            usable.unwrap_or_else(|| Self { generation: history.generation(), seen: 0, points: BTreeSet::new() });
        let space = &history.spec().search_space;
        for id in history.changes(tried.seen) {
            tried.seen += 1;
            // A trial's point never changes, so its first change is enough.
            if let Some(trial) = history.trial(*id).filter(|trial| space.contains(&trial.params).is_ok()) {
                tried.points.insert(space.hash_key(&trial.params));
            }
        }
        tried
    }

    fn has(&self, space: &Space, params: &Params) -> bool {
        self.points.contains(&space.hash_key(params))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::journal::{EndReason, MemoryJournal};
    use crate::keys::keyed_rng;
    use crate::limits::Limits;
    use crate::order::Policies;
    use crate::run::{Ended, Sitting, drive};
    use crate::sampler::random::Random;
    use crate::sampler::{SamplingAlgorithm, check_sampler};
    use crate::simulate::{Fate, SimulatedExecutor, example_study};
    use crate::space::{Choice, Dimension};
    use crate::study::{Ladder, StudySpec};
    use crate::trial::{FailureKind, Outcome};

    /// 3 (linear, or a scaled or plain square) times 4 points.
    fn finite() -> Space {
        let kernel = vec![Choice::leaf("linear"), Choice::with("square", vec![Dimension::boolean("scaled")])];
        Space::new(vec![Dimension::choice("kernel", kernel), Dimension::int("k", 1, 4)])
    }

    fn study(space: Space, ordered: bool) -> StudySpec {
        StudySpec {
            search_space: space,
            sampling_algorithm: SamplingAlgorithm::Random,
            early_termination: EarlyTerminationPolicy::None,
            ladder: Ladder::single(),
            limits: Limits {
                max_trials: Some(200),
                search_seconds: (!ordered).then_some(1e6),
                max_concurrent: 3,
                ..Limits::default()
            },
            ..example_study(4)
        }
    }

    fn with(spec: &StudySpec, sampler: Box<dyn Sampler>) -> Ended {
        let mut executor = SimulatedExecutor::new(3, |_, _, seed| Outcome::single((seed % 97) as f64, 1.0))
            .lasting(|assignment, _| Duration::from_millis(1 + assignment.seed % 1_000))
            .with_fate(|assignment| match assignment.seed % 4 {
                0 => Fate::Fails { at: assignment.until, kind: FailureKind::Error, reason: "planned".to_owned() },
                _ => Fate::Runs,
            });
        let clock = executor.clock();
        let sitting = Sitting {
            journal: &mut MemoryJournal::new(),
            executor: &mut executor,
            clock: &clock,
            stop: &|| false,
            observe: &mut |_, _| {},
        };
        drive(spec, sampler, Policies::None, sitting).expect("it runs")
    }

    fn keys(ended: &Ended) -> Vec<String> {
        let space = &ended.history.spec().search_space;
        ended.history.trials().iter().map(|trial| space.hash_key(&trial.params)).collect()
    }

    #[test]
    fn a_finite_space_is_exhausted_exactly_once() {
        for ordered in [true, false] {
            for forbidden in [vec![], vec![Params::new().with("kernel", "linear").with("k", 2_i64)]] {
                let left = 12 - forbidden.len();
                let spec = study(Space { forbidden, ..finite() }, ordered);
                spec.check().expect("sound");
                let ended = with(&spec, spec.sampling_algorithm.build());
                assert_eq!(ended.reason, EndReason::Exhausted);
                let keys = keys(&ended);
                let different: BTreeSet<&String> = keys.iter().collect();
                assert_eq!((keys.len(), different.len()), (left, left));
            }
        }
    }

    /// Says the first point of the space, always.
    struct Stubborn;

    impl Sampler for Stubborn {
        fn suggest(&mut self, history: &History, _rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
            let spec = history.spec();
            let first = spec.search_space.nth(0).unwrap_or_default();
            let params = if first.is_empty() { Params::new().with("x", 0.25).with("b", true) } else { first };
            Ok(Suggestion::New { params, until: spec.top() })
        }
    }

    #[test]
    fn even_a_stubborn_sampler_is_led_through_all_points() {
        let spec = study(finite(), true);
        let ended = with(&spec, Box::new(Sieve::new(Box::new(Stubborn))));
        assert_eq!((keys(&ended).len(), ended.reason), (12, EndReason::Exhausted));
        check_sampler(&|| Box::new(Sieve::new(Box::new(Stubborn))), &spec);
        check_sampler(&|| SamplingAlgorithm::Random.build(), &spec);
    }

    #[test]
    fn what_is_forbidden_is_never_suggested() {
        let forbidden = vec![Params::new().with("b", true)];
        let dimensions = vec![Dimension::float("x", 0.0, 1.0), Dimension::boolean("b")];
        let spec = study(Space { forbidden, ..Space::new(dimensions) }, true);
        spec.check().expect("sound");
        let ended = with(&spec, Box::new(Sieve::new(Box::new(Stubborn))));
        assert_eq!(ended.history.trials().len(), 200);
        assert!(ended.history.trials().iter().all(|trial| trial.params.bool("b").is_ok_and(|b| !b)));
    }

    #[test]
    fn an_infinite_space_is_left_alone() {
        let space = Space::new(vec![Dimension::float("x", 0.0, 1.0), Dimension::boolean("b")]);
        let spec = study(space, true);
        assert_eq!(keys(&with(&spec, Box::new(Random))), keys(&with(&spec, spec.sampling_algorithm.build())));
    }

    #[test]
    fn a_huge_finite_space_costs_no_more_than_its_trials() {
        let space = Space::new((0..10).map(|i| Dimension::int(format!("k{i}"), 0, 9_999)).collect());
        let spec = study(space, false);
        let history = History::new(&spec);
        let mut sieve = Sieve::new(Box::new(Random));
        for segment in 0..100 {
            let said = sieve.suggest(&history, &mut keyed_rng(1, segment, "")).expect("it says");
            assert!(matches!(said, Suggestion::New { .. }));
        }
        assert_eq!(with(&spec, spec.sampling_algorithm.build()).reason, EndReason::MaxTrials);
    }

    #[test]
    fn points_put_in_by_hand_may_repeat() {
        let points = vec![finite().nth(3).expect("a point"); 3];
        let sampling_algorithm = SamplingAlgorithm::Enqueue { points, then: Box::new(SamplingAlgorithm::Random) };
        let spec = StudySpec { sampling_algorithm, ..study(finite(), true) };
        let executor = SimulatedExecutor::new(3, |_, _, seed| Outcome::single((seed % 97) as f64, 1.0));
        let (ended, _) = executor.run(&spec).expect("it runs");
        assert_eq!((ended.history.trials().len(), ended.reason), (3 + 11, EndReason::Exhausted));
    }
}
