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
//! many rows it is meant. Of equal points the first counts.

use std::collections::BTreeMap;

use hyperdrive::{Params, Value};
use serde::Deserialize;
use trainers::{Algorithm, Shape};

use crate::candidate;

const PORTFOLIO: &str = include_str!("portfolio.json");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    algorithm: Algorithm,
    #[serde(default)]
    params: BTreeMap<String, Given>,
    /// The entry is for tables of so many rows or fewer.
    #[serde(default)]
    rows_at_most: Option<usize>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Given {
    Int(i64),
    Float(f64),
    Text(String),
}

impl From<Given> for Value {
    fn from(given: Given) -> Self {
        match given {
            Given::Int(int) => Value::Int(int),
            Given::Float(float) => Value::Float(float),
            Given::Text(text) => Value::Text(text),
        }
    }
}

/// The points of the portfolio for a problem of this shape, with each algorithm that is searched at least once: one
/// without an entry comes last, as it is by default.
pub(crate) fn first_points(shape: &Shape, capable: &[Algorithm]) -> Vec<Params> {
    let entries: Vec<Entry> = serde_json::from_str(PORTFOLIO).expect("a test reads it");
    let missing = capable.iter().filter(|algorithm| entries.iter().all(|entry| entry.algorithm != **algorithm));
    let last: Vec<Entry> =
        missing.map(|algorithm| Entry { algorithm: *algorithm, params: BTreeMap::new(), rows_at_most: None }).collect();
    let fits = |entry: &Entry| entry.rows_at_most.is_none_or(|most| shape.n_rows <= most);
    let entries = entries.into_iter().filter(|entry| capable.contains(&entry.algorithm) && fits(entry)).chain(last);
    let space = candidate::search_space(shape, capable);
    let point = |entry: Entry| {
        let mut params = candidate::default_point(entry.algorithm, shape);
        for (name, value) in entry.params {
            params.insert(format!("{}.{name}", entry.algorithm.name()), value);
        }
        params
    };
    // A parameter may lie beyond what is searched for so few rows; then the entry says nothing here.
    let mut points: Vec<Params> = Vec::new();
    for params in entries.map(point).filter(|params| space.contains(params).is_ok()) {
        if !points.contains(&params) {
            points.push(params);
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::{ALGORITHM, capable, search_space};
    use trainers::Task;

    #[test]
    fn only_what_is_searched_has_points() {
        let shape = Shape { task: Task::Binary, n_rows: 500, n_features: 10, n_classes: 2 };
        let points = first_points(&shape, &[Algorithm::Svm, Algorithm::LightGbm]);
        let names: Vec<&str> = points.iter().map(|point| point.text(ALGORITHM).expect("every point has one")).collect();
        assert!(names.contains(&"svm") && names.contains(&"light_gbm"), "{names:?}");
        assert!(names.iter().all(|name| ["svm", "light_gbm"].contains(name)), "{names:?}");
    }

    #[test]
    fn points_lie_in_the_space_and_no_algorithm_is_left_out() {
        let entries: Vec<Entry> = serde_json::from_str(PORTFOLIO).expect("sound JSON");
        for task in Task::ALL {
            let n_classes = [0, 2, 5][usize::from(task == Task::Binary) + 2 * usize::from(task == Task::Multiclass)];
            let shape = Shape { task, n_rows: 50_000, n_features: 10, n_classes };
            for weighted in [false, true] {
                let searched = capable(task, weighted);
                let (space, points) = (search_space(&shape, &searched), first_points(&shape, &searched));
                let names: Vec<&str> =
                    points.iter().map(|point| point.text(ALGORITHM).expect("every point has one")).collect();
                for point in &points {
                    space.contains(point).expect("a point of the space");
                }
                let known =
                    |entry: &&Entry| capable(task, weighted).contains(&entry.algorithm) && entry.rows_at_most.is_none();
                assert_eq!(points.len(), entries.iter().filter(known).count(), "all lie in a space of many rows");
                assert!(capable(task, weighted).iter().all(|algorithm| names.contains(&algorithm.name())), "{names:?}");
                assert_eq!(names[..2], ["decision_tree", "light_gbm"]);
                assert_eq!(names.last(), Some(&"knn"));
            }
        }
        // Of few rows the searched trees are small, and what does not fit is left out; neighbours come early.
        let few = Shape { task: Task::Binary, n_rows: 100, n_features: 10, n_classes: 2 };
        let searched = capable(Task::Binary, false);
        let points = first_points(&few, &searched);
        assert!(points.len() < first_points(&Shape { n_rows: 50_000, ..few }, &searched).len());
        let knn = |point: &&Params| point.text(ALGORITHM).is_ok_and(|name| name == "knn");
        assert!(points.iter().filter(knn).count() == 1 && points[..6].iter().any(|point| knn(&point)));
    }
}
