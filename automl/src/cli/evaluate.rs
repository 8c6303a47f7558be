//! `automl evaluate`: every metric of a model on rows that have the target.

use std::collections::BTreeMap;

use datasets::ReadOptions;
use serde_json::json;
use trainers::{Measure, Metric, MetricSpec};

use super::args::EvaluateArgs;
use super::{Context, load_model, predict, table};
use crate::error::AutoMlError;
use crate::predict::predict_rows;
use crate::prepare::{read_labelled, thousands, unknown_labels};
use crate::report::number;

/// Classes the model does not know that are named one by one.
const CLASSES: usize = 8;

pub(super) fn run(args: &EvaluateArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let (model, name) = load_model(&args.model, context)?;
    let raw = datasets::open(&args.input, &ReadOptions::default())?;
    let card = &model.card;
    let unknown = unknown_labels(&raw, &card.target_schema, &card.classes)?;
    let test = read_labelled(&raw, &card.schema, &card.target_schema, card.task, &card.classes)?;
    let predictions = predict_rows(&model, &test.table.take(&test.rows)?)?;
    let cut = card.threshold.unwrap_or(0.5);
    let mut scored: Vec<(MetricSpec, f64)> = Vec::new();
    let mut unscored = Vec::new();
    let own = MetricSpec::parse(&card.metric).ok().filter(|own| matches!(own, MetricSpec::Expression(_)));
    for metric in own.into_iter().chain(Metric::of(card.task).map(MetricSpec::from)) {
        let measure = Measure::new(metric.clone(), card.target_range);
        match measure.score(&test.target, &test.rows, &predictions, cut) {
            Ok(value) => scored.push((metric, value)),
            Err(error) => unscored.push(error.to_string()),
        }
    }
    let azure_name = |metric: &MetricSpec| match metric {
        MetricSpec::Table(metric) => metric.azure_name(card.task).filter(|azure| *azure != metric.name()),
        MetricSpec::Expression(_) => None,
    };
    if context.screen.json() {
        let scores: BTreeMap<&str, f64> = scored.iter().map(|(metric, value)| (metric.name(), *value)).collect();
        let azure_names: BTreeMap<&str, &str> =
            Metric::of(card.task).filter_map(|metric| Some((metric.name(), metric.azure_name(card.task)?))).collect();
        context.screen.document(&json!({
            "model": name, "rows": raw.n_rows, "scored_rows": test.rows.len(), "scores": scores,
            "azure_names": azure_names, "unscored": unscored, "unknown_classes": unknown,
            "threshold": card.threshold, "coercions": test.coercions,
        }));
        return Ok(0);
    }
    let threshold = card.threshold.map_or_else(String::new, |cut| format!(" · threshold {}", number(cut)));
    let (scored_rows, all) = (thousands(test.rows.len()), thousands(raw.n_rows));
    context.screen.line(&format!("{name} on {scored_rows} of {all} rows{threshold}"));
    let chosen_by = |metric: &MetricSpec| card.metric == metric.name() || azure_name(metric) == Some(&*card.metric);
    let row = |(metric, value): &(MetricSpec, f64)| {
        let mark = if chosen_by(metric) { "chosen by" } else { "" };
        vec![metric.name().to_owned(), number(*value), mark.to_owned(), azure_name(metric).unwrap_or("").to_owned()]
    };
    let rows: Vec<Vec<String>> = scored.iter().map(row).collect();
    for line in table::lines(&["metric", "value", "", "Azure's name"], &rows, &[1]) {
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
    for (class, n) in unknown.iter().take(CLASSES) {
        context.screen.note(&format!("~ `{class}` is no class of the model: {} rows", thousands(*n)));
    }
    if unknown.len() > CLASSES {
        context.screen.note(&format!("~ and {} more classes", unknown.len() - CLASSES));
    }
    for line in predict::coerced(&test.coercions, &card.target)
        .into_iter()
        .chain(unscored.into_iter().map(|text| format!("~ {text}")))
    {
        context.screen.note(&line);
    }
    Ok(0)
}
