//! Simple regret of samplers on functions with known optima, as the shared harness measures it, without its pipes.
//!
//! ```sh
//! cargo run --release -p hyperdrive --example regret -- --samplers tpe,gp --n 200 --seeds 0-9
//! ```
//!
//! Prints, at 50, 100 and 200 trials, the median regret of each sampler on each function, and the mean over functions of
//! log10(regret / random's median), each run clamped at -3. With `--out FILE` each run is appended as a line in the form
//! of the harness, so that its `analyse.py` and `mw.py` take both.
//!
//! With `--workers 16` so many trials run at once in simulated time, half a second to one and a half each; then the
//! values of each run are in the order in which they came, and its simulated seconds, the share of them in which workers
//! stood idle, and the points that were tried twice are printed too.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::f64::consts::{E, PI};
use std::fs::OpenOptions;
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hyperdrive::simulate::SimulatedExecutor;
use hyperdrive::{
    Choice, Dimension, EarlyTerminationPolicy, Goal, Ladder, Limits, Objective, Outcome, Params, SamplingAlgorithm,
    Space, StudySpec,
};

/// A function, its space and its least value.
struct Function {
    name: &'static str,
    space: Space,
    value: fn(&Params) -> f64,
    least: f64,
}

#[expect(clippy::disallowed_methods, reason = "a program that measures time reads the clock and its arguments")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        options.insert(name, arguments.next().unwrap_or_default());
    }
    let option = |name: &str, default: &str| options.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let n: u32 = option("--n", "200").parse()?;
    let seeds = option("--seeds", "0-9");
    let (first, last) = seeds.split_once('-').ok_or("--seeds FIRST-LAST")?;
    let seeds: Vec<u64> = (first.parse()?..=last.parse()?).collect();
    let wanted = option("--funcs", "");
    let functions: Vec<Function> =
        functions().into_iter().filter(|f| wanted.is_empty() || wanted.split(',').any(|name| name == f.name)).collect();
    let mut out = match options.get("--out") {
        Some(path) => Some(OpenOptions::new().create(true).append(true).open(path)?),
        None => None,
    };
    let samplers = option("--samplers", "random");
    let workers: u32 = option("--workers", "1").parse()?;
    let mut traces: BTreeMap<(String, &str), Vec<Vec<f64>>> = BTreeMap::new();
    for sampler in std::iter::once("random").chain(samplers.split(',').filter(|name| *name != "random")) {
        let algorithm = sampling_algorithm(sampler)?;
        let mut together = Vec::new();
        for function in &functions {
            for seed in &seeds {
                let begun = Instant::now();
                let Searched { trace, seconds: simulated, idle, twice } =
                    regret(function, &algorithm, n, *seed, workers)?;
                together.push((simulated, idle, twice));
                let seconds = begun.elapsed().as_secs_f64();
                if let Some(file) = &mut out {
                    let peer = format!("ours-{sampler}");
                    let line = serde_json::json!({"kind": "regret", "peer": peer, "func": function.name, "n": n,
                        "seed": seed, "evals": trace.len(), "overhead_s": seconds, "trace": trace});
                    writeln!(file, "{line}")?;
                }
                traces.entry((sampler.to_owned(), function.name)).or_default().push(trace);
            }
        }
        report(sampler, &functions, &traces, n)?;
        if workers > 1 {
            let mean = |of: fn(&(f64, f64, usize)) -> f64| together.iter().map(of).sum::<f64>() / together.len() as f64;
            writeln!(
                std::io::stdout(),
                "{sampler:>12} {workers} workers: {:.1} simulated seconds, idle {:.4} of them, {} points twice",
                mean(|run| run.0),
                mean(|run| run.1),
                together.iter().map(|run| run.2).sum::<usize>()
            )?;
        }
    }
    Ok(())
}

fn report(
    sampler: &str,
    functions: &[Function],
    traces: &BTreeMap<(String, &str), Vec<Vec<f64>>>,
    n: u32,
) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for upto in [50, 100, 200].into_iter().filter(|upto| *upto <= n as usize) {
        let at = |name: &str, function: &Function| -> Vec<f64> {
            let runs = traces.get(&(name.to_owned(), function.name));
            runs.into_iter().flatten().filter_map(|trace| trace.get(upto - 1).copied()).collect()
        };
        let mut scores = Vec::new();
        write!(out, "{sampler:>12} @{upto:<4}")?;
        for function in functions {
            let base = median(at("random", function));
            let runs = at(sampler, function);
            let score = runs.iter().map(|regret| (regret.max(1e-300) / base).log10().max(-3.0)).sum::<f64>();
            scores.push(score / runs.len().max(1) as f64);
            write!(out, " {} {:.3e} ({:+.2})", function.name, median(runs), scores[scores.len() - 1])?;
        }
        writeln!(out, "  mean {:+.3}", scores.iter().sum::<f64>() / scores.len() as f64)?;
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { f64::NAN } else { f64::midpoint(values[(n - 1) / 2], values[n / 2]) }
}

/// The algorithm of that name with all its defaults; or what is written as JSON.
fn sampling_algorithm(name: &str) -> Result<SamplingAlgorithm, Box<dyn Error>> {
    if name.starts_with('{') {
        return Ok(serde_json::from_str(name)?);
    }
    let plain = serde_json::from_str(&format!("{name:?}"));
    let with_fields = || serde_json::from_str(&format!("{{{name:?}: {{}}}}"));
    Ok(plain.or_else(|_| with_fields())?)
}

/// What came of one search.
struct Searched {
    /// The least regret after each result, in the order in which they came.
    trace: Vec<f64>,
    /// Simulated seconds.
    seconds: f64,
    /// Share of the workers' seconds before the last trial began in which they had none.
    idle: f64,
    /// Points that had been tried before.
    twice: usize,
}

fn regret(
    function: &Function,
    sampling_algorithm: &SamplingAlgorithm,
    n: u32,
    seed: u64,
    workers: u32,
) -> Result<Searched, Box<dyn Error>> {
    let limits =
        Limits { max_trials: Some(n), max_concurrent: workers, search_seconds: Some(1e9), ..Limits::default() };
    let spec = StudySpec {
        search_space: function.space.clone(),
        objectives: vec![Objective { metric: "value".to_owned(), goal: Goal::Minimize }],
        sampling_algorithm: sampling_algorithm.clone(),
        early_termination: EarlyTerminationPolicy::None,
        limits,
        ladder: Ladder::single(),
        known: Vec::new(),
        seed,
    };
    let value = function.value;
    let lasts = |seed: u64| Duration::from_millis(500 + seed % 1_000);
    let starts = Rc::new(RefCell::new(Vec::new()));
    let mut executor =
        SimulatedExecutor::new(workers as usize, move |params, _, _| Outcome::single(value(params), 1.0));
    let clock = executor.clock();
    let started = Rc::clone(&starts);
    executor = executor.lasting(move |assignment, _| {
        started.borrow_mut().push((clock(), lasts(assignment.seed)));
        lasts(assignment.seed)
    });
    let clock = executor.clock();
    let (ended, _) = executor.run(&spec)?;
    let seconds = clock().as_secs_f64();
    let starts = starts.borrow();
    let last = starts.last().map_or(Duration::ZERO, |(at, _)| *at);
    let busy: f64 = starts.iter().map(|(at, lasts)| (*lasts).min(last.saturating_sub(*at)).as_secs_f64()).sum();
    let idle = if last.is_zero() { 0.0 } else { 1.0 - busy / (last.as_secs_f64() * f64::from(workers)) };
    let trials = ended.history.trials();
    let points: BTreeSet<String> = trials.iter().map(|trial| spec.search_space.hash_key(&trial.params)).collect();
    let mut arrived: Vec<_> = trials.iter().filter_map(|trial| Some((trial.ended?, trial.value()?))).collect();
    arrived.sort_by_key(|(record, _)| *record);
    let mut best = f64::INFINITY;
    let mut trace = Vec::new();
    for (_, value) in arrived {
        best = best.min(value);
        trace.push(best - function.least);
    }
    Ok(Searched { trace, seconds, idle, twice: trials.len() - points.len() })
}

/// The numbers `x0`, `x1`, … of a point.
fn xs(p: &Params) -> Vec<f64> {
    (0..).map_while(|i| p.float(&format!("x{i}")).ok()).collect()
}

fn float(p: &Params, key: &str) -> f64 {
    p.float(key).unwrap_or(f64::NAN)
}

fn text<'a>(p: &'a Params, key: &str) -> &'a str {
    p.text(key).unwrap_or("")
}

fn box_of(d: usize, low: f64, high: f64) -> Space {
    Space::new((0..d).map(|i| Dimension::float(format!("x{i}"), low, high)).collect())
}

/// The eight core functions of the harness, `funcs.py`.
fn functions() -> Vec<Function> {
    let leaves = |labels: &[&str]| labels.iter().map(|label| Choice::leaf(*label)).collect::<Vec<_>>();
    let branin_space = Space::new(vec![Dimension::float("x0", -5.0, 10.0), Dimension::float("x1", 0.0, 15.0)]);
    let mixed_space = Space::new(vec![
        Dimension::float("lr", 1e-5, 1.0).log(),
        Dimension::float("wd", 1e-7, 1e-1).log(),
        Dimension::float("drop", 0.0, 0.7),
        Dimension::float("mom", 0.0, 0.99),
        Dimension::int("layers", 1, 12),
        Dimension::int("units", 8, 1024).log(),
        Dimension::choice("opt", leaves(&["sgd", "adam", "rmsprop"])),
        Dimension::choice("act", leaves(&["relu", "gelu", "tanh", "elu", "silu"])),
    ]);
    let kernel = vec![
        Choice::leaf("linear"),
        Choice::with("poly", vec![Dimension::int("degree", 2, 6)]),
        Choice::with("rbf", vec![Dimension::float("gamma", 1e-5, 10.0).log()]),
    ];
    let models = vec![
        Choice::with("linear", vec![Dimension::float("alpha", 1e-6, 10.0).log()]),
        Choice::with("svm", vec![Dimension::float("c", 1e-3, 1e3).log(), Dimension::choice("kernel", kernel)]),
        Choice::with(
            "forest",
            vec![
                Dimension::int("depth", 1, 64).log(),
                Dimension::float("feat", 0.05, 1.0),
                Dimension::int("leaf", 1, 64).log(),
            ],
        ),
        Choice::with(
            "gbm",
            vec![
                Dimension::float("lr", 1e-4, 1.0).log(),
                Dimension::int("trees", 8, 2048).log(),
                Dimension::float("sub", 0.2, 1.0),
                Dimension::int("depth", 1, 15),
            ],
        ),
    ];
    let function = |name, space, value, least| Function { name, space, value, least };
    vec![
        function("branin2", branin_space, branin, 0.397_887_357_729_738_16),
        function("hartmann6", box_of(6, 0.0, 1.0), hartmann6, -3.322_368_011_415_51),
        function("ackley10", box_of(10, -32.768, 32.768), ackley, 0.0),
        function("rosenbrock5", box_of(5, -5.0, 10.0), rosenbrock, 0.0),
        function("rastrigin5", box_of(5, -5.12, 5.12), rastrigin, 0.0),
        function("levy8", box_of(8, -10.0, 10.0), levy, 0.0),
        function("mixed8", mixed_space, mixed, 0.003_352_288_448_265_607_5),
        function("cond13", Space::new(vec![Dimension::choice("model", models)]), conditional, 0.070_000_002_147_158_14),
    ]
}

fn branin(p: &Params) -> f64 {
    let (x, y) = (float(p, "x0"), float(p, "x1"));
    (y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0).powi(2) + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0
}

fn hartmann6(p: &Params) -> f64 {
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
        [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
        [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
        [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
    ];
    let x = xs(p);
    let well = |i: usize| -> f64 { (0..6).map(|j| A[i][j] * (x[j] - 1e-4 * P[i][j]).powi(2)).sum() };
    -[1.0, 1.2, 3.0, 3.2].iter().enumerate().map(|(i, a)| a * (-well(i)).exp()).sum::<f64>()
}

/// The point less the function's shift, which `funcs.py` draws from numpy's generator with seed 7 + d.
fn shifted(p: &Params, shift: &[f64]) -> Vec<f64> {
    xs(p).iter().zip(shift).map(|(x, s)| x - s).collect()
}

fn ackley(p: &Params) -> f64 {
    const SHIFT: [f64; 10] = [
        -8.074_100_630_338_545,
        1.202_720_169_209_133,
        -12.129_896_223_965_385,
        -16.990_849_275_345_315,
        11.284_727_463_932_592,
        6.147_284_209_861_478,
        5.407_541_665_869_43,
        2.972_826_746_999_300_6,
        -18.124_783_634_787_867,
        -5.590_996_569_939_682,
    ];
    let z = shifted(p, &SHIFT);
    let d = z.len() as f64;
    let square = z.iter().map(|z| z * z).sum::<f64>() / d;
    let wave = z.iter().map(|z| (2.0 * PI * z).cos()).sum::<f64>() / d;
    -20.0 * (-0.2 * square.sqrt()).exp() - wave.exp() + 20.0 + E
}

fn rosenbrock(p: &Params) -> f64 {
    const SHIFT: [f64; 5] = [
        0.424_977_054_278_034_2,
        3.940_298_179_092_428_3,
        1.079_890_091_110_808,
        2.702_436_360_281_786_2,
        -0.412_550_225_087_482_4,
    ];
    let z: Vec<f64> = shifted(p, &SHIFT).iter().map(|z| z + 1.0).collect();
    z.windows(2).map(|pair| 100.0 * (pair[1] - pair[0] * pair[0]).powi(2) + (1.0 - pair[0]).powi(2)).sum()
}

fn rastrigin(p: &Params) -> f64 {
    const SHIFT: [f64; 5] = [
        -2.124_823_496_419_293,
        1.474_865_335_390_647,
        -1.454_192_546_702_532_5,
        0.207_294_832_928_549_33,
        -2.982_451_430_489_581_5,
    ];
    let z = shifted(p, &SHIFT);
    10.0 * z.len() as f64 + z.iter().map(|z| z * z - 10.0 * (2.0 * PI * z).cos()).sum::<f64>()
}

fn levy(p: &Params) -> f64 {
    const SHIFT: [f64; 8] = [
        4.185_812_367_222_945,
        -3.853_248_900_948_018,
        -5.347_641_428_322_822,
        -1.661_538_646_941_324_7,
        -2.695_188_856_723_056,
        0.360_002_698_745_103_7,
        -2.328_973_011_169_008,
        -2.346_307_690_150_282_6,
    ];
    let w: Vec<f64> = shifted(p, &SHIFT).iter().map(|z| 1.0 + z / 4.0).collect();
    let (last, rest) = w.split_last().unwrap_or((&1.0, &[]));
    let middle = |w: &f64| (w - 1.0).powi(2) * (1.0 + 10.0 * (PI * w + 1.0).sin().powi(2));
    (PI * w[0]).sin().powi(2)
        + rest.iter().map(middle).sum::<f64>()
        + (last - 1.0).powi(2) * (1.0 + (2.0 * PI * last).sin().powi(2))
}

fn mixed(p: &Params) -> f64 {
    let a = float(p, "lr").log10() + 2.3;
    let (shift, cost) = match text(p, "opt") {
        "sgd" => (0.6, 0.05),
        "adam" => (-0.4, 0.0),
        _ => (0.1, 0.12),
    };
    let act = match text(p, "act") {
        "relu" => 0.02,
        "gelu" => 0.0,
        "tanh" => 0.08,
        "elu" => 0.04,
        _ => 0.01,
    };
    let units = if text(p, "act") == "tanh" { 1.5 } else { 1.0 };
    0.25 * (a - shift).powi(2)
        + 0.03 * (float(p, "wd").log10() + 4.2).powi(2)
        + 0.6 * (float(p, "drop") - 0.23).powi(2)
        + 0.5 * (float(p, "mom") - 0.81).powi(2)
        + 0.02 * (float(p, "layers") - 5.0).abs()
        + 0.05 * (float(p, "units").log2() - 7.6).powi(2) * units
        + 0.05 * (6.0 * a).sin().powi(2)
        + cost
        + act
}

fn conditional(p: &Params) -> f64 {
    match text(p, "model") {
        "svm" => {
            let value = 0.12 + 0.04 * (float(p, "svm.c").log10() - 1.3).powi(2);
            value
                + match text(p, "svm.kernel") {
                    "rbf" => 0.05 * (float(p, "svm.rbf.gamma").log10() + 2.1).powi(2),
                    "poly" => 0.03 + 0.02 * (float(p, "svm.poly.degree") - 3.0).abs(),
                    _ => 0.06,
                }
        }
        "forest" => {
            0.10 + 0.03 * (float(p, "forest.depth").log2() - 3.6).powi(2)
                + 0.4 * (float(p, "forest.feat") - 0.37).powi(2)
                + 0.01 * float(p, "forest.leaf").log10().powi(2)
        }
        "gbm" => {
            0.07 + 0.09 * (float(p, "gbm.lr").log10() + 1.4).powi(2)
                + 0.02 * (float(p, "gbm.trees").log2() - 8.2).powi(2)
                + 0.3 * (float(p, "gbm.sub") - 0.72).powi(2)
                + 0.015 * (float(p, "gbm.depth") - 6.0).abs()
        }
        _ => 0.18 + 0.03 * (float(p, "linear.alpha").log10() + 2.5).powi(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_harness() {
        // Values of funcs.py at x_i = 0.5 (i - 1), and at the points below.
        let line = |d: usize| (0..d).map(|i| (format!("x{i}"), (0.5 * (i as f64 - 1.0)).into())).collect::<Params>();
        let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} is not {b}");
        near(ackley(&line(10)), 19.444_613_948_091_224);
        near(rosenbrock(&line(5)), 8_315.399_678_035_945);
        near(rastrigin(&line(5)), 94.008_814_240_558_55);
        near(levy(&line(8)), 52.545_766_408_053_33);
        near(branin(&Params::new().with("x0", 1.5).with("x1", 2.5)), 12.648_592_538_435_37);
        let tenths = (0..6).map(|i| (format!("x{i}"), (0.1 * (i as f64 + 1.0)).into())).collect();
        near(hartmann6(&tenths), -1.406_910_576_138_529_9);
        let point = Params::new()
            .with("lr", 0.01)
            .with("wd", 1e-4)
            .with("drop", 0.3)
            .with("mom", 0.5)
            .with("layers", 3_i64)
            .with("units", 64_i64)
            .with("opt", "sgd")
            .with("act", "tanh");
        near(mixed(&point), 0.484_108_960_408_353_66);
        let gbm = Params::new()
            .with("lr", 0.01)
            .with("trees", 100_i64)
            .with("sub", 0.5)
            .with("depth", 4_i64)
            .prefixed("gbm")
            .with("model", "gbm");
        near(conditional(&gbm), 0.195_351_671_162_048_74);
        let svm =
            Params::new().with("model", "svm").with("svm.c", 2.0).with("svm.kernel", "rbf").with("svm.rbf.gamma", 0.1);
        near(conditional(&svm), 0.220_417_642_782_524_24);
    }
}
