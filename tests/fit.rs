//! `fit` from file to registered model, and what it says on the way.

use std::fs;

use crate::support::{Place, made, sample};

#[test]
fn a_fit_tells_its_story_and_registers_a_model() {
    let place = Place::new();
    let ran = place.ok(&["fit", &sample("breast_cancer.csv"), "--target", "diagnosis", "--max-trials", "12"]);
    for part in [
        "Data",
        "569 rows",
        "binary: benign 357 · malignant 212 · positive malignant",
        "Used",
        "Checks",
        "Split",
        "5-fold CV",
        "Score",
        "roc_auc",
        "nested out-of-fold",
        "Threshold",
        "Matters",
        "Final     fitted on all 569 rows",
        "breast_cancer@1",
        "automl resume breast_cancer-",
    ] {
        assert!(ran.out.contains(part), "`{part}` is missing from:\n{}", ran.out);
    }
    let models = place.json(&["model", "list"]);
    assert_eq!(models[0]["name"], "breast_cancer");
    let runs = place.json(&["run", "list"]);
    assert_eq!(runs[0]["status"], "finished");
    let id = runs[0]["id"].as_str().expect("an id").to_owned();
    let shown = place.json(&["run", "show", &id]);
    for fact in ["seed", "automl_version", "command_line", "data_sha256", "host.cpu"] {
        assert!(shown["tags"][fact].is_string(), "{fact} is not recorded: {shown:#}");
    }
    let report = fs::read_to_string(place.path(&format!(".automl/runs/{id}/report.html"))).expect("a report");
    for part in
        ["<!DOCTYPE html>", "breast_cancer@1", "Leaderboard", "ROC curve", "What matters", "logistic_regression"]
    {
        assert!(report.contains(part), "`{part}` is missing from the report");
    }
    assert!(!report.contains("<script") && !report.contains("http"), "the report fetches or runs something");
    let board = place.ok(&["leaderboard"]);
    assert!(board.out.contains("knn #") && board.out.contains("logistic_regression #"), "{}", board.out);
    let trials = place.json(&["run", "list", "--parent", &id, "--limit", "100"]);
    assert_eq!(trials.as_array().map(Vec::len), Some(12), "every trial is a child run");
}

#[test]
fn every_task_is_inferred_and_scored() {
    let place = Place::new();
    for (file, target, task, metric) in [
        ("iris.csv", "species", "multiclass", "roc_auc|log_loss"),
        ("diabetes.csv", "progression", "regression", "rmse"),
    ] {
        let summary = place.json(&["fit", &sample(file), "--target", target, "--max-trials", "10"]);
        assert_eq!(summary["goal"]["task"], task);
        let named = summary["goal"]["metric"].as_str().expect("a metric");
        assert!(metric.split('|').any(|m| m == named), "{named}");
        let (score, baseline) = (&summary["score"]["value"], &summary["baseline"]);
        let better = score.as_f64() < baseline.as_f64();
        assert!(better, "{file}: {score} is no better than the baseline {baseline}");
    }
}

#[test]
fn heavy_tails_are_learned_in_logarithms_too_and_answer_in_numbers() {
    let place = Place::new();
    let price = |i: usize| ((i * 7919 % 100) as f64 / 12.0).exp();
    let rows: String = (0..300)
        .map(|i| format!("{},{},{:.3}\n", i * 7919 % 100, i * 31 % 17, price(i) * (1.0 + (i % 5) as f64 / 50.0)))
        .collect();
    let data = place.write("prices.csv", format!("size,age,price\n{rows}"));
    let fit = ["fit", &data, "--target", "price", "--max-trials", "14", "--single-model"];
    let ran = place.ok(&fit);
    assert!(ran.out.contains("~ price  its tail is heavy; logarithms of it are tried too"), "{}", ran.out);
    let tried = place.json(&["leaderboard"]).to_string();
    assert!(tried.contains("logarithm") && tried.contains("as_is"), "{tried}");
    // Whatever it learned, it answers in the unit of the target.
    let out = place.ok(&["predict", "--model", "prices@1", &data]).out;
    let said: Vec<f64> =
        out.lines().skip(1).map(|line| line.rsplit(',').next().expect("a cell").parse().expect("a number")).collect();
    let off = |i: usize| (said[i] / price(i)).ln().abs();
    assert!((0..300).map(off).sum::<f64>() / 300.0 < 0.5, "{said:?}");
    let plain = place.ok(&[&fit[..], &["--block-transformer", "log_target"]].concat());
    assert!(!plain.out.contains("its tail is heavy"), "{}", plain.out);
}

#[test]
fn uneven_classes_are_balanced_too_where_the_metric_counts_them_alike() {
    let place = Place::new();
    let rows: String = (0..240)
        .map(|i| {
            let (x, z) = (i * 7919 % 101, i * 31 % 17);
            format!(
                "{x},{z},{}\n",
                if x > 92 {
                    "rare"
                } else if x + 3 * z > 80 {
                    "some"
                } else {
                    "most"
                }
            )
        })
        .collect();
    let data = place.write("uneven.csv", format!("x,z,y\n{rows}"));
    let fit = ["fit", &data, "--target", "y", "--max-trials", "10", "--metric"];
    place.ok(&[&fit[..], &["balanced_accuracy"]].concat());
    let tried = place.json(&["leaderboard"]).to_string();
    assert!(tried.contains("class_weight=balanced") && tried.contains("class_weight=none"), "{tried}");
    place.ok(&[&fit[..], &["log_loss"]].concat());
    assert!(!place.json(&["leaderboard"]).to_string().contains("class_weight"));
}

#[test]
fn where_nothing_can_be_learned_the_mean_is_saved() {
    let place = Place::new();
    let noise = |i: usize| (i * 2_654_435_761 % 4_294_967_296) as f64 / 4_294_967_296.0;
    let rows: String = (0..150)
        .map(|i| format!("{:.4},{:.4},{:.4}\n", noise(3 * i + 1), noise(3 * i + 2), noise(7 * i * i + 5)))
        .collect();
    let data = place.write("noise.csv", format!("a,b,y\n{rows}"));
    let ran = place.ok(&["fit", &data, "--target", "y", "--max-trials", "12"]);
    assert!(
        ran.out.contains("Nothing found is better than the mean by more than noise; the mean is saved"),
        "{}",
        ran.out
    );
    let out = place.ok(&["predict", "--model", "noise@1", &data]).out;
    let said: std::collections::BTreeSet<&str> =
        out.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn one_json_document_and_nothing_else() {
    let place = Place::new();
    let ran = place.ok(&["fit", &sample("iris.csv"), "--target", "species", "--max-trials", "8", "--json"]);
    let summary: serde_json::Value = serde_json::from_str(&ran.out).expect("one document");
    assert_eq!(ran.err, "");
    let ledger = &summary["data"]["ledger"];
    let dropped: u64 = ledger["rows_dropped"].as_array().expect("a list").iter().filter_map(|d| d[1].as_u64()).sum();
    assert_eq!(ledger["rows_in"].as_u64(), ledger["rows_used"].as_u64().map(|used| used + dropped));
    assert_eq!(summary["search"]["reproducible"], true);
    let shown =
        summary["leaderboard"].as_array().expect("rows").iter().filter(|row| row["trial"].is_u64()).count() as u64;
    assert_eq!(Some(shown), summary["search"]["finished"].as_u64(), "every finished trial of so few is on the board");
}

#[test]
fn folds_are_those_that_were_asked_for() {
    let place = Place::new();
    for (cv, words) in
        [("4", "4-fold CV on 150 rows"), ("azure", "10-fold CV on 150 rows"), ("auto", "5-fold CV on 150 rows")]
    {
        let plan = place.ok(&["fit", &sample("iris.csv"), "--target", "species", "--dry-run", "--cv", cv]);
        assert!(plan.out.contains(words), "--cv {cv}: {}", plan.out);
    }
}

#[test]
fn a_dry_run_plans_and_writes_nothing() {
    let place = Place::new();
    let ran = place.ok(&["fit", &sample("iris.csv"), "--target", "species", "--dry-run"]);
    assert!(ran.out.contains("multiclass") && ran.out.contains("logistic_regression"), "{}", ran.out);
    assert_eq!(fs::read_dir(place.0.path()).expect("the folder").count(), 0);
    let plan = place.json(&["fit", &sample("iris.csv"), "--target", "species", "--dry-run"]);
    assert_eq!(plan["dry_run"], true);
}

#[test]
fn a_time_limit_is_kept_and_the_search_can_go_on() {
    let place = Place::new();
    let data = place.write("made.csv", made(400));
    let first = place.json(&["fit", &data, "--target", "y", "--time-limit", "4s", "--cores", "2"]);
    let run = first["run"].as_str().expect("a run").to_owned();
    assert_eq!(first["search"]["order"], "arrival");
    assert!(first["search"]["finished"].as_u64() > Some(4));
    let spent = place.run(&["resume", &run]);
    assert_eq!(spent.code, 2, "{}", spent.err);
    assert!(spent.err.contains("--time-limit +"), "{}", spent.err);
    let more = place.json(&["resume", &run, "--time-limit", "+3s"]);
    assert!(more["search"]["finished"].as_u64() > first["search"]["finished"].as_u64());
    assert_eq!(more["model"]["name"], "made@2");
}

#[test]
fn trials_can_be_added_to_a_finished_search() {
    let place = Place::new();
    let data = place.write("made.csv", made(200));
    let whole = place.json(&["fit", &data, "--target", "y", "--max-trials", "16", "--name", "whole"]);
    let part = place.json(&["fit", &data, "--target", "y", "--max-trials", "9", "--name", "part"]);
    let run = part["run"].as_str().expect("a run");
    let refused = place.run(&["resume", run, "--time-limit", "+5s"]);
    assert!(refused.code == 2 && refused.err.contains("--max-trials"), "{}", refused.err);
    let resumed = place.json(&["resume", run, "--max-trials", "+7"]);
    // Which trials go beyond their first rung depends on when the search first ended; how many were begun does not.
    let begun = |summary: &serde_json::Value| {
        ["finished", "paused", "stopped", "failed"]
            .iter()
            .filter_map(|state| summary["search"][state].as_u64())
            .sum::<u64>()
    };
    assert_eq!((begun(&resumed), begun(&whole)), (16, 16));
}

#[test]
fn the_ledger_says_what_was_left_out_and_why() {
    let place = Place::new();
    let mut text = String::from("id,flat,empty,copy,x,target\n");
    for i in 0..60 {
        let y = if i % 3 == 0 { "yes" } else { "no" };
        let target = if i == 7 { "" } else { y };
        text.push_str(&format!("u{i:03},1,,{},{},{target}\n", if i % 3 == 0 { "b" } else { "a" }, (i * 37) % 23));
    }
    let data = place.write("ledger.csv", text);
    let plan = place.ok(&["fit", &data, "--target", "target", "--dry-run"]);
    for part in [
        "1 of 5 features",
        "59 of 60 rows",
        "id  ignored, unique in every row",
        "flat  one value in every row",
        "empty  missing in every row",
        "copy  EXCLUDED, it equals the target",
        "1 row  without a `target` value",
    ] {
        assert!(plan.out.contains(part), "`{part}` is missing from:\n{}", plan.out);
    }
    let kept = place.ok(&["fit", &data, "--target", "target", "--dry-run", "--keep-column", "copy"]);
    assert!(kept.out.contains("2 of 5 features"), "{}", kept.out);
}

#[test]
fn splits_follow_groups_time_columns_and_a_holdout() {
    let place = Place::new();
    let mut text = String::from("g,t,f,x,y\n");
    for i in 0..120 {
        text.push_str(&format!(
            "g{},2024-{:02}-{:02},{},{},{}\n",
            i % 12,
            1 + i / 28,
            1 + i % 28,
            i % 4,
            (i * 31) % 17,
            (i * 31) % 17 + i % 3
        ));
    }
    let data = place.write("split.csv", text);
    for (option, value, words) in [
        ("--group", "g", "5-fold CV by group"),
        ("--time", "t", "forward in time"),
        ("--split-column", "f", "4-fold CV as given"),
        ("--holdout", "25%", "holdout 30 rows"),
    ] {
        let summary =
            place.json(&["fit", &data, "--target", "y", "--max-trials", "6", "--task", "regression", option, value]);
        let split = summary["goal"]["split"].as_str().expect("words");
        assert!(split.contains(words), "{option}: {split}");
        let source = if option == "--holdout" { "holdout" } else { "nested out-of-fold" };
        assert_eq!(summary["score"]["source"], source);
        if option == "--holdout" {
            // Every look at the holdout is counted, over resumes too.
            assert_eq!(summary["score"]["looks"], 1);
            let again = place.json(&["resume", summary["run"].as_str().expect("a run"), "--max-trials", "+3"]);
            assert_eq!(again["score"]["looks"], 2);
        }
    }
}

/// A table with one column more.
fn with_column(text: &str, name: &str, value: impl Fn(usize) -> String) -> String {
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    let rows: String = lines.enumerate().map(|(i, line)| format!("{line},{}\n", value(i))).collect();
    format!("{header},{name}\n{rows}")
}

#[test]
fn rows_count_by_their_weight() {
    let place = Place::new();
    let uneven = with_column(&made(200), "w", |i| ["0.5", "3", "1", "0"][i % 4].into());
    let data = place.write("made.csv", &uneven);
    let fit = ["fit", &data, "--target", "y", "--weight", "w", "--max-trials", "8"];
    let ran = place.ok(&fit);
    for part in [
        "Weights   w, from 0 to 3, 50 rows of weight 0; scores count every row alike",
        "3 of 3 features",
        "nested out-of-fold on 200 rows, each counted alike",
    ] {
        assert!(ran.out.contains(part), "`{part}` is missing from:\n{}", ran.out);
    }
    let summary = place.json(&fit);
    let weight = &summary["goal"]["weight"];
    assert_eq!((&weight["column"], &weight["n_zero"]), (&"w".into(), &50.into()));
    assert_eq!(weight["left_out"], serde_json::json!([]), "all weigh rows");
    let roles = summary["data"]["ledger"]["columns"].as_array().expect("columns");
    assert_eq!(roles.last().expect("five columns")[2], "weight");
    let report = fs::read_to_string(summary["report"].as_str().expect("a path")).expect("a report");
    assert!(report.contains("Rows were weighed in training by <code>w</code>, from 0 to 3, 50 of them 0."), "{report}");
    // What is predicted needs no weight, nor does what is only scored.
    let bare = place.write("bare.csv", made(40));
    assert_eq!(place.ok(&["predict", "--model", "made@1", &bare]).out.lines().count(), 41);
    let tested = place.json(&[&fit[..], &["--test", &bare]].concat());
    assert_eq!(tested["test"]["n_rows"], 40);
    // A search that goes on weighs on.
    let more = place.json(&["resume", summary["run"].as_str().expect("a run"), "--max-trials", "+3"]);
    assert_eq!(more["goal"]["weight"], *weight);
    let plan = place.json(&[&fit[..], &["--dry-run"]].concat());
    assert_eq!(plan["weight"], "w");
    let searched = plan["algorithms"].to_string();
    assert!(searched.contains("knn") && searched.contains("logistic_regression"), "{searched}");
}

#[test]
fn equal_weights_are_none_and_others_make_another_model() {
    let place = Place::new();
    let text = fs::read_to_string(sample("diabetes.csv")).expect("the sample");
    let model = |weight: &str, value: fn(usize) -> String| {
        let data = place.write("weighed.csv", with_column(&text, "w", value));
        let summary =
            place.json(&["fit", &data, "--target", "progression", "--max-trials", "6", "--seed", "5", weight, "w"]);
        summary["model"]["sha256"].as_str().expect("a hash").to_owned()
    };
    let none = model("--ignore", |_| "2.5".into());
    assert_eq!(model("--weight", |_| "2.5".into()), none, "only ratios matter");
    assert_ne!(model("--weight", |i| (1 + i % 3).to_string()), none, "the weights reach the trainers");
}

#[test]
fn standard_input_and_sample_names_are_read_like_files() {
    let place = Place::new();
    let csv = fs::read(sample("iris.csv")).expect("the sample");
    let mut child = place
        .command(&["fit", "-", "--target", "species", "--max-trials", "6", "--json"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), &csv).expect("the program reads");
    let output = child.wait_with_output().expect("the program ends");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(summary["model"]["name"], "stdin@1");
    let named = place.json(&["fit", "open://iris", "--target", "species", "--max-trials", "6"]);
    assert_eq!(named["model"]["sha256"], summary["model"]["sha256"], "the same bytes make the same model");
}

#[test]
fn a_run_goes_on_from_another_folder() {
    let place = Place::new();
    place.write("made.csv", made(150));
    let first = place.json(&["fit", "made.csv", "--target", "y", "--max-trials", "6"]);
    let below = place.path("below");
    fs::create_dir(&below).expect("a folder");
    let run = first["run"].as_str().expect("a run");
    let output =
        place.command(&["resume", run, "--max-trials", "+3", "--json"]).current_dir(&below).output().expect("it runs");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(summary["model"]["name"], "made@2", "{summary:#}");
    assert_eq!(summary["search"]["reproducible"], false, "a search that was ended and extended is not the whole one");
}

#[test]
fn copies_of_rows_do_not_flatter_the_score() {
    let place = Place::new();
    let text = made(300);
    let rows: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    let data = place.write("twice.csv", format!("{text}{rows}"));
    let summary = place.json(&["fit", &data, "--target", "y", "--max-trials", "8"]);
    let checks = summary["data"]["checks"].to_string();
    assert!(checks.contains("300 duplicate rows, kept in one fold"), "{checks}");
}

#[test]
fn usage_errors_are_documents_too() {
    let place = Place::new();
    let ran = place.run(&["fit", "--json", "--max-trials", "many"]);
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("one document");
    assert_eq!((ran.code, document["error"]["exit_code"].as_u64()), (2, Some(2)));
    assert_eq!(ran.err, "");
}
