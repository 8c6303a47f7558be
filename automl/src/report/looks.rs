//! What the report draws of inputs: importance with its spread, and dependence.

use datasets::Values;

use super::bars::{Interval, bars, intervals};
use super::charts::{CLASSES, range};
use super::figure::Figure;
use super::plot::Plot;
use super::svg::{number, shorten, two_digits};
use crate::leaderboard::{DependenceSummary, Summary};
use crate::prepare::Prepared;

/// Columns of the drawing.
const DRAWN: usize = 15;
/// Columns of the table of numbers.
const LISTED: usize = 100;
/// Levels below an axis.
const LEVELS: usize = 10;

/// Columns by what shuffling them costs.
pub(super) fn importance(summary: &Summary) -> Option<Figure> {
    let deviation = |i: usize| summary.importance_deviations.get(i).copied();
    let positive: Vec<(usize, &(String, f64))> =
        summary.importance.iter().enumerate().filter(|(_, (_, loss))| *loss > 0.0).take(DRAWN).collect();
    if positive.is_empty() {
        return None;
    }
    let metric = &summary.goal.metric;
    let title = format!("loss of {metric} when a column is shuffled");
    let svg = if summary.importance_deviations.is_empty() {
        bars(&title, &positive.iter().map(|(_, row)| (*row).clone()).collect::<Vec<_>>())
    } else {
        let drawn: Vec<Interval> = positive
            .iter()
            .map(|(i, (name, loss))| (name.clone(), *loss, deviation(*i).map(|spread| (loss - spread, loss + spread))))
            .collect();
        intervals(&title, &drawn)
    };
    let repeated = if summary.importance_deviations.is_empty() {
        " Shuffled once."
    } else {
        " The line is one standard deviation over repeated shuffles to either side."
    };
    let rows = summary.importance.iter().take(LISTED).enumerate();
    Some(Figure {
        title: "Importance".into(),
        caption: format!("How much {metric} is lost when a column's values are put in another order.{repeated}"),
        svg,
        header: ["column", "lost", "±"].map(String::from).to_vec(),
        rows: rows
            .map(|(i, (name, loss))| {
                let spread = deviation(i).map_or_else(|| "–".to_owned(), |spread| number(two_digits(spread)));
                vec![shorten(name, 60), number(*loss), spread]
            })
            .collect(),
        ..Figure::default()
    })
}

/// The mean prediction by the values of each column: a line over numbers, dots over times and levels. All on one scale, so
/// that a slope here is a slope there.
pub(super) fn dependences(found: &[DependenceSummary], prepared: &Prepared) -> Vec<Figure> {
    // Of two classes the second says it all.
    let outputs: Vec<usize> = match prepared.target.n_classes() {
        0 => vec![0],
        2 => vec![1],
        n => {
            let mut frequent: Vec<usize> = (0..n).collect();
            frequent.sort_by_key(|&class| std::cmp::Reverse(prepared.class_counts.get(class).copied()));
            frequent.truncate(CLASSES);
            frequent.sort_unstable();
            frequent
        }
    };
    let all = found.iter().flat_map(|found| &found.means);
    let (low, high) = range(all.flat_map(|means| outputs.iter().map(|&output| means[output])));
    let pad = 0.05 * (high - low);
    found.iter().filter_map(|found| dependence(found, prepared, &outputs, (low - pad, high + pad))).collect()
}

fn dependence(found: &DependenceSummary, prepared: &Prepared, outputs: &[usize], y: (f64, f64)) -> Option<Figure> {
    let classes = &prepared.target.classes;
    let numeric = matches!(prepared.table.column(&found.column).map(|column| &column.values), Some(Values::Number(_)));
    let shown = if numeric { found.values.len() } else { found.values.len().min(LEVELS) };
    let at: Vec<f64> = if numeric {
        found.values.iter().map(|value| value.parse().ok()).collect::<Option<_>>()?
    } else {
        (0..shown).map(|i| i as f64).collect()
    };
    let of = |output: usize| found.means[..shown].iter().map(move |means| means[output]);
    let said = match classes.len() {
        0 => "mean prediction".to_owned(),
        2 => format!("mean probability of {}", classes[1]),
        _ => "mean probability".to_owned(),
    };
    let title = format!("{said} by {}", shorten(&found.column, 60));
    let mut plot = if numeric {
        Plot::new(&title, &found.column, &said, range(at.iter().copied()), y)
    } else {
        Plot::over_names(&title, &found.column, &said, &found.values[..shown], y)
    };
    let mut legend = Vec::new();
    for (place, &output) in outputs.iter().enumerate() {
        let points: Vec<(f64, f64)> = at.iter().copied().zip(of(output)).collect();
        let series = format!("s{place}");
        plot = plot.line(if numeric { &series } else { "faint" }, points.iter().copied());
        if outputs.len() == 1 || !numeric {
            plot = plot.dots(&format!("{series} ring"), 3.0, points);
        }
        if outputs.len() > 1 {
            legend.push((series, shorten(&classes[output], 24)));
        }
    }
    let some = if classes.len() > outputs.len().max(2) {
        format!(" The {} most frequent of {} classes.", outputs.len(), classes.len())
    } else {
        String::new()
    };
    let names =
        outputs.iter().map(|&output| classes.get(output).map_or_else(|| said.clone(), |name| shorten(name, 24)));
    Some(Figure {
        title: shorten(&found.column, 40),
        caption: format!(
            "{} where {} is the same in every row.{some}",
            super::page::capital(&said),
            shorten(&found.column, 60)
        ),
        svg: plot.finish(),
        legend,
        header: std::iter::once("value".to_owned()).chain(names).collect(),
        rows: found
            .values
            .iter()
            .zip(&found.means)
            .map(|(value, means)| {
                let figures = outputs.iter().map(|&output| number(means[output]));
                std::iter::once(shorten(value, 40)).chain(figures).collect()
            })
            .collect(),
    })
}
