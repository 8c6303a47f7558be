//! What leaves say is what follows from the rows that come to them.

use super::*;
use crate::trees::Order;
use crate::trees::loss::Gradient;

/// Sums of first and second derivatives, in double precision.
fn sums(gradients: &[Gradient], rows: &[u32]) -> (f64, f64) {
    rows.iter().fold((0.0, 0.0), |(g, h), &row| {
        let own = gradients[row as usize];
        (g + f64::from(own.first), h + f64::from(own.second))
    })
}

/// Values, covers and gains of every tree, told again from the derivatives at the scores before it.
fn check(objective: Objective, growth: Growth, weighted: bool) {
    let mut data = mixed(objective, 400, 17);
    let weights: Vec<f64> = (0..400).map(|row| 0.5 + (row % 5) as f64 / 4.0).collect();
    if weighted {
        data.weights = Some(weights.clone().into());
    }
    let (lambda, alpha) = (growth.reg_lambda, growth.reg_alpha);
    let boost = Boost { growth, ..boosting(objective, 12) };
    let loss = boost.loss.clone();
    let model = grow(&data, boost);
    let block = &data.blocks[0];
    let labels: Vec<f64> = match &data.target.values {
        TargetValues::Numbers(numbers) => numbers.clone(),
        TargetValues::Classes(classes) => classes.iter().map(|&class| f64::from(class)).collect(),
    };
    // Scores relative to the label keep their digits in single precision.
    let labels: Vec<f32> = labels.iter().map(|&label| label as f32).collect();
    let n_raw = model.n_raw_outputs();
    let mut scores: Vec<Vec<f64>> = model.base().iter().map(|&base| vec![base; 400]).collect();
    let shrunk = |g: f64| g.signum() * (g.abs() - alpha).max(0.0);
    for trees in model.trees().chunks(n_raw) {
        let single: Vec<Vec<f32>> = scores.iter().map(|of| of.iter().map(|&score| score as f32).collect()).collect();
        let mut out = vec![vec![Gradient::default(); 400]; n_raw];
        loss.gradients(
            &single.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            &labels,
            &mut out.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>(),
        );
        for (output, tree) in trees.iter().enumerate() {
            let mut gradients = out[output].clone();
            if weighted {
                for (gradient, weight) in gradients.iter_mut().zip(&weights) {
                    gradient.first *= *weight as f32;
                    gradient.second *= *weight as f32;
                }
            }
            let (nodes, leaves) = residents(tree, block, &data.rows);
            let covers: Vec<f32> = nodes.iter().chain(&leaves).map(|rows| rows.len() as f32).collect();
            assert_eq!(tree.covers, covers, "{objective:?}");
            for (rows, &value) in leaves.iter().zip(&tree.leaves) {
                let (g, h) = sums(&gradients, rows);
                let expected = -0.1 * shrunk(g) / (h + lambda);
                let off = (f64::from(value) - expected).abs();
                assert!(off <= 1e-4 * expected.abs() + 2e-6, "{objective:?}: {value} {expected}");
                for &row in rows {
                    scores[output][row as usize] += f64::from(value);
                }
            }
            let worth = |rows: &[u32]| {
                let (g, h) = sums(&gradients, rows);
                shrunk(g) * shrunk(g) / (h + lambda)
            };
            for ((node, rows), &gain) in tree.nodes.iter().zip(&nodes).zip(&tree.gains) {
                let (left, right) = children(tree, node, block, rows);
                let expected = worth(&left) + worth(&right) - worth(rows);
                let off = (f64::from(gain) - expected).abs();
                assert!(
                    gain > 0.0 && off <= 1e-3 * expected + 1e-4 * worth(rows).max(1e-3),
                    "{objective:?}: {gain} {expected}"
                );
            }
        }
    }
    assert!(model.trees().iter().all(|tree| !tree.nodes.is_empty()), "{objective:?}");
}

#[test]
fn leaves_covers_and_gains_follow_from_the_rows() {
    for objective in OBJECTIVES {
        if matches!(objective, Objective::Absolute | Objective::Quantile { .. }) {
            continue;
        }
        // The L2 penalty of a category's split is the subject of its own law.
        let growth = Growth { cat_l2: 0.0, ..boosting(objective, 1).growth };
        check(objective, growth.clone(), false);
        check(objective, Growth { order: Order::DepthWise, reg_lambda: 1.5, ..growth.clone() }, false);
        check(objective, Growth { reg_alpha: 0.7, reg_lambda: 0.3, ..growth.clone() }, false);
    }
}

#[test]
fn weights_weigh_derivatives() {
    for objective in [Objective::Squared, Objective::Logistic, Objective::Poisson] {
        // Without a penalty it does not matter that weights are brought to a mean of 1.
        check(objective, Growth { cat_l2: 0.0, ..boosting(objective, 1).growth }, true);
    }
}
