//! What was learned from: the ledger of rows and columns, how the file was read, and the guardrails.

use maud::{Markup, html};

use super::page::{Material, capital};
use super::svg::{number, shorten};
use crate::guardrail::CheckState;
use crate::leaderboard::Summary;
use crate::prepare::{Role, thousands};

/// Columns, notes and classes that are listed each.
const LISTED: usize = 200;
/// Characters of a name.
const NAME: usize = 60;

pub(super) fn section(material: &Material<'_>) -> Markup {
    let summary = material.summary;
    html! {
        p { "Read as " (summary.data.dialect) ". The task is " strong { (summary.goal.task) } ": " (summary.goal.task_reason) "." }
        div.pair { (ledger(summary)) (checks(summary)) }
        (classes(summary))
        (left_out(summary))
        (notes(summary))
    }
}

/// In = used + left out, by reason.
fn ledger(summary: &Summary) -> Markup {
    let ledger = &summary.data.ledger;
    let of = |role: Role| ledger.columns.iter().filter(|(_, _, found)| *found == role).count();
    let line = |words: &str, rows: String, columns: String| html! { tr { td { (words) } td.num { (rows) } td.num { (columns) } } };
    html! {
        div {
            h3 { "Ledger" }
            div.wide { table {
                thead { tr { td {} th.num scope="col" { "rows" } th.num scope="col" { "columns" } } }
                tbody {
                    (line("read", thousands(ledger.rows_in), thousands(ledger.columns.len())))
                    @for (reason, n) in &ledger.rows_dropped { (line(&format!("left out: {reason}"), format!("−{}", thousands(*n)), String::new())) }
                    @for (role, words) in [(Role::Target, "the target"), (Role::Split, "decides the split"), (Role::Weight, "weighs rows"), (Role::Dropped, "left out, reasons below")] {
                        @if of(role) > 0 { (line(words, String::new(), format!("−{}", thousands(of(role))))) }
                    }
                    tr { td { strong { "used" } } td.num { strong { (thousands(ledger.rows_used)) } } td.num { strong { (thousands(ledger.used().len())) } } }
                }
            } }
        }
    }
}

fn checks(summary: &Summary) -> Markup {
    html! {
        div {
            h3 { "Guardrails" }
            div.wide { table {
                thead { tr { th scope="col" { "check" } th scope="col" { "state" } th scope="col" { "found" } } }
                tbody { @for check in &summary.data.checks {
                    tr { td { (check.name) }
                        @match check.state {
                            CheckState::Ok => td.ok { "ok" },
                            CheckState::Fixed => td { "dealt with" },
                            CheckState::Alert => td.loud { "look at it" },
                        }
                        td { @if check.text.is_empty() { "nothing" } @else { (check.text) } } }
                } }
            } }
        }
    }
}

fn classes(summary: &Summary) -> Markup {
    let goal = &summary.goal;
    html! {
        @if !goal.class_counts.is_empty() {
            p { "Classes: " @for (i, (class, n)) in goal.classes.iter().zip(&goal.class_counts).take(LISTED).enumerate() {
                @if i > 0 { " · " } code { (shorten(class, NAME)) } " " (thousands(*n)) } (more(goal.classes.len())) }
        }
        @if let Some(weight) = &goal.weight {
            p { "Rows were weighed in training by " code { (weight.column) } ", from " (number(weight.low)) " to " (number(weight.high))
                ", " (thousands(weight.n_zero)) " of them 0. Scores count every row alike. "
                @if !weight.left_out.is_empty() { "Not searched, for they cannot weigh rows: " (weight.left_out.join(", ")) "." } }
        }
    }
}

fn left_out(summary: &Summary) -> Markup {
    let dropped = &summary.data.ledger.columns_dropped;
    html! {
        @if !dropped.is_empty() {
            h3 { "Columns left out" }
            ul { @for dropped in dropped.iter().take(LISTED) { li.loud[dropped.loud] { code { (shorten(&dropped.column, NAME)) } " " (dropped.reason) } } }
            p.soft { (more(dropped.len())) }
        }
    }
}

fn notes(summary: &Summary) -> Markup {
    let notes = &summary.data.ledger.notes;
    html! {
        @if !notes.is_empty() {
            h3 { "How cells were read" }
            ul { @for note in notes.iter().take(LISTED) { li {
                @if let Some(column) = &note.column { code { (shorten(column, NAME)) } " " (note.text) } @else { (capital(&note.text)) }
                @if let Some(hint) = &note.override_hint { span.soft { " (" code { (hint) } ")" } } } } }
            p.soft { (more(notes.len())) }
        }
    }
}

fn more(n: usize) -> String {
    if n > LISTED { format!(" {} more are with the run.", thousands(n - LISTED)) } else { String::new() }
}
