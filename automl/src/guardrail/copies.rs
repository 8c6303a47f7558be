//! Columns that say the same as an earlier one: they cost time, and halve the importance of both.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use datasets::{Table, Values};

use crate::prepare::Ledger;
use crate::spec::AutoMlSpec;

/// Takes columns out of the ledger that equal an earlier feature in every used row: in every number, time or text, or level
/// for level whatever the levels are called. Columns that are to be kept stay.
pub(super) fn demote(spec: &AutoMlSpec, table: &Table, rows: &[u32], ledger: &mut Ledger) {
    let names: Vec<String> = ledger.used().into_iter().map(ToOwned::to_owned).collect();
    let mut seen: HashMap<u64, Vec<&str>> = HashMap::new();
    for name in &names {
        let Some(column) = table.column(name) else { continue };
        let mut hasher = DefaultHasher::new();
        each(&column.values, rows, |key| key.hash(&mut hasher));
        let like = seen.entry(hasher.finish()).or_default();
        let twin = like.iter().find(|other| table.column(other).is_some_and(|o| same(&o.values, &column.values, rows)));
        match twin {
            Some(twin) if !spec.keep_columns.contains(name) => {
                ledger.drop_column(name, format!("the same as `{twin}` in every row"), false);
            }
            Some(_) => {}
            None => like.push(name),
        }
    }
}

/// What of a cell is compared: a number per row. Levels are numbered as they come up, texts hashed.
fn each(values: &Values, rows: &[u32], mut take: impl FnMut(u64)) {
    match values {
        Values::Number(v) => {
            // Adding zero makes one of the two zeros; whatever is not finite is missing.
            rows.iter()
                .map(|&row| v[row as usize] + 0.0)
                .for_each(|v| take(if v.is_finite() { v.to_bits() } else { u64::MAX }));
        }
        Values::Datetime(v) => rows.iter().for_each(|&row| take(v[row as usize] as u64)),
        Values::Text(cells) => {
            for &row in rows {
                let mut hasher = DefaultHasher::new();
                cells.get(row as usize).hash(&mut hasher);
                take(hasher.finish());
            }
        }
        Values::Category { codes, levels } => {
            // Missing and unknown cells, whose codes lie beyond the levels, stay what they are.
            let mut numbers: Vec<Option<u64>> = vec![None; levels.len()];
            let mut next = 0;
            for &row in rows {
                let code = codes[row as usize];
                take(match numbers.get_mut(code as usize) {
                    Some(number) => *number.get_or_insert_with(|| {
                        next += 1;
                        next
                    }),
                    None => u64::MAX - u64::from(code),
                });
            }
        }
    }
}

fn same(a: &Values, b: &Values, rows: &[u32]) -> bool {
    if std::mem::discriminant(a) != std::mem::discriminant(b) {
        return false;
    }
    if let (Values::Text(a), Values::Text(b)) = (a, b) {
        return rows.iter().all(|&row| a.get(row as usize) == b.get(row as usize));
    }
    let keys = |values| {
        let mut keys = Vec::with_capacity(rows.len());
        each(values, rows, |key| keys.push(key));
        keys
    };
    keys(a) == keys(b)
}

#[cfg(test)]
mod tests {
    use datasets::{Column, Kind, MISSING};

    use super::*;
    use crate::prepare::Role;

    #[test]
    fn later_copies_leave_the_ledger() {
        let category = |codes: &[u32], levels: &[&str]| Values::Category {
            codes: codes.to_vec(),
            levels: levels.iter().map(ToString::to_string).collect(),
        };
        let text = |cells: [&str; 4]| Values::Text(cells.into_iter().collect());
        let columns = [
            ("n", Values::Number(vec![0.0, f64::NAN, 2.0, 5.0])),
            ("n again", Values::Number(vec![-0.0, f64::NAN, 2.0, 7.0])),
            ("n not", Values::Number(vec![0.0, 1.0, 2.0, 5.0])),
            ("c", category(&[0, 1, MISSING, 0], &["yes", "no"])),
            ("c renamed", category(&[1, 0, MISSING, 1], &["n", "y"])),
            ("c not", category(&[1, 1, MISSING, 1], &["n", "y"])),
            ("t", text(["a b", "c", "d", "e"])),
            ("t again", text(["a b", "c", "d", "x"])),
            ("t kept", text(["a b", "c", "d", "e"])),
        ];
        let table = Table::new(columns.iter().map(|(name, values)| Column::new(*name, values.clone())).collect())
            .expect("columns of one length");
        let role = |(name, _): &(&str, Values)| (name.to_string(), Kind::Numeric, Role::Feature);
        let mut ledger = Ledger {
            rows_in: 4,
            rows_used: 3,
            rows_dropped: Vec::new(),
            columns: columns.iter().map(role).collect(),
            columns_dropped: Vec::new(),
            notes: Vec::new(),
        };
        let mut spec = AutoMlSpec::new("x.csv", "y");
        spec.keep_columns.push("t kept".into());
        // The last row is not used.
        demote(&spec, &table, &[0, 1, 2], &mut ledger);
        assert_eq!(ledger.used(), ["n", "n not", "c", "c not", "t", "t kept"]);
        assert_eq!(ledger.columns_dropped[1].reason, "the same as `c` in every row");
    }
}
