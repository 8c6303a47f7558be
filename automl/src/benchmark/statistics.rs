//! The arithmetic of comparisons. A cell is an engine's score on a data set, turned so that more is better, or `None`
//! where the engine failed there.

use std::cmp::Ordering;

use rand::RngExt;

/// Scores closer than this share of their size are equal, as in the harness.
const TIE: f64 = 1e-6;
/// Resamples of a bootstrap.
const RESAMPLES: u64 = 10_000;
/// Seed of the resamples.
const SEED: u64 = 7;
/// Bounds of a normalised score in a mean, as in the harness: one set on which all fail must not decide.
const BOUNDS: (f64, f64) = (-1.0, 3.0);

/// Which of two cells is better; failures are equal, and worse than any score.
pub(super) fn compare(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) if (a - b).abs() <= TIE * (a.abs() + b.abs()) => Ordering::Equal,
        (Some(a), Some(b)) => a.total_cmp(&b),
    }
}

/// The rank of each cell of a row, from 1; equal ones share the mean of their ranks.
pub(super) fn ranks(row: &[Option<f64>]) -> Vec<f64> {
    let rank = |own: &Option<f64>| {
        let better = row.iter().filter(|other| compare(**other, *own) == Ordering::Greater).count();
        let equal = row.iter().filter(|other| compare(**other, *own) == Ordering::Equal).count();
        better as f64 + f64::midpoint(equal as f64, 1.0)
    };
    row.iter().map(rank).collect()
}

/// The share of rows in which engine `a` is better than `b`, ties half; none without rows.
pub(super) fn win_rate(rows: &[Vec<Option<f64>>], a: usize, b: usize) -> Option<f64> {
    let points = rows.iter().map(|row| match compare(row[a], row[b]) {
        Ordering::Greater => 1.0,
        Ordering::Equal => 0.5,
        Ordering::Less => 0.0,
    });
    mean(&points.collect::<Vec<f64>>())
}

/// `(score - zero) / (one - zero)` within bounds; none where one is not better than zero.
pub(super) fn normalised(score: f64, zero: f64, one: f64) -> Option<f64> {
    let width = one - zero;
    (width > 1e-9).then(|| ((score - zero) / width).clamp(BOUNDS.0, BOUNDS.1))
}

/// How much less of an error `a` has than `b`, as a share of the larger error: from -1 to 1, above 0 where `a` is better.
pub(super) fn gap(a: f64, b: f64) -> f64 {
    let larger = a.abs().max(b.abs());
    if larger < 1e-12 { 0.0 } else { (b - a) / larger }
}

/// The mean; none of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The middle value, of an even number the mean of two; none of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// A quantile with linear interpolation (type 7 of Hyndman and Fan 1996, as numpy's).
fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = q * (sorted.len().checked_sub(1)?) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(low + (high - low) * (at - at.floor()))
}

/// The 95% percentile interval of a mean, the values resampled with replacement (Efron 1979); none of fewer than two.
pub(super) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let resampled = |resample: u64| {
        let mut rng = hyperdrive::keyed_rng(SEED, resample, "benchmark");
        let sum: f64 = (0..values.len()).map(|_| values[rng.random_range(0..values.len())]).sum();
        sum / values.len() as f64
    };
    let means: Vec<f64> = (0..RESAMPLES).map(resampled).collect();
    Some((quantile(&means, 0.025)?, quantile(&means, 0.975)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranks_are_those_made_by_hand() {
        assert_eq!(ranks(&[Some(0.9), Some(0.8), None, Some(0.9)]), [1.5, 3.0, 4.0, 1.5]);
        assert_eq!(ranks(&[None, Some(-3.0), None]), [2.5, 1.0, 2.5]);
        // Closer than a millionth of their size: equal.
        assert_eq!(ranks(&[Some(1000.0), Some(1000.001), Some(1001.0)]), [2.5, 2.5, 1.0]);
    }

    #[test]
    fn win_rates_are_those_made_by_hand() {
        let rows = vec![
            vec![Some(0.9), Some(0.8)],
            vec![Some(0.7), Some(0.8)],
            vec![Some(0.5), Some(0.5)],
            vec![Some(0.1), None],
            vec![None, None],
        ];
        assert_eq!(win_rate(&rows, 0, 1), Some(0.6));
        assert_eq!(win_rate(&rows, 1, 0), Some(0.4));
        assert_eq!(win_rate(&[], 0, 1), None);
    }

    #[test]
    fn scores_are_normalised_and_gaps_are_shares_of_the_larger_error() {
        assert_eq!(normalised(0.75, 0.5, 1.0), Some(0.5));
        assert_eq!(normalised(-30.0, -20.0, -10.0), Some(-1.0));
        assert_eq!(normalised(0.1, 0.5, 0.9), Some(-1.0));
        assert_eq!((normalised(0.8, 0.5, 0.5), normalised(0.8, 0.5, 0.4)), (None, None));
        assert_eq!((gap(0.1, 0.2), gap(0.2, 0.1), gap(0.0, 0.0), gap(0.0, 3.0)), (0.5, -0.5, 0.0, 1.0));
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([3, 1, 2, 10], [0.5, 0.025]) of numpy 2.
        assert_eq!(quantile(&[3.0, 1.0, 2.0, 10.0], 0.5), Some(2.5));
        assert!((quantile(&[3.0, 1.0, 2.0, 10.0], 0.025).expect("a figure") - 1.075).abs() < 1e-12);
        assert_eq!((median(&[]), median(&[4.0])), (None, Some(4.0)));
    }

    /// The mean of two values drawn from {0, 1} is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4, so the interval is all; of
    /// sixteen of which half are 1 it is a binomial's: 0.025 and 0.975 of B(16, 1/2) / 16 are 4/16 and 12/16.
    #[test]
    fn intervals_are_those_of_the_binomial() {
        assert_eq!(interval(&[0.0, 1.0]), Some((0.0, 1.0)));
        let values: Vec<f64> = (0..16).map(|i| f64::from(i % 2)).collect();
        assert_eq!(interval(&values), Some((0.25, 0.75)));
        assert_eq!((interval(&[1.0]), interval(&[2.0, 2.0, 2.0])), (None, Some((2.0, 2.0))));
    }

    proptest! {
        #[test]
        fn ranks_share_out_the_same_sum(row in prop::collection::vec(prop::option::of(0_u8..5), 1..9)) {
            let row: Vec<Option<f64>> = row.iter().map(|cell| cell.map(f64::from)).collect();
            let n = row.len() as f64;
            let total: f64 = ranks(&row).iter().sum();
            prop_assert!((total - n * (n + 1.0) / 2.0).abs() < 1e-9);
            // A failure is nowhere ahead of a score.
            let ranks = ranks(&row);
            for (i, cell) in row.iter().enumerate() {
                for (j, other) in row.iter().enumerate() {
                    prop_assert!(cell.is_some() || other.is_none() || ranks[i] > ranks[j]);
                }
            }
        }

        #[test]
        fn win_rates_of_both_sides_make_one(cells in prop::collection::vec((0_u8..4, 0_u8..4), 1..20)) {
            let rows: Vec<Vec<Option<f64>>> = cells.iter().map(|(a, b)| vec![Some(f64::from(*a)), Some(f64::from(*b))]).collect();
            let both = win_rate(&rows, 0, 1).expect("rows") + win_rate(&rows, 1, 0).expect("rows");
            prop_assert!((both - 1.0).abs() < 1e-12);
        }
    }
}
