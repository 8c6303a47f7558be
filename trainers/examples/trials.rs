//! Many trials on one shared block of bins: what memory they take, and what two cores are worth.
//!
//! `trials [ROWS] [FEATURES] [TRIALS]` makes a regression of so many rows and features, bins it once, trains
//! `light_gbm` with parameters drawn from its space on one thread, one trial after another, then on two, two trials at
//! a time (each on its own thread), and prints one JSON line: seconds and trials per second of both, the bytes of the
//! bins, by how much peak memory grew, and the bound: bins, what two running trials may take, and the models that are
//! kept.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use hyperdrive::{Params, Space};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use trainers::trees::{Bins, LIGHT_GBM};
use trainers::{Algorithm, Block, Estimator, Target, TargetValues, Task, TrainData};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A trial has at most this many rounds, so that a run takes seconds.
const MOST_ROUNDS: i64 = 60;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let mut next = |default: usize| arguments.next().unwrap_or(Ok(default));
    let (n_rows, n_features, n_trials) = (next(50_000)?, next(20)?, next(50)?);
    let (block, target) = made(n_rows, n_features);
    let before = status("VmRSS:")?;
    let rows: Arc<[u32]> = (0..n_rows as u32).collect();
    let bins = Arc::new(Bins::cut(std::slice::from_ref(&block), &rows, 255)?);
    let data = TrainData { bins: Some(bins.clone()), ..TrainData::new(vec![block], rows, target, 1) };
    let trials = draw(&data, n_trials);
    let running = trials
        .iter()
        .map(|params| Ok(LIGHT_GBM.settings(&data.shape(), params)?.memory(n_rows, 0, &bins)))
        .collect::<Result<Vec<u64>>>()?;
    let most = running.iter().copied().max().unwrap_or(0);

    let (one, models) = run(&data, &trials, 1)?;
    let kept: usize = models.iter().map(Estimator::bytes).sum();
    drop(models);
    let (two, _models) = run(&data, &trials, 2)?;
    let grew = status("VmHWM:")?.saturating_sub(before);
    let bound = bins.bytes() as u64 + 2 * most + 2 * kept as u64;
    let line = json!({
        "rows": n_rows, "features": n_features, "trials": n_trials,
        "seconds": {"one": one, "two": two},
        "trials_per_second": {"one": n_trials as f64 / one, "two": n_trials as f64 / two},
        "speedup": one / two,
        "bytes": {"bins": bins.bytes(), "running_most": most, "models": kept, "grew": grew, "bound": bound},
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Trains every trial, so many at a time; the wall seconds it took, and the models.
fn run(data: &TrainData, trials: &[Params], threads: usize) -> Result<(f64, Vec<Estimator>)> {
    let began = clock_gettime(ClockId::Monotonic);
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<Estimator>> {
        let mut models = Vec::new();
        while let Some(params) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut training = Algorithm::LightGbm.trainer().start(data, params, None)?;
            training.advance(1.0, &AtomicBool::new(false))?;
            models.push(training.model()?);
        }
        Ok(models)
    };
    let models = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| "a trial panicked")?).collect::<Result<Vec<_>>>()
    })?;
    let ended = clock_gettime(ClockId::Monotonic);
    let seconds = (ended.tv_sec - began.tv_sec) as f64 + (ended.tv_nsec - began.tv_nsec) as f64 * 1e-9;
    Ok((seconds, models.into_iter().flatten().collect()))
}

/// Parameters from the space, with few rounds.
fn draw(data: &TrainData, n_trials: usize) -> Vec<Params> {
    let space = Space::new(Algorithm::LightGbm.trainer().space(&data.shape()));
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let one = || {
        let params = space.sample(&mut rng);
        let rounds = params.int("n_estimators").unwrap_or(MOST_ROUNDS).min(MOST_ROUNDS);
        params.with("n_estimators", rounds)
    };
    std::iter::repeat_with(one).take(n_trials).collect()
}

/// Friedman's first function of uniform features, with noise.
fn made(n_rows: usize, n_features: usize) -> (Arc<Block>, Arc<Target>) {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let n_features = n_features.max(5);
    let values: Vec<f32> = (0..n_rows * n_features).map(|_| rng.random()).collect();
    let x = |row: usize, j: usize| f64::from(values[j * n_rows + row]);
    let numbers = (0..n_rows)
        .map(|row| {
            let wave = 10.0 * (std::f64::consts::PI * x(row, 0) * x(row, 1)).sin();
            wave + 20.0 * (x(row, 2) - 0.5).powi(2) + 10.0 * x(row, 3) + 5.0 * x(row, 4) + rng.random::<f64>()
        })
        .collect();
    let names = (0..n_features).map(|j| format!("x{j}")).collect();
    let target = Target { task: Task::Regression, classes: Vec::new(), values: TargetValues::Numbers(numbers) };
    (Arc::new(Block::numbers(names, n_rows, values)), Arc::new(target))
}

/// A figure of `/proc/self/status`, in bytes.
fn status(field: &str) -> Result<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such figure")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}
