//! Rows that belong together: an id that repeats puts the same patient, customer or machine on both sides of a split. A
//! probe says what that is worth: its score when rows of one value stay on one side, beside the same with the values dealt
//! out to the rows at random.

use std::collections::BTreeMap;

use datasets::{Folds, Kind, Values};

use super::probe::{Divided, FOLDS, Probe, dealt};
use super::{Check, Looked};
use crate::report::number;

/// A column that is not named like an id is told of when so much of what was learned is lost on new values of it.
const LOST: f64 = 0.25;
/// Columns that are tried, those named like ids first.
const MOST_TRIED: usize = 3;

pub(super) fn check(looked: &Looked<'_>) -> Check {
    if looked.is_divided() {
        return Check::ok("groups");
    }
    let rows = looked.rows;
    let mut suspects: Vec<(bool, &String)> = looked
        .ledger
        .columns
        .iter()
        .filter(|(name, kind, _)| {
            !matches!(kind, Kind::Id | Kind::Constant | Kind::Datetime) && *name != looked.spec.target
        })
        .filter_map(|(name, kind, _)| {
            let named = named_like_an_id(name);
            let labels = matches!(kind, Kind::Categorical | Kind::Text);
            let column = looked.table.column(name).filter(|_| named || labels)?;
            let n = distinct(&column.values, rows);
            // From two rows a value to twenty.
            let groups =
                n * 20 >= rows.len() && n * if named { 10 } else { 20 } <= rows.len() * if named { 9 } else { 10 };
            groups.then_some((named, name))
        })
        .collect();
    suspects.sort_by_key(|(named, _)| !named);
    for (named, name) in suspects.into_iter().take(MOST_TRIED) {
        let divided = divided(looked, name);
        if let Some(found) = divided.filter(|found| named || (found.every && found.lost > LOST)) {
            let metric = looked.metric.name();
            return Check::alert(
                "groups",
                format!(
                    "`{name}` repeats: {metric} {} with its rows in any fold, {} when its values are new; if they will be, \
                     --group {name}",
                    number(found.at_random),
                    number(found.by_key)
                ),
            );
        }
        if named {
            let text = format!(
                "`{name}` repeats like an id; if its rows belong together, --group {name} keeps them on one side"
            );
            return Check::alert("groups", text);
        }
    }
    Check::ok("groups")
}

/// What folds by the column are worth beside folds of groups as large that mean nothing.
fn divided(looked: &Looked<'_>, name: &str) -> Option<Divided> {
    let columns = looked.columns();
    let keys = keys(&looked.table.column(name)?.values, looked.rows)?;
    // Whole groups, until there are enough rows: few rows of each would be no groups any more.
    let mut by_key: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for (&row, key) in looked.rows.iter().zip(&keys) {
        by_key.entry(*key).or_default().push(row);
    }
    let most = Probe::most_rows(columns.len());
    let groups: Vec<Vec<u32>> = by_key.into_values().collect();
    let mut drawn: Vec<(u32, u32)> = Vec::new();
    for (group, rows) in dealt(&groups, looked.spec.seed, "groups").into_iter().enumerate() {
        if drawn.len() >= most {
            break;
        }
        drawn.extend(rows.into_iter().map(|row| (row, group as u32)));
    }
    drawn.sort_unstable();
    let (rows, groups): (Vec<u32>, Vec<u32>) = drawn.into_iter().unzip();
    let probe = looked.probe(&columns, &rows)?;
    let own = probe.rows();
    let folds = |groups: &[u32]| Folds::grouped(&own, groups, None, FOLDS, looked.spec.seed).ok();
    Divided::of(&probe, looked.metric, &folds(&groups)?, &folds(&dealt(&groups, looked.spec.seed, "dealt groups"))?)
}

fn named_like_an_id(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower == "id" || lower.ends_with("_id") || lower.ends_with(" id") || name.ends_with("Id") || name.ends_with("ID")
}

/// A number per used row, equal for equal cells; none of text, whose cells hardly repeat.
fn keys(values: &Values, rows: &[u32]) -> Option<Vec<u64>> {
    Some(match values {
        Values::Number(v) => rows.iter().map(|&row| v[row as usize].to_bits()).collect(),
        Values::Category { codes, .. } => rows.iter().map(|&row| u64::from(codes[row as usize])).collect(),
        Values::Datetime(v) => rows.iter().map(|&row| v[row as usize] as u64).collect(),
        Values::Text(_) => return None,
    })
}

fn distinct(values: &Values, rows: &[u32]) -> usize {
    let Some(mut keys) = keys(values, rows) else { return rows.len() };
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}
