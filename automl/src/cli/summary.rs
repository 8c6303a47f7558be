//! What a fit says when it is done: leaderboard, honest score, what was saved, and what to do next.

use std::path::Path;

use super::screen::{Screen, good, label, loud, relative, soft};
use super::table;
use crate::leaderboard::{Row, Score, Summary};
use crate::prepare::thousands;
use crate::report::{number, two_digits};
use crate::spec::{Bytes, Seconds};

/// Rows of the leaderboard that are printed.
const SHOWN: usize = 5;

pub(super) fn print(summary: &Summary, model_out: Option<&Path>, used_seconds: f64, screen: &mut Screen) {
    for line in board(&summary.leaderboard, SHOWN) {
        screen.line(&line);
    }
    let shown = summary.leaderboard.iter().take(SHOWN).filter(|row| row.trial.is_some()).count();
    let more = summary.n_models.saturating_sub(shown);
    let baseline = format!(" · baseline {}", number(summary.baseline));
    let more = match more {
        0 => format!("   automl leaderboard {}", summary.run),
        n => format!("…  {n} more: automl leaderboard {}", summary.run),
    };
    screen.line(&soft(&format!("{more}{baseline}")));
    screen.line("");
    for line in verdict(summary) {
        screen.line(&line);
    }
    let model = &summary.model;
    let file = model_out.map_or_else(String::new, |path| format!(" · {}", path.display()));
    screen.line(&format!("{}{}", label("Final"), model.trained_on));
    screen.line(&format!(
        "{}{} ({}){file} · report {}",
        label("Saved"),
        good(&model.name),
        Bytes(model.bytes),
        relative(&summary.report)
    ));
    let asked = summary.cost.asked_seconds.map_or_else(String::new, |asked| format!(" of {}", Seconds(asked)));
    let memory = Bytes(summary.cost.peak_memory_bytes);
    screen.line(&format!("{}{}{asked} · peak memory {memory}", label("Time"), Seconds(used_seconds)));
    screen.say("");
    if summary.state == "stopped" {
        screen.say("Stopped; everything finished is kept.");
        screen.say("");
    }
    let more = if summary.search.trials_exhausted { "--max-trials +40" } else { "--time-limit +10m" };
    screen.say(&format!("Next  automl predict --model {} new.csv --out pred.csv", model.name));
    screen.say(&format!("      automl resume {} {more}", summary.run));
}

/// The leaderboard's best rows, with a header.
pub(super) fn board(rows: &[Row], shown: usize) -> Vec<String> {
    let header = ["", "model", "CV (used to choose)", "nested", "fit", "µs/row"];
    let cells: Vec<Vec<String>> = rows
        .iter()
        .take(shown)
        .enumerate()
        .map(|(i, row)| {
            vec![
                (i + 1).to_string(),
                row.name.clone(),
                format!("{} ± {}", number(row.score), number(two_digits(row.deviation))),
                row.nested.map_or_else(|| "–".into(), number),
                if row.fit_seconds > 0.0 { Seconds(row.fit_seconds).to_string() } else { "–".into() },
                if row.predict_us > 0.0 { number(two_digits(row.predict_us)) } else { "–".into() },
            ]
        })
        .collect();
    let mut lines = table::lines(&header, &cells, &[0, 4, 5]);
    lines[0] = soft(&lines[0]);
    lines
}

/// The honest score and what it rests on.
fn verdict(summary: &Summary) -> Vec<String> {
    let score = &summary.score;
    let mut lines = vec![format!(
        "{}{} {}{}{}",
        label("Score"),
        score.metric,
        good(&number(score.value)),
        interval(score),
        others(score)
    )];
    let alike = if summary.goal.weight.is_some() { ", each counted alike" } else { "" };
    let looks = if score.looks > 1 { format!(", look {} at it", score.looks) } else { String::new() };
    lines.push(format!(
        "{}{}",
        label(""),
        soft(&format!("{} on {} rows{alike}{looks}", score.source, thousands(score.n_rows)))
    ));
    if let Some(near) = &score.within_noise_of {
        lines.push(format!("{}Within noise of {near} alone", label("")));
    }
    if summary.is_constant() {
        lines.push(format!("{}Nothing found is better than the mean by more than noise; the mean is saved", label("")));
    }
    if let Some(test) = &summary.test {
        lines.push(format!(
            "{}{} {}{}{} on {} rows",
            label("Test"),
            test.metric,
            good(&number(test.value)),
            interval(test),
            others(test),
            test.n_rows
        ));
    }
    if let Some(t) = &summary.threshold {
        lines.push(format!(
            "{}{}, best {} on out-of-fold rows ({}; 0.50 gives {})",
            label("Threshold"),
            number(t.value),
            t.metric,
            number(t.score),
            number(t.score_at_half)
        ));
    }
    if let Some(ensemble) = &summary.model.ensemble {
        let mean = if ensemble.temperature.to_bits() == 1.0_f64.to_bits() {
            format!("{} mean", ensemble.mean)
        } else {
            format!("{} mean at temperature {}", ensemble.mean, number(two_digits(ensemble.temperature)))
        };
        lines.push(format!("{}{} · {mean}{}", label("Blend"), ensemble.kind, guard(summary)));
    } else if summary.stacking.is_some_and(|guard| guard.fired) {
        lines.push(format!("{}one layer{}", label("Blend"), guard(summary)));
    }
    if let Some(most) = summary.model.max_latency_us {
        let (took, asked) = (number(two_digits(summary.model.latency_us)), number(most));
        let text = if summary.model.latency_us <= most {
            format!("{took} µs a row of {asked} asked")
        } else {
            loud(&format!("! {took} µs a row; nothing within the {asked} asked was found"))
        };
        lines.push(format!("{}{text}", label("Latency")));
    }
    let matters: Vec<&str> =
        summary.importance.iter().filter(|(_, v)| *v > 0.0).take(5).map(|(name, _)| name.as_str()).collect();
    if !matters.is_empty() {
        lines.push(format!("{}{}", label("Matters"), matters.join(", ")));
    }
    if let Some((reason, n)) = summary.search.failures.first() {
        let failed = match summary.search.failed {
            1 => "1 trial failed".to_owned(),
            all => format!("{all} trials failed, most often ({n})"),
        };
        lines.push(format!("{}{failed}: {reason}", label("Failed")));
    }
    lines
}

/// What checking the second layer came to.
fn guard(summary: &Summary) -> String {
    let Some(guard) = summary.stacking else { return String::new() };
    let (one, two) = (number(round3(guard.one_layer)), number(round3(guard.two_layers)));
    if guard.fired {
        format!(" · ! a second layer was dropped: on a fold kept from both its loss is {two}, without it {one}")
    } else {
        format!(
            " · second layer checked on {} rows kept from both: loss {two}, without it {one}",
            thousands(guard.n_rows)
        )
    }
}

fn interval(score: &Score) -> String {
    score.interval.map_or_else(String::new, |(low, high)| format!(" [{}, {}]", number(low), number(high)))
}

/// The metrics people ask for next.
fn others(score: &Score) -> String {
    let wanted = [
        ("roc_auc", "roc_auc"),
        ("log_loss", "log loss"),
        ("accuracy", "accuracy"),
        ("expected_calibration_error", "ECE"),
        ("mae", "mae"),
        ("r2", "r²"),
    ];
    wanted
        .iter()
        .filter_map(|(name, words)| Some(format!(" · {words} {}", number(round3(*score.others.get(*name)?)))))
        .take(3)
        .collect()
}

/// Three significant digits are what an aside deserves.
fn round3(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powf(2.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}
