//! The models, best first.

use maud::{Markup, html};

use super::page::Material;
use super::svg::{number, two_digits};
use crate::prepare::thousands;
use crate::spec::Seconds;

pub(super) fn section(material: &Material<'_>) -> Markup {
    let summary = material.summary;
    let shown = summary.leaderboard.iter().filter(|row| row.trial.is_some()).count();
    html! {
        p.soft { "By " (summary.goal.metric) ", " (if summary.goal.higher_is_better { "greater" } else { "less" }) " is better. "
            "CV chose; nested is the same choice made without the fold it is scored on. "
            (thousands(summary.n_models)) " models finished" @if shown < summary.n_models { "; the best and the best of each algorithm are shown" } "." }
        div.wide { table {
            thead { tr { th scope="col" { "#" } th scope="col" { "model" } th.num scope="col" { "CV (used to choose)" } th.num scope="col" { "nested" }
                th.num scope="col" { "fit" } th.num scope="col" { "µs/row" } th scope="col" { "parameters" } } }
            tbody { @for (i, row) in summary.leaderboard.iter().enumerate() {
                tr {
                    td.soft { (i + 1) } td { (row.name) }
                    td.num { (number(row.score)) " ± " (number(two_digits(row.deviation))) }
                    td.num { @if let Some(nested) = row.nested { (number(nested)) } @else { "–" } }
                    td.num { @if row.fit_seconds > 0.0 { (Seconds(row.fit_seconds)) } @else { "–" } }
                    td.num { @if row.predict_us > 0.0 { (format!("{:.1}", row.predict_us)) } @else { "–" } }
                    td.soft.params { small { (row.params) } }
                }
            } }
        } }
    }
}
