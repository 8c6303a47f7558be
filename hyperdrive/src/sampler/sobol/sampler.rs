//! The sampler.

use rand_chacha::ChaCha8Rng;

use super::points::Points;
use crate::error::StudyError;
use crate::history::History;
use crate::keys::keyed_rng;
use crate::sampler::suggest::{Sampler, Suggestion};
use crate::space::Layout;

/// Trial k is point k of a Sobol sequence scrambled by the seed of the study, forbidden points left out.
pub(in crate::sampler) struct Sobol {
    cache: Option<Cache>,
}

/// What follows from the specification and the number of trials.
struct Cache {
    seed: u64,
    layout: Layout,
    points: Points,
    /// So many trials take the points before `next`.
    taken: usize,
    next: u32,
}

impl Sobol {
    pub(in crate::sampler) fn new() -> Self {
        Self { cache: None }
    }
}

impl Cache {
    fn new(history: &History) -> Self {
        let spec = history.spec();
        let layout = Layout::new(&spec.search_space);
        let points = Points::new(&layout, &mut keyed_rng(spec.seed, 0, "sobol"));
        Self { seed: spec.seed, layout, points, taken: 0, next: 0 }
    }
}

impl Sampler for Sobol {
    fn suggest(&mut self, history: &History, _rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let (spec, trials) = (history.spec(), history.trials().len());
        let usable = self.cache.take().filter(|cache| cache.seed == spec.seed && cache.taken <= trials);
        let cache = self.cache.insert(usable.unwrap_or_else(|| Cache::new(history)));
        loop {
            let params = cache.layout.decode(&cache.points.row(&cache.layout, cache.next));
            let allowed = spec.search_space.forbids(&params).is_none();
            if allowed && cache.taken == trials {
                return Ok(Suggestion::New { params, until: spec.top() });
            }
            cache.taken += usize::from(allowed);
            cache.next = cache.next.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;
    use crate::sampler::check_sampler;
    use crate::simulate::example_study;
    use crate::space::{Choice, Dimension, Space};
    use crate::study::StudySpec;

    #[test]
    fn it_passes_the_suite() {
        for seed in 0..3 {
            check_sampler(&|| Box::new(Sobol::new()), &example_study(seed));
        }
        let options = vec![Choice::leaf("a"), Choice::leaf("b")];
        let mut space = Space::new(vec![Dimension::float("x", 0.0, 1.0), Dimension::choice("c", options)]);
        space.forbidden = vec![Params::new().with("c", "a")];
        // The driver refuses a forbidden point.
        check_sampler(&|| Box::new(Sobol::new()), &StudySpec { search_space: space, ..example_study(1) });
    }

    #[test]
    fn the_seed_picks_the_sequence() {
        let first = |seed| {
            let history = History::new(&StudySpec { seed, ..example_study(1) });
            Sobol::new().suggest(&history, &mut keyed_rng(9, 9, "")).expect("it needs nothing")
        };
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
