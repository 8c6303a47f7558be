//! Checks of row indices, and rows in order of time.

use crate::error::DataError;
use crate::table::MISSING_TIME;

/// Rows must be distinct and, where a length is known, below it.
pub(super) fn check_rows(rows: &[u32], n_rows: Option<usize>) -> Result<(), DataError> {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    if let (Some(n_rows), Some(&last)) = (n_rows, sorted.last())
        && last as usize >= n_rows
    {
        return Err(DataError::RowOutOfRange { row: last as usize, n_rows });
    }
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(DataError::RepeatedRow { row: pair[0] as usize }),
        None => Ok(()),
    }
}

/// Rows in order of time, cut near each share of `cuts` (ascending) where the time changes.
pub(super) fn time_blocks(rows: &[u32], times: &[i64], cuts: &[f64]) -> Result<Vec<Vec<u32>>, DataError> {
    let missing = || rows.iter().filter(|&&row| times[row as usize] == MISSING_TIME);
    if let Some(&first) = missing().min() {
        return Err(DataError::MissingTimes { n_rows: missing().count(), first: first as usize + 1 });
    }
    let mut ordered = rows.to_vec();
    ordered.sort_unstable_by_key(|&row| (times[row as usize], row));
    let time = |i: usize| times[ordered[i] as usize];
    let mut blocks = Vec::with_capacity(cuts.len() + 1);
    let mut start = 0;
    for share in cuts {
        let wanted = ((share * ordered.len() as f64).round() as usize).clamp(start, ordered.len());
        // The nearest change of time, the later one first: learning from more is the safer error.
        let is_cut = |&i: &usize| i == ordered.len() || time(i - 1) != time(i);
        let after = (wanted.max(start + 1)..=ordered.len()).find(is_cut).unwrap_or(ordered.len());
        let before = (start + 1..=wanted).rev().find(is_cut);
        let end = match before {
            Some(before) if after == ordered.len() || wanted - before < after - wanted => before,
            _ => after,
        };
        blocks.push(ordered[start..end.max(start)].to_vec());
        start = end.max(start);
    }
    blocks.push(ordered[start..].to_vec());
    Ok(blocks)
}
