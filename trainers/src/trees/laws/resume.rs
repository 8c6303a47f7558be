//! A training that was stopped and taken up again is the training that was not.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::trees::Order;

fn check(data: &TrainData, boost: &Boost, stop_at: usize) {
    let mut whole = Boosting::start(data, boost.clone(), None).expect("sound data");
    whole.advance(1.0, &GO_ON).expect("it goes on");
    let mut first = Boosting::start(data, boost.clone(), None).expect("sound data");
    first.advance_to(stop_at, &GO_ON);
    let checkpoint = first.checkpoint().expect("plain parameters");
    let trees = Boosting::model(&first).expect("rounds are done").trees().to_vec();
    drop(first);
    let mut second = Boosting::start(data, boost.clone(), Some(&checkpoint)).expect("its own checkpoint");
    assert_eq!(second.checkpoint().expect("plain parameters"), checkpoint);
    second.advance(1.0, &GO_ON).expect("it goes on");
    let (whole, second) = (Boosting::model(&whole), Boosting::model(&second));
    let (whole, second) = (whole.expect("finished"), second.expect("finished"));
    assert!(whole.trees().iter().map(|tree| tree.nodes.len()).sum::<usize>() > 5, "something was learned");
    assert_eq!(bytes(&whole), bytes(&second), "{boost:?}");
    // 26 bytes a node and some a tree, whatever the rows.
    let room: usize = trees.iter().map(|tree| 100 + 50 * tree.nodes.len()).sum();
    if data.held_out.is_none() {
        assert!(checkpoint.len() < room + 500, "{} bytes", checkpoint.len());
    }
}

/// Every draw of rows and features, categories, missing values; with held-out rows watched, and without.
#[test]
fn a_training_goes_on_as_if_never_stopped() {
    for objective in OBJECTIVES {
        let all = mixed(objective, 400, 3);
        let parted = TrainData { rows: (0..300).collect(), held_out: Some((300..400).collect()), ..all.clone() };
        for (data, early_stopping_rounds) in [(&all, 0), (&parted, 1000), (&parted, 5)] {
            let mut boost = boosting(objective, 60);
            boost.mode = Mode::Boosting { learning_rate: 0.2, early_stopping_rounds };
            boost.subsample = 0.7;
            boost.growth.colsample_bytree = 0.8;
            boost.growth.colsample_bynode = 0.6;
            check(data, &boost, 37);
        }
    }
}

#[test]
fn symmetric_trees_weights_and_forests_go_on_too() {
    let data = mixed(Objective::Squared, 300, 5);
    let mut boost = boosting(Objective::Squared, 20);
    boost.subsample = 0.5;
    boost.growth = Growth { order: Order::Symmetric, num_leaves: 0, max_depth: 4, ..boost.growth };
    check(&data, &boost, 7);
    let weights = (0..300).map(|row| f64::from(row % 4)).collect();
    check(&TrainData { weights: Some(weights), ..data.clone() }, &boost, 7);
    check(&data, &forest(12, true), 7);
    let classes = mixed(Objective::Softmax { n_classes: 3 }, 300, 5);
    check(&classes, &forest(12, true), 7);
}

#[test]
fn a_stop_between_rounds_loses_nothing() {
    let data = mixed(Objective::Squared, 100, 5);
    let mut boosting = Boosting::start(&data, boosting(Objective::Squared, 10), None).expect("sound data");
    assert!(boosting.advance(1.0, &AtomicBool::new(true)).expect("it stops") < 1.0);
    assert!(matches!(Boosting::model(&boosting), Err(TrainError::Unfinished { .. })));
    assert_eq!(boosting.advance(0.35, &GO_ON).expect("it goes on"), 0.4);
    assert_eq!(boosting.n_rounds(), 4);
    assert_eq!(boosting.advance(1.0, &GO_ON).expect("it goes on"), 1.0);
}

#[test]
fn a_checkpoint_of_something_else_is_an_error() {
    let data = mixed(Objective::Squared, 100, 5);
    let mut first = Boosting::start(&data, boosting(Objective::Squared, 3), None).expect("sound data");
    first.advance(1.0, &GO_ON).expect("it goes on");
    let bytes = first.checkpoint().expect("plain parameters");
    let others =
        [mixed(Objective::Softmax { n_classes: 3 }, 100, 5), quantities(&[vec![1.0; 100]], numbers(vec![1.0; 100]))];
    for other in others {
        let objective =
            if other.target.n_classes() > 0 { Objective::Softmax { n_classes: 3 } } else { Objective::Squared };
        let found = Boosting::start(&other, boosting(objective, 3), Some(&bytes));
        assert!(matches!(found.map(|_| ()), Err(TrainError::Checkpoint { .. })));
    }
    for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        let found = Boosting::start(&data, boosting(Objective::Squared, 3), Some(&bytes[..cut]));
        assert!(matches!(found.map(|_| ()), Err(TrainError::Checkpoint { .. })), "{cut} bytes");
    }
}
