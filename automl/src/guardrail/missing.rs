//! Cells without a value: how many columns have them. Trees ask whether a value is there; what cannot has them imputed.

use datasets::Table;

use super::Check;
use super::share_of;
use crate::prepare::Ledger;

pub(super) fn check(table: &Table, rows: &[u32], ledger: &Ledger) -> Check {
    let mut found: Vec<(f64, &str)> = ledger
        .used()
        .into_iter()
        .filter_map(|name| {
            let values = &table.column(name)?.values;
            let n = if values.n_missing() > 0 { values.take(rows).n_missing() } else { 0 };
            (n > 0).then(|| (n as f64 / rows.len().max(1) as f64, name))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let Some((share, name)) = found.first() else { return Check::ok("missing") };
    let most = format!("`{name}` in {} of the rows", share_of(*share));
    let text = match found.len() {
        1 => format!("{most} has no value: imputed, or left to trees as it is"),
        n => format!("{n} columns have cells without a value, {most}: imputed, or left to trees as they are"),
    };
    Check::fixed("missing", text)
}
