//! Why each trial that is no finished model was left: counted by state, rung and reason, and one by one.

use std::collections::BTreeMap;

use hyperdrive::{Fidelity, Rung, Trial, TrialState};
use maud::{Markup, html};

use super::page::Material;
use super::svg::{number, shorten};
use crate::candidate::ALGORITHM;
use crate::prepare::thousands;
use crate::spec::Seconds;

/// Trials that are listed one by one.
const LISTED: usize = 1000;
/// Characters of a reason.
const REASON: usize = 160;

/// How a trial ended, in words.
struct End {
    state: &'static str,
    /// The highest rung it reported; none where it reported nothing.
    rung: Option<Rung>,
    reason: String,
}

pub(super) fn section(material: &Material<'_>) -> Option<Markup> {
    let (trials, ladder) = (material.history.trials(), material.history.spec().ladder.rungs());
    let rung = |rung: Option<Rung>| rung.map_or_else(|| "before any".to_owned(), |rung| rung_in_words(rung, ladder));
    let mut counts: BTreeMap<(&str, String, String), usize> = BTreeMap::new();
    for end in trials.iter().map(end).filter(|end| end.state != "finished") {
        *counts.entry((end.state, rung(end.rung), end.reason)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    (!trials.is_empty()).then(|| {
        html! {
            @if counts.is_empty() { p { "None was: every trial finished." } } @else {
                p.soft { "A rung is how much of a full evaluation a trial had seen: " (rungs_in_words(ladder)) "." }
                div.wide { table {
                    thead { tr { th.num scope="col" { "trials" } th scope="col" { "state" } th scope="col" { "rung" } th scope="col" { "why" } } }
                    tbody { @for ((state, rung, reason), n) in counts.iter().take(LISTED) {
                        tr { td.num { (thousands(*n)) } td { (state) } td { (rung) } td { (reason) } }
                    } }
                } }
            }
            details {
                summary { "Every trial" @if trials.len() > LISTED { ": the first " (thousands(LISTED)) " of " (thousands(trials.len())) } }
                div.wide { table {
                    thead { tr { th.num scope="col" { "#" } th scope="col" { "algorithm" } th scope="col" { "state" } th scope="col" { "rung" }
                        th.num scope="col" { (material.summary.goal.metric) } th.num scope="col" { "cost" } th scope="col" { "why" } } }
                    tbody { @for trial in trials.iter().take(LISTED) { (row(trial, material, &rung)) } }
                } }
            }
        }
    })
}

fn row(trial: &Trial, material: &Material<'_>, rung: &dyn Fn(Option<Rung>) -> String) -> Markup {
    let end = end(trial);
    let seconds = material.summary.search.order == "arrival";
    html! {
        tr {
            td.num { (trial.id) } td { (trial.params.text(ALGORITHM).unwrap_or("–")) }
            td.loud[end.state == "failed"] { (end.state) } td { (rung(end.rung)) }
            td.num { @if let Some(value) = trial.value() { (number(value)) } @else { "–" } }
            td.num { @if seconds { (Seconds(trial.cost)) } @else { (number(trial.cost)) } }
            td.soft.params { small { (end.reason) } }
        }
    }
}

fn end(trial: &Trial) -> End {
    let (state, reason) = match &trial.state {
        TrialState::Finished { partial: false } => ("finished", String::new()),
        TrialState::Finished { partial: true } => {
            ("finished in part", "its own deadline came before the top rung".into())
        }
        TrialState::Paused { .. } => ("left", "others at its rung promised more for as long as the search went".into()),
        TrialState::Running { .. } => ("under way", "the search ended first".into()),
        TrialState::Stopped { reason, .. } => ("stopped", reason.clone()),
        TrialState::Failed { kind, reason } => ("failed", format!("{kind}: {reason}")),
    };
    End { state, rung: trial.rung(), reason: shorten(&reason, REASON) }
}

fn rung_in_words(rung: Rung, ladder: &[Fidelity]) -> String {
    let last = ladder.len().saturating_sub(1);
    ladder.get(usize::from(rung.0)).map_or_else(
        || rung.to_string(),
        |fidelity| {
            if usize::from(rung.0) == last { format!("{rung}: all") } else { format!("{rung}: {}", part(fidelity)) }
        },
    )
}

fn rungs_in_words(ladder: &[Fidelity]) -> String {
    let parts = ladder.iter().enumerate();
    parts.map(|(i, fidelity)| format!("{i}: {}", part(fidelity))).collect::<Vec<_>>().join(" · ")
}

/// `1 fold`, `25 % of the rows, 1 fold`.
fn part(fidelity: &Fidelity) -> String {
    let mut words = Vec::new();
    for (share, of) in [(fidelity.rows, "rows"), (fidelity.work, "rounds")] {
        if share < 1.0 {
            words.push(format!("{} % of the {of}", number(100.0 * share)));
        }
    }
    words.push(if fidelity.folds == 1 { "1 fold".into() } else { format!("{} folds", fidelity.folds) });
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_have_words() {
        let ladder =
            [(0.25, 1, 1.0), (1.0, 1, 0.5), (1.0, 5, 1.0)].map(|(rows, folds, work)| Fidelity { rows, folds, work });
        assert_eq!(rung_in_words(Rung(0), &ladder), "0: 25 % of the rows, 1 fold");
        assert_eq!(rung_in_words(Rung(1), &ladder), "1: 50 % of the rounds, 1 fold");
        assert_eq!(rung_in_words(Rung(2), &ladder), "2: all");
        assert_eq!(rung_in_words(Rung(7), &[]), "7");
    }
}
