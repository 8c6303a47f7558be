//! What growing trees costs: binning and training of a made set of 20,000 rows and 20 features with the defaults of
//! `light_gbm`, on one thread, each alone and both together.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use criterion::{Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trainers::trees::Bins;
use trainers::{Algorithm, Block, Estimator, Kind, Target, TargetValues, Task, TrainData};

const ROWS: usize = 20_000;
const FEATURES: usize = 20;
const MAX_BINS: usize = 255;

/// Uniform features; the class follows a curve of the first five (after Friedman 1991), one row in ten the other way.
fn data() -> TrainData {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let values: Vec<f32> = (0..ROWS * FEATURES).map(|_| rng.random()).collect();
    let names = (0..FEATURES).map(|j| format!("f{j}")).collect();
    let block = Block { names, kinds: vec![Kind::Number; FEATURES], n_rows: ROWS, values };
    let class = |row: usize| {
        let x = |j: usize| block.column(j)[row];
        let curve = 10.0 * (std::f32::consts::PI * x(0) * x(1)).sin() + 20.0 * (x(2) - 0.5).powi(2);
        u32::from(curve + 10.0 * x(3) + 5.0 * x(4) > 14.4) ^ u32::from(rng.random_bool(0.1))
    };
    let values = TargetValues::Classes((0..ROWS).map(class).collect());
    let target = Target { task: Task::Binary, classes: vec!["below".into(), "above".into()], values };
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    TrainData::new(vec![Arc::new(block)], rows.into(), Arc::new(target), 7)
}

fn bins(data: &TrainData) -> Arc<Bins> {
    Arc::new(Bins::cut(&data.blocks, &data.rows, MAX_BINS).expect("numbers can be cut"))
}

/// Trains to the end; without bins of its own the data is cut first.
fn train(data: &TrainData) -> Estimator {
    let trainer = Algorithm::LightGbm.trainer();
    let params = trainer.default_params(&data.shape());
    let mut training = trainer.start(data, &params, None).expect("the defaults can be worked with");
    training.advance(1.0, &AtomicBool::new(false)).expect("nothing stops it");
    training.model().expect("it is done")
}

fn kernel(c: &mut Criterion) {
    let raw = data();
    let binned = TrainData { bins: Some(bins(&raw)), ..data() };
    let mut group = c.benchmark_group("light_gbm, 20,000 rows of 20 features");
    group.sample_size(10);
    group.bench_function("bin", |b| b.iter(|| black_box(bins(&raw))));
    group.bench_function("train 100 trees on bins", |b| b.iter(|| black_box(train(&binned))));
    group.bench_function("bin and train", |b| b.iter(|| black_box(train(&raw))));
    group.finish();
}

criterion_group!(benches, kernel);
criterion_main!(benches);
