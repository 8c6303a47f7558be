//! A column that all but says the answer, without which little is left to learn: it may have been written down after
//! the fact. Judged by a probe, and left to the reader.

use datasets::Table;
use trainers::{Measure, Metric, Target};

use super::Check;
use super::probe::{Probe, mean, sample};
use crate::prepare::Ledger;
use crate::report::number;
use crate::spec::AutoMlSpec;

/// Only a column with this share of what splits gain is looked at.
const DOMINATES: f64 = 0.5;
/// The share of the constant answer's loss that it takes away alone, at least: 0.9 of the root mean squared error is
/// 0.99 of the variance.
const SAYS: f64 = 0.9;
/// The share that is left to the others, at most.
const OTHERS: f64 = 0.5;

/// What of `leakage` is left when no column equals the target.
pub(super) fn check(
    spec: &AutoMlSpec,
    table: &Table,
    target: &Target,
    rows: &[u32],
    ledger: &Ledger,
    metric: &Measure,
) -> Check {
    suspect(spec, table, target, rows, ledger, metric).map_or_else(
        || Check::ok("leakage"),
        |(name, alone, without)| {
            let metric = metric.name();
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
fn suspect(
    spec: &AutoMlSpec,
    table: &Table,
    target: &Target,
    rows: &[u32],
    ledger: &Ledger,
    metric: &Measure,
) -> Option<(String, f64, f64)> {
    let columns: Vec<String> = ledger.used().into_iter().map(str::to_owned).collect();
    let rows = sample(rows, Probe::most_rows(columns.len()), spec.seed, "leakage");
    let all = Probe::new(table, target, &columns, &rows, spec.seed)?;
    let (name, share) = all.shares()?.into_iter().next()?;
    if share < DOMINATES || columns.len() < 2 || spec.keep_columns.contains(&name) {
        return None;
    }
    let others: Vec<String> = columns.iter().filter(|other| **other != name).cloned().collect();
    let alone = Probe::new(table, target, std::slice::from_ref(&name), &rows, spec.seed)?;
    let without = Probe::new(table, target, &others, &rows, spec.seed)?;
    let folds = all.folds()?;
    let loss = metric.with(if target.task.is_classification() { Metric::LogLoss } else { Metric::Rmse });
    let constant = all.constant(&loss, &folds)?;
    let says = |probe: &Probe| Some(1.0 - mean(&probe.scores(&loss, &folds)?) / constant);
    if says(&alone)? < SAYS || says(&without)? > OTHERS {
        return None;
    }
    Some((name, mean(&alone.scores(metric, &folds)?), mean(&without.scores(metric, &folds)?)))
}
