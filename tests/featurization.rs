//! How columns become features, from the command line to the summary that the run keeps.

use std::fmt::Write;

use automl::featurization::{ColumnSummary, FEATURIZATION_SUMMARY};
use platform::{RunId, Workspace};

use crate::support::Place;

/// Three hundred orders: a shop of sixty, two dates, a remark, two equal columns and an id that copies repeat.
fn orders() -> String {
    let mut text = String::from("order_id,shop,ordered,sent,remark,price,cost,late\n");
    for row in 0..300_u32 {
        let at = if row < 296 { row } else { row - 290 };
        let (shop, wait) = (at * 37 % 60, at * 7 % 11);
        let remark = ["please send soon and well packed", "no hurry with it at all", "ring the bell of number two"];
        let late = if shop % 3 == 0 || wait > 8 { "yes" } else { "no" };
        writeln!(
            text,
            "{},shop{shop},2024-{:02}-{:02},2024-{:02}-{:02},{} {},{}.5,{}.5,{late}",
            at * 3 + 1000,
            at % 6 + 1,
            at % 17 + 1,
            at % 6 + 1,
            at % 17 + 1 + wait,
            remark[(at % 3) as usize],
            at % 23,
            at % 29,
            at % 29,
        )
        .expect("a string takes all");
    }
    text
}

fn summary(place: &Place, arguments: &[&str]) -> (serde_json::Value, Vec<ColumnSummary>) {
    let orders = place.write("orders.csv", orders());
    let told = place.json(&[&["fit", &orders, "--target", "late", "--max-trials", "8"], arguments].concat());
    let workspace = Workspace::find_or_create(Some(&place.path(".automl")), place.0.path()).expect("a workspace");
    let run: RunId = serde_json::from_value(told["run"].clone()).expect("a run");
    let bytes = workspace.get_artifact(&run, FEATURIZATION_SUMMARY).expect("the run keeps it");
    (told, serde_json::from_slice(&bytes).expect("Azure's form"))
}

fn of<'a>(summary: &'a [ColumnSummary], name: &str) -> &'a ColumnSummary {
    summary.iter().find(|column| column.raw_feature_name == name).expect("every column is there")
}

#[test]
fn the_summary_says_what_became_of_each_column() {
    let place = Place::new();
    let (told, columns) = summary(&place, &["--block-transformer", "one_hot_encoder"]);
    assert_eq!(columns.len(), 7, "the target is not among them");
    let dropped: Vec<&str> = columns
        .iter()
        .filter(|column| column.dropped == "Yes")
        .map(|column| column.raw_feature_name.as_str())
        .collect();
    assert_eq!(dropped, ["order_id", "cost"]);
    assert_eq!(told["data"]["ledger"]["columns_dropped"][1]["reason"], "the same as `price` in every row");
    assert_eq!(of(&columns, "order_id").type_detected, "Ignore");
    assert_eq!(of(&columns, "order_id").engineered_feature_count, 0);
    assert_eq!(of(&columns, "shop").type_detected, "Categorical");
    for column in columns.iter().filter(|column| column.dropped == "No") {
        assert!(column.engineered_feature_count > 0 && !column.transformations.is_empty(), "{column:?}");
        assert!(!column.transformations.contains(&"OneHotEncoder".to_owned()), "it was blocked: {column:?}");
    }
    let sent = of(&columns, "sent");
    assert!(sent.transformations.contains(&"DateTimeDifference".to_owned()), "{sent:?}");
}

#[test]
fn off_uses_columns_as_they_are_and_purposes_are_obeyed() {
    let place = Place::new();
    let purposes = "shop=CategoricalHash,price=Ignore,remark=Categorical";
    let (_, columns) = summary(&place, &["--featurization", "off", "--column-type", purposes]);
    assert_eq!(of(&columns, "price").dropped, "Yes");
    assert_eq!(of(&columns, "remark").type_detected, "Categorical");
    for column in &columns {
        for step in ["CatTargetEncoder", "TfIdf", "TfIdfTruncatedSVD", "DateTimeDifference"] {
            assert!(!column.transformations.iter().any(|own| own == step), "{column:?}");
        }
    }
}

#[test]
fn settings_that_contradict_are_named() {
    let place = Place::new();
    let orders = place.write("orders.csv", orders());
    for (arguments, words) in [
        (&["--featurization", "off", "--block-transformer", "tf_idf"][..], "--featurization off excludes"),
        (&["--block-transformer", "tfidf"], "unknown variant `tfidf`"),
        (&["--column-type", "shop=Words"], "unknown variant `Words`"),
        (&["--column-type", "shpo=Text"], "did you mean `shop`?"),
        (&["--column-type", "shop=Text,shop=Ignore"], "is both Text and Ignore"),
        (&["--column-type", "shop=Text", "--types", "shop=categorical"], "say different things of `shop`"),
        (&["--column-type", "late=Ignore"], "is the target and cannot be ignored"),
    ] {
        let ran = place.run(&[&["fit", &orders, "--target", "late", "--dry-run"], arguments].concat());
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.all());
        assert!(ran.err.contains(words), "`{words}` is missing from: {}", ran.err);
    }
}
