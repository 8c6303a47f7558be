//! Suites, truth and summaries against figures made by hand.

use std::path::Path;

use datasets::{Raw, RawColumn, RawValues};
use trainers::{Metric, MetricSpec, Task};

use super::record::{Record, VERSION};
use super::suite::{Dataset, Division, Source, Suite, matches};
use super::summary::BenchmarkSummary;
use super::truth::Truth;

/// A suite of two sets and two engines.
const SUITE: &str = "datasets:
  - {name: a, data: a.csv, target: y, task: binary, split: {test: 0.5}}
  - {name: b, train: b.csv, test: /there/b.csv, target: y, task: regression, metric: mae}
budgets: [60, 1m30s]
seeds: [1, 2]
threads: 2
engines: [automl, {name: peer, command: 'fit {train} {out}'}]
";

fn parse(text: &str) -> Result<Suite, String> {
    Suite::parse(text, Path::new("/here"), "stem")
}

#[test]
fn a_suite_is_read() {
    let suite = parse(SUITE).expect("sound");
    assert_eq!(
        (suite.name.as_str(), suite.budgets.as_slice(), suite.limit(60.0)),
        ("stem", [60.0, 90.0].as_slice(), 240.0)
    );
    let [a, b] = suite.datasets.as_slice() else { panic!("two sets") };
    let halves = Source::Divided { data: "/here/a.csv".into(), split: Division::Test(0.5), seed: 1 };
    assert_eq!((&a.source, a.metric.name()), (&halves, "roc_auc"));
    assert_eq!(b.source, Source::Given { train: "/here/b.csv".into(), test: "/there/b.csv".into() });
    assert_eq!(b.metric.name(), "mae");
    let mut one = suite.clone();
    one.keep_only("--only", &["?".into()]).expect("both");
    assert_eq!(one.datasets.len(), 2);
    one.keep_only("--only", &["b*".into()]).expect("one");
    assert_eq!(one.datasets[0].name, "b");
    assert_eq!(one.keep_only("--only", &["c".into()]), Err("--only: no data set of the suite is called `c`".into()));
    assert!(matches("*a?", "xyab") && !matches("*a?", "xya") && matches("*", "") && !matches("", "a"));
}

#[test]
fn what_is_wrong_with_a_suite_is_named() {
    for (old, new, expected) in [
        ("seeds: [1, 2]", "seeds: [1, -2]", "seeds[1]: -2 is no whole number of at least 0"),
        ("seeds: [1, 2]", "seeds: [1, 1]", "seeds: `1` is there twice"),
        ("seeds: [1, 2]", "seed: 1", "seed: no such field (its value is 1); nearest: `seeds`"),
        ("[60, 1m30s]", "[60, 0]", "budgets[1]: 0 is no length of time above 0"),
        ("[60, 1m30s]", "[60, soon]", "budgets[1]: `soon` is not a length of time"),
        ("[60, 1m30s]", "[]", "budgets: there is none"),
        ("threads: 2", "threads: 0", "threads: 0 is no whole number of at least 1"),
        ("threads: 2", "reference: pear", "reference: no engine is called `pear`; there are automl, peer"),
        ("name: a", "name: b", "datasets: `b` is there twice"),
        ("name: a", "name: a/b", "datasets: `a/b` cannot name a folder"),
        (
            "target: y, task: binary",
            "tarket: y, task: binary",
            "datasets[0].target: it is missing: the column to predict",
        ),
        ("task: binary", "task: bin", "datasets[0].task: `bin` is no task: binary, multiclass or regression"),
        (
            "metric: mae",
            "metric: roc_auc",
            "datasets[1].metric: roc_auc does not score regression predictions; there are",
        ),
        ("metric: mae", "metric: mea", "nearest: `mae`"),
        ("metric: mae", "positive: 1", "datasets[1].positive: only a binary target has a positive class"),
        ("test: 0.5", "test: 5", "datasets[0].split.test: 5 is no share from 0.01 to 0.9"),
        ("test: 0.5", "folds: 1", "datasets[0].split.folds: 1 is no whole number of at least 2"),
        ("test: 0.5", "fold: 5", "datasets[0].split: it needs one of `folds` and `test`"),
        ("data: a.csv", "train: a.csv", "data set `a` needs `train` and `test`, or `data` and `split`"),
        ("{train} {out}", "{trian} {out}", "engines[1].command: `{trian}` is no place to fill in; nearest: `{train}`"),
    ] {
        assert!(SUITE.contains(old), "{old}");
        let error = parse(&SUITE.replacen(old, new, 1)).expect_err(new);
        assert!(error.contains(expected), "{new}: {error}");
    }
}

fn raw(columns: &[(&str, &[&str])]) -> Raw {
    let column = |(name, cells): &(&str, &[&str])| RawColumn {
        name: (*name).to_owned(),
        values: RawValues::Text(cells.iter().copied().collect()),
    };
    Raw::from_columns(columns.iter().map(column).collect())
}

fn dataset(task: Task, metric: Metric) -> Dataset {
    let source = Source::Laid(vec![(0, "x".into())]);
    Dataset { name: "d".into(), task, target: "y".into(), metric: metric.into(), positive: None, classes: None, source }
}

fn judge(truth: &Truth, metric: Metric, text: &str) -> Result<f64, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pred.csv");
    std::fs::write(&file, text).expect("written");
    truth.judge(&file, &MetricSpec::from(metric)).map(|scored| scored.score)
}

#[test]
fn predictions_are_read_in_every_form_of_the_harness() {
    let train = raw(&[("y", &["0", "1", "1", "0"])]);
    let mut binary = dataset(Task::Binary, Metric::LogLoss);
    let truth = Truth::new(&binary, &train, &raw(&[("y", &["0", "1"])])).expect("sound");
    // The mean of -ln 0.8 and -ln 0.6.
    let expected = -(0.8_f64.ln() + 0.6_f64.ln()) / 2.0;
    let judge = |text: &str| judge(&truth, Metric::LogLoss, text);
    for text in [
        "0,1\n0.8,0.2\n0.4,0.6\n",
        "p_0,p_1\n0.8,0.2\n0.4,0.6\n",
        "prediction,p_1.0,p_0.0\n0,0.2,0.8\n1,0.6,0.4\n",
        // Rows are scaled.
        "0,1\n8e-1,0.2\n0.2,0.3\n",
    ] {
        let score = judge(text).expect(text);
        assert!((score - expected).abs() < 1e-12, "{text}: {score}");
    }
    // The same constant for all: ln 2.
    assert!((truth.baseline(&Metric::LogLoss.into()).expect("a figure") - 2.0_f64.ln()).abs() < 1e-12);
    // A certain mistake costs what the harness says: half of -ln(1e-15 / (1 + 1e-15)).
    let wrong = judge("0,1\n0,1\n0,1\n").expect("a score");
    assert!((wrong - 1e-15_f64.ln().abs() / 2.0).abs() < 1e-9, "{wrong}");
    for (text, word) in [
        ("0,1\n0.8,0.2\n", "1 predictions for 2 rows"),
        ("0,1\n0.8,0.2\nnan,0.6\n", "prediction `nan` of row 2 in column `0` is no finite number"),
        ("0,1\n0.8,0.2\n,0.6\n", "prediction `` of row 2"),
        ("0,prediction\n0.8,0\n0.4,1\n", "no probabilities of class `1` among the columns 0, prediction"),
        ("0,p_0,1\n0.8,0.8,0.2\n0.4,0.4,0.6\n", "class `0` has two columns"),
        ("", "cannot be read"),
    ] {
        let error = judge(text).expect_err(text);
        assert!(error.contains(word), "{text}: {error}");
    }
    assert!(truth.judge(Path::new("/nowhere"), &Metric::LogLoss.into()).expect_err("none").contains("no predictions"));
    // `True` of one language is `true` of another, and the positive class is the one that is named.
    binary.positive = Some("false".into());
    let train = raw(&[("y", &["True", "False"])]);
    let truth = Truth::new(&binary, &train, &raw(&[("y", &["False", "True", "True"])])).expect("sound");
    assert_eq!(super::tests::judge(&truth, Metric::RocAuc, "true,false\n0.1,0.9\n0.7,0.3\n0.6,0.4\n"), Ok(1.0));
    // The last column of a regression without `prediction`.
    let truth =
        Truth::new(&dataset(Task::Regression, Metric::Rmse), &raw(&[("y", &["1", "3"])]), &raw(&[("y", &["2", "2"])]));
    let truth = truth.expect("sound");
    assert_eq!(super::tests::judge(&truth, Metric::Rmse, "id,value\n7,2\n8,4\n"), Ok(2.0_f64.sqrt()));
    assert_eq!(truth.baseline(&Metric::Rmse.into()), Some(0.0));
}

#[test]
fn a_class_that_was_not_taught_need_not_be_answered() {
    let three = dataset(Task::Multiclass, Metric::LogLoss);
    let truth = Truth::new(&three, &raw(&[("y", &["a", "b"])]), &raw(&[("y", &["a", "c"])])).expect("sound");
    let score = judge(&truth, Metric::LogLoss, "a,b\n1,0\n1,0\n").expect("a score");
    assert!((score - 1e-15_f64.ln().abs() / 2.0).abs() < 1e-9, "{score}");
    let error = Truth::new(&dataset(Task::Binary, Metric::RocAuc), &raw(&[("y", &["a", "b"])]), &raw(&[("y", &["c"])]));
    assert!(error.expect_err("three classes").contains("has 3 classes, and the task is binary"));
    let error = Truth::new(&three, &raw(&[("y", &["a", "b"])]), &raw(&[("y", &["a", ""])]));
    assert!(error.expect_err("no truth").contains("row 2 to predict has no value"));
}

pub(super) fn record(suite: &Suite, dataset: usize, engine: usize, seed: u64, score: Option<f64>) -> Record {
    let (dataset, spec) = (&suite.datasets[dataset], &suite.engines[engine]);
    Record {
        version: VERSION,
        dataset: dataset.name.clone(),
        fold: 0,
        budget: 60.0,
        seed,
        engine: spec.name.clone(),
        command_hash: spec.hash(dataset, suite.threads),
        engine_version: "1".into(),
        task: dataset.task.name().into(),
        metric: dataset.metric.name().into(),
        threads: 2,
        score,
        metrics: std::collections::BTreeMap::new(),
        baseline: Some(if dataset.task == Task::Regression { 10.0 } else { 0.5 }),
        fit_seconds: 59.0 + f64::from(u8::try_from(engine).expect("few")) * 4.0,
        predict_seconds: None,
        cpu_seconds: 100.0,
        peak_memory_bytes: 100 * seed,
        error: score.is_none().then(|| "exit status 1".into()),
        log_tail: None,
        load_average: 0.0,
        jobs: 1,
        data_hash: "d".into(),
        machine: "m".into(),
        started_ms: 0,
    }
}

#[test]
fn a_summary_is_the_one_made_by_hand() {
    let suite = parse(&SUITE.replace("[60, 1m30s]", "[60]")).expect("sound");
    let mut records = vec![
        // On `a` (roc_auc) ours has 0.8 and 0.6, the peer 0.9 and a failure, which counts 0.5.
        record(&suite, 0, 0, 1, Some(0.8)),
        record(&suite, 0, 0, 2, Some(0.6)),
        record(&suite, 0, 1, 1, Some(0.9)),
        record(&suite, 0, 1, 2, None),
        // On `b` (mae) ours has 4 and 6, the peer 2 and 2; an earlier result of the same run does not count.
        record(&suite, 1, 0, 1, Some(99.0)),
        record(&suite, 1, 0, 1, Some(4.0)),
        record(&suite, 1, 0, 2, Some(6.0)),
        record(&suite, 1, 1, 1, Some(2.0)),
    ];
    // One run is not there yet: `b` is not compared.
    let early = BenchmarkSummary::of(&suite, &records);
    assert_eq!((early.runs, early.done, early.budgets[0].compared), (8, 7, 1));
    records.push(record(&suite, 1, 1, 2, Some(2.0)));
    let summary = BenchmarkSummary::of(&suite, &records);
    let budget = &summary.budgets[0];
    let [ours, peer] = budget.engines.as_slice() else { panic!("two engines") };
    assert_eq!((summary.done, budget.compared, ours.name.as_str(), peer.name.as_str()), (8, 2, "automl", "peer"));
    // A win each: the failed run puts the peer last on `a`, whose mean of 0.7 it would have equalled.
    assert_eq!(
        (ours.average_rank, peer.average_rank, ours.win_rate, ours.firsts),
        (Some(1.5), Some(1.5), Some(0.5), 1)
    );
    assert_eq!(budget.win_rates, [[None, Some(0.5)], [Some(0.5), None]]);
    // On `a` ours is the best and so 1; on `b` it is (5 - 10) / (2 - 10) = 0.625. The peer has 0.7, as ours, and 1.
    let close = |a: Option<f64>, b: f64| a.is_some_and(|a| (a - b).abs() < 1e-12);
    assert!(close(ours.normalised, 0.8125) && close(peer.normalised, 1.0), "{ours:?} {peer:?}");
    // Errors on `a` are 0.3 and 0.3, on `b` 5 and 2: gaps of 0 and -0.6, and of two values every mean between is drawn.
    let gap = &budget.gaps[0];
    assert!((gap.mean + 0.3).abs() < 1e-12 && gap.datasets == 2, "{gap:?}");
    assert!(gap.interval.is_some_and(|(low, high)| (low + 0.6).abs() < 1e-12 && high.abs() < 1e-12), "{gap:?}");
    assert_eq!(
        (peer.failures, peer.seconds_beyond, peer.most_beyond, ours.seconds_beyond),
        (1, Some(3.0), Some(3.0), Some(0.0))
    );
    assert_eq!((ours.median_memory, ours.most_memory), (Some(150), Some(200)));
    assert_eq!((budget.failures.len(), budget.failures[0].error.as_str()), (1, "exit status 1"));
    let cells: Vec<(Option<f64>, bool)> =
        budget.datasets[1].scores.iter().map(|cell| (cell.score, cell.is_best)).collect();
    assert_eq!(cells, [(Some(5.0), false), (Some(2.0), true)]);
    assert!(summary.notes.is_empty(), "{:?}", summary.notes);
    // Another command's results are not this one's.
    let other = parse(&SUITE.replace("[60, 1m30s]", "[60]").replace("fit {train}", "fit  {train}")).expect("sound");
    assert_eq!(BenchmarkSummary::of(&other, &records).done, 4);
    let page = super::report::render(&summary);
    assert!(page.contains("<svg") && page.contains("peer over automl") || page.contains("automl over peer"), "{page}");
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn what_makes_results_less_comparable_is_said() {
    let suite = parse(&SUITE.replace("[60, 1m30s]", "[60]")).expect("sound");
    let first = record(&suite, 0, 0, 1, Some(0.8));
    let second = Record {
        jobs: 2,
        machine: "n".into(),
        engine_version: "2".into(),
        data_hash: "e".into(),
        ..record(&suite, 0, 0, 2, Some(0.8))
    };
    let notes = BenchmarkSummary::of(&suite, &[first, second]).notes.join("\n");
    for word in [
        "shared the machine",
        "of 2 machines: m; n",
        "results of automl are of 2 versions",
        "the rows of a, fold 0, changed",
    ] {
        assert!(notes.contains(word), "{word}: {notes}");
    }
}
