//! What the report draws of classes: curves over every threshold, and whether probabilities are true.

use rayon::prelude::*;
use trainers::{ClassRanking, Predictions, Target, reliability};

use super::figure::Figure;
use super::plot::Plot;
use super::svg::{number, shorten};
use crate::prepare::thousands;

/// More points than this only thicken a line or a cloud.
const POINTS: usize = 500;
/// More classes than this are a tangle.
pub(super) const CLASSES: usize = 12;
/// Curves are drawn from so many rows, over all classes drawn; more would take time and not be seen.
const CURVE_ROWS: usize = 400_000;
/// Bins of a reliability diagram.
const BINS: usize = 10;
/// Points of a curve that its table of numbers lists.
const LISTED: usize = 10;

/// The classes drawn: both of two (as one curve of the second), else the most frequent ones, in class order.
pub(super) fn drawn_classes(target: &Target, rows: &[u32]) -> Vec<usize> {
    if target.n_classes() == 2 {
        return vec![1];
    }
    let mut counts = vec![0_usize; target.n_classes()];
    for class in rows.iter().filter_map(|&row| target.class(row)) {
        counts[class as usize] += 1;
    }
    let mut drawn: Vec<usize> = (0..counts.len()).filter(|&class| counts[class] > 0).collect();
    drawn.sort_by(|&a, &b| counts[b].cmp(&counts[a]).then(a.cmp(&b)));
    drawn.truncate(CLASSES);
    drawn.sort_unstable();
    drawn
}

/// The ROC curve, the precision-recall curve and the reliability diagram, of each class drawn against the others.
pub(super) fn curves(target: &Target, rows: &[u32], predictions: &Predictions) -> Vec<Figure> {
    let drawn = drawn_classes(target, rows);
    let step = (rows.len() * drawn.len()).div_ceil(CURVE_ROWS).max(1);
    let kept: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let values = predictions.rows().step_by(step).flatten().copied().collect();
    let said = Predictions::new(predictions.n_outputs(), values);
    let rankings: Vec<(usize, ClassRanking)> = drawn
        .par_iter()
        .filter_map(|&class| Some((class, ClassRanking::new(target, &kept, &said, class).ok()?)))
        .collect();
    if rankings.is_empty() {
        return Vec::new();
    }
    let mut scope = if target.n_classes() == 2 {
        format!("Of {}.", target.classes[1])
    } else if target.n_classes() > drawn.len() {
        format!("Each class against all others; the {} most frequent of {} classes.", drawn.len(), target.n_classes())
    } else {
        "Each class against all others.".to_owned()
    };
    if step > 1 {
        scope = format!("{scope} Drawn from every {step}th row.");
    }
    let mut found = vec![roc(target, &rankings, &scope), precision_recall(target, &rankings, &scope)];
    found.extend(calibration(target, &kept, &said, &drawn, &scope));
    found
}

fn roc(target: &Target, rankings: &[(usize, ClassRanking)], scope: &str) -> Figure {
    let mut plot = Plot::new("ROC curve", "false positive rate", "true positive rate", (0.0, 1.0), (0.0, 1.0))
        .line("faint", [(0.0, 0.0), (1.0, 1.0)]);
    let mut figure = Figure {
        title: "ROC curve".into(),
        caption: format!(
            "How many are found for how many false alarms, at every threshold; the dashed line is chance. {scope}"
        ),
        header: ["class", "area"].map(String::from).to_vec(),
        ..Figure::default()
    };
    for (place, (class, ranking)) in rankings.iter().enumerate() {
        let (points, area) = (ranking.roc(), ranking.roc_auc());
        plot = plot.line(&format!("s{place}"), along(&points));
        figure.legend.push((format!("s{place}"), format!("{} · area {}", name(target, *class), number(area))));
        figure.rows.push(vec![name(target, *class), number(area)]);
    }
    if let [(_, ranking)] = rankings {
        let found = |rate: f64| ranking.roc().into_iter().find(|point| point.1 >= rate).map_or(1.0, |point| point.0);
        figure.header = ["of the positive rows found", "false positive rate"].map(String::from).to_vec();
        figure.rows =
            (1..=LISTED).map(|i| i as f64 / LISTED as f64).map(|r| vec![number(r), number(found(r))]).collect();
    }
    Figure { svg: plot.finish(), ..figure }
}

fn precision_recall(target: &Target, rankings: &[(usize, ClassRanking)], scope: &str) -> Figure {
    let mut plot = Plot::new("precision-recall curve", "recall", "precision", (0.0, 1.0), (0.0, 1.0));
    let mut figure = Figure {
        title: "Precision–recall curve".into(),
        caption: format!("How many of those called positive are, for how many are found, at every threshold. {scope}"),
        header: ["class", "average precision", "share of the rows"].map(String::from).to_vec(),
        ..Figure::default()
    };
    if let [(_, ranking)] = rankings {
        plot = plot.line("faint", [(0.0, ranking.share()), (1.0, ranking.share())]);
        figure.caption = format!("{} The dashed line is chance, {}.", figure.caption, number(ranking.share()));
    }
    for (place, (class, ranking)) in rankings.iter().enumerate() {
        let precision = number(ranking.average_precision());
        // A step down at the same recall is the curve's own; from 0 there is no precision to draw.
        plot = plot.line(&format!("s{place}"), along(&ranking.precision_recall()[1..]));
        figure.legend.push((format!("s{place}"), format!("{} · average precision {precision}", name(target, *class))));
        figure.rows.push(vec![name(target, *class), precision, number(ranking.share())]);
    }
    if let [(_, ranking)] = rankings {
        let at = |rate: f64| ranking.precision_recall()[1..].iter().find(|p| p.0 >= rate).map_or(0.0, |p| p.1);
        figure.header = ["recall", "precision"].map(String::from).to_vec();
        figure.rows = (1..=LISTED).map(|i| i as f64 / LISTED as f64).map(|r| vec![number(r), number(at(r))]).collect();
    }
    Figure { svg: plot.finish(), ..figure }
}

fn calibration(target: &Target, rows: &[u32], said: &Predictions, drawn: &[usize], scope: &str) -> Option<Figure> {
    let mut plot = Plot::new("calibration", "predicted probability", "observed share", (0.0, 1.0), (0.0, 1.0))
        .line("faint", [(0.0, 0.0), (1.0, 1.0)]);
    let mut figure = Figure {
        title: "Calibration".into(),
        caption: format!(
            "Rows in {BINS} equal bins by probability: what was said against what was so; on the dashed line it is true. {scope}"
        ),
        header: ["mean probability", "observed share", "rows"].map(String::from).to_vec(),
        ..Figure::default()
    };
    if drawn.len() > 1 {
        figure.header.insert(0, "class".into());
    }
    for (place, &class) in drawn.iter().enumerate() {
        let bins = reliability(target, rows, said, class, BINS).ok()?;
        let points: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.predicted, bin.observed)).collect();
        let series = format!("s{place}");
        plot = plot.line(&series, points.iter().copied());
        if drawn.len() > 1 {
            plot = plot.dots(&format!("{series} ring"), 2.5, points);
            figure.legend.push((series, name(target, class)));
        } else {
            // The area of a dot is its share of the rows.
            for (bin, point) in bins.iter().zip(points) {
                let radius = (2.5 + 12.0 * (bin.n_rows as f64 / rows.len() as f64).sqrt()).round();
                plot = plot.dots("dot", radius, [point]);
            }
        }
        figure.rows.extend(bins.iter().map(|bin| {
            let figures = [number(bin.predicted), number(bin.observed), thousands(bin.n_rows)];
            let class = (drawn.len() > 1).then(|| name(target, class));
            class.into_iter().chain(figures).collect()
        }));
    }
    if drawn.len() == 1 {
        figure.caption.push_str(" Larger dots are more rows.");
    }
    Some(Figure { svg: plot.finish(), ..figure })
}

fn name(target: &Target, class: usize) -> String {
    shorten(&target.classes[class], 24)
}

/// As many points as can be told apart, evenly along the curve's length, ends included: a curve that jumps and then creeps
/// keeps its corner, which every k-th point would not.
fn along(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= POINTS {
        return points.to_vec();
    }
    let length = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0).abs() + (pair[1].1 - pair[0].1).abs();
    let whole: f64 = points.windows(2).map(length).sum();
    let step = whole / (POINTS - 2) as f64;
    let (mut kept, mut since) = (vec![points[0]], 0.0);
    for pair in points.windows(2) {
        since += length(pair);
        if since >= step {
            kept.push(pair[1]);
            since = 0.0;
        }
    }
    if kept.last() != points.last() {
        kept.extend(points.last());
    }
    kept
}

/// All points, or [`POINTS`] of more, evenly picked.
pub(super) fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let kept = points.len().min(POINTS);
    (0..kept).map(|i| points[i * points.len() / kept]).collect()
}

/// The least and greatest of some numbers; infinite and reversed of none.
pub(super) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

#[cfg(test)]
mod tests {
    use trainers::{TargetValues, Task};

    use super::*;

    fn classes(n_classes: u32, n_rows: u32) -> (Target, Vec<u32>, Predictions) {
        let task = if n_classes == 2 { Task::Binary } else { Task::Multiclass };
        let codes: Vec<u32> = (0..n_rows).map(|row| row * 7 % n_classes).collect();
        let mut values = Vec::new();
        for &code in &codes {
            let sure = 0.2 + 0.6 * f64::from(code % 3) / 3.0;
            let rest = (1.0 - sure) / f64::from(n_classes - 1);
            values.extend((0..n_classes).map(|class| if class == code { sure } else { rest }));
        }
        let names = (0..n_classes).map(|class| format!("<c{class}>")).collect();
        let target = Target { task, classes: names, values: TargetValues::Classes(codes) };
        (target, (0..n_rows).collect(), Predictions::new(n_classes as usize, values))
    }

    #[test]
    fn two_classes_have_one_curve_and_many_no_more_than_twelve() {
        for (n_classes, drawn) in [(2, 1), (3, 3), (20, 12)] {
            let (target, rows, said) = classes(n_classes, 400);
            let figures = curves(&target, &rows, &said);
            assert_eq!(figures.len(), 3);
            for figure in &figures {
                let lines = (0..20).filter(|i| figure.svg.contains(&format!(r#"polyline class="s{i}""#))).count();
                assert_eq!(lines, drawn, "{}", figure.title);
                assert!(!figure.rows.is_empty() && !figure.svg.contains("<c0>"));
                assert_eq!(figure.caption.contains("12 most frequent of 20"), n_classes == 20, "{}", figure.caption);
            }
            let counted: usize = figures[2].rows.iter().filter_map(|row| row.last()?.parse::<usize>().ok()).sum();
            assert_eq!(counted, 400 * drawn, "every row is in a bin of each class");
        }
    }

    #[test]
    fn one_class_has_no_curves() {
        let (target, _, _) = classes(2, 2);
        assert!(curves(&target, &[0], &Predictions::new(2, vec![0.5, 0.5])).is_empty());
        assert!(curves(&target, &[], &Predictions::new(2, vec![])).is_empty());
    }

    #[test]
    fn a_thinned_curve_keeps_its_corner_and_its_ends() {
        let jump = (0..=10_000).map(|i| (0.0, f64::from(i) / 10_000.0));
        let creep = (0..=100_000).map(|i| (f64::from(i) / 100_000.0, 1.0));
        let points: Vec<(f64, f64)> = jump.chain(creep).collect();
        let kept = along(&points);
        assert!((POINTS / 2..=POINTS).contains(&kept.len()), "{}", kept.len());
        assert_eq!((kept[0], kept[kept.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
        let near = kept.iter().map(|p| p.0 + 1.0 - p.1).fold(1.0, f64::min);
        assert!(near < 0.01, "the corner is {near} away");
        assert_eq!(along(&points[..3]), points[..3]);
        assert_eq!((thin(&points).len(), thin(&points[..7]).len()), (POINTS, 7));
    }
}
