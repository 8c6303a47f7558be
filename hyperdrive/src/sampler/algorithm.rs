//! The choice of a sampler, as it stands in a specification.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::asha::Asha;
use super::enqueue::Enqueue;
use super::gp::GaussianProcess;
use super::random::Random;
use super::sieve::Sieve;
use super::suggest::Sampler;
use crate::error::{JournalError, StudyError};
use crate::params::Params;
use crate::space::Space;
use crate::study::{Ladder, StudySpec};

/// Which sampler to search with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SamplingAlgorithm {
    /// Independent draws from the space.
    Random,
    /// Given points first, in their order; then another sampler.
    Enqueue {
        /// Points of the space.
        points: Vec<Params>,
        /// What comes after them.
        then: Box<SamplingAlgorithm>,
    },
    /// Bayesian optimisation with a Gaussian process, for up to some hundred costly trials: log expected improvement
    /// under a Matern kernel that knows which dimensions exist where. Its time for a suggestion grows with the square
    /// of the results, of which it takes 512 at most.
    Gp {
        /// Points of an even design to begin with. Default: 5 to 10, by the numbers of dimensions and trials.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        startup: Option<u32>,
    },
    /// Asynchronous successive halving, which promotes: new trials go to the first rung, and of those that arrived at
    /// a rung the best 1 / `reduction_factor` go on to the next. With a ladder of one rung it is `inner` itself.
    Asha {
        /// η, at least 2. Default 3.
        #[serde(default = "default_reduction_factor")]
        reduction_factor: u32,
        /// Where the new trials come from.
        inner: Box<SamplingAlgorithm>,
    },
}

fn default_reduction_factor() -> u32 {
    3
}

impl SamplingAlgorithm {
    /// The sampler, for a specification that has passed its check. In a finite space it tries no point twice, and
    /// nowhere one that is forbidden, but for points put in by hand.
    pub fn build(&self) -> Box<dyn Sampler> {
        let sampler: Box<dyn Sampler> = match self {
            Self::Random => Box::new(Random),
            Self::Enqueue { points, then } => Box::new(Enqueue { points: points.clone(), then: then.build() }),
            Self::Gp { startup } => Box::new(GaussianProcess::new(*startup)),
            Self::Asha { reduction_factor, inner } => Box::new(Asha::new(*reduction_factor, inner.build())),
        };
        if self.wraps() { sampler } else { Box::new(Sieve::new(sampler)) }
    }

    /// Whether other samplers are inside, so that what goes through it has been sieved there.
    fn wraps(&self) -> bool {
        matches!(self, Self::Enqueue { .. } | Self::Asha { .. })
    }

    /// Checks its fields, that its points are points of the study's space, and that it can handle that space and
    /// ladder.
    pub fn check(&self, spec: &StudySpec) -> Result<(), StudyError> {
        match self {
            Self::Random | Self::Gp { .. } => Ok(()),
            Self::Enqueue { points, then } => {
                points.iter().try_for_each(|point| spec.search_space.contains(point))?;
                then.check(spec)
            }
            Self::Asha { reduction_factor: 0..=1, .. } => Err(StudyError::Spec {
                field: "sampling_algorithm.asha.reduction_factor".to_owned(),
                reason: "it is less than 2".to_owned(),
            }),
            Self::Asha { .. } if spec.ladder == Ladder::Reports => Err(StudyError::Spec {
                field: "sampling_algorithm.asha".to_owned(),
                reason: "it pauses trials on a ladder of rungs, which a script that reports as it likes has not; \
                         an early termination policy can stop such trials"
                    .to_owned(),
            }),
            Self::Asha { inner, .. } => inner.check(spec),
        }
    }

    /// An example of every variant, alone and wrapped, for a given space: what the compliance suites go through.
    pub fn registered(space: &Space) -> Vec<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let points: Vec<Params> = (0..3).map(|_| space.sample(&mut rng)).collect();
        let enqueue = Self::Enqueue { points, then: Box::new(Self::Random) };
        let asha = |inner: &Self, reduction_factor| Self::Asha { reduction_factor, inner: Box::new(inner.clone()) };
        let gp = Self::Gp { startup: None };
        vec![Self::Random, enqueue.clone(), gp.clone(), asha(&Self::Random, 3), asha(&enqueue, 2), asha(&gp, 3)]
    }

    pub(crate) fn check_finite(&self) -> Result<(), JournalError> {
        match self {
            Self::Random | Self::Gp { .. } => Ok(()),
            Self::Enqueue { points, then } => {
                points.iter().try_for_each(Params::check_finite)?;
                then.check_finite()
            }
            Self::Asha { inner, .. } => inner.check_finite(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::example_study;

    #[test]
    fn the_reduction_factor_has_a_default_and_a_least() {
        let text = r#"{"asha":{"inner":"random"}}"#;
        let asha: SamplingAlgorithm = serde_json::from_str(text).expect("parses");
        assert_eq!(asha, SamplingAlgorithm::Asha { reduction_factor: 3, inner: Box::new(SamplingAlgorithm::Random) });
        let spec = example_study(1);
        let one = SamplingAlgorithm::Asha { reduction_factor: 1, inner: Box::new(SamplingAlgorithm::Random) };
        let message = "`sampling_algorithm.asha.reduction_factor`: it is less than 2";
        assert_eq!(one.check(&spec).expect_err("1 keeps all").to_string(), message);
    }

    #[test]
    fn points_outside_the_space_are_refused() {
        let spec = example_study(1);
        let points = vec![Params::new().with("nonsense", 1_i64)];
        let enqueue = SamplingAlgorithm::Enqueue { points, then: Box::new(SamplingAlgorithm::Random) };
        assert!(enqueue.check(&spec).is_err());
        for algorithm in SamplingAlgorithm::registered(&spec.search_space) {
            algorithm.check(&spec).expect("an example is sound");
        }
    }
}
