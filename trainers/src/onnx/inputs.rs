//! Raw columns: numbers side by side in one matrix, categories as codes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datasets::{ColumnSchema, Kind, Schema, Storage};

use super::graph::{GraphBuilder, Value, int, ints, string, strings};
use super::proto::{ValueInfo, data_type};
use super::{export::Layout, graph};
use crate::error::ExportError;

/// Letters up to which a boolean's word is known in every mix of upper and lower case.
const MOST_LETTERS: usize = 5;

/// The graph's inputs and what is known of them by name.
pub(super) struct Inputs<'a> {
    /// As they are declared.
    pub(super) ports: Vec<ValueInfo>,
    columns: BTreeMap<&'a str, (&'a ColumnSchema, Value)>,
    /// Columns of numbers, in the order of `numbers`.
    places: HashMap<&'a str, usize>,
    /// All numbers, `N × places`, and which of them are missing.
    numbers: Option<(Value, Value)>,
    codes: HashMap<&'a str, Value>,
    /// The shape of one column, `[N, 1]`.
    pub(super) shape: Value,
}

impl<'a> Inputs<'a> {
    /// Declares the named columns of the schema as inputs, in the schema's order.
    pub(super) fn declare(
        graph: &mut GraphBuilder,
        schema: &'a Schema,
        used: &BTreeSet<&str>,
        layout: Layout,
    ) -> Result<Inputs<'a>, ExportError> {
        let mut inputs = Inputs {
            ports: Vec::new(),
            columns: BTreeMap::new(),
            places: HashMap::new(),
            numbers: None,
            codes: HashMap::new(),
            shape: String::new(),
        };
        let mut numbers = Vec::new();
        for column in schema.columns.iter().filter(|column| used.contains(column.name.as_str())) {
            if column.name.is_empty() {
                return Err(ExportError::Nameless);
            }
            let (elem_type, doc) = match column.storage {
                Storage::Number => (data_type::DOUBLE, "a number; missing is NaN"),
                Storage::Category | Storage::Datetime | Storage::Text => {
                    (data_type::STRING, "a string without blanks around it; missing is empty")
                }
            };
            let matrix = layout == Layout::Matrix;
            inputs.ports.push(graph::port(&column.name, elem_type, matrix.then_some(&[1]), doc));
            let value = if matrix {
                column.name.clone()
            } else {
                let shape = graph.ints(&[-1, 1]);
                graph.op("Reshape", &[&column.name, &shape])
            };
            if column.storage == Storage::Number {
                inputs.places.insert(&column.name, numbers.len());
                numbers.push(value.clone());
            }
            if inputs.shape.is_empty() {
                inputs.shape = graph.op("Shape", &[&value]);
            }
            inputs.columns.insert(&column.name, (column, value));
        }
        if inputs.ports.is_empty() {
            return Err(ExportError::NoColumns);
        }
        if !numbers.is_empty() {
            let all = graph.beside(&numbers);
            let (nan, infinite) = (graph.op("IsNaN", &[&all]), graph.op("IsInf", &[&all]));
            let missing = graph.op("Or", &[&nan, &infinite]);
            inputs.numbers = Some((all, missing));
        }
        Ok(inputs)
    }

    /// What the schema says of a column.
    pub(super) fn schema(&self, column: &str) -> Result<&'a ColumnSchema, ExportError> {
        let found = self.columns.get(column).map(|(schema, _)| *schema);
        found.ok_or_else(|| ExportError::NoColumn { column: column.to_owned() })
    }

    /// Some columns of numbers, `N × columns`, and which of the numbers are missing (or infinite).
    pub(super) fn numbers(&self, graph: &mut GraphBuilder, columns: &[&str]) -> Result<(Value, Value), ExportError> {
        let place = |column: &&str| {
            self.places.get(column).copied().ok_or_else(|| ExportError::NoColumn { column: (*column).to_owned() })
        };
        let places = columns.iter().map(place).collect::<Result<Vec<usize>, ExportError>>()?;
        let (all, missing) = self.numbers.as_ref().ok_or(ExportError::NoColumns)?;
        let n = self.places.len();
        Ok((graph.columns(all, n, &places), graph.columns(missing, n, &places)))
    }

    /// The codes of a column of categories, a list of `N`: the index of the level, as many as there are levels for an
    /// unseen one, and one more for a missing cell.
    pub(super) fn codes(&mut self, graph: &mut GraphBuilder, column: &'a str) -> Result<Value, ExportError> {
        if let Some(codes) = self.codes.get(column) {
            return Ok(codes.clone());
        }
        let (schema, value) =
            self.columns.get(column).ok_or_else(|| ExportError::NoColumn { column: column.to_owned() })?;
        let keys = keys(schema);
        let codes = graph.ml(
            "LabelEncoder",
            &[value],
            vec![
                strings("keys_strings", keys.keys().map(String::as_str)),
                ints("values_int64s", keys.values().copied().collect()),
                int("default_int64", schema.rules.levels.len() as i64),
                string("default_string", "_Unused"),
            ],
        );
        let flat = graph.ints(&[-1]);
        let codes = graph.op("Reshape", &[&codes, &flat]);
        self.codes.insert(column, codes.clone());
        Ok(codes)
    }
}

/// The code of every cell that is known.
fn keys(column: &ColumnSchema) -> BTreeMap<String, i64> {
    let levels = &column.rules.levels;
    let mut keys: BTreeMap<String, i64> =
        levels.iter().enumerate().map(|(code, level)| (level.clone(), code as i64)).collect();
    if column.kind == Kind::Boolean {
        for word in levels.iter().flat_map(|level| cases(level)) {
            if let Some(code) = column.code(&word) {
                keys.insert(word, i64::from(code));
            }
        }
    }
    // A word for missing is one, even where it stands among the levels.
    let missing = levels.len() as i64 + 1;
    keys.extend(column.rules.missing.iter().map(|word| (word.trim().to_owned(), missing)));
    keys.insert(String::new(), missing);
    keys
}

/// A word in all mixes of upper and lower case; of a long one the usual three.
fn cases(word: &str) -> Vec<String> {
    if word.len() <= MOST_LETTERS && word.is_ascii() {
        let mixed = |mask: usize| {
            let letter = |(i, c): (usize, char)| {
                if mask >> i & 1 == 1 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            };
            word.chars().enumerate().map(letter).collect()
        };
        return (0..1 << word.len()).map(mixed).collect();
    }
    let (lower, upper) = (word.to_ascii_lowercase(), word.to_ascii_uppercase());
    let title = upper.chars().take(1).chain(lower.chars().skip(1)).collect();
    vec![lower, upper, title]
}
