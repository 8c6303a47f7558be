//! Scores of a ranking by probability. Definitions are scikit-learn's, which is the oracle of the tests.

use super::average::Average;
use crate::data::Predictions;
use crate::task::Task;

/// A two-class score of the ranking by each class's probability, averaged. Errors say why there is none, in words.
pub(super) fn averaged(
    score: fn(&[(f64, bool)]) -> f64,
    average: Average,
    task: Task,
    truth: &[usize],
    predictions: &Predictions,
) -> Result<f64, &'static str> {
    let n_classes = predictions.n_outputs();
    let ranked = |mut pairs: Vec<(f64, bool)>| {
        pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        score(&pairs)
    };
    let average = average.under(task);
    if average == Average::Micro {
        // Every (row, class) pair is one decision.
        let of_row =
            |(&t, row): (&usize, &[f64])| row.iter().enumerate().map(|(class, &p)| (p, t == class)).collect::<Vec<_>>();
        return Ok(ranked(truth.iter().zip(predictions.rows()).flat_map(of_row).collect()));
    }
    let mut counts = vec![0_usize; n_classes];
    for &class in truth {
        counts[class] += 1;
    }
    if counts.iter().filter(|&&count| count > 0).count() < 2 {
        return Err("the rows are all of one class");
    }
    let against_rest =
        |class: usize| ranked(truth.iter().zip(predictions.rows()).map(|(&t, row)| (row[class], t == class)).collect());
    if average == Average::Positive {
        return Ok(against_rest(1));
    }
    let (mut sum, mut weights) = (0.0, 0.0);
    for class in (0..n_classes).filter(|&class| counts[class] > 0) {
        let weight = if average == Average::Weighted { counts[class] as f64 } else { 1.0 };
        sum += weight * against_rest(class);
        weights += weight;
    }
    Ok(sum / weights)
}

/// Visits groups of equal score, best first, with how many positives and negatives each adds. The zeros `0.0`
/// and `-0.0` are one group.
pub(super) fn groups(ranked: &[(f64, bool)]) -> impl Iterator<Item = (f64, usize, usize)> {
    ranked.chunk_by(|a, b| a.0 == b.0).map(|group| {
        let positives = group.iter().filter(|(_, positive)| *positive).count();
        (group[group.len() - 1].0, positives, group.len() - positives)
    })
}

/// Share of (positive, negative) pairs in the right order, ties half: the Mann-Whitney form of the area.
pub(super) fn roc_auc(ranked: &[(f64, bool)]) -> f64 {
    // Twice the number of pairs is a whole number, so that the sum is exact. 2 · (2^31)² fits a u64.
    let (mut twice, mut positives, mut negatives) = (0_u64, 0_u64, 0_u64);
    for (_, p, n) in groups(ranked) {
        twice += n as u64 * (2 * positives + p as u64);
        positives += p as u64;
        negatives += n as u64;
    }
    twice as f64 / (2.0 * positives as f64 * negatives as f64)
}

/// `Σ (Rₙ - Rₙ₋₁) Pₙ` over the thresholds, without interpolation.
pub(super) fn average_precision(ranked: &[(f64, bool)]) -> f64 {
    let n_positives = ranked.iter().filter(|(_, positive)| *positive).count() as f64;
    let (mut sum, mut positives, mut seen) = (0.0, 0, 0);
    for (_, p, n) in groups(ranked) {
        positives += p;
        seen += p + n;
        sum += p as f64 / n_positives * (positives as f64 / seen as f64);
    }
    sum
}

#[cfg(test)]
mod laws {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The area is the share of (positive, negative) pairs in the right order, counted one by one.
        #[test]
        fn area_counts_pairs(rows in prop::collection::vec((0_u8..8, any::<bool>()), 2..40)) {
            let mut ranked: Vec<(f64, bool)> = rows.iter().map(|&(score, t)| (f64::from(score), t)).collect();
            let of = |class: bool| rows.iter().filter(move |row| row.1 == class);
            prop_assume!(of(true).count() > 0 && of(false).count() > 0);
            let pairs = of(true).flat_map(|p| of(false).map(move |n| (p.0, n.0)));
            let half = |yes: bool| if yes { 0.5 } else { 0.0 };
            let right: f64 = pairs.clone().map(|(p, n)| half(p > n) + half(p >= n)).sum();
            ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            prop_assert_eq!(roc_auc(&ranked), right / pairs.count() as f64);
        }
    }
}
