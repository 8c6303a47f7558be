//! One readable HTML page per run: no script, nothing fetched, light and dark. It says what the terminal says, with room
//! for the plots and every column.

mod charts;
mod svg;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use trainers::Predictions;

use crate::guardrail::CheckState;
use crate::leaderboard::{Score, Summary};
use crate::prepare::{Prepared, thousands};
use crate::spec::{Bytes, Seconds};

pub(crate) use svg::{bars, intervals, number, two_digits};

/// The look of every page.
pub(crate) const STYLE: &str = include_str!("style.css");

/// The page. `rows` and `predictions` are the honest out-of-fold ones.
pub(crate) fn render(summary: &Summary, prepared: &Prepared, rows: &[u32], predictions: &Predictions) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (summary.model.name) " · automl" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(summary))
                (model(summary))
                (leaderboard(summary))
                (quality(summary, prepared, rows, predictions))
                (search(summary))
                (data(summary))
                (columns(summary))
                (again(summary))
            }
        }
    };
    page.into_string()
}

fn head(summary: &Summary) -> Markup {
    let goal = &summary.goal;
    html! {
        div.head {
            div {
                h1 { (summary.model.name) }
                p.soft { (goal.task) " · " code { (goal.target) } " from " (summary.data.source.join(", ")) " · run " (summary.run) }
            }
            div {
                div.score { (number(summary.score.value)) " " small { (summary.score.metric) } }
                p.soft { (interval(&summary.score)) (summary.score.source) ", " (thousands(summary.score.n_rows)) " rows" }
            }
            div { div.score { (number(summary.baseline)) } p.soft { "baseline: the same answer for every row" } }
        }
    }
}

fn interval(score: &Score) -> String {
    score.interval.map_or_else(String::new, |(low, high)| format!("95% [{}, {}] · ", number(low), number(high)))
}

fn model(summary: &Summary) -> Markup {
    let model = &summary.model;
    html! {
        h2 { "The model" }
        div.pair {
            div.panel {
                @if model.members.len() > 1 {
                    p { (summary.model.ensemble.as_ref().map_or("A mean", |ensemble| &ensemble.kind)) ": a weighted "
                        (summary.model.ensemble.as_ref().map_or("", |ensemble| &ensemble.mean)) " mean of " (model.members.len()) " models:" }
                    table { @for (name, weight) in &model.members { tr { td { (name) } td.num { (number(*weight)) } } } }
                } @else {
                    @for (name, _) in &model.members { p { "A single model: " strong { (name) } } }
                }
                @if let Some(guard) = &summary.stacking {
                    p { "A second layer, which hears the first, was " (if guard.fired { "dropped" } else { "kept" })
                        ": on " (guard.n_rows) " rows kept from both its loss is " (number(guard.two_layers)) ", without it "
                        (number(guard.one_layer)) " (standard error of the difference " (number(guard.standard_error)) ")." }
                }
                p.soft { (capital(&model.trained_on)) "." }
                @if let Some(near) = &summary.score.within_noise_of { p { "Within noise of " strong { (near) } " alone." } }
                @if let Some(threshold) = &summary.threshold {
                    p { "Says " code { (summary.goal.classes[1]) } " from a probability of " strong { (number(threshold.value)) }
                        ": best " (threshold.metric) " on out-of-fold rows (" (number(threshold.score)) "; one half gives " (number(threshold.score_at_half)) ")." }
                }
            }
            div.panel {
                table {
                    tr { th { "other metrics" } th.num { (summary.score.source) } @if summary.test.is_some() { th.num { "test" } } }
                    @if let Some(test) = &summary.test {
                        tr { td { strong { (summary.score.metric) } } td.num { (number(summary.score.value)) } td.num { (number(test.value)) } }
                    }
                    @for (name, value) in &summary.score.others {
                        tr { td { (name) } td.num { (number(*value)) }
                            @if let Some(test) = &summary.test { td.num { @if let Some(v) = test.others.get(name) { (number(*v)) } } } }
                    }
                }
            }
        }
    }
}

fn leaderboard(summary: &Summary) -> Markup {
    html! {
        h2 { "Leaderboard" }
        p.soft { "CV chose; nested is the same choice made without the fold it is scored on. " (summary.n_models) " models finished." }
        div.wide { table {
            tr { th { "#" } th { "model" } th.num { "CV (used to choose)" } th.num { "nested" } th.num { "fit" } th.num { "µs/row" } th { "parameters" } }
            @for (i, row) in summary.leaderboard.iter().enumerate() {
                tr {
                    td.num { (i + 1) } td { (row.name) }
                    td.num { (number(row.score)) " ± " (number(two_digits(row.deviation))) }
                    td.num { @if let Some(nested) = row.nested { (number(nested)) } @else { "–" } }
                    td.num { @if row.fit_seconds > 0.0 { (Seconds(row.fit_seconds)) } @else { "–" } }
                    td.num { @if row.predict_us > 0.0 { (format!("{:.1}", row.predict_us)) } @else { "–" } }
                    td.soft { small { (row.params) } }
                }
            }
        } }
    }
}

fn quality(summary: &Summary, prepared: &Prepared, rows: &[u32], predictions: &Predictions) -> Markup {
    let importance = charts::importance(summary);
    html! {
        div.pair {
            div {
                @match charts::quality(&prepared.target, rows, predictions) {
                    charts::Quality::Plot(title, svg) => { h2 { (title) } p.soft { "Out-of-fold predictions." } (PreEscaped(svg)) }
                    charts::Quality::Confusion(counts) => { h2 { "Confusion" } p.soft { "Actual by row, predicted by column; out-of-fold." } (confusion(&summary.goal.classes, &counts)) }
                    charts::Quality::Nothing => {}
                }
            }
            div {
                @if let Some(svg) = importance {
                    h2 { "What matters" }
                    p.soft { "How much " (summary.goal.metric) " is lost when a column is shuffled (best single model, rows it was not fitted on)." }
                    (PreEscaped(svg))
                }
            }
        }
    }
}

fn confusion(classes: &[String], counts: &[Vec<usize>]) -> Markup {
    html! {
        div.wide { table {
            tr { th {} @for class in classes { th.num { (svg::shorten(class, 12)) } } }
            @for (actual, row) in counts.iter().enumerate() {
                tr { th { (svg::shorten(&classes[actual], 16)) }
                    @for (predicted, n) in row.iter().enumerate() {
                        td.num.hit[actual == predicted].miss[actual != predicted && *n > 0] { (thousands(*n)) }
                    }
                }
            }
        } }
    }
}

fn search(summary: &Summary) -> Markup {
    let search = &summary.search;
    html! {
        h2 { "The search" }
        p { (search.finished) " finished, " (search.paused) " left at their first rung, " (search.stopped) " stopped, " (search.failed) " failed; " (search.ended) "." }
        @if search.reproducible { p.soft { "The same data, seed and number of trials give the same model again, byte for byte." } }
        @if let Some(svg) = charts::progress(summary) { div style="max-width: 40rem" { (PreEscaped(svg)) } }
        @if !search.failures.is_empty() {
            table { tr { th { "failures" } th.num { "trials" } }
                @for (reason, n) in &search.failures { tr { td { (reason) } td.num { (n) } } } }
        }
    }
}

fn data(summary: &Summary) -> Markup {
    let ledger = &summary.data.ledger;
    html! {
        h2 { "The data" }
        p { (thousands(ledger.rows_used)) " of " (thousands(ledger.rows_in)) " rows and " (ledger.used().len()) " of " (ledger.candidates()) " features were used. "
            "Read as " (summary.data.dialect) ". " (capital(&summary.goal.split)) "." }
        @if let Some(weight) = &summary.goal.weight {
            p { "Rows were weighed in training by " code { (weight.column) } ", from " (number(weight.low)) " to " (number(weight.high))
                ", " (thousands(weight.n_zero)) " of them 0. Scores count every row alike. "
                @if !weight.left_out.is_empty() { "Not searched, for they cannot weigh rows: " (weight.left_out.join(", ")) "." } }
        }
        @if !summary.goal.class_counts.is_empty() {
            p { "Classes: " @for (i, (class, n)) in summary.goal.classes.iter().zip(&summary.goal.class_counts).enumerate() {
                @if i > 0 { " · " } code { (class) } " " (thousands(*n)) } }
        }
        ul {
            @for (reason, n) in &ledger.rows_dropped { li { (thousands(*n)) " rows left out: " (reason) } }
            @for dropped in &ledger.columns_dropped { li.loud[dropped.loud] { code { (dropped.column) } " " (dropped.reason) } }
            @for note in &ledger.notes { li {
                @if let Some(column) = &note.column { code { (column) } " " } (note.text)
                @if let Some(hint) = &note.override_hint { span.soft { " (" (hint) ")" } } } }
            @for check in &summary.data.checks { @if !check.text.is_empty() {
                li.loud[check.state == CheckState::Alert] { (check.name) ": " (check.text) } } }
        }
        p.soft { "Checks without a finding: " (passed(summary)) }
    }
}

fn passed(summary: &Summary) -> String {
    let names: Vec<&str> =
        summary.data.checks.iter().filter(|c| c.state == CheckState::Ok).map(|c| c.name.as_str()).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn columns(summary: &Summary) -> Markup {
    html! {
        h2 { "Columns" }
        div.wide { table {
            tr { th { "column" } th { "kind" } th.num { "missing" } th.num { "distinct" } th.num { "min" } th.num { "median" } th.num { "mean" } th.num { "max" } th { "most frequent" } }
            @for column in &summary.data.profile.columns {
                tr {
                    td { (column.name) } td.soft { (column.kind) }
                    td.num { (thousands(column.n_missing)) } td.num { (thousands(column.n_unique)) }
                    @for value in [column.min, column.median, column.mean, column.max] { td.num { @if let Some(v) = value { (number(v)) } } }
                    td.soft { small { @for (i, (level, n)) in column.top.iter().take(3).enumerate() {
                        @if i > 0 { ", " } (svg::shorten(level, 20)) " " (thousands(*n)) } } }
                }
            }
        } }
    }
}

fn again(summary: &Summary) -> Markup {
    let cost = &summary.cost;
    html! {
        h2 { "Use it" }
        div.panel { pre { code {
            "automl predict --model " (summary.model.name) " new.csv --out predictions.csv\n"
            "automl resume " (summary.run) " --time-limit +10m\n"
            "automl model download " (summary.model.name) " --out model.automl"
        } } }
        p.soft {
            "automl " (summary.automl_version) " · seed " (summary.goal.seed) " · " (cost.cores) " cores · "
            (Seconds(cost.used_seconds)) @if let Some(asked) = cost.asked_seconds { " of " (Seconds(asked)) }
            " · peak memory " (Bytes(cost.peak_memory_bytes)) " · model " (Bytes(summary.model.bytes))
            br; "data " code { (summary.data.sha256) } br; "model " code { (summary.model.sha256) }
        }
    }
}

/// The first letter in upper case.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
