//! Laws that were found broken once.

use super::*;
use crate::trees::Order;

fn finite(model: &TreeEnsemble, data: &TrainData) -> bool {
    model.predict(&data.blocks[0], &data.rows).values().iter().all(|value| value.is_finite())
}

/// `root` asks for the output of infinitely many rows: infinity / infinity.
#[test]
fn path_smoothing_is_that_of_light_gbm() {
    golden::check("squared, path_smooth", GOLDEN[0].1).unwrap();
}

#[test]
fn path_smoothing_draws_leaves_to_the_root() {
    let data = mixed(Objective::Squared, 200, 3);
    let spread = |path_smooth: f64| {
        let mut boost = boosting(Objective::Squared, 1);
        boost.growth.path_smooth = path_smooth;
        let found = raw(&grow(&data, boost), &data);
        assert!(found.iter().all(|value| value.is_finite()), "{path_smooth}");
        found.iter().copied().fold(f64::MIN, f64::max) - found.iter().copied().fold(f64::MAX, f64::min)
    };
    let spreads = [0.0, 1.0, 30.0, 1e9].map(spread);
    assert!(spreads.windows(2).all(|pair| pair[1] < pair[0]) && spreads[3] < 1e-3, "{spreads:?}");
}

/// `divide` adds `cat_l2` to the leaves of every category's split, the search only to those of runs of levels.
#[test]
fn one_level_against_the_rest_has_no_penalty_of_its_own() {
    golden::check("squared, one-hot", GOLDEN[1].1).unwrap();
}

#[test]
fn symmetric_leaves_are_the_newton_steps_they_were_chosen_by() {
    let column: Vec<f32> = (0..40).map(|i| (i % 2) as f32).collect();
    let target = numbers((0..40).map(|i| f64::from(i % 2)).collect());
    let data = data(&[(Kind::Category { n_levels: 2 }, column)], target);
    let mut boost = boosting(Objective::Squared, 1);
    boost.mode = Mode::Boosting { learning_rate: 1.0, early_stopping_rounds: 0 };
    boost.growth = Growth { order: Order::Symmetric, max_depth: 1, num_leaves: 0, ..boost.growth };
    for (i, found) in raw(&grow(&data, boost), &data).iter().enumerate() {
        assert!((found - (i % 2) as f64).abs() < 1e-4, "{i}: {found}");
    }
}

/// The rows of a leaf are estimated from sums that were rounded up and down; `LightGBM` rounds the estimate.
#[test]
fn the_least_number_of_rows_can_be_reached_under_any_loss() {
    let column: Vec<f32> = (0..200).map(|i| (i / 20) as f32).collect();
    let mut missed = Vec::new();
    for seed in 0..20 {
        let codes = (0..200).map(|i| u32::from(i >= 180 || i % 20 < 9)).collect();
        let data = quantities(std::slice::from_ref(&column), classes(Task::Binary, 2, codes));
        let mut boost = boosting(Objective::Logistic, 1);
        boost.growth = Growth { num_leaves: 2, min_child_samples: 20, ..Growth::default() };
        let model = grow(&TrainData { seed, ..data }, boost);
        if model.trees()[0].covers != [200.0, 180.0, 20.0] {
            missed.push((seed, model.trees()[0].covers.clone()));
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// As many rows as are drawn, not as many as there are on average in a row that is drawn.
#[test]
fn a_bootstrapped_tree_may_have_a_leaf_per_row() {
    let n = 144;
    let columns = [(0..n).map(|i| (i / 12) as f32).collect(), (0..n).map(|i| (i % 12) as f32).collect()];
    let data = quantities(&columns, numbers((0..n).map(|i| unit(5, i) * 100.0).collect()));
    let tree = grow(&data, forest(1, true)).trees()[0].clone();
    assert_eq!(tree.covers[0] as usize, tree.leaves.len(), "every row that was drawn has a leaf of its own");
}

/// Two rows of nearly all the weight, drawn nine times together, overflow the lower half of a cell; from four times
/// on the search takes their weight for negative.
#[test]
fn heavy_rows_can_be_drawn_many_times() {
    let weights = (0..60).map(|row| if row < 2 { 1e6 } else { 1.0 }).collect();
    let target = numbers((0..60).map(|row| f64::from(u8::from(row == 0))).collect());
    let data = TrainData { weights: Some(weights), ..quantities(&[vec![1.0; 60]], target) };
    for seed in 0..40_000 {
        let found = raw(&grow(&TrainData { seed, ..data.clone() }, forest(1, true)), &data)[0];
        assert!((-0.01..=1.01).contains(&found), "seed {seed}: {found}");
    }
}

/// The unit of so small gradients is 0 in single precision.
#[test]
fn a_single_class_can_be_learned_for_long() {
    let data = mixed(Objective::Logistic, 60, 1);
    let data = TrainData { target: Arc::new(classes(Task::Binary, 2, vec![0; 60])), ..data };
    let model = grow(&data, boosting(Objective::Logistic, 800));
    assert!(finite(&model, &data));
}

#[test]
fn an_absent_class_can_be_learned_for_long() {
    let data = mixed(Objective::Softmax { n_classes: 3 }, 60, 1);
    let codes: Vec<u32> = data.target.codes().expect("classes").iter().map(|&class| class.min(1)).collect();
    let data = TrainData { target: Arc::new(classes(Task::Multiclass, 3, codes)), ..data };
    let mut boost = boosting(Objective::Softmax { n_classes: 3 }, 400);
    boost.mode = Mode::Boosting { learning_rate: 0.3, early_stopping_rounds: 0 };
    let predictions = grow(&data, boost).predict(&data.blocks[0], &data.rows);
    assert!(predictions.rows().all(|row| row[2] < 1e-6));
}

fn scaled(times: f64) -> Vec<f64> {
    let data = mixed(Objective::Squared, 200, 1);
    let labels = data.target.numbers().expect("a regression");
    let target = Arc::new(numbers(labels.iter().map(|label| label * times).collect()));
    raw(&grow(&TrainData { target, ..data.clone() }, boosting(Objective::Squared, 20)), &data)
}

#[test]
fn a_target_may_be_tiny() {
    for (found, usual) in scaled(1e-33).iter().zip(scaled(1.0)) {
        assert!((found / 1e-33 - usual).abs() < 0.02, "{found} {usual}");
    }
}

/// Sums of gradients in single precision overflow.
#[test]
fn a_target_may_be_huge() {
    for (found, usual) in scaled(1e37).iter().zip(scaled(1.0)) {
        assert!((found / 1e37 - usual).abs() < 0.02, "{found} {usual}");
    }
}

/// Either an error by name or finite predictions.
#[test]
fn a_target_beyond_single_precision_is_no_panic() {
    let data = mixed(Objective::Squared, 200, 1);
    let mut labels = data.target.numbers().expect("a regression").to_vec();
    labels[3] = 1e200;
    let data = TrainData { target: Arc::new(numbers(labels)), ..data.clone() };
    if let Ok(model) = run(&data, boosting(Objective::Squared, 5)) {
        assert!(finite(&model, &data));
    }
}

#[test]
fn counts_are_not_negative() {
    let data = mixed(Objective::Squared, 50, 1);
    let target = Arc::new(numbers((0..50).map(|i| f64::from(i) - 5.0).collect()));
    assert!(run(&TrainData { target, ..data.clone() }, boosting(Objective::Poisson, 5)).is_err());
}

/// `Router` takes a threshold of minus infinity for one of infinity.
#[test]
fn infinite_values_go_the_same_way_everywhere() {
    let column: Vec<f32> = (0..120).map(|i| if i % 3 == 0 { f32::NEG_INFINITY } else { f32::INFINITY }).collect();
    let data = quantities(&[column], numbers((0..120).map(|i| f64::from(u8::from(i % 3 == 0))).collect()));
    let mut boost = boosting(Objective::Squared, 20);
    boost.subsample = 0.5;
    for (i, found) in raw(&grow(&data, boost), &data).iter().enumerate() {
        assert!((found - f64::from(u8::from(i % 3 == 0))).abs() < 0.2, "{i}: {found}");
    }
}

/// A held-out row of the target that is not in the blocks.
#[test]
fn held_out_rows_are_in_the_blocks() {
    let data = mixed(Objective::Squared, 50, 1);
    let data = TrainData {
        held_out: Some(vec![60].into()),
        target: Arc::new(numbers((0..70).map(f64::from).collect())),
        ..data
    };
    let mut boost = boosting(Objective::Squared, 5);
    boost.mode = Mode::Boosting { learning_rate: 0.1, early_stopping_rounds: 2 };
    assert!(matches!(run(&data, boost), Err(TrainError::BadRow { row: 60 })));
}

#[test]
fn bins_of_other_blocks_are_refused() {
    let data = mixed(Objective::Squared, 50, 1);
    let other = quantities(&[vec![1.0; 50]], numbers(vec![1.0; 50]));
    let bins = crate::trees::Bins::cut(&data.blocks, &data.rows, 255).expect("a sound block");
    let data = TrainData { bins: Some(Arc::new(bins)), target: data.target, ..other };
    assert!(run(&data, boosting(Objective::Squared, 2)).is_err());
}

fn falls(columns: &[Vec<f32>], target: Vec<f64>, boost: &Boost) -> bool {
    let found = raw(
        &grow(&quantities(columns, numbers(target)), boost.clone()),
        &quantities(&[vec![0.0, 1.0, 2.0]], numbers(vec![0.0; 3])),
    );
    found.windows(2).any(|pair| pair[1] < pair[0] - 1e-6)
}

/// Refused, as `LightGBM` does: signs of residuals may rise where their medians fall.
#[test]
fn quantiles_of_leaves_keep_to_monotone_constraints() {
    let mut boost = boosting(Objective::Absolute, 1);
    boost.growth.monotone_constraints = vec![1];
    let column = (0..300).map(|i| (i / 100) as f32).collect();
    let target = (0..300).map(|i| match (i / 100, i % 100) {
        (0, at) => {
            if at < 75 {
                -5.0
            } else {
                5.0
            }
        }
        (1, at) => {
            if at < 45 {
                -1.0
            } else {
                10.0
            }
        }
        (_, at) => {
            if at < 30 {
                -1.0
            } else {
                0.1
            }
        }
    });
    let outcome = run(&quantities(&[column], numbers(target.collect())), boost);
    assert!(matches!(outcome, Err(TrainError::Param { name: "monotone_constraints", .. })));
}

/// Or refused.
#[test]
fn symmetric_trees_keep_to_monotone_constraints() {
    let mut boost = boosting(Objective::Squared, 1);
    boost.growth = Growth { order: Order::Symmetric, max_depth: 1, num_leaves: 0, ..boost.growth };
    boost.growth.monotone_constraints = vec![1];
    let column = (0..300).map(|i| (i / 100) as f32).collect();
    let target = (0..300).map(|i| -f64::from(i / 100)).collect();
    assert!(boost.growth.check().is_err() || !falls(&[column], target, &boost));
}

/// Or refused.
#[test]
fn symmetric_trees_keep_to_interaction_constraints() {
    let mut boost = boosting(Objective::Squared, 10);
    boost.growth = Growth { order: Order::Symmetric, max_depth: 4, num_leaves: 0, ..boost.growth };
    boost.growth.interaction_constraints = vec![vec![0], vec![1]];
    if boost.growth.check().is_ok() {
        let model = grow(&mixed(Objective::Squared, 200, 1), boost);
        let kept = |path: &Vec<u32>| path.iter().all(|feature| *feature == path[0] && *feature < 2);
        assert!(model.trees().iter().flat_map(paths).all(|path| kept(&path)));
    }
}

/// The worth of sides leaves the L1 penalty out, that of the whole does not.
#[test]
fn symmetric_trees_split_by_penalised_gains() {
    let mut boost = boosting(Objective::Squared, 1);
    boost.growth = Growth { order: Order::Symmetric, max_depth: 4, num_leaves: 0, ..boost.growth };
    boost.growth.reg_alpha = 1e6;
    if boost.growth.check().is_ok() {
        let model = grow(&mixed(Objective::Squared, 200, 1), boost);
        assert!(model.trees()[0].nodes.is_empty(), "{:?}", model.trees()[0].gains);
    }
}

#[test]
fn one_class_is_no_softmax() {
    assert!(Objective::Softmax { n_classes: 1 }.build().is_err());
}

const GOLDEN: &[(&str, &str)] = &[
    (
        "squared, path_smooth",
        "c in 0,3,5,7 or missing gain 102.175 | x0 <= 3.5 gain 18.125 | c in 0 gain 2.493 | 0.07594 | 0.55617 | \
         c in 0,5 or missing gain 2.890 | 1.59585 | 2.08907 | c in 1,2,4 gain 17.890 | x0 <= 2.5 gain 8.558 | \
         -1.40975 | -0.49498 | x0 <= 3.5 gain 3.397 | -2.83333 | -2.05157",
    ),
    (
        "squared, one-hot",
        "c in 0,1,2,3,4,5,7 or missing gain 65.617 | x0 <= 2.5 gain 41.512 | c in 0,1,2,4,5 gain 14.179 | \
         -1.33059 | 1.06508 | c in 0,2,3,4,5,7 or missing gain 18.114 | c in 0,2,3,5,7 or missing gain 7.833 | \
         x0 <= 4.5 gain 9.011 | 0.76985 | 1.94556 | -0.03287 | -0.77803 | x0 <= 3.5 gain 5.624 | -3.65377 | \
         -1.84257",
    ),
];
