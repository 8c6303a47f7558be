//! `predict`, `evaluate` and `model`: the rules of training, same rows, same order.

use std::fs;

use crate::support::{Place, made, sample};

#[test]
fn predictions_keep_rows_order_and_columns() {
    let place = Place::new();
    place.ok(&["fit", &sample("iris.csv"), "--target", "species", "--max-trials", "10"]);
    place.ok(&[
        "predict",
        "--model",
        "iris@1",
        &sample("iris.csv"),
        "--proba",
        "--keep",
        "species,petal_length_cm",
        "--out",
        "pred.csv",
    ]);
    let text = fs::read_to_string(place.path("pred.csv")).expect("predictions");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("species,petal_length_cm,prediction,p_setosa,p_versicolor,p_virginica"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 150);
    let right = rows.iter().filter(|row| row[0] == row[2]).count();
    assert!(right > 140, "{right} of 150 are right on the rows it was fitted on");
    for row in &rows {
        let p: Vec<f64> = row[3..].iter().map(|cell| cell.parse().expect("a probability")).collect();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{row:?}");
        let best = ["setosa", "versicolor", "virginica"][(0..3).max_by(|a, b| p[*a].total_cmp(&p[*b])).expect("three")];
        assert_eq!(row[2], best, "label and probability agree");
    }
}

#[test]
fn a_downloaded_model_predicts_the_same_and_a_damaged_one_is_refused() {
    let place = Place::new();
    let data = place.write("made.csv", made(150));
    place.ok(&["fit", &data, "--target", "y", "--max-trials", "8", "--model-out", "own.automl"]);
    place.ok(&["model", "download", "made@latest", "--out", "copy.automl"]);
    let own = fs::read(place.path("own.automl")).expect("the file");
    assert_eq!(own, fs::read(place.path("copy.automl")).expect("the copy"));
    let by_name = place.ok(&["predict", "--model", "made", &data, "--proba"]);
    let by_file = place.ok(&["predict", "--model", "own.automl", &data, "--proba"]);
    assert_eq!(by_name.out, by_file.out);
    for at in [0, 9, 20, 60, own.len() / 2, own.len() - 1] {
        let mut bytes = own.clone();
        bytes[at] ^= 0x10;
        fs::write(place.path("bad.automl"), bytes).expect("a file");
        let ran = place.run(&["predict", "--model", "bad.automl", &data]);
        assert!(ran.code == 4 && ran.out.is_empty(), "byte {at}: {} {}", ran.code, ran.err);
    }
    fs::write(place.path("short.automl"), &own[..own.len() / 2]).expect("a file");
    assert_eq!(place.run(&["predict", "--model", "short.automl", &data]).code, 4);
}

#[test]
fn thresholds_decide_labels() {
    let place = Place::new();
    let data = place.write("made.csv", made(300));
    place.ok(&["fit", &data, "--target", "y", "--max-trials", "8"]);
    let yes = |threshold: &str| {
        let ran = place.ok(&["predict", "--model", "made@1", &data, "--threshold", threshold]);
        ran.out.lines().filter(|line| *line == "yes").count()
    };
    assert_eq!(yes("0"), 300);
    assert!(yes("0.9") < yes("0.1"));
    assert!(yes("cost:fp=1,fn=9") >= yes("cost:fp=9,fn=1"));
    assert_eq!(place.run(&["predict", "--model", "made@1", &data, "--threshold", "2"]).code, 2);
}

#[test]
fn other_columns_types_and_values_are_stated_not_guessed() {
    let place = Place::new();
    let data = place.write("made.csv", made(200));
    place.ok(&["fit", &data, "--target", "y", "--max-trials", "6"]);
    let odd = place.write("odd.csv", "extra,colour,a,b\n1,violet,0.5,0.1\n2,red,much,0.2\n");
    let ran = place.ok(&["predict", "--model", "made@1", &odd]);
    assert_eq!(ran.out.lines().count(), 3);
    assert!(ran.err.contains("violet") && ran.err.contains("much"), "{}", ran.err);
    let short = place.write("short.csv", "a,b\n1,2\n");
    let ran = place.run(&["predict", "--model", "made@1", &short]);
    assert!(ran.code == 3 && ran.err.contains("colour"), "{} {}", ran.code, ran.err);
}

#[test]
fn a_model_is_evaluated_on_rows_with_the_target() {
    let place = Place::new();
    let data = place.write("made.csv", made(300));
    let summary = place.json(&["fit", &data, "--target", "y", "--max-trials", "8", "--test", &data]);
    let scores = place.json(&["evaluate", "--model", "made@1", &data]);
    let (test, own) = (summary["test"]["value"].as_f64(), scores["scores"]["roc_auc"].as_f64());
    assert!(own > Some(0.8) && test == own, "{test:?} {own:?}");
    let without = place.write("without.csv", "a,b,colour\n1,2,red\n");
    let ran = place.run(&["evaluate", "--model", "made@1", &without]);
    assert!(ran.code == 3 && ran.err.contains("`y`"), "{}", ran.err);
}

#[test]
fn an_unknown_model_names_the_nearest() {
    let place = Place::new();
    let data = place.write("made.csv", made(100));
    place.ok(&["fit", &data, "--target", "y", "--max-trials", "6"]);
    let ran = place.run(&["predict", "--model", "mode@1", &data]);
    assert!(ran.code == 4 && ran.err.contains("did you mean `made`"), "{} {}", ran.code, ran.err);
    let ran = place.run(&["model", "show", "made@9"]);
    assert!(ran.code == 4 && ran.err.contains('9'), "{} {}", ran.code, ran.err);
}
