//! Which rows trained what, and which judged it.

use maud::{Markup, html};

use super::page::{Material, capital};
use crate::prepare::thousands;

pub(super) fn section(material: &Material<'_>) -> Markup {
    let (summary, plan) = (material.summary, &material.prepared.split);
    let splits = &plan.folds.splits;
    let together = if plan.together.is_some() {
        " Rows of one group, or that are copies, are always on the same side."
    } else {
        ""
    };
    let line = |what: &str, trained: String, judged: String| html! { tr { td { (what) } td.num { (trained) } td.num { (judged) } } };
    html! {
        p { (capital(&summary.goal.split)) "." (together) }
        div.wide { table {
            thead { tr { th scope="col" { "model" } th.num scope="col" { "rows it was fitted on" } th.num scope="col" { "rows it was judged on" } } }
            tbody {
                @for (i, split) in splits.iter().enumerate() {
                    (line(&format!("trials, fold {} of {}", i + 1, splits.len()), thousands(split.train.len()), thousands(split.valid.len())))
                }
                @if let Some(holdout) = &plan.holdout { (line("the chosen models, before any refit", "as above".into(), format!("{} kept aside", thousands(holdout.len())))) }
                @if let Some(test) = &material.prepared.test { (line("the saved model", "below".into(), format!("{} of the test file", thousands(test.rows.len())))) }
            }
        } }
        p { "The saved model: " (summary.model.trained_on) "." }
        p.soft { "The score at the top is " (summary.score.source) ", of " (thousands(summary.score.n_rows)) " rows. "
            @if summary.score.looks > 0 { "The holdout has been looked at " (summary.score.looks) (if summary.score.looks == 1 { " time" } else { " times" }) " by this run." } }
    }
}
