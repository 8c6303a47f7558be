//! Whether the rows of `--test` are like those that are learned from: a probe tries to tell which is which (the classifier
//! two-sample test of Lopez-Paz & Oquab, ICLR 2017), and rows that stand in both are counted.

use std::collections::HashSet;
use std::sync::Arc;

use datasets::{Column, Table, Values};
use trainers::{Measure, Metric, Target, TargetValues, Task};

use super::probe::{LEAST, Probe, sample};
use super::{Check, list};
use crate::prepare::thousands;
use crate::report::number;
use crate::search::mean;

/// An area under the curve from which rows are told apart for practical purposes.
const APART: f64 = 0.6;
/// And how many standard errors it must lie above one half.
const SURE: f64 = 4.0;
/// Columns that are named, and the share of what splits gain that a column must have.
const NAMED: usize = 3;
const SHARE: f64 = 0.2;
/// So many more of the test's rows than of the others may stand among those that are learned from.
const COPIES: f64 = 0.02;

/// Whether the test's rows can be told from the training's.
pub(super) fn drift(
    table: &Table,
    rows: &[u32],
    test: &Table,
    test_rows: &[u32],
    columns: &[String],
    seed: u64,
) -> Check {
    let ok = Check::ok("drift");
    let most = Probe::most_rows(columns.len()) / 2;
    let (own, theirs) = (sample(rows, most, seed, "drift"), sample(test_rows, most, seed, "drift of test"));
    if own.len() < LEAST || theirs.len() < LEAST {
        return ok;
    }
    let Some(both) = stacked(table, &own, test, &theirs, columns) else { return ok };
    let (n, m) = (own.len(), theirs.len());
    let target = Target {
        task: Task::Binary,
        classes: vec!["training".into(), "test".into()],
        values: TargetValues::Classes((0..n + m).map(|row| u32::from(row >= n)).collect()),
    };
    let all: Vec<u32> = (0..(n + m) as u32).collect();
    let found = || {
        let probe = Probe::new(&both, &target, columns, &all, seed)?;
        let auc = mean(&probe.scores(&Measure::new(Metric::RocAuc, None), &probe.folds()?)?);
        Some((auc, probe.shares()?))
    };
    let Some((auc, shares)) = found() else { return ok };
    // Of an area of one half (Mann & Whitney 1947).
    let standard_error = ((n + m + 1) as f64 / (12.0 * n as f64 * m as f64)).sqrt();
    if auc < APART || auc < 0.5 + SURE * standard_error {
        return ok;
    }
    let named: Vec<String> =
        shares.into_iter().take(NAMED).filter(|(_, share)| *share >= SHARE).map(|(name, _)| name).collect();
    Check::alert(
        "drift",
        format!(
            "the test's rows are not like those learned from: told apart with roc_auc {}, most by {}",
            number(auc),
            list(&named)
        ),
    )
}

/// Whether more of the test's rows stand among the training's than those repeat themselves.
pub(super) fn copies(table: &Table, rows: &[u32], test: &Table, test_rows: &[u32], columns: &[String]) -> Check {
    let ok = Check::ok("test_copies");
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let hashes = |table: &Table, rows: &[u32]| {
        let all = datasets::row_hashes(table, &names);
        rows.iter().map(|&row| all[row as usize]).collect::<Vec<u64>>()
    };
    let (own, theirs) = (hashes(table, rows), hashes(test, test_rows));
    let known: HashSet<u64> = own.iter().copied().collect();
    let copied = theirs.iter().filter(|hash| known.contains(hash)).count();
    let repeated = (own.len() - known.len()) as f64 / own.len().max(1) as f64;
    if copied as f64 <= (repeated * 2.0 + COPIES) * theirs.len() as f64 {
        return ok;
    }
    Check::alert(
        "test_copies",
        format!(
            "{} of the test's {} rows stand among those learned from; its score flatters",
            thousands(copied),
            thousands(theirs.len())
        ),
    )
}

/// Some rows of one table above some of another that was read by the same rules; texts by what they hold.
fn stacked(table: &Table, rows: &[u32], test: &Table, test_rows: &[u32], columns: &[String]) -> Option<Table> {
    let joined = columns.iter().map(|name| {
        let (above, below) = (&table.column(name)?.values, &test.column(name)?.values);
        Some(Column::new(name, values(above, rows, below, test_rows)?))
    });
    Table::new(joined.collect::<Option<Vec<_>>>()?).ok()
}

fn values(above: &Values, rows: &[u32], below: &Values, below_rows: &[u32]) -> Option<Values> {
    fn both<T: Copy>(above: &[T], rows: &[u32], below: &[T], below_rows: &[u32]) -> Vec<T> {
        let of = |values: &[T], rows: &[u32]| rows.iter().map(|&row| values[row as usize]).collect::<Vec<T>>();
        [of(above, rows), of(below, below_rows)].concat()
    }
    Some(match (above, below) {
        (Values::Number(a), Values::Number(b)) => Values::Number(both(a, rows, b, below_rows)),
        (Values::Datetime(a), Values::Datetime(b)) => Values::Datetime(both(a, rows, b, below_rows)),
        (Values::Category { codes: a, levels }, Values::Category { codes: b, .. }) => {
            Values::Category { codes: both(a, rows, b, below_rows), levels: Arc::clone(levels) }
        }
        (Values::Text(a), Values::Text(b)) => {
            let above = rows.iter().map(|&row| a.get(row as usize));
            Values::Text(above.chain(below_rows.iter().map(|&row| b.get(row as usize))).collect())
        }
        _ => return None,
    })
}
