//! Columns of very many levels: one number each for what the target was there, not one for each level.

use datasets::{Table, Values};
use trainers::transform::FEW_LEVELS;

use super::{Check, list};
use crate::prepare::{Ledger, thousands};

pub(super) fn check(table: &Table, ledger: &Ledger) -> Check {
    let many = |name: &&str| match &table.column(name)?.values {
        Values::Category { levels, .. } if levels.len() > FEW_LEVELS => Some((levels.len(), (*name).to_owned())),
        _ => None,
    };
    let mut found: Vec<(usize, String)> = ledger.used().iter().filter_map(many).collect();
    found.sort_by(|a, b| b.cmp(a));
    let Some((n, _)) = found.first() else { return Check::ok("cardinality") };
    let names: Vec<String> = found.iter().map(|(_, name)| name.clone()).collect();
    let up_to = if found.len() > 1 { "up to " } else { "" };
    let text = format!("{} {up_to}{} levels, described by the target out of fold", list(&names), thousands(*n));
    Check::fixed("cardinality", text)
}
