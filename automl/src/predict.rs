//! Predicting many rows on the threads of the caller's pool. A row's prediction depends on that row alone, so cutting the
//! table changes no bit. And how a cell is written.

use datasets::Table;
use rayon::prelude::*;
use trainers::{Fitted, Model, Predictions};

use crate::error::AutoMlError;

/// Rows of one piece of work.
const PIECE: usize = 512;

/// Predictions of every row of `table`, in order.
pub(crate) fn predict_rows(model: &Fitted, table: &Table) -> Result<Predictions, AutoMlError> {
    let rows: Vec<u32> = (0..table.n_rows() as u32).collect();
    if rows.len() <= PIECE {
        return Ok(model.predict(table)?);
    }
    let pieces = rows
        .par_chunks(PIECE)
        .map(|piece| Ok(model.predict(&table.take(piece)?)?))
        .collect::<Result<Vec<Predictions>, AutoMlError>>()?;
    let n_outputs = pieces.first().map_or(1, Predictions::n_outputs);
    Ok(Predictions::new(n_outputs, pieces.iter().flat_map(|piece| piece.values().iter().copied()).collect()))
}

/// A CSV cell, quoted where RFC 4180 asks for it.
pub(crate) fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
