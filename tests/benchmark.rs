//! Benchmarks: what engines see, what is measured of them, that nothing is lost or left behind, and what it comes to.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use automl::Clock;
use automl::benchmark::{BenchmarkNarrator, BenchmarkSession, Engine, Plan, Record, Suite, run};
use serde_json::Value;

use crate::support::{Place, Ran, binary};

/// A suite over the samples with these engines.
fn suite(place: &Place, engines: &str, more: &str) -> String {
    let text = format!(
        "name: t\nbudgets: [2s]\nseeds: [3]\nthreads: 1\n{more}datasets:\n\
         - {{name: iris, data: 'open://iris', target: species, task: multiclass, split: {{test: 0.3}}}}\n\
         - {{name: diabetes, data: 'open://diabetes', target: progression, task: regression, split: {{folds: 2, seed: 5}}}}\n\
         engines:\n{engines}"
    );
    place.write("suite.yml", text)
}

/// The same answer for every row, by awk, of either task.
const FLAT: &str = r"- name: flat
  version_command: echo flat 1.0
  command: |
    case {task} in
    multiclass) head=setosa,versicolor,virginica row=0.2,0.3,0.5 ;;
    *) head=prediction row=150 ;;
    esac
    awk -v head=$head -v row=$row 'NR == 1 {{ print head }} NR > 1 {{ print row }}' {test} > {out}
";

fn results(place: &Place) -> Vec<Value> {
    let text = fs::read_to_string(place.path("benchmark-t/results.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// How many processes of the machine have this word on their command line.
fn processes(word: &str) -> usize {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

/// Waits until that is so, for 60 seconds at most.
fn soon(what: impl Fn() -> bool) -> bool {
    (0..1200).any(|_| {
        let so = what();
        if !so {
            std::thread::sleep(Duration::from_millis(50));
        }
        so
    })
}

#[test]
fn engines_are_run_scored_and_summed_up() {
    let place = Place::new();
    let engines = format!(
        "- {{name: ours, ours: true, options: {{max-trials: 3}}}}\n{FLAT}- {{name: bad, command: 'echo oh dear >&2; exit 3 # {{out}}'}}\n"
    );
    let file = suite(&place, &engines, "");
    let plan = place.ok(&["benchmark", &file, "--dry-run"]);
    assert!(plan.out.contains("9 runs") && !place.path("benchmark-t").exists(), "{}", plan.out);
    let ran = place.ok(&["benchmark", &file]);
    assert!(ran.err.contains("1/9  iris  ours  log_loss"), "{}", ran.err);
    assert!(ran.err.contains("failed: fit: exit status 3"), "{}", ran.err);
    let records = results(&place);
    let order: Vec<String> =
        records.iter().map(|r| format!("{}{} {}", text(&r["dataset"]), r["fold"], text(&r["engine"]))).collect();
    let expected =
        ["iris0", "diabetes0", "diabetes1"].map(|set| ["ours", "flat", "bad"].map(|engine| format!("{set} {engine}")));
    assert_eq!(order, expected.concat(), "engines take turns on the same rows");
    for record in &records {
        let (ours, bad) = (record["engine"] == "ours", record["engine"] == "bad");
        assert_eq!(record["score"].is_null(), bad, "{record}");
        assert_eq!(record["predict_seconds"].is_null(), !ours, "{record}");
        if ours {
            let (score, baseline) =
                (record["score"].as_f64().expect("a score"), record["baseline"].as_f64().expect("one"));
            assert!(score < 0.9 * baseline, "{record}");
            assert!(
                record["cpu_seconds"].as_f64() > Some(0.0) && record["peak_memory_bytes"].as_u64() > Some(10 << 20),
                "{record}"
            );
            assert!(record["metrics"].as_object().is_some_and(|metrics| metrics.len() >= 3), "{record}");
        } else if bad {
            assert!(text(&record["log_tail"]).contains("oh dear"), "{record}");
        } else {
            assert_eq!(record["engine_version"], "flat 1.0");
        }
    }
    // 45 rows of iris, 15 of each class: the mean of -ln of 0.2, 0.3 and 0.5.
    let expected = -(0.2_f64.ln() + 0.3_f64.ln() + 0.5_f64.ln()) / 3.0;
    assert!((records[1]["score"].as_f64().expect("a score") - expected).abs() < 1e-12, "{}", records[1]);
    // Of two folds every row is predicted once, and no engine's file has the target.
    let rows = |name: &str| {
        fs::read_to_string(place.path("benchmark-t/data/diabetes").join(name)).expect("laid out").lines().count() - 1
    };
    assert_eq!(rows("fold0/test.csv") + rows("fold1/test.csv"), 442);
    let head = fs::read_to_string(place.path("benchmark-t/data/iris/fold0/test.csv")).expect("laid out");
    assert!(!head.contains("species") && !head.contains("setosa"));
    // The summary says the same on the screen, as JSON, and on the page.
    let summary = place.json(&["benchmark", &file, "--summary-only"]);
    let budget = &summary["budgets"][0];
    let names: Vec<&str> =
        budget["engines"].as_array().expect("engines").iter().map(|engine| text(&engine["name"])).collect();
    assert_eq!(names, ["ours", "flat", "bad"]);
    let first = &budget["engines"][0];
    assert_eq!(
        (first["average_rank"].as_f64(), first["win_rate"].as_f64(), first["normalised"].as_f64()),
        (Some(1.0), Some(1.0), Some(1.0))
    );
    assert_eq!(
        (budget["engines"][2]["failures"].as_u64(), budget["engines"][2]["normalised"].as_f64()),
        (Some(3), Some(0.0))
    );
    assert!(
        ran.out.contains("ours over flat") && ran.out.contains("failed 3 of 3") || ran.out.contains("3 of 3"),
        "{}",
        ran.out
    );
    let page = fs::read_to_string(place.path("benchmark-t/report.html")).expect("the page");
    assert!(page.contains("<svg") && page.contains("exit status 3") && !page.contains("<script"));
    // Nothing is left to do; one more engine runs alone; what failed runs again when asked.
    place.ok(&["benchmark", &file]);
    assert_eq!(results(&place).len(), 9);
    place.ok(&["benchmark", &file, "--retry-failed", "--only", "diab*"]);
    assert_eq!(results(&place).len(), 11);
    let again = fs::read_to_string(&file).expect("the suite").replace("row=150", "row=151");
    place.write("suite.yml", again);
    place.ok(&["benchmark", &file, "--only", "diabetes"]);
    assert_eq!(results(&place).len(), 13, "another command is another engine");
}

#[test]
fn what_hangs_is_ended_with_all_that_it_started() {
    let place = Place::new();
    let nap = format!("3100.{}", std::process::id());
    // A child in a session of its own, which a signal to the group does not reach, and a deaf parent.
    let engines = format!(
        "- {{name: hangs, command: \"trap '' TERM; setsid sleep {nap} & sleep {nap}; echo {{out}}\"}}\n- {{name: forks, command: \"setsid sleep {nap} & echo {{out}}\"}}\n"
    );
    let file = suite(&place, &engines, "kill_after: 1s\n");
    place.ok(&["benchmark", &file, "--only", "iris"]);
    let records = results(&place);
    assert!(text(&records[0]["error"]).contains("fit was ended after 1 s"), "{}", records[0]);
    assert!((1.0..20.0).contains(&records[0]["fit_seconds"].as_f64().expect("seconds")), "{}", records[0]);
    assert!(text(&records[1]["error"]).contains("no predictions were written"), "{}", records[1]);
    assert_eq!(processes(&nap), 0, "something survives");
}

#[test]
fn a_half_line_is_dropped_and_its_run_runs_again() {
    let place = Place::new();
    let file = suite(&place, FLAT, "");
    place.ok(&["benchmark", &file]);
    let path = place.path("benchmark-t/results.jsonl");
    let whole = fs::read_to_string(&path).expect("results");
    fs::write(&path, &whole[..whole.len() - 30]).expect("written");
    let ran = place.ok(&["benchmark", &file]);
    assert!(
        ran.err.contains("written by half") && ran.err.contains("1 of 3 to do · 2 are there already"),
        "{}",
        ran.err
    );
    assert_eq!(results(&place).len(), 3);
    // Other rows are another benchmark: what was measured on the old ones runs again.
    let text = fs::read_to_string(&file).expect("the suite").replace("seed: 5", "seed: 6");
    place.write("suite.yml", text);
    place.ok(&["benchmark", &file]);
    assert_eq!(results(&place).len(), 5);
}

fn interrupted(place: &Place, signal: &str, nap: &str) -> Ran {
    let hangs = format!("{FLAT}- {{name: hangs, command: \"sleep {nap}; echo {{out}}\"}}\n");
    let file = suite(place, &hangs, "");
    let child = place
        .command(&["benchmark", &file])
        .env("TMPDIR", place.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    assert!(soon(|| processes(&format!("sleep {nap}")) > 0), "the second engine hangs");
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    Ran::of(&child.wait_with_output().expect("it ends"), &["benchmark"])
}

#[test]
fn what_is_interrupted_or_killed_leaves_nothing_and_goes_on() {
    for (n, signal, code) in [(1, "-INT", 130), (2, "-KILL", -1)] {
        let place = Place::new();
        let nap = format!("{}.{}", 3200 + n, std::process::id());
        let ran = interrupted(&place, signal, &nap);
        assert_eq!(ran.code, code, "{}", ran.all());
        assert!(soon(|| processes(&nap) == 0), "{signal}: an engine survives");
        if code == 130 {
            assert!(ran.out.contains("Stopped") && ran.out.contains("Next  automl benchmark"), "{}", ran.out);
        }
        assert_eq!(results(&place).len(), 1, "{signal}");
        let file = place.path("suite.yml").display().to_string();
        place.write("suite.yml", fs::read_to_string(&file).expect("the suite").replace("sleep", "true"));
        place.ok(&["benchmark", &file]);
        assert_eq!(results(&place).len(), 6, "{signal}: one was there, five are made");
    }
}

#[test]
fn several_at_a_time_are_said_to_be_not_comparable() {
    let place = Place::new();
    let file = suite(&place, FLAT, "");
    let summary = place.json(&["benchmark", &file, "--jobs", "2"]);
    assert!(summary["notes"].to_string().contains("not comparable"), "{summary}");
    assert!(results(&place).len() == 3 && results(&place).iter().all(|record| record["jobs"] == 2));
}

fn session<'a>(place: &Place, stop: &Arc<AtomicBool>, narrator: &'a mut dyn BenchmarkNarrator) -> BenchmarkSession<'a> {
    BenchmarkSession {
        out: place.path("out"),
        program: binary().to_path_buf(),
        jobs: 1,
        retry_failed: false,
        clock: Clock::start(),
        stop: stop.clone(),
        narrator,
    }
}

/// Stops all once the first has ended.
struct Enough(Arc<AtomicBool>, Vec<String>);
impl BenchmarkNarrator for Enough {
    fn ended(&mut self, n: usize, plan: &Plan, record: &Record, left: f64) {
        assert!(n == 1 && plan.total == 2 && left > 0.0);
        self.1.push(record.engine.clone());
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_program_may_call_it() {
    let place = Place::new();
    let mut suite = Suite::read(Path::new(&suite(&place, FLAT, ""))).expect("a sound suite");
    suite.engines.push(Engine::ours("ours"));
    suite.keep_only("here", &["iris".into()]).expect("it is there");
    let stop = Arc::new(AtomicBool::new(false));
    let mut enough = Enough(stop.clone(), Vec::new());
    let outcome = run(&suite, &mut session(&place, &stop, &mut enough)).expect("it runs");
    assert!(outcome.is_stopped && outcome.summary.done == 1 && enough.1 == ["flat"]);
    let outcome = run(&suite, &mut session(&place, &Arc::default(), &mut ())).expect("it goes on");
    assert!(!outcome.is_stopped && outcome.summary.done == 2, "{:?}", outcome.summary);
    assert_eq!(outcome.summary.budgets[0].engines[0].name, "ours");
}

#[test]
fn a_harness_runs_as_it_is() {
    let place = Place::new();
    let laid = place.path("bench/data/flags/fold0");
    fs::create_dir_all(&laid).expect("folders");
    let rows = |n: usize, with: bool| -> String {
        let line = |i: usize| {
            if with {
                format!("{i},{}\n", if i.is_multiple_of(3) { "True" } else { "False" })
            } else {
                format!("{i}\n")
            }
        };
        std::iter::once(if with { "x,y\n".to_owned() } else { "x\n".to_owned() }).chain((0..n).map(line)).collect()
    };
    fs::write(laid.join("train.csv"), rows(30, true)).expect("written");
    fs::write(laid.join("test.csv"), rows(6, false)).expect("written");
    fs::write(laid.join("test_target.csv"), "y\nTrue\nFalse\nFalse\nTrue\nFalse\nFalse\n").expect("written");
    let manifest = r#"{"about": "x", "datasets": [
        {"name": "flags", "task": "binary", "target": "y", "metric": "auc", "positive": "True", "classes": ["False", "True"], "folds": 1, "set": "PUBLIC"},
        {"name": "air", "task": "forecast", "target": "y", "metric": "mase", "set": "PUBLIC"},
        {"name": "kept", "task": "binary", "target": "y", "metric": "auc", "set": "HELD-OUT"}]}"#;
    place.write("bench/manifest.json", manifest);
    // It sees a copy of the rows, in a folder of its own, and the harness's variables.
    let engine = r#"- {name: x, command: 'test {metric} = roc_auc && test "$OMP_NUM_THREADS" = 2 && test "$PEER_TMP" = "$PWD" && test ! -e iso/test_target.csv && awk ''NR == 1 {{ print "false,true" }} NR > 1 {{ p = ($1 % 3 == 0); print 1 - p "," p }}'' {test} > {out}'}"#;
    let text = format!(
        "datasets: [{{manifest: bench/manifest.json, set: PUBLIC}}]\nbudgets: [5s]\nthreads: 2\nengines:\n{engine}\n"
    );
    let file = place.write("laid.yml", text);
    let summary = place.json(&["benchmark", &file]);
    assert!(text_of(&summary["notes"]).contains("1 forecasting sets"), "{summary}");
    let sets = summary["budgets"][0]["datasets"].as_array().expect("sets");
    assert_eq!((sets.len(), sets[0]["scores"][0]["score"].as_f64()), (1, Some(1.0)), "{summary}");
    assert!(!place.path("benchmark-laid/data").exists(), "what is laid out is used where it lies");
}

fn text_of(value: &Value) -> String {
    value.to_string()
}

#[test]
fn suites_that_cannot_run_are_refused_before_anything_runs() {
    let place = Place::new();
    let file = suite(&place, FLAT, "");
    let good = fs::read_to_string(&file).expect("the suite");
    for (old, new, code, word) in [
        ("budgets", "budget", 2, "budget: no such field"),
        ("species", "specie", 2, "there is no column `specie`; nearest: `species`"),
        ("open://iris", "nowhere.csv", 3, "nowhere.csv"),
        ("task: multiclass", "task: regression", 3, "is no number"),
        ("{out}", "out.csv", 2, "names `{out}`"),
    ] {
        place.write("suite.yml", good.replacen(old, new, 1));
        let ran = place.run(&["benchmark", &file]);
        assert!(ran.code == code && ran.err.contains(word), "{new}: {} {}", ran.code, ran.all());
        assert!(results(&place).is_empty());
    }
    let ran = place.run(&["benchmark", &place.write("suite.yml", good), "--only", "irsi"]);
    assert!(ran.code == 2 && ran.err.contains("nearest: `iris`"), "{}", ran.all());
    assert_eq!(place.run(&["benchmark", &file, "--summary-only"]).code, 2, "nothing was run");
}
