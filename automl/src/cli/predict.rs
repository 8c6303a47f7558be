//! `automl predict`: same rows, same order; `prediction`, then one probability column per class.

use std::fmt::Write;
use std::str::FromStr;

use datasets::{Coercion, CoercionReason, RawColumn, ReadOptions};
use serde_json::json;
use trainers::{Fitted, Measure, Metric, MetricSpec, Predictions, Task};

use super::args::PredictArgs;
use super::{Context, load_model};
use crate::ensemble::threshold_metric;
use crate::error::AutoMlError;
use crate::predict::{predict_rows, quoted};

/// Coerced columns that are listed one by one.
const SHOWN: usize = 8;

/// When a binary model says yes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Threshold {
    /// From this probability.
    At(f64),
    /// Where F1 was best on out-of-fold rows: the model's own, when it was chosen by F1.
    F1,
    /// Where the expected cost of mistakes is least: `fp / (fp + fn)` (Elkan, "The foundations of cost-sensitive
    /// learning", IJCAI 2001, equation 2).
    Cost { fp: f64, fnegative: f64 },
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no threshold: write 0.31, f1 or cost:fp=1,fn=5");
        if text == "f1" {
            return Ok(Self::F1);
        }
        if let Some(costs) = text.strip_prefix("cost:") {
            let (mut fp, mut fnegative) = (None, None);
            for part in costs.split(',') {
                let (name, value) = part.split_once('=').ok_or_else(bad)?;
                let value: f64 = value.trim().parse().map_err(|_| bad())?;
                match name.trim() {
                    "fp" => fp = Some(value),
                    "fn" => fnegative = Some(value),
                    _ => return Err(bad()),
                }
            }
            return match (fp, fnegative) {
                (Some(fp), Some(fnegative)) if fp > 0.0 && fnegative > 0.0 && (fp + fnegative).is_finite() => {
                    Ok(Self::Cost { fp, fnegative })
                }
                _ => Err(bad()),
            };
        }
        match text.parse::<f64>() {
            Ok(value) if (0.0..=1.0).contains(&value) => Ok(Self::At(value)),
            _ => Err(bad()),
        }
    }
}

pub(super) fn run(args: &PredictArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let (mut model, name) = load_model(&args.model, context)?;
    if let Some(threshold) = args.threshold {
        model.card.threshold = Some(cut(threshold, &model)?);
    }
    if args.proba && model.card.task == Task::Regression {
        context
            .screen
            .note(&format!("--proba: {name} is a regression and has no classes; only predictions are written"));
    }
    check_names(args, &model)?;
    let raw = datasets::open(&args.input, &ReadOptions::default())?;
    let mut kept = Vec::new();
    for column in &args.keep {
        kept.push(raw.column(column).ok_or_else(|| {
            let hint = datasets::nearest(column, &raw.names())
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            AutoMlError::Usage(format!("--keep {column}: there is no such column{hint}"))
        })?);
    }
    let (table, coercions) = model.card.schema.read(&raw)?;
    let predictions = predict_rows(&model, &table)?;

    let n_rows = table.n_rows();
    let output = Output { kept, proba: args.proba, model: &model, predictions };
    let words = coerced(&coercions, &model.card.target);
    match &args.out {
        Some(path) => platform::write_atomic(path, output.csv().as_bytes())?,
        None if !context.screen.json() => context.screen.raw(&output.csv()),
        None => {}
    }
    if context.screen.json() {
        let rows = args.out.is_none().then(|| output.json());
        context.screen.document(&json!({
            "model": name, "rows": n_rows, "out": args.out, "threshold": model.card.threshold,
            "coercions": coercions, "predictions": rows,
        }));
        return Ok(0);
    }
    for line in words {
        context.screen.note(&line);
    }
    if let Some(path) = &args.out {
        context.screen.note(&format!("{n_rows} predictions by {name} written to {}", path.display()));
    }
    Ok(0)
}

/// No two columns of the output may have one name.
fn check_names(args: &PredictArgs, model: &Fitted) -> Result<(), AutoMlError> {
    let own: Vec<String> = model.card.classes.iter().filter(|_| args.proba).map(|class| format!("p_{class}")).collect();
    let mut names: Vec<&str> = own.iter().map(String::as_str).chain(["prediction"]).collect();
    for name in &args.keep {
        if names.contains(&name.as_str()) {
            return Err(AutoMlError::Usage(format!(
                "--keep {name}: the predictions already have a column of that name"
            )));
        }
        names.push(name);
    }
    Ok(())
}

/// Predictions with the columns that go with them.
struct Output<'a> {
    kept: Vec<&'a RawColumn>,
    proba: bool,
    model: &'a Fitted,
    predictions: Predictions,
}

impl Output<'_> {
    /// `prediction`, then one probability per class in the stored order.
    fn names(&self) -> Vec<String> {
        let classes = self.model.card.classes.iter().filter(|_| self.proba);
        std::iter::once("prediction".to_owned()).chain(classes.map(|class| format!("p_{class}"))).collect()
    }

    /// The class a row is given; none for a regression.
    fn label(&self, values: &[f64]) -> Option<&str> {
        (self.model.card.task != Task::Regression).then(|| self.model.card.classes[self.model.label(values)].as_str())
    }

    fn csv(&self) -> String {
        let header = self.kept.iter().map(|column| column.name.clone()).chain(self.names());
        let mut text = header.map(|name| quoted(&name)).collect::<Vec<_>>().join(",");
        text.push('\n');
        for (row, values) in self.predictions.rows().enumerate() {
            for column in &self.kept {
                let cell = column.values.text(row);
                let _ = write!(text, "{},", quoted(cell.as_deref().unwrap_or("")));
            }
            match self.label(values) {
                Some(label) => text.push_str(&quoted(label)),
                None => {
                    let _ = write!(text, "{}", values[0]);
                }
            }
            for p in values.iter().filter(|_| self.proba) {
                let _ = write!(text, ",{p}");
            }
            text.push('\n');
        }
        text
    }

    fn json(&self) -> Vec<serde_json::Value> {
        let names = self.names();
        let row = |(row, values): (usize, &[f64])| {
            let kept = self.kept.iter().map(|column| (column.name.clone(), json!(column.values.text(row))));
            let prediction = self.label(values).map_or_else(|| json!(values[0]), |label| json!(label));
            let rest = std::iter::once(prediction).chain(values.iter().filter(|_| self.proba).map(|p| json!(p)));
            serde_json::Value::Object(kept.chain(names.iter().cloned().zip(rest)).collect())
        };
        self.predictions.rows().enumerate().map(row).collect()
    }
}

/// Cells that could not be read as in training, in words.
pub(super) fn coerced(coercions: &[Coercion], target: &str) -> Vec<String> {
    let (extra, changed): (Vec<&Coercion>, Vec<&Coercion>) = coercions
        .iter()
        .filter(|coercion| coercion.column != target)
        .partition(|coercion| coercion.reason == CoercionReason::ExtraColumn);
    let mut lines: Vec<String> = changed.iter().take(SHOWN).map(|coercion| format!("~ {coercion}")).collect();
    if changed.len() > SHOWN {
        lines.push(format!("~ and {} more columns", changed.len() - SHOWN));
    }
    if !extra.is_empty() {
        let names: Vec<&str> = extra.iter().take(SHOWN).map(|coercion| coercion.column.as_str()).collect();
        let more = if extra.len() > SHOWN { format!(" and {} more", extra.len() - SHOWN) } else { String::new() };
        lines.push(format!("~ not used by the model: {}{more}", names.join(", ")));
    }
    lines
}

fn cut(threshold: Threshold, model: &Fitted) -> Result<f64, AutoMlError> {
    if model.card.task != Task::Binary {
        return Err(AutoMlError::Usage(format!(
            "--threshold: the model is {}, only a binary one has a threshold",
            model.card.task
        )));
    }
    match threshold {
        Threshold::At(value) => Ok(value),
        Threshold::Cost { fp, fnegative } => Ok(fp / (fp + fnegative)),
        Threshold::F1 => {
            let by = MetricSpec::parse(&model.card.metric).map(|metric| threshold_metric(&Measure::new(metric, None)));
            if by.is_ok_and(|by| !by.is(Metric::F1) && !by.is(Metric::F1Binary)) {
                let text = format!(
                    "--threshold f1: this model's threshold was chosen by {}; name a number instead",
                    model.card.metric
                );
                return Err(AutoMlError::Usage(text));
            }
            Ok(model.card.threshold.unwrap_or(0.5))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_read_as_people_write_them() {
        assert_eq!("0.31".parse(), Ok(Threshold::At(0.31)));
        assert_eq!("f1".parse(), Ok(Threshold::F1));
        assert_eq!("cost:fp=1,fn=5".parse(), Ok(Threshold::Cost { fp: 1.0, fnegative: 5.0 }));
        for bad in ["1.5", "cost:fp=1", "cost:fp=0,fn=1", "F2", "nan"] {
            assert!(bad.parse::<Threshold>().is_err(), "{bad}");
        }
    }

    #[test]
    fn cells_are_quoted_only_where_needed() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
