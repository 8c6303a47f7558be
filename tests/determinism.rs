//! With a number of trials, the same request gives the same bytes, whatever the number of threads.

use serde_json::Value;

use crate::support::{Place, sample};

fn fit(cores: &str, file: &str, target: &str) -> (Value, String) {
    let place = Place::new();
    let arguments = ["fit", &sample(file), "--target", target, "--max-trials", "20", "--seed", "11", "--cores", cores];
    let summary = place.json(&arguments);
    let name = summary["model"]["name"].as_str().expect("a model").to_owned();
    let predictions = place.ok(&["predict", "--model", &name, &sample(file)]).out;
    (summary, predictions)
}

/// What must not depend on time or threads: parameters, scores, ranks, thresholds, importance and the model's bytes.
fn essence(summary: &Value) -> Value {
    let board: Vec<Value> = summary["leaderboard"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| serde_json::json!([row["name"], row["score"], row["nested"], row["params"]]))
        .collect();
    serde_json::json!([
        board,
        summary["score"],
        summary["threshold"],
        summary["importance"],
        summary["model"]["sha256"],
        summary["search"]["finished"],
        summary["search"]["paused"]
    ])
}

#[test]
fn the_same_request_gives_the_same_bytes_on_any_number_of_cores() {
    for (file, target) in [("breast_cancer.csv", "diagnosis"), ("diabetes.csv", "progression")] {
        let (first, predictions) = fit("1", file, target);
        assert_eq!(first["search"]["order"], "ordered");
        let board = first["leaderboard"].to_string();
        assert!(
            board.contains("light_gbm #") && board.contains("random_forest #"),
            "{file}: trees are searched: {board}"
        );
        for cores in ["1", "2", "4", "16"] {
            let (again, same) = fit(cores, file, target);
            assert_eq!(essence(&first), essence(&again), "{file} on {cores} cores");
            assert_eq!(predictions, same, "{file} on {cores} cores");
        }
    }
}

#[test]
fn another_seed_is_another_search() {
    let place = Place::new();
    let run = |seed| {
        place.json(&["fit", "open://breast_cancer", "--target", "diagnosis", "--max-trials", "12", "--seed", seed])
    };
    assert_ne!(essence(&run("1")), essence(&run("2")));
}
