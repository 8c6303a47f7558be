//! The choice of a sampler, as it stands in a specification.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::asha::Asha;
use super::auto::Auto;
use super::book::Promotion;
use super::cfo::Cfo;
use super::cma::{self, Cma};
use super::enqueue::Enqueue;
use super::freeze_thaw::FreezeThaw;
use super::gp::GaussianProcess;
use super::grid::Grid;
use super::halving::SuccessiveHalving;
use super::hyperband::{Brackets, Hyperband};
use super::random::Random;
use super::shares::Shares;
use super::sieve::Sieve;
use super::sobol::Sobol;
use super::suggest::Sampler;
use super::tpe::Tpe;
use super::views::Views;
use crate::error::{JournalError, StudyError};
use crate::journal::finite;
use crate::params::Params;
use crate::space::{Domain, Space};
use crate::study::{Ladder, StudySpec};

/// Which sampler to search with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SamplingAlgorithm {
    /// What suits the space and how far the study has come: a Gaussian process at first, then CMA-ES or TPE.
    Auto,
    /// Independent draws from the space.
    Random,
    /// Points spread evenly: a scrambled Sobol sequence.
    Sobol,
    /// Every point of a finite space, then no more.
    Grid,
    /// Given points first, in their order; then another sampler.
    Enqueue {
        /// Points of the space.
        points: Vec<Params>,
        /// What comes after them.
        then: Box<SamplingAlgorithm>,
    },
    /// A search shared between the options of a choice: an option is drawn by what it should cost it to improve on the
    /// best of all, some of the time evenly; then a sampler that sees only that option's trials suggests within it.
    Shares {
        /// Name of a choice that always exists.
        of: String,
        /// Who suggests within an option; each has its own.
        inner: Box<SamplingAlgorithm>,
    },
    /// A Gaussian process over points and resources together, which weighs a new trial against each paused one: what is
    /// promising goes on, a rung or more at a time, and how low a rung tells something is learned. For trials that can
    /// be paused, in numbers as for `gp`. With a ladder of one rung it is `gp` itself.
    FreezeThaw {
        /// Trials that go straight to the top to begin with, at least 3 of which must arrive. Default 5.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        startup: Option<u32>,
    },
    /// Successive halving in batches: once a whole batch has arrived at a rung, its best 1 / `reduction_factor` go on
    /// to the next together. With a ladder of one rung it is `inner` itself.
    SuccessiveHalving {
        /// η, at least 2. Default 3.
        #[serde(default = "default_reduction_factor")]
        reduction_factor: u32,
        /// Where the new trials come from.
        inner: Box<SamplingAlgorithm>,
    },
    /// Hyperband without waiting: asynchronous successive halving that begins at several rungs, as it is not known how
    /// much a low one is worth; with a model inside it is BOHB. With a ladder of one rung it is `inner` itself.
    Hyperband {
        /// η, at least 2. Default 3.
        #[serde(default = "default_reduction_factor")]
        reduction_factor: u32,
        /// At which rung a new trial first yields. Default rotating.
        #[serde(default)]
        brackets: Brackets,
        /// Where the new trials come from.
        inner: Box<SamplingAlgorithm>,
    },
    /// Bayesian optimisation with a Gaussian process, for up to some hundred costly trials: log expected improvement
    /// under a Matern kernel that knows which dimensions exist where. Its time for a suggestion grows with the square
    /// of the results, of which it takes 512 at most.
    Gp {
        /// Points of an even design to begin with. Default: 5 to 10, by the numbers of dimensions and trials.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        startup: Option<u32>,
    },
    /// The tree-structured Parzen estimator, for spaces of any kind and any number of trials: what good results have in
    /// common and the others have not, whole points at a time.
    Tpe {
        /// Results of an even design before it learns. Default 10.
        #[serde(default = "default_startup")]
        startup: u32,
        /// Draws from which it takes the best, at least 1. Default 24; more of them search less widely.
        #[serde(default = "default_candidates")]
        candidates: u32,
    },
    /// Asynchronous successive halving, which promotes: new trials go to the first rung, and of those that arrived at
    /// a rung the best 1 / `reduction_factor` go on to the next. With a ladder of one rung it is `inner` itself.
    Asha {
        /// η, at least 2. Default 3.
        #[serde(default = "default_reduction_factor")]
        reduction_factor: u32,
        /// What the best are counted in: trials, or what they cost. Default quantile.
        #[serde(default, skip_serializing_if = "is_default")]
        promotion: Promotion,
        /// Where the new trials come from.
        inner: Box<SamplingAlgorithm>,
    },
    /// CMA-ES with restarts: an evolving normal distribution, for a space with numbers and hundreds of trials or more.
    /// Every set of numbers that exist together has one of its own; options are drawn by their share among the best.
    CmaEs {
        /// Results of a generation, at least 4. Default three quarters of 4 + ⌊3 ln d⌋ in d dimensions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        population: Option<u32>,
        /// Standard deviation at the start as a share of each range, above 0 and at most 1. Default 0.12.
        #[serde(default = "default_sigma")]
        sigma: f64,
        /// How many results of this study it only begins from, such as those of a sampler before it: mean and
        /// covariance are those of the best tenth. What was known before the study comes on top. Default 0.
        #[serde(default)]
        begin_after: u32,
    },
    /// Cost-frugal local search (CFO, FLOW2): small steps from the space's default point, which should be cheap, with
    /// random restarts. For trials whose cost grows with their parameters.
    Cfo,
}

fn default_startup() -> u32 {
    10
}

fn default_candidates() -> u32 {
    24
}

fn default_sigma() -> f64 {
    0.12
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn default_reduction_factor() -> u32 {
    3
}

impl SamplingAlgorithm {
    /// TPE as it is by default.
    pub(super) fn tpe() -> Self {
        Self::Tpe { startup: default_startup(), candidates: default_candidates() }
    }

    /// CMA-ES as it is by default, from the results of another sampler.
    pub(super) fn cma_es(begin_after: u32) -> Self {
        Self::CmaEs { population: None, sigma: default_sigma(), begin_after }
    }

    /// The sampler, for a specification that has passed its check. In a finite space it tries no point twice, and
    /// nowhere one that is forbidden, but for points put in by hand.
    pub fn build(&self) -> Box<dyn Sampler> {
        let sampler: Box<dyn Sampler> = match self {
            Self::Auto => Box::new(Auto::new()),
            Self::Random => Box::new(Random),
            Self::Sobol => Box::new(Sobol::new()),
            Self::Grid => Box::new(Grid::new()),
            Self::Enqueue { points, then } => Box::new(Enqueue { points: points.clone(), then: then.build() }),
            Self::Gp { startup } => Box::new(GaussianProcess::new(*startup)),
            Self::Tpe { startup, candidates } => Box::new(Tpe::new(*startup, *candidates)),
            Self::CmaEs { population, sigma, begin_after } => Box::new(Cma::new(cma::Settings {
                population: *population,
                sigma: *sigma,
                begin_after: *begin_after as usize,
            })),
            Self::Cfo => Box::new(Cfo::default()),
            Self::FreezeThaw { startup } => Box::new(FreezeThaw::new(startup.unwrap_or(5))),
            Self::Shares { of, inner } => Box::new(Shares::new(of.clone(), (**inner).clone())),
            Self::SuccessiveHalving { reduction_factor, inner } => {
                Box::new(SuccessiveHalving::new(*reduction_factor, Views::new((**inner).clone())))
            }
            Self::Hyperband { reduction_factor, brackets, inner } => {
                Box::new(Hyperband::new(*reduction_factor, *brackets, Views::new((**inner).clone())))
            }
            Self::Asha { reduction_factor, promotion, inner } => {
                Box::new(Asha::new(*reduction_factor, *promotion, Views::new((**inner).clone())))
            }
        };
        if self.wraps() { sampler } else { Box::new(Sieve::new(sampler)) }
    }

    /// Whether other samplers are inside, so that what goes through it has been sieved there.
    fn wraps(&self) -> bool {
        self.halves() || matches!(self, Self::Enqueue { .. } | Self::Shares { .. })
    }

    /// Whether it pauses trials at rungs and goes on with the best.
    fn halves(&self) -> bool {
        matches!(self, Self::SuccessiveHalving { .. } | Self::Hyperband { .. } | Self::Asha { .. })
    }

    /// Whether it, or what it hands over to, pauses trials.
    fn pauses(&self) -> bool {
        match self {
            Self::Enqueue { then, .. } => then.pauses(),
            Self::Shares { inner, .. } => inner.pauses(),
            other => other.halves() || matches!(other, Self::FreezeThaw { .. }),
        }
    }

    /// Refuses a ladder on which nothing can be paused.
    fn check_ladder(name: &str, spec: &StudySpec) -> Result<(), StudyError> {
        match spec.ladder {
            Ladder::Rungs(_) => Ok(()),
            Ladder::Reports => Err(StudyError::Spec {
                field: format!("sampling_algorithm.{name}"),
                reason: "it pauses trials on a ladder of rungs, which a script that reports as it likes has not; \
                         an early termination policy can stop such trials"
                    .to_owned(),
            }),
        }
    }

    /// Checks a wrapper that halves.
    fn check_halving(name: &str, reduction_factor: u32, inner: &Self, spec: &StudySpec) -> Result<(), StudyError> {
        let bad = |field: &str, reason: &str| {
            let field = format!("sampling_algorithm.{name}{field}");
            Err(StudyError::Spec { field, reason: reason.to_owned() })
        };
        if reduction_factor < 2 {
            return bad(".reduction_factor", "it is less than 2");
        }
        Self::check_ladder(name, spec)?;
        if inner.pauses() {
            return bad(".inner", "it pauses trials itself; give it a sampler that only suggests new ones");
        }
        inner.check(spec)
    }

    /// Checks its fields, that its points are points of the study's space, and that it can handle that space and
    /// ladder.
    pub fn check(&self, spec: &StudySpec) -> Result<(), StudyError> {
        match self {
            Self::Tpe { candidates: 0, .. } => Err(StudyError::Spec {
                field: "sampling_algorithm.tpe.candidates".to_owned(),
                reason: "it is 0, so nothing can be suggested".to_owned(),
            }),
            Self::Auto | Self::Random | Self::Sobol | Self::Gp { .. } | Self::Tpe { .. } | Self::Cfo => Ok(()),
            Self::Grid => Grid::check(&spec.search_space),
            Self::Enqueue { points, then } => {
                points.iter().try_for_each(|point| spec.search_space.contains(point))?;
                then.check(spec)
            }
            Self::Shares { inner, .. } if inner.pauses() => Err(StudyError::Spec {
                field: "sampling_algorithm.shares.inner".to_owned(),
                reason: "it pauses trials itself; put the sharing inside it".to_owned(),
            }),
            Self::Shares { of, inner } => Shares::check(of, inner, spec),
            Self::FreezeThaw { startup: Some(startup @ 0..=2) } => Err(StudyError::Spec {
                field: "sampling_algorithm.freeze_thaw.startup".to_owned(),
                reason: format!("{startup} is less than 3"),
            }),
            Self::CmaEs { population, sigma, .. } => cma::check(*population, *sigma, spec),
            Self::FreezeThaw { .. } => Self::check_ladder("freeze_thaw", spec),
            Self::SuccessiveHalving { reduction_factor, inner } => {
                Self::check_halving("successive_halving", *reduction_factor, inner, spec)
            }
            Self::Hyperband { reduction_factor, inner, .. } => {
                Self::check_halving("hyperband", *reduction_factor, inner, spec)
            }
            Self::Asha { reduction_factor, inner, .. } => Self::check_halving("asha", *reduction_factor, inner, spec),
        }
    }

    /// An example of every variant, alone and wrapped, for a given space: what the compliance suites go through.
    pub fn registered(space: &Space) -> Vec<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let points: Vec<Params> = (0..3).map(|_| space.sample(&mut rng)).collect();
        let enqueue = Self::Enqueue { points, then: Box::new(Self::Random) };
        let asha = |inner: &Self, reduction_factor| {
            // One of the two registered ways to promote for each factor.
            let promotion = if reduction_factor == 2 { Promotion::Cost } else { Promotion::Quantile };
            Self::Asha { reduction_factor, promotion, inner: Box::new(inner.clone()) }
        };
        let hyperband =
            |inner: &Self, brackets| Self::Hyperband { reduction_factor: 3, brackets, inner: Box::new(inner.clone()) };
        let halving = Self::SuccessiveHalving { reduction_factor: 2, inner: Box::new(enqueue.clone()) };
        let gp = Self::Gp { startup: None };
        let cma = Self::CmaEs { population: Some(4), sigma: 0.2, begin_after: 6 };
        let tpe = Self::tpe();
        let mut all = vec![Self::Auto, Self::Random, Self::Sobol, enqueue.clone()];
        all.extend([gp.clone(), tpe.clone(), cma.clone(), Self::Cfo]);
        if Grid::check(space).is_ok() {
            all.push(Self::Grid);
        }
        all.extend([asha(&Self::Random, 3), asha(&enqueue, 2), asha(&gp, 3), asha(&tpe, 3), asha(&cma, 3)]);
        all.extend([halving, Self::FreezeThaw { startup: None }]);
        let choice = space.dimensions.iter().find(|dimension| matches!(dimension.domain, Domain::Choice { .. }));
        if let Some(choice) = choice {
            let shares = Self::Shares { of: choice.name.clone(), inner: Box::new(tpe.clone()) };
            all.extend([asha(&shares, 3), shares]);
        }
        all.extend([hyperband(&enqueue, Brackets::Rotating), hyperband(&tpe, Brackets::Trusted)]);
        all
    }

    pub(crate) fn check_finite(&self) -> Result<(), JournalError> {
        match self {
            Self::Auto
            | Self::Random
            | Self::Sobol
            | Self::Grid
            | Self::Gp { .. }
            | Self::FreezeThaw { .. }
            | Self::Tpe { .. }
            | Self::Cfo => Ok(()),
            Self::Enqueue { points, then } => {
                points.iter().try_for_each(Params::check_finite)?;
                then.check_finite()
            }
            Self::CmaEs { sigma, .. } => finite("sampling_algorithm.cma_es.sigma", *sigma),
            Self::SuccessiveHalving { inner, .. }
            | Self::Hyperband { inner, .. }
            | Self::Shares { inner, .. }
            | Self::Asha { inner, .. } => inner.check_finite(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::example_study;

    fn asha_of(reduction_factor: u32) -> SamplingAlgorithm {
        let inner = Box::new(SamplingAlgorithm::Random);
        SamplingAlgorithm::Asha { reduction_factor, promotion: Promotion::Quantile, inner }
    }

    #[test]
    fn the_reduction_factor_has_a_default_and_a_least() {
        let text = r#"{"asha":{"inner":"random"}}"#;
        let asha: SamplingAlgorithm = serde_json::from_str(text).expect("parses");
        assert_eq!(asha, asha_of(3));
        let spec = example_study(1);
        let one = asha_of(1);
        let message = "`sampling_algorithm.asha.reduction_factor`: it is less than 2";
        assert_eq!(one.check(&spec).expect_err("1 keeps all").to_string(), message);
    }

    #[test]
    fn halving_does_not_go_inside_halving() {
        let spec = example_study(1);
        let asha = asha_of(3);
        let inner = Box::new(SamplingAlgorithm::Enqueue { points: Vec::new(), then: Box::new(asha) });
        let nested = SamplingAlgorithm::Hyperband { reduction_factor: 3, brackets: Brackets::Rotating, inner };
        let message = "`sampling_algorithm.hyperband.inner`: it pauses trials itself; give it a sampler that only \
                       suggests new ones";
        assert_eq!(nested.check(&spec).expect_err("it is nested").to_string(), message);
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
