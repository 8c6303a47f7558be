//! A loss of one's own.

use super::*;
use crate::trees::{Gradient, Link, Loss};

/// Half the squared error, told again.
#[derive(Debug)]
struct Mine;

impl Loss for Mine {
    fn link(&self) -> Link {
        Link::Identity
    }

    fn base(&self, labels: &[f64], weights: Option<&[f32]>) -> Vec<f64> {
        let weight = |i: usize| weights.map_or(1.0, |weights| f64::from(weights[i]));
        let sum: f64 = labels.iter().enumerate().map(|(i, label)| weight(i) * label).sum();
        vec![sum / (0..labels.len()).map(weight).sum::<f64>()]
    }

    fn gradients(&self, scores: &[&[f32]], labels: &[f32], out: &mut [&mut [Gradient]]) {
        for ((out, score), label) in out[0].iter_mut().zip(scores[0]).zip(labels) {
            *out = Gradient { first: score - label, second: 1.0 };
        }
    }

    fn is_flat(&self) -> bool {
        true
    }

    fn loss(&self, scores: &[f32], label: f32) -> f64 {
        (f64::from(scores[0]) - f64::from(label)).powi(2) / 2.0
    }
}

#[test]
fn a_loss_that_copies_a_built_in_one_grows_its_trees() {
    let all = mixed(Objective::Squared, 300, 61);
    let parted = TrainData { rows: (0..200).collect(), held_out: Some((200..300).collect()), ..all.clone() };
    let weighted = TrainData { weights: Some((0..300).map(|row| f64::from(row % 3)).collect()), ..all.clone() };
    for data in [all, parted, weighted] {
        let mut boost = boosting(Objective::Squared, 20);
        boost.mode = Mode::Boosting { learning_rate: 0.3, early_stopping_rounds: 3 };
        let built_in = grow(&data, boost.clone());
        assert_eq!(bytes(&grow(&data, Boost { loss: Arc::new(Mine), ..boost })), bytes(&built_in));
    }
}
