//! Predictions that no choice has seen, kept with their run row by row, so that two runs can be compared on the same rows.

use platform::{RunId, Workspace};
use serde::{Deserialize, Serialize};

use crate::conclude::Concluded;
use crate::error::AutoMlError;
use crate::fit::to_json;
use crate::prepare::Prepared;

/// The format of the artifact.
const VERSION: u32 = 1;
/// The document that says what the artifact holds.
const HEADER: &str = "honest";
/// The artifact: for each row its number in the table, its true class or number, and what was predicted, as little-endian
/// `f64`.
const CELLS: &str = "honest.f64";

/// What [`CELLS`] holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    version: u32,
    /// Class names in the order of the predictions; empty for numbers.
    pub(crate) classes: Vec<String>,
    /// Rows of each fold, in the order of the rows, and the threshold it was judged at.
    pub(crate) folds: Vec<(usize, f64)>,
}

/// The rows a run was judged on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Honest {
    pub(crate) header: Header,
    cells: Vec<f64>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judgement<'a> {
    /// The row of the table.
    pub(crate) row: u32,
    /// The number of its class, or its number.
    pub(crate) truth: f64,
    /// Probabilities, or a number.
    pub(crate) said: &'a [f64],
    /// Its fold.
    pub(crate) fold: usize,
    /// The threshold of its fold.
    pub(crate) threshold: f64,
}

impl Honest {
    pub(crate) fn of(concluded: &Concluded, prepared: &Prepared) -> Self {
        let target = &prepared.target;
        let truth = |row: u32| target.class(row).map(f64::from).or_else(|| target.number(row)).unwrap_or(f64::NAN);
        let rows = concluded.judged_rows.iter().zip(concluded.judged_predictions.rows());
        let cells = rows.flat_map(|(&row, said)| [f64::from(row), truth(row)].into_iter().chain(said.iter().copied()));
        Self {
            header: Header { version: VERSION, classes: target.classes.clone(), folds: concluded.judged_folds.clone() },
            cells: cells.collect(),
        }
    }

    pub(crate) fn save(&self, workspace: &Workspace, run: &RunId) -> Result<(), AutoMlError> {
        let bytes: Vec<u8> = self.cells.iter().flat_map(|cell| cell.to_le_bytes()).collect();
        workspace.put_artifact(run, CELLS, &bytes)?;
        workspace.set_document(run, HEADER, &to_json(&self.header))?;
        Ok(())
    }

    /// What a run kept; none of a run that did not come to its end, or was made before such predictions were kept.
    pub(crate) fn load(workspace: &Workspace, run: &RunId) -> Result<Option<Self>, AutoMlError> {
        let header =
            workspace.get_document(run, HEADER)?.and_then(|value| serde_json::from_value::<Header>(value).ok());
        let Some(header) = header.filter(|header| header.version == VERSION) else { return Ok(None) };
        let bytes = workspace.get_artifact(run, CELLS)?;
        let (words, _) = bytes.as_chunks::<8>();
        let honest = Self { header, cells: words.iter().map(|word| f64::from_le_bytes(*word)).collect() };
        let n_rows: usize = honest.header.folds.iter().map(|(n, _)| n).sum();
        Ok(Some(honest).filter(|honest| honest.cells.len() == n_rows * honest.width()))
    }

    fn width(&self) -> usize {
        2 + self.header.classes.len().max(1)
    }

    /// The rows by number.
    pub(crate) fn rows(&self) -> Vec<Judgement<'_>> {
        let folds = self.header.folds.iter().enumerate();
        let folds = folds.flat_map(|(fold, &(n, threshold))| std::iter::repeat_n((fold, threshold), n));
        let mut rows: Vec<Judgement<'_>> = self
            .cells
            .chunks_exact(self.width())
            .zip(folds)
            .map(|(cells, (fold, threshold))| Judgement {
                row: cells[0] as u32,
                truth: cells[1],
                said: &cells[2..],
                fold,
                threshold,
            })
            .collect();
        rows.sort_by_key(|judgement| judgement.row);
        rows
    }
}
