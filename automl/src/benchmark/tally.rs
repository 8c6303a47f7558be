//! From results to their summary: means over folds and seeds first, then every data set counts once.

use std::collections::{BTreeMap, BTreeSet};

use trainers::Goal;

use super::engine::Engine;
use super::record::{Key, Record};
use super::statistics::{compare, gap, interval, mean, median, normalised, ranks, win_rate};
use super::suite::{Dataset, Suite};
use super::summary::{BenchmarkSummary, BudgetSummary, Cell, DatasetSummary, EngineSummary, Failure, Gap};

/// Version of a summary.
const VERSION: u32 = 1;

/// The runs of one engine on one data set, and what they come to. Scores are turned so that more is better.
struct Square<'a> {
    records: Vec<&'a Record>,
    is_whole: bool,
    /// None where a run failed.
    ranked: Option<f64>,
    /// With the constant's score for failed runs.
    imputed: Option<f64>,
    /// 1 less the score where greater is better, else the score, of the same.
    error: Option<f64>,
}

/// One data set with its squares, in the order of the suite's engines.
struct Row<'a> {
    dataset: &'a Dataset,
    constant: Option<f64>,
    squares: Vec<Square<'a>>,
}

impl Row<'_> {
    fn is_whole(&self) -> bool {
        self.squares.iter().all(|square| square.is_whole)
    }

    fn ranked(&self) -> Vec<Option<f64>> {
        self.squares.iter().map(|square| square.ranked).collect()
    }
}

impl BenchmarkSummary {
    /// Sums up the results that belong to a suite; of several of the same run the last counts.
    pub fn of(suite: &Suite, records: &[Record]) -> Self {
        let latest: BTreeMap<Key, &Record> = records.iter().map(|record| (record.key(), record)).collect();
        let budgets: Vec<(Vec<Row<'_>>, f64)> =
            suite.budgets.iter().map(|&budget| (rows(suite, &latest, budget), budget)).collect();
        let used: Vec<&Record> = budgets
            .iter()
            .flat_map(|(rows, _)| rows)
            .flat_map(|row| &row.squares)
            .flat_map(|square| square.records.iter().copied())
            .collect();
        let folds: usize = suite.datasets.iter().map(|dataset| dataset.folds().len()).sum();
        let mut notes = suite.notes.clone();
        notes.extend(remarks(suite, &used));
        Self {
            version: VERSION,
            name: suite.name.clone(),
            runs: folds * suite.budgets.len() * suite.seeds.len() * suite.engines.len(),
            done: used.len(),
            threads: suite.threads,
            seeds: suite.seeds.clone(),
            reference: suite.reference.clone(),
            notes,
            budgets: budgets.iter().map(|(rows, budget)| of_budget(suite, rows, *budget)).collect(),
        }
    }
}

/// What makes results less comparable than they look.
fn remarks(suite: &Suite, used: &[&Record]) -> Vec<String> {
    let mut notes = Vec::new();
    if used.iter().any(|record| record.jobs > 1) {
        notes.push("some runs shared the machine with others: their times and scores are not comparable".to_owned());
    }
    let machines: BTreeSet<&str> = used.iter().map(|record| record.machine.as_str()).collect();
    if machines.len() > 1 {
        notes.push(format!(
            "results are of {} machines: {}",
            machines.len(),
            machines.into_iter().collect::<Vec<_>>().join("; ")
        ));
    }
    for engine in &suite.engines {
        let versions: BTreeSet<&str> = used
            .iter()
            .filter(|record| record.engine == engine.name)
            .map(|record| record.engine_version.as_str())
            .collect();
        if versions.len() > 1 {
            notes.push(format!("results of {} are of {} versions of it", engine.name, versions.len()));
        }
    }
    let mut hashes: BTreeMap<(&str, u32), BTreeSet<&str>> = BTreeMap::new();
    for record in used {
        hashes.entry((&record.dataset, record.fold)).or_default().insert(&record.data_hash);
    }
    for ((dataset, fold), hashes) in hashes {
        if hashes.len() > 1 {
            notes.push(format!("the rows of {dataset}, fold {fold}, changed between runs"));
        }
    }
    notes
}

fn rows<'a>(suite: &'a Suite, latest: &BTreeMap<Key, &'a Record>, budget: f64) -> Vec<Row<'a>> {
    let row = |dataset: &'a Dataset| {
        let folds = dataset.folds();
        let square = |engine: &Engine| {
            let hash = engine.hash(dataset, suite.threads);
            let key = |fold: u32, seed: u64| Key {
                dataset: dataset.name.clone(),
                fold,
                budget: budget.to_string(),
                seed,
                engine: engine.name.clone(),
                command_hash: hash.clone(),
            };
            let pairs = folds.iter().flat_map(|&fold| suite.seeds.iter().map(move |&seed| (fold, seed)));
            let records: Vec<&Record> =
                pairs.filter_map(|(fold, seed)| latest.get(&key(fold, seed)).copied()).collect();
            square(dataset, records, folds.len() * suite.seeds.len())
        };
        let squares: Vec<Square<'a>> = suite.engines.iter().map(square).collect();
        // One figure a fold, whoever ran on it.
        let constants: BTreeMap<u32, f64> = squares
            .iter()
            .flat_map(|square| &square.records)
            .filter_map(|record| Some((record.fold, record.baseline?)))
            .collect();
        let constant = mean(&constants.into_values().collect::<Vec<f64>>());
        Row { dataset, constant, squares }
    };
    suite.datasets.iter().map(row).collect()
}

fn square<'a>(dataset: &Dataset, records: Vec<&'a Record>, expected: usize) -> Square<'a> {
    let goal = dataset.metric.goal();
    let imputed: Option<Vec<f64>> = records.iter().map(|record| record.score.or(record.baseline)).collect();
    let imputed = imputed.and_then(|scores| mean(&scores));
    let has_failed = records.iter().any(|record| record.score.is_none());
    Square {
        is_whole: records.len() == expected,
        ranked: imputed.filter(|_| !has_failed).map(|score| goal.signed(score)),
        error: imputed.map(|score| if goal == Goal::Higher { 1.0 - score } else { score }),
        imputed: imputed.map(|score| goal.signed(score)),
        records,
    }
}

fn of_budget(suite: &Suite, rows: &[Row<'_>], budget: f64) -> BudgetSummary {
    let whole: Vec<&Row<'_>> = rows.iter().filter(|row| row.is_whole()).collect();
    let ranked: Vec<Vec<Option<f64>>> = whole.iter().map(|row| row.ranked()).collect();
    let all_ranks: Vec<Vec<f64>> = ranked.iter().map(|row| ranks(row)).collect();
    let n = suite.engines.len();
    let average: Vec<Option<f64>> =
        (0..n).map(|engine| mean(&all_ranks.iter().map(|ranks| ranks[engine]).collect::<Vec<f64>>())).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| average[a].unwrap_or(f64::MAX).total_cmp(&average[b].unwrap_or(f64::MAX)));
    let rates: Vec<Vec<Option<f64>>> = order
        .iter()
        .map(|&a| order.iter().map(|&b| if a == b { None } else { win_rate(&ranked, a, b) }).collect())
        .collect();
    let engines = order.iter().zip(&rates).map(|(&engine, rates)| {
        let firsts = ranked.iter().filter(|row| is_best(row, engine)).count();
        let rates: Vec<f64> = rates.iter().copied().flatten().collect();
        EngineSummary {
            average_rank: average[engine],
            firsts,
            win_rate: mean(&rates),
            ..of_engine(suite, rows, &whole, engine)
        }
    });
    BudgetSummary {
        budget,
        compared: whole.len(),
        engines: engines.collect(),
        gaps: gaps(suite, &whole, &order),
        win_rates: rates,
        datasets: rows.iter().map(|row| of_dataset(row, &order)).collect(),
        failures: failures(rows),
    }
}

/// Whether no other is better, and this did not fail.
fn is_best(row: &[Option<f64>], engine: usize) -> bool {
    row[engine].is_some() && row.iter().all(|other| compare(*other, row[engine]).is_le())
}

/// What is of one engine alone.
fn of_engine(suite: &Suite, rows: &[Row<'_>], whole: &[&Row<'_>], engine: usize) -> EngineSummary {
    let records: Vec<&Record> = rows.iter().flat_map(|row| row.squares[engine].records.iter().copied()).collect();
    let of =
        |get: &dyn Fn(&Record) -> Option<f64>| records.iter().filter_map(|record| get(record)).collect::<Vec<f64>>();
    let beyond = of(&|record| Some((record.fit_seconds - record.budget).max(0.0)));
    let memory = of(&|record| (record.peak_memory_bytes > 0).then_some(record.peak_memory_bytes as f64));
    let reference = suite.engines.iter().position(|other| suite.reference.as_ref() == Some(&other.name));
    let score = |row: &&Row<'_>| {
        let zero = row.dataset.metric.goal().signed(row.constant?);
        let one = match reference {
            Some(reference) => row.squares[reference].ranked,
            None => row.squares.iter().filter_map(|square| square.ranked).max_by(f64::total_cmp),
        };
        normalised(row.squares[engine].imputed?, zero, one?)
    };
    let scores: Vec<f64> = whole.iter().filter_map(score).collect();
    let versions: BTreeSet<String> =
        records.iter().map(|record| record.engine_version.clone()).filter(|version| !version.is_empty()).collect();
    EngineSummary {
        name: suite.engines[engine].name.clone(),
        versions: versions.into_iter().collect(),
        runs: records.len(),
        failures: records.iter().filter(|record| record.score.is_none()).count(),
        average_rank: None,
        firsts: 0,
        win_rate: None,
        normalised: mean(&scores),
        normalised_datasets: scores.len(),
        fit_seconds: mean(&of(&|record| Some(record.fit_seconds))),
        predict_seconds: mean(&of(&|record| record.predict_seconds)),
        seconds_beyond: mean(&beyond),
        most_beyond: beyond.iter().copied().max_by(f64::total_cmp),
        cpu_seconds: mean(&of(&|record| Some(record.cpu_seconds))),
        median_memory: median(&memory).map(|bytes| bytes as u64),
        most_memory: memory.iter().copied().max_by(f64::total_cmp).map(|bytes| bytes as u64),
    }
}

fn gaps(suite: &Suite, whole: &[&Row<'_>], order: &[usize]) -> Vec<Gap> {
    let mut found = Vec::new();
    for (i, &a) in order.iter().enumerate() {
        for &b in &order[i + 1..] {
            let pairs = whole.iter().filter_map(|row| Some(gap(row.squares[a].error?, row.squares[b].error?)));
            let values: Vec<f64> = pairs.collect();
            let Some(mean) = mean(&values) else { continue };
            found.push(Gap {
                engine: suite.engines[a].name.clone(),
                other: suite.engines[b].name.clone(),
                mean,
                interval: interval(&values),
                datasets: values.len(),
            });
        }
    }
    found
}

fn of_dataset(row: &Row<'_>, order: &[usize]) -> DatasetSummary {
    let ranked = row.ranked();
    let cell = |&engine: &usize| {
        let square = &row.squares[engine];
        let scores: Vec<f64> = square.records.iter().filter_map(|record| record.score).collect();
        Cell {
            score: mean(&scores),
            runs: square.records.len(),
            failures: square.records.len() - scores.len(),
            is_best: row.is_whole() && is_best(&ranked, engine),
        }
    };
    DatasetSummary {
        name: row.dataset.name.clone(),
        task: row.dataset.task.name().to_owned(),
        metric: row.dataset.metric.name().to_owned(),
        goal: row.dataset.metric.goal(),
        constant: row.constant,
        scores: order.iter().map(cell).collect(),
    }
}

fn failures(rows: &[Row<'_>]) -> Vec<Failure> {
    let records = rows.iter().flat_map(|row| &row.squares).flat_map(|square| &square.records);
    let failure = |record: &&&Record| {
        Some(Failure {
            engine: record.engine.clone(),
            dataset: record.dataset.clone(),
            fold: record.fold,
            seed: record.seed,
            error: record.error.clone()?,
        })
    };
    records.filter_map(|record| failure(&record)).collect()
}
