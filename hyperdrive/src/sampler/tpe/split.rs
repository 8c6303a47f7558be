//! Good results, and those to keep away from.

use crate::sampler::observations::Observed;

/// Share of the results that are below, and how many they are at most.
const BELOW: f64 = 0.15;
const MOST_BELOW: usize = 25;
/// Of the others, so many of the latest are kept, and about as many of those before them, evenly.
const LATEST: usize = 72;

/// Rows with weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Weighted {
    pub(super) rows: Vec<usize>,
    pub(super) weights: Vec<f64>,
}

impl Weighted {
    pub(super) fn push(&mut self, row: usize, weight: f64) {
        self.rows.push(row);
        self.weights.push(weight);
    }

    /// The mean weight; 1 where there is none.
    pub(super) fn mean(&self) -> f64 {
        if self.rows.is_empty() { 1.0 } else { self.weights.iter().sum::<f64>() / self.weights.len() as f64 }
    }
}

/// The best 15 %, at most 25, best first, each with the weight of what it is better than the best of the others
/// ("EI" in Watanabe 2023, section 3.2); and of the others the latest and an even part of those before, which stand for
/// all of them by their weights.
pub(super) fn split(results: &[Observed]) -> (Weighted, Weighted) {
    let wanted = ((BELOW * results.len() as f64).ceil() as usize).min(MOST_BELOW);
    // The best ones and the one after them, in order; of equals the earlier is better.
    let mut best: Vec<&Observed> = Vec::with_capacity(wanted + 2);
    for result in results {
        if best.len() <= wanted || best.last().is_some_and(|last| result.loss < last.loss) {
            let place = best.partition_point(|other| other.loss <= result.loss);
            best.insert(place, result);
            best.truncate(wanted + 1);
        }
    }
    let threshold = best.last().map_or(0.0, |last| last.loss);
    best.truncate(wanted);
    let weight = |result: &&Observed| threshold - result.loss;
    let mut below =
        Weighted { rows: best.iter().map(|result| result.row).collect(), weights: best.iter().map(weight).collect() };
    let total: f64 = below.weights.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        below.weights.fill(1.0);
    }
    let mut above = Weighted::default();
    let early = results.len().saturating_sub(LATEST + wanted);
    let step = early.div_ceil(LATEST).next_power_of_two();
    let (before, latest) = results.split_at(early);
    let others = before.iter().step_by(step).map(|result| (result, step as f64));
    for (result, weight) in others.chain(latest.iter().map(|result| (result, 1.0))) {
        if !below.rows.contains(&result.row) {
            above.push(result.row, weight);
        }
    }
    (below, above)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observed(losses: &[f64]) -> Vec<Observed> {
        losses.iter().enumerate().map(|(row, loss)| Observed { row, loss: *loss, exact: true }).collect()
    }

    #[test]
    fn the_best_are_below_and_weigh_what_they_gain() {
        let (below, above) = split(&observed(&[5.0, 1.0, 4.0, 2.0, 8.0, 9.0, 7.0, 2.5]));
        assert_eq!(below, Weighted { rows: vec![1, 3], weights: vec![1.5, 0.5] });
        assert_eq!(above, Weighted { rows: vec![0, 2, 4, 5, 6, 7], weights: vec![1.0; 6] });
        let (below, above) = split(&observed(&[3.0; 9]));
        assert_eq!((below.rows, below.weights), (vec![0, 1], vec![1.0; 2]), "equal ones in the order they came");
        assert_eq!(above.rows.len(), 7);
    }

    proptest! {
        #[test]
        fn every_result_counts_once(losses in proptest::collection::vec(-1e3..1e3_f64, 1..2_000)) {
            let results = observed(&losses);
            let (below, above) = split(&results);
            let n = losses.len();
            prop_assert_eq!(below.rows.len(), ((0.15 * n as f64).ceil() as usize).min(25));
            let worst = below.rows.iter().map(|row| losses[*row]).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(above.rows.iter().all(|row| losses[*row] >= worst && !below.rows.contains(row)));
            prop_assert!(above.rows.len() <= 2 * LATEST + 25);
            // Sampled ones stand for the others: the weights add up to their number, to within one step.
            let total: f64 = above.weights.iter().sum();
            let step = above.weights.iter().copied().fold(1.0, f64::max);
            prop_assert!((total - (n - below.rows.len()) as f64).abs() <= step * 26.0, "{} for {}", total, n);
            if n <= LATEST {
                prop_assert_eq!(above.rows.len() + below.rows.len(), n);
            }
        }
    }
}
