//! Guardrails: what may be wrong with the data, looked for before anything is learned. One file per check; each says
//! `ok`, `fixed` (and what it took out of the ledger) or `alert`.

mod alone;
mod balance;
mod cardinality;
mod constants;
mod copies;
mod drift;
mod duplicates;
mod groups;
mod leakage;
mod missing;
mod probe;
mod time;

use datasets::Table;
use probe::Probe;
use serde::{Deserialize, Serialize};
use trainers::{Measure, Target};

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
    /// The guardrail: `leakage`, `groups`, `time`, `constants`, `missing`, `cardinality`, `duplicates`, `balance`; with a
    /// test file `drift` and `test_copies`.
    pub name: String,
    /// How it ended.
    pub state: CheckState,
    /// What was found, in words; empty when nothing was.
    pub text: String,
}

/// A guardrail as Azure's `AutoML` names it (its documentation, "data guardrails").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AzureGuardrail {
    /// Its name there.
    pub name: String,
    /// `Passed`, `Done` or `Alerted`.
    pub state: String,
    /// What was found, in words; empty when nothing was.
    pub text: String,
}

/// The checks that Azure has too, by its names and states, and the split, which it counts among them.
pub(crate) fn azure(checks: &[Check], split: &str) -> Vec<AzureGuardrail> {
    let named = |check: &Check| {
        let name = match check.name.as_str() {
            "missing" => "Missing feature values imputation",
            "cardinality" => "High cardinality feature detection",
            "balance" => "Class balancing detection",
            _ => return None,
        };
        let state = match check.state {
            CheckState::Ok => "Passed",
            CheckState::Fixed => "Done",
            CheckState::Alert => "Alerted",
        };
        Some(AzureGuardrail { name: name.into(), state: state.into(), text: check.text.clone() })
    };
    let split = AzureGuardrail { name: "Validation split handling".into(), state: "Done".into(), text: split.into() };
    checks.iter().filter_map(named).chain([split]).collect()
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

/// What a suspicion is tried on, once the columns are settled.
struct Looked<'a> {
    spec: &'a AutoMlSpec,
    table: &'a Table,
    target: &'a Target,
    rows: &'a [u32],
    metric: &'a Measure,
    ledger: &'a Ledger,
}

impl Looked<'_> {
    /// The columns that are learned from.
    fn columns(&self) -> Vec<String> {
        self.ledger.used().into_iter().map(str::to_owned).collect()
    }

    /// Whether the request says how rows are divided.
    fn is_divided(&self) -> bool {
        let split = &self.spec.split;
        split.group.is_some() || split.column.is_some() || split.time.is_some()
    }

    fn probe(&self, columns: &[String], rows: &[u32]) -> Option<Probe> {
        Probe::new(self.table, self.target, columns, rows, self.spec.seed)
    }
}

/// Runs every guardrail over the used rows. What a check fixes leaves the ledger with its reason.
pub(crate) fn check(
    spec: &AutoMlSpec,
    table: &Table,
    target: &Target,
    rows: &[u32],
    metric: &Measure,
    ledger: &mut Ledger,
) -> Found {
    let equal = leakage::check(spec, table, target, rows, ledger);
    let constants = constants::check(ledger);
    copies::demote(spec, table, rows, ledger);
    let looked = Looked { spec, table, target, rows, metric, ledger };
    let leakage = match equal.state {
        CheckState::Ok => alone::check(&looked),
        _ => equal,
    };
    let (groups, time) = (groups::check(&looked), time::check(&looked));
    let missing = missing::check(table, rows, ledger);
    let cardinality = cardinality::check(table, ledger);
    let (duplicates, together) = duplicates::check(spec, table, target, rows, ledger);
    let balance = balance::check(target, rows);
    Found { checks: vec![leakage, groups, time, constants, missing, cardinality, duplicates, balance], together }
}

/// The guardrails over a test file that was read by the same rules: `columns` are the features.
pub(crate) fn check_test(
    spec: &AutoMlSpec,
    (table, rows): (&Table, &[u32]),
    (test, test_rows): (&Table, &[u32]),
    columns: &[String],
) -> [Check; 2] {
    let with_target: Vec<String> = columns.iter().chain([&spec.target]).cloned().collect();
    [
        drift::drift(table, rows, test, test_rows, columns, spec.seed),
        drift::copies(table, rows, test, test_rows, &with_target),
    ]
}

/// A share in words.
fn share_of(share: f64) -> String {
    if share < 0.001 { "under 0.1%".into() } else { format!("{:.1}%", share * 100.0) }
}

/// Names in words, the first five of them.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(5).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len() {
        0..=5 => shown,
        n => format!("{shown} and {} more", n - 5),
    }
}
