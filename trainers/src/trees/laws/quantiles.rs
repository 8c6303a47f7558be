//! Losses whose leaves are quantiles of residuals.

use super::*;

#[test]
fn a_share_of_the_rows_is_below_their_quantile() {
    for (objective, alpha) in [
        (Objective::Quantile { alpha: 0.1 }, 0.1),
        (Objective::Absolute, 0.5),
        (Objective::Quantile { alpha: 0.5 }, 0.5),
        (Objective::Quantile { alpha: 0.9 }, 0.9),
    ] {
        let data = mixed(objective, 600, 53);
        let weights: Arc<[f64]> = (0..600).map(|row| f64::from(1 + row % 3)).collect();
        for weights in [None, Some(weights)] {
            let data = TrainData { weights: weights.clone(), ..data.clone() };
            let mut boost = boosting(objective, 60);
            boost.growth.min_child_samples = 40;
            let model = grow(&data, boost);
            let of = |row: usize| weights.as_ref().map_or(1.0, |weights| weights[row]);
            let labels = data.target.numbers().expect("a regression");
            let (mut below, mut all) = (0.0, 0.0);
            for (row, (found, label)) in raw(&model, &data).iter().zip(labels).enumerate() {
                below += if label <= found { of(row) } else { 0.0 };
                all += of(row);
            }
            let share: f64 = below / all;
            assert!((share - alpha).abs() < 0.05, "{objective:?}: {share}");
        }
    }
}

/// One tree at rate 1: its leaves are the quantiles of the labels in them, as numpy's `quantile` says.
#[test]
fn leaves_are_quantiles() {
    for (objective, alpha) in [(Objective::Quantile { alpha: 0.3 }, 0.3), (Objective::Absolute, 0.5)] {
        let data = mixed(objective, 300, 59);
        let mut boost = boosting(objective, 1);
        boost.mode = Mode::Boosting { learning_rate: 1.0, early_stopping_rounds: 0 };
        let model = grow(&data, boost);
        let (_, leaves) = residents(&model.trees()[0], &data.blocks[0], &data.rows);
        for (rows, &value) in leaves.iter().zip(&model.trees()[0].leaves) {
            let mut labels: Vec<f64> = rows.iter().map(|&row| data.target.number(row).expect("known")).collect();
            labels.sort_by(f64::total_cmp);
            let at = alpha * (labels.len() - 1) as f64;
            let (low, high) = (labels[at.floor() as usize], labels[at.ceil() as usize]);
            let expected = low + (high - low) * at.fract();
            assert!((f64::from(value) + model.base()[0] - expected).abs() < 1e-5, "{value} {expected}");
        }
    }
}
