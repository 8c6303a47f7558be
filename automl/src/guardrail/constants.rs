//! Columns that say nothing: one value, or none, in every row. The ledger has taken them out; this counts them.

use datasets::Kind;

use super::Check;
use crate::prepare::{Ledger, Role};

pub(super) fn check(ledger: &Ledger) -> Check {
    let n = ledger.columns.iter().filter(|(_, kind, role)| *kind == Kind::Constant && *role == Role::Dropped).count();
    match n {
        0 => Check::ok("constants"),
        1 => Check::fixed("constants", "1 column with a single value left out".into()),
        n => Check::fixed("constants", format!("{n} columns with a single value left out")),
    }
}
