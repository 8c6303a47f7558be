//! `explain`: importance, Shapley values and dependence of a registered model, and what has none.

use serde_json::Value;

use crate::support::Place;

/// `y` follows `a` and `colour`; `b` is noise.
fn rows(n: u32) -> String {
    let row = |i: u32| {
        let (a, b, colour) = (i * 37 % 101, i * 53 % 97, ["red", "green"][(i / 3 % 2) as usize]);
        let y = f64::from(a) * 2.0 + if colour == "red" { 50.0 } else { 0.0 };
        format!("{a},{b},{colour},{y}\n")
    };
    std::iter::once("a,b,colour,y\n".to_owned()).chain((0..n).map(row)).collect()
}

fn sum(values: &Value) -> f64 {
    values.as_object().expect("values by name").values().filter_map(Value::as_f64).sum()
}

#[test]
fn a_regression_is_explained_over_all_rows_and_for_one() {
    let place = Place::new();
    let data = place.write("made.csv", rows(240));
    place.ok(&["fit", &data, "--target", "y", "--max-trials", "6", "--task", "regression"]);
    let all = place.json(&["explain", "--model", "made", &data]);
    let lost = all["importance"]["lost"].as_array().expect("importance");
    assert_eq!(lost[0]["name"], "a");
    assert!(lost[0]["mean"].as_f64() > Some(20.0) && lost[0]["deviation"].as_f64() > Some(0.0), "{lost:?}");
    assert_eq!(all["importance"]["metric"], "rmse");
    let by_a = all["dependence"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "a")).expect("of a");
    let means: Vec<f64> = by_a["means"].as_array().expect("means").iter().filter_map(|mean| mean[0].as_f64()).collect();
    assert!(means.len() > 10 && means.last() > means.first(), "{means:?}");
    // Without a file it is the data it was fitted on.
    assert_eq!(place.json(&["explain", "--model", "made"]), all);
    let features = place.json(&["explain", "--model", "made", "--features"]);
    assert_eq!(features["of"], "features");
    let parts = place.json(&["model", "show", "made"]);
    // Whatever members it has, each with exact values adds up to its prediction; the others say what to do.
    let ran = place.run(&["explain", "--model", "made", "--member", "none", "--row", "1"]);
    assert!(ran.code == 2 && ran.err.contains("has no member `none`, only "), "{} {parts}", ran.err);
    let (_, names) = ran.err.trim().split_once("only ").expect("the names");
    let mut explained = 0;
    for name in names.split(", ") {
        let ran = place.run(&["explain", "--model", "made", "--member", name, "--row", "7", "--json", &data]);
        let found: Value = serde_json::from_str(&ran.out).expect("a document");
        if ran.code == 2 {
            assert!(found["error"]["message"].as_str().is_some_and(|text| text.contains("permutation")), "{found}");
            continue;
        }
        explained += 1;
        let total = found["outputs"][0]["base"].as_f64().expect("a base") + sum(&found["outputs"][0]["values"]);
        let prediction = found["prediction"][0].as_f64().expect("a number");
        assert!((total - prediction).abs() < 1e-3, "{name}: {total} {prediction}");
        assert_eq!(found["cells"]["colour"], "red");
    }
    assert!(explained > 0, "{names}");
}

#[test]
fn classes_are_explained_in_log_odds_or_not_at_all() {
    let place = Place::new();
    place.ok(&["fit", "open://breast_cancer", "--target", "diagnosis", "--max-trials", "8", "--name", "cells"]);
    let ran = place.run(&["explain", "--model", "cells", "--member", "none"]);
    let (_, names) = ran.err.trim().split_once("only ").expect("the names");
    let (mut odds, mut many) = (0, 0);
    for name in names.split(", ") {
        let ran = place.run(&["explain", "--model", "cells", "--member", name, "--row", "3", "--json"]);
        if ran.code != 0 {
            continue;
        }
        let found: Value = serde_json::from_str(&ran.out).expect("a document");
        let total = found["outputs"][0]["base"].as_f64().expect("a base") + sum(&found["outputs"][0]["values"]);
        let positive = found["prediction"][1].as_f64().expect("a probability");
        let expected = if found["unit"] == "log_odds" { 1.0 / (1.0 + (-total).exp()) } else { total };
        odds += u32::from(found["unit"] == "log_odds");
        assert!((expected - positive).abs() < 1e-5, "{name}: {expected} {positive}");
    }
    if names.contains(", ") {
        many += 1;
        let ran = place.run(&["explain", "--model", "cells", "--row", "3"]);
        assert!(ran.code == 0 || (ran.code == 2 && ran.err.contains("--member")), "{}", ran.err);
    }
    assert!(odds > 0 && many > 0, "{names}");
    let words = place.ok(&["explain", "--model", "cells", "--repeats", "2", "--top", "3", "--depend", "mean_area"]);
    assert!(words.out.contains("Importance") && words.out.contains("mean_area"), "{}", words.out);
    let ran = place.run(&["explain", "--model", "cells", "--depend", "mean_areas"]);
    assert!(ran.code == 2 && ran.err.contains("`mean_area`"), "{}", ran.err);
    let ran = place.run(&["explain", "--model", "cells", "--row", "0"]);
    assert!(ran.code == 2 && ran.err.contains("1 to 569"), "{}", ran.err);
}

#[test]
fn rows_without_the_target_have_the_rest() {
    let place = Place::new();
    let data = place.write("made.csv", rows(120));
    place.ok(&["fit", &data, "--target", "y", "--max-trials", "6", "--task", "regression"]);
    let bare: String = rows(60).lines().map(|line| format!("{}\n", line.rsplit_once(',').expect("cells").0)).collect();
    let bare = place.write("bare.csv", bare);
    let found = place.json(&["explain", "--model", "made", &bare]);
    assert!(found["importance"].is_null() && found["dependence"].as_array().is_some_and(|all| !all.is_empty()));
    let file = place.path("m.automl").display().to_string();
    place.ok(&["model", "download", "made", "--out", &file]);
    let ran = place.run(&["explain", "--model", &file]);
    assert!(ran.code == 2 && ran.err.contains("name the rows"), "{}", ran.err);
    assert_eq!(place.json(&["explain", "--model", &file, &bare])["dependence"], found["dependence"]);
}
