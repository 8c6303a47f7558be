//! How the search went: the best so far by time, and how trials ended.

use maud::{Markup, html};

use super::figure::Figure;
use super::page::Material;
use super::plot::Plot;
use super::svg::number;
use crate::leaderboard::Summary;
use crate::prepare::thousands;

/// Improvements that are listed.
const LISTED: usize = 40;

pub(super) fn section(material: &Material<'_>) -> Markup {
    let (summary, search) = (material.summary, &material.summary.search);
    html! {
        p { (thousands(search.finished)) " trials finished, " (thousands(search.paused)) " were left at a lower rung, " (thousands(search.stopped)) " stopped, "
            (thousands(search.failed)) " failed; " (search.ended) "." }
        @if search.reproducible { p.soft { "The same data, seed and number of trials give the same model again, byte for byte." } }
        @if let Some(figure) = progress(summary) { div style="max-width: 44rem" { (figure) } }
    }
}

/// Best score so far over the seconds of the search.
fn progress(summary: &Summary) -> Option<Figure> {
    let steps = &summary.search.improvements;
    let last = steps.last()?;
    let end = summary.cost.used_seconds.max(last.0);
    let mut points = vec![(steps[0].0, steps[0].2)];
    for pair in steps.windows(2) {
        points.push((pair[1].0, pair[0].2));
        points.push((pair[1].0, pair[1].2));
    }
    points.push((end, last.2));
    let (low, high) = super::charts::range(points.iter().map(|point| point.1));
    let pad = 0.05 * (high - low);
    let metric = &summary.goal.metric;
    let title = format!("best {metric} so far over {end:.0} seconds, ending at {:.4}", last.2);
    let marks = steps.iter().map(|step| (step.0, step.2));
    Some(Figure {
        title: "Best so far".into(),
        caption: format!(
            "The best {metric} of a single trial by the seconds since the start, from {} to {} in {} {}.",
            number(steps[0].2),
            number(last.2),
            steps.len(),
            if steps.len() == 1 { "step" } else { "steps" }
        ),
        svg: Plot::new(&title, "seconds", metric, (0.0, end), (low - pad, high + pad))
            .line("line", points)
            .dots("dot", 2.5, marks)
            .finish(),
        header: ["trial", "seconds", metric].map(String::from).to_vec(),
        rows: steps
            .iter()
            .rev()
            .take(LISTED)
            .map(|&(at, trial, value)| vec![format!("#{trial}"), number(at), number(value)])
            .collect(),
        ..Figure::default()
    })
}
