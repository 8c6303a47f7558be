//! Exported models under ONNX Runtime and MLflow: they say what ours say. Python's packages are installed once; where
//! they cannot be had, the tests say so on standard error and check what can be checked without.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use automl::Clock;
use datasets::{Kind, Raw, RawColumn, RawValues, Schema, Table, TypeOverrides, Values};
use hyperdrive::Space;
use rand::SeedableRng;
use serde_json::{Value, json};
use trainers::model::heard;
use trainers::onnx::{Element, Layout, OnnxModel, to_onnx};
use trainers::transform::{FeatureSettings, Supervision};
use trainers::{
    Algorithm, Blend, Chain, Estimator, FeaturePlan, Featurizer, Fitted, LogScale, Logarithm, Member, Model, ModelCard,
    Pooling, Predictions, Stacked, Target, TargetValues, Task, TrainData,
};

use crate::support::{Place, made, root, sample};

/// The most by which a prediction may differ, of one part in so many of a number above 1.
const TOLERANCE: f64 = 1e-5;
const PACKAGES: [&str; 5] = ["onnxruntime", "onnx", "numpy", "pandas", "mlflow-skinny"];
const ROWS: usize = 400;
const TRAINED: usize = 300;
/// Predictions of which the fastest is told.
const TIMED: usize = 5;

/// A Python that has the packages, installed once into the target folder; `None` where there is no network or no Python.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON
        .get_or_init(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx-venv");
            let (python, ready) = (folder.join("bin/python"), folder.join("ready"));
            let run = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
            let installed = ready.exists()
                || run(Command::new("timeout").args(["120", "python3", "-m", "venv"]).arg(&folder))
                    && run(Command::new("timeout")
                        .arg("900")
                        .arg(&python)
                        .args(["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"])
                        .args(PACKAGES))
                    && std::fs::write(&ready, "").is_ok();
            if !installed {
                tell(&format!("SKIPPED: ONNX Runtime could not be installed into {}", folder.display()));
            }
            installed.then_some(python)
        })
        .as_deref()
}

/// Past the test harness, which keeps what a passing test prints to itself.
fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "tests/onnx.rs: {text}");
}

/// Runs a script and returns what it printed.
fn script(python: &Path, place: &Place, code: &str) -> String {
    let file = place.write("script.py", code);
    let output = Command::new(python).arg(file).current_dir(place.0.path()).output().expect("Python starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

/// Numbers with and without gaps, of any size; few and many levels, some of them never trained on; a boolean; and the signal.
fn raw() -> (Raw, Vec<f64>) {
    let mut state = 11_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64) / f64::from(u32::MAX >> 1)
    };
    let names = ["small", "gaps", "huge", "city", "shop", "two", "ok"];
    let mut cells: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
    let mut signal = Vec::new();
    for row in 0..ROWS {
        let (a, b, c) = (next(), next(), next());
        let gap = next() < 0.15;
        let city = (next() * 9.0) as usize + usize::from(row >= TRAINED && row % 17 == 0) * 20;
        let shop = (next() * if row < TRAINED { 55.0 } else { 70.0 }) as usize;
        let (two, ok) = (next() < 0.4, next() < 0.5);
        let (no_city, no_shop, no_ok) = (next() < 0.1, next() < 0.1, next() < 0.1);
        let row_cells = [
            Some(format!("{:.3}", a * 4.0 - 2.0)),
            (!gap).then(|| format!("{:.2}", b * 30.0)),
            Some(format!("{:.1}", (c - 0.3) * 4e6)),
            (!no_city).then(|| format!("city{city}")),
            (!no_shop).then(|| format!("s{shop}")),
            Some(if two { "left" } else { "right" }.to_owned()),
            (!no_ok).then(|| {
                if row % 5 == 0 {
                    if ok { "YES" } else { "No" }
                } else if ok {
                    "yes"
                } else {
                    "no"
                }
                .to_owned()
            }),
        ];
        for (column, cell) in cells.iter_mut().zip(row_cells) {
            column.push(cell);
        }
        let level = (city % 3) as f64 + (shop % 4) as f64;
        signal.push(2.0 * a + if gap { 1.0 } else { b } + level * 0.6 + f64::from(u8::from(ok != two)) + 0.4 * next());
    }
    let column = |(name, cells): (&str, Vec<Option<String>>)| RawColumn {
        name: name.to_owned(),
        values: RawValues::Text(cells.iter().map(Option::as_deref).collect()),
    };
    (Raw::from_columns(names.into_iter().zip(cells).map(column).collect()), signal)
}

/// The first rows alone: what a schema is made of.
fn head(raw: &Raw, n: usize) -> Raw {
    let column = |column: &RawColumn| RawColumn {
        name: column.name.clone(),
        values: RawValues::Text(
            (0..n).map(|row| column.values.text(row)).collect::<Vec<_>>().iter().map(Option::as_deref).collect(),
        ),
    };
    Raw::from_columns(raw.columns.iter().map(column).collect())
}

/// A table, how it was read, and a target of each task.
struct Problem {
    raw: Raw,
    schema: Schema,
    table: Table,
    target: Target,
}

impl Problem {
    fn new(task: Task) -> Problem {
        let (raw, signal) = raw();
        let overrides = TypeOverrides::default().with("shop", Kind::Categorical);
        let schema = Schema::infer(&head(&raw, TRAINED), &overrides).expect("plain columns").0;
        let table = schema.read(&raw).expect("columns of the schema").0;
        let cut = |x: f64, cuts: &[f64]| cuts.iter().filter(|&&cut| x > cut).count() as u32;
        let (classes, values): (&[&str], TargetValues) = match task {
            Task::Binary => (&["no", "yes"], TargetValues::Classes(signal.iter().map(|&x| cut(x, &[4.0])).collect())),
            Task::Multiclass => (
                &["1", "2", "5", "9"],
                TargetValues::Classes(signal.iter().map(|&x| cut(x, &[3.0, 4.0, 5.0])).collect()),
            ),
            Task::Regression => (&[], TargetValues::Numbers(signal.iter().map(|x| 150.0 + 40.0 * x).collect())),
        };
        let classes = classes.iter().map(ToString::to_string).collect();
        Problem { raw, schema, table, target: Target { task, classes, values } }
    }

    /// A chain by this algorithm, with its default parameters or with some drawn by `seed`; odd seeds weigh rows and learn
    /// logarithms of numbers.
    fn chain(&self, algorithm: Algorithm, seed: u64) -> Chain {
        let trainer = algorithm.trainer();
        let input = trainer.describe().input;
        let plan = FeaturePlan {
            categorical: input.categorical,
            scaling: input.scaling,
            columns: self.schema.names().iter().map(ToString::to_string).collect(),
            settings: FeatureSettings::default(),
        };
        let supervision = Supervision { target: &self.target, together: None, seed };
        let rows: Vec<u32> = (0..TRAINED as u32).collect();
        let features = Featurizer::fit_to(&plan, &self.table, &rows, &supervision).expect("plain columns");
        let block = features.block(&self.table).expect("its own table");
        let numbers: Vec<f64> = (0..ROWS as u32).filter_map(|row| self.target.number(row)).collect();
        let scale = (seed % 2 == 1 && !numbers.is_empty()).then(|| LogScale::of(numbers.iter().copied()));
        let target = scale.map_or_else(
            || self.target.clone(),
            |scale| {
                let logarithms = numbers.iter().map(|y| scale.logarithm(*y)).collect();
                Target { values: TargetValues::Numbers(logarithms), ..self.target.clone() }
            },
        );
        let mut data = TrainData::new(vec![block.into()], rows.into(), target.into(), seed);
        if seed % 2 == 1 && trainer.describe().weighted {
            data.weights = Some((0..ROWS).map(|row| [0.5, 1.0, 2.0][row % 3]).collect());
        }
        let params = if seed == 0 {
            trainer.default_params(&data.shape())
        } else {
            Space::new(trainer.space(&data.shape())).sample(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed))
        };
        let mut training = trainer.start(&data, &params, None).expect("sound parameters");
        training.advance(1.0, &std::sync::atomic::AtomicBool::new(false)).expect("it learns");
        let learned = training.model().expect("it has learned");
        let estimator = match scale {
            Some(scale) => Estimator::Logarithm(Logarithm { scale, estimator: Box::new(learned) }),
            None => learned,
        };
        Chain { features: features.featurizer, estimator }
    }

    /// A second layer that hears some members of a model.
    fn second(&self, model: &Fitted, inputs: Vec<usize>) -> Stacked {
        let alone = |&input: &usize| {
            let only = Fitted::new(model.card.clone(), vec![model.members[input].clone()]);
            only.predict(&self.table).expect("its own table")
        };
        let said: Vec<Predictions> = inputs.iter().map(alone).collect();
        let Chain { features, .. } = self.chain(Algorithm::LightGbm, 0);
        let own = features.apply(&self.table).expect("its own table");
        let block = own.beside(&heard(said.iter(), ROWS));
        let rows: Vec<u32> = (0..TRAINED as u32).collect();
        let data = TrainData::new(vec![block.into()], rows.into(), self.target.clone().into(), 0);
        let trainer = Algorithm::LightGbm.trainer();
        let params = trainer.default_params(&data.shape());
        let mut training = trainer.start(&data, &params, None).expect("sound parameters");
        training.advance(1.0, &std::sync::atomic::AtomicBool::new(false)).expect("it learns");
        let estimator = training.model().expect("it has learned");
        Stacked { weight: 2.0, inputs, chain: Chain { features, estimator }, name: "second".to_owned() }
    }

    fn fitted(&self, members: Vec<(f64, Vec<Chain>)>) -> Fitted {
        let member = |(weight, chains): (f64, Vec<Chain>)| Member { weight, chains, name: "a member".to_owned() };
        let task = self.target.task;
        let card = ModelCard {
            task,
            target: "y".to_owned(),
            target_schema: self.schema.columns[0].clone(),
            classes: self.target.classes.clone(),
            metric: "log_loss".to_owned(),
            threshold: (task == Task::Binary).then_some(0.37),
            positive: (task == Task::Binary).then(|| "yes".to_owned()),
            schema: self.schema.clone(),
            target_range: None,
            trained_on: "300 rows".to_owned(),
            seed: 0,
            automl_version: "0.1.0".to_owned(),
        };
        Fitted::new(card, members.into_iter().map(member).collect())
    }

    /// Cells of an input as a person would hand them over.
    fn cells(&self, name: &str, element: Element) -> Vec<Value> {
        let column = self.table.column(name).expect("an input is a column");
        match (&column.values, element) {
            (Values::Number(values), Element::Double) => values.iter().map(|value| json!(value)).collect(),
            (_, Element::String) => {
                let raw = &self.raw.column(name).expect("the same column").values;
                (0..ROWS).map(|row| json!(raw.text(row).unwrap_or_default())).collect()
            }
            other => panic!("{name}: {other:?}"),
        }
    }

    /// What Python needs to compare.
    fn case(&self, place: &Place, name: &str, model: &Fitted, onnx: &OnnxModel) -> Value {
        let path = place.write(&format!("{}.onnx", name.replace(' ', "_")), &onnx.bytes);
        let predictions = model.predict(&self.table).expect("its own table");
        let timed = |_| {
            let clock = Clock::start();
            let again = model.predict(&self.table).expect("its own table");
            assert_eq!(again, predictions);
            clock.seconds() / ROWS as f64 * 1e6
        };
        let own = (0..TIMED).map(timed).fold(f64::INFINITY, f64::min);
        let labels: Vec<String> = if self.target.task.is_classification() {
            predictions.rows().map(|row| self.target.classes[model.label(row)].clone()).collect()
        } else {
            Vec::new()
        };
        let columns: BTreeMap<&str, Vec<Value>> =
            onnx.inputs.iter().map(|port| (port.name.as_str(), self.cells(&port.name, port.element))).collect();
        let values: Vec<&[f64]> = predictions.rows().collect();
        json!({ "name": name, "path": path, "columns": columns, "values": values, "labels": labels, "own": own, "timed": TIMED })
    }
}

/// Loads every case, and prints the largest difference of each as a JSON object.
const COMPARE: &str = r#"
import json, time
import numpy as np, onnx, onnxruntime as ort
result = {}
for case in json.load(open("cases.json")):
    onnx.checker.check_model(case["path"], full_check=True)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(case["path"], options, providers=["CPUExecutionProvider"])
    feed = {}
    for port in session.get_inputs():
        cells = case["columns"][port.name]
        kind = object if port.type == "tensor(string)" else np.float64
        cells = [np.nan if cell is None else cell for cell in cells]
        feed[port.name] = np.array(cells, dtype=kind).reshape(-1, 1)
    expected = np.array(case["values"], dtype=np.float64)
    outputs = session.run(None, feed)
    found = np.asarray(outputs[-1], dtype=np.float64)
    assert found.shape == expected.shape, (case["name"], found.shape, expected.shape)
    difference = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    wrong = 0
    if case["labels"]:
        wrong = sum(str(a) != b for a, b in zip(outputs[0].tolist(), case["labels"]))
    # One row alone is what it is among others.
    one = session.run(None, {name: cells[7:8] for name, cells in feed.items()})[-1]
    alone = float(np.abs(np.asarray(one, dtype=np.float64) - found[7:8]).max())
    its = float("inf")
    for _ in range(case["timed"]):
        began = time.perf_counter()
        session.run(None, feed)
        its = min(its, (time.perf_counter() - began) / len(found) * 1e6)
    # An infinite number is a missing one.
    far = {name: np.where(np.isnan(x), np.inf, x) if x.dtype == np.float64 else x for name, x in feed.items()}
    np.testing.assert_array_equal(np.asarray(session.run(None, far)[-1]), outputs[-1])
    result[case["name"]] = [float(np.nanmax(difference)) if not np.isnan(difference).any() else None, wrong, alone, its]
print(json.dumps(result))
"#;

/// Compares every case, and returns the largest difference of each, and the microseconds a row of ONNX Runtime.
fn compare(place: &Place, cases: &[Value]) -> Option<BTreeMap<String, (f64, f64)>> {
    let python = python()?;
    place.write("cases.json", serde_json::to_vec(cases).expect("plain data"));
    let out = script(python, place, COMPARE);
    let found: BTreeMap<String, (Option<f64>, usize, f64, f64)> =
        serde_json::from_str(&out).expect("what the script prints");
    assert_eq!(found.len(), cases.len());
    let judged = found.into_iter().map(|(name, (difference, wrong, alone, micros))| {
        let difference = difference.unwrap_or(f64::INFINITY);
        assert!(difference <= TOLERANCE, "{name}: predictions differ by {difference}");
        assert_eq!(wrong, 0, "{name}: labels differ");
        assert!(alone <= TOLERANCE * 1e3, "{name}: a row alone differs by {alone}");
        (name, (difference, micros))
    });
    Some(judged.collect())
}

#[test]
fn every_algorithm_says_the_same_under_onnx_runtime() {
    let place = Place::new();
    let mut cases = Vec::new();
    for task in Task::ALL {
        let problem = Problem::new(task);
        for &algorithm in Algorithm::all() {
            if !algorithm.trainer().describe().tasks.contains(&task) {
                continue;
            }
            for seed in 0..3 {
                let model = problem.fitted(vec![(1.0, vec![problem.chain(algorithm, seed)])]);
                let onnx =
                    to_onnx(&model, Layout::Matrix).unwrap_or_else(|error| panic!("{algorithm} {task}: {error}"));
                assert_eq!(onnx, to_onnx(&model, Layout::Matrix).expect("as before"), "the same bytes");
                cases.push(problem.case(&place, &format!("{algorithm} {task} {seed}"), &model, &onnx));
            }
        }
    }
    let Some(found) = compare(&place, &cases) else { return };
    let mut lines: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, (difference, _)) in &found {
        let own = lines.entry(name.split(' ').next().unwrap_or_default()).or_default();
        *own = own.max(*difference);
    }
    tell(&format!("largest differences: {lines:?}"));
    tell(&times(&cases, &found));
}

/// Microseconds a row, on one thread: ours, and those of ONNX Runtime.
fn times(cases: &[Value], found: &BTreeMap<String, (f64, f64)>) -> String {
    let line = |case: &Value| {
        let name = case["name"].as_str().unwrap_or_default();
        let its = found.get(name).map_or(f64::NAN, |(_, micros)| *micros);
        format!("{name} {:.1} {its:.1}", case["own"].as_f64().unwrap_or_default())
    };
    format!("µs/row, ours and ONNX Runtime's: {}", cases.iter().map(line).collect::<Vec<_>>().join(", "))
}

#[test]
fn ensembles_and_bags_say_the_same() {
    let place = Place::new();
    let mut cases = Vec::new();
    for task in Task::ALL {
        let problem = Problem::new(task);
        let linear = if task == Task::Regression { Algorithm::ElasticNet } else { Algorithm::LogisticRegression };
        let bag = vec![problem.chain(Algorithm::LightGbm, 0), problem.chain(Algorithm::LightGbm, 3)];
        let model = problem.fitted(vec![
            (3.0, bag),
            (1.0, vec![problem.chain(linear, 0)]),
            (0.5, vec![problem.chain(Algorithm::Knn, 0)]),
            (0.25, vec![problem.chain(Algorithm::Constant, 0)]),
        ]);
        let onnx = to_onnx(&model, Layout::Matrix).expect("each can be carried");
        let names: Vec<&str> = onnx.outputs.iter().map(|port| port.name.as_str()).collect();
        let expected: &[&str] = if task == Task::Regression { &["variable"] } else { &["label", "probabilities"] };
        assert_eq!(names, expected);
        cases.push(problem.case(&place, &format!("ensemble {task}"), &model, &onnx));
        // The same in two layers, by another mean.
        let second = problem.second(&model, vec![0, 2]);
        for (pooling, temperature) in [(Pooling::Geometric, 1.0), (Pooling::Geometric, 1.4), (Pooling::Arithmetic, 0.7)]
        {
            let mut model = Fitted { stacked: vec![second.clone()], ..model.clone() };
            model.blend = Blend { pooling, temperature };
            model.members[2].weight = 0.0;
            let onnx = to_onnx(&model, Layout::Matrix).expect("each can be carried");
            cases.push(problem.case(&place, &format!("layers {task} {pooling:?} {temperature}"), &model, &onnx));
        }
    }
    if let Some(found) = compare(&place, &cases) {
        tell(&format!("largest differences: {found:?}"));
        tell(&times(&cases, &found));
    }
}

#[test]
fn classes_that_are_numbers_are_integers() {
    let problem = Problem::new(Task::Multiclass);
    let model = problem.fitted(vec![(1.0, vec![problem.chain(Algorithm::DecisionTree, 0)])]);
    let onnx = to_onnx(&model, Layout::Columns).expect("it can be carried");
    let outputs: Vec<(&str, Element)> = onnx.outputs.iter().map(|port| (port.name.as_str(), port.element)).collect();
    assert_eq!(outputs[0], ("label", Element::Int64));
    assert_eq!(outputs[1], ("p_1", Element::Double));
    assert_eq!(outputs.len(), 5);
}

#[test]
fn a_model_of_no_column_says_the_same() {
    let place = Place::new();
    let problem = Problem::new(Task::Binary);
    let featureless = Chain {
        features: Featurizer { columns: Vec::new() },
        estimator: Estimator::Constant(trainers::baseline::Constant { values: vec![0.25, 0.75] }),
    };
    let model = problem.fitted(vec![(1.0, vec![featureless])]);
    let onnx = to_onnx(&model, Layout::Matrix).expect("it can be carried");
    assert_eq!(onnx.inputs.len(), 1, "one column says how many rows there are");
    compare(&place, &[problem.case(&place, "constant", &model, &onnx)]);
}

/// The Python blocks of the page, in order.
fn blocks() -> Vec<String> {
    let page = std::fs::read_to_string(root().join("docs/export.md")).expect("the page");
    let block = |rest: &str| rest.split("\n```").next().unwrap_or_default().to_owned();
    page.split("```python\n").skip(1).map(block).collect()
}

/// Cells of a CSV text without quotes, by column.
fn columns(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let mut columns: BTreeMap<String, Vec<String>> =
        names.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
    for line in lines {
        for (name, cell) in names.iter().zip(line.split(',')) {
            columns.get_mut(*name).expect("a column").push(cell.to_owned());
        }
    }
    columns
}

/// Whether two columns are the same words, or numbers that are equal but for the tolerance.
fn assert_same(name: &str, found: &[String], expected: &[String]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        match (found.parse::<f64>(), expected.parse::<f64>()) {
            (Ok(a), Ok(b)) => {
                assert!((a - b).abs() <= TOLERANCE * b.abs().max(1.0), "{name} of row {row}: {a}, not {b}");
            }
            _ => assert_eq!(found, expected, "{name} of row {row}"),
        }
    }
}

/// Exports a model both ways, and runs the page's Python on a table: each prints what `automl predict` writes.
fn page_runs(place: &Place, model: &str, table: &str, is_classes: bool) {
    std::fs::copy(table, place.path("new.csv")).expect("a table");
    place.ok(&["model", "export", model, "--format", "onnx", "--out", "model.onnx"]);
    place.ok(&["model", "export", model, "--format", "mlflow", "--out", "model-mlflow"]);
    let expected = columns(&place.ok(&["predict", "--model", model, "new.csv", "--proba"]).out);
    let Some(python) = python() else { return };
    let blocks = blocks();
    assert_eq!(blocks.len(), 2, "the page has a scorer and MLflow");
    for (block, label) in blocks.iter().zip(["prediction", if is_classes { "label" } else { "prediction" }]) {
        let found = columns(&script(python, place, block));
        assert_eq!(found.len(), expected.len());
        for (name, cells) in &expected {
            let name = if name == "prediction" { label } else { name };
            assert_same(name, &found[name], cells);
        }
    }
}

#[test]
fn the_pages_python_scores_classes() {
    let place = Place::new();
    // Every seventh colour is missing.
    let gap = |(i, line): (usize, &str)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if i % 7 == 3 {
            cells[2] = "";
        }
        cells.join(",")
    };
    let table = made(300).lines().enumerate().map(gap).collect::<Vec<_>>().join("\n");
    let table = place.write("made.csv", table);
    place.ok(&["fit", &table, "--target", "y", "--max-trials", "12", "--name", "cells"]);
    let told = place.json(&["model", "export", "cells"]);
    assert_eq!((told["format"].as_str(), told["out"].as_str()), (Some("onnx"), Some("cells.onnx")));
    page_runs(&place, "cells@1", &table, true);
    // A folder of something else is left alone; the folder of a model is replaced.
    std::fs::create_dir(place.path("mine")).expect("a folder");
    place.write("mine/thesis.txt", "words");
    let refused = place.run(&["model", "export", "cells", "--format", "mlflow", "--out", "mine"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(!place.path("mine/MLmodel").exists() && refused.err.contains("mine: the folder is not empty"));
    let before = std::fs::read(place.path("model-mlflow/MLmodel")).expect("written above");
    place.ok(&["model", "export", "cells", "--format", "mlflow", "--out", "model-mlflow"]);
    assert_eq!(std::fs::read(place.path("model-mlflow/MLmodel")).expect("written again"), before);
}

#[test]
fn the_pages_python_scores_numbers() {
    let place = Place::new();
    place.ok(&[
        "fit",
        &sample("diabetes.csv"),
        "--target",
        "progression",
        "--max-trials",
        "10",
        "--model-out",
        "m.automl",
    ]);
    page_runs(&place, "m.automl", &sample("diabetes.csv"), false);
    if let Some(python) = python() {
        let example = "import json, mlflow\n\
            model = mlflow.pyfunc.load_model('model-mlflow')\n\
            print(len(model.predict(model.input_example)), model.metadata.signature.outputs.input_names())";
        assert_eq!(script(python, &place, example).trim(), "1 ['prediction']");
    }
}

#[test]
fn a_column_that_cannot_be_carried_is_named() {
    let place = Place::new();
    let rows: String = (0..120)
        .map(|i| format!("2024-{:02}-{:02},{},{}\n", i % 9 + 1, i % 23 + 1, i * 37 % 50, i % 9 * 3 + i % 5))
        .collect();
    let table = place.write("dates.csv", format!("day,x,y\n{rows}"));
    place.ok(&["fit", &table, "--target", "y", "--task", "regression", "--max-trials", "6"]);
    let ran = place.run(&["model", "export", "dates", "--out", "d.onnx"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("column `day`: ONNX has no operator for its DateTimeTransformer"), "{}", ran.err);
    assert!(ran.err.contains("--ignore day") && !place.path("d.onnx").exists(), "{}", ran.err);
}
