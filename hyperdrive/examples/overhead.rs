//! What a study costs besides its trials: processor time for ask and tell, for a replay, and memory.
//!
//! `cargo run --release -p hyperdrive --example overhead -- 10000`
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::time::Duration;

use hyperdrive::simulate::SimulatedExecutor;
use hyperdrive::{
    Dimension, EarlyTerminationPolicy, Goal, History, Journal, Ladder, Limits, Objective, Outcome, Params,
    SamplingAlgorithm, Seq, Space, Study, StudyError, StudySpec,
};

fn spec(limits: Limits) -> StudySpec {
    StudySpec {
        search_space: Space::new((0..10).map(|i| Dimension::float(format!("x{i}"), -5.0, 5.0)).collect()),
        objectives: vec![Objective { metric: "loss".to_owned(), goal: Goal::Minimize }],
        sampling_algorithm: SamplingAlgorithm::Random,
        early_termination: EarlyTerminationPolicy::None,
        limits,
        ladder: Ladder::single(),
        known: Vec::new(),
        seed: 1,
    }
}

fn sphere(params: &Params) -> Outcome {
    let squares = (0..10).map(|i| params.float(&format!("x{i}")).unwrap_or(0.0).powi(2));
    Outcome::single(squares.sum(), 1.0)
}

/// Resident memory in KiB; 0 where the system does not say.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Time on a processor so far; 0 where the system does not say.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

fn say(what: &str, took: Duration, trials: u32, kib: u64) {
    let each = took.as_secs_f64() * 1e3 / f64::from(trials);
    println!(
        "{what:24} {:8.3} s  {each:.5} ms a trial  {:.2} KiB a trial",
        took.as_secs_f64(),
        kib as f64 / f64::from(trials)
    );
}

fn main() -> Result<(), StudyError> {
    let trials: u32 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let before = memory();
    let start = cpu();
    let mut study = Study::new(&spec(Limits::default()))?;
    for _ in 0..trials {
        let Some(asked) = study.ask()? else { break };
        study.tell(asked.trial, sphere(&asked.params))?;
    }
    say("ask and tell", cpu().saturating_sub(start), trials, memory() - before);
    let (_, mut journal) = study.end()?;
    let records = journal.read(Seq(0))?;
    let start = cpu();
    let history = History::replay(&records)?;
    say("replay", cpu().saturating_sub(start), trials, 0);
    assert!(history.is_some_and(|history| history.counts().finished == trials));
    let ordered = Limits { max_trials: Some(trials), max_concurrent: 4, ..Limits::default() };
    let arrival = Limits { search_seconds: Some(1e12), ..ordered.clone() };
    for (name, limits) in [("run, ordered", ordered), ("run, arrival", arrival)] {
        let before = memory();
        let start = cpu();
        let executor = SimulatedExecutor::new(4, |params, _, _| sphere(params));
        let (ended, _) = executor.run(&spec(limits))?;
        say(name, cpu().saturating_sub(start), trials, memory().saturating_sub(before));
        assert_eq!(ended.history.counts().finished, trials);
    }
    Ok(())
}
