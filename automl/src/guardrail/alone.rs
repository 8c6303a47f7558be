//! A column that all but says the answer, without which little is left to learn: it may have been written down after
//! the fact. Judged by a probe, and left to the reader.

use trainers::Metric;

use super::probe::{Probe, sample};
use super::{Check, Looked};
use crate::report::number;
use crate::search::mean;

/// Only a column with this share of what splits gain is looked at.
const DOMINATES: f64 = 0.5;
/// The share of the constant answer's loss that it takes away alone, at least: 0.9 of the root mean squared error is
/// 0.99 of the variance.
const SAYS: f64 = 0.9;
/// The share that is left to the others, at most.
const OTHERS: f64 = 0.5;

/// What of `leakage` is left when no column equals the target.
pub(super) fn check(looked: &Looked<'_>) -> Check {
    suspect(looked).map_or_else(
        || Check::ok("leakage"),
        |(name, alone, without)| {
            let metric = looked.metric.name();
            Check::alert(
                "leakage",
                format!(
                    "`{name}` alone gives {metric} {}, all others {}; if it is not known when predicting, --ignore {name}",
                    number(alone),
                    number(without)
                ),
            )
        },
    )
}

/// The column with its score alone and that of all others.
fn suspect(looked: &Looked<'_>) -> Option<(String, f64, f64)> {
    let (columns, metric) = (looked.columns(), looked.metric);
    let rows = sample(looked.rows, Probe::most_rows(columns.len()), looked.spec.seed, "leakage");
    let all = looked.probe(&columns, &rows)?;
    let (name, share) = all.shares()?.into_iter().next()?;
    if share < DOMINATES || columns.len() < 2 || looked.spec.keep_columns.contains(&name) {
        return None;
    }
    let others: Vec<String> = columns.iter().filter(|other| **other != name).cloned().collect();
    let alone = looked.probe(std::slice::from_ref(&name), &rows)?;
    let without = looked.probe(&others, &rows)?;
    let folds = all.folds()?;
    let loss = metric.with(if looked.target.task.is_classification() { Metric::LogLoss } else { Metric::Rmse });
    let constant = all.constant(&loss, &folds)?;
    let says = |probe: &Probe| Some(1.0 - mean(&probe.scores(&loss, &folds)?) / constant);
    if says(&alone)? < SAYS || says(&without)? > OTHERS {
        return None;
    }
    Some((name, mean(&alone.scores(metric, &folds)?), mean(&without.scores(metric, &folds)?)))
}
