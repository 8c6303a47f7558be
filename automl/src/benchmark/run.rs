//! A suite from its file to its summary: runs what is missing, one after another, each kept as soon as it has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use super::layout::{Case, failed, lay_out, make};
use super::record::{Key, Record, Results, read_only};
use super::report;
use super::single::{Ground, single, version};
use super::suite::Suite;
use super::summary::BenchmarkSummary;
use super::truth::Truth;
use crate::clock::Clock;
use crate::error::AutoMlError;
use crate::fit::to_json;
use crate::sweep::Guard;

/// What a benchmark runs in.
pub struct BenchmarkSession<'a> {
    /// Where results, data and reports are kept; made where it is not there.
    pub out: PathBuf,
    /// The `automl` program, for `ours`.
    pub program: PathBuf,
    /// Runs at a time; with more than one, times and scores are not comparable.
    pub jobs: usize,
    /// Whether runs that failed are run again.
    pub retry_failed: bool,
    /// Started when the user pressed Enter.
    pub clock: Clock,
    /// Set from outside to end everything at once and keep what has ended (Ctrl-C).
    pub stop: Arc<AtomicBool>,
    /// Told what happens as it happens.
    pub narrator: &'a mut dyn BenchmarkNarrator,
}

/// Told what happens. Every method does nothing by default.
pub trait BenchmarkNarrator {
    /// The data are laid out; runs begin now.
    fn planned(&mut self, _plan: &Plan) {}
    /// A run begins.
    fn begun(&mut self, _dataset: &str, _engine: &str) {}
    /// A run has ended and is kept. `left` is about how many seconds the others will take.
    fn ended(&mut self, _n: usize, _plan: &Plan, _record: &Record, _left: f64) {}
    /// Something worth a line.
    fn note(&mut self, _text: &str) {}
}

/// Says nothing.
impl BenchmarkNarrator for () {}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Runs of the whole suite.
    pub total: usize,
    /// Those that have ended before.
    pub done: usize,
    /// Seconds that the others take where every engine takes its budget.
    pub seconds: f64,
}

/// How a benchmark ended.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchmarkOutcome {
    /// Of all results so far.
    pub summary: BenchmarkSummary,
    /// Whether it was stopped from outside before all had run.
    pub is_stopped: bool,
}

/// One run to be made.
#[derive(Debug, Clone)]
struct Planned {
    budget: f64,
    case: usize,
    seed: u64,
    engine: usize,
}

/// Runs what is missing of a suite, and sums it up.
pub fn run(suite: &Suite, session: &mut BenchmarkSession<'_>) -> Result<BenchmarkOutcome, AutoMlError> {
    suite.check().map_err(AutoMlError::Usage)?;
    make(&session.out)?;
    let out = std::path::absolute(&session.out).map_err(|error| failed(&session.out, &error))?;
    let (mut results, mut records, note) = Results::open(&out)?;
    suite.notes.iter().chain(&note).for_each(|note| session.narrator.note(note));
    let folder = out.join("data");
    let mut cases = Vec::new();
    for (index, dataset) in suite.datasets.iter().enumerate() {
        cases.extend(lay_out(dataset, index, &folder)?);
    }
    let (missing, plan) = plan(suite, &cases, &records, session);
    // What cannot be scored is said before hours of running, not after.
    for at in missing.iter().map(|planned| planned.case).collect::<BTreeSet<usize>>() {
        Truth::read(&suite.datasets[cases[at].dataset], &cases[at])?;
    }
    let versions = versions(suite, &missing, session);
    session.narrator.planned(&plan);
    let is_stopped = if missing.is_empty() {
        false
    } else {
        let ground = Ground {
            suite,
            session_program: &session.program,
            clock: session.clock,
            jobs: session.jobs,
            versions: &versions,
        };
        let stop = session.stop.clone();
        let mut told = Told { suite, plan: &plan, missing: &missing, took: BTreeMap::new(), n: 0, jobs: session.jobs };
        let mut keep = |news: News| -> Result<(), AutoMlError> {
            match news {
                News::Begun(at) => {
                    let planned = &missing[at];
                    let dataset = &suite.datasets[cases[planned.case].dataset].name;
                    session.narrator.begun(dataset, &suite.engines[planned.engine].name);
                }
                News::Ended(at, record) => {
                    results.append(&record)?;
                    let left = told.left(at, &record);
                    session.narrator.ended(plan.done + told.n, &plan, &record, left);
                    records.push(*record);
                }
            }
            Ok(())
        };
        work(&ground, &cases, &missing, &stop, &mut keep)?;
        told.n < missing.len()
    };
    let summary = conclude(suite, &records, &out)?;
    Ok(BenchmarkOutcome { summary, is_stopped })
}

/// Sums up the results in a folder without running anything.
pub fn summarise(suite: &Suite, out: &Path) -> Result<BenchmarkSummary, AutoMlError> {
    suite.check().map_err(AutoMlError::Usage)?;
    let records = read_only(out)?;
    if BenchmarkSummary::of(suite, &records).done == 0 {
        let text = format!("{}: no run of this suite has ended here: run it without --summary-only", out.display());
        return Err(AutoMlError::Usage(text));
    }
    conclude(suite, &records, out)
}

fn conclude(suite: &Suite, records: &[Record], out: &Path) -> Result<BenchmarkSummary, AutoMlError> {
    let summary = BenchmarkSummary::of(suite, records);
    let text = format!("{:#}\n", to_json(&summary));
    platform::write_atomic(&out.join("summary.json"), text.as_bytes())?;
    platform::write_atomic(&out.join("report.html"), report::render(&summary).as_bytes())?;
    Ok(summary)
}

/// What is missing, engines in turn on the same data, so that what disturbs the machine disturbs all alike.
fn plan(suite: &Suite, cases: &[Case], records: &[Record], session: &BenchmarkSession<'_>) -> (Vec<Planned>, Plan) {
    let mut done: BTreeMap<Key, bool> = BTreeMap::new();
    for record in records {
        let case =
            cases.iter().find(|case| suite.datasets[case.dataset].name == record.dataset && case.fold == record.fold);
        // Results on other rows are no results on these.
        let is_same = case.is_some_and(|case| case.hash == record.data_hash);
        done.insert(record.key(), is_same && (record.error.is_none() || !session.retry_failed));
    }
    let (mut missing, mut total) = (Vec::new(), 0);
    for &budget in &suite.budgets {
        for (at, case) in cases.iter().enumerate() {
            for &seed in &suite.seeds {
                for engine in 0..suite.engines.len() {
                    total += 1;
                    if !done.get(&key(suite, case, budget, seed, engine)).copied().unwrap_or(false) {
                        missing.push(Planned { budget, case: at, seed, engine });
                    }
                }
            }
        }
    }
    let seconds = missing.iter().map(|planned| planned.budget).sum::<f64>() / session.jobs.max(1) as f64;
    let plan = Plan { total, done: total - missing.len(), seconds };
    (missing, plan)
}

fn key(suite: &Suite, case: &Case, budget: f64, seed: u64, engine: usize) -> Key {
    let (dataset, engine) = (&suite.datasets[case.dataset], &suite.engines[engine]);
    Key {
        dataset: dataset.name.clone(),
        fold: case.fold,
        budget: budget.to_string(),
        seed,
        engine: engine.name.clone(),
        command_hash: engine.hash(dataset, suite.threads),
    }
}

/// What the engines that will run say of their versions.
fn versions(suite: &Suite, missing: &[Planned], session: &BenchmarkSession<'_>) -> BTreeMap<usize, String> {
    let engines: BTreeSet<usize> = missing.iter().map(|planned| planned.engine).collect();
    let asked =
        engines.into_iter().map(|at| (at, version(&suite.engines[at], &session.program, &suite.folder, session.clock)));
    asked.collect()
}

/// What the workers tell.
enum News {
    Begun(usize),
    Ended(usize, Box<Record>),
}

/// Runs all, so many at a time, until all have ended or one of the stops says so. The first error ends the rest.
fn work(
    ground: &Ground<'_>,
    cases: &[Case],
    missing: &[Planned],
    stop: &AtomicBool,
    keep: &mut dyn FnMut(News) -> Result<(), AutoMlError>,
) -> Result<(), AutoMlError> {
    let guard = Guard::start().map_err(|error| AutoMlError::NoModel {
        reason: format!("no process could be started: {error}"),
        hint: Some("`sh` must be there, and the system must allow one more process".into()),
    })?;
    let (guard, next, halt) = (Mutex::new(guard), AtomicUsize::new(0), AtomicBool::new(false));
    let is_over = || stop.load(Ordering::Relaxed) || halt.load(Ordering::Relaxed);
    let one = |tell: &mpsc::Sender<Result<News, AutoMlError>>| {
        let mut truth = None;
        while !is_over() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(planned) = missing.get(at) else { return };
            // A listener that went away has an error of its own to tell.
            let _ = tell.send(Ok(News::Begun(at)));
            let case = &cases[planned.case];
            let key = key(ground.suite, case, planned.budget, planned.seed, planned.engine);
            let ended = single(ground, case, planned.engine, planned.budget, &key, &mut truth, &guard, &is_over);
            let _ = match ended {
                Ok(None) => return,
                Ok(Some(record)) => tell.send(Ok(News::Ended(at, Box::new(record)))),
                Err(error) => tell.send(Err(error)),
            };
        }
    };
    let mut first = Ok(());
    std::thread::scope(|scope| {
        let (tell, hear) = mpsc::channel();
        for _ in 0..ground.jobs.max(1) {
            let tell = tell.clone();
            scope.spawn(move || one(&tell));
        }
        drop(tell);
        for news in hear {
            let outcome = news.and_then(&mut *keep);
            if first.is_ok() && outcome.is_err() {
                first = outcome;
                halt.store(true, Ordering::Relaxed);
            }
        }
    });
    first
}

/// How long the rest will take, by what engines took of their budgets so far.
struct Told<'a> {
    suite: &'a Suite,
    plan: &'a Plan,
    missing: &'a [Planned],
    /// Seconds taken and seconds given, by engine.
    took: BTreeMap<usize, (f64, f64)>,
    n: usize,
    jobs: usize,
}

impl Told<'_> {
    fn left(&mut self, at: usize, record: &Record) -> f64 {
        self.n += 1;
        let engine = self.missing[at].engine;
        let (took, given) = self.took.entry(engine).or_default();
        *took += record.fit_seconds + record.predict_seconds.unwrap_or(0.0);
        *given += record.budget;
        debug_assert!(self.n + self.plan.done <= self.plan.total && engine < self.suite.engines.len());
        let share = |engine: &usize| self.took.get(engine).map_or(1.0, |(took, given)| took / given);
        let left = self.missing.iter().skip(self.n).map(|planned| planned.budget * share(&planned.engine));
        left.sum::<f64>() / self.jobs.max(1) as f64
    }
}
