//! `kill -9` at random moments of a search, then `resume`: a trial reported finished is never lost and never run again.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use hyperdrive::{Event, Journal, Seq};
use platform::{RunId, Workspace};

use crate::support::Place;

/// Moments at which the program is killed.
const KILLS: u64 = 20;
const TRIALS: &str = "40";

/// Per trial: how often it was reported finished, and segments begun after that.
fn ledger(place: &Place, run: &str) -> BTreeMap<u32, (u32, u32, Vec<f64>)> {
    let workspace = Workspace::open(&place.path(".automl")).expect("the workspace opens");
    let id = RunId::parse(run).expect("a run id");
    let mut journal = workspace.journal(&id, Box::new(|| 0)).expect("the journal opens");
    let mut trials: BTreeMap<u32, (u32, u32, Vec<f64>)> = BTreeMap::new();
    for record in journal.read(Seq(0)).expect("the journal is whole") {
        match record.event {
            Event::Finished { trial, outcome, .. } => {
                let entry = trials.entry(trial.0).or_default();
                entry.0 += 1;
                entry.2 = outcome.values;
            }
            Event::Started { trial, .. } => {
                let entry = trials.entry(trial.0).or_default();
                entry.1 += u32::from(entry.0 > 0);
            }
            _ => {}
        }
    }
    trials.retain(|_, (finished, ..)| *finished > 0);
    trials
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how long an undisturbed run takes places the kills; nothing is asserted on it"
)]
fn nothing_finished_is_lost_or_run_again() {
    let whole = Place::new();
    // The smallest sample: a whole run takes a second, trees among its trials all the way.
    let arguments = ["fit", "open://iris", "--target", "species", "--max-trials", TRIALS];
    let began = std::time::Instant::now();
    let reference = whole.json(&arguments);
    assert!(reference["leaderboard"].to_string().contains("light_gbm #"), "trees are searched");
    let mut took = began.elapsed().as_millis() as u64;
    let (mut resumed, mut before_anything) = (0, 0);
    for kill in 0..KILLS {
        let place = Place::new();
        let mut child =
            place.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        // Spread over the whole of an undisturbed run, at odd moments.
        std::thread::sleep(Duration::from_millis(took * (kill * 7919 % 97) / 97));
        child.kill().expect("SIGKILL");
        child.wait().expect("it is dead");
        if !place.path(".automl").exists() {
            before_anything += 1;
            continue;
        }
        let listed = place.run(&["run", "list", "--json"]);
        let runs: serde_json::Value = serde_json::from_str(&listed.out).expect("a document");
        // Killed while the workspace was being made: there is none, and nothing else is said.
        if listed.code != 0 {
            assert!(listed.code == 2 && listed.out.contains("no workspace"), "kill {kill}: {}", listed.all());
        }
        let Some(run) = runs[0]["id"].as_str().map(str::to_owned) else {
            before_anything += 1;
            continue;
        };
        let before = ledger(&place, &run);
        if runs[0]["status"] == "finished" {
            // Killed after its last word: the model is there, and there is nothing to go on with.
            let refused = place.run(&["resume", &run]);
            assert!(refused.code == 2 && refused.err.contains("--max-trials +40"), "kill {kill}: {}", refused.all());
            // The machine has become faster since the undisturbed run, so later kills come sooner.
            took = took * 4 / 5;
            continue;
        }
        let summary = place.json(&["resume", &run]);
        let after = ledger(&place, &run);
        for (trial, (.., values)) in &before {
            let (finished, again, same) = after.get(trial).expect("a finished trial is still there");
            assert_eq!((finished, again, same), (&1, &0, values), "kill {kill}, trial {trial}");
        }
        assert!(after.values().all(|(finished, again, _)| (*finished, *again) == (1, 0)), "kill {kill}: {after:?}");
        assert_eq!(summary["model"]["sha256"], reference["model"]["sha256"], "kill {kill}: the same model in the end");
        resumed += 1;
    }
    assert!(resumed >= KILLS / 2, "{resumed} of {KILLS} kills hit a run, {before_anything} came before it");
}
