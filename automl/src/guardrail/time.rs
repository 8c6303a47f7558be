//! Rows in an order of time: what is learned between two rows of one week need not hold for the next. A probe that learns
//! from the past alone says what that costs, beside one that learns from as many rows of any time.

use datasets::{Folds, Kind, MISSING_TIME, Values};

use super::probe::{Divided, FOLDS, Probe, dealt, sample};
use super::{Check, Looked};
use crate::report::number;

/// So much of what was learned must be lost on later rows.
const LOST: f64 = 0.15;
/// Columns of times that are tried.
const MOST_TRIED: usize = 3;

pub(super) fn check(looked: &Looked<'_>) -> Check {
    if looked.is_divided() {
        return Check::ok("time");
    }
    let of_time = |(name, kind, _): &&(String, Kind, crate::prepare::Role)| {
        *name != looked.spec.target && (*kind == Kind::Datetime || says_time(name))
    };
    for (name, ..) in looked.ledger.columns.iter().filter(of_time).take(MOST_TRIED) {
        let Some(found) = divided(looked, name) else { continue };
        if found.every && found.lost > LOST {
            let metric = looked.metric.name();
            return Check::alert(
                "time",
                format!(
                    "{metric} is {} on rows of any time, {} on rows that follow by `{name}`; if the model is for later \
                     rows, --time {name}",
                    number(found.at_random),
                    number(found.by_key)
                ),
            );
        }
    }
    Check::ok("time")
}

/// Whether a number of this name may order rows in time; months and weekdays come round again.
fn says_time(name: &str) -> bool {
    matches!(name.to_lowercase().as_str(), "year" | "time" | "timestamp" | "date")
}

fn divided(looked: &Looked<'_>, name: &str) -> Option<Divided> {
    let columns = looked.columns();
    let keys: Vec<i64> = match &looked.table.column(name)?.values {
        Values::Datetime(v) => v.clone(),
        // A millionth is fine enough to order by.
        Values::Number(v) => v.iter().map(|v| if v.is_finite() { (v * 1e6) as i64 } else { MISSING_TIME }).collect(),
        Values::Category { .. } | Values::Text(_) => return None,
    };
    let known: Vec<u32> = looked.rows.iter().copied().filter(|&row| keys[row as usize] != MISSING_TIME).collect();
    let rows = sample(&known, Probe::most_rows(columns.len()), looked.spec.seed, "time");
    let times: Vec<i64> = rows.iter().map(|&row| keys[row as usize]).collect();
    let probe = looked.probe(&columns, &rows)?;
    let own = probe.rows();
    let folds = |times: &[i64]| Folds::time_ordered(&own, times, FOLDS).ok();
    Divided::of(&probe, looked.metric, &folds(&times)?, &folds(&dealt(&times, looked.spec.seed, "dealt times"))?)
}
