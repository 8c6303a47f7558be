//! `automl evaluate`: every metric of a model on rows that have the target.

use std::collections::BTreeMap;

use datasets::ReadOptions;
use serde_json::json;
use trainers::Metric;

use super::args::EvaluateArgs;
use super::{Context, load_model, predict, table};
use crate::error::AutoMlError;
use crate::predict::predict_rows;
use crate::prepare::{read_labelled, thousands};
use crate::report::number;

pub(super) fn run(args: &EvaluateArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let (model, name) = load_model(&args.model, context)?;
    let raw = datasets::open(&args.input, &ReadOptions::default())?;
    let card = &model.card;
    let test = read_labelled(&raw, &card.schema, &card.target_schema, card.task, &card.classes)?;
    let predictions = predict_rows(&model, &test.table.take(&test.rows)?)?;
    let cut = card.threshold.unwrap_or(0.5);
    let mut scores: BTreeMap<&str, f64> = BTreeMap::new();
    let mut unscored = Vec::new();
    for metric in Metric::all().iter().filter(|metric| metric.tasks().contains(&card.task)) {
        match metric.score(&test.target, &test.rows, &predictions, cut) {
            Ok(value) => {
                scores.insert(metric.name(), value);
            }
            Err(error) => unscored.push(format!("{}: {error}", metric.name())),
        }
    }
    if context.screen.json() {
        context.screen.document(&json!({
            "model": name, "rows": raw.n_rows, "scored_rows": test.rows.len(), "scores": scores,
            "unscored": unscored, "threshold": card.threshold, "coercions": test.coercions,
        }));
        return Ok(0);
    }
    context.screen.line(&format!("{name} on {} of {} rows", thousands(test.rows.len()), thousands(raw.n_rows)));
    let chosen_by = |metric: &str| if metric == card.metric { "chosen by" } else { "" };
    let rows: Vec<Vec<String>> = scores
        .iter()
        .map(|(metric, value)| vec![(*metric).to_owned(), number(*value), chosen_by(metric).to_owned()])
        .collect();
    for line in table::lines(&["metric", "value", ""], &rows, &[1]) {
        context.screen.line(&line);
    }
    let left = raw.n_rows - test.rows.len();
    if left > 0 {
        context.screen.note(&format!(
            "~ {} rows left out: no value of `{}` the model knows",
            thousands(left),
            card.target
        ));
    }
    for line in predict::coerced(&test.coercions, &card.target)
        .into_iter()
        .chain(unscored.into_iter().map(|text| format!("~ {text}")))
    {
        context.screen.note(&line);
    }
    Ok(0)
}
