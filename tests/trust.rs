//! What may be wrong with a table is told with the option that mends it and both scores; clean tables raise nothing. Also
//! the bound on how long a model may take.

use serde_json::Value;

use crate::support::Place;

/// Numbers that look random and are the same everywhere (Steele, Lea & Flood 2014, `SplitMix64`).
struct Draw(u64);

impl Draw {
    /// Between 0 and 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }

    /// About normal, of mean 0 and variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// The state and the words of a check.
fn check(plan: &Value, name: &str) -> (String, String) {
    let checks = plan["checks"].as_array().expect("checks");
    let found =
        checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check {name}: {plan:#}"));
    let word = |field: &str| found[field].as_str().expect("a word").to_owned();
    (word("state"), word("text"))
}

fn plan(place: &Place, table: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["fit", table, "--target", "y", "--dry-run"];
    arguments.extend_from_slice(more);
    place.json(&arguments)
}

/// Every check of a plan but those named is quiet.
fn quiet_but(plan: &Value, loud: &[&str]) {
    for check in plan["checks"].as_array().expect("checks") {
        let name = check["name"].as_str().expect("a name");
        assert_eq!(check["state"] == "alert", loud.contains(&name), "{check:#}");
    }
}

/// 1,200 visits of 240 patients, each of whom has a level of their own that no other column tells.
fn visits(by_patient: f64) -> String {
    let mut draw = Draw(1);
    let levels: Vec<f64> = (0..240).map(|_| draw.normal()).collect();
    let mut rows = vec!["patient_id,age,dose,y".to_owned()];
    for visit in 0..1200 {
        let patient = visit % 240;
        let (age, dose) = (40.0 + 9.0 * levels[patient] * by_patient + 0.01 * draw.normal(), draw.next());
        let y = by_patient * 5.0 * (levels[patient] * 40.0).sin() + 3.0 * dose + 0.3 * draw.normal();
        rows.push(format!("{patient},{age:.4},{dose:.4},{y:.4}"));
    }
    rows.join("\n")
}

#[test]
fn a_column_that_groups_rows_is_told_of_with_both_scores() {
    let place = Place::new();
    let planted = plan(&place, &place.write("visits.csv", visits(1.0)), &[]);
    let (state, text) = check(&planted, "groups");
    assert_eq!(state, "alert");
    assert!(text.contains("`patient_id` repeats: rmse ") && text.ends_with("--group patient_id"), "{text}");
    let scores: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(scores.len() == 2 && scores[1] > 1.5 * scores[0], "{text}");
    quiet_but(&planted, &["groups"]);
    let asked = plan(&place, &place.path("visits.csv").display().to_string(), &["--group", "patient_id"]);
    quiet_but(&asked, &[]);
    // Named like an id, it is told of in any case; here both scores are alike.
    let (_, text) = check(&plan(&place, &place.write("alike.csv", visits(0.0)), &[]), "groups");
    let scores: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(scores.len() == 2 && (scores[1] / scores[0] - 1.0).abs() < 0.1, "{text}");
}

/// 1,500 days on which the level wanders, or does not.
fn days(wander: f64) -> String {
    let mut draw = Draw(2);
    let mut level = 0.0;
    let mut rows = vec!["when,load,y".to_owned()];
    for day in 0..1500 {
        level += wander * draw.normal();
        let (year, rest) = (2015 + day / 336, day % 336);
        let load = draw.normal();
        rows.push(format!(
            "{year}-{:02}-{:02},{load:.4},{:.4}",
            1 + rest / 28,
            1 + rest % 28,
            level + load + 0.2 * draw.normal()
        ));
    }
    rows.join("\n")
}

#[test]
fn an_order_of_time_that_matters_is_told_of_with_both_scores() {
    let place = Place::new();
    let planted = plan(&place, &place.write("days.csv", days(0.5)), &[]);
    let (state, text) = check(&planted, "time");
    assert_eq!(state, "alert", "{text}");
    assert!(text.starts_with("rmse is ") && text.ends_with("--time when"), "{text}");
    quiet_but(&planted, &["time"]);
    quiet_but(&plan(&place, &place.path("days.csv").display().to_string(), &["--time", "when"]), &[]);
    quiet_but(&plan(&place, &place.write("still.csv", days(0.0)), &[]), &[]);
}

/// Rows of a classification; `hint` makes a column of the answer.
fn churn(seed: u64, shift: f64, hint: impl Fn(bool, &mut Draw) -> f64) -> String {
    let mut draw = Draw(seed);
    let mut rows = vec!["tenure,bill,calls,hint,y".to_owned()];
    for _ in 0..900 {
        let (tenure, bill, calls) = (draw.normal() + shift, draw.normal(), draw.normal());
        let left = tenure + 0.5 * bill * calls + 1.5 * draw.normal() > 0.0;
        let said = hint(left, &mut draw);
        rows.push(format!("{tenure:.3},{bill:.3},{calls:.3},{said:.3},{}", if left { "yes" } else { "no" }));
    }
    rows.join("\n")
}

#[test]
fn a_column_written_down_after_the_fact_is_told_of() {
    let place = Place::new();
    let after = |left: bool, draw: &mut Draw| f64::from(u8::from(left)) * 8.0 + draw.normal();
    let planted = plan(&place, &place.write("after.csv", churn(3, 0.0, after)), &[]);
    let (state, text) = check(&planted, "leakage");
    assert_eq!(state, "alert", "{text}");
    assert!(text.starts_with("`hint` alone gives roc_auc 0.999"), "{text}");
    assert!(text.contains(", all others 0.7") && text.ends_with("--ignore hint"), "{text}");
    quiet_but(&planted, &["leakage"]);
    let table = place.path("after.csv").display().to_string();
    quiet_but(&plan(&place, &table, &["--ignore", "hint"]), &[]);
    quiet_but(&plan(&place, &table, &["--keep-column", "hint"]), &[]);
    // Good is not too good.
    let good = |left: bool, draw: &mut Draw| f64::from(u8::from(left)) * 2.0 + draw.normal();
    quiet_but(&plan(&place, &place.write("good.csv", churn(3, 0.0, good)), &[]), &[]);
}

#[test]
fn a_test_file_of_other_rows_or_of_the_same_is_told_of() {
    let place = Place::new();
    let noise = |_: bool, draw: &mut Draw| draw.normal();
    let train = place.write("train.csv", churn(4, 0.0, noise));
    let others = place.write("others.csv", churn(5, 0.0, noise));
    quiet_but(&plan(&place, &train, &["--test", &others]), &[]);
    let shifted = place.write("shifted.csv", churn(6, 1.5, noise));
    let drifted = plan(&place, &train, &["--test", &shifted]);
    let (state, text) = check(&drifted, "drift");
    assert!(state == "alert" && text.ends_with("most by `tenure`") && text.contains("roc_auc 0.8"), "{text}");
    quiet_but(&drifted, &["drift"]);
    let copied = plan(&place, &train, &["--test", &train]);
    let (state, text) = check(&copied, "test_copies");
    assert_eq!((state.as_str(), text.starts_with("900 of the test's 900 rows")), ("alert", true), "{text}");
    quiet_but(&copied, &["test_copies"]);
}

#[test]
fn missing_cells_and_many_levels_are_done_with_and_azure_has_names_for_them() {
    let place = Place::new();
    let mut rows = vec!["town,size,y".to_owned()];
    for i in 0..400 {
        let size = if i % 5 == 0 { String::new() } else { (i % 37).to_string() };
        rows.push(format!("t{},{size},{}", i % 60, i % 2));
    }
    let plan = plan(&place, &place.write("towns.csv", rows.join("\n")), &["--task", "classification"]);
    assert_eq!(
        check(&plan, "missing").1,
        "`size` in 20.0% of the rows has no value: imputed, or left to trees as it is"
    );
    assert_eq!(check(&plan, "cardinality").1, "`town` 60 levels, described by the target out of fold");
    let azure = plan["azure_guardrails"].as_array().expect("a list");
    let named: Vec<(&str, &str)> =
        azure.iter().filter_map(|rail| Some((rail["name"].as_str()?, rail["state"].as_str()?))).collect();
    assert_eq!(
        named,
        [
            ("Missing feature values imputation", "Done"),
            ("High cardinality feature detection", "Done"),
            ("Class balancing detection", "Passed"),
            ("Validation split handling", "Done"),
        ]
    );
}

#[test]
fn a_bound_on_latency_is_kept_or_said_to_be_broken() {
    let place = Place::new();
    let noise = |_: bool, draw: &mut Draw| draw.normal();
    let train = place.write("train.csv", churn(7, 0.0, noise));
    let fit = |most: &str| place.json(&["fit", &train, "--target", "y", "--max-trials", "12", "--max-latency", most]);
    let free = fit("1000ms");
    assert_eq!(free["model"]["max_latency_us"], 1e6);
    assert!(free["model"]["latency_us"].as_f64().is_some_and(|us| us > 0.0 && us < 1e6));
    assert_eq!(free["search"]["reproducible"], false, "what is measured is not the same twice");
    // Nothing is that fast: the fastest is saved, alone, and that is said.
    let none = fit("0.001us");
    assert_eq!(none["model"]["members"].as_array().map(Vec::len), Some(1));
    let told = place.ok(&["fit", &train, "--target", "y", "--max-trials", "4", "--max-latency", "0.001us"]);
    assert!(told.out.contains("nothing within the 0.001 asked was found"), "{}", told.out);
    let bad = place.run(&["fit", &train, "--target", "y", "--max-latency", "fast"]);
    assert!(bad.code == 2 && bad.err.contains("`fast` is no time for a row: write 100us, 0.5ms or 1ms"), "{}", bad.err);
}
