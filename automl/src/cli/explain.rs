//! `automl explain`: what a model looks at, over some rows or for one of them.

use std::collections::BTreeMap;

use datasets::{Coercion, ReadOptions, Table};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde_json::{Value, json};
use trainers::explain::{Dependence, Importance, Inputs, Shap, View, dependence, importance, part, shap};
use trainers::{ExplainError, Fitted, Measure, MetricSpec, Model, ModelCard, Predictions, Target, Task};

use super::args::ExplainArgs;
use super::{Context, load_model, predict, table};
use crate::error::AutoMlError;
use crate::fit::spec_of;
use crate::prepare::{located, read_labelled, thousands};
use crate::report::number;

/// Values of a column at which dependence is computed; the terminal shows fewer.
const VALUES: usize = 20;
const SHOWN_VALUES: usize = 8;
/// Columns whose dependence is shown when none is named.
const SHOWN_DEPENDENCES: usize = 3;

/// The rows a model is explained on.
struct Ground {
    table: Table,
    /// The target and the rows that have one; `None` where the file has no such column.
    target: Option<Target>,
    /// Rows looked at, in file order.
    sample: Vec<u32>,
    coercions: Vec<Coercion>,
}

pub(super) fn run(args: &ExplainArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let (whole, name) = load_model(&args.model, context)?;
    let model = match &args.member {
        Some(member) => part(&whole, member)?,
        None => whole,
    };
    let view = if args.features { View::Features } else { View::Columns };
    let ground = ground(args, &model, context)?;
    for line in predict::coerced(&ground.coercions, &model.card.target) {
        context.screen.note(&line);
    }
    match args.row {
        Some(row) => one_row(&model, &name, &ground, row, view, context),
        None => all_rows(args, &model, &name, &ground, view, context),
    }
}

/// The rows named, or those the model was fitted on.
fn ground(args: &ExplainArgs, model: &Fitted, context: &Context) -> Result<Ground, AutoMlError> {
    let card = &model.card;
    let sources = if args.input.is_empty() { training_data(&args.model, context)? } else { args.input.clone() };
    let raw = datasets::open(&sources, &ReadOptions::default())?;
    let labelled = raw.columns.iter().any(|column| column.name == card.target);
    let (table, target, mut sample, coercions) = if labelled {
        let read = read_labelled(&raw, &card.schema, &card.target_schema, card.task, &card.classes)?;
        (read.table, Some(read.target), read.rows, read.coercions)
    } else {
        let (table, coercions) = card.schema.read(&raw)?;
        let rows = (0..table.n_rows() as u32).collect();
        (table, None, rows, coercions)
    };
    let mut rng = hyperdrive::keyed_rng(args.seed, 0, "explain rows");
    sample.shuffle(&mut rng);
    sample.truncate(args.sample);
    sample.sort_unstable();
    Ok(Ground { table, target, sample, coercions })
}

fn training_data(reference: &str, context: &Context) -> Result<Vec<String>, AutoMlError> {
    if std::path::Path::new(reference).is_file() {
        return Err(AutoMlError::Usage(format!(
            "{reference}: a model file does not know the data it was fitted on; name the rows to explain it on"
        )));
    }
    let workspace = context.existing_workspace()?;
    let version = workspace.resolve_model(reference)?;
    let spec = spec_of(&workspace.get_run(&version.run)?, &version.run)?;
    Ok(spec.train.iter().map(|source| located(source, spec.folder.as_deref())).collect())
}

/// The outputs that are explained, by name: one for regression and two classes (the second), else one per class.
fn outputs(card: &ModelCard) -> Vec<String> {
    match card.task {
        Task::Regression => vec![card.target.clone()],
        Task::Binary => card.classes[1..].to_vec(),
        Task::Multiclass => card.classes.clone(),
    }
}

fn one_row(
    model: &Fitted,
    name: &str,
    ground: &Ground,
    row: usize,
    view: View,
    context: &mut Context,
) -> Result<u8, AutoMlError> {
    let n_rows = ground.table.n_rows();
    let Some(at) = row.checked_sub(1).filter(|at| *at < n_rows) else {
        return Err(AutoMlError::Usage(format!("--row {row}: the rows are 1 to {}", thousands(n_rows))));
    };
    let (background, table) = (ground.table.take(&ground.sample)?, ground.table.take(&[at as u32])?);
    let found = shap(model, &background, &table, view)?;
    let predictions = model.predict(&table)?;
    let outputs = outputs(&model.card);
    if context.screen.json() {
        let one = |(output, name): (usize, &String)| {
            let values: BTreeMap<&String, f64> = found.names.iter().zip(found.of(0, output).iter().copied()).collect();
            json!({ "output": name, "base": found.base[output], "values": values })
        };
        let cells: BTreeMap<&str, Option<String>> = cells(&table).into_iter().collect();
        context.screen.document(&json!({
            "model": name, "row": row, "cells": cells, "prediction": predictions.row(0), "classes": model.card.classes,
            "unit": found.unit, "outputs": outputs.iter().enumerate().map(one).collect::<Vec<_>>(),
        }));
        return Ok(0);
    }
    // Of many classes the predicted one.
    let output = if outputs.len() > 1 { model.label(predictions.row(0)) } else { 0 };
    let what = match model.card.task {
        Task::Regression => number(predictions.row(0)[0]),
        Task::Binary => format!("probability {} of {}", number(predictions.row(0)[1]), outputs[0]),
        Task::Multiclass => format!("probability {} of {}", number(predictions.row(0)[output]), outputs[output]),
    };
    context.screen.line(&format!("{name} on row {row}: {what}"));
    let mut parts: Vec<(&String, f64)> = found.names.iter().zip(found.of(0, output).iter().copied()).collect();
    parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(b.0)));
    let cells: BTreeMap<&str, Option<String>> = cells(&table).into_iter().collect();
    let total = found.base[output] + parts.iter().map(|part| part.1).sum::<f64>();
    let row = |(name, value): &(&String, f64)| {
        let cell = cells.get(name.as_str()).cloned().flatten().unwrap_or_default();
        vec![(*name).clone(), cell, signed(*value)]
    };
    let mut rows: Vec<Vec<String>> = parts.iter().map(row).collect();
    rows.insert(0, vec!["(base)".into(), String::new(), number(found.base[output])]);
    rows.push(vec![format!("({})", found.unit), String::new(), number(total)]);
    let adds = format!("adds to the {}", found.unit);
    for line in table::lines(&[part_word(view), "value", &adds], &rows, &[2]) {
        context.screen.line(&line);
    }
    Ok(0)
}

/// The cells of a table's first row in words.
fn cells(table: &Table) -> Vec<(&str, Option<String>)> {
    let cell = |column: &datasets::Column| column.values.display(0).map(std::borrow::Cow::into_owned);
    table.columns().iter().map(|column| (column.name.as_str(), cell(column))).collect()
}

/// What is known over all rows.
struct Explained {
    /// By the metric that chose, with its score of the rows as they are; `None` without a target.
    importance: Option<(Vec<Importance>, f64)>,
    shap: Result<Shap, ExplainError>,
    dependences: Vec<Dependence>,
}

fn all_rows(
    args: &ExplainArgs,
    model: &Fitted,
    name: &str,
    ground: &Ground,
    view: View,
    context: &mut Context,
) -> Result<u8, AutoMlError> {
    let measure = measure(&model.card)?;
    let explained = explain(args, model, ground, &measure, view)?;
    if context.screen.json() {
        context.screen.document(&document(model, name, ground, &measure, view, &explained));
        return Ok(0);
    }
    context.screen.line(&format!("{name} on {} rows", thousands(ground.sample.len())));
    if let Some((found, score)) = &explained.importance {
        context.screen.line("");
        context.screen.line(&format!(
            "Importance: what {} loses when a {} is shuffled, of {}, mean and deviation of {}",
            measure.name(),
            part_word(view),
            number(*score),
            args.repeats
        ));
        let row = |one: &Importance| vec![one.name.clone(), signed(one.mean), number(one.deviation)];
        show(
            &[part_word(view), "lost", "±"],
            &found.iter().take(args.top).map(row).collect::<Vec<_>>(),
            found.len(),
            context,
        );
    } else {
        let target = &model.card.target;
        context.screen.note(&format!("~ no importance: the rows have no column `{target}` to score by"));
    }
    match &explained.shap {
        Ok(found) => {
            context.screen.line("");
            let of = match model.card.task {
                Task::Regression => String::new(),
                Task::Binary => format!(" of {}", model.card.classes[1]),
                Task::Multiclass => ", mean over the classes".into(),
            };
            context.screen.line(&format!(
                "SHAP: what a {} adds to the {}{of}, mean of its absolute value",
                part_word(view),
                found.unit
            ));
            let ranked = ranked(found);
            let row = |(name, value): &(String, f64)| vec![name.clone(), number(*value)];
            show(
                &[part_word(view), "adds"],
                &ranked.iter().take(args.top).map(row).collect::<Vec<_>>(),
                ranked.len(),
                context,
            );
        }
        Err(error) => context.screen.note(&format!("~ no SHAP values: {error}")),
    }
    let outputs = outputs(&model.card);
    for one in &explained.dependences {
        context.screen.line("");
        let what = if model.card.task == Task::Regression { "prediction" } else { "probability" };
        context.screen.line(&format!("Dependence: mean {what} where {} is the same in every row", one.name));
        let columns: Vec<&str> = std::iter::once(one.name.as_str()).chain(outputs.iter().map(String::as_str)).collect();
        let right: Vec<usize> = (1..columns.len()).collect();
        for line in table::lines(&columns, &spots(one, &outputs), &right) {
            context.screen.line(&line);
        }
    }
    Ok(0)
}

fn explain(
    args: &ExplainArgs,
    model: &Fitted,
    ground: &Ground,
    measure: &Measure,
    view: View,
) -> Result<Explained, AutoMlError> {
    let table = ground.table.take(&ground.sample)?;
    let inputs = Inputs::new(model, &table, view)?;
    let names = inputs.names();
    let importance =
        ground.target.as_ref().map(|target| ranking(args, model, &inputs, measure, target, &ground.sample));
    let importance = importance.transpose()?;
    let shap = match shap(model, &table, &table, view) {
        Err(
            error @ (ExplainError::NoExactShap { .. }
            | ExplainError::BoundLogarithm { .. }
            | ExplainError::Blend { .. }
            | ExplainError::Stacked { .. }),
        ) => Err(error),
        found => Ok(found?),
    };
    let mut asked: Vec<usize> = Vec::new();
    for wanted in &args.depend {
        let at = names.iter().position(|name| name == wanted).ok_or_else(|| {
            let near = datasets::nearest(wanted, &names.iter().map(String::as_str).collect::<Vec<_>>());
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            AutoMlError::Usage(format!("--depend {wanted}: the model reads no such {}{hint}", part_word(view)))
        })?;
        asked.push(at);
    }
    if args.depend.is_empty() {
        let best: Vec<String> = match (&importance, &shap) {
            (Some((found, _)), _) => found.iter().map(|one| one.name.clone()).collect(),
            (None, Ok(found)) => ranked(found).into_iter().map(|(name, _)| name).collect(),
            (None, Err(_)) => names.to_vec(),
        };
        let best = best.iter().take(SHOWN_DEPENDENCES);
        asked.extend(best.filter_map(|name| names.iter().position(|known| known == name)));
    }
    let dependences = asked.into_par_iter().map(|at| dependence(&inputs, at, VALUES)).collect::<Result<_, _>>()?;
    Ok(Explained { importance, shap, dependences })
}

/// The importance of every part, greatest first, and the score of the rows as they are.
fn ranking(
    args: &ExplainArgs,
    model: &Fitted,
    inputs: &Inputs<'_>,
    measure: &Measure,
    target: &Target,
    rows: &[u32],
) -> Result<(Vec<Importance>, f64), AutoMlError> {
    let cut = model.card.threshold.unwrap_or(0.5);
    let plain = measure.score(target, rows, &inputs.predict(), cut)?;
    let score = |predictions: &Predictions| {
        measure.score(target, rows, predictions, cut).map(|score| measure.goal().signed(score))
    };
    let order = |part: usize, repeat: usize| {
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.shuffle(&mut hyperdrive::keyed_rng(args.seed, (part * args.repeats + repeat) as u64, "explain"));
        order
    };
    let one = |part: usize| {
        let orders: Vec<Vec<u32>> = (0..args.repeats).map(|repeat| order(part, repeat)).collect();
        importance(inputs, part, &score, measure.goal().signed(plain), &orders)
    };
    let mut found: Vec<Importance> =
        (0..inputs.names().len()).into_par_iter().map(one).collect::<Result<_, ExplainError>>()?;
    found.sort_by(|a, b| b.mean.total_cmp(&a.mean).then_with(|| a.name.cmp(&b.name)));
    Ok((found, plain))
}

/// The metric that chose the model.
fn measure(card: &ModelCard) -> Result<Measure, AutoMlError> {
    let metric = MetricSpec::parse(&card.metric)
        .map_err(|error| AutoMlError::Usage(format!("the model was chosen by a metric this build has not: {error}")))?;
    Ok(Measure::new(metric, card.target_range))
}

/// Parts by their mean absolute value, mean over the outputs, greatest first.
fn ranked(found: &Shap) -> Vec<(String, f64)> {
    let n_outputs = found.base.len();
    let mut sums = vec![0.0; found.names.len()];
    for output in 0..n_outputs {
        for (sum, value) in sums.iter_mut().zip(found.mean_absolute(output)) {
            *sum += value / n_outputs as f64;
        }
    }
    let mut ranked: Vec<(String, f64)> = found.names.iter().cloned().zip(sums).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranked
}

fn document(
    model: &Fitted,
    name: &str,
    ground: &Ground,
    measure: &Measure,
    view: View,
    explained: &Explained,
) -> Value {
    let outputs = outputs(&model.card);
    let importance = explained.importance.as_ref().map(|(found, score)| {
        let one = |one: &Importance| json!({ "name": one.name, "mean": one.mean, "deviation": one.deviation });
        json!({ "metric": measure.name(), "score": score, "lost": found.iter().map(one).collect::<Vec<_>>() })
    });
    let (shap, no_shap) = match &explained.shap {
        Ok(found) => {
            let one = |(output, name): (usize, &String)| {
                let means: BTreeMap<&String, f64> = found.names.iter().zip(found.mean_absolute(output)).collect();
                json!({ "output": name, "base": found.base[output], "mean_absolute": means })
            };
            let outputs: Vec<Value> = outputs.iter().enumerate().map(one).collect();
            (Some(json!({ "unit": found.unit, "outputs": outputs })), None)
        }
        Err(error) => (None, Some(error.to_string())),
    };
    let one = |one: &Dependence| {
        let kept = one.means.iter().map(|means| explained_of(means, outputs.len())).collect::<Vec<_>>();
        json!({ "name": one.name, "values": one.values, "outputs": outputs, "means": kept })
    };
    json!({
        "model": name, "rows": ground.sample.len(), "of": if view == View::Columns { "columns" } else { "features" },
        "importance": importance, "shap": shap, "no_shap": no_shap,
        "dependence": explained.dependences.iter().map(one).collect::<Vec<_>>(),
    })
}

/// The outputs that are explained: of two classes the second.
fn explained_of(row: &[f64], n_outputs: usize) -> &[f64] {
    &row[row.len() - n_outputs..]
}

/// A few of the values of a dependence, ends included.
fn spots(one: &Dependence, outputs: &[String]) -> Vec<Vec<String>> {
    let n = one.values.len();
    let shown = n.min(SHOWN_VALUES);
    let at = |i: usize| if shown < 2 { 0 } else { i * (n - 1) / (shown - 1) };
    (0..shown)
        .map(|i| {
            let means = explained_of(&one.means[at(i)], outputs.len()).iter().map(|mean| number(*mean));
            std::iter::once(one.values[at(i)].clone()).chain(means).collect()
        })
        .collect()
}

fn show(header: &[&str], rows: &[Vec<String>], n: usize, context: &mut Context) {
    let more = n - rows.len();
    let right: Vec<usize> = (1..header.len()).collect();
    for line in table::lines(header, rows, &right) {
        context.screen.line(&line);
    }
    if more > 0 {
        context.screen.line(&format!("…  {more} more: --top {n}"));
    }
}

fn signed(value: f64) -> String {
    if value > 0.0 { format!("+{}", number(value)) } else { number(value) }
}

fn part_word(view: View) -> &'static str {
    match view {
        View::Columns => "column",
        View::Features => "feature",
    }
}
