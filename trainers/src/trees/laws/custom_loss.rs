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

/// A loss of this link and so many raw scores, whatever the target.
#[derive(Debug)]
struct Odd(Link, usize);

impl Loss for Odd {
    fn link(&self) -> Link {
        self.0
    }

    fn base(&self, _: &[f64], _: Option<&[f32]>) -> Vec<f64> {
        vec![0.0; self.1]
    }

    fn gradients(&self, _: &[&[f32]], labels: &[f32], out: &mut [&mut [Gradient]]) {
        for out in out {
            out[..labels.len()].fill(Gradient { first: 0.0, second: 1.0 });
        }
    }

    fn loss(&self, _: &[f32], _: f32) -> f64 {
        0.0
    }
}

/// For 0, 2 and 3 classes and 0 to 4 raw scores, which losses of a link can be learned from.
fn accepted(link: Link) -> Vec<(usize, usize)> {
    let mut accepted = Vec::new();
    for (n_classes, objective) in
        [(0, Objective::Squared), (2, Objective::Logistic), (3, Objective::Softmax { n_classes: 3 })]
    {
        let data = mixed(objective, 40, 1);
        for n_raw in 0..5 {
            let boost = Boost { loss: Arc::new(Odd(link, n_raw)), ..boosting(objective, 2) };
            match Boosting::start(&data, boost, None) {
                Ok(_) => accepted.push((n_classes, n_raw)),
                Err(error) => {
                    let begins =
                        format!("hyperparameter `loss` is Odd({link:?}, {n_raw}) with {n_raw} raw scores, on a ");
                    assert!(error.to_string().starts_with(&begins), "{error}");
                }
            }
        }
    }
    accepted
}

#[test]
fn a_loss_of_numbers_wants_numbers_and_one_score() {
    assert_eq!(accepted(Link::Identity), [(0, 1)]);
    assert_eq!(accepted(Link::Exp), [(0, 1)]);
}

#[test]
fn a_logistic_loss_wants_two_classes_and_one_score() {
    assert_eq!(accepted(Link::Logistic), [(2, 1)]);
}

#[test]
fn a_softmax_loss_wants_a_score_per_class() {
    assert_eq!(accepted(Link::Softmax), [(2, 2), (3, 3)]);
}

#[test]
fn a_loss_of_shares_wants_a_score_per_class_or_one_for_two() {
    assert_eq!(accepted(Link::Shares), [(2, 1), (2, 2), (3, 3)]);
}

#[test]
fn a_refused_loss_is_told_with_its_target_and_what_it_wants() {
    let data = mixed(Objective::Squared, 40, 1);
    let refusal = Boosting::start(&data, boosting(Objective::Softmax { n_classes: 3 }, 2), None).err();
    assert_eq!(
        refusal.expect("softmax of numbers").to_string(),
        "hyperparameter `loss` is Softmax { n_classes: 3 } with 3 raw scores, on a regression target; \
         its link wants classes and a raw score for each"
    );
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
