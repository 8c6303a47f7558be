//! One part of the rows, kept for a final score.

use super::deck::Deck;
use super::order::{check_rows, time_blocks};
use crate::error::DataError;

/// Cuts `fraction` of `rows` off for a final score: `(the rest, the holdout)`, both ascending.
///
/// All slices hold one value per table row. With `time`, the holdout is what comes last, never cut
/// between equal times, and classes and groups are not looked at. Otherwise it is drawn from the
/// seed, each class by its share, and groups stay whole; a class of one row stays in the rest.
pub fn holdout(
    rows: &[u32],
    fraction: f64,
    classes: Option<&[u32]>,
    groups: Option<&[u32]>,
    time: Option<&[i64]>,
    seed: u64,
) -> Result<(Vec<u32>, Vec<u32>), DataError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(DataError::BadFraction { fraction });
    }
    let (mut rest, mut held) = if let Some(times) = time {
        check_rows(rows, Some(times.len()))?;
        let mut blocks = time_blocks(rows, times, &[1.0 - fraction])?.into_iter();
        (blocks.next().unwrap_or_default(), blocks.next().unwrap_or_default())
    } else {
        Deck::new(rows, classes, groups, seed)?.cut(fraction)
    };
    if rest.is_empty() || held.is_empty() {
        return Err(DataError::EmptyHoldout { fraction, n_rows: rows.len() });
    }
    rest.sort_unstable();
    held.sort_unstable();
    Ok((rest, held))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holdout_parts_rows_by_their_share(
            classes in proptest::collection::vec(0_u32..3, 30..150),
            percent in 10_u32..60,
            seed: u64,
        ) {
            let fraction = f64::from(percent) / 100.0;
            let rows: Vec<u32> = (0..classes.len() as u32).collect();
            let (rest, held) = holdout(&rows, fraction, Some(&classes), None, None, seed).unwrap();
            let mut both = [rest.clone(), held.clone()].concat();
            both.sort_unstable();
            prop_assert_eq!(both, rows.clone());
            for class in 0..3 {
                let is_class = |row: &&u32| classes[**row as usize] == class;
                let count = |side: &[u32]| side.iter().filter(is_class).count();
                let n = count(&rows);
                prop_assert!((count(&held) as f64 - fraction * n as f64).abs() <= 1.0);
                prop_assert!(n == 0 || count(&rest) > 0);
            }
            let again = holdout(&rows, fraction, Some(&classes), None, None, seed).unwrap();
            prop_assert_eq!(again, (rest, held));
        }

        #[test]
        fn holdout_keeps_groups_whole(
            groups in proptest::collection::vec(0_u32..20, 60..120),
            seed: u64,
        ) {
            let rows: Vec<u32> = (0..groups.len() as u32).collect();
            let (rest, held) = holdout(&rows, 0.3, None, Some(&groups), None, seed).unwrap();
            let group = |row: &u32| groups[*row as usize];
            let crosses = |row: &u32| rest.iter().any(|other| group(other) == group(row));
            prop_assert!(!held.iter().any(crosses));
            prop_assert!(held.len() as f64 <= 0.3 * rows.len() as f64 + 0.5);
        }

        #[test]
        fn holdout_is_what_comes_last(times in proptest::collection::vec(0_i64..30, 60..120)) {
            let rows: Vec<u32> = (0..times.len() as u32).collect();
            let (rest, held) = holdout(&rows, 0.2, None, None, Some(&times), 0).unwrap();
            let last = rest.iter().map(|&row| times[row as usize]).max().unwrap();
            prop_assert!(held.iter().all(|&row| times[row as usize] > last));
        }
    }

    #[test]
    fn impossible_holdouts_are_refused() {
        let rows = [0, 1, 2];
        for fraction in [0.0, 1.0, -0.5, f64::NAN] {
            let error = holdout(&rows, fraction, None, None, None, 0);
            assert!(matches!(error, Err(DataError::BadFraction { .. })), "{fraction}");
        }
        let error = holdout(&rows, 0.01, None, None, None, 0);
        assert!(matches!(error, Err(DataError::EmptyHoldout { n_rows: 3, .. })));
        let error = holdout(&rows, 0.3, None, None, Some(&[5, 5, 5]), 0);
        assert!(matches!(error, Err(DataError::EmptyHoldout { .. })));
    }
}
