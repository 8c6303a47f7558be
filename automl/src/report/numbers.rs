//! What the report draws of predicted numbers: against the true ones, and what is left over.

use super::charts::{range, thin};
use super::figure::Figure;
use super::plot::Plot;
use super::svg::number;
use crate::prepare::thousands;

/// Columns of the histogram of residuals.
const COLUMNS: usize = 30;
/// Groups of equal size by prediction.
const TENTHS: usize = 10;
/// The histogram leaves out this share of the rows at either end, so that a few do not flatten it.
const TAIL: f64 = 0.005;

/// Predicted against true, residuals against predicted, and the histogram of the residuals. `pairs` are true and
/// predicted.
pub(super) fn figures(pairs: &[(f64, f64)], target: &str) -> Vec<Figure> {
    let pairs: Vec<(f64, f64)> = pairs.iter().copied().filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
    if pairs.is_empty() { Vec::new() } else { vec![predicted(&pairs, target), residuals(&pairs), spread(&pairs)] }
}

fn predicted(pairs: &[(f64, f64)], target: &str) -> Figure {
    let cloud: Vec<(f64, f64)> = thin(pairs).into_iter().map(|(truth, said)| (said, truth)).collect();
    let ends = range(cloud.iter().flat_map(|pair| [pair.0, pair.1]));
    let mut sorted: Vec<(f64, f64)> = pairs.iter().map(|&(truth, said)| (said, truth)).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let tenths: Vec<(f64, f64, usize)> = (0..TENTHS)
        .map(|i| &sorted[i * sorted.len() / TENTHS..(i + 1) * sorted.len() / TENTHS])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let mean = |get: fn(&(f64, f64)) -> f64| part.iter().map(get).sum::<f64>() / part.len() as f64;
            (mean(|pair| pair.0), mean(|pair| pair.1), part.len())
        })
        .collect();
    let svg =
        Plot::new("true against predicted", &format!("predicted {target}"), &format!("true {target}"), ends, ends)
            .line("faint", [(ends.0, ends.0), (ends.1, ends.1)])
            .dots("dot", 2.2, cloud.iter().copied())
            .line("s1", tenths.iter().map(|&(said, truth, _)| (said, truth)))
            .finish();
    let drawn = if cloud.len() < pairs.len() {
        format!(" {} of {} rows, evenly picked.", thousands(cloud.len()), thousands(pairs.len()))
    } else {
        String::new()
    };
    Figure {
        title: "True against predicted".into(),
        caption: format!(
            "One dot a row; on the dashed line the prediction is right. The line joins the means of tenths of the rows by prediction.{drawn}"
        ),
        svg,
        header: ["mean predicted", "mean true", "rows"].map(String::from).to_vec(),
        rows: tenths.iter().map(|&(said, truth, n)| vec![number(said), number(truth), thousands(n)]).collect(),
        ..Figure::default()
    }
}

fn residuals(pairs: &[(f64, f64)]) -> Figure {
    let cloud: Vec<(f64, f64)> = thin(pairs).into_iter().map(|(truth, said)| (said, truth - said)).collect();
    let (x, y) = (range(cloud.iter().map(|p| p.0)), range(cloud.iter().map(|p| p.1).chain([0.0])));
    let mut sorted = left_over(pairs);
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let shares = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];
    Figure {
        title: "Residuals".into(),
        caption: format!(
            "True less predicted, by what was predicted. Half of the rows lie from {} to {}, 90% from {} to {}.",
            number(at(0.25)),
            number(at(0.75)),
            number(at(0.05)),
            number(at(0.95))
        ),
        svg: Plot::new("residuals against predicted", "predicted", "true less predicted", x, y)
            .line("faint", [(x.0, 0.0), (x.1, 0.0)])
            .dots("dot", 2.2, cloud)
            .finish(),
        header: ["share of the rows below", "residual"].map(String::from).to_vec(),
        rows: shares.iter().map(|&share| vec![number(share), number(at(share))]).collect(),
        ..Figure::default()
    }
}

fn spread(pairs: &[(f64, f64)]) -> Figure {
    let mut sorted = left_over(pairs);
    sorted.sort_unstable_by(f64::total_cmp);
    let tail = (sorted.len() as f64 * TAIL) as usize;
    let shown = &sorted[tail..sorted.len() - tail];
    let (low, high) = (shown[0], shown[shown.len() - 1]);
    let mut counts = vec![0_usize; COLUMNS];
    for value in shown {
        let place = if high > low { ((value - low) / (high - low) * COLUMNS as f64) as usize } else { 0 };
        counts[place.min(COLUMNS - 1)] += 1;
    }
    let edge = |i: usize| low + (high - low) * i as f64 / COLUMNS as f64;
    let most = counts.iter().copied().max().unwrap_or(0) as f64;
    let hidden = if tail > 0 { format!(" Without {} rows at either end.", thousands(tail)) } else { String::new() };
    let columns = counts.iter().enumerate().map(|(i, &n)| (edge(i), edge(i + 1), n as f64));
    Figure {
        title: "How residuals are spread".into(),
        caption: format!("Rows by true less predicted.{hidden}"),
        svg: Plot::new("histogram of the residuals", "true less predicted", "rows", (low, high), (0.0, most))
            .columns(columns)
            .finish(),
        header: ["from", "to", "rows"].map(String::from).to_vec(),
        rows: counts
            .iter()
            .enumerate()
            .map(|(i, &n)| vec![number(edge(i)), number(edge(i + 1)), thousands(n)])
            .collect(),
        ..Figure::default()
    }
}

fn left_over(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(truth, said)| truth - said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_counted_once() {
        let pairs: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i), f64::from(i) + f64::from(i % 7) - 3.0)).collect();
        let [predicted, residuals, spread] = figures(&pairs, "y").try_into().expect("three figures");
        let last =
            |figure: &Figure| -> usize { figure.rows.iter().filter_map(|row| row.last()?.parse::<usize>().ok()).sum() };
        assert_eq!(last(&predicted), 1000);
        assert_eq!(last(&spread), 990, "{}", spread.caption);
        assert_eq!(residuals.rows[0], ["0", "-3"]);
        assert_eq!(residuals.rows[6], ["1", "3"]);
        assert!(predicted.svg.matches("<circle").count() == 500);
    }

    #[test]
    fn one_row_and_none_are_no_trouble() {
        assert!(figures(&[], "y").is_empty() && figures(&[(f64::NAN, 1.0)], "y").is_empty());
        for pair in [(1.0, 1.0), (0.0, -1e9)] {
            assert!(figures(&[pair], "y").iter().all(|figure| !figure.svg.contains("NaN")));
        }
    }
}
