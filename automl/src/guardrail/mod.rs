//! Guardrails: what may be wrong with the data, looked for before anything is learned. One file per check; each says
//! `ok`, `fixed` (and what it took out of the ledger) or `alert`.

mod balance;
mod constants;
mod copies;
mod duplicates;
mod groups;
mod leakage;

use datasets::{Schema, Table};
use serde::{Deserialize, Serialize};
use trainers::Target;

use crate::prepare::Ledger;
use crate::spec::AutoMlSpec;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Nothing found.
    Ok,
    /// Found and dealt with; the ledger says how.
    Fixed,
    /// Found, and for the reader to judge.
    Alert,
}

/// One guardrail's outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The guardrail: `leakage`, `groups`, `constants`, `duplicates`, `balance`.
    pub name: String,
    /// How it ended.
    pub state: CheckState,
    /// What was found, in words; empty when nothing was.
    pub text: String,
}

impl Check {
    fn ok(name: &str) -> Self {
        Self { name: name.into(), state: CheckState::Ok, text: String::new() }
    }

    fn fixed(name: &str, text: String) -> Self {
        Self { name: name.into(), state: CheckState::Fixed, text }
    }

    fn alert(name: &str, text: String) -> Self {
        Self { name: name.into(), state: CheckState::Alert, text }
    }
}

/// What the guardrails found.
pub(crate) struct Found {
    pub(crate) checks: Vec<Check>,
    /// A number per table row; rows of equal number are copies that must stay in one fold.
    pub(crate) together: Option<Vec<u32>>,
}

/// The guardrails that leave every column as it is, for a model whose columns are settled.
pub(crate) fn check_rows(spec: &AutoMlSpec, table: &Table, target: &Target, rows: &[u32], ledger: &Ledger) -> Found {
    let (duplicates, together) = duplicates::check(spec, table, target, rows, ledger);
    Found { checks: vec![duplicates, balance::check(target, rows)], together }
}

/// Runs every guardrail over the used rows. What a check fixes leaves the ledger with its reason.
pub(crate) fn check(
    spec: &AutoMlSpec,
    table: &Table,
    schema: &Schema,
    target: &Target,
    rows: &[u32],
    ledger: &mut Ledger,
) -> Found {
    let leakage = leakage::check(spec, table, target, rows, ledger);
    let groups = groups::check(spec, table, schema, rows, ledger);
    let constants = constants::check(ledger);
    copies::demote(spec, table, rows, ledger);
    let (duplicates, together) = duplicates::check(spec, table, target, rows, ledger);
    let balance = balance::check(target, rows);
    Found { checks: vec![leakage, groups, constants, duplicates, balance], together }
}
