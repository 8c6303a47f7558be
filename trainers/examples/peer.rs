//! Trains once and measures it: one process of the comparison in `benches/peers`.
//!
//! `peer ALGORITHM SET PREDICTIONS THREADS PARAMS` reads a set as `benches/peers/store.py` writes it, cuts bins and
//! trains on THREADS threads with the algorithm's default parameters overlaid by the JSON object PARAMS, writes the
//! test part's predictions as row-major little-endian `f64`, and prints one JSON line: CPU and wall seconds of
//! binning, training and prediction, and by how many bytes peak memory grew during binning and training.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyperdrive::{Params, Value};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use trainers::trees::Bins;
use trainers::{Algorithm, Block, Estimator, Kind, Target, TargetValues, Task, TrainData};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Bins of a feature, as every peer is asked for.
const MAX_BINS: usize = 255;

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            let written = writeln!(std::io::stdout(), "{line}");
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            // Nobody is left to tell when standard error is closed too.
            drop(writeln!(std::io::stderr(), "peer: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<serde_json::Value> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [algorithm, set, predictions, threads, params] = arguments.as_slice() else {
        return Err("five arguments are needed: ALGORITHM SET PREDICTIONS THREADS PARAMS".into());
    };
    let algorithm = Algorithm::parse(algorithm)?;
    let Set { mut data, test } = Set::read(&fs::read(set)?)?;
    data.pool = pool(threads.parse()?)?;
    let params = overlay(algorithm.trainer().default_params(&data.shape()), params)?;

    let (model, cost) = train(algorithm, &mut data, &params)?;
    let rows: Vec<u32> = (0..test.n_rows as u32).collect();
    let start = Clock::now();
    let predicted = model.predict(&test, &rows);
    let predict = start.elapsed();
    fs::write(predictions, predicted.values().iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    let given: serde_json::Map<_, _> = params.iter().map(|(name, value)| (name.to_owned(), json_of(value))).collect();
    Ok(json!({
        "binning": cost.binning.json(),
        "training": cost.training.json(),
        "total": cost.total.json(),
        "predict": predict.json(),
        "memory": cost.memory,
        "params": given,
    }))
}

/// What binning and training took.
struct Cost {
    binning: Clock,
    training: Clock,
    total: Clock,
    /// Growth of peak memory over both, in bytes.
    memory: u64,
}

/// Cuts bins, then trains; nothing else happens between the readings.
fn train(algorithm: Algorithm, data: &mut TrainData, params: &Params) -> Result<(Estimator, Cost)> {
    reset_peak()?;
    let resident = status("VmRSS:")?;
    let start = Clock::now();
    let cut = || Bins::cut(&data.blocks, &data.rows, MAX_BINS);
    let bins = data.pool.as_ref().map_or_else(cut, |pool| pool.install(cut))?;
    data.bins = Some(Arc::new(bins));
    let binning = start.elapsed();
    let trained = Clock::now();
    let mut training = algorithm.trainer().start(data, params, None)?;
    training.advance(1.0, &AtomicBool::new(false))?;
    let model = training.model()?;
    let (training, total) = (trained.elapsed(), start.elapsed());
    let memory = status("VmHWM:")?.saturating_sub(resident);
    Ok((model, Cost { binning, training, total, memory }))
}

/// A pool of so many threads; none for one, which is the caller's own.
fn pool(threads: usize) -> Result<Option<Arc<rayon::ThreadPool>>> {
    if threads < 2 {
        return Ok(None);
    }
    Ok(Some(Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?)))
}

/// The defaults with the values of a JSON object in their place; a name without a default is a mistake.
fn overlay(mut params: Params, json: &str) -> Result<Params> {
    let given: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json)?;
    for (name, value) in given {
        let value = match &value {
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => Value::Int(integer),
                None => Value::Float(number.as_f64().ok_or_else(|| format!("parameter `{name}`: {number}"))?),
            },
            serde_json::Value::String(text) => Value::Text(text.clone()),
            other => return Err(format!("parameter `{name}`: {other} is no number and no text").into()),
        };
        if params.get(&name).is_none() {
            let known: Vec<&str> = params.iter().map(|(name, _)| name).collect();
            return Err(format!("parameter `{name}` is unknown (known: {})", known.join(", ")).into());
        }
        params.insert(name, value);
    }
    Ok(params)
}

fn json_of(value: &Value) -> serde_json::Value {
    match value {
        Value::Float(number) => json!(number),
        Value::Int(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Bool(yes) => json!(yes),
    }
}

/// A reading of two clocks, or what passed between two readings.
#[derive(Clone, Copy)]
struct Clock {
    /// Seconds of all threads of this process, user and system.
    cpu: f64,
    /// Seconds on the wall.
    wall: f64,
}

impl Clock {
    fn now() -> Clock {
        Clock { cpu: seconds(ClockId::ProcessCPUTime), wall: seconds(ClockId::Monotonic) }
    }

    fn elapsed(self) -> Clock {
        let now = Clock::now();
        Clock { cpu: now.cpu - self.cpu, wall: now.wall - self.wall }
    }

    fn json(self) -> serde_json::Value {
        json!({"cpu": self.cpu, "wall": self.wall})
    }
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Sets the peak of resident memory back to what is resident now (Linux, `man 5 proc`).
fn reset_peak() -> std::io::Result<()> {
    fs::write("/proc/self/clear_refs", "5")
}

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> Result<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")).ok_or_else(|| format!("no line {name}"))?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

/// A training set and the features of its test part.
struct Set {
    data: TrainData,
    test: Block,
}

impl Set {
    /// Reads, all little-endian: the header's length as `u64`, the header as JSON, the training features as
    /// column-major `f32`, the test features likewise, the training target as `f64` (for classes their index).
    fn read(mut bytes: &[u8]) -> Result<Set> {
        let length = u64::from_le_bytes(take(&mut bytes, 8)?.try_into()?) as usize;
        let header: serde_json::Value = serde_json::from_slice(take(&mut bytes, length)?)?;
        let count =
            |name: &str| header[name].as_u64().map(|n| n as usize).ok_or_else(|| format!("header: no count `{name}`"));
        let (n_train, n_test, n_classes) = (count("n_train")?, count("n_test")?, count("n_classes")?);
        let kinds = header["levels"].as_array().ok_or("header: no list `levels`")?.iter().map(kind).collect::<Vec<_>>();

        let mut block = |n_rows: usize| -> Result<Block> {
            let values = take(&mut bytes, n_rows * kinds.len() * size_of::<f32>())?;
            let values = values.chunks_exact(4).map(|cell| f32::from_le_bytes([cell[0], cell[1], cell[2], cell[3]]));
            let names = (0..kinds.len()).map(|j| format!("f{j}")).collect();
            Ok(Block { kinds: kinds.clone(), ..Block::numbers(names, n_rows, values.collect()) })
        };
        let (train, test) = (block(n_train)?, block(n_test)?);
        let mut numbers = Vec::with_capacity(n_train);
        for cell in take(&mut bytes, n_train * size_of::<f64>())?.chunks_exact(8) {
            numbers.push(f64::from_le_bytes(cell.try_into()?));
        }
        if !bytes.is_empty() {
            return Err(format!("{} bytes are left over", bytes.len()).into());
        }
        let target = target(numbers, n_classes);
        let data = TrainData::new(vec![Arc::new(train)], (0..n_train as u32).collect(), Arc::new(target), 0);
        Ok(Set { data, test })
    }
}

/// The first `n` bytes, which `bytes` then no longer has.
fn take<'a>(bytes: &mut &'a [u8], n: usize) -> Result<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(n).ok_or_else(|| format!("{n} bytes expected, {} left", bytes.len()))?;
    *bytes = rest;
    Ok(head)
}

/// A feature with levels is a category of so many.
fn kind(n_levels: &serde_json::Value) -> Kind {
    match n_levels.as_u64() {
        Some(n_levels) if n_levels > 0 => Kind::Category { n_levels: n_levels as u32 },
        _ => Kind::Number,
    }
}

/// Numbers, or class indices when there are classes.
fn target(numbers: Vec<f64>, n_classes: usize) -> Target {
    let task = match n_classes {
        0 => Task::Regression,
        2 => Task::Binary,
        _ => Task::Multiclass,
    };
    let values = if n_classes == 0 {
        TargetValues::Numbers(numbers)
    } else {
        TargetValues::Classes(numbers.into_iter().map(|class| class as u32).collect())
    };
    Target { task, classes: (0..n_classes).map(|class| class.to_string()).collect(), values }
}
