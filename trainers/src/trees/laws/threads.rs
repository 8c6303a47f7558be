//! The number of threads shows in no bit.

use super::*;
use crate::trees::{Bins, Order};

/// Rows of more than one chunk, and as many features as it takes to share a search among threads.
fn wide(objective: Objective) -> TrainData {
    let few = mixed(objective, 4500, 11);
    let mut columns: Vec<(Kind, Vec<f32>)> =
        (0..5).map(|j| (few.blocks[0].kinds[j], few.blocks[0].column(j).to_vec())).collect();
    columns.extend((5..140).map(|j| (Kind::Number, (0..4500).map(|i| unit(j as u64, i) as f32).collect())));
    data(&columns, (*few.target).clone())
}

fn check(data: &TrainData, boost: &Boost) {
    let alone = bytes(&grow(data, boost.clone()));
    for n in [1, 2, 4] {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads can be had"));
        let bins = pool.install(|| Bins::cut(&data.blocks, &data.rows, 255)).expect("sound blocks");
        let data = TrainData { pool: Some(pool), bins: Some(Arc::new(bins)), ..data.clone() };
        assert!(bytes(&grow(&data, boost.clone())) == alone, "{n} threads: {boost:?}");
    }
}

#[test]
fn any_number_of_threads_grows_the_same_trees() {
    let objective = Objective::Softmax { n_classes: 3 };
    let data = wide(objective);
    let mut boost = boosting(objective, 2);
    boost.subsample = 0.9;
    check(&data, &boost);
    boost.growth = Growth { order: Order::Symmetric, max_depth: 3, num_leaves: 0, ..boost.growth };
    boost.n_estimators = 1;
    check(&data, &boost);
    check(&wide(Objective::Squared), &forest(2, true));
    let mut few_features = forest(2, true);
    few_features.growth.colsample_bynode = 0.1;
    few_features.growth.extra_trees = true;
    check(&wide(Objective::Logistic), &few_features);
}
