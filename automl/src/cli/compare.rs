//! `automl run compare`: two fits beside each other.

use platform::{RunId, Workspace};

use super::screen::{good, label, soft};
use super::{Context, table};
use crate::error::AutoMlError;
use crate::fit::to_json;
use crate::life::{Compared, Comparison, Verdict, compare};
use crate::prepare::thousands;
use crate::report::{number, two_digits};

/// A cell of the table of differences is cut here.
const WIDE: usize = 60;

pub(super) fn run(a: &RunId, b: &RunId, workspace: &Workspace, context: &mut Context) -> Result<(), AutoMlError> {
    let compared = compare(workspace, a, b)?;
    if context.screen.json() {
        context.screen.document(&to_json(&compared));
        return Ok(());
    }
    match compared {
        Compared::Not { reason, .. } => context.screen.line(&format!("not comparable: {reason}")),
        Compared::Comparable(found) => print(&found, context),
    }
    Ok(())
}

fn print(found: &Comparison, context: &mut Context) {
    let screen = &mut context.screen;
    let rows: Vec<Vec<String>> = [("A", &found.a), ("B", &found.b)]
        .into_iter()
        .map(|(name, side)| {
            vec![name.into(), side.run.clone(), side.model.clone(), number(side.score), number(side.loss)]
        })
        .collect();
    let header = ["", "run", "model", found.metric.as_str(), found.loss.as_str()];
    for (i, line) in table::lines(&header, &rows, &[3, 4]).into_iter().enumerate() {
        screen.line(&if i == 0 { soft(&line) } else { line });
    }
    screen.line("");
    let words = match found.verdict {
        Verdict::Win => "A is better",
        Verdict::Lose => "B is better",
        Verdict::Noise => "within noise of each other",
    };
    let (low, high) = found.interval;
    screen.line(&format!(
        "{}{}: {} of A less that of B is {} [{}, {}] on {} rows, each judged by models that had not seen it",
        label("Verdict"),
        good(words),
        found.loss,
        number(two_digits(found.difference)),
        number(two_digits(low)),
        number(two_digits(high)),
        thousands(found.n_rows)
    ));
    if found.differences.is_empty() {
        screen.line(&format!("{}nothing: the requests, the data and the models are the same", label("Differ")));
        return;
    }
    let rows: Vec<Vec<String>> =
        found.differences.iter().map(|differs| vec![differs.what.clone(), cut(&differs.a), cut(&differs.b)]).collect();
    for (i, line) in table::lines(&["what", "A", "B"], &rows, &[]).into_iter().enumerate() {
        let line = if i == 0 { soft(&line) } else { line };
        screen.line(&format!("{}{line}", label(if i == 0 { "Differ" } else { "" })));
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDE { text.to_owned() } else { text.chars().take(WIDE - 1).chain(['…']).collect() }
}
