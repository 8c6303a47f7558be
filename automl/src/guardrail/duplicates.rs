//! Rows that repeat: the same row in training and validation flatters a score, so copies stay in one fold. A table of few
//! values repeats by nature; there copies are no leak, and keeping them together would leave nothing to split.

use datasets::Table;

use super::Check;
use crate::prepare::{Ledger, thousands};
use crate::spec::AutoMlSpec;

/// Above this share of copies the table is one of few values.
const BY_NATURE: f64 = 0.1;

pub(super) fn check(spec: &AutoMlSpec, table: &Table, ledger: &Ledger) -> (Check, Option<Vec<u32>>) {
    let mut columns = ledger.used();
    columns.push(&spec.target);
    let (groups, n) = datasets::duplicate_groups(table, &columns);
    if n == 0 {
        return (Check::ok("duplicates"), None);
    }
    let rows = if n == 1 { "1 duplicate row".to_owned() } else { format!("{} duplicate rows", thousands(n)) };
    if n as f64 > BY_NATURE * table.n_rows() as f64 {
        let text = format!("{rows}, as a table of few values has; not kept together");
        return (Check::fixed("duplicates", text), None);
    }
    (Check::fixed("duplicates", format!("{rows}, kept in one fold")), Some(groups))
}
