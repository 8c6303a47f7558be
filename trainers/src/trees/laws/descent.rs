//! A round of boosting lowers the loss on the rows it learns from.

use super::*;
use crate::trees::Order;

#[test]
fn every_round_lowers_the_loss() {
    for objective in OBJECTIVES {
        for order in [Order::LeafWise, Order::DepthWise, Order::Symmetric] {
            let data = mixed(objective, 300, 1);
            let mut boost = boosting(objective, 40);
            boost.growth = Growth { order, max_depth: 3, ..boost.growth };
            let loss = boost.loss.clone();
            let model = grow(&data, boost);
            let labels: Vec<f32> = match &data.target.values {
                TargetValues::Numbers(numbers) => numbers.iter().map(|&number| number as f32).collect(),
                TargetValues::Classes(classes) => classes.iter().map(|&class| class as f32).collect(),
            };
            let losses: Vec<f64> = (0..=40)
                .map(|n| {
                    let trees = model.trees()[..n * model.n_raw_outputs()].to_vec();
                    let (algorithm, n_outputs) = (model.algorithm(), model.n_outputs());
                    let base = model.base().to_vec();
                    let part = TreeEnsemble::new(algorithm, 5, n_outputs, model.link(), base, 1.0, trees);
                    let scores = part.raw(&data.blocks[0], &data.rows);
                    let of = |(row, &label): (&[f64], &f32)| {
                        loss.loss(&row.iter().map(|&score| score as f32).collect::<Vec<f32>>(), label)
                    };
                    scores.rows().zip(&labels).map(of).sum()
                })
                .collect();
            for (round, pair) in losses.windows(2).enumerate() {
                assert!(pair[1] <= pair[0] + 1e-6 * pair[0].abs(), "{objective:?} {order:?} round {round}: {pair:?}");
            }
            assert!(losses[40] < losses[0] - 0.1 * losses[0].abs(), "{objective:?} {order:?}: {losses:?}");
        }
    }
}
