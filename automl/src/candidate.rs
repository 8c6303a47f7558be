//! A candidate: an algorithm with its parameters and the transforms in front of it, not yet fitted; and the search
//! space all candidates are drawn from.

use std::sync::Arc;

use hyperdrive::{Choice, Dimension, Params, Space, StudyError};
use trainers::transform::FeatureSettings;
use trainers::{Algorithm, Estimator, FeaturePlan, Logarithm, Scaling, Shape, Target, Task};

use crate::error::AutoMlError;
use crate::prepare::{LogTarget, Prepared};
use crate::spec::AlgorithmSpec;

/// The dimension that chooses the algorithm; everything else is conditional on it.
pub const ALGORITHM: &str = "algorithm";
/// The dimension of a scaled algorithm that chooses how.
const SCALING: &str = "scaling";

/// Most rounds of boosting; how many are worth it is learned on held-out rows.
const MOST_ROUNDS: i64 = 1000;
/// Rounds without a better loss, times the learning rate, after which boosting ends; within these bounds.
const PATIENCE: f64 = 2.0;
const PATIENCE_BOUNDS: (f64, f64) = (10.0, 60.0);
/// The parameters that are not searched where rounds are learned.
const ROUNDS: &str = "n_estimators";
const EARLY: &str = "early_stopping_rounds";

/// What candidates are drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope<'a> {
    /// The shape that a candidate trains on.
    pub shape: Shape,
    /// The algorithms that are searched.
    pub algorithms: &'a [Algorithm],
    /// What each is tried with and without.
    pub twist: Option<Twist>,
}

/// Another way to learn the same target, which every algorithm is tried with and without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    /// Logarithms of the target are learned.
    Logarithm,
    /// Rows are weighed so that classes count alike.
    Balance,
}

impl Twist {
    /// What these data are worth a try with.
    pub fn of(prepared: &Prepared) -> Option<Self> {
        let logarithm = prepared.logarithm.as_ref().map(|_| Self::Logarithm);
        logarithm.or(prepared.balance.as_ref().map(|_| Self::Balance))
    }

    /// The dimension that chooses, and its options: without it, with it.
    const fn dimension(self) -> (&'static str, [&'static str; 2]) {
        match self {
            Self::Logarithm => ("target", ["as_is", "logarithm"]),
            Self::Balance => ("class_weight", ["none", "balanced"]),
        }
    }
}

/// An unfitted chain of transforms and one trainer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What is fitted.
    pub algorithm: Algorithm,
    /// How the columns become features.
    pub plan: FeaturePlan,
    /// How else it learns its target.
    pub twist: Option<Twist>,
    /// The algorithm's own parameters.
    pub params: Params,
}

impl Candidate {
    /// Reads a candidate from a point of [`search_space`] over the given table columns, made into features as asked.
    pub fn of(params: &Params, columns: &[String], settings: &FeatureSettings) -> Result<Self, StudyError> {
        let name = params.text(ALGORITHM)?;
        let algorithm = Algorithm::parse(name)
            .map_err(|error| StudyError::Params { key: ALGORITHM.into(), reason: error.to_string() })?;
        let input = algorithm.trainer().describe().input;
        let twists = [Twist::Logarithm, Twist::Balance];
        let of_ours = |name: &str| name == SCALING || twists.iter().any(|twist| twist.dimension().0 == name);
        let (given, own): (Vec<_>, Vec<_>) = params
            .under(name)
            .iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .partition(|(name, _)| of_ours(name));
        let (given, mut own): (Params, Params) = (given.into_iter().collect(), own.into_iter().collect());
        if algorithm.trainer().describe().watches {
            let rate = own.float("learning_rate").unwrap_or(0.1);
            own.insert(ROUNDS, MOST_ROUNDS);
            own.insert(EARLY, (PATIENCE / rate).clamp(PATIENCE_BOUNDS.0, PATIENCE_BOUNDS.1) as i64);
        }
        let scaling = match given.text(SCALING) {
            Ok("min_max") => Scaling::MinMax,
            Ok(_) => Scaling::Standard,
            Err(_) => input.scaling,
        };
        let plan = FeaturePlan {
            categorical: input.categorical,
            scaling,
            columns: columns.to_vec(),
            settings: settings.clone(),
        };
        let twisted = |twist: &Twist| {
            let (name, [_, with]) = twist.dimension();
            given.text(name).is_ok_and(|chosen| chosen == with)
        };
        Ok(Self { algorithm, plan, twist: twists.into_iter().find(twisted), params: own })
    }

    /// The same with so many rounds, whatever they bring; 0 leaves it as it is.
    #[must_use]
    pub fn with_rounds(mut self, rounds: usize) -> Self {
        if rounds > 0 {
            self.params.insert(ROUNDS, rounds as i64);
            self.params.insert(EARLY, 0_i64);
        }
        self
    }

    /// What its trainer learns: the target, or its logarithms.
    pub(crate) fn target<'a>(&self, prepared: &'a Prepared) -> &'a Arc<Target> {
        self.scale(prepared).map_or(&prepared.target, |log| &log.target)
    }

    /// What its trainer learned, answering in the target's own numbers.
    pub(crate) fn answering(&self, estimator: Estimator, prepared: &Prepared) -> Estimator {
        match self.scale(prepared) {
            Some(log) => Estimator::Logarithm(Logarithm { scale: log.scale, estimator: Box::new(estimator) }),
            None => estimator,
        }
    }

    /// What rows count in its training.
    pub(crate) fn weights(&self, prepared: &Prepared) -> Option<Arc<[f64]>> {
        let balance = prepared.balance.as_ref().filter(|_| self.twist == Some(Twist::Balance));
        balance.or(prepared.weights.as_ref().map(|weights| &weights.values)).cloned()
    }

    fn scale<'a>(&self, prepared: &'a Prepared) -> Option<&'a LogTarget> {
        prepared.logarithm.as_ref().filter(|_| self.twist == Some(Twist::Logarithm))
    }

    /// Whether it learns on held-out rows when to end.
    pub fn watches(&self) -> bool {
        self.params.int(EARLY).is_ok_and(|rounds| rounds > 0)
    }

    /// The share of its most rounds that so many are; 1 where it has none.
    pub(crate) fn share_of_work(&self, rounds: usize) -> f64 {
        if rounds == 0 { 1.0 } else { self.params.int(ROUNDS).map_or(1.0, |most| rounds as f64 / most.max(1) as f64) }
    }
}

/// The algorithms that can be searched for this task; under weights, those that weigh rows. The constant is among them
/// where numbers are predicted: in an ensemble it draws towards the mean, which pays where little can be learned.
pub fn capable(task: Task, weighted: bool) -> Vec<Algorithm> {
    of_task(task).filter(|algorithm| !weighted || algorithm.trainer().describe().weighted).collect()
}

/// Those of them that are asked for.
///
/// Errors: one that is asked for cannot answer, or none is left.
pub(crate) fn searched(task: Task, weighted: bool, asked: &AlgorithmSpec) -> Result<Vec<Algorithm>, AutoMlError> {
    let capable = capable(task, weighted);
    let names = || capable.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ");
    if let Some(other) = asked.allowed.iter().find(|algorithm| !capable.contains(algorithm)) {
        let under = if weighted { " under weights" } else { "" };
        let text = format!("--algorithms {other}: it does not answer a {task} task{under}; these do: {}", names());
        return Err(AutoMlError::Usage(text));
    }
    let found: Vec<Algorithm> = capable.iter().copied().filter(|algorithm| asked.asks_for(*algorithm)).collect();
    if found.is_empty() {
        let text = format!("--block-algorithms leaves none for a {task} task, which has {}", names());
        return Err(AutoMlError::Usage(text));
    }
    Ok(found)
}

/// The algorithms that are not searched under weights, for they cannot weigh rows.
pub fn left_out(task: Task) -> Vec<Algorithm> {
    of_task(task).filter(|algorithm| !algorithm.trainer().describe().weighted).collect()
}

fn of_task(task: Task) -> impl Iterator<Item = Algorithm> {
    Algorithm::all().iter().copied().filter(move |algorithm| {
        let own = algorithm.trainer().describe();
        own.tasks.contains(&task) && (!own.baseline || task == Task::Regression)
    })
}

/// One choice of algorithm, each with its own dimensions below it.
pub fn search_space(scope: &Scope<'_>) -> Space {
    let options =
        scope.algorithms.iter().map(|&algorithm| Choice::with(algorithm.name(), dimensions(algorithm, scope)));
    Space::new(vec![Dimension::choice(ALGORITHM, options.collect())])
}

/// An algorithm as it is by default, as a point of the space.
pub(crate) fn default_point(algorithm: Algorithm, scope: &Scope<'_>) -> Params {
    let watches = algorithm.trainer().describe().watches;
    let defaults = algorithm.trainer().default_params(&scope.shape);
    let searched = defaults.iter().filter(|(name, _)| !(watches && *name == ROUNDS));
    let searched: Params = searched.map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let mut params = searched.prefixed(algorithm.name());
    if scales(algorithm) {
        let as_it_asks =
            if algorithm.trainer().describe().input.scaling == Scaling::MinMax { "min_max" } else { "standard" };
        params.insert(format!("{}.{SCALING}", algorithm.name()), as_it_asks);
    }
    if let Some(twist) = scope.twist {
        let (name, [without, _]) = twist.dimension();
        params.insert(format!("{}.{name}", algorithm.name()), without);
    }
    params.insert(ALGORITHM.to_owned(), algorithm.name());
    params
}

/// The same point with a twist.
pub(crate) fn twisted(point: &Params, twist: Twist) -> Params {
    let (name, [_, with]) = twist.dimension();
    let algorithm = point.text(ALGORITHM).unwrap_or_default();
    point.clone().with(format!("{algorithm}.{name}"), with)
}

fn scales(algorithm: Algorithm) -> bool {
    algorithm.trainer().describe().input.scaling != Scaling::None
}

fn dimensions(algorithm: Algorithm, scope: &Scope<'_>) -> Vec<Dimension> {
    let mut own = algorithm.trainer().space(&scope.shape);
    if algorithm.trainer().describe().watches {
        own.retain(|dimension| dimension.name != ROUNDS);
    }
    if scales(algorithm) {
        own.push(Dimension::choice(SCALING, vec![Choice::leaf("standard"), Choice::leaf("min_max")]));
    }
    if let Some(twist) = scope.twist {
        let (name, options) = twist.dimension();
        own.push(Dimension::choice(name, options.map(Choice::leaf).to_vec()));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_searched_and_contradictions_are_named() {
        use Algorithm::{ElasticNet, Knn, LightGbm};
        let asked = |allowed: &[Algorithm], blocked: &[Algorithm]| {
            let asked = AlgorithmSpec { allowed: allowed.to_vec(), blocked: blocked.to_vec() };
            searched(Task::Binary, false, &asked).map_err(|error| error.to_string())
        };
        let all = capable(Task::Binary, false);
        assert_eq!(asked(&[], &[]), Ok(all.clone()));
        assert_eq!(asked(&[LightGbm, Knn], &[]), Ok(vec![Knn, LightGbm]));
        // Blocking what the task has not is no mistake: a list may serve several tasks.
        let rest = asked(&[], &[LightGbm, ElasticNet]).expect("others are left");
        assert!(rest.len() + 1 == all.len() && !rest.contains(&LightGbm));
        let error = asked(&[ElasticNet], &[]).expect_err("it fits numbers");
        assert!(error.contains("--algorithms elastic_net: it does not answer a binary task; these do: "), "{error}");
        assert!(asked(&[], &all).expect_err("none is left").contains("--block-algorithms leaves none"));
    }

    #[test]
    fn features_are_scaled_as_an_algorithm_asks_by_default() {
        let shape = Shape { task: Task::Binary, n_rows: 1000, n_features: 10, n_classes: 2 };
        let scope = Scope { shape, algorithms: &[], twist: None };
        for (algorithm, scaling) in
            [(Algorithm::MultinomialNaiveBayes, Scaling::MinMax), (Algorithm::Knn, Scaling::Standard)]
        {
            let point = default_point(algorithm, &scope);
            let candidate = Candidate::of(&point, &[], &FeatureSettings::default()).expect("a point");
            assert_eq!(candidate.plan.scaling, scaling);
        }
    }

    #[test]
    fn boosting_learns_its_rounds_and_a_refit_is_told_them() {
        let shape = Shape { task: Task::Binary, n_rows: 1000, n_features: 10, n_classes: 2 };
        let scope = Scope { shape, algorithms: &[], twist: None };
        let candidate = |algorithm| {
            Candidate::of(&default_point(algorithm, &scope), &[], &FeatureSettings::default()).expect("a point")
        };
        let boosting = candidate(Algorithm::LightGbm);
        assert!(boosting.watches() && !candidate(Algorithm::RandomForest).watches());
        let int = |candidate: &Candidate, name| candidate.params.int(name).expect("it is there");
        assert_eq!((int(&boosting, ROUNDS), int(&boosting, EARLY)), (1000, 20));
        assert_eq!(boosting.share_of_work(250), 0.25);
        let refit = boosting.clone().with_rounds(70);
        assert!(!refit.watches() && int(&refit, ROUNDS) == 70);
        assert_eq!(boosting.clone().with_rounds(0), boosting);
        assert_eq!(candidate(Algorithm::Knn).share_of_work(0), 1.0);
    }
}
