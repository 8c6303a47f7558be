//! What the honest predictions look like: confusion and curves of classes, residuals of numbers.

use maud::{Markup, html};
use trainers::{TargetValues, Task, confusion_matrix};

use super::charts::{self, drawn_classes};
use super::page::Material;
use super::svg::shorten;
use super::{numbers, svg};
use crate::prepare::thousands;

/// A confusion matrix of one group more than this is a carpet.
const CLASSES: usize = charts::CLASSES;
/// One of more classes than this takes the whole width.
const ABREAST: usize = 4;

pub(super) fn section(material: &Material<'_>) -> Option<Markup> {
    let (rows, said) = (&material.concluded.judged_rows, &material.concluded.judged_predictions);
    let target = &material.prepared.target;
    let (figures, matrix) = match &target.values {
        TargetValues::Classes(_) => (charts::curves(target, rows, said), confusion(material)),
        TargetValues::Numbers(truth) => {
            let pairs: Vec<(f64, f64)> =
                rows.iter().zip(said.values()).map(|(&row, &said)| (truth[row as usize], said)).collect();
            (numbers::figures(&pairs, &material.summary.goal.target), None)
        }
    };
    let wide = target.n_classes() > ABREAST;
    (!figures.is_empty() || matrix.is_some()).then(|| {
        html! {
            p.soft { "Of " (thousands(rows.len())) " predictions, each by models that were neither fitted nor chosen on its row"
                @if material.summary.score.source.starts_with("validation") { " — but for the choice, which one fold cannot be spared" } "."
                @if matrix.is_some() && material.prepared.split.is_cross_validation() { " All folds are together here, so that an area may differ from the mean over folds." } }
            @if let Some(matrix) = &matrix && wide { (matrix) }
            div.pair {
                @if let Some(matrix) = &matrix && !wide { (matrix) }
                @for figure in &figures { (figure) }
            }
        }
    })
}

fn confusion(material: &Material<'_>) -> Option<Markup> {
    let (rows, said) = (&material.concluded.judged_rows, &material.concluded.judged_predictions);
    let target = &material.prepared.target;
    let cut = material.summary.threshold.as_ref().map_or(0.5, |threshold| threshold.value);
    let all = confusion_matrix(target, rows, said, cut).ok()?;
    let (names, counts) = if target.task == Task::Binary || target.n_classes() <= CLASSES {
        (target.classes.clone(), all)
    } else {
        others_together(&target.classes, &all, &drawn_classes(target, rows))
    };
    let column = |j: usize| counts.iter().map(|row| row[j]).sum::<usize>();
    let share = |part: usize, whole: usize| {
        if whole == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
    };
    Some(html! {
        figure.dense[names.len() > ABREAST] {
            h3 { "Confusion" }
            figcaption { "Actual by row, predicted by column"
                @if target.task == Task::Binary { ", positive from a probability of " (svg::number(cut)) ", the model's own threshold, which was chosen on these rows" }
                @if names.len() < target.n_classes() { "; the " (names.len() - 1) " most frequent classes, the others together, whose mix-ups do not show" } "." }
            div.wide { table {
                thead { tr { td {} @for name in &names { th.num scope="col" { (shorten(name, 12)) } } th.num scope="col" { "found" } } }
                tbody {
                    @for (actual, row) in counts.iter().enumerate() {
                        tr { th scope="row" { (shorten(&names[actual], 16)) }
                            @for (predicted, n) in row.iter().enumerate() {
                                td.num.hit[actual == predicted].miss[actual != predicted && *n > 0] { (thousands(*n)) }
                            }
                            td.num.soft { (share(row[actual], row.iter().sum())) } }
                    }
                    tr { th scope="row" { "right" } @for j in 0..names.len() { td.num.soft { (share(counts[j][j], column(j))) } } td {} }
                }
            } }
            p.soft { small { "found: of the rows of the class (recall) · right: of those predicted so (precision)" } }
        }
    })
}

/// Counts of some classes, and of all others as one.
fn others_together(names: &[String], counts: &[Vec<usize>], kept: &[usize]) -> (Vec<String>, Vec<Vec<usize>>) {
    let place = |class: usize| kept.binary_search(&class).unwrap_or(kept.len());
    let mut merged = vec![vec![0; kept.len() + 1]; kept.len() + 1];
    for (actual, row) in counts.iter().enumerate() {
        for (predicted, n) in row.iter().enumerate() {
            merged[place(actual)][place(predicted)] += n;
        }
    }
    let names = kept.iter().map(|&class| names[class].clone()).chain(["others".to_owned()]).collect();
    (names, merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_lost_among_the_others() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(String::from).to_vec();
        let counts = vec![vec![5, 1, 0, 2], vec![0, 1, 0, 0], vec![3, 0, 9, 0], vec![0, 4, 1, 2]];
        let (names, merged) = others_together(&names, &counts, &[0, 2]);
        assert_eq!(names, ["a", "c", "others"]);
        assert_eq!(merged, [[5, 0, 3], [3, 9, 0], [0, 1, 7]]);
    }
}
