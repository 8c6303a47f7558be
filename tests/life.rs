//! What comes after a first fit: its recipe on new rows, a search that begins where another ended, two runs beside each
//! other, and a run done again from its journal.

use serde_json::Value;

use crate::support::{Place, made};

/// A few quick trials on made rows; the summary.
fn fitted(place: &Place, name: &str, more: &[&str]) -> Value {
    let data = place.write("made.csv", made(160));
    place.json(&[&["fit", &data, "--target", "y", "--max-trials", "3", "--name", name], more].concat())
}

#[test]
fn a_recipe_is_fitted_again_as_the_next_version() {
    let place = Place::new();
    fitted(&place, "made", &["--single-model"]);
    let same = place.json(&["refit", "--model", "made", &place.path("made.csv").display().to_string()]);
    assert_eq!((&same["model"], &same["from"]), (&"made@2".into(), &"made@1".into()));
    assert!(same["score"]["value"].as_f64() > Some(0.6), "{}", same["score"]);
    assert!(same["trained_on"].as_str().is_some_and(|words| words.contains("160 rows by the recipe of made@1")));
    // The same rows and the same seeds make the same model.
    let rows = place.write("rows.csv", made(30));
    let say = |model: &str| place.ok(&["predict", "--model", model, &rows, "--proba"]).out;
    assert_eq!(say("made@1"), say("made@2"));
    // Other rows, and a colour that was not there before.
    let other = place.write("other.csv", made(220).replace("blue", "violet"));
    let ran = place.ok(&["refit", "--model", "made@2", &other, "--no-score", "--name", "other"]);
    for part in ["220 of 220 rows", "not scored: the scores of made@2 are from the earlier data", "other@1"] {
        assert!(ran.out.contains(part), "`{part}` is missing from:\n{}", ran.out);
    }
    let shown = place.json(&["model", "show", "other"]);
    assert_eq!(shown["version"]["tags"]["from.model"], "made@2");
    assert_ne!(shown["version"]["tags"]["from.data_sha256"], shown["version"]["data_hash"]);
    assert_ne!(say("other"), say("made@2"));
    assert!(place.ok(&["run", "list"]).out.contains("other-"));
}

#[test]
fn a_second_layer_is_fitted_again_too() {
    let place = Place::new();
    let sample = crate::support::sample("diabetes.csv");
    let fit = ["fit", &sample, "--target", "progression", "--max-trials", "6", "--name", "d"];
    let summary = place.json(&fit);
    let again = place.json(&["refit", "--model", "d", &sample]);
    let members = |of: &Value| of.as_array().map_or(0, Vec::len);
    let voices = again["recipe"]["members"].as_array().expect("members").iter();
    let voting = voices.filter(|member| member["weight"].as_f64() > Some(0.0)).count();
    assert_eq!(voting + members(&again["recipe"]["second"]), members(&summary["model"]["members"]));
    let (before, now) = (summary["score"]["value"].as_f64(), again["score"]["value"].as_f64());
    let apart = before.zip(now).map(|(before, now)| (now / before - 1.0).abs());
    assert!(apart.is_some_and(|apart| apart < 0.05), "{before:?} {now:?}");
}

#[test]
fn rows_that_no_longer_fit_the_model_are_named() {
    let place = Place::new();
    fitted(&place, "made", &["--single-model"]);
    let file = place.path("m.automl").display().to_string();
    place.ok(&["model", "download", "made", "--out", &file]);
    let data = made(160);
    let cases = [
        ("lost.csv", data.replacen("a,b,", "a2,b,", 1), 3, "`a`"),
        ("class.csv", data.replacen(",yes", ",maybe", 2), 3, "`maybe` (2 rows)"),
        ("few.csv", data.replace(",yes", ",no"), 3, "0 rows of class `yes`"),
        ("kind.csv", data.replace("0.", "x"), 3, "column `a`: the model read it as numeric"),
        ("target.csv", data.replacen(",y\n", ",z\n", 1), 3, "`y`"),
    ];
    for (name, text, code, words) in cases {
        let rows = place.write(name, text);
        let ran = place.run(&["refit", "--model", "made", &rows]);
        assert!(ran.code == code && ran.err.contains(words), "{name}: {} {}", ran.code, ran.err);
        let ran = place.run(&["refit", "--model", &file, &rows]);
        assert!(ran.code == 2 && ran.err.contains("alone does not know how it was made"), "{}", ran.err);
    }
    assert_eq!(place.json(&["model", "list"]).as_array().map(Vec::len), Some(1), "nothing was registered");
}

/// The run of a summary.
fn run_of(summary: &Value) -> String {
    summary["run"].as_str().expect("a run").to_owned()
}

#[test]
fn a_search_begins_with_what_an_earlier_one_found() {
    let place = Place::new();
    let first = fitted(&place, "first", &["--single-model"]);
    let run = run_of(&first);
    let other = place.write("other.csv", made(120));
    let fit = ["fit", &other, "--target", "y", "--max-trials", "4", "--single-model", "--from", &run];
    let warm = place.json(&fit);
    assert_eq!(warm["search"]["from"], serde_json::json!({ "run": run, "first": 3, "skipped": [] }));
    // The best of the first is trial 0 of the second.
    let best = first["leaderboard"][0]["trial"].as_u64().expect("a trial");
    let params = |run: &str, trial: u64| place.json(&["run", "show", &format!("{run}.{trial}")])["params"].clone();
    assert_eq!(params(&run_of(&warm), 0), params(&run, best));
    // It goes on as any other.
    let more = place.json(&["resume", &run_of(&warm), "--max-trials", "+1"]);
    assert_eq!(more["search"]["from"], warm["search"]["from"]);
    let plan = place.ok(&[&fit[..], &["--dry-run"]].concat());
    assert!(plan.out.contains(&format!("3 configurations of {run} are tried first")), "{}", plan.out);
    let unknown = place.run(&["fit", &other, "--target", "y", "--from", "nobody"]);
    assert!(unknown.code == 2 && unknown.err.contains("nobody"), "{} {}", unknown.code, unknown.err);
    // Where an algorithm is not searched, what was found of it is not tried.
    let blocked = ["fit", &other, "--target", "y", "--block-algorithms", "logistic_regression", "--from", &run];
    let plan = place.ok(&[&blocked[..], &["--dry-run"]].concat());
    assert!(plan.out.contains("1 of them skipped") && plan.out.contains("logistic_regression"), "{}", plan.out);
}

#[test]
fn two_runs_are_compared_on_the_rows_both_were_judged_on() {
    let place = Place::new();
    let one = run_of(&fitted(&place, "one", &["--single-model"]));
    let two = run_of(&fitted(&place, "two", &["--ignore", "b", "--single-model"]));
    let found = place.json(&["run", "compare", &one, &two]);
    assert_eq!((&found["comparable"], &found["verdict"], &found["n_rows"]), (&true.into(), &"win".into(), &160.into()));
    let difference = found["difference"].as_f64().expect("a number");
    let losses = found["a"]["loss"].as_f64().zip(found["b"]["loss"].as_f64()).expect("two");
    assert!((losses.0 - losses.1 - difference).abs() < 1e-9 && difference < 0.0, "{found:#}");
    let what: Vec<&str> =
        found["differences"].as_array().expect("a list").iter().filter_map(|d| d["what"].as_str()).collect();
    assert!(what.contains(&"ignore") && what.contains(&"features") && !what.contains(&"data"), "{what:?}");
    let ran = place.ok(&["run", "compare", &two, &one]);
    assert!(ran.out.contains("B is better"), "{}", ran.out);
    let same = place.json(&["run", "compare", &one, &one]);
    assert_eq!((&same["verdict"], &same["difference"]), (&"noise".into(), &0.0.into()));
    for (more, reason) in [
        (&["--seed", "8"][..], "other split: 5-fold CV on 160 rows with seed 7 against"),
        // Without that column some rows are copies of each other, which are kept in one fold.
        (&["--ignore", "a"], "other split: 68 of 160 rows lie in other folds"),
        (&["--metric", "accuracy"], "other metric: roc_auc against accuracy"),
        (&["--positive", "no"], "other classes: no, yes against yes, no"),
    ] {
        let other = run_of(&fitted(&place, "other", &[more, &["--single-model"]].concat()));
        let ran = place.ok(&["run", "compare", &one, &other]);
        assert!(ran.out.starts_with(&format!("not comparable: {reason}")), "{}", ran.out);
        assert_eq!(place.json(&["run", "compare", &one, &other])["comparable"], false);
    }
    let fewer = place.write("fewer.csv", made(150));
    let other = place.json(&["fit", &fewer, "--target", "y", "--max-trials", "2", "--single-model"]);
    assert!(place.ok(&["run", "compare", &one, &run_of(&other)]).out.starts_with("not comparable: other rows"));
    place.ok(&["refit", "--model", "one", &fewer, "--no-score", "--name", "again"]);
    let runs = place.json(&["run", "list"]);
    let refit = runs.as_array().expect("runs").iter().find(|run| run["kind"] == "refit").expect("a refit");
    assert_eq!(place.run(&["run", "compare", &one, refit["id"].as_str().expect("an id")]).code, 2);
}

#[test]
fn a_counted_search_comes_out_again_to_the_last_byte() {
    let place = Place::new();
    let run = run_of(&fitted(&place, "made", &["--single-model"]));
    let replayed = place.json(&["replay", &run]);
    assert_eq!((&replayed["same"], &replayed["n_differences"]), (&true.into(), &0.into()));
    let again = &replayed["again"];
    assert_eq!(
        (&again["same_params"], &again["same_scores"], &again["same_model"]),
        (&true.into(), &true.into(), &true.into())
    );
    assert_eq!(again["trials"], 3);
    assert_eq!(place.json(&["run", "list"]).as_array().map(Vec::len), Some(1), "the second fit leaves nothing");
    // Other rows are told, not fitted.
    place.write("made.csv", made(161));
    let changed = place.run(&["replay", &run]);
    assert!(changed.code == 3 && changed.err.contains("has changed since"), "{}", changed.err);
    let journal = place.ok(&["replay", &run, "--journal-only"]);
    assert!(journal.out.contains("each comes out again"), "{}", journal.out);
}

#[test]
fn the_decisions_of_a_timed_search_come_out_again() {
    let place = Place::new();
    let data = place.write("made.csv", made(120));
    let summary = place.json(&["fit", &data, "--target", "y", "--time-limit", "3s", "--cores", "2", "--single-model"]);
    let run = run_of(&summary);
    place.ok(&["resume", &run, "--time-limit", "+2s"]);
    let replayed = place.json(&["replay", &run]);
    assert_eq!((&replayed["order"], &replayed["same"]), (&"arrival".into(), &true.into()), "{replayed:#}");
    assert!(replayed["suggestions"].as_u64() > Some(3));
    assert!(replayed["again"].is_null() && replayed["not_again"].is_string());
}

#[test]
fn an_evaluation_names_what_the_model_does_not_know() {
    let place = Place::new();
    fitted(&place, "made", &["--single-model"]);
    let rows = place.write("rows.csv", made(60).replacen(",yes", ",maybe", 2));
    let ran = place.ok(&["evaluate", "--model", "made", &rows]);
    assert!(ran.out.contains("58 of 60 rows · threshold 0."), "{}", ran.out);
    assert!(ran.err.contains("`maybe` is no class of the model: 2 rows"), "{}", ran.err);
    let found = place.json(&["evaluate", "--model", "made", &rows]);
    assert_eq!(found["unknown_classes"], serde_json::json!([["maybe", 2]]));
    for (text, words) in [("", "empty"), ("a,b,colour,y\n", "no rows"), ("a,b,colour\n1,1,red\n", "`y`")] {
        let rows = place.write("bad.csv", text);
        let ran = place.run(&["evaluate", "--model", "made", &rows]);
        assert!(ran.code == 3 && ran.err.contains(words), "{} {}", ran.code, ran.err);
    }
}
