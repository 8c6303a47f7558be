//! What an ensemble of 100 trees of 31 leaves over 20 features costs to predict with and to explain, on one thread.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use trainers::trees::{Link, Node, Tree, TreeEnsemble};
use trainers::{Algorithm, Block, Kind};

mod made;

const ROWS: usize = 10_000;

fn ensemble(made: made::Made) -> (TreeEnsemble, Block) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let trees = (0..100).map(|_| made.tree(&mut rng)).collect();
    let ensemble = TreeEnsemble::new(Algorithm::Constant, made.n_features, 2, Link::Logistic, vec![0.0], 1.0, trees);
    ensemble.check(made.n_features, 2).expect("a tree that was made is sound");
    (ensemble, made.block(ROWS, &mut rng))
}

fn trees(c: &mut Criterion) {
    let numbers = made::Made { n_features: 20, n_leaves: 31, n_levels: 0, missing: 0.02 };
    let mixed = made::Made { n_levels: 40, ..numbers };
    for (name, made) in [("quantities", numbers), ("categories", mixed)] {
        let (ensemble, block) = ensemble(made);
        let rows: Vec<u32> = (0..ROWS as u32).collect();
        let mut group = c.benchmark_group(format!("100 trees of 31 leaves, 20 features, {name}"));
        group.sample_size(20);
        let mut row = 0;
        group.bench_function("predict one row", |b| {
            b.iter(|| {
                row = (row + 1) % ROWS as u32;
                black_box(ensemble.predict(&block, &[row]))
            });
        });
        group.bench_function("explain one row", |b| {
            b.iter(|| {
                row = (row + 1) % ROWS as u32;
                black_box(ensemble.shap(&block, &[row]))
            });
        });
        let bytes = rmp_serde::to_vec_named(&ensemble).expect("plain parameters");
        group.bench_function("read from bytes", |b| {
            b.iter(|| black_box(rmp_serde::from_slice::<TreeEnsemble>(&bytes).expect("what was written")));
        });
        group.bench_function("first prediction, layout included", |b| {
            b.iter_batched(|| ensemble.clone(), |fresh| black_box(fresh.predict(&block, &[0])), BatchSize::SmallInput);
        });
        group.throughput(Throughput::Elements(ROWS as u64));
        group.bench_function("predict 10,000 rows", |b| b.iter(|| black_box(ensemble.predict(&block, &rows))));
        group.bench_function("explain 10,000 rows", |b| b.iter(|| black_box(ensemble.shap(&block, &rows))));
        group.finish();
    }
}

criterion_group!(benches, trees);
criterion_main!(benches);
