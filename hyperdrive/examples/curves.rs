//! Replays tables of learning curves under schedulers and samplers, in virtual time.
//!
//! ```sh
//! cargo run --release -p hyperdrive --example curves -- --tables benches/curves --seeds 0-9 --out FILE
//! ```
//!
//! A table (`benches/curves/make.py` says what is in it) stands for a task: the curve of a point is a mean of those of
//! the nearest configurations. The resource is rounds of training; a study has rungs at 1, 3, 9, 27 and 81 rounds and ends
//! after `--budget` times 81 rounds (default 20), with `--slots` trials at a time (default 1).
//!
//! A run is scored by its incumbent: the configuration whose latest value is the best of all that were seen, at
//! whatever rung, scored with what it comes to after 81 rounds. Each run is a line of JSON: task, method, seed, and
//! the score after 1/8, 1/4, 1/2 and all of the budget. `benches/curves/peers.py` makes the same lines with Optuna, and
//! compares.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use hyperdrive::simulate::SimulatedExecutor;
use hyperdrive::{
    Choice, Dimension, EarlyTerminationPolicy, Event, Fidelity, Goal, Ladder, Limits, MemoryJournal, Objective,
    Outcome, Params, Rung, SamplingAlgorithm, Sitting, Space, StudySpec, run,
};

/// Configurations whose curves make up that of a point.
const NEAR: usize = 5;
/// Rounds at each rung.
const ROUNDS: [usize; 5] = [1, 3, 9, 27, 81];

/// Curves of some configurations of a task.
struct Table {
    name: String,
    /// Names of the parameters; of a choice with the number of its options.
    columns: Vec<(String, Option<usize>)>,
    points: Vec<Vec<f64>>,
    curves: Vec<Vec<f64>>,
}

impl Table {
    fn read(path: &std::path::Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(path)?;
        let mut lines = text.lines();
        let head = lines.next().ok_or("an empty table")?;
        let names = head.split(',').take_while(|name| *name != "r1");
        let columns: Vec<(String, Option<usize>)> = names
            .map(|name| match name.split_once(':') {
                Some((name, options)) => (name.to_owned(), options.parse().ok()),
                None => (name.to_owned(), None),
            })
            .collect();
        let (mut points, mut curves) = (Vec::new(), Vec::new());
        for line in lines {
            let numbers: Vec<f64> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
            let (point, curve) = numbers.split_at(columns.len());
            points.push(point.to_vec());
            curves.push(curve.to_vec());
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, columns, points, curves })
    }

    fn space(&self) -> Space {
        let dimension = |(name, options): &(String, Option<usize>)| match options {
            Some(n) => Dimension::choice(name, (0..*n).map(|i| Choice::leaf(format!("o{i}"))).collect()),
            None => Dimension::float(name, 0.0, 1.0),
        };
        Space::new(self.columns.iter().map(dimension).collect())
    }

    /// The curve of a point: the geometric mean of those of the [`NEAR`] nearest configurations, each weighed by the
    /// inverse square of its squared distance; another option is as far as the whole range.
    fn curve(&self, params: &Params) -> Vec<f64> {
        let mut at = Vec::new();
        for (name, options) in &self.columns {
            at.push(match options {
                Some(_) => params.text(name).map_or(0.0, |label| label[1..].parse().unwrap_or(0.0)),
                None => params.float(name).unwrap_or(0.0),
            });
        }
        let distance = |point: &[f64]| -> f64 {
            let each = point.iter().zip(&at).zip(&self.columns).map(|((a, b), (_, options))| match options {
                Some(_) => f64::from(u8::from(a != b)),
                None => (a - b) * (a - b),
            });
            each.sum()
        };
        let mut near: Vec<(f64, usize)> = self.points.iter().map(|point| distance(point)).zip(0..).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(NEAR);
        let weights: Vec<f64> = near.iter().map(|(distance, _)| (distance + 1e-9).powi(-2)).collect();
        let sum: f64 = weights.iter().sum();
        let log = |round: usize| -> f64 {
            near.iter().zip(&weights).map(|((_, i), weight)| weight * self.curves[*i][round].max(1e-9).ln()).sum()
        };
        (0..ROUNDS[4]).map(|round| (log(round) / sum).exp()).collect()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        options.insert(name, arguments.next().unwrap_or_default());
    }
    let option = |name: &str, default: &str| options.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let (budget, slots): (usize, u32) = (option("--budget", "20").parse()?, option("--slots", "1").parse()?);
    let seeds = option("--seeds", "0-9");
    let (first, last) = seeds.split_once('-').unwrap_or((&seeds, &seeds));
    let (first, last): (u64, u64) = (first.parse()?, last.parse()?);
    let mut paths: Vec<_> = fs::read_dir(option("--tables", "benches/curves"))?.flatten().map(|e| e.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    paths.sort();
    let mut out: Box<dyn Write> = match options.get("--out") {
        Some(path) => Box::new(fs::OpenOptions::new().create(true).append(true).open(path)?),
        None => Box::new(std::io::stdout()),
    };
    let default = "none+random,asha+random,hyperband+random,trusted+random,none+gp,asha+gp,trusted+gp,freeze_thaw";
    for path in paths {
        let table = Rc::new(Table::read(&path)?);
        for method in option("--methods", default).split(',') {
            for seed in first..=last {
                let scores = replay(&table, method, seed, budget, slots)?;
                let task = &table.name;
                writeln!(out, r#"{{"task":"{task}","method":"{method}","seed":{seed},"scores":{scores:?}}}"#)?;
            }
        }
    }
    Ok(())
}

/// The choice behind a name such as `asha+tpe`: a scheduler, and the sampler of new points.
fn method(name: &str) -> Result<(SamplingAlgorithm, EarlyTerminationPolicy), Box<dyn Error>> {
    let (scheduler, sampler) = name.split_once('+').unwrap_or((name, "random"));
    let named = |name: &str| -> Result<SamplingAlgorithm, serde_json::Error> {
        serde_json::from_str(&format!("\"{name}\"")).or_else(|_| serde_json::from_str(&format!("{{\"{name}\":{{}}}}")))
    };
    let policy = |text: &str| serde_json::from_str::<EarlyTerminationPolicy>(text);
    let wrapper = |rest: &str| -> Result<SamplingAlgorithm, Box<dyn Error>> {
        let inner = serde_json::to_string(&named(sampler)?)?;
        Ok(serde_json::from_str(&rest.replace('@', &inner))?)
    };
    let none = EarlyTerminationPolicy::None;
    Ok(match scheduler {
        "none" => (named(sampler)?, none),
        "median" => (named(sampler)?, policy(r#"{"median_stopping":{"delay_evaluation":2}}"#)?),
        "stopping" => (named(sampler)?, policy(r#"{"successive_halving":{}}"#)?),
        "asha" => (wrapper(r#"{"asha":{"inner":@}}"#)?, none),
        "halving" => (wrapper(r#"{"successive_halving":{"inner":@}}"#)?, none),
        "hyperband" => (wrapper(r#"{"hyperband":{"inner":@}}"#)?, none),
        "trusted" => (wrapper(r#"{"hyperband":{"brackets":"trusted","inner":@}}"#)?, none),
        whole => (named(whole)?, none),
    })
}

/// The final loss of the incumbent after 1/8, 1/4, 1/2 and all of the budget.
fn replay(table: &Rc<Table>, name: &str, seed: u64, budget: usize, slots: u32) -> Result<Vec<f64>, Box<dyn Error>> {
    let (sampling_algorithm, early_termination) = method(name)?;
    let total = (budget * ROUNDS[4]) as f64;
    let rung = |rounds| Fidelity { rows: 1.0, folds: 1, work: rounds as f64 / ROUNDS[4] as f64 };
    let spec = StudySpec {
        search_space: table.space(),
        objectives: vec![Objective { metric: "loss".to_owned(), goal: Goal::Minimize }],
        sampling_algorithm,
        early_termination,
        limits: Limits { search_seconds: Some(total / f64::from(slots)), max_concurrent: slots, ..Limits::default() },
        ladder: Ladder::Rungs(ROUNDS.map(rung).to_vec()),
        known: Vec::new(),
        seed,
    };
    let curves = Rc::clone(table);
    let mut executor = SimulatedExecutor::new(slots as usize, move |params, rung, _| {
        Outcome::single(curves.curve(params)[ROUNDS[usize::from(rung.0)] - 1], 1.0)
    })
    .lasting(|_, rung| Duration::from_secs(rounds_of(rung) as u64));
    let clock = executor.clock();
    // Rounds so far, the best value seen and the configuration that reported it, and the scores.
    let seen = RefCell::new((0_usize, f64::INFINITY, f64::NAN, Vec::new()));
    let marks = [8, 4, 2, 1].map(|part| total / f64::from(part));
    run(
        &spec,
        Sitting {
            journal: &mut MemoryJournal::new(),
            executor: &mut executor,
            clock: &clock,
            stop: &|| false,
            observe: &mut |record, history| {
                let Event::Reported { trial, rung, outcome, .. } = &record.event else {
                    return;
                };
                let (rounds, best, score, scores) = &mut *seen.borrow_mut();
                *rounds += rounds_of(*rung);
                while scores.len() < marks.len() && *rounds as f64 > marks[scores.len()] {
                    scores.push(*score);
                }
                let params = history.trial(*trial).map(|trial| &trial.params);
                if let (Some(params), true) = (params, outcome.values[0] < *best) {
                    *best = outcome.values[0];
                    *score = table.curve(params)[ROUNDS[4] - 1];
                }
            },
        },
    )?;
    let (_, _, score, mut scores) = seen.into_inner();
    scores.resize(marks.len(), score);
    Ok(scores)
}

/// Rounds from the rung before to this one.
fn rounds_of(rung: Rung) -> usize {
    let rung = usize::from(rung.0);
    ROUNDS[rung] - rung.checked_sub(1).map_or(0, |before| ROUNDS[before])
}
