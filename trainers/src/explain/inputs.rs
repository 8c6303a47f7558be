//! What a model reads, one part at a time: table columns, or the features made of them.

use datasets::{Column, MISSING, MISSING_TIME, Table, Values};

use crate::data::{Block, Kind, Predictions};
use crate::error::ModelError;
use crate::model::{Fitted, Model};

/// What is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The columns of the table.
    Columns,
    /// The features that the model's transforms make of them, by name; those of one name are one.
    Features,
}

/// A model with rows that it reads, of which parts can be put in another order or set to a value.
pub struct Inputs<'a> {
    model: &'a Fitted,
    table: &'a Table,
    view: View,
    blocks: Vec<Block>,
    names: Vec<String>,
}

/// Values that a part can be set to.
pub(super) enum Grid {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
    Times(Vec<i64>),
}

impl<'a> Inputs<'a> {
    /// The model's inputs on all rows of the table. Errors: a column the model needs is missing or of another kind.
    pub fn new(model: &'a Fitted, table: &'a Table, view: View) -> Result<Inputs<'a>, ModelError> {
        let blocks = model.blocks(table)?;
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &String| {
            if !names.contains(name) {
                names.push(name.clone());
            }
        };
        match view {
            View::Features => blocks.iter().flat_map(|block| &block.names).for_each(add),
            View::Columns => {
                model.chains().flat_map(|chain| &chain.features.columns).for_each(|fitted| add(&fitted.column));
            }
        }
        Ok(Inputs { model, table, view, blocks, names })
    }

    /// The names of the parts.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.table.n_rows()
    }

    /// The model's predictions of the rows as they are.
    pub fn predict(&self) -> Predictions {
        self.model.predict_blocks(&self.blocks, self.n_rows())
    }

    /// The predictions with one part's values taken from other rows, as many as there are.
    pub fn predict_shuffled(&self, part: usize, order: &[u32]) -> Result<Predictions, ModelError> {
        match self.view {
            View::Columns => self.model.predict(&super::shuffled(self.table, &self.names[part], order)?),
            View::Features => Ok(self.with_feature(part, |column, row| column[order[row] as usize])),
        }
    }

    /// Up to `most` values of a part as they occur, in order, with their words: levels by their frequency, of the rest
    /// quantiles. Empty for text.
    pub(super) fn grid(&self, part: usize, most: usize) -> (Grid, Vec<String>) {
        if self.view == View::Features {
            let found = self.feature(part);
            let Some((kind, column)) = found else { return (Grid::Numbers(Vec::new()), Vec::new()) };
            let present: Vec<f64> = column.iter().filter(|x| !x.is_nan()).map(|x| f64::from(*x)).collect();
            let values = match kind {
                Kind::Number => spread(present, most, f64::total_cmp),
                Kind::Category { .. } => frequent(present, most, f64::total_cmp),
            };
            let words = values.iter().map(ToString::to_string).collect();
            return (Grid::Numbers(values), words);
        }
        let values = self.table.column(&self.names[part]).map(|column| &column.values);
        let grid = match values {
            Some(Values::Number(values)) => {
                let present = values.iter().copied().filter(|value| !value.is_nan()).collect();
                Grid::Numbers(spread(present, most, f64::total_cmp))
            }
            Some(Values::Category { codes, levels }) => {
                let present = codes.iter().copied().filter(|code| (*code as usize) < levels.len()).collect();
                Grid::Codes(frequent(present, most, u32::cmp))
            }
            Some(Values::Datetime(values)) => {
                let present = values.iter().copied().filter(|value| *value != MISSING_TIME).collect();
                Grid::Times(spread(present, most, i64::cmp))
            }
            Some(Values::Text(_)) | None => Grid::Codes(Vec::new()),
        };
        let set = grid.values(values);
        let words =
            (0..set.len()).map(|i| set.display(i).map_or_else(String::new, std::borrow::Cow::into_owned)).collect();
        (grid, words)
    }

    /// The predictions with one part set to value `at` of its grid in every row.
    pub(super) fn predict_fixed(&self, part: usize, grid: &Grid, at: usize) -> Result<Predictions, ModelError> {
        let n = self.n_rows();
        if let (View::Features, Grid::Numbers(values)) = (self.view, grid) {
            return Ok(self.with_feature(part, |_, _| values[at] as f32));
        }
        let name = &self.names[part];
        let one = grid.values(self.table.column(name).map(|column| &column.values));
        let columns = self.table.columns().iter().map(|column| {
            let fixed = column.name == *name;
            let values = if fixed { one.take(&vec![at as u32; n]) } else { column.values.clone() };
            Column::new(column.name.clone(), values)
        });
        self.model.predict(&Table::with_rows(columns.collect(), n)?)
    }

    fn feature(&self, part: usize) -> Option<(Kind, &[f32])> {
        self.blocks.iter().find_map(|block| {
            let at = block.names.iter().position(|name| *name == self.names[part])?;
            Some((block.kinds[at], block.column(at)))
        })
    }

    /// Predictions with a feature's values made anew, in every block that has it.
    fn with_feature(&self, part: usize, value: impl Fn(&[f32], usize) -> f32) -> Predictions {
        let blocks: Vec<Block> = self
            .blocks
            .iter()
            .map(|block| {
                let mut changed = block.clone();
                for (at, _) in block.names.iter().enumerate().filter(|(_, name)| **name == self.names[part]) {
                    let column = block.column(at);
                    for (row, cell) in changed.values[at * block.n_rows..][..block.n_rows].iter_mut().enumerate() {
                        *cell = value(column, row);
                    }
                }
                changed
            })
            .collect();
        self.model.predict_blocks(&blocks, self.n_rows())
    }
}

impl Grid {
    pub(super) fn len(&self) -> usize {
        match self {
            Grid::Numbers(values) => values.len(),
            Grid::Codes(values) => values.len(),
            Grid::Times(values) => values.len(),
        }
    }

    /// The values as cells of a column like that one.
    fn values(&self, like: Option<&Values>) -> Values {
        match (self, like) {
            (Grid::Codes(codes), Some(Values::Category { levels, .. })) => {
                Values::Category { codes: codes.clone(), levels: levels.clone() }
            }
            (Grid::Codes(codes), _) => {
                Values::Category { codes: vec![MISSING; codes.len()], levels: Vec::new().into() }
            }
            (Grid::Numbers(values), _) => Values::Number(values.clone()),
            (Grid::Times(values), _) => Values::Datetime(values.clone()),
        }
    }
}

/// Evenly spaced order statistics, ends included, each once.
fn spread<T: Copy + PartialEq>(
    mut values: Vec<T>,
    most: usize,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Vec<T> {
    values.sort_unstable_by(&order);
    let mut distinct = values.clone();
    distinct.dedup();
    if distinct.len() <= most || most < 2 {
        distinct.truncate(most);
        return distinct;
    }
    let last = values.len() - 1;
    let mut picked: Vec<T> = (0..most).map(|i| values[i * last / (most - 1)]).collect();
    picked.dedup();
    picked
}

/// The most frequent values, in order.
fn frequent<T: Copy + PartialEq>(
    mut values: Vec<T>,
    most: usize,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Vec<T> {
    values.sort_unstable_by(&order);
    let mut counted: Vec<(T, usize)> = values.chunk_by(PartialEq::eq).map(|run| (run[0], run.len())).collect();
    counted.sort_by_key(|counted| std::cmp::Reverse(counted.1));
    counted.truncate(most);
    let mut picked: Vec<T> = counted.into_iter().map(|(value, _)| value).collect();
    picked.sort_unstable_by(order);
    picked
}
