//! What the report draws: how the search went, how good the model is, and what matters.

use trainers::{Predictions, Target, TargetValues};

use super::svg::{Plot, bars};
use crate::leaderboard::Summary;

/// More points than this only thicken a line or a cloud.
const POINTS: usize = 600;
/// A confusion matrix of more classes than this is a carpet.
const CONFUSION: usize = 12;

/// Best score so far over the seconds of the search.
pub(super) fn progress(summary: &Summary) -> Option<String> {
    let steps = &summary.search.improvements;
    let last = steps.last()?;
    let end = summary.cost.used_seconds.max(last.0);
    let mut points = vec![(steps[0].0, steps[0].2)];
    for pair in steps.windows(2) {
        points.push((pair[1].0, pair[0].2));
        points.push((pair[1].0, pair[1].2));
    }
    points.push((end, last.2));
    let range = |get: fn(&(f64, f64)) -> f64| {
        points.iter().map(get).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
    };
    let (y, metric) = (range(|p| p.1), &summary.goal.metric);
    let title = format!("best {metric} so far over {end:.0} seconds, ending at {:.4}", last.2);
    Some(Plot::new(&title, "seconds", metric, (0.0, end), y).line("line", points).finish())
}

/// What the honest predictions look like: a ROC curve, a confusion matrix as text rows, or predicted over actual.
pub(super) enum Quality {
    /// An SVG with what it shows.
    Plot(&'static str, String),
    /// Classes with counts: actual (row) by predicted (column).
    Confusion(Vec<Vec<usize>>),
    /// Nothing that would be readable.
    Nothing,
}

pub(super) fn quality(target: &Target, rows: &[u32], predictions: &Predictions) -> Quality {
    match &target.values {
        TargetValues::Classes(codes) if target.classes.len() == 2 => {
            let scored = rows.iter().zip(predictions.column(1)).map(|(&row, p)| (p, codes[row as usize] == 1));
            Quality::Plot("ROC curve", roc(scored.collect()))
        }
        TargetValues::Classes(codes) if target.classes.len() <= CONFUSION => {
            let mut counts = vec![vec![0; target.classes.len()]; target.classes.len()];
            for (&row, label) in rows.iter().zip(predictions.labels()) {
                counts[codes[row as usize] as usize][label as usize] += 1;
            }
            Quality::Confusion(counts)
        }
        TargetValues::Classes(_) => Quality::Nothing,
        TargetValues::Numbers(numbers) => {
            let pairs = rows.iter().zip(predictions.column(0)).map(|(&row, p)| (numbers[row as usize], p)).collect();
            Quality::Plot("Predicted over actual", scatter(&thin(pairs)))
        }
    }
}

/// Columns by what shuffling them costs.
pub(super) fn importance(summary: &Summary) -> Option<String> {
    let rows: Vec<(String, f64)> = summary.importance.iter().filter(|(_, v)| *v > 0.0).take(15).cloned().collect();
    (!rows.is_empty()).then(|| bars("loss of score when a column is shuffled", &rows))
}

fn roc(mut scored: Vec<(f64, bool)>) -> String {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = scored.iter().filter(|(_, yes)| *yes).count().max(1) as f64;
    let negatives = (scored.len() as f64 - positives).max(1.0);
    let (mut points, mut hits, mut alarms) = (vec![(0.0, 0.0)], 0.0, 0.0);
    for (i, &(p, yes)) in scored.iter().enumerate() {
        if yes {
            hits += 1.0;
        } else {
            alarms += 1.0;
        }
        // Equal probabilities are one step of the curve.
        if scored.get(i + 1).is_none_or(|next| next.0 != p) {
            points.push((alarms / negatives, hits / positives));
        }
    }
    Plot::new("ROC curve", "false positive rate", "true positive rate", (0.0, 1.0), (0.0, 1.0))
        .line("faint", [(0.0, 0.0), (1.0, 1.0)])
        .line("line", thin(points))
        .finish()
}

fn scatter(pairs: &[(f64, f64)]) -> String {
    let range = pairs
        .iter()
        .flat_map(|pair| [pair.0, pair.1])
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    Plot::new("predicted over actual", "actual", "predicted", range, range)
        .line("faint", [(range.0, range.0), (range.1, range.1)])
        .dots("dot", 2.2, pairs.iter().copied())
        .finish()
}

/// Every k-th point, the last always.
fn thin(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let step = points.len().div_ceil(POINTS).max(1);
    let last = points.last().copied();
    let mut kept: Vec<(f64, f64)> = points.into_iter().step_by(step).collect();
    if kept.last().copied() != last {
        kept.extend(last);
    }
    kept
}
