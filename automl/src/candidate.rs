//! A candidate: an algorithm with its parameters and the transforms in front of it, not yet fitted; and the search
//! space all candidates are drawn from.

use hyperdrive::{Choice, Dimension, Params, Space, StudyError};
use trainers::transform::FeatureSettings;
use trainers::{Algorithm, FeaturePlan, Scaling, Shape, Task};

/// The dimension that chooses the algorithm; everything else is conditional on it.
pub const ALGORITHM: &str = "algorithm";
/// The dimension of a scaled algorithm that chooses how.
const SCALING: &str = "scaling";

/// An unfitted chain of transforms and one trainer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What is fitted.
    pub algorithm: Algorithm,
    /// How the columns become features.
    pub plan: FeaturePlan,
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
        let own = params.under(name);
        let scaling = match own.text(SCALING) {
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
        Ok(Self { algorithm, plan, params: own })
    }
}

/// The algorithms that are searched for this task; under weights, those that weigh rows. The constant baseline is not
/// among them: its score is known before.
pub fn capable(task: Task, weighted: bool) -> Vec<Algorithm> {
    of_task(task).filter(|algorithm| !weighted || algorithm.trainer().describe().weighted).collect()
}

/// The algorithms that are not searched under weights, for they cannot weigh rows.
pub fn left_out(task: Task) -> Vec<Algorithm> {
    of_task(task).filter(|algorithm| !algorithm.trainer().describe().weighted).collect()
}

fn of_task(task: Task) -> impl Iterator<Item = Algorithm> {
    Algorithm::all().iter().copied().filter(move |algorithm| {
        let own = algorithm.trainer().describe();
        own.tasks.contains(&task) && !own.baseline
    })
}

/// One choice of algorithm, each with its own dimensions below it.
pub fn search_space(shape: &Shape, weighted: bool) -> Space {
    let options = capable(shape.task, weighted)
        .into_iter()
        .map(|algorithm| Choice::with(algorithm.name(), dimensions(algorithm, shape)));
    Space::new(vec![Dimension::choice(ALGORITHM, options.collect())])
}

/// In which order defaults are tried. A search may end at any moment, and what has begun to run keeps its core; so what
/// is soon done or stops when asked comes first, of those what is good as it comes:
///
/// - a single tree takes milliseconds on any table, so that there always is a model;
/// - boosting: most tables' best defaults, and they look at the clock after every tree;
/// - linear models, which an ensemble gains most from beside trees. Least squares is solved at once; logistic
///   regression goes through the rows hundreds of times and cannot be stopped;
/// - forests: for each of their deep trees as long as boosting for ten;
/// - what is seldom chosen; neighbours at the very end, whose predictions cost the square of the rows.
const ORDER: [Algorithm; 12] = [
    Algorithm::DecisionTree,
    Algorithm::LightGbm,
    Algorithm::LinearRegression,
    Algorithm::CatBoost,
    Algorithm::LogisticRegression,
    Algorithm::GradientBoosting,
    Algorithm::XgBoost,
    Algorithm::RandomForest,
    Algorithm::ExtremeRandomTrees,
    Algorithm::ElasticNet,
    Algorithm::GaussianNaiveBayes,
    Algorithm::Knn,
];

/// The points every search begins with: each algorithm's default, the soonest useful first.
pub fn first_points(shape: &Shape, weighted: bool) -> Vec<Params> {
    let mut algorithms = capable(shape.task, weighted);
    // What is not in the list comes last, in the table's order.
    algorithms.sort_by_key(|algorithm| ORDER.iter().position(|of| of == algorithm).unwrap_or(ORDER.len()));
    algorithms
        .into_iter()
        .map(|algorithm| {
            let mut params = algorithm.trainer().default_params(shape).prefixed(algorithm.name());
            if scales(algorithm) {
                params.insert(format!("{}.{SCALING}", algorithm.name()), "standard");
            }
            params.insert(ALGORITHM.to_owned(), algorithm.name());
            params
        })
        .collect()
}

fn scales(algorithm: Algorithm) -> bool {
    algorithm.trainer().describe().input.scaling != Scaling::None
}

fn dimensions(algorithm: Algorithm, shape: &Shape) -> Vec<Dimension> {
    let mut own = algorithm.trainer().space(shape);
    if scales(algorithm) {
        own.push(Dimension::choice(SCALING, vec![Choice::leaf("standard"), Choice::leaf("min_max")]));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_points_of_the_space_one_for_each_algorithm_in_their_order() {
        for task in Task::ALL {
            let n_classes = [0, 2, 5][usize::from(task == Task::Binary) + 2 * usize::from(task == Task::Multiclass)];
            let shape = Shape { task, n_rows: 1000, n_features: 10, n_classes };
            for weighted in [false, true] {
                let (space, points) = (search_space(&shape, weighted), first_points(&shape, weighted));
                let names: Vec<&str> =
                    points.iter().map(|point| point.text(ALGORITHM).expect("every point has one")).collect();
                for point in &points {
                    space.contains(point).expect("a default lies in the space");
                }
                assert_eq!(names.len(), capable(task, weighted).len(), "{names:?}");
                assert_eq!(names[..2], ["decision_tree", "light_gbm"]);
                assert_eq!(names.last(), Some(&"knn"));
            }
        }
    }

    #[test]
    fn every_algorithm_that_is_searched_has_its_place_in_the_order() {
        let searched: Vec<Algorithm> = Task::ALL.into_iter().flat_map(of_task).collect();
        for algorithm in searched {
            assert!(ORDER.contains(&algorithm), "{algorithm}");
        }
    }
}
