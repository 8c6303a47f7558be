//! The sampler.

use rand_chacha::ChaCha8Rng;

use super::propose::propose;
use crate::error::StudyError;
use crate::history::History;
use crate::keys::keyed_rng;
use crate::sampler::observations::Observations;
use crate::sampler::sobol::Points;
use crate::sampler::suggest::{Sampler, Suggestion};

/// Multivariate TPE with the settings of Watanabe, "Tree-Structured Parzen Estimator: Understanding Its Algorithm
/// Components and Their Roles for Better Empirical Performance" (arXiv 2304.11127, 2023); trials under way count as
/// poor ones, so that those beside them go elsewhere.
///
/// It begins with the default point of the space and scrambled Sobol points.
pub(in crate::sampler) struct Tpe {
    startup: usize,
    candidates: usize,
    observations: Option<Observations>,
}

impl Tpe {
    /// One that learns once there are `startup` results, and takes the best of `candidates` draws.
    pub(in crate::sampler) fn new(startup: u32, candidates: u32) -> Self {
        Self { startup: startup as usize, candidates: candidates as usize, observations: None }
    }
}

impl Sampler for Tpe {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let spec = history.spec();
        let observations = Observations::up_to_date(self.observations.take(), history);
        let observations = self.observations.insert(observations);
        let number = observations.len();
        let params = match &spec.search_space.default {
            Some(default) if number == 0 => default.clone(),
            _ if observations.n_results() < self.startup => {
                let layout = &observations.layout;
                let points = Points::new(layout, &mut keyed_rng(spec.seed, 0, "tpe startup"));
                layout.decode(&points.row(layout, number as u32))
            }
            _ => {
                let results = observations.results(history);
                observations.layout.decode(&propose(observations, &results, self.startup, self.candidates, rng))
            }
        };
        Ok(Suggestion::New { params, until: spec.top() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::check_sampler;
    use crate::simulate::example_study;
    use crate::space::{Choice, Dimension, Space};
    use crate::study::StudySpec;

    fn make() -> Box<dyn Sampler> {
        Box::new(Tpe::new(10, 24))
    }

    #[test]
    fn it_passes_the_suite() {
        for seed in 0..2 {
            check_sampler(&make, &example_study(seed));
        }
        let kernel =
            vec![Choice::leaf("linear"), Choice::with("rbf", vec![Dimension::float("gamma", 1e-3, 1e1).log()])];
        let svm = vec![Dimension::float("c", 1e-3, 1e3).log(), Dimension::choice("kernel", kernel)];
        let knn = vec![Dimension::int("k", 1, 30).log(), Dimension::ordinal("p", [1_i64, 2])];
        let options = vec![Choice::leaf("dummy"), Choice::with("knn", knn), Choice::with("svm", svm)];
        let space = Space::new(vec![
            Dimension::float("share", 0.0, 1.0).step(0.25),
            Dimension::choice("algorithm", options),
            Dimension::normal("noise", 0.0, 1.0),
            Dimension::boolean("fast"),
            Dimension::fixed("cache", 200_i64),
        ]);
        check_sampler(&make, &StudySpec { search_space: space, ..example_study(2) });
    }

    #[test]
    fn the_default_comes_first() {
        let mut spec = example_study(1);
        let point = spec.search_space.sample(&mut keyed_rng(1, 1, ""));
        spec.search_space.default = Some(point.clone());
        let said = make().suggest(&History::new(&spec), &mut keyed_rng(2, 2, "")).expect("it needs nothing");
        assert_eq!(said, Suggestion::New { params: point, until: spec.top() });
    }
}
