//! Every point of a finite space.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;

use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::space::Space;

/// Tries every point of a finite space once, in the order of [`Space::nth`], forbidden ones left out; then it is done.
///
/// A point that was tried otherwise, such as one enqueued, is not tried again, nor is one that failed.
pub(super) struct Grid {
    cache: Option<Cache>,
}

/// What was tried, kept between calls.
struct Cache {
    generation: u64,
    /// Trials taken in so far.
    seen: usize,
    tried: BTreeSet<String>,
    /// All points before this one were tried or are forbidden.
    next: u128,
}

impl Grid {
    pub(super) fn new() -> Self {
        Self { cache: None }
    }

    /// Refuses a space without a finite number of points, or with more than 2^32 - 1.
    pub(super) fn check(space: &Space) -> Result<(), StudyError> {
        if let Some(key) = space.continuous() {
            let reason = "it is continuous, so a grid would never end; give it a step or list its values as an \
                          ordinal, or sample with `random`, `sobol` or `tpe`";
            return Err(StudyError::Space { key, reason: reason.to_owned() });
        }
        let most = u128::from(u32::MAX);
        let size = match space.size() {
            Some(size) if size <= most => return Ok(()),
            Some(size) => size.to_string(),
            None => "over 2^127".to_owned(),
        };
        let reason = format!("the space has {size} points, and a grid at most {most}; sample with another one");
        Err(StudyError::Spec { field: "sampling_algorithm.grid".to_owned(), reason })
    }
}

impl Sampler for Grid {
    fn suggest(&mut self, history: &History, _rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let (spec, trials) = (history.spec(), history.trials());
        let usable =
            self.cache.take().filter(|cache| cache.generation == history.generation() && cache.seen <= trials.len());
        let cache = self.cache.insert(usable.unwrap_or(Cache {
            generation: history.generation(),
            seen: 0,
            tried: BTreeSet::new(),
            next: 0,
        }));
        for trial in &trials[cache.seen..] {
            cache.tried.insert(spec.search_space.hash_key(&trial.params));
        }
        cache.seen = trials.len();
        while let Some(params) = spec.search_space.nth(cache.next) {
            let allowed = spec.search_space.forbids(&params).is_none();
            if allowed && !cache.tried.contains(&spec.search_space.hash_key(&params)) {
                return Ok(Suggestion::New { params, until: spec.top() });
            }
            cache.next += 1;
        }
        Ok(Suggestion::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::params::Params;

    use crate::sampler::{SamplingAlgorithm, check_sampler};
    use crate::simulate::{SimulatedExecutor, example_objective, example_study};
    use crate::space::{Choice, Dimension};
    use crate::study::StudySpec;
    use crate::{EndReason, Ladder};

    /// 3 · (1 + 2) points, of which one is forbidden.
    fn finite() -> StudySpec {
        let options = vec![Choice::leaf("constant"), Choice::with("tree", vec![Dimension::int("depth", 1, 2)])];
        let mut space =
            Space::new(vec![Dimension::float("x", 0.0, 1.0).step(0.5), Dimension::choice("algorithm", options)]);
        space.forbidden = vec![Params::new().with("x", 0.5).with("tree.depth", 2_i64)];
        StudySpec { search_space: space, ..example_study(1) }
    }

    #[test]
    fn it_passes_the_suite() {
        check_sampler(&|| Box::new(Grid::new()), &finite());
    }

    #[test]
    fn every_point_is_tried_once_and_then_it_is_over() {
        let point = Params::new().with("x", 1.0).with("algorithm", "constant");
        let points = vec![point.clone()];
        let grid = Box::new(SamplingAlgorithm::Grid);
        for (sampling_algorithm, first) in
            [(SamplingAlgorithm::Grid, None), (SamplingAlgorithm::Enqueue { points, then: grid }, Some(point))]
        {
            let spec = StudySpec { sampling_algorithm, ladder: Ladder::single(), ..finite() };
            let executor = SimulatedExecutor::new(3, example_objective);
            let (ended, _) = executor.run(&spec).expect("it runs");
            assert_eq!(ended.reason, EndReason::Exhausted);
            let trials = ended.history.trials();
            let keys: BTreeSet<String> = trials.iter().map(|trial| spec.search_space.hash_key(&trial.params)).collect();
            assert_eq!((trials.len(), keys.len()), (8, 8));
            assert!(first.is_none_or(|first| trials[0].params == first));
        }
    }

    fn refused(space: Space) -> String {
        let spec = StudySpec { search_space: space, sampling_algorithm: SamplingAlgorithm::Grid, ..finite() };
        spec.check().expect_err("should be refused").to_string()
    }

    #[test]
    fn what_never_ends_is_refused_at_the_start() {
        let x = Dimension::float("x", 0.0, 1.0);
        assert_eq!(
            refused(Space::new(vec![Dimension::boolean("b"), x])),
            "dimension `x`: it is continuous, so a grid would never end; give it a step or list its values as an \
             ordinal, or sample with `random`, `sobol` or `tpe`"
        );
        assert_eq!(
            refused(Space::new(vec![Dimension::int("i", 0, 99_999), Dimension::int("k", 0, 99_999)])),
            "`sampling_algorithm.grid`: the space has 10000000000 points, and a grid at most 4294967295; sample with \
             another one"
        );
        let wide = (0..3).map(|i| Dimension::int(format!("k{i}"), i64::MIN, i64::MAX)).collect();
        assert!(refused(Space::new(wide)).contains("over 2^127 points"));
    }
}
