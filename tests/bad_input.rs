//! Bad input: a clear error with the thing, its value and what to do, or a stated rule; never a panic, nothing written.

use std::io::Write;

use crate::support::{Place, made};

/// File contents, further arguments, exit status, and words the message must have.
type Case<'a> = (&'a str, &'a [u8], &'a [&'a str], i32, &'a [&'a str]);

const PLAIN: &[u8] = b"x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n";

#[test]
fn files_that_cannot_be_used_are_refused_with_reasons() {
    let cases: &[Case<'_>] = &[
        ("an empty file", b"", &[], 3, &["empty"]),
        ("only blanks", b"\n\n  \n", &[], 3, &["empty"]),
        ("a header alone", b"x,y\n", &[], 3, &["no rows"]),
        ("a short line", b"x,y\n1,a\n2\n3,b\n", &[], 3, &["line 3", "expected 2", "found 1"]),
        ("a long line", b"x,y\n1,a\n2,b,c\n", &[], 3, &["line 3", "found 3"]),
        ("a name twice", b"x,x,y\n1,2,a\n", &[], 3, &["`x`"]),
        ("an open quote", b"x,y\n1,\"a\n2,b\n", &[], 3, &["quote"]),
        ("binary garbage", b"\x00\x01\x02\xff\xfe\x00\x9c\x00\x00", &[], 3, &["text"]),
        ("no such target", PLAIN, &["--target", "Y"], 3, &["`Y`", "`y`"]),
        ("a constant target", b"x,y\n1,a\n2,a\n3,a\n4,a\n", &[], 3, &["`y`", "every row"]),
        ("a target without values", b"x,y\n1,\n2,\n3,\n", &[], 3, &["`y`", "missing in every row"]),
        ("a target of all different words", b"x,y\n1,a\n2,b\n3,c\n4,d\n5,e\n", &[], 3, &["`y`", "different"]),
        ("regression of words", PLAIN, &["--task", "regression"], 3, &["`y`", "numbers"]),
        ("no feature left", b"y,c\na,1\nb,1\na,1\nb,1\na,1\nb,1\n", &[], 3, &["no usable feature", "c"]),
        ("one row a class", b"x,y\n1,a\n2,b\n", &[], 3, &["two rows"]),
        ("a column that is not there", PLAIN, &["--ignore", "z"], 2, &["--ignore z"]),
        ("an unknown metric", PLAIN, &["--metric", "roc_aux"], 2, &["roc_aux", "nearest: `roc_auc`", "f1", "rmse"]),
        (
            "one of numbers",
            PLAIN,
            &["--task", "regression", "--metric", "x"],
            2,
            &["regression", "mape", "normalized_"],
        ),
        ("a metric of another task", PLAIN, &["--task", "binary", "--metric", "rmse"], 2, &["rmse", "binary", "AUC_"]),
        ("an unknown type", PLAIN, &["--types", "x=number"], 2, &["number"]),
        ("a type for no column", PLAIN, &["--types", "z=numeric"], 3, &["`z`"]),
        ("an unknown positive class", PLAIN, &["--positive", "c"], 2, &["`y`", "a, b"]),
        ("more folds than rows of a class", PLAIN, &["--cv", "7"], 3, &["--cv 7", "4 rows", "--cv 4"]),
        ("one fold", PLAIN, &["--cv", "1"], 2, &["2 to 100", "azure"]),
        ("folds said twice", PLAIN, &["--cv", "3", "--split-column", "x"], 2, &["--split-column x", "--cv"]),
        ("two ways to put models together", PLAIN, &["--single-model", "--ensemble", "voting"], 2, &["--single-model"]),
        ("a way that is none", PLAIN, &["--ensemble", "bagging"], 2, &["bagging", "voting"]),
        ("no time", PLAIN, &["--time-limit", "0s"], 2, &["--time-limit"]),
        ("time without a unit", PLAIN, &["--time-limit", "30"], 2, &["90s"]),
        ("no trials", PLAIN, &["--max-trials", "0"], 2, &["--max-trials 0"]),
        ("no cores", PLAIN, &["--cores", "0"], 2, &["--cores 0"]),
        ("a time that never ends", PLAIN, &["--time-limit", "99999999999999999999d"], 2, &["length of time"]),
        (
            "one group",
            b"x,y,g\n1,a,k\n2,b,k\n3,a,k\n4,b,k\n5,a,k\n6,b,k\n",
            &["--group", "g"],
            3,
            &["--group g", "one value"],
        ),
        ("a positive class of many", b"x,y\n1,a\n2,b\n3,c\n4,a\n5,b\n6,c\n", &["--positive", "a"], 2, &["--positive"]),
        (
            "a target sorted by time",
            b"t,x,y\n1,1,a\n2,2,a\n3,3,a\n4,4,b\n5,5,b\n6,6,b\n",
            &["--time", "t"],
            3,
            &["fold 1", "roc_auc"],
        ),
        (
            "a file for the model in no folder",
            PLAIN,
            &["--model-out", "nowhere/m.automl"],
            2,
            &["--model-out", "nowhere"],
        ),
        ("no trial at a time", PLAIN, &["--concurrent", "0"], 2, &["--concurrent 0"]),
        ("two splits", PLAIN, &["--group", "x", "--time", "x"], 2, &["exclude"]),
    ];
    refused(cases);
}

#[test]
fn weights_that_cannot_be_used_are_refused_with_reasons() {
    refused(&[
        ("a weight that is not there", PLAIN, &["--weight", "v"], 2, &["--weight v", "no such column"]),
        ("the target as its own weight", PLAIN, &["--weight", "y"], 2, &["`y`", "the weight"]),
        ("a weight that splits", PLAIN, &["--weight", "x", "--group", "x"], 2, &["--weight x", "split"]),
        (
            "a missing weight",
            b"x,y,w\n1,a,1\n2,b,\n3,a,2\n4,b,\n5,a,1\n6,b,3\n",
            &["--weight", "w"],
            3,
            &["`w`", "2 weights are missing", "first at row 2", "0 if they should not count"],
        ),
        (
            "a negative weight",
            b"x,y,w\n1,a,1\n2,b,1\n3,a,-2\n4,b,0\n5,a,1\n6,b,3\n",
            &["--weight", "w"],
            3,
            &["`w`", "1 weight is negative", "row 3: -2"],
        ),
        (
            "weights that are all 0",
            b"x,y,w\n1,a,0\n2,b,0\n3,a,0\n4,b,0\n5,,4\n",
            &["--weight", "w"],
            3,
            &["`w`", "0 in each of the 4 rows"],
        ),
        (
            "weights that are words",
            b"x,y,w\n1,a,much\n2,b,much\n3,a,little\n4,b,much\n",
            &["--weight", "w"],
            3,
            &["`w`", "does not hold numbers", "--types w=numeric"],
        ),
        (
            "a fold that trains on rows of no weight",
            b"x,y,w,f\n1,a,0,1\n2,b,0,1\n3,a,0,1\n4,b,0,1\n5,a,1,2\n6,b,1,2\n7,a,1,2\n8,b,1,2\n",
            &["--weight", "w", "--split-column", "f"],
            3,
            &["`w`", "4 training rows of fold 2", "weight 0"],
        ),
    ]);
}

/// Each case ends with its status and its words, and leaves nothing behind.
fn refused(cases: &[Case<'_>]) {
    for (what, bytes, arguments, code, words) in cases {
        let place = Place::new();
        let data = place.write("data.csv", bytes);
        let mut all = vec!["fit", data.as_str()];
        if !arguments.contains(&"--target") {
            all.extend(["--target", "y"]);
        }
        if !arguments.contains(&"--time-limit") && !arguments.contains(&"--max-trials") {
            all.extend(["--max-trials", "4"]);
        }
        all.extend(*arguments);
        let ran = place.run(&all);
        assert_eq!(ran.code, *code, "{what}: {}", ran.all());
        for word in *words {
            assert!(ran.err.contains(word), "{what}: `{word}` is missing from: {}", ran.err);
        }
        assert!(!place.path(".automl").exists(), "{what} left a workspace behind");
        all.push("--json");
        let json = place.run(&all);
        if *code == 3 {
            let document: serde_json::Value = serde_json::from_str(&json.out).expect("an error is a document too");
            assert_eq!(document["error"]["exit_code"], 3, "{what}");
        }
    }
}

#[test]
fn missing_files_and_patterns_say_so() {
    let place = Place::new();
    let ran = place.run(&["fit", "nowhere.csv", "--target", "y"]);
    assert!(ran.code == 3 && ran.err.contains("nowhere.csv"), "{}", ran.err);
    let ran = place.run(&["fit", "none-*.csv", "--target", "y"]);
    assert!(ran.code == 3 && ran.err.contains("none-*.csv"), "{}", ran.err);
    let ran = place.run(&["fit", "open://irs", "--target", "species"]);
    assert!(ran.code == 3 && ran.err.contains("iris"), "{}", ran.err);
}

#[test]
fn odd_but_usable_tables_are_fitted() {
    let place = Place::new();
    let mut rows = String::from("a;b;y\n");
    for i in 0..40 {
        let number = format!("{},{}", i * 3 % 17, i % 10);
        let word = if i % 9 == 0 { "NA".to_owned() } else { format!("{}", i % 5) };
        rows.push_str(&format!("{number};{word};{}\n", if i * 3 % 17 > 8 { "ja" } else { "nein" }));
    }
    let latin = rows.replace("ja", "gr\u{fc}n").chars().map(|c| c as u8).collect::<Vec<u8>>();
    let infinite = format!("{}inf,1,red,yes\n-inf,2,blue,no\n", made(60));
    let lonely = format!("{}0.1,0.2,red,maybe\n", made(60));
    let all_missing = made(60)
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{line},{}\n", if i == 0 { "void" } else { "" }))
        .collect::<String>();
    for (name, bytes, words) in [
        ("comma.csv", rows.clone().into_bytes(), vec!["semicolon", "decimal comma"]),
        ("latin.csv", latin, vec!["windows-1252", "grün"]),
        ("infinite.csv", infinite.into_bytes(), vec!["62 rows", "infinite"]),
        ("lonely.csv", lonely.into_bytes(), vec!["maybe", "60 of 61 rows"]),
        ("void.csv", all_missing.into_bytes(), vec!["void  missing in every row"]),
        ("tabs.tsv", made(60).replace(',', "\t").into_bytes(), vec!["tab"]),
        ("bom.csv", [b"\xef\xbb\xbf".as_slice(), made(60).as_bytes()].concat(), vec!["4 columns"]),
        ("crlf.csv", made(60).replace('\n', "\r\n").into_bytes(), vec!["60 rows"]),
    ] {
        let data = place.write(name, bytes);
        let ran = place.ok(&["fit", &data, "--target", "y", "--max-trials", "5"]);
        for word in words {
            assert!(ran.all().contains(word), "{name}: `{word}` is missing from:\n{}", ran.all());
        }
    }
}

#[test]
fn gzip_json_lines_and_several_files_are_read() {
    let place = Place::new();
    let text = made(90);
    let mut gz = std::process::Command::new("gzip")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip");
    gz.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("gzip reads");
    let packed = place.write("made.csv.gz", gz.wait_with_output().expect("gzip ends").stdout);
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let json: String = lines
        .map(|line| {
            let c: Vec<&str> = line.split(',').collect();
            format!(
                "{{\"{}\":{},\"{}\":{},\"{}\":\"{}\",\"{}\":\"{}\"}}\n",
                header[0], c[0], header[1], c[1], header[2], c[2], header[3], c[3]
            )
        })
        .collect();
    let json = place.write("made.jsonl", json);
    let all: Vec<&str> = text.lines().collect();
    place.write("part-1.csv", format!("{}\n{}\n", all[0], all[1..40].join("\n")));
    place.write("part-2.csv", format!("{}\n{}\n", all[0], all[40..].join("\n")));
    for source in [packed.as_str(), json.as_str(), "part-*.csv"] {
        let plan = place.json(&["fit", source, "--target", "y", "--dry-run"]);
        assert_eq!(plan["ledger"]["rows_in"], 90, "{source}");
        assert_eq!(plan["ledger"]["columns"].as_array().map(Vec::len), Some(4), "{source}");
    }
}

#[test]
fn what_cannot_be_scored_is_said_before_the_search() {
    let place = Place::new();
    let data = place.write("made.csv", made(120));
    let one_class: String =
        made(120).lines().filter(|line| !line.ends_with("no")).map(|line| format!("{line}\n")).collect();
    let test = place.write("test.csv", one_class);
    let ran = place.run(&["fit", &data, "--target", "y", "--test", &test, "--max-trials", "4"]);
    assert!(ran.code == 3 && ran.err.contains("test.csv") && ran.err.contains("roc_auc"), "{} {}", ran.code, ran.err);
    let ran = place.run(&["fit", &data, "--target", "a", "--holdout", "1%", "--metric", "r2", "--max-trials", "4"]);
    assert!(ran.code == 3 && ran.err.contains("the holdout"), "{} {}", ran.code, ran.err);
    let other = place.write("other.csv", made(40).replace("yes", "perhaps"));
    let plan = place.run(&["fit", &data, "--target", "y", "--test", &other, "--metric", "accuracy", "--dry-run"]);
    assert!(plan.out.contains("rows have no target value that training knows"), "{}", plan.all());
}

#[test]
fn a_class_of_few_rows_in_many_ends_with_a_model() {
    let place = Place::new();
    let mut text = String::from("a,b,y\n");
    for i in 0..21_000_u32 {
        let hash = i.wrapping_mul(2_654_435_761);
        let y = if i % 1000 == 7 { "yes" } else { "no" };
        text.push_str(&format!("{},{},{y}\n", hash % 1009, (hash >> 12) % 997));
    }
    let data = place.write("rare.csv", text);
    let summary = place.json(&["fit", &data, "--target", "y", "--max-trials", "4"]);
    assert_eq!(summary["score"]["source"], "holdout");
    assert_eq!(summary["model"]["name"], "rare@1");
}

#[test]
fn tables_at_the_edge_end_with_a_model() {
    let place = Place::new();
    let mut labels = String::from("town,make,y\n");
    for i in 0..120_u32 {
        labels.push_str(&format!("t{},m{},{}\n", i % 7, i * 5 % 11, if i % 7 > 3 { "up" } else { "down" }));
    }
    let mut wide = (0..3000).map(|j| format!("c{j},")).collect::<String>() + "y\n";
    for i in 0..40_u32 {
        for j in 0..3000_u32 {
            wide.push_str(&format!("{},", (i * 31 + j * 17 + i * j) % 97));
        }
        wide.push_str(if (i * 17 + 31 * i) % 97 > 48 { "yes\n" } else { "no\n" });
    }
    let mut classes = String::from("a,b,y\n");
    for i in 0..1000_u32 {
        classes.push_str(&format!("{},{},k{}\n", i % 250, i * 7 % 13, i % 250));
    }
    for (name, text) in [("labels.csv", labels), ("wide.csv", wide), ("classes.csv", classes)] {
        let data = place.write(name, text);
        let summary = place.json(&["fit", &data, "--target", "y", "--max-trials", "3"]);
        assert!(summary["model"]["bytes"].as_u64() > Some(100), "{name}: {summary:#}");
    }
}

#[test]
fn a_file_without_a_single_feature_value_is_still_predicted_and_scored() {
    let place = Place::new();
    let data = place.write("made.csv", made(120));
    let header = made(1).lines().next().expect("a header").to_owned();
    let width = header.split(',').count();
    let empty: String =
        (0..8).map(|i| format!("{}{}\n", ",".repeat(width - 1), if i % 2 == 0 { "yes" } else { "no" })).collect();
    let test = place.write("empty.csv", format!("{header}\n{empty}"));
    let summary = place.json(&["fit", &data, "--target", "y", "--test", &test, "--max-trials", "6"]);
    assert_eq!(summary["test"]["n_rows"], 8);
    let ran = place.ok(&["predict", "--model", "made@1", &test]);
    let said: std::collections::BTreeSet<&str> = ran.out.lines().skip(1).collect();
    assert_eq!(said.len(), 1, "rows that are alike are predicted alike: {}", ran.out);
}

#[test]
fn memory_that_holds_no_features_is_said_with_what_they_need() {
    let place = Place::new();
    let data = place.write("made.csv", made(400));
    let ran = place.run(&["fit", &data, "--target", "y", "--max-trials", "6", "--memory", "1KB"]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    assert!(ran.err.contains("raise --memory"), "{}", ran.err);
}
