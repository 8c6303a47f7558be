//! Forests and single trees.

use super::*;
use crate::data::Predictions;

fn mean_square(found: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, n) = found.fold((0.0, 0.0), |(sum, n), (a, b)| (sum + (a - b) * (a - b), n + 1.0));
    sum / n
}

fn labels(data: &TrainData) -> &[f64] {
    data.target.numbers().expect("a regression")
}

#[test]
fn a_forest_is_the_mean_of_the_means_of_its_leaves() {
    let data = mixed(Objective::Squared, 200, 23);
    let mut boost = forest(9, false);
    boost.growth = Growth { extra_trees: true, min_child_samples: 4, colsample_bynode: 0.5, ..boost.growth };
    boost.growth.cat_l2 = 0.0;
    let model = grow(&data, boost);
    let mut expected = vec![0.0; 200];
    for tree in model.trees() {
        let (_, leaves) = residents(tree, &data.blocks[0], &data.rows);
        for rows in leaves {
            let mean = rows.iter().map(|&row| labels(&data)[row as usize]).sum::<f64>() / rows.len() as f64;
            for row in rows {
                expected[row as usize] += mean / 9.0;
            }
        }
    }
    for (found, expected) in raw(&model, &data).iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}

#[test]
fn shares_are_those_of_the_leaves() {
    for (objective, n) in [(Objective::Logistic, 2), (Objective::Softmax { n_classes: 3 }, 3)] {
        let data = mixed(objective, 200, 29);
        let mut boost = forest(1, false);
        boost.growth = Growth { num_leaves: 6, cat_l2: 0.0, ..boost.growth };
        let model = grow(&data, boost);
        let predictions: Predictions = model.predict(&data.blocks[0], &data.rows);
        // Each class has a tree of its own, so only their sum is shared.
        for output in 0..model.n_raw_outputs() {
            let class = if n == 2 { 1 } else { output as u32 };
            let (_, leaves) = residents(&model.trees()[output], &data.blocks[0], &data.rows);
            for (rows, &value) in leaves.iter().zip(&model.trees()[output].leaves) {
                let own = rows.iter().filter(|&&row| data.target.class(row) == Some(class)).count();
                assert!((f64::from(value) - own as f64 / rows.len() as f64).abs() < 1e-4);
            }
        }
        assert!(predictions.rows().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-9));
    }
}

/// What a row's own label says does not show in what is predicted for it out of bag.
#[test]
fn out_of_bag_predictions_know_nothing_of_the_row() {
    let n = 120;
    let columns: Vec<Vec<f32>> = (0..3).map(|j| (0..n).map(|i| unit(j, i) as f32).collect()).collect();
    let signal = |i: usize| f64::from(columns[0][i]) * 6.0 + f64::from(columns[1][i]).cos() + 3.0 * unit(9, i);
    let data = quantities(&columns, numbers((0..n).map(signal).collect()));
    let mut boost = forest(30, true);
    boost.growth.min_child_samples = 8;
    let out_of_bag = |data: &TrainData| {
        let mut forest = Boosting::start(data, boost.clone(), None).expect("sound data");
        forest.advance(1.0, &GO_ON).expect("it goes on");
        (forest.out_of_bag(), raw(&Boosting::model(&forest).expect("finished"), data))
    };
    let (before, inside_before) = out_of_bag(&data);
    for row in [0, 17, 63, 119] {
        let mut moved = labels(&data).to_vec();
        moved[row] += 30.0;
        let (after, inside) = out_of_bag(&TrainData { target: Arc::new(numbers(moved)), ..data.clone() });
        let (before, after) =
            (before[row].clone().expect("left out once")[0], after[row].clone().expect("likewise")[0]);
        assert!((before - after).abs() < 2e-3, "{before} {after}");
        assert!((inside[row] - inside_before[row]).abs() > 1.0);
    }
}

#[test]
fn out_of_bag_error_is_that_of_new_rows() {
    let data = TrainData { rows: (0..600).collect(), ..mixed(Objective::Squared, 1800, 37) };
    let mut forest_run = Boosting::start(&data, forest(60, true), None).expect("sound data");
    forest_run.advance(1.0, &GO_ON).expect("it goes on");
    let out_of_bag = forest_run.out_of_bag();
    let known = out_of_bag.iter().zip(labels(&data)).filter_map(|(found, &label)| Some((found.as_ref()?[0], label)));
    let own = mean_square(known);
    let predicted = raw(&Boosting::model(&forest_run).expect("finished"), &data);
    let new = mean_square(predicted.into_iter().zip(labels(&data).iter().copied()).skip(600));
    assert!((0.8..1.25).contains(&(own / new)), "{own} {new}");
    let mut one = Boosting::start(&data, forest(1, true), None).expect("sound data");
    one.advance(1.0, &GO_ON).expect("it goes on");
    let left_out = one.out_of_bag().iter().flatten().count();
    // (1 - 1/n)^n of the rows.
    assert!((170..270).contains(&left_out), "{left_out}");
}

#[test]
fn seeds_make_other_trees() {
    let data = mixed(Objective::Squared, 200, 41);
    let other = TrainData { seed: 8, ..data.clone() };
    let mut extra = forest(1, false);
    extra.growth.extra_trees = true;
    let mut shares = forest(1, false);
    shares.growth.colsample_bynode = 0.5;
    for boost in [extra, shares, forest(1, true)] {
        assert_eq!(bytes(&grow(&data, boost.clone())), bytes(&grow(&data, boost.clone())));
        assert_ne!(grow(&data, boost.clone()).trees(), grow(&other, boost).trees());
    }
    let trees = grow(&data, forest(2, true));
    assert_ne!(trees.trees()[0], trees.trees()[1]);
}

/// Of rows that differ in what is seen of them. A value is only seen apart when three rows have it.
#[test]
fn an_unbounded_tree_reproduces_its_rows() {
    let n = 12 * 12;
    let columns = [(0..n).map(|i| (i / 12) as f32).collect(), (0..n).map(|i| (i % 12) as f32).collect()];
    let data = quantities(&columns, numbers((0..n).map(|i| unit(5, i) * 100.0).collect()));
    let model = grow(&data, forest(1, false));
    assert_eq!(model.trees()[0].leaves.len(), n);
    for (found, label) in raw(&model, &data).iter().zip(labels(&data)) {
        assert!((found - label).abs() < 1e-3, "{found} {label}");
    }
}
