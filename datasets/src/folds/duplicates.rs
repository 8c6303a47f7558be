//! Equal rows.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::table::{Table, Values};

/// Puts equal rows into one group: `(group of each row, rows beyond the first of their group)`.
///
/// Rows are equal when all of `columns` are (every column when none is named; names the table lacks
/// are passed over); missing equals missing. Groups are numbered from 0 by their first row.
pub fn duplicate_groups(table: &Table, columns: &[&str]) -> (Vec<u32>, usize) {
    let chosen = chosen(table, columns);
    let mut groups = Vec::with_capacity(table.n_rows());
    // Rows of one hash are compared cell by cell with the first row of each group of that hash.
    let mut by_hash: HashMap<u64, Vec<(usize, u32)>> = HashMap::with_capacity(table.n_rows());
    let mut n_groups = 0;
    for (row, hash) in hashed(&chosen, table.n_rows()).into_iter().enumerate() {
        let seen = by_hash.entry(hash).or_default();
        let same = seen.iter().find(|&&(first, _)| chosen.iter().all(|values| same_cell(values, first, row)));
        let group = if let Some(&(_, group)) = same {
            group
        } else {
            seen.push((row, n_groups));
            n_groups += 1;
            n_groups - 1
        };
        groups.push(group);
    }
    let n_duplicates = groups.len() - n_groups as usize;
    (groups, n_duplicates)
}

/// A number per row that is equal for rows equal in all of `columns` (every column when none is named), in any table read
/// by the same schema; other rows share it only by chance, one pair in 2^64.
pub fn row_hashes(table: &Table, columns: &[&str]) -> Vec<u64> {
    hashed(&chosen(table, columns), table.n_rows())
}

/// In the order they are named in, so that two tables are hashed alike whatever the order of their columns.
fn chosen<'a>(table: &'a Table, columns: &[&str]) -> Vec<&'a Values> {
    if columns.is_empty() {
        return table.columns().iter().map(|column| &column.values).collect();
    }
    columns.iter().filter_map(|name| table.column(name)).map(|column| &column.values).collect()
}

fn hashed(chosen: &[&Values], n_rows: usize) -> Vec<u64> {
    let mut hashers = vec![DefaultHasher::new(); n_rows];
    for values in chosen {
        for (row, hasher) in hashers.iter_mut().enumerate() {
            hash_cell(values, row, hasher);
        }
    }
    hashers.into_iter().map(|hasher| hasher.finish()).collect()
}

/// Bits that are equal for equal numbers: one NaN, one zero.
fn number_bits(value: f64) -> u64 {
    if value.is_nan() {
        u64::MAX
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    }
}

fn hash_cell(values: &Values, row: usize, hasher: &mut DefaultHasher) {
    match values {
        Values::Number(values) => number_bits(values[row]).hash(hasher),
        Values::Category { codes, .. } => codes[row].hash(hasher),
        Values::Datetime(values) => values[row].hash(hasher),
        Values::Text(cells) => cells.get(row).hash(hasher),
    }
}

fn same_cell(values: &Values, a: usize, b: usize) -> bool {
    match values {
        Values::Number(values) => number_bits(values[a]) == number_bits(values[b]),
        Values::Category { codes, .. } => codes[a] == codes[b],
        Values::Datetime(values) => values[a] == values[b],
        Values::Text(cells) => cells.get(a) == cells.get(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Column;

    #[test]
    fn equal_rows_share_a_group() {
        let table = Table::new(vec![
            Column::new("x", Values::Number(vec![1.0, f64::NAN, 1.0, f64::NAN, -0.0, 0.0])),
            Column::new("s", Values::Text(["a", "b", "a", "c", "d", "d"].into_iter().collect())),
            Column::new("id", Values::Number(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0])),
        ])
        .unwrap();
        assert_eq!(duplicate_groups(&table, &["x", "s"]), (vec![0, 1, 0, 2, 3, 3], 2));
        assert_eq!(duplicate_groups(&table, &["x"]), (vec![0, 1, 0, 1, 2, 2], 3));
        assert_eq!(duplicate_groups(&table, &[]), (vec![0, 1, 2, 3, 4, 5], 0));
        let hashes = row_hashes(&table, &["x", "s"]);
        assert!(hashes[0] == hashes[2] && hashes[4] == hashes[5] && hashes[0] != hashes[1]);
        assert_eq!(row_hashes(&table.take(&[5, 1]).unwrap(), &["x", "s"]), [hashes[5], hashes[1]]);
    }
}
