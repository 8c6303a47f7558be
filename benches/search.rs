//! What the engine spends beside training: suggesting and remembering, reading, featurizing, predicting, scoring.
//!
//! `cargo bench` measures; a plain `cargo test` runs each once, so that none can rot.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use datasets::{ReadOptions, Schema, TypeOverrides};
use hyperdrive::simulate::{SimulatedExecutor, example_study};
use hyperdrive::{MemoryJournal, Outcome, Sitting, run};
use trainers::{
    Algorithm, Encoding, FeaturePlan, Featurizer, Metric, Predictions, Scaling, Target, TargetValues, Task, TrainData,
};

/// A whole study of 1,000 trials without any training: suggestions, journal and history, per trial.
fn study(c: &mut Criterion) {
    c.bench_function("study of 1000 trials in memory", |b| {
        b.iter(|| {
            let mut spec = example_study(7);
            spec.limits.max_trials = Some(1000);
            let mut executor = SimulatedExecutor::new(2, |_, _, _| Outcome::single(0.5, 1.0));
            let clock = executor.clock();
            let sitting = Sitting {
                journal: &mut MemoryJournal::new(),
                executor: &mut executor,
                clock: &clock,
                stop: &|| false,
                observe: &mut |_, _| {},
            };
            black_box(run(&spec, sitting).expect("the example study is sound"))
        });
    });
}

fn table() -> (Schema, datasets::Table) {
    let raw = datasets::open(&["open://breast_cancer".into()], &ReadOptions::default()).expect("a sample");
    let (schema, _) = Schema::infer(&raw, &TypeOverrides::default()).expect("a schema");
    let (table, _) = schema.read(&raw).expect("a table");
    (schema, table)
}

/// 569 rows of 31 columns from bytes to typed columns.
fn read(c: &mut Criterion) {
    c.bench_function("read breast_cancer", |b| b.iter(|| black_box(table())));
}

fn learn() -> (Featurizer, datasets::Table, trainers::Estimator, Arc<trainers::Block>) {
    let (schema, table) = table();
    let columns: Vec<String> =
        schema.columns.iter().map(|column| column.name.clone()).filter(|name| name != "diagnosis").collect();
    let rows: Vec<u32> = (0..table.n_rows() as u32).collect();
    let plan = FeaturePlan {
        categorical: Encoding::OneHot,
        scaling: Scaling::Standard,
        columns,
        settings: trainers::transform::FeatureSettings::default(),
    };
    let featurizer = Featurizer::fit(&plan, &table, &rows).expect("features");
    let block = Arc::new(featurizer.apply(&table).expect("a block"));
    let datasets::Values::Category { codes, .. } = &table.column("diagnosis").expect("the target").values else {
        panic!("the target is a category")
    };
    let target = Target {
        task: Task::Binary,
        classes: vec!["benign".into(), "malignant".into()],
        values: TargetValues::Classes(codes.clone()),
    };
    let data = TrainData::new(vec![block.clone()], rows.into(), Arc::new(target), 1);
    let trainer = Algorithm::LogisticRegression.trainer();
    let mut training = trainer.start(&data, &trainer.default_params(&data.shape()), None).expect("a start");
    training.advance(1.0, &std::sync::atomic::AtomicBool::new(false)).expect("a fit");
    let estimator = training.model().expect("a model");
    (featurizer, table, estimator, block)
}

/// Features and predictions of a whole table, and of one row.
fn predict(c: &mut Criterion) {
    let (featurizer, table, estimator, block) = learn();
    let rows: Vec<u32> = (0..table.n_rows() as u32).collect();
    let one = table.take(&[17]).expect("a row");
    c.bench_function("featurize 569 rows", |b| b.iter(|| black_box(featurizer.apply(&table))));
    c.bench_function("predict 569 rows, logistic", |b| b.iter(|| black_box(estimator.predict(&block, &rows))));
    c.bench_function("featurize and predict one row", |b| {
        b.iter_batched(
            || one.clone(),
            |row| black_box(estimator.predict(&featurizer.apply(&row).expect("a block"), &[0])),
            BatchSize::SmallInput,
        );
    });
}

/// What ensembling calls thousands of times.
fn metric(c: &mut Criterion) {
    let n = 10_000_u32;
    let values = TargetValues::Classes((0..n).map(|i| u32::from(i % 7 < 2)).collect());
    let target = Target { task: Task::Binary, classes: vec!["no".into(), "yes".into()], values };
    let p: Vec<f64> = (0..n).map(|i| f64::from(i.wrapping_mul(2_654_435_761) % 10_007) / 10_007.0).collect();
    let predictions = Predictions::new(2, p.iter().flat_map(|p| [1.0 - p, *p]).collect());
    let rows: Vec<u32> = (0..n).collect();
    for metric in [Metric::RocAuc, Metric::LogLoss] {
        c.bench_function(&format!("{} of 10,000 rows", metric.name()), |b| {
            b.iter(|| black_box(metric.score(&target, &rows, &predictions, 0.5)));
        });
    }
}

criterion_group!(benches, study, read, predict, metric);
criterion_main!(benches);
