//! The summary as one readable HTML page: no script, nothing fetched, light and dark.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::summary::{BenchmarkSummary, BudgetSummary, EngineSummary};
use crate::report::{STYLE, bars, intervals, number};
use crate::spec::{Bytes, Seconds};

/// Failures that are listed.
const SHOWN: usize = 50;

/// The page.
pub(super) fn render(summary: &BenchmarkSummary) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (summary.name) " · automl benchmark" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(summary))
                @for budget in &summary.budgets { (of_budget(budget)) }
                (how(summary))
            }
        }
    };
    page.into_string()
}

fn head(summary: &BenchmarkSummary) -> Markup {
    let n_datasets = summary.budgets.first().map_or(0, |budget| budget.datasets.len());
    let n_engines = summary.budgets.first().map_or(0, |budget| budget.engines.len());
    html! {
        div.head {
            div {
                h1 { (summary.name) }
                p.soft { (n_engines) " engines on " (n_datasets) " data sets · " (summary.threads) " threads · seeds "
                    (summary.seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) }
            }
            div { div.score { (summary.done) " " small { "of " (summary.runs) " runs" } } }
        }
        @for note in &summary.notes { p.loud { (note) } }
    }
}

fn of_budget(budget: &BudgetSummary) -> Markup {
    let length = Seconds(budget.budget).to_string();
    let ranked: Vec<(String, f64)> =
        budget.engines.iter().filter_map(|engine| Some((engine.name.clone(), engine.average_rank?))).collect();
    let gaps: Vec<_> =
        budget.gaps.iter().map(|gap| (format!("{} over {}", gap.engine, gap.other), gap.mean, gap.interval)).collect();
    html! {
        h2 { "At " (length) }
        p.soft { (budget.compared) " of " (budget.datasets.len()) " data sets were run in full by every engine; ranks, wins, normalised scores and gaps are over these." }
        div.wide { (engines(budget)) }
        @if budget.compared > 0 {
            div.pair {
                div { h2 { "Average rank" } p.soft { "Less is better." } (PreEscaped(bars(&format!("average rank at {length}"), &ranked))) }
                div { h2 { "Wins" } p.soft { "Share of data sets on which the row is better than the column, ties half." } div.wide { (wins(budget)) } }
            }
            @if !gaps.is_empty() {
                h2 { "Gaps" }
                p.soft { "Difference of the errors as a share of the larger one, mean over data sets with its 95% interval; right of 0 the first is better." }
                div style="max-width: 44rem" { (PreEscaped(intervals(&format!("gaps at {length}"), &gaps))) }
            }
        }
        h2 { "Scores" }
        p.soft { "Means over folds and seeds; the best of each data set is marked." }
        div.wide { (scores(budget)) }
        @if !budget.failures.is_empty() {
            h2 { "Failures" }
            table {
                tr { th { "engine" } th { "data set" } th.num { "fold" } th.num { "seed" } th { "why" } }
                @for failure in budget.failures.iter().take(SHOWN) {
                    tr { td { (failure.engine) } td { (failure.dataset) } td.num { (failure.fold) } td.num { (failure.seed) } td { (failure.error) } }
                }
            }
            @if budget.failures.len() > SHOWN { p.soft { (budget.failures.len() - SHOWN) " more are in results.jsonl." } }
        }
    }
}

fn engines(budget: &BudgetSummary) -> Markup {
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number);
    let length = |value: Option<f64>| match value {
        None => "–".to_owned(),
        Some(0.0) => "0 s".to_owned(),
        Some(seconds) => Seconds(seconds).to_string(),
    };
    let memory = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |bytes| Bytes(bytes).to_string());
    let row = |engine: &EngineSummary| {
        html! {
            tr {
                td { strong { (engine.name) } " " span.soft { (engine.versions.join(", ")) } }
                td.num { (figure(engine.average_rank)) }
                td.num { (engine.firsts) }
                td.num { (figure(engine.win_rate)) }
                td.num { (figure(engine.normalised)) }
                td.num.loud[engine.failures > 0] { (engine.failures) " of " (engine.runs) }
                td.num { (length(engine.fit_seconds)) }
                td.num { (length(engine.seconds_beyond)) }
                td.num { (length(engine.predict_seconds)) }
                td.num { (length(engine.cpu_seconds)) }
                td.num { (memory(engine.median_memory)) }
                td.num { (memory(engine.most_memory)) }
            }
        }
    };
    html! {
        table {
            tr { th { "engine" } th.num { "rank" } th.num { "firsts" } th.num { "win rate" } th.num { "normalised" } th.num { "failed" }
                th.num { "fit" } th.num { "beyond" } th.num { "predict" } th.num { "CPU" } th.num { "memory" } th.num { "most" } }
            @for engine in &budget.engines { (row(engine)) }
        }
    }
}

fn wins(budget: &BudgetSummary) -> Markup {
    html! {
        table {
            tr { th {} @for engine in &budget.engines { th.num { (engine.name) } } }
            @for (engine, rates) in budget.engines.iter().zip(&budget.win_rates) {
                tr { th { (engine.name) }
                    @for rate in rates {
                        td.num.hit[rate.is_some_and(|rate| rate > 0.5)].miss[rate.is_some_and(|rate| rate < 0.5)] {
                            @if let Some(rate) = rate { (format!("{rate:.2}")) } @else { "·" }
                        }
                    }
                }
            }
        }
    }
}

fn scores(budget: &BudgetSummary) -> Markup {
    html! {
        table {
            tr { th { "data set" } th { "metric" } th.num { "constant" } @for engine in &budget.engines { th.num { (engine.name) } } }
            @for dataset in &budget.datasets {
                tr {
                    td { (dataset.name) } td.soft { (dataset.metric) }
                    td.num.soft { (dataset.constant.map_or_else(|| "–".to_owned(), number)) }
                    @for cell in &dataset.scores {
                        td.num.hit[cell.is_best] {
                            @if let Some(score) = cell.score { (number(score)) } @else if cell.runs > 0 { span.loud { "failed" } } @else { "–" }
                            @if cell.failures > 0 && cell.score.is_some() { " " small.loud { (cell.failures) " failed" } }
                        }
                    }
                }
            }
        }
    }
}

fn how(summary: &BenchmarkSummary) -> Markup {
    let one = summary.reference.as_ref().map_or_else(|| "the best engine of each data set".to_owned(), Clone::clone);
    html! {
        h2 { "How it was measured" }
        p { "Every run is a process of its own that sees the rows to learn from and the rows to predict without their target; "
            "scores, times and memory are taken from outside. Scores are means over folds and seeds first, then every data set counts once." }
        p { "Normalised: the constant predictor is 0, " (one) " is 1; each is kept from -1 to 3. "
            "A data set with a failed run ranks last; in normalised scores and gaps a failed run has the constant's score. "
            "Gaps: 1 less the score is the error where greater is better, else the score; intervals are of 10,000 resamples of the data sets." }
        p.soft { "Every run is a line of results.jsonl beside this page; summary.json has these figures." }
    }
}
