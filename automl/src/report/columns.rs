//! Every column: what it is, what is missing, and how its values lie.

use datasets::{Column, ColumnProfile, Values};
use maud::{Markup, PreEscaped, html};
use rayon::prelude::*;

use super::bars::spark;
use super::page::Material;
use super::svg::{number, shorten};
use crate::prepare::{Role, thousands};

/// Columns that are shown; more would make the page too heavy to read.
const SHOWN: usize = 400;
/// Columns of a small histogram.
const BINS: usize = 16;
/// Rows a small histogram is made of: every k-th.
const HISTOGRAM_ROWS: usize = 20_000;
/// Levels that are named.
const LEVELS: usize = 3;

pub(super) fn section(material: &Material<'_>) -> Markup {
    let profile = &material.summary.data.profile;
    let table = &material.prepared.table;
    let shown: Vec<(&ColumnProfile, Option<String>)> = profile.columns[..profile.columns.len().min(SHOWN)]
        .par_iter()
        .map(|column| (column, table.column(&column.name).and_then(|values| shape(column, values))))
        .collect();
    let share = |n: usize| number((1000.0 * n as f64 / profile.n_rows.max(1) as f64).round() / 10.0);
    html! {
        p.soft { (thousands(profile.n_rows)) " rows, " (thousands(profile.duplicate_rows)) " of them equal to an earlier one; "
            (thousands(profile.columns.len())) " columns" @if profile.columns.len() > SHOWN { ", the first " (thousands(SHOWN)) " here" } "." }
        div.wide { table {
            thead { tr { th scope="col" { "column" } th scope="col" { "kind" } th.num scope="col" { "missing" } th.num scope="col" { "distinct" }
                th.num scope="col" { "min" } th.num scope="col" { "median" } th.num scope="col" { "max" } th scope="col" { "shape" } th scope="col" { "most frequent" } } }
            tbody { @for (column, svg) in &shown {
                tr {
                    th scope="row" { (shorten(&column.name, 60)) @if let Some(word) = role(material, &column.name) { " " small { (word) } } }
                    td.soft { (column.kind) }
                    td.num { (thousands(column.n_missing)) @if column.n_missing > 0 { " " small { (share(column.n_missing)) " %" } } }
                    td.num { (thousands(column.n_unique)) }
                    @for value in [column.min, column.median, column.max] { td.num { (in_words(value, table.column(&column.name))) } }
                    td { @if let Some(svg) = svg { (PreEscaped(svg)) } }
                    td.soft.params { small { @for (i, (level, n)) in column.top.iter().take(LEVELS).enumerate() {
                        @if i > 0 { ", " } (shorten(level, 20)) " " (thousands(*n)) } } }
                }
            } }
        } }
    }
}

/// What a column is for, unless it is a feature.
fn role(material: &Material<'_>, name: &str) -> Option<&'static str> {
    let columns = &material.summary.data.ledger.columns;
    columns.iter().find(|(column, ..)| column == name).and_then(|(_, _, role)| match role {
        Role::Feature => None,
        Role::Target => Some("target"),
        Role::Split => Some("splits"),
        Role::Weight => Some("weighs"),
        Role::Dropped => Some("left out"),
    })
}

/// A number, or of a column of times the time.
fn in_words(value: Option<f64>, column: Option<&Column>) -> String {
    let Some(value) = value else { return String::new() };
    match column.map(|column| &column.values) {
        Some(Values::Datetime(_)) => {
            let text =
                Values::Datetime(vec![value as i64]).display(0).map_or_else(String::new, std::borrow::Cow::into_owned);
            text.split(['T', ' ']).next().unwrap_or_default().to_owned()
        }
        _ => number(value),
    }
}

/// The histogram of numbers and times, or the counts of the most frequent levels.
fn shape(profile: &ColumnProfile, column: &Column) -> Option<String> {
    let ends = profile.min.zip(profile.max).filter(|(low, high)| high > low && (high - low).is_finite());
    let counts = match (&column.values, ends) {
        (Values::Number(values), Some(ends)) => histogram(values.iter().copied(), values.len(), ends),
        (Values::Datetime(values), Some(ends)) => {
            histogram(values.iter().map(|value| *value as f64), values.len(), ends)
        }
        (Values::Category { .. }, _) if profile.top.len() > 1 => profile.top.iter().map(|(_, n)| *n).collect(),
        _ => return None,
    };
    let title = match ends {
        Some(_) => {
            let most = counts.iter().enumerate().max_by_key(|(i, n)| (**n, BINS - i)).map_or(0, |(i, _)| i);
            format!("{}: most values in part {} of {BINS} from least to greatest", profile.name, most + 1)
        }
        None => format!("{}: its {} most frequent levels", profile.name, counts.len()),
    };
    Some(spark(&title, &counts))
}

fn histogram(values: impl Iterator<Item = f64>, n: usize, (low, high): (f64, f64)) -> Vec<usize> {
    let mut counts = vec![0; BINS];
    for value in values.step_by(n.div_ceil(HISTOGRAM_ROWS).max(1)).filter(|value| (low..=high).contains(value)) {
        counts[(((value - low) / (high - low) * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_what_is_there() {
        let values = [0.0, 0.0, 1.0, 16.0, f64::NAN, 8.0];
        let counts = histogram(values.into_iter(), values.len(), (0.0, 16.0));
        assert_eq!((counts[0], counts[1], counts[8], counts[15]), (2, 1, 1, 1));
        assert_eq!(counts.iter().sum::<usize>(), 5);
        let many = histogram((0..1_000_000).map(f64::from), 1_000_000, (0.0, 999_999.0));
        assert_eq!(many.iter().sum::<usize>(), HISTOGRAM_ROWS);
        assert!(many.iter().all(|n| n.abs_diff(HISTOGRAM_ROWS / BINS) <= 1));
    }

    #[test]
    fn times_are_days() {
        let column = Column::new("t", Values::Datetime(vec![0]));
        assert_eq!(in_words(Some(86_400e6), Some(&column)), "1970-01-02");
        assert_eq!(in_words(Some(1.5), None), "1.5");
        assert_eq!(in_words(None, None), "");
    }
}
