//! What chains see of raw columns: the features of a featurizer, to the last bit.

use datasets::{Column, MISSING, Storage, Table, UNSEEN, Values};

use super::graph::{GraphBuilder, Value, int};
use super::inputs::Inputs;
use super::proto::data_type;
use crate::algorithm::Algorithm;
use crate::data::{Block, Kind};
use crate::error::ExportError;
use crate::transform::{FeaturizedColumn, Featurizer, Scale, Step};

/// The features of one featurizer as values of the graph.
pub(super) struct Features {
    /// `N × kinds` floats.
    pub(super) floats: Value,
    /// The same numbers as doubles.
    pub(super) doubles: Value,
    /// What each feature's numbers mean.
    pub(super) kinds: Vec<Kind>,
}

/// `clip((x - offset) · factor, low, high)` of a column, or a constant where the cell is missing.
struct Quantity<'a> {
    feature: usize,
    column: &'a str,
    scale: Scale,
    missing: f32,
}

/// One constant where the cell of a column is missing, another where it is not.
struct Marker<'a> {
    feature: usize,
    column: &'a str,
    missing: f32,
    present: f32,
}

/// The features of all columns; the algorithm that reads them is named where one cannot be carried. A featurizer has at
/// least one feature here.
pub(super) fn build<'a>(
    graph: &mut GraphBuilder,
    inputs: &mut Inputs<'a>,
    featurizer: &'a Featurizer,
    algorithm: Algorithm,
) -> Result<Features, ExportError> {
    let (mut quantities, mut markers, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    // Parts of the matrix, and which feature each column of them is.
    let (mut parts, mut order) = (Vec::new(), Vec::new());
    for fitted in &featurizer.columns {
        let first = kinds.len();
        let schema = inputs.schema(&fitted.column)?;
        if fitted.minus.is_some() {
            return Err(refusal(fitted, algorithm));
        }
        match (schema.storage, &fitted.encode) {
            (Storage::Number, Step::Impute(_) | Step::Keep(_) | Step::Scale(_)) => {
                let missing = features_of(fitted, Values::Number(vec![f64::NAN]))?;
                quantities.push(quantity(fitted, first, missing.column(0)[0], algorithm)?);
                if missing.n_features() > 1 {
                    let present = features_of(fitted, Values::Number(vec![0.0]))?;
                    let (missing, present) = (missing.column(1)[0], present.column(1)[0]);
                    markers.push(Marker { feature: first + 1, column: &fitted.column, missing, present });
                }
                kinds.extend(missing.kinds);
            }
            (Storage::Category, _) => {
                let codes = (0..schema.rules.levels.len() as u32).chain([UNSEEN, MISSING]).collect();
                let table = features_of(fitted, Values::Category { codes, levels: schema.rules.levels.clone() })?;
                if table.n_features() > 0 {
                    parts.push(looked_up(graph, inputs, &fitted.column, &table)?);
                    order.extend(first..first + table.n_features());
                    kinds.extend(table.kinds);
                }
            }
            _ => return Err(refusal(fitted, algorithm)),
        }
    }
    if !quantities.is_empty() {
        parts.push(scaled(graph, inputs, &quantities)?);
        order.extend(quantities.iter().map(|quantity| quantity.feature));
    }
    if !markers.is_empty() {
        parts.push(marked(graph, inputs, &markers)?);
        order.extend(markers.iter().map(|marker| marker.feature));
    }
    let all = graph.beside(&parts);
    let mut places = vec![0; order.len()];
    for (place, &feature) in order.iter().enumerate() {
        places[feature] = place;
    }
    let floats = graph.columns(&all, order.len(), &places);
    let doubles = graph.cast(&floats, data_type::DOUBLE);
    Ok(Features { floats, doubles, kinds })
}

fn refusal(fitted: &FeaturizedColumn, algorithm: Algorithm) -> ExportError {
    ExportError::Step { column: fitted.column.clone(), step: fitted.encode.transformer(), algorithm }
}

/// What the column's own step makes of some cells.
fn features_of(fitted: &FeaturizedColumn, cells: Values) -> Result<Block, ExportError> {
    let n_rows = cells.len();
    let table = Table::with_rows(vec![Column::new(fitted.column.clone(), cells)], n_rows)
        .map_err(|error| ExportError::Model(error.into()))?;
    Ok(Featurizer { columns: vec![fitted.clone()] }.apply(&table)?)
}

/// The first feature of a column of numbers.
fn quantity(
    fitted: &FeaturizedColumn,
    feature: usize,
    missing: f32,
    algorithm: Algorithm,
) -> Result<Quantity<'_>, ExportError> {
    let own = if let Step::Scale(scale) = &fitted.encode { Some(scale) } else { None };
    let scale = match (own, fitted.scale.first().and_then(Option::as_ref)) {
        (Some(scale), None) | (None, Some(scale)) => scale.clone(),
        (None, None) => Scale { offset: 0.0, factor: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY },
        (Some(_), Some(_)) => return Err(refusal(fitted, algorithm)),
    };
    // What is beyond single precision is clipped to it, as it is in a block.
    let within = |bound: f64| bound.clamp(f64::from(f32::MIN), f64::from(f32::MAX));
    let scale = Scale { low: within(scale.low), high: within(scale.high), ..scale };
    Ok(Quantity { feature, column: &fitted.column, scale, missing })
}

fn scaled(graph: &mut GraphBuilder, inputs: &Inputs<'_>, quantities: &[Quantity<'_>]) -> Result<Value, ExportError> {
    let columns: Vec<&str> = quantities.iter().map(|quantity| quantity.column).collect();
    let (mut x, missing) = inputs.numbers(graph, &columns)?;
    let n = quantities.len();
    let of = |get: fn(&Scale) -> f64| quantities.iter().map(|quantity| get(&quantity.scale)).collect::<Vec<f64>>();
    for (op, values, idle) in [
        ("Sub", of(|scale| scale.offset), 0.0),
        ("Mul", of(|scale| scale.factor), 1.0),
        ("Max", of(|scale| scale.low), f64::NAN),
        ("Min", of(|scale| scale.high), f64::NAN),
    ] {
        if values.iter().any(|&value| value != idle) {
            let values = graph.doubles(&[1, n], &values);
            x = graph.op(op, &[&x, &values]);
        }
    }
    let x = graph.cast(&x, data_type::FLOAT);
    let instead: Vec<f32> = quantities.iter().map(|quantity| quantity.missing).collect();
    let instead = graph.floats(&[1, n], &instead);
    Ok(graph.op("Where", &[&missing, &instead, &x]))
}

fn marked(graph: &mut GraphBuilder, inputs: &Inputs<'_>, markers: &[Marker<'_>]) -> Result<Value, ExportError> {
    let columns: Vec<&str> = markers.iter().map(|marker| marker.column).collect();
    let (_, missing) = inputs.numbers(graph, &columns)?;
    let of = |get: fn(&Marker<'_>) -> f32| markers.iter().map(get).collect::<Vec<f32>>();
    let yes = graph.floats(&[1, markers.len()], &of(|marker| marker.missing));
    let no = graph.floats(&[1, markers.len()], &of(|marker| marker.present));
    Ok(graph.op("Where", &[&missing, &yes, &no]))
}

/// The features of a category by its code: a table with a row for each level, then unseen, then missing.
fn looked_up<'a>(
    graph: &mut GraphBuilder,
    inputs: &mut Inputs<'a>,
    column: &'a str,
    table: &Block,
) -> Result<Value, ExportError> {
    let codes = inputs.codes(graph, column)?;
    let n = table.n_features();
    let cells: Vec<f32> = (0..table.n_rows).flat_map(|row| (0..n).map(move |j| table.column(j)[row])).collect();
    let cells = graph.floats(&[table.n_rows, n], &cells);
    Ok(graph.op_with("Gather", &[&cells, &codes], vec![int("axis", 0)]))
}
