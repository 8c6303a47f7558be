//! The distinct cells of a text column, counted: all that inference looks at.

use std::collections::HashMap;

use crate::raw::TextColumn;

/// Cells that mean a missing value in any column.
const MISSING_WORDS: [&str; 12] =
    ["NA", "N/A", "n/a", "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "?", "#N/A"];
/// Cells that mean a missing value in a column of numbers or times.
const MISSING_MARKS: [&str; 4] = ["-", ".", "--", "n.a."];

/// A cell as written, without the blanks around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    /// The text, never empty.
    pub(crate) text: &'a str,
    /// Rows that hold it.
    pub(crate) n: usize,
    /// The first of them, counted from 0.
    pub(crate) first_row: usize,
}

impl Cell<'_> {
    /// Whether the cell means a missing value in any column.
    pub(crate) fn is_missing_word(&self) -> bool {
        MISSING_WORDS.contains(&self.text)
    }

    /// Whether the cell means a missing value among numbers and times.
    pub(crate) fn is_missing_mark(&self) -> bool {
        MISSING_MARKS.contains(&self.text)
    }
}

/// The distinct cells of a column in order of first appearance.
pub(crate) struct Scan<'a> {
    /// Rows of the column.
    pub(crate) n_rows: usize,
    /// Rows that are empty, blank or null.
    pub(crate) n_blank: usize,
    /// What the other rows hold.
    pub(crate) cells: Vec<Cell<'a>>,
}

impl<'a> Scan<'a> {
    pub(crate) fn of(column: &'a TextColumn) -> Self {
        let mut position: HashMap<&str, u32> = HashMap::new();
        let mut cells: Vec<Cell<'a>> = Vec::new();
        let mut n_blank = 0;
        for (row, cell) in column.iter().enumerate() {
            let text = cell.unwrap_or_default().trim();
            if text.is_empty() {
                n_blank += 1;
                continue;
            }
            let at = *position.entry(text).or_insert(cells.len() as u32) as usize;
            match cells.get_mut(at) {
                Some(cell) => cell.n += 1,
                None => cells.push(Cell { text, n: 1, first_row: row }),
            }
        }
        Self { n_rows: column.len(), n_blank, cells }
    }
}

/// Rows that hold any of these cells.
pub(crate) fn n_rows_of(cells: &[Cell<'_>]) -> usize {
    cells.iter().map(|cell| cell.n).sum()
}

/// The cells that `read` refuses; `None` as soon as they are more than allowed.
pub(crate) fn strays<'a>(
    cells: &[Cell<'a>],
    allowed: Allowance,
    mut read: impl FnMut(&str) -> bool,
) -> Option<Vec<Cell<'a>>> {
    let mut refused = Vec::new();
    let mut n_rows = 0;
    for cell in cells {
        if !read(cell.text) {
            n_rows += cell.n;
            refused.push(*cell);
            if refused.len() > allowed.cells || n_rows > allowed.rows {
                return None;
            }
        }
    }
    Some(refused)
}

/// How much of a column may be something else than the rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    cells: usize,
    rows: usize,
}

impl Allowance {
    /// Nothing.
    pub(crate) const NONE: Self = Self { cells: 0, rows: 0 };
    /// Everything.
    pub(crate) const ALL: Self = Self { cells: usize::MAX, rows: usize::MAX };

    /// One row in a hundred, in at most ten distinct cells.
    pub(crate) fn of(cells: &[Cell<'_>]) -> Self {
        Self { cells: 10, rows: n_rows_of(cells) / 100 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_trimmed_and_counted() {
        let column: TextColumn = [Some("b"), None, Some(" a "), Some("  "), Some("a")].into_iter().collect();
        let scan = Scan::of(&column);
        assert_eq!((scan.n_rows, scan.n_blank), (5, 2));
        assert_eq!(scan.cells[0], Cell { text: "b", n: 1, first_row: 0 });
        assert_eq!(scan.cells[1], Cell { text: "a", n: 2, first_row: 2 });
    }

    #[test]
    fn strays_stay_within_their_allowance() {
        let column: TextColumn = (0..200).map(|i| if i < 198 { "1" } else { "x" }).collect();
        let scan = Scan::of(&column);
        let is_one = |text: &str| text == "1";
        assert!(strays(&scan.cells, Allowance::NONE, is_one).is_none());
        assert_eq!(strays(&scan.cells, Allowance::of(&scan.cells), is_one).map(|cells| n_rows_of(&cells)), Some(2));
        let column: TextColumn = (0..200).map(|i| if i < 197 { "1" } else { "x" }).collect();
        let scan = Scan::of(&column);
        assert!(strays(&scan.cells, Allowance::of(&scan.cells), is_one).is_none());
    }
}
