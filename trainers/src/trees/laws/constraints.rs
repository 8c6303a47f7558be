//! Bounds that settings put on trees hold in all of them.

use proptest::prelude::*;

use super::*;
use crate::trees::Order;

/// Four quantities of few values without missing ones, and a target that has little to do with them.
fn noisy(n: usize, seed: u64, binary: bool) -> TrainData {
    let columns: Vec<Vec<f32>> =
        (0..4).map(|j| (0..n).map(|i| (unit(seed + j, i) * 9.0).floor() as f32).collect()).collect();
    let signal = |i: usize| {
        let wave = f64::from(columns[0][i]).sin() + 0.5 * f64::from(columns[1][i]).cos();
        wave + 0.1 * f64::from(columns[2][i] * columns[3][i]) + 2.0 * unit(seed + 9, i)
    };
    let target = if binary {
        classes(Task::Binary, 2, (0..n).map(|i| u32::from(signal(i) > 2.5)).collect())
    } else {
        numbers((0..n).map(signal).collect())
    };
    quantities(&columns, target)
}

fn orders() -> impl Strategy<Value = Order> {
    prop::sample::select(vec![Order::LeafWise, Order::DepthWise])
}

fn constrained(order: Order, binary: bool, growth: Growth) -> Boost {
    let objective = if binary { Objective::Logistic } else { Objective::Squared };
    let mut boost = boosting(objective, 15);
    boost.mode = Mode::Boosting { learning_rate: 0.5, early_stopping_rounds: 0 };
    boost.growth = Growth { order, min_child_samples: 3, ..growth };
    boost
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// On the whole surface, not only where there are rows.
    #[test]
    fn monotone_features_only_rise_or_fall(
        seed in 0_u64..1000, order in orders(), binary: bool, num_leaves in 3_usize..40, extra_trees: bool,
        reg_lambda in 0.0..3.0, max_delta_step in prop::sample::select(vec![0.0, 0.3]),
    ) {
        let data = noisy(150, seed, binary);
        let growth = Growth {
            monotone_constraints: vec![1, -1], num_leaves, extra_trees, reg_lambda, max_delta_step, ..Growth::default()
        };
        let model = grow(&data, constrained(order, binary, growth));
        for (feature, direction) in [(0, 1.0), (1, -1.0)] {
            for place in 0..30 {
                let at = |j: u64| (unit(seed + 50 + j, place) * 10.0) as f32 - 0.5;
                let rising: Vec<f32> = (0..22).map(|i| i as f32 / 2.0 - 1.0).collect();
                let column = |j: usize| if j == feature { rising.clone() } else { vec![at(j as u64); 22] };
                let columns: Vec<Vec<f32>> = (0..4).map(column).collect();
                let surface = raw(&model, &quantities(&columns, numbers(vec![0.0; 22])));
                prop_assert!(surface.windows(2).all(|pair| direction * (pair[1] - pair[0]) >= -1e-6), "{:?}", surface);
            }
        }
    }

    #[test]
    fn paths_keep_to_one_set(seed in 0_u64..1000, order in orders()) {
        let sets = vec![vec![0, 1], vec![1, 2]];
        let growth = Growth { interaction_constraints: sets.clone(), num_leaves: 20, ..Growth::default() };
        let model = grow(&noisy(150, seed, false), constrained(order, false, growth));
        let found: Vec<Vec<u32>> = model.trees().iter().flat_map(paths).collect();
        prop_assert!(found.iter().any(|path| path.contains(&0) && path.contains(&1)));
        for path in found {
            prop_assert!(sets.iter().any(|set| path.iter().all(|feature| set.contains(feature))), "{:?}", path);
        }
    }

    #[test]
    fn depth_leaves_and_rows_are_bounded(
        seed in 0_u64..1000,
        order in orders(),
        max_depth in 1_usize..6,
        num_leaves in 2_usize..20,
        least in 1_usize..30,
    ) {
        let data = noisy(200, seed, false);
        let mut boost = constrained(order, false, Growth { num_leaves, max_depth, ..Growth::default() });
        boost.growth.min_child_samples = least;
        let model = grow(&data, boost);
        for tree in model.trees() {
            prop_assert!(tree.leaves.len() <= num_leaves);
            prop_assert!(paths(tree).iter().all(|path| path.len() <= max_depth));
            let (_, leaves) = residents(tree, &data.blocks[0], &data.rows);
            prop_assert!(leaves.iter().all(|rows| rows.len() >= least));
        }
    }

    #[test]
    fn weight_step_and_gain_are_bounded(
        seed in 0_u64..1000,
        order in orders(),
        min_child_weight in 0.5..8.0,
        max_delta_step in 0.05..0.5,
        min_split_gain in 0.1..3.0,
    ) {
        let data = noisy(200, seed, true);
        let growth = Growth { min_child_weight, min_split_gain, max_delta_step, ..Growth::default() };
        let model = grow(&data, constrained(order, true, growth));
        let mut scores = vec![model.base()[0]; 200];
        for tree in model.trees() {
            prop_assert!(tree.leaves.iter().all(|&leaf| f64::from(leaf).abs() <= 0.5 * max_delta_step + 1e-6));
            prop_assert!(tree.gains.iter().all(|&gain| f64::from(gain) >= min_split_gain));
            let (_, leaves) = residents(tree, &data.blocks[0], &data.rows);
            let second = |score: f64| { let p = 1.0 / (1.0 + (-score).exp()); p * (1.0 - p) };
            for rows in leaves.iter().filter(|_| !tree.nodes.is_empty()) {
                let sum: f64 = rows.iter().map(|&row| second(scores[row as usize])).sum();
                prop_assert!(sum >= min_child_weight * (1.0 - 1e-4), "{} {}", sum, min_child_weight);
            }
            for (rows, &leaf) in leaves.iter().zip(&tree.leaves) {
                for &row in rows {
                    scores[row as usize] += f64::from(leaf);
                }
            }
        }
    }
}

/// Numbers of leaves and rows that are met exactly.
#[test]
fn bounds_can_be_reached() {
    let column: Vec<f32> = (0..40).map(|i| (i / 10) as f32).collect();
    let target = numbers((0..40).map(|i| [0.0, 1.0, 5.0, 6.0][i / 10]).collect());
    let data = quantities(&[column], target);
    let mut boost = boosting(Objective::Squared, 1);
    boost.growth = Growth { num_leaves: 4, max_depth: 2, min_child_samples: 10, ..Growth::default() };
    assert_eq!(grow(&data, boost.clone()).trees()[0].leaves.len(), 4);
    boost.growth.min_child_samples = 11;
    assert_eq!(grow(&data, boost).trees()[0].leaves.len(), 2);
}
