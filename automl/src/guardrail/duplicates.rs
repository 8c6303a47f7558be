//! Rows that repeat: the same row in training and validation flatters a score, so copies stay in one fold. A table of few
//! values repeats by nature; there copies are no leak, and keeping them together would leave nothing to split.

use std::collections::{BTreeMap, BTreeSet};

use datasets::Table;
use trainers::Target;

use super::Check;
use crate::prepare::{Ledger, thousands};
use crate::spec::AutoMlSpec;

/// A class with fewer different rows than this could not be dealt into folds.
const DIFFERENT: usize = 25;
/// Copies of one row that are more than this share of all would make one fold of their own.
const CROWD: f64 = 0.05;

pub(super) fn check(
    spec: &AutoMlSpec,
    table: &Table,
    target: &Target,
    rows: &[u32],
    ledger: &Ledger,
) -> (Check, Option<Vec<u32>>) {
    let mut columns = ledger.used();
    columns.push(&spec.target);
    let (groups, n) = datasets::duplicate_groups(table, &columns);
    if n == 0 {
        return (Check::ok("duplicates"), None);
    }
    let found = if n == 1 { "1 duplicate row".to_owned() } else { format!("{} duplicate rows", thousands(n)) };
    let split = &spec.split;
    if split.group.is_some() || split.time.is_some() || split.column.is_some() {
        return (Check::fixed("duplicates", format!("{found}, split as asked")), None);
    }
    if by_nature(target, rows, &groups) {
        let text = format!("{found}, as a table of few values has; not kept together");
        return (Check::fixed("duplicates", text), None);
    }
    (Check::fixed("duplicates", format!("{found}, kept in one fold")), Some(groups))
}

/// Whether too few different rows would be left to split.
fn by_nature(target: &Target, rows: &[u32], groups: &[u32]) -> bool {
    let mut different: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut copies: BTreeMap<u32, usize> = BTreeMap::new();
    for &row in rows {
        let group = groups[row as usize];
        different.entry(target.class(row).unwrap_or(0)).or_default().insert(group);
        *copies.entry(group).or_insert(0) += 1;
    }
    let crowd = copies.values().copied().max().unwrap_or(0);
    different.values().any(|rows| rows.len() < DIFFERENT) || crowd as f64 > CROWD * rows.len() as f64
}

#[cfg(test)]
mod tests {
    use trainers::{TargetValues, Task};

    use super::*;

    #[test]
    fn doubled_rows_are_copies_and_few_values_are_nature() {
        let target = |n: u32| Target {
            task: Task::Binary,
            classes: vec!["a".into(), "b".into()],
            values: TargetValues::Classes((0..n).map(|row| row % 2).collect()),
        };
        let rows: Vec<u32> = (0..400).collect();
        let doubled: Vec<u32> = rows.iter().map(|row| row % 200).collect();
        assert!(!by_nature(&target(400), &rows, &doubled));
        let few: Vec<u32> = rows.iter().map(|row| row % 8).collect();
        assert!(by_nature(&target(400), &rows, &few));
    }
}
