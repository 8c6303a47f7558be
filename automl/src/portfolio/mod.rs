//! The points every search begins with, the soonest useful first.
//!
//! A search may end at any moment, and what has begun to run keeps its core; so what is soon done or stops when asked
//! comes first, of those what is good as it comes:
//!
//! - a single tree takes milliseconds on any table, so that there always is a model;
//! - boosting: most tables' best defaults, and they look at the clock after every tree;
//! - linear models, which an ensemble gains most from beside trees. Least squares is solved at once; logistic
//!   regression goes through the rows some dozens of times;
//! - forests: for each of their deep trees as long as boosting for ten;
//! - boosting that differs: trees cut at random, large ones, shallow ones, few features at a time. After the portfolio
//!   of `AutoGluon`'s presets (Erickson et al., arXiv:2003.06505; `LightGBMXT`, `LightGBMLarge`), not measured here;
//! - a kernel machine where rows are few: it errs elsewhere than trees and lines do;
//! - what is seldom chosen; neighbours at the very end where there are many rows, as their predictions cost the square
//!   of the rows, and early where there are few, as they err elsewhere than trees do.
//!
//! `portfolio.json` has one entry a point: an algorithm, those of its parameters that are not its defaults, and for how
//! many rows it is meant. Of equal points the first counts. `measure` says what points bring on a table, and `learn` puts
//! them in order by that.

mod learn;
mod measure;

use std::collections::{BTreeMap, BTreeSet};

use hyperdrive::{Params, Value};
use serde::{Deserialize, Serialize};
use trainers::{Algorithm, Shape};

use crate::candidate::{self, Scope, Twist};
use crate::error::AutoMlError;

pub(crate) use learn::learn;
pub(crate) use measure::{Measurement, candidates, measure};

const PORTFOLIO: &str = include_str!("portfolio.json");

/// Points that are tried first, in this order; an algorithm that is searched and has none comes last, as it is by
/// default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portfolio {
    /// How it was made, in words.
    pub about: String,
    /// Its points, the first to be tried first.
    pub points: Vec<Point>,
}

/// One of them: an algorithm with those of its parameters that are not its defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Which algorithm.
    pub algorithm: Algorithm,
    /// Its parameters, by its own names; the others are its defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, Given>,
    /// The point is for tables of so many rows or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_at_most: Option<usize>,
}

/// The value of a parameter as it is written: `8`, `0.05`, `"half"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// An option by its name.
    Text(String),
}

impl From<&Given> for Value {
    fn from(given: &Given) -> Self {
        match given {
            Given::Int(int) => Self::Int(*int),
            Given::Float(float) => Self::Float(*float),
            Given::Bool(yes) => Self::Bool(*yes),
            Given::Text(text) => Self::Text(text.clone()),
        }
    }
}

impl From<&Value> for Given {
    fn from(value: &Value) -> Self {
        match value {
            Value::Int(int) => Self::Int(*int),
            Value::Float(float) => Self::Float(*float),
            Value::Bool(yes) => Self::Bool(*yes),
            Value::Text(text) => Self::Text(text.clone()),
        }
    }
}

impl Portfolio {
    /// What is tried first where nothing else is asked for.
    pub fn shipped() -> Self {
        serde_json::from_str(PORTFOLIO).expect("a test reads it")
    }

    /// No points: every algorithm begins as it is by default.
    pub fn none() -> Self {
        Self { about: "none".into(), points: Vec::new() }
    }

    /// Refuses a point with a parameter that its algorithm has for no task.
    pub(crate) fn check(&self) -> Result<(), AutoMlError> {
        for (k, point) in self.points.iter().enumerate() {
            let own = point.algorithm.trainer().describe();
            let mut known = BTreeSet::new();
            for &task in own.tasks {
                let shape = Shape { task, n_rows: 100_000, n_features: 20, n_classes: 3 };
                let scope = Scope { shape, algorithms: &[point.algorithm], twist: None };
                let space = candidate::search_space(&scope);
                known.extend(space.all().iter().filter_map(|(name, _)| Some(name.split_once('.')?.1.to_owned())));
            }
            if let Some(name) = point.params.keys().find(|name| !known.contains(*name)) {
                let known: Vec<String> = known.into_iter().collect();
                return Err(AutoMlError::Usage(format!(
                    "--portfolio: point {} gives {} a parameter `{name}`; it has {}",
                    k + 1,
                    point.algorithm,
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                )));
            }
        }
        Ok(())
    }

    /// The points for a problem of this shape, with each algorithm that is searched at least once. One whose parameters
    /// lie beyond what is searched for so few rows says nothing here.
    pub(crate) fn first_points(&self, scope: &Scope<'_>) -> Vec<Params> {
        let missing =
            scope.algorithms.iter().filter(|algorithm| self.points.iter().all(|point| point.algorithm != **algorithm));
        let last: Vec<Point> = missing.map(|algorithm| Point::default_of(*algorithm)).collect();
        let space = candidate::search_space(scope);
        let mut points: Vec<Params> = Vec::new();
        for point in self.points.iter().chain(&last).filter(|point| point.is_for(scope)) {
            let params = point.params(scope);
            if space.contains(&params).is_ok() && !points.contains(&params) {
                points.push(params);
            }
        }
        match scope.twist {
            Some(twist) => in_turns(points, twist),
            None => points,
        }
    }
}

impl Point {
    fn default_of(algorithm: Algorithm) -> Self {
        Self { algorithm, params: BTreeMap::new(), rows_at_most: None }
    }

    /// Whether it is meant for such a problem.
    fn is_for(&self, scope: &Scope<'_>) -> bool {
        let few = self.rows_at_most.is_none_or(|most| scope.shape.n_rows <= most);
        few && scope.algorithms.contains(&self.algorithm)
    }

    /// As a point of the search space.
    fn params(&self, scope: &Scope<'_>) -> Params {
        let mut params = candidate::default_point(self.algorithm, scope);
        for (name, value) in &self.params {
            params.insert(format!("{}.{name}", self.algorithm.name()), Value::from(value));
        }
        params
    }
}

/// Where there is another way to learn the target every second point takes it, and the first of an algorithm that stops by
/// itself is tried both ways, which says early what it is worth.
fn in_turns(points: Vec<Params>, twist: Twist) -> Vec<Params> {
    let mut turned: Vec<Params> = Vec::new();
    let name = |point: &Params| point.text(candidate::ALGORITHM).unwrap_or_default().to_owned();
    for (k, point) in points.into_iter().enumerate() {
        let watches = Algorithm::parse(&name(&point)).is_ok_and(|own| own.trainer().describe().watches);
        let first = turned.iter().all(|other| name(other) != name(&point));
        let twisted = candidate::twisted(&point, twist);
        match (watches && first, k % 2) {
            (true, _) => turned.extend([point, twisted]),
            (false, 0) => turned.push(point),
            (false, _) => turned.push(twisted),
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::{ALGORITHM, capable, search_space};
    use trainers::Task;

    #[test]
    fn a_parameter_that_an_algorithm_has_not_is_refused_by_name() {
        assert!(Portfolio::shipped().check().is_ok());
        let point = |text: &str| serde_json::from_str::<Point>(text).expect("a point");
        let mut portfolio = Portfolio::none();
        portfolio.points.push(point(r#"{"algorithm": "knn", "params": {"n_estimators": 3}}"#));
        let error = portfolio.check().expect_err("neighbours are no trees").to_string();
        assert!(error.contains("point 1 gives knn a parameter `n_estimators`; it has "), "{error}");
    }

    #[test]
    fn logarithms_are_tried_by_every_second_point() {
        let algorithms = [Algorithm::DecisionTree, Algorithm::LightGbm, Algorithm::LinearRegression];
        let shape = Shape { task: Task::Regression, n_rows: 500, n_features: 10, n_classes: 0 };
        let scope = Scope { shape, algorithms: &algorithms, twist: Some(Twist::Logarithm) };
        let (points, space) = (Portfolio::none().first_points(&scope), search_space(&scope));
        let said: Vec<(&str, &str)> = points
            .iter()
            .map(|point| {
                space.contains(point).expect("a point of the space");
                let name = point.text(ALGORITHM).expect("every point has one");
                (name, point.text(&format!("{name}.target")).expect("it is chosen"))
            })
            .collect();
        let expected = [
            ("decision_tree", "as_is"),
            ("light_gbm", "as_is"),
            ("light_gbm", "logarithm"),
            ("linear_regression", "as_is"),
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn only_what_is_searched_has_points() {
        let shape = Shape { task: Task::Binary, n_rows: 500, n_features: 10, n_classes: 2 };
        let algorithms = &[Algorithm::Svm, Algorithm::LightGbm];
        let points = Portfolio::shipped().first_points(&Scope { shape, algorithms, twist: None });
        let names: Vec<&str> = points.iter().map(|point| point.text(ALGORITHM).expect("every point has one")).collect();
        assert!(names.contains(&"svm") && names.contains(&"light_gbm"), "{names:?}");
        assert!(names.iter().all(|name| ["svm", "light_gbm"].contains(name)), "{names:?}");
    }

    #[test]
    fn points_lie_in_the_space_and_no_algorithm_is_left_out() {
        let shipped = Portfolio::shipped();
        for task in Task::ALL {
            let n_classes = [0, 2, 5][usize::from(task == Task::Binary) + 2 * usize::from(task == Task::Multiclass)];
            let shape = Shape { task, n_rows: 50_000, n_features: 10, n_classes };
            for weighted in [false, true] {
                let searched = capable(task, weighted);
                let scope = Scope { shape, algorithms: &searched, twist: None };
                let (space, points) = (search_space(&scope), shipped.first_points(&scope));
                let names: Vec<&str> =
                    points.iter().map(|point| point.text(ALGORITHM).expect("every point has one")).collect();
                for point in &points {
                    space.contains(point).expect("a point of the space");
                }
                let known =
                    |entry: &&Point| capable(task, weighted).contains(&entry.algorithm) && entry.rows_at_most.is_none();
                assert_eq!(
                    points.len(),
                    shipped.points.iter().filter(known).count(),
                    "all lie in a space of many rows"
                );
                assert!(capable(task, weighted).iter().all(|algorithm| names.contains(&algorithm.name())), "{names:?}");
                assert_eq!(names[..2], ["decision_tree", "light_gbm"]);
                assert_eq!(names.last(), Some(&"knn"));
            }
        }
        // Of few rows the searched trees are small, and what does not fit is left out; neighbours come early.
        let few = Shape { task: Task::Binary, n_rows: 100, n_features: 10, n_classes: 2 };
        let searched = capable(Task::Binary, false);
        let scope = Scope { shape: few, algorithms: &searched, twist: None };
        let points = shipped.first_points(&scope);
        let many = Shape { n_rows: 50_000, ..few };
        assert!(points.len() < shipped.first_points(&Scope { shape: many, ..scope.clone() }).len());
        let knn = |point: &&Params| point.text(ALGORITHM).is_ok_and(|name| name == "knn");
        assert!(points.iter().filter(knn).count() == 1 && points[..6].iter().any(|point| knn(&point)));
    }
}
