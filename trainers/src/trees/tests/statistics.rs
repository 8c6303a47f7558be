//! Trees that ask about quantities derived from categories, grown and made.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyperdrive::Params;
use rand::RngExt;

use super::*;
use crate::data::{Target, TargetValues, TrainData};
use crate::task::Task;
use crate::testing::fit;
use crate::trees::LevelStatistic;

const N_ROWS: usize = 1500;
const N_TRAIN: u32 = 1000;
const N_LEVELS: u32 = 60;

/// Rows of a category of many levels with an effect each, one of few, one that is missing here and there, and a
/// quantity; the first thousand are for training.
fn data(task: Task, seed: u64) -> TrainData {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let effects: Vec<f64> = (0..N_LEVELS).map(|_| rng.random_range(-2.0..2.0)).collect();
    let mut columns: Vec<Vec<f32>> = vec![Vec::new(); 4];
    let mut numbers = Vec::new();
    for _ in 0..N_ROWS {
        let levels = [rng.random_range(0..N_LEVELS), rng.random_range(0..3), rng.random_range(0..20)];
        let x: f32 = rng.random();
        columns[0].push(levels[0] as f32);
        columns[1].push(levels[1] as f32);
        columns[2].push(if levels[2] < 8 { f32::NAN } else { levels[2] as f32 });
        columns[3].push(x);
        let of_levels = effects[levels[0] as usize] + if levels[2] < 8 { 1.0 } else { 0.0 };
        numbers.push(of_levels + f64::from(x) + rng.random_range(-0.3..0.3));
    }
    let (n_classes, values) = match task {
        Task::Regression => (0, TargetValues::Numbers(numbers)),
        Task::Binary => (2, TargetValues::Classes(numbers.iter().map(|&y| u32::from(y > 0.8)).collect())),
        Task::Multiclass => {
            (3, TargetValues::Classes(numbers.iter().map(|&y| u32::from(y > 0.0) + u32::from(y > 1.5)).collect()))
        }
    };
    let kinds = [N_LEVELS, 3, 20].map(|n_levels| Kind::Category { n_levels });
    let block = Block {
        kinds: kinds.into_iter().chain([Kind::Number]).collect(),
        ..Block::numbers((0..4).map(|j| format!("x{j}")).collect(), N_ROWS, columns.concat())
    };
    let classes = (0..n_classes).map(|class| format!("c{class}")).collect();
    let target = Arc::new(Target { task, classes, values });
    TrainData::new(vec![Arc::new(block)], (0..N_TRAIN).collect(), target, seed)
}

fn params(statistics: &str) -> Params {
    Params::new().with("n_estimators", 30_i64).with("learning_rate", 0.2).with("cat_statistics", statistics)
}

fn model(algorithm: Algorithm, data: &TrainData, statistics: &str) -> TreeEnsemble {
    match fit(algorithm, data, &params(statistics)).expect("data to learn from") {
        Estimator::Trees(model) => model,
        other => panic!("no trees: {other:?}"),
    }
}

/// Mean squared error of numbers, or of the probability of the class, on the rows after those for training.
fn error(model: &TreeEnsemble, data: &TrainData) -> f64 {
    let rows: Vec<u32> = (N_TRAIN..N_ROWS as u32).collect();
    let predicted = model.predict(&data.blocks[0], &rows);
    let each = rows.iter().zip(predicted.rows()).map(|(&row, of_row)| match data.target.number(row) {
        Some(number) => (number - of_row[0]).powi(2),
        None => (1.0 - of_row[data.target.class(row).expect("a class") as usize]).powi(2),
    });
    each.sum::<f64>() / rows.len() as f64
}

fn asked(model: &TreeEnsemble) -> Vec<u32> {
    model.trees().iter().flat_map(|tree| &tree.nodes).map(|node| node.feature).collect()
}

#[test]
fn many_levels_are_better_known_by_their_statistics() {
    for task in Task::ALL {
        let data = data(task, 3);
        let (without, with) = (model(Algorithm::CatBoost, &data, "false"), model(Algorithm::CatBoost, &data, "true"));
        assert!(without.statistics().is_empty() && asked(&without).iter().all(|&feature| feature < 4));
        // The category of three levels is asked about as it is.
        let n_classes = if task == Task::Multiclass { 3 } else { 1 };
        let sources: Vec<u32> = with.statistics().iter().map(|statistic| statistic.feature).collect();
        assert_eq!(sources, [vec![0; n_classes + 1], vec![2; n_classes + 1]].concat());
        assert!(asked(&with).iter().any(|&feature| feature >= 4));
        with.check(4, data.target.n_outputs()).expect("just grown");
        let (before, after) = (error(&without, &data), error(&with, &data));
        assert!(after < 0.9 * before, "{task:?}: {after} with statistics, {before} without");
    }
}

/// Levels of two rows each: a statistic that knew the row's own target would tell it.
#[test]
fn a_rare_level_does_not_leak_its_target() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let n = 2 * N_TRAIN;
    let classes: Vec<u32> = (0..2 * n).map(|_| u32::from(rng.random_bool(0.3))).collect();
    let column = (0..2 * n).map(|row| (row % N_TRAIN) as f32).collect();
    let kinds = vec![Kind::Category { n_levels: N_TRAIN }];
    let block = Block { kinds, ..Block::numbers(vec!["id".into()], 2 * n as usize, column) };
    let values = TargetValues::Classes(classes.clone());
    let target = Arc::new(Target { task: Task::Binary, classes: vec!["a".into(), "b".into()], values });
    let data = TrainData::new(vec![Arc::new(block)], (0..n).collect(), target, 1);
    for algorithm in [Algorithm::CatBoost, Algorithm::LightGbm] {
        let model = model(algorithm, &data, "true");
        let loss = |rows: std::ops::Range<u32>| {
            let rows: Vec<u32> = rows.collect();
            let predicted = model.predict(&data.blocks[0], &rows);
            let each = rows.iter().zip(predicted.rows()).map(|(&row, of)| -of[classes[row as usize] as usize].ln());
            each.sum::<f64>() / rows.len() as f64
        };
        let entropy = -(0.3 * 0.3_f64.ln() + 0.7 * 0.7_f64.ln());
        let (trained, unseen) = (loss(0..n), loss(n..2 * n));
        assert!(trained > 0.85 * entropy, "{algorithm}: {trained} on the training rows, the entropy is {entropy}");
        assert!(unseen < 1.1 * entropy, "{algorithm}: {unseen} on new rows, the entropy is {entropy}");
        // Levels that were not there are what everybody is.
        let beyond = Block { values: vec![f32::NAN; 3], n_rows: 3, ..(*data.blocks[0]).clone() };
        let prior = model.predict(&beyond, &[0, 1, 2]);
        assert!(prior.column(1).iter().all(|p| (p - 0.3).abs() < 0.12), "{:?}", prior.column(1));
    }
}

#[test]
fn what_is_no_level_is_missing() {
    let data = data(Task::Regression, 4);
    let model = model(Algorithm::CatBoost, &data, "true");
    let odd = [f32::NAN, -1.0, 0.5, N_LEVELS as f32, 1e9, f32::INFINITY];
    let columns = [odd.to_vec(), vec![1.0; 6], vec![10.0; 6], vec![0.5; 6]];
    let block = Block { values: columns.concat(), n_rows: 6, ..(*data.blocks[0]).clone() };
    let predicted = model.predict(&block, &all_rows(&block));
    assert!(predicted.values().iter().all(|value| value.to_bits() == predicted.values()[0].to_bits()));
    // A category without missing training rows knows nothing of them; the other counts them as a level.
    let others: Vec<f32> = model.statistics().iter().map(|statistic| statistic.other).collect();
    assert_eq!((others[0], others[1]), (0.0, 0.0));
    assert!(others[2] > 0.3 && others[3] > 300.0, "{others:?}");
}

#[test]
fn a_training_taken_up_again_and_threads_change_nothing() {
    let bytes = |model: &Estimator| rmp_serde::to_vec_named(model).expect("a model can be written");
    for (algorithm, task) in [(Algorithm::CatBoost, Task::Multiclass), (Algorithm::LightGbm, Task::Regression)] {
        let params = params("true").with("subsample", 0.7);
        let mut data = crate::testing::weighted(data(task, 5));
        data.held_out = Some((N_TRAIN..N_ROWS as u32).collect());
        let params = params.with("early_stopping_rounds", 25_i64);
        let whole = fit(algorithm, &data, &params).expect("data to learn from");
        let stop = AtomicBool::new(false);
        let mut first = algorithm.trainer().start(&data, &params, None).expect("a start");
        first.advance(0.4, &stop).expect("some rounds");
        let checkpoint = first.checkpoint().expect("a checkpoint");
        let mut second = algorithm.trainer().start(&data, &params, Some(&checkpoint)).expect("a checkpoint of its own");
        second.advance(1.0, &stop).expect("the other rounds");
        assert_eq!(bytes(&second.model().expect("rounds")), bytes(&whole));
        // All rounds up to the one that was best on the held-out rows are the model.
        let least = second.watched().iter().copied().fold(f64::INFINITY, f64::min);
        let best = second.watched().iter().position(|loss| *loss == least).expect("rows are watched") + 1;
        let first = |rounds| bytes(&second.whole().expect("rounds").up_to(rounds));
        assert!(best > 1 && first(best) == bytes(&whole) && first(best - 1) != bytes(&whole), "{best} rounds");
        // Under another seed levels are known for the same, but by another target they are not.
        let TargetValues::Numbers(numbers) = &data.target.values else {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
            let threaded = TrainData { pool: Some(Arc::new(pool)), ..data.clone() };
            assert_eq!(bytes(&fit(algorithm, &threaded, &params).expect("data")), bytes(&whole));
            continue;
        };
        let values = TargetValues::Numbers(numbers.iter().map(|y| -y).collect());
        let other = TrainData { target: Arc::new(Target { values, ..(*data.target).clone() }), ..data.clone() };
        assert!(algorithm.trainer().start(&other, &params, Some(&checkpoint)).is_err());
        let without = params.clone().with("cat_statistics", "false");
        assert!(algorithm.trainer().start(&data, &without, Some(&checkpoint)).is_err());
    }
}

#[test]
fn rows_without_weight_say_nothing_of_their_level() {
    let data = crate::testing::weighted(data(Task::Regression, 6));
    let TargetValues::Numbers(numbers) = &data.target.values else { panic!("numbers") };
    let weights = data.weights.clone().expect("weights");
    let changed = numbers.iter().zip(weights.iter()).map(|(y, &w)| if w == 0.0 { 1e3 } else { *y }).collect();
    let target = Target { values: TargetValues::Numbers(changed), ..(*data.target).clone() };
    let other = TrainData { target: Arc::new(target), ..data.clone() };
    let found = model(Algorithm::CatBoost, &other, "true");
    assert_eq!(found, model(Algorithm::CatBoost, &data, "true"));
    let plain = TrainData { weights: None, ..data };
    assert_ne!(found.statistics(), model(Algorithm::CatBoost, &plain, "true").statistics());
}

/// A path under an interaction constraint may ask about what is derived from its categories, and nothing else.
#[test]
fn constraints_hold_for_what_is_derived() {
    use crate::trees::{Boosting, CAT_BOOST, LIGHT_GBM, Order};
    let data = data(Task::Regression, 7);
    let mut boost = LIGHT_GBM.settings(&data.shape(), &params("true")).expect("settings");
    boost.growth.interaction_constraints = vec![vec![0], vec![1, 2, 3]];
    assert_eq!(boost.growth.order, Order::LeafWise);
    let mut boosting = Boosting::start(&data, boost, None).expect("a start");
    boosting.advance_to(30, &AtomicBool::new(false));
    let model = boosting.model().expect("rounds");
    for tree in model.trees() {
        let of_first = tree.nodes.iter().filter(|node| model.source(node.feature) == 0).count();
        assert!(of_first == 0 || of_first == tree.nodes.len());
    }
    assert!(asked(&model).contains(&4));
    assert!(CAT_BOOST.settings(&data.shape(), &Params::new()).expect("settings").cat_statistics);
}

/// An ensemble of trees over four features, two of them categories that also have a statistic each, and rows with
/// the statistics as two more columns.
pub(super) fn derived(n_leaves: usize, seed: u64) -> (TreeEnsemble, Block, Block) {
    let made = Made { n_features: 6, n_leaves, n_levels: 9, missing: 0.1 };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let statistics = [0, 3].map(|feature| LevelStatistic {
        feature,
        // The last levels are beyond the statistic.
        values: (0..7).map(|_| rng.random()).collect(),
        other: rng.random(),
    });
    let trees = (0..2).map(|_| made.tree(&mut rng)).collect();
    let model = TreeEnsemble::new(Algorithm::Constant, 4, 1, Link::Identity, vec![0.25], 0.5, trees)
        .with_statistics(statistics.to_vec());
    model.check(4, 1).expect("trees over what there is");
    let mut wide = odd_block(made, 12, seed);
    let told: Vec<f32> = statistics
        .iter()
        .flat_map(|statistic| {
            let column = wide.column(statistic.feature as usize).iter();
            let level = |x: &f32| if *x >= 0.0 && x.fract() == 0.0 { *x as usize } else { usize::MAX };
            column.map(move |x| statistic.values.get(level(x)).copied().unwrap_or(statistic.other)).collect::<Vec<_>>()
        })
        .collect();
    wide.values.truncate(4 * 12);
    let narrow = Block {
        names: wide.names[..4].to_vec(),
        kinds: wide.kinds[..4].to_vec(),
        n_rows: 12,
        values: wide.values.clone(),
    };
    wide.values.extend(told);
    (model, narrow, wide)
}

proptest! {
    /// A derived quantity is read as if it stood in the row, by the walk and from a file.
    #[test]
    fn derived_quantities_are_read_as_columns(n_leaves in 2_usize..60, seed: u64) {
        let (model, narrow, wide) = derived(n_leaves, seed);
        let trees = model.trees().to_vec();
        let plain = TreeEnsemble::new(Algorithm::Constant, 6, 1, Link::Identity, vec![0.25], 0.5, trees);
        let rows = all_rows(&narrow);
        prop_assert_eq!(bits(model.raw(&narrow, &rows).values()), bits(plain.raw(&wide, &rows).values()));
        let packed = rmp_serde::to_vec_named(&model).expect("written");
        prop_assert_eq!(&rmp_serde::from_slice::<TreeEnsemble>(&packed).expect("read"), &model);
        let compact = rmp_serde::to_vec(&model).expect("written");
        prop_assert_eq!(&rmp_serde::from_slice::<TreeEnsemble>(&compact).expect("read"), &model);
        let text = serde_json::to_string(&model).expect("written");
        prop_assert_eq!(&serde_json::from_str::<TreeEnsemble>(&text).expect("read"), &model);
        let (own, of_columns) = (model.importance(), plain.importance());
        for (own, columns) in [(&own.gain, &of_columns.gain), (&own.cover, &of_columns.cover)] {
            let expected = [columns[0] + columns[4], columns[1], columns[2], columns[3] + columns[5]];
            prop_assert!(own.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9 * b.max(1.0)));
        }
    }
}

#[test]
fn every_disagreement_of_statistics_is_named() {
    let check = |damage: &dyn Fn(&mut TreeEnsemble), said: &str| {
        let (mut model, ..) = derived(40, 3);
        damage(&mut model);
        let reason = model.check(4, 1).expect_err(said);
        assert!(reason.contains(said), "{reason:?} says nothing of {said:?}");
    };
    check(&|model| model.statistics[1].feature = 4, "statistic 1: feature 4 of 4");
    check(&|model| model.statistics[0].values[2] = f32::NAN, "statistic 0: a level's number is NaN");
    check(&|model| model.statistics[0].other = f32::INFINITY, "a level's number is inf");
    check(&|model| model.statistics.truncate(1), "feature 5 of 5");
    let set = |model: &mut TreeEnsemble| {
        let node = model.trees[0].nodes.iter_mut().find(|node| node.category).expect("a category");
        node.feature = 5;
    };
    check(&set, "a set of levels of statistic 1");
}
