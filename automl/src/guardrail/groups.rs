//! Rows that belong together: an id that repeats puts the same patient, customer or machine on both sides of a split.

use datasets::{Kind, Schema, Table, Values};

use super::Check;
use crate::prepare::Ledger;
use crate::spec::AutoMlSpec;

pub(super) fn check(spec: &AutoMlSpec, table: &Table, schema: &Schema, rows: &[u32], ledger: &Ledger) -> Check {
    if spec.split.group.is_some() || spec.split.column.is_some() {
        return Check::ok("groups");
    }
    let suspects: Vec<String> = ledger
        .columns
        .iter()
        .filter(|(name, kind, _)| named_like_an_id(name) && !matches!(kind, Kind::Id | Kind::Constant | Kind::Datetime))
        .filter(|(name, ..)| schema.column(name).is_some() && *name != spec.target)
        .filter_map(|(name, ..)| {
            let n = distinct(&table.column(name)?.values, rows);
            (n * 20 >= rows.len() && n * 10 <= rows.len() * 9).then(|| name.clone())
        })
        .collect();
    match suspects.first() {
        None => Check::ok("groups"),
        Some(name) => {
            let text = format!(
                "`{name}` repeats like an id; if its rows belong together, --group {name} keeps them on one side"
            );
            Check::alert("groups", text)
        }
    }
}

fn named_like_an_id(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower == "id" || lower.ends_with("_id") || lower.ends_with(" id") || name.ends_with("Id") || name.ends_with("ID")
}

fn distinct(values: &Values, rows: &[u32]) -> usize {
    let mut keys: Vec<u64> = match values {
        Values::Number(v) => rows.iter().map(|&row| v[row as usize].to_bits()).collect(),
        Values::Category { codes, .. } => rows.iter().map(|&row| u64::from(codes[row as usize])).collect(),
        Values::Datetime(v) => rows.iter().map(|&row| v[row as usize] as u64).collect(),
        Values::Text(_) => return rows.len(),
    };
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}
