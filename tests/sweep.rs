//! Sweeps of scripts: what is put in, what is heard, and that nothing is left behind, however a script or a sweep ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Place, Ran};

/// A sweep file over `x` from -1 to 1 with this command; `more` is added at its end.
fn file(place: &Place, command: &str, limits: &str, more: &str) -> String {
    let indented: String = command.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "type: sweep\ntrial:\n  command: |\n{indented}search_space:\n  x: {{type: uniform, min_value: -1, max_value: 1}}\n\
         sampling_algorithm: random\nobjective: {{goal: minimize, primary_metric: loss}}\nlimits: {{{limits}}}\n{more}"
    );
    place.write("sweep.yml", text)
}

/// x squared, by a shell.
const SQUARE: &str = "awk -v x=${{search_space.x}} 'BEGIN { print \"metric loss\", x * x }'";

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// How many processes of the machine have this word on their command line.
fn processes(word: &str) -> usize {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

/// Waits until that is so, for 5 seconds at most.
fn soon(what: impl Fn() -> bool) -> bool {
    (0..100).any(|_| {
        let so = what();
        if !so {
            std::thread::sleep(Duration::from_millis(50));
        }
        so
    })
}

/// A number of seconds that no other process sleeps for.
fn odd_nap(n: u32) -> String {
    format!("{}.{}", 3000 + n, std::process::id())
}

#[test]
fn a_script_is_tuned_recorded_and_tuned_on() {
    let place = Place::new();
    let file = file(&place, SQUARE, "max_total_trials: 8, max_concurrent_trials: 2", "");
    let ran = place.ok(&["sweep", "run", &file]);
    assert!(ran.out.contains("minimize loss · random · 8 trials, 2 at a time"), "{}", ran.out);
    assert!(ran.out.contains("Best") && ran.out.contains("automl resume sweep-"), "{}", ran.out);
    let runs = place.json(&["run", "list"]);
    let run = text(&runs[0]["id"]);
    assert_eq!((&runs[0]["status"], &runs[0]["kind"]), (&"finished".into(), &"sweep".into()));
    let board = place.json(&["leaderboard", run]);
    assert_eq!((board["finished"].as_u64(), board["failed"].as_u64()), (Some(8), Some(0)));
    let best = &board["best"];
    let x = best["params"]["x"].as_f64().expect("x");
    assert!((best["value"].as_f64().expect("a value") - x * x).abs() < 1e-5, "{best}");
    assert!(text(&best["command"]).contains(&format!("x={x}")), "{best}");
    // The best of eight draws is what the list says, and each trial is a run with its parameter and its metric.
    for row in board["trials"].as_array().expect("trials") {
        assert!(row["value"].as_f64() >= best["value"].as_f64(), "{row}");
        let child = place.json(&["run", "show", &format!("{run}.{}", row["trial"])]);
        assert_eq!(child["metrics"]["loss"], row["value"], "{child}");
        assert!(child["params"]["x"].is_string(), "{child}");
    }
    // The same seed gives the same points, and more of them.
    let full = place.run(&["resume", run]);
    assert!(full.code == 2 && full.err.contains("--max-trials +40"), "{}", full.all());
    let more = place.json(&["resume", run, "--max-trials", "+3"]);
    assert_eq!(more["finished"].as_u64(), Some(11));
    let again = place.json(&["sweep", "run", &file]);
    assert_eq!(again["best"], board["best"], "a sweep of the same seed");
}

#[test]
fn the_samplers_of_the_search_are_at_hand() {
    let place = Place::new();
    let limits = "max_total_trials: 16, max_concurrent_trials: 1";
    let random = file(&place, SQUARE, limits, "");
    let text = fs::read_to_string(&random).expect("the file");
    for (named, shown) in
        [("bayesian", "auto"), ("{type: tpe, seed: 2}", "tpe"), ("{type: random, rule: sobol}", "sobol")]
    {
        place.write("sweep.yml", text.replace("sampling_algorithm: random", &format!("sampling_algorithm: {named}")));
        let ran = place.ok(&["sweep", "run", &random]);
        assert!(ran.out.contains(&format!("· {shown} ·")), "{named}: {}", ran.out);
        let best = place.json(&["leaderboard"])["best"]["value"].as_f64().expect("a value");
        assert!(best < if shown == "sobol" { 0.02 } else { 0.005 }, "{named}: {best}");
    }
    // A grid tries each point of a finite space once, and then there is no more.
    let grid = text.replace("{type: uniform, min_value: -1, max_value: 1}", "{type: choice, values: [3, 1, 2]}");
    let grid = grid.replace("sampling_algorithm: random", "sampling_algorithm: grid");
    let summary = place.json(&["sweep", "run", &place.write("sweep.yml", grid)]);
    assert_eq!((summary["finished"].as_u64(), summary["best"]["value"].as_f64()), (Some(3), Some(1.0)), "{summary}");
}

#[test]
fn what_is_put_in_is_what_was_drawn() {
    let place = Place::new();
    fs::create_dir(place.path("src")).expect("a folder");
    place.write("src/objective.sh", "echo \"args $*\"\necho \"env $AUTOML_PARAM_LR $AUTOML_PARAM_MODEL_DEPTH $GREETING\"\necho \"$AUTOML_PARAMS\" > $AUTOML_OUTPUT_DIR/params.json\necho '{\"acc\": 0.5, \"other\": 2}'\n");
    let file = place.write(
        "sweep.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json\ntype: sweep\n\
         inputs: {epochs: 3, data: {type: uri_file, path: data.csv}}\n\
         trial:\n  code: src\n  environment: azureml:sklearn@latest\n  environment_variables: {GREETING: hello}\n\
         \x20 command: >-\n    sh objective.sh --lr ${{search_space.lr}} --opt ${{search_space.opt}} $[[--depth ${{search_space.model.depth}}]]\n\
         \x20   --epochs ${{inputs.epochs}} --data ${{inputs.data}}\n\
         sampling_algorithm: {type: random, seed: 3, rule: random}\n\
         search_space:\n  lr: {type: loguniform, min_value: -6, max_value: -1}\n  opt: {type: choice, values: [sgd, 0.5, 3]}\n\
         \x20 model:\n    type: choice\n    values:\n    - {kind: linear}\n    - {kind: tree, depth: {type: randint, upper: 9}}\n\
         objective: {goal: maximize, primary_metric: acc}\nlimits: {max_total_trials: 12, max_concurrent_trials: 4, timeout: 600}\n\
         compute: azureml:cluster\n",
    );
    let ran = place.ok(&["sweep", "run", &file]);
    for note in ["trial.environment is ignored", "compute is ignored"] {
        assert!(ran.out.contains(note), "{}", ran.out);
    }
    let board = place.json(&["leaderboard"]);
    let logs = text(&board["logs"]).to_owned();
    let data = place.path("data.csv").canonicalize().unwrap_or_else(|_| place.path("data.csv"));
    let (mut trees, mut linear) = (0, 0);
    for trial in 0..12 {
        let log = fs::read_to_string(format!("{logs}/trial-{trial}.log")).expect("a log");
        let outputs = logs.replace("/logs", &format!("/outputs/trial-{trial}/params.json"));
        let params: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(outputs).expect("written by the script")).expect("JSON");
        let lr = params["lr"].as_f64().expect("a number");
        assert!(((-6.0_f64).exp()..=(-1.0_f64).exp()).contains(&lr), "{lr} is e to a power between -6 and -1");
        let opt = &params["opt"];
        assert!(["sgd".into(), 0.5.into(), 3.into()].contains(opt), "{opt} keeps its type");
        let plain = opt.as_str().map_or_else(|| opt.to_string(), str::to_owned);
        let depth = params["model"]["depth"].as_i64();
        match (text(&params["model"]["kind"]), depth) {
            ("tree", Some(0..=8)) => trees += 1,
            ("linear", None) => linear += 1,
            other => panic!("{other:?}"),
        }
        let depth = depth.map_or(String::new(), |depth| format!("--depth {depth} "));
        let words: Vec<&str> = log.split_whitespace().collect();
        let args = format!("args --lr {lr} --opt {plain} {depth}--epochs 3 --data");
        let args: Vec<&str> = args.split_whitespace().collect();
        assert!(words.windows(args.len()).any(|window| window == args), "{log}");
        assert!(log.contains(&data.file_name().expect("a name").to_string_lossy().into_owned()), "{log}");
        assert!(log.contains(&format!("env {lr}")) && log.contains("hello"), "{log}");
    }
    assert!(trees > 0 && linear > 0);
}

#[test]
fn a_file_that_makes_no_sense_is_refused_by_name() {
    let good = "type: sweep\ntrial: {command: 'echo ${{search_space.x}}'}\n\
         search_space:\n  x: {type: uniform, min_value: 0, max_value: 1}\n\
         sampling_algorithm: random\nobjective: {goal: maximize, primary_metric: acc}\nlimits: {max_total_trials: 2}\n";
    let cases = [
        ("type: sweep", "type: command", "`command` is no sweep"),
        ("type: sweep", "typo: sweep", "unknown field `typo`"),
        ("min_value: 0", "min_value: 2", "search_space.x: uniform has `min_value` 2 above `max_value` 1"),
        ("min_value: 0", "min_value: low", "`min_value` \"low\", which is no finite number"),
        ("max_value: 1", "max_value: 1, q: 2", "search_space.x: uniform has no field `q`"),
        ("uniform", "unifrom", "its type `unifrom` is none of choice, randint"),
        ("type: uniform, min_value: 0, max_value: 1", "type: choice, values: []", "the choice has no values"),
        ("type: uniform, min_value: 0, max_value: 1", "type: choice, values: [a, a]", "choice \"a\" is there twice"),
        ("type: uniform, min_value: 0, max_value: 1", "type: randint, upper: 0", "`upper` 0"),
        (
            "type: uniform, min_value: 0, max_value: 1",
            "type: normal, mu: 0, sigma: 0",
            "`sigma` 0, which is not above 0",
        ),
        ("type: uniform, min_value: 0, max_value: 1", "type: quniform, min_value: 0, max_value: 1, q: 0", "`q` 0"),
        ("type: uniform, min_value: 0, max_value: 1", "type: loguniform, min_value: 0, max_value: 1e4", "exponents"),
        ("  x: {", "  x: 3\n  y: {", "search_space.x: 3 is no distribution"),
        ("  x: {", "  x: {type: randint, upper: 2}\n  x: {", "duplicated key"),
        ("search_space.x}}", "search_space.y}}", "`y` is not in the search space: x"),
        ("search_space.x}}", "inputs.y}}", "`y` is not among the inputs, which is empty"),
        ("search_space.x}}", "search_space.x", "`${{` is not closed"),
        ("goal: maximize", "goal: most", "objective.goal: `most`"),
        ("primary_metric: acc", "metric: acc", "objective: unknown field `metric`"),
        ("max_total_trials: 2", "max_total_trials: 0", "limits.max_total_trials: 0 is less than 1"),
        ("max_total_trials: 2", "max_trials: 2", "limits: unknown field `max_trials`"),
        ("max_total_trials: 2", "max_total_trials: 2, timeout: -1", "limits.timeout: -1"),
        ("sampling_algorithm: random", "sampling_algorithm: randon", "`randon`"),
        ("sampling_algorithm: random", "sampling_algorithm: {type: random, rule: halton}", "neither random nor sobol"),
        ("sampling_algorithm: random", "sampling_algorithm: {type: random, seed: -1}", "seed -1"),
        ("sampling_algorithm: random", "sampling_algorithm: {asha: {}}", "it has no `type`"),
        ("sampling_algorithm: random", "sampling_algorithm: grid", "`x`: it is continuous"),
        ("sampling_algorithm: random", "sampling_algorithm: {type: tpe, candidates: 0}", "candidates"),
        ("sampling_algorithm: random", "sampling_algorithm: {type: tpe, gamma: 1}", "`gamma`"),
        ("sampling_algorithm: random", "early_termination: {type: patient}", "`patient`"),
        (
            "sampling_algorithm: random",
            "early_termination: {type: median_stopping, evaluation_interval: 0}",
            "evaluation_interval",
        ),
        ("trial: {", "trial: {code: ./nowhere, ", "trial.code: `./nowhere` is no folder"),
        ("type: sweep\n", "type: [sweep\n", "it is no YAML"),
    ];
    let place = Place::new();
    for (from, to, word) in cases {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        let file = place.write("bad.yml", changed);
        let ran = place.run(&["sweep", "run", &file]);
        assert!(ran.code == 2 && ran.err.contains(word), "{to}: {}", ran.all());
    }
    let ran = place.run(&["sweep", "run", "missing.yml", "--json"]);
    assert!(ran.code == 2 && ran.out.contains("missing.yml"), "{}", ran.all());
    assert!(!place.path(".automl").exists(), "a refused file leaves nothing behind");
    let file = place.write("good.yml", good);
    assert!(place.ok(&["sweep", "run", &file, "--dry-run"]).out.contains("nothing was started"));
    assert!(!place.path(".automl").exists());
}

/// The reason that the only trial of a sweep failed for.
fn failure(place: &Place, command: &str, limits: &str) -> String {
    let ran = place.run(&["sweep", "run", &file(place, command, &format!("max_total_trials: 1{limits}"), "")]);
    assert_eq!(ran.code, 4, "{command}: {}", ran.all());
    assert!(ran.err.contains("none of 1 trials has a result"), "{}", ran.err);
    assert!(ran.err.contains("logs"), "{}", ran.err);
    ran.err
}

#[test]
fn a_script_that_misbehaves_is_a_failed_trial_that_says_what_to_do() {
    let place = Place::new();
    for (command, words) in [
        ("true", ["it never reported loss: it printed nothing", "`metric loss VALUE`"]),
        ("echo hello", ["what it printed holds no metric", "`metric loss VALUE`"]),
        ("echo metric los 1", ["it reported los", "objective.primary_metric is loss"]),
        ("echo metric loss = 1", ["`metric loss = 1`", "not understood"]),
        ("echo metric loss nan", ["loss NaN", "report 1"]),
        ("echo metric loss 1; echo oh dear >&2; exit 3", ["exit status 3", "oh dear"]),
        ("no-such-command-anywhere", ["exit status 127", "not found"]),
        ("kill -9 $$", ["ended by signal 9", "it printed nothing"]),
    ] {
        let error = failure(&place, command, "");
        assert!(words.iter().all(|word| error.contains(word)), "{command}: {error}");
    }
    // The others go on when one fails, and the best of them is told.
    let half = "awk -v x=${{search_space.x}} 'BEGIN { if (x < 0) exit 1; print \"metric loss\", x }'";
    let summary = place.json(&["sweep", "run", &file(&place, half, "max_total_trials: 8", "")]);
    assert_eq!(summary["finished"].as_u64().unwrap_or(0) + summary["failed"].as_u64().unwrap_or(0), 8);
    assert!(summary["failed"].as_u64() > Some(0) && summary["best"]["value"].as_f64() > Some(0.0), "{summary}");
}

#[test]
fn what_a_script_leaves_behind_goes_with_it() {
    let place = Place::new();
    // It forks a child that holds its output and outlives it.
    let nap = odd_nap(1);
    let forks = format!("sleep {nap} & echo metric loss 1");
    let summary = place.json(&["sweep", "run", &file(&place, &forks, "max_total_trials: 2", "")]);
    assert_eq!(summary["finished"].as_u64(), Some(2));
    assert_eq!(processes(&nap), 0, "what was forked is gone");
    // It hangs, deaf to being asked, with a child of its own.
    let nap = odd_nap(2);
    let hangs = format!("trap '' TERM; sleep {nap} & sleep {nap}; sleep {nap}");
    let error = failure(&place, &hangs, ", trial_timeout: 1");
    assert!(error.contains("limits.trial_timeout") && error.contains("raise the limit"), "{error}");
    assert_eq!(processes(&nap), 0, "nothing survives the time limit");
    // With something reported it is taken with what it had.
    let late = format!("echo metric loss 3; echo metric loss 2; echo metric loss 2.5; sleep {nap}");
    let limits = "max_total_trials: 2, max_concurrent_trials: 2, trial_timeout: 1";
    let summary = place.json(&["sweep", "run", &file(&place, &late, limits, "")]);
    assert_eq!((&summary["trials"][0]["state"], summary["best"]["value"].as_f64()), (&"timed out".into(), Some(2.0)));
    // The whole sweep has an end, too.
    let limits = "max_total_trials: 9, max_concurrent_trials: 1, timeout: 1";
    let ran = place.run(&["sweep", "run", &file(&place, &format!("sleep {nap}"), limits, "")]);
    assert!(ran.code == 4 && ran.err.contains("none of 1 trials"), "{}", ran.all());
    assert_eq!(processes(&nap), 0);
}

#[test]
fn a_policy_ends_what_is_not_worth_it() {
    let place = Place::new();
    // Four good trials end by themselves; the worst then would go on for ever.
    let nap = odd_nap(3);
    let command = format!(
        "n=$AUTOML_TRIAL\nif [ $n -lt 4 ]; then echo metric loss 1; echo metric loss 1; exit; fi\n\
         echo metric loss 9; echo metric loss 9; sleep {nap}"
    );
    let policy = "early_termination: {type: median_stopping, evaluation_interval: 1, delay_evaluation: 2}\n";
    let limits = "max_total_trials: 5, max_concurrent_trials: 1";
    let ran = place.ok(&["sweep", "run", &file(&place, &command, limits, policy)]);
    assert!(ran.out.contains("median_stopping on reports of loss"), "{}", ran.out);
    let board = place.json(&["leaderboard"]);
    assert_eq!((board["finished"].as_u64(), board["stopped"].as_u64()), (Some(4), Some(1)), "{board}");
    let last = &board["trials"][4];
    assert_eq!((&last["state"], last["reports"].as_u64()), (&"stopped".into(), Some(2)), "after its second report");
    assert!(text(&last["reason"]).contains("median"), "{last}");
    assert_eq!(processes(&nap), 0);
}

/// A script that says when it ran, and naps first.
fn counting(place: &Place, nap: &str, n_fast: u32) -> String {
    let ran = place.path("ran.txt").display().to_string();
    let command = format!(
        "n=$AUTOML_TRIAL\necho start $n >> {ran}\n[ $n -lt {n_fast} ] || [ -f {ran}.go ] || sleep {nap}\n\
         echo metric loss $n\necho end $n >> {ran}"
    );
    file(place, &command, "max_total_trials: 6, max_concurrent_trials: 2", "")
}

fn lines(place: &Place, word: &str) -> usize {
    let text = fs::read_to_string(place.path("ran.txt")).unwrap_or_default();
    text.lines().filter(|line| line.starts_with(word)).count()
}

fn interrupted(place: &Place, signal: &str, nap: &str) -> Ran {
    let file = counting(place, nap, 3);
    let child = place
        .command(&["sweep", "run", &file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    assert!(soon(|| lines(place, "end") == 3 && lines(place, "start") >= 5), "three end and two hang");
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    let output = child.wait_with_output().expect("it ends");
    Ran::of(&output, &["sweep", "run"])
}

#[test]
fn a_sweep_that_is_interrupted_or_killed_leaves_nothing_and_goes_on() {
    for (n, signal, code) in [(4, "-INT", 130), (5, "-KILL", -1)] {
        let place = Place::new();
        let nap = odd_nap(n);
        let ran = interrupted(&place, signal, &nap);
        assert_eq!(ran.code, code, "{signal}: {}", ran.all());
        assert!(soon(|| processes(&nap) == 0), "{signal}: a trial survives its sweep");
        let runs = place.json(&["run", "list"]);
        let run = text(&runs[0]["id"]);
        if code == 130 {
            assert!(ran.out.contains("Best      loss 0 · trial 0") && ran.out.contains("automl resume"), "{}", ran.out);
            assert_eq!(runs[0]["status"], "stopped");
        }
        assert_eq!(place.json(&["leaderboard", run])["finished"].as_u64(), Some(3));
        place.write("ran.txt.go", "");
        let summary = place.json(&["resume", run]);
        assert_eq!((summary["finished"].as_u64(), summary["failed"].as_u64()), (Some(6), Some(0)), "{summary}");
        // What had ended did not run again; what hung ran once more.
        let text = fs::read_to_string(place.path("ran.txt")).expect("the script's own list");
        for trial in 0..6 {
            let ends = text.lines().filter(|line| *line == format!("end {trial}")).count();
            let starts = text.lines().filter(|line| *line == format!("start {trial}")).count();
            let expected = if trial == 3 || trial == 4 { 2 } else { 1 };
            assert_eq!((starts, ends), (expected, 1), "{signal}: trial {trial}: {text}");
        }
    }
}

/// A study of the benchmark harness: conditions, log ranges, integers and choices.
const STUDY: &str = r#"{"space":[{"name":"lr","kind":"float","lo":1e-5,"hi":1,"log":true,"cond":null},{"name":"model","kind":"cat","choices":["tree","linear"],"cond":null},{"name":"depth","kind":"int","lo":1,"hi":64,"log":true,"cond":["model","tree"]}],"seed":5,"goal":"minimize","n_trials":15}"#;

/// A session that asks and tells as a program does, one line at a time: what was said in all, and its exit status.
fn session(
    place: &Place,
    first: &str,
    sampler: &str,
    answer: impl Fn(&serde_json::Value) -> String,
) -> (Vec<String>, i32) {
    let mut child = place
        .command(&["sweep", "ask-tell", "--sampler", sampler])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut to = child.stdin.take().expect("a pipe");
    let from = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    writeln!(to, "{first}").expect("it listens");
    let mut said = Vec::new();
    for line in from {
        let line = line.expect("text");
        let message: serde_json::Value = serde_json::from_str(&line).expect("every line is JSON");
        said.push(line);
        if message.get("done").is_some() || message.get("exit_code").is_some() {
            break;
        }
        writeln!(to, "{}", answer(&message)).expect("it listens");
    }
    drop(to);
    (said, child.wait().expect("it ends").code().unwrap_or(-1))
}

#[test]
fn any_program_asks_and_tells() {
    let place = Place::new();
    let answer = |asked: &serde_json::Value| {
        let params = &asked["params"];
        let lr = params["lr"].as_f64().expect("a number");
        assert!((1e-5..=1.0).contains(&lr));
        assert_eq!(params["model"] == "tree", params["depth"].is_i64(), "{asked}");
        format!(
            r#"{{"trial":{},"value":{}}}"#,
            asked["trial"],
            lr.log10().abs() + params["depth"].as_f64().unwrap_or(9.0)
        )
    };
    let (said, code) = session(&place, STUDY, "random", answer);
    assert_eq!((said.len(), code), (16, 0), "{said:?}");
    let done: serde_json::Value = serde_json::from_str(&said[15]).expect("JSON");
    assert_eq!(done["done"], true);
    assert!(done["best"]["value"].as_f64().is_some_and(|value| value < 9.0), "{done}");
    assert_eq!(session(&place, STUDY, "random", answer).0, said, "the same seed, the same transcript");
    assert!(!place.path(".automl").exists(), "it remembers nothing");
    // What is no study ends it with the status of a mistake in usage, and a line that says what to do.
    for (first, word) in [("{}", "it looks like"), (&STUDY.replace("\"tree\"]", "\"trees\"]"), "never")] {
        let (said, code) = session(&place, first, "random", answer);
        assert!(code == 2 && said[0].contains(word), "{said:?}");
    }
    assert_eq!(session(&place, STUDY, "randon", answer).1, 2);
    // Nothing at all is no study either.
    assert_eq!(place.run(&["sweep", "ask-tell"]).code, 2);
}
