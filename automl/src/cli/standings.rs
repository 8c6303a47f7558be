//! Engines beside each other, in tables.

use std::path::Path;

use super::screen::{Screen, good, label, loud, relative, soft};
use super::table;
use crate::benchmark::{BenchmarkSummary, BudgetSummary, Failure};
use crate::fit::to_json;
use crate::report::number;
use crate::spec::{Bytes, Seconds};

/// Failures that are shown.
const SHOWN: usize = 5;

/// The summary, table by table, or as the one JSON document.
pub(super) fn show(summary: &BenchmarkSummary, out: &Path, screen: &mut Screen) {
    if screen.json() {
        screen.document(&to_json(summary));
        return;
    }
    for budget in &summary.budgets {
        screen.line("");
        screen.line(&format!(
            "At {} · {} of {} data sets run in full by every engine",
            Seconds(budget.budget),
            budget.compared,
            budget.datasets.len()
        ));
        for lines in [engines(budget), wins(budget), gaps(budget), scores(budget), failures(budget)] {
            if !lines.is_empty() {
                screen.line("");
            }
            for line in lines {
                screen.line(&line);
            }
        }
    }
    screen.line("");
    let one = summary.reference.as_deref().unwrap_or("the best engine of each data set");
    screen.say(&soft(&format!("normalised: the constant predictor is 0, {one} is 1 · gap: share of the larger error")));
    for note in &summary.notes {
        screen.note(&format!("~ {note}"));
    }
    let folder = relative(&out.display().to_string());
    screen.line(&format!("{}{} of {} · {folder}/results.jsonl", label("Runs"), summary.done, summary.runs));
    screen.line(&format!("{}{folder}/report.html · {folder}/summary.json", label("Report")));
}

fn headed(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> Vec<String> {
    let mut lines = table::lines(header, rows, right);
    lines[0] = soft(&lines[0]);
    lines
}

fn engines(budget: &BudgetSummary) -> Vec<String> {
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let length = |value: Option<f64>| match value {
        None => "–".to_owned(),
        Some(0.0) => "0 s".to_owned(),
        Some(seconds) => Seconds(seconds).to_string(),
    };
    let memory = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |bytes| Bytes(bytes).to_string());
    let rows: Vec<Vec<String>> = budget
        .engines
        .iter()
        .map(|engine| {
            vec![
                engine.name.clone(),
                figure(engine.average_rank),
                engine.firsts.to_string(),
                figure(engine.win_rate),
                figure(engine.normalised),
                format!("{} of {}", engine.failures, engine.runs),
                length(engine.fit_seconds),
                length(engine.seconds_beyond),
                memory(engine.median_memory),
                memory(engine.most_memory),
            ]
        })
        .collect();
    let header = ["engine", "rank", "firsts", "win rate", "normalised", "failed", "fit", "beyond", "memory", "most"];
    headed(&header, &rows, &[1, 2, 3, 4, 5, 6, 7, 8, 9])
}

fn wins(budget: &BudgetSummary) -> Vec<String> {
    if budget.compared == 0 || budget.engines.len() < 2 {
        return Vec::new();
    }
    let header: Vec<&str> =
        std::iter::once("wins against").chain(budget.engines.iter().map(|engine| engine.name.as_str())).collect();
    let rows = budget.engines.iter().zip(&budget.win_rates).map(|(engine, rates)| {
        let cells = rates.iter().map(|rate| rate.map_or_else(|| "·".to_owned(), |rate| format!("{rate:.2}")));
        std::iter::once(engine.name.clone()).chain(cells).collect()
    });
    headed(&header, &rows.collect::<Vec<_>>(), &(1..header.len()).collect::<Vec<_>>())
}

fn gaps(budget: &BudgetSummary) -> Vec<String> {
    let rows: Vec<Vec<String>> = budget
        .gaps
        .iter()
        .map(|gap| {
            let interval =
                gap.interval.map_or_else(|| "–".to_owned(), |(low, high)| format!("[{low:+.3}, {high:+.3}]"));
            vec![
                format!("{} over {}", gap.engine, gap.other),
                format!("{:+.3}", gap.mean),
                interval,
                gap.datasets.to_string(),
            ]
        })
        .collect();
    if rows.is_empty() { rows.concat() } else { headed(&["gap", "mean", "95%", "data sets"], &rows, &[1, 3]) }
}

fn scores(budget: &BudgetSummary) -> Vec<String> {
    let fixed = ["data set", "metric", "constant"];
    let header: Vec<&str> = fixed.into_iter().chain(budget.engines.iter().map(|engine| engine.name.as_str())).collect();
    let rows = budget.datasets.iter().map(|dataset| {
        let constant = dataset.constant.map_or_else(|| "–".to_owned(), number);
        let cells = dataset.scores.iter().map(|cell| match cell.score {
            Some(score) if cell.is_best => good(&format!("{}*", number(score))),
            Some(score) if cell.failures > 0 => {
                format!("{} {}", number(score), loud(&format!("({} failed)", cell.failures)))
            }
            Some(score) => format!("{} ", number(score)),
            None if cell.failures > 0 => loud("failed "),
            None => "– ".to_owned(),
        });
        [dataset.name.clone(), dataset.metric.clone(), constant].into_iter().chain(cells).collect()
    });
    headed(&header, &rows.collect::<Vec<_>>(), &(2..header.len()).collect::<Vec<_>>())
}

fn failures(budget: &BudgetSummary) -> Vec<String> {
    let line = |failure: &Failure| {
        let which = format!("{} on {}, fold {}, seed {}", failure.engine, failure.dataset, failure.fold, failure.seed);
        format!("{}{which}: {}", label("Failed"), failure.error)
    };
    let mut lines: Vec<String> = budget.failures.iter().take(SHOWN).map(line).collect();
    if budget.failures.len() > SHOWN {
        lines.push(format!("{}{} more are in results.jsonl", label(""), budget.failures.len() - SHOWN));
    }
    lines
}
