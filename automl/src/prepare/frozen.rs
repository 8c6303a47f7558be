//! New rows for a model whose columns, kinds and classes are settled: read by the rules frozen in it, made ready to fit
//! its recipe again. What is no longer as it was is an error that names it.

use std::sync::Arc;

use datasets::{Coercion, CoercionReason, Kind, Note, Profile, Raw, Schema, Table, TypeOverrides, Values};
use trainers::{Measure, MetricSpec, ModelCard};

use super::target::{labels_of, read_as, unknown_classes};
use super::{LogTarget, Prepared, balance, baseline, check_columns, class_counts, dialect, ledger, split, weights};
use crate::error::AutoMlError;
use crate::guardrail;
use crate::spec::AutoMlSpec;

/// A column of which more than this share of the cells cannot be read is of another kind.
const MOSTLY: f64 = 0.5;
/// Fewer rows of a class cannot be split.
const LEAST: usize = 2;
/// What to do about a class that is new.
const NEW_CLASS: &str = "start a new fit, or leave those rows out";
/// Classes that are named in an error.
const NAMED: usize = 5;

/// Reads rows for the model that `card` describes; `spec` is what its fit was asked for, over the new rows. No holdout is
/// cut, whatever the request says: nothing is chosen that would have to be judged.
pub(crate) fn prepare_frozen(spec: &AutoMlSpec, card: &ModelCard, raw: &Raw) -> Result<Prepared, AutoMlError> {
    check_columns(spec, raw)?;
    let schema = settled(card, raw);
    let full = with_others(spec, card, &schema, raw)?;
    let (table, coercions) = full.read(raw)?;
    check_kinds(card, &full, &table, &coercions, raw)?;
    let labels = labels_of(&table, &card.target)?;
    let unknown = unknown_classes(&card.classes, &labels);
    if !unknown.is_empty() {
        return Err(AutoMlError::unusable(
            format!("column `{}`: the model does not know {}", card.target, in_words(&unknown)),
            NEW_CLASS,
        ));
    }
    let (target, rows) = read_as(card.task, &card.classes, &labels);
    let counts = class_counts(&target, &rows);
    if let Some((class, n)) = card.classes.iter().zip(&counts).find(|(_, n)| **n < LEAST) {
        return Err(AutoMlError::unusable(
            format!("column `{}`: {n} rows of class `{class}`, and at least {LEAST} are needed", card.target),
            "add rows of that class, or start a new fit without it",
        ));
    }
    if rows.len() < 4 {
        return Err(AutoMlError::unusable(
            format!("{} rows have a target; at least 4 are needed to train and to test", rows.len()),
            "add rows",
        ));
    }
    let metric = match &spec.metric {
        Some(metric) => metric.clone(),
        None => MetricSpec::parse(&card.metric).map_err(|error| AutoMlError::Usage(error.to_string()))?,
    };
    let metric = Measure::new(metric, target.range(rows.iter().copied()));
    let weights = weights::read(spec, &table, &rows)?;
    let notes = coercions.iter().filter(|coercion| coercion.reason != CoercionReason::ExtraColumn);
    let mut ledger =
        ledger::open_ledger(spec, &full, table.n_rows(), notes.map(|c| Note::file(c.to_string())).collect());
    ledger.drop_rows(table.n_rows() - rows.len(), format!("without a `{}` value", card.target));
    let found = guardrail::check_rows(spec, &table, &target, &rows, &ledger);
    let split = split::cut(spec, &table, &target, &rows, found.together.as_deref(), None)?;
    if let Some(weights) = &weights {
        weights::check_folds(weights, &split.folds)?;
    }
    let mut prepared = Prepared {
        // The recipe may ask for them, whatever these rows look like.
        logarithm: LogTarget::of(&target, &rows),
        balance: balance::of(&target, &rows, weights.as_ref()),
        algorithms: crate::candidate::capable(card.task, weights.is_some()),
        class_counts: counts,
        profile: Profile::of(&table, &full),
        settings: spec.featurization.settings(&schema)?,
        table: Arc::new(table),
        schema,
        target_schema: card.target_schema.clone(),
        target: Arc::new(target),
        rows,
        weights,
        split,
        ledger,
        checks: found.checks,
        metric,
        baseline: f64::NAN,
        task_reason: "as the model".into(),
        data_hash: raw.sha256.clone(),
        dialect: dialect(raw, &full),
        test: None,
    };
    prepared.baseline = baseline::score(&prepared)?;
    Ok(prepared)
}

/// The model's columns with levels that are new; a category that was not there before can be learned now.
fn settled(card: &ModelCard, raw: &Raw) -> Schema {
    let columns = card.schema.columns.iter().map(|column| {
        let cells = raw.columns.iter().find(|cells| cells.name == column.name);
        cells.map_or_else(|| column.clone(), |cells| column.with_levels_of(&cells.values))
    });
    Schema { columns: columns.collect() }
}

/// With the target, and the columns that split and weigh, which the model does not keep.
fn with_others(spec: &AutoMlSpec, card: &ModelCard, schema: &Schema, raw: &Raw) -> Result<Schema, AutoMlError> {
    let mut full = schema.clone();
    // A class that is new must be seen to be named.
    let target = raw.column(&card.target).map(|cells| card.target_schema.with_levels_of(&cells.values));
    full.columns.push(target.unwrap_or_else(|| card.target_schema.clone()));
    let others = [&spec.split.group, &spec.split.time, &spec.split.column, &spec.weight];
    let missing: Vec<&String> = others.into_iter().flatten().filter(|name| full.column(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(full);
    }
    let mut types = TypeOverrides::default();
    for name in &missing {
        if let Some(given) = spec.types.get(name) {
            types = types.with(name, given.kind);
        }
    }
    let (inferred, _) = Schema::infer(raw, &types)?;
    full.columns.extend(missing.into_iter().filter_map(|name| inferred.column(name)).cloned());
    Ok(full)
}

/// Refuses columns that hold something else than they did.
fn check_kinds(
    card: &ModelCard,
    full: &Schema,
    table: &Table,
    coercions: &[Coercion],
    raw: &Raw,
) -> Result<(), AutoMlError> {
    for coercion in coercions {
        let Some(column) = full.column(&coercion.column) else { continue };
        let Some(values) = table.column(&coercion.column).map(|column| &column.values) else { continue };
        let unseen = coercion.reason == CoercionReason::UnseenLevel;
        if unseen && coercion.column == card.target {
            let text = format!(
                "column `{}`: the model does not know {}",
                card.target,
                in_words(&[(coercion.example.clone(), coercion.n_cells)])
            );
            return Err(AutoMlError::unusable(text, NEW_CLASS));
        }
        let lost = if unseen { 0 } else { coercion.n_cells };
        let present = values.len() - values.n_missing() + lost;
        if coercion.n_cells as f64 > MOSTLY * present as f64 {
            return Err(other_kind(
                &column.name,
                column.kind,
                &format!(
                    "{} of {present} cells are not, first `{}` at row {}",
                    coercion.n_cells, coercion.example, coercion.first_row
                ),
            ));
        }
    }
    // Any cell can be a level, so numbers and times in a column of words are found by what they look like.
    let (inferred, _) = Schema::infer(raw, &TypeOverrides::default())?;
    for column in full.columns.iter().filter(|column| column.kind == Kind::Categorical) {
        let now = inferred.column(&column.name).map(|now| now.kind);
        let numbers = column.rules.levels.iter().all(|level| level.parse::<f64>().is_ok());
        if matches!(now, Some(Kind::Numeric | Kind::Datetime)) && !numbers && holds_levels(table, &column.name) {
            let now = now.map_or("", Kind::name);
            return Err(other_kind(&column.name, column.kind, &format!("it now is {now}")));
        }
    }
    Ok(())
}

/// Whether the column was read as categories.
fn holds_levels(table: &Table, name: &str) -> bool {
    table.column(name).is_some_and(|column| matches!(column.values, Values::Category { .. }))
}

fn other_kind(name: &str, kind: Kind, what: &str) -> AutoMlError {
    AutoMlError::unusable(
        format!("column `{name}`: the model read it as {kind}, and {what}"),
        "check that this is the file the model is meant for, or start a new fit",
    )
}

/// `2 classes: `a` (3 rows), `b` (1 row)`.
fn in_words(classes: &[(String, usize)]) -> String {
    let one = |(class, n): &(String, usize)| format!("`{class}` ({n} {})", if *n == 1 { "row" } else { "rows" });
    let named: Vec<String> = classes.iter().take(NAMED).map(one).collect();
    let more = classes.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let n = classes.len();
    format!("{n} {}: {}{more}", if n == 1 { "class" } else { "classes" }, named.join(", "))
}
