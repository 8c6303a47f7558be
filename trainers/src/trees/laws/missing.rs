//! Missing values, and columns and rows of extreme shape.

use super::*;
use crate::trees::{Bins, Order};

fn stump() -> Boost {
    let mut boost = boosting(Objective::Squared, 1);
    boost.growth = Growth { num_leaves: 2, min_child_samples: 1, ..Growth::default() };
    boost
}

#[test]
fn that_a_value_is_missing_is_learned() {
    let column: Vec<f32> = (0..100).map(|i| if i % 3 == 0 { f32::NAN } else { (i % 7) as f32 }).collect();
    let target = numbers((0..100).map(|i| if i % 3 == 0 { 3.0 } else { 0.0 }).collect());
    let data = quantities(&[column], target);
    for order in [Order::LeafWise, Order::Symmetric] {
        let mut boost = stump();
        boost.growth = Growth { order, max_depth: 1, ..boost.growth };
        boost.mode = Mode::Boosting { learning_rate: 1.0, early_stopping_rounds: 0 };
        for (i, found) in raw(&grow(&data, boost), &data).iter().enumerate() {
            assert!((found - if i % 3 == 0 { 3.0 } else { 0.0 }).abs() < 1e-4, "{order:?} {i}: {found}");
        }
    }
}

/// Values missing beside either end of the quantity are put there.
#[test]
fn missing_values_take_the_better_side() {
    for like in [0, 5] {
        let column: Vec<f32> = (0..120).map(|i| if i % 4 == 0 { f32::NAN } else { (i % 6) as f32 }).collect();
        let of = |i: usize| if i.is_multiple_of(4) { like } else { i % 6 };
        let data = quantities(&[column], numbers((0..120).map(|i| f64::from(u8::from(of(i) > 2))).collect()));
        let tree = grow(&data, stump()).trees()[0].clone();
        assert_eq!((tree.nodes[0].threshold, tree.nodes[0].missing_left), (2.5, like == 0));
    }
}

#[test]
fn missing_in_one_class_only_tells_it() {
    let column: Vec<f32> = (0..90).map(|i| if i % 9 == 4 { f32::NAN } else { (i % 5) as f32 }).collect();
    let data = quantities(&[column], classes(Task::Binary, 2, (0..90).map(|i| u32::from(i % 3 == 1)).collect()));
    let model = grow(&data, boosting(Objective::Logistic, 30));
    let p = model.predict(&data.blocks[0], &data.rows).column(1);
    assert!((0..90).all(|i| (i % 9 != 4) || p[i] > 0.8), "{p:?}");
}

/// Where most rows went, when nothing was missing before.
#[test]
fn what_was_never_missing_goes_with_the_most() {
    for cut in [20, 80] {
        let column: Vec<f32> = (0..100).map(|i| (i / 5) as f32).collect();
        let data = quantities(&[column], numbers((0..100).map(|i| f64::from(u8::from(i >= cut))).collect()));
        let model = grow(&data, stump());
        assert_eq!(model.trees()[0].nodes[0].missing_left, cut == 80);
        let missing = quantities(&[vec![f32::NAN]], numbers(vec![0.0]));
        assert_eq!(raw(&model, &missing)[0], raw(&model, &data)[if cut == 80 { 0 } else { 99 }]);
    }
}

/// Columns that say nothing are never asked about, and those that say much in few bits are.
#[test]
fn extreme_columns_do_no_harm() {
    let huge = |i: usize| [f32::MIN, f32::MAX, -f32::MIN_POSITIVE, f32::MIN_POSITIVE, 0.0][i % 5];
    let columns = [vec![f32::NAN; 100], vec![3.0; 100], (0..100).map(huge).collect()];
    let data = quantities(&columns, numbers((0..100).map(|i| (i % 5) as f64).collect()));
    for order in [Order::LeafWise, Order::DepthWise, Order::Symmetric] {
        let mut boost = boosting(Objective::Squared, 60);
        boost.mode = Mode::Boosting { learning_rate: 0.5, early_stopping_rounds: 0 };
        boost.growth = Growth { order, max_depth: 4, num_leaves: 0, ..boost.growth };
        let model = grow(&data, boost);
        assert!(model.trees().iter().flat_map(|tree| &tree.nodes).all(|node| node.feature == 2));
        for (i, found) in raw(&model, &data).iter().enumerate() {
            assert!((found - (i % 5) as f64).abs() < 1e-3, "{order:?} {i}: {found}");
        }
    }
}

#[test]
fn more_columns_than_rows() {
    let columns: Vec<Vec<f32>> = (0..10_000).map(|j| (0..30).map(|i| unit(j, i) as f32).collect()).collect();
    let data = quantities(&columns, numbers((0..30).map(|i| f64::from(columns[7_777][i])).collect()));
    let mut boost = boosting(Objective::Squared, 3);
    boost.mode = Mode::Boosting { learning_rate: 1.0, early_stopping_rounds: 0 };
    let model = grow(&data, boost);
    assert!(model.trees().iter().all(|tree| !tree.nodes.is_empty()));
    assert!(raw(&model, &data).iter().all(|value| value.is_finite()));
}

#[test]
fn few_rows_are_answered_with_their_mean() {
    for n in [1, 2] {
        let data = quantities(&[vec![1.0, 2.0]], numbers(vec![4.0, 6.0]));
        let data = TrainData { rows: (0..n).collect(), ..data };
        for boost in [boosting(Objective::Squared, 3), forest(3, true), forest(1, false)] {
            let found = raw(&grow(&data, boost), &data);
            assert!(found.iter().all(|value| (3.9..=6.1).contains(value)), "{found:?}");
        }
    }
}

#[test]
fn any_number_of_bins_will_do() {
    let n = 3000;
    let column: Vec<f32> = (0..n).map(|i| unit(1, i) as f32).collect();
    let target = numbers(column.iter().map(|&x| f64::from(x > 0.237)).collect());
    let data = quantities(&[column.clone(), (0..n).map(|i| (i % 3) as f32).collect()], target);
    for (max_bins, off) in [(2, 0.6), (16, 0.1), (255, 0.01), (1000, 0.003)] {
        let bins = Bins::cut(&data.blocks, &data.rows, max_bins).expect("a sound block");
        let data = TrainData { bins: Some(Arc::new(bins)), ..data.clone() };
        let model = grow(&data, stump());
        let threshold = model.trees()[0].nodes[0].threshold;
        assert!((threshold - 0.237).abs() < off, "{max_bins}: {threshold}");
        let mut many = boosting(Objective::Squared, 5);
        many.subsample = 0.5;
        let found = raw(&grow(&data, many), &data);
        assert!(found.iter().all(|value| value.is_finite()));
    }
}
