//! Ctrl-C: ends soon, keeps everything, says how to go on.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Place, made};

fn interrupted(place: &Place, data: &str, after_ms: u64, signal: &str) -> (i32, String) {
    let child = place
        .command(&["fit", data, "--target", "y", "--time-limit", "10m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_millis(after_ms));
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    let output = child.wait_with_output().expect("the program ends");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn what_was_found_is_kept_and_the_search_goes_on() {
    let place = Place::new();
    let data = place.write("made.csv", made(400));
    let (code, text) = interrupted(&place, &data, 4000, "-INT");
    assert_eq!(code, 130, "{text}");
    assert!(text.contains("automl resume made-") && text.contains("made@1"), "{text}");
    let runs = place.json(&["run", "list"]);
    assert_eq!(runs[0]["status"], "stopped");
    let run = runs[0]["id"].as_str().expect("an id");
    let before = place.json(&["leaderboard", run, "--top", "100000"]);
    let after = place.json(&["resume", run, "--time-limit", "+4s"]);
    let names = |document: &serde_json::Value| -> std::collections::BTreeMap<String, String> {
        let rows = document["leaderboard"].as_array().expect("rows").iter();
        rows.filter(|row| row["trial"].is_u64())
            .map(|row| (row["name"].to_string(), row["score"].to_string()))
            .collect()
    };
    let finished = names(&place.json(&["leaderboard", run, "--top", "100000"]));
    for (name, score) in names(&before) {
        assert_eq!(finished.get(&name), Some(&score), "{name} was lost or changed");
    }
    assert_eq!(after["model"]["name"], "made@2");
}

#[test]
fn even_at_once_it_ends_well() {
    let place = Place::new();
    let data = place.write("made.csv", made(50));
    for (after, signal) in [(30, "-INT"), (250, "-TERM"), (600, "-INT")] {
        let (code, text) = interrupted(&place, &data, after, signal);
        // Before the program listens, the signal does what it always does.
        assert!(code == 130 || (after < 100 && code == -1), "{after} ms: {code} {text}");
    }
}
