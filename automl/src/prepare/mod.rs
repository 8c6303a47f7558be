//! From a request to everything a search needs, made once: the table, the target, the ledger of what is used and what
//! is not, the checks, and the split. No candidate is looked at here.

mod balance;
mod baseline;
mod frozen;
mod ledger;
mod logarithm;
mod split;
mod target;
mod weights;

use std::path::Path;
use std::sync::Arc;

use datasets::{
    Coercion, CoercionReason, ColumnSchema, DataError, Format, Kind, Note, Profile, Raw, ReadOptions, Schema, Storage,
    Table, nearest,
};
use trainers::transform::FeatureSettings;
use trainers::{Algorithm, Measure, Metric, Target, Task};

pub(crate) use baseline::answer;
pub(crate) use frozen::prepare_frozen;
pub use ledger::{Dropped, Ledger, Role};
pub use logarithm::LogTarget;
pub use split::SplitPlan;
pub(crate) use split::thousands;
use target::labels_of;
pub(crate) use target::natural_positive;
pub use weights::Weights;

use crate::candidate;
use crate::error::AutoMlError;
use crate::guardrail::{self, Check};
use crate::spec::AutoMlSpec;

/// A table made ready for a search.
#[derive(Debug)]
pub struct Prepared {
    /// All columns and rows of the training data.
    pub table: Arc<Table>,
    /// The features with the rules by which they were read, frozen into the model.
    pub schema: Schema,
    /// How its features are made, where something was asked for.
    pub settings: FeatureSettings,
    /// The target's column with the rules by which it was read.
    pub target_schema: ColumnSchema,
    /// The target per table row; rows outside `rows` hold a filler.
    pub target: Arc<Target>,
    /// Its logarithms, where candidates may learn them in its place.
    pub logarithm: Option<LogTarget>,
    /// Weights with which classes count alike, where candidates may learn so.
    pub balance: Option<Arc<[f64]>>,
    /// The rows that are used, in file order.
    pub rows: Vec<u32>,
    /// How much rows count in training; none: all alike.
    pub weights: Option<Weights>,
    /// What is searched: what answers the task, and is asked for.
    pub algorithms: Vec<Algorithm>,
    /// Folds, holdout and the study's ladder of fidelities.
    pub split: SplitPlan,
    /// What came in, what is used, what is not and why.
    pub ledger: Ledger,
    /// The outcome of every guardrail.
    pub checks: Vec<Check>,
    /// Statistics per column.
    pub profile: Profile,
    /// The metric that chooses, with the range of the target's used rows.
    pub metric: Measure,
    /// The score of the same answer for every row, by the metric that chooses: mean over the folds.
    pub baseline: f64,
    /// Why this task: what in the request or the target decided.
    pub task_reason: String,
    /// Rows per class in class order; empty for regression.
    pub class_counts: Vec<usize>,
    /// SHA-256 of the bytes read, in hex.
    pub data_hash: String,
    /// How the file was read, in words.
    pub dialect: String,
    /// The test set, when one was named.
    pub test: Option<TestSet>,
}

/// A second table with the same columns and the target, read by the training data's rules.
#[derive(Debug)]
pub struct TestSet {
    /// All columns and rows.
    pub table: Table,
    /// The target per table row, in the training data's class order.
    pub target: Target,
    /// Rows with a target.
    pub rows: Vec<u32>,
    /// Cells that could not be read by the training data's rules.
    pub coercions: Vec<Coercion>,
}

impl Prepared {
    /// The feature columns' names, in table order.
    pub fn features(&self) -> Vec<String> {
        self.schema.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The task of the target.
    pub fn task(&self) -> Task {
        self.target.task
    }
}

/// Reads the data and decides everything that is decided once.
pub fn prepare(spec: &AutoMlSpec) -> Result<Prepared, AutoMlError> {
    spec.check()?;
    let sources: Vec<String> = spec.train.iter().map(|source| located(source, spec.folder.as_deref())).collect();
    let raw = datasets::open(&sources, &ReadOptions::default())?;
    prepare_raw(spec, &raw)
}

/// [`prepare`] on data already in memory.
pub fn prepare_raw(spec: &AutoMlSpec, raw: &Raw) -> Result<Prepared, AutoMlError> {
    spec.check()?;
    check_columns(spec, raw)?;
    let spec = &spec.with_purposes()?;
    let (full, mut notes) = Schema::infer(raw, &spec.types)?;
    notes.extend(raw.notes.iter().cloned());
    let (table, _) = full.read(raw)?;
    let target_schema = full.column(&spec.target).cloned().ok_or_else(|| missing_target(&spec.target, raw))?;

    let labels = labels_of(&table, &spec.target)?;
    let decided = target::decide(spec, &target_schema, &labels)?;
    let read = target::read(spec, &decided, &labels)?;
    let metric = spec.metric.clone().unwrap_or_else(|| Metric::default_for(decided.task).into());
    let metric = Measure::new(metric, read.target.range(read.rows.iter().copied()));
    let target = Arc::new(read.target);
    let weights = weights::read(spec, &table, &read.rows)?;
    let algorithms = candidate::searched(decided.task, weights.is_some(), &spec.algorithms)?;

    let mut ledger = ledger::open_ledger(spec, &full, table.n_rows(), notes);
    ledger.drop_rows(read.n_missing, format!("without a `{}` value", spec.target));
    for (class, n) in &read.dropped_classes {
        ledger.drop_rows(*n, format!("the only row of class `{class}`; two are needed to split"));
    }
    let found = guardrail::check(spec, &table, &target, &read.rows, &metric, &mut ledger);
    if ledger.used().is_empty() {
        return Err(AutoMlError::unusable(
            format!("no usable feature is left of {} columns: {}", full.columns.len(), ledger.dropped_in_words()),
            "keep one with --keep-column COL, or say its type with --types COL=TYPE",
        ));
    }
    let schema = full.without(&ledger.unused_names());
    let settings = spec.featurization.settings(&schema)?;
    let split = split::plan(spec, &table, &target, &read.rows, found.together.as_deref())?;
    if let Some(weights) = &weights {
        weights::check_folds(weights, &split.folds)?;
    }
    let profile = Profile::of(&table, &full);
    let logarithm = LogTarget::worth_trying(&target, &read.rows, &settings);
    if logarithm.is_some() {
        let note = Note::column(&spec.target, "its tail is heavy; logarithms of it are tried too");
        ledger.notes.push(note.or("--block-transformer log_target"));
    }
    let class_counts = class_counts(&target, &read.rows);
    let mut prepared = Prepared {
        logarithm,
        balance: balance::worth_trying(&metric, &target, &class_counts, &read.rows, weights.as_ref()),
        class_counts,
        table: Arc::new(table),
        schema,
        settings,
        target_schema,
        target,
        rows: read.rows,
        weights,
        algorithms,
        split,
        ledger,
        checks: found.checks,
        profile,
        metric,
        baseline: f64::NAN,
        task_reason: decided.reason,
        data_hash: raw.sha256.clone(),
        dialect: dialect(raw, &full),
        test: None,
    };
    prepared.baseline = baseline::score(&prepared)?;
    if let Some(path) = &spec.test {
        let test = open_test(&prepared, &located(path, spec.folder.as_deref()))?;
        baseline::check_test(&prepared, &test, path)?;
        prepared.ledger.notes.extend(told(&test, path));
        let theirs = (&test.table, &*test.rows);
        let found = guardrail::check_test(spec, (&prepared.table, &prepared.rows), theirs, &prepared.features());
        prepared.checks.extend(found);
        prepared.test = Some(test);
    }
    Ok(prepared)
}

/// A source as it is reached from here: relative paths begin at the folder the request was made in.
pub(crate) fn located(source: &str, folder: Option<&str>) -> String {
    match folder {
        Some(folder) if source != "-" && !source.contains("://") => {
            Path::new(folder).join(source).display().to_string()
        }
        _ => source.to_owned(),
    }
}

/// What of a test set was left out or read otherwise.
fn told(test: &TestSet, path: &str) -> Vec<Note> {
    let left = test.table.n_rows() - test.rows.len();
    let rows = (left > 0)
        .then(|| Note::file(format!("{path}: {left} rows have no target value that training knows; not scored")));
    let cells = test.coercions.iter().filter(|coercion| coercion.reason != CoercionReason::ExtraColumn);
    rows.into_iter().chain(cells.map(|coercion| Note::file(format!("{path}: {coercion}")))).collect()
}

/// Reads a second file by the training data's rules; its target must be there.
fn open_test(prepared: &Prepared, path: &str) -> Result<TestSet, AutoMlError> {
    let raw = datasets::open(&[path.to_owned()], &ReadOptions::default())?;
    read_labelled(&raw, &prepared.schema, &prepared.target_schema, prepared.task(), &prepared.target.classes)
}

/// A table with its target, read by frozen rules: a test set, or a file to evaluate a model on.
pub(crate) fn read_labelled(
    raw: &Raw,
    features: &Schema,
    target_schema: &ColumnSchema,
    task: Task,
    classes: &[String],
) -> Result<TestSet, AutoMlError> {
    if !raw.columns.iter().any(|column| column.name == target_schema.name) {
        return Err(missing_target(&target_schema.name, raw).into());
    }
    let mut schema = features.clone();
    schema.columns.push(target_schema.clone());
    let (table, coercions) = schema.read(raw)?;
    let labels = labels_of(&table, &target_schema.name)?;
    let (target, rows) = target::read_as(task, classes, &labels);
    if rows.is_empty() {
        return Err(AutoMlError::unusable(
            format!("column `{}`: no row holds a value the model knows", target_schema.name),
            "check that this is the file the model is meant for",
        ));
    }
    Ok(TestSet { table, target, rows, coercions })
}

/// The classes of a file that a model does not know, with their rows; none of numbers.
pub(crate) fn unknown_labels(
    raw: &Raw,
    target_schema: &ColumnSchema,
    classes: &[String],
) -> Result<Vec<(String, usize)>, AutoMlError> {
    let Some(cells) = raw.column(&target_schema.name).filter(|_| !classes.is_empty()) else { return Ok(Vec::new()) };
    let mut column = target_schema.clone();
    if column.kind == Kind::Boolean {
        // A third value makes it a category like any other.
        column.kind = Kind::Categorical;
    }
    let schema = Schema { columns: vec![column.with_levels_of(&cells.values)] };
    let (table, _) = schema.read(raw)?;
    let mut unknown = target::unknown_classes(classes, &labels_of(&table, &target_schema.name)?);
    if target_schema.kind == Kind::Boolean {
        unknown.retain(|(cell, _)| !classes.iter().any(|class| class.eq_ignore_ascii_case(cell)));
    }
    Ok(unknown)
}

/// Every column the request names must exist.
fn check_columns(spec: &AutoMlSpec, raw: &Raw) -> Result<(), AutoMlError> {
    let names: Vec<&str> = raw.columns.iter().map(|column| column.name.as_str()).collect();
    if !names.contains(&spec.target.as_str()) {
        return Err(missing_target(&spec.target, raw).into());
    }
    let split = [("--group", &spec.split.group), ("--time", &spec.split.time), ("--split-column", &spec.split.column)];
    let one = split.into_iter().filter_map(|(option, name)| name.as_ref().map(|name| (option, name)));
    let many = [("--ignore", &spec.ignore), ("--keep-column", &spec.keep_columns)];
    let listed = many.into_iter().flat_map(|(option, names)| names.iter().map(move |name| (option, name)));
    for (option, name) in one
        .chain(listed)
        .chain(spec.id.iter().map(|name| ("--id", name)))
        .chain(spec.weight.iter().map(|name| ("--weight", name)))
        .chain(spec.featurization.columns())
    {
        if !names.contains(&name.as_str()) {
            let hint = nearest(name, &names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(AutoMlError::Usage(format!("{option} {name}: there is no such column{hint}")));
        }
    }
    Ok(())
}

fn missing_target(name: &str, raw: &Raw) -> DataError {
    let names: Vec<&str> = raw.columns.iter().map(|column| column.name.as_str()).collect();
    DataError::MissingTarget { name: name.to_owned(), nearest: nearest(name, &names) }
}

/// How the file was read, in words: `comma, UTF-8, decimal point`.
fn dialect(raw: &Raw, schema: &Schema) -> String {
    let numbers = || schema.columns.iter().filter(|column| column.storage == Storage::Number);
    let commas = numbers().filter(|column| column.rules.decimal == ',').count();
    match (raw.dialect.format, numbers().count(), commas) {
        (Format::Delimited, 1.., 0) => format!("{}, decimal point", raw.dialect),
        (Format::Delimited, 1.., 1..) => format!("{}, decimal comma", raw.dialect),
        _ => raw.dialect.to_string(),
    }
}

fn class_counts(target: &Target, rows: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; target.classes.len()];
    if let Some(codes) = target.codes() {
        for &row in rows {
            counts[codes[row as usize] as usize] += 1;
        }
    }
    counts
}
