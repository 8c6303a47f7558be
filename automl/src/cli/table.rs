//! Columns of text, aligned by the width a terminal gives each character.

use console::{measure_text_width, pad_str};

/// Lines of cells, the last column left ragged. `right` names the columns aligned to the right.
pub(super) fn lines(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> Vec<String> {
    let all: Vec<Vec<String>> =
        std::iter::once(header.iter().map(ToString::to_string).collect()).chain(rows.iter().cloned()).collect();
    let n = header.len();
    let widths: Vec<usize> = (0..n)
        .map(|column| {
            all.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell)).max().unwrap_or(0)
        })
        .collect();
    all.iter()
        .map(|row| {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let side = if right.contains(&column) { console::Alignment::Right } else { console::Alignment::Left };
                pad_str(cell, widths[column], side, None).into_owned()
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows = vec![vec!["µs".to_owned(), "1".to_owned()], vec!["naïve".to_owned(), "12".to_owned()]];
        assert_eq!(lines(&["a", "b"], &rows, &[1]), ["a       b", "µs      1", "naïve  12"]);
    }
}
