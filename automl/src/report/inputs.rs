//! What the best single model looks at: importance, and dependence on the columns that matter most.

use maud::{Markup, html};

use super::looks;
use super::page::Material;

pub(super) fn section(material: &Material<'_>) -> Option<Markup> {
    let summary = material.summary;
    let importance = looks::importance(summary);
    let dependence = looks::dependences(&summary.dependence, material.prepared);
    (importance.is_some() || !dependence.is_empty()).then(|| {
        html! {
            p.soft { "Of the best single model, on rows it was not fitted on. Columns that tell the same story share their importance." }
            @if let Some(figure) = &importance { div style="max-width: 44rem" { (figure) } }
            @if !dependence.is_empty() {
                p.soft { "How the mean prediction goes with the columns that matter most, all on one scale." }
                div.pair { @for figure in &dependence { (figure) } }
            }
        }
    })
}
