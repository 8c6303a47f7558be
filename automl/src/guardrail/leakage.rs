//! A column that is the target under another name: excluded loudly, unless `--keep-column` brings it back.

use std::collections::BTreeMap;

use datasets::{Table, Values};
use trainers::Target;

use super::{Check, list};
use crate::prepare::Ledger;
use crate::spec::AutoMlSpec;

/// Fewer rows than this agree by chance.
const MIN_ROWS: usize = 10;
/// A straight line to within this share of the variance is a copy in other units.
const COPY: f64 = 1e-12;

pub(super) fn check(spec: &AutoMlSpec, table: &Table, target: &Target, rows: &[u32], ledger: &mut Ledger) -> Check {
    if rows.len() < MIN_ROWS {
        return Check::ok("leakage");
    }
    let used: Vec<String> = ledger.used().into_iter().map(str::to_owned).collect();
    let mut copies = Vec::new();
    for name in used {
        if spec.keep_columns.contains(&name) {
            continue;
        }
        let Some(column) = table.column(&name) else { continue };
        let copy = match (target.codes(), target.numbers()) {
            (Some(codes), _) => renames(&column.values, codes, target.classes.len(), rows),
            (None, Some(numbers)) => rescales(&column.values, numbers, rows),
            (None, None) => false,
        };
        if copy {
            ledger.drop_column(
                &name,
                format!("EXCLUDED, it equals the target; --keep-column {name} if that is no leak"),
                true,
            );
            copies.push(name);
        }
    }
    if copies.is_empty() {
        Check::ok("leakage")
    } else {
        Check::fixed("leakage", format!("{} equal to the target and excluded", list(&copies)))
    }
}

/// One value for each class and one class for each value.
fn renames(values: &Values, codes: &[u32], n_classes: usize, rows: &[u32]) -> bool {
    let key = |row: usize| match values {
        Values::Category { codes, .. } => Some(u64::from(codes[row])),
        Values::Number(numbers) => numbers[row].is_finite().then(|| numbers[row].to_bits()),
        Values::Datetime(_) | Values::Text(_) => None,
    };
    let mut class_of = BTreeMap::new();
    for &row in rows {
        let row = row as usize;
        let Some(key) = key(row) else { return false };
        if *class_of.entry(key).or_insert(codes[row]) != codes[row] || class_of.len() > n_classes {
            return false;
        }
    }
    class_of.len() == class_of.values().collect::<std::collections::BTreeSet<_>>().len()
}

/// The target up to scale and shift.
fn rescales(values: &Values, target: &[f64], rows: &[u32]) -> bool {
    let Values::Number(numbers) = values else { return false };
    let n = rows.len() as f64;
    let pairs = || rows.iter().map(|&row| (numbers[row as usize], target[row as usize]));
    if pairs().any(|(x, _)| !x.is_finite()) {
        return false;
    }
    let (mx, my) = pairs().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x / n, sy + y / n));
    let (sxx, syy, sxy) = pairs().fold((0.0, 0.0, 0.0), |(a, b, c), (x, y)| {
        (a + (x - mx) * (x - mx), b + (y - my) * (y - my), c + (x - mx) * (y - my))
    });
    sxx > 0.0 && syy > 0.0 && 1.0 - (sxy * sxy) / (sxx * syy) < COPY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_target_is_found_and_a_good_feature_is_not() {
        let codes = [0, 1, 0, 1, 1];
        let rows = [0, 1, 2, 3, 4];
        assert!(renames(&Values::Number(vec![7.0, 3.0, 7.0, 3.0, 3.0]), &codes, 2, &rows));
        assert!(!renames(&Values::Number(vec![7.0, 3.0, 3.0, 3.0, 3.0]), &codes, 2, &rows));
        assert!(!renames(&Values::Number(vec![1.0, 2.0, 3.0, 4.0, 5.0]), &codes, 2, &rows));
    }

    #[test]
    fn a_rescaled_target_is_found() {
        let y = [1.0, 2.0, 4.0, 8.5];
        let rows = [0, 1, 2, 3];
        assert!(rescales(&Values::Number(y.map(|v| 32.0 + 1.8 * v).to_vec()), &y, &rows));
        assert!(!rescales(&Values::Number(y.map(f64::sqrt).to_vec()), &y, &rows));
    }
}
