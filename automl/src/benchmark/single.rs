//! One run of one engine on one fold: what it is shown, how it is measured, and what is recorded of it.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::engine::{Engine, EngineKind, Values, hex};
use super::layout::{Case, failed};
use super::process::{End, Order, Ran, execute, tail};
use super::record::{Key, Record, VERSION};
use super::suite::Suite;
use super::truth::{Scored, Truth};
use crate::clock::{Clock, unix_ms};
use crate::error::AutoMlError;
use crate::sweep::{Guard, trouble};

/// Variables that keep libraries to the threads they were given.
const THREADS: [&str; 5] =
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "NUMBA_NUM_THREADS"];
/// Variables of the harness, with their values.
const QUIET: [(&str, &str); 5] = [
    ("HF_HUB_OFFLINE", "1"),
    ("WANDB_MODE", "disabled"),
    ("RAY_DISABLE_IMPORT_WARNING", "1"),
    ("PYTHONWARNINGS", "ignore"),
    ("CUDA_VISIBLE_DEVICES", ""),
];
/// Seconds that an engine may take to say its version.
const VERSION_LIMIT: f64 = 60.0;
/// Characters of a version that are kept.
const VERSION_WIDTH: usize = 100;

/// What all runs have in common.
pub(super) struct Ground<'a> {
    pub(super) suite: &'a Suite,
    pub(super) session_program: &'a Path,
    pub(super) clock: Clock,
    pub(super) jobs: usize,
    /// By the number of the engine.
    pub(super) versions: &'a BTreeMap<usize, String>,
}

/// A folder of one run, gone with it. It is short, for some engines put sockets there.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, AutoMlError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("bench-{}-{number}", std::process::id()));
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&path, &error)),
            }
        }
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean; the result does not depend on it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The truth of the fold that was read last, and which it is: the engines take turns on the same one.
pub(super) type Latest = Option<(PathBuf, Truth)>;

/// Runs it; `None` where it was stopped from outside. What goes wrong with the engine is in the record; an error is
/// what goes wrong here.
#[expect(clippy::too_many_arguments, reason = "each is a thing of its own, and there is one caller")]
pub(super) fn single(
    ground: &Ground<'_>,
    case: &Case,
    engine: usize,
    budget: f64,
    key: &Key,
    latest: &mut Latest,
    guard: &Mutex<Guard>,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Record>, AutoMlError> {
    let suite = ground.suite;
    let dataset = &suite.datasets[case.dataset];
    if latest.as_ref().is_none_or(|(path, _)| *path != case.truth) {
        *latest = Some((case.truth.clone(), Truth::read(dataset, case)?));
    }
    let truth = latest.as_ref().map(|(_, truth)| truth).expect("it was read above");
    let folder = Folder::new()?;
    // The engine sees copies, not the folder with the truth.
    let shown = folder.join("iso");
    std::fs::create_dir(&shown).map_err(|error| failed(&shown, &error))?;
    let (train, test) = (shown.join("train.csv"), shown.join("test.csv"));
    for (from, to) in [(&case.train, &train), (&case.test, &test)] {
        std::fs::copy(from, to).map_err(|error| failed(from, &error))?;
    }
    let (out, model, workspace) = (folder.join("pred.csv"), folder.join("model"), folder.join("workspace"));
    let values = Values {
        dataset,
        train: &train,
        test: &test,
        out: &out,
        model: &model,
        workspace: &workspace,
        budget,
        threads: suite.threads,
        seed: key.seed,
    };
    let engine_spec = &suite.engines[engine];
    let fit = engine_spec.fit_command(ground.session_program, &values);
    let predict = engine_spec.predict_command(ground.session_program, &values);
    let log = folder.join("log.txt");
    let mut measured = Measured { load_average: load_average(), started_ms: unix_ms(), ..Measured::default() };
    let environment = environment(suite, &folder.0);
    let mark = format!("{}-{}", std::process::id(), folder.0.display());
    let limit = suite.limit(budget);
    let mut error = None;
    for (what, command) in [("fit", Some(fit)), ("predict", predict)] {
        let Some(command) = command.filter(|_| error.is_none()) else { continue };
        let order =
            Order { command: &command, folder: &folder.0, environment: &environment, log: &log, limit, mark: &mark };
        let ran = execute(&order, guard, ground.clock, stop).map_err(|error| AutoMlError::NoModel {
            reason: format!("engine `{}` cannot be started: {error}", key.engine),
            hint: Some("`sh` must be there, and the system must allow one more process".into()),
        })?;
        measured.add(what, &ran);
        error = match ran.end {
            End::Stopped => return Ok(None),
            End::TimedOut => Some(format!("{what} was ended after {limit} s")),
            End::Done(status) => trouble(status).map(|trouble| format!("{what}: {trouble}")),
        };
    }
    let judged = error.map_or_else(|| truth.judge(&out, &dataset.metric), Err);
    let version = ground.versions.get(&engine).cloned().unwrap_or_default();
    let baseline = truth.baseline(&dataset.metric);
    let record = record(ground, case, budget, key, &measured, judged, version, baseline, &log);
    Ok(Some(record))
}

#[expect(clippy::too_many_arguments, reason = "the parts of a record, and there is one caller")]
fn record(
    ground: &Ground<'_>,
    case: &Case,
    budget: f64,
    key: &Key,
    measured: &Measured,
    judged: Result<Scored, String>,
    version: String,
    baseline: Option<f64>,
    log: &Path,
) -> Record {
    let dataset = &ground.suite.datasets[case.dataset];
    let host = platform::host_facts();
    let log_tail = judged.is_err().then(|| tail(log));
    let (score, metrics, error) = match judged {
        Ok(scored) => (Some(scored.score), scored.others, None),
        Err(reason) => (None, BTreeMap::new(), Some(reason)),
    };
    Record {
        version: VERSION,
        dataset: key.dataset.clone(),
        fold: key.fold,
        budget,
        seed: key.seed,
        engine: key.engine.clone(),
        command_hash: key.command_hash.clone(),
        engine_version: version,
        task: dataset.task.name().to_owned(),
        metric: dataset.metric.name().to_owned(),
        threads: ground.suite.threads,
        score,
        metrics,
        baseline,
        fit_seconds: measured.fit_seconds,
        predict_seconds: measured.predict_seconds,
        cpu_seconds: measured.cpu_seconds,
        peak_memory_bytes: measured.peak_bytes,
        error,
        log_tail,
        load_average: measured.load_average,
        jobs: ground.jobs,
        data_hash: case.hash.clone(),
        machine: format!("{}, {} cores", host.cpu_model, host.n_cores),
        started_ms: measured.started_ms,
    }
}

/// What one run took.
#[derive(Debug, Default)]
struct Measured {
    fit_seconds: f64,
    predict_seconds: Option<f64>,
    cpu_seconds: f64,
    peak_bytes: u64,
    load_average: f64,
    started_ms: i64,
}

impl Measured {
    fn add(&mut self, what: &str, ran: &Ran) {
        let seconds = (ran.seconds * 1000.0).round() / 1000.0;
        if what == "fit" {
            self.fit_seconds = seconds;
        } else {
            self.predict_seconds = Some(seconds);
        }
        self.cpu_seconds += ran.cpu_seconds;
        self.peak_bytes = self.peak_bytes.max(ran.peak_bytes);
    }
}

/// The harness's variables, and where the suite lies.
fn environment(suite: &Suite, folder: &Path) -> BTreeMap<String, String> {
    let folder = folder.display().to_string();
    let own =
        [("PEER_TMP", folder.clone()), ("TMPDIR", folder), ("AUTOML_SUITE_DIR", suite.folder.display().to_string())];
    let threads = THREADS.map(|name| (name, suite.threads.to_string()));
    let quiet = QUIET.map(|(name, value)| (name, value.to_owned()));
    own.into_iter().chain(threads).chain(quiet).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The load of a minute; below 0 where the system does not tell.
fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(-1.0)
}

/// What an engine says of its version: the first line of its command; of ours the version and the program's hash. Empty
/// where there is nothing to ask, and the trouble where asking fails.
pub(super) fn version(engine: &Engine, program: &Path, folder: &Path, clock: Clock) -> String {
    let Some(command) = &engine.version_command else {
        return match &engine.kind {
            EngineKind::Command { .. } => String::new(),
            EngineKind::Ours(_) => {
                let bytes = std::fs::read(program).unwrap_or_default();
                format!("{} {}", env!("CARGO_PKG_VERSION"), hex(&Sha256::digest(&bytes)[..4]))
            }
        };
    };
    let ask = || -> Option<String> {
        let temporary = Folder::new().ok()?;
        let log = temporary.join("log.txt");
        let environment = BTreeMap::from([("AUTOML_SUITE_DIR".to_owned(), folder.display().to_string())]);
        let mark = format!("{}-version", std::process::id());
        let order = Order {
            command,
            folder: &temporary.0,
            environment: &environment,
            log: &log,
            limit: VERSION_LIMIT,
            mark: &mark,
        };
        let ran = execute(&order, &Mutex::new(Guard::start().ok()?), clock, &|| false).ok()?;
        let said = tail(&log);
        let line: String = said.lines().next().unwrap_or_default().chars().take(VERSION_WIDTH).collect();
        matches!(ran.end, End::Done(status) if status.success()).then_some(line)
    };
    ask().unwrap_or_else(|| "its version command failed".to_owned())
}
