//! A machine that refuses: no space, a folder that cannot be written, a newer workspace, a damaged one, two at once.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Place, binary, made};

#[test]
fn no_space_is_said_and_what_was_finished_is_kept() {
    let place = Place::new();
    let data = place.write("made.csv", made(600));
    // Files may not grow beyond this many blocks of 512 bytes: the store runs into it in the middle of the search.
    let line = format!("ulimit -f 700; exec {} fit {data} --target y --max-trials 400", binary().display());
    let output = Command::new("bash").args(["-c", &line]).current_dir(place.0.path()).output().expect("bash");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("no space") && text.contains("free some space"), "{text}");
    let runs = place.json(&["run", "list"]);
    let run = runs[0]["id"].as_str().expect("the run is there");
    let before = place.json(&["leaderboard", run, "--top", "1000"]);
    let resumed = place.json(&["resume", run, "--max-trials", "40"]);
    assert!(resumed["search"]["finished"].as_u64() >= before["models"].as_u64());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new();
    let data = place.write("made.csv", made(60));
    let ran = place.run(&["fit", &data, "--target", "y", "--max-trials", "4", "--workspace", "/proc/automl"]);
    assert!(ran.code == 1 && ran.err.contains("/proc/automl"), "{} {}", ran.code, ran.err);
    place.ok(&["fit", &data, "--target", "y", "--max-trials", "4"]);
    let ran = place.run(&["predict", "--model", "made@1", &data, "--out", "/proc/none/pred.csv"]);
    assert!(ran.code == 1 && ran.err.contains("/proc/none"), "{} {}", ran.code, ran.err);
}

#[test]
fn a_newer_or_damaged_workspace_is_not_touched() {
    let place = Place::new();
    let data = place.write("made.csv", made(60));
    place.ok(&["fit", &data, "--target", "y", "--max-trials", "4"]);
    let database = place.path(".automl/automl.db");
    let sound = fs::read(&database).expect("the database");
    // The format stands in the user version, bytes 60 to 63 of the header (sqlite.org/fileformat.html, 1.3).
    let mut newer = sound.clone();
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    for (bytes, word) in [(newer, "99"), (vec![7; 4096], "damaged")] {
        fs::write(&database, &bytes).expect("a changed database");
        let ran = place.run(&["run", "list"]);
        assert!(ran.code == 1 && ran.err.contains(word), "{} {}", ran.code, ran.err);
        assert_eq!(fs::read(&database).expect("the database"), bytes, "it was touched");
    }
}

#[test]
fn two_fits_share_a_workspace_and_a_run_has_one_worker() {
    let place = Place::new();
    let data = place.write("made.csv", made(300));
    let start = || {
        place
            .command(&["fit", &data, "--target", "y", "--time-limit", "5s", "--cores", "1", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    };
    let (first, second) = (start(), start());
    std::thread::sleep(Duration::from_millis(2500));
    let runs = place.json(&["run", "list"]);
    let busy = place.run(&["resume", runs[0]["id"].as_str().expect("a run"), "--time-limit", "+5s"]);
    assert!(busy.code == 1 && busy.err.contains("being worked on"), "{} {}", busy.code, busy.err);
    let mut versions = Vec::new();
    for child in [first, second] {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
        versions.push(summary["model"]["name"].as_str().expect("a name").to_owned());
    }
    versions.sort();
    assert_eq!(versions, ["made@1", "made@2"]);
}
