//! After how many rounds a boosted model is best, learned without looking at the rows it is judged on.

/// The rounds of each fold's model, and of one fitted on every row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rounds {
    /// One number for each fold; empty where nothing was watched.
    pub(crate) folds: Vec<usize>,
    /// What a refit takes; 0 where nothing was watched.
    pub(crate) refit: usize,
}

impl Rounds {
    /// From the losses on each fold's validation rows after each round.
    ///
    /// A fold's rounds are those with the least mean loss over the *other* folds, so its own rows have no say in the
    /// model that is judged on them; a refit's those over all. A single fold has only itself to learn from. A fold that
    /// ended sooner than another counts with its last loss from there on.
    pub(crate) fn of(curves: &[&[f64]]) -> Self {
        if curves.iter().any(|curve| curve.is_empty()) {
            return Self::default();
        }
        let longest = curves.iter().map(|curve| curve.len()).max().unwrap_or(0);
        let at = |curve: &[f64], round: usize| curve[round.min(curve.len() - 1)];
        let least = |out: Option<usize>| {
            let others = || curves.iter().enumerate().filter(|(fold, _)| Some(*fold) != out).map(|(_, curve)| *curve);
            let total = |round: usize| others().map(|curve| at(curve, round)).sum::<f64>();
            let best = (0..longest).map(|round| (total(round), round)).reduce(|a, b| if b.0 < a.0 { b } else { a });
            best.map_or(1, |(_, round)| round + 1)
        };
        let of_fold = |fold: usize| least((curves.len() > 1).then_some(fold)).min(curves[fold].len());
        Self { folds: (0..curves.len()).map(of_fold).collect(), refit: least(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_has_no_say_in_its_own_rounds() {
        let (a, b, c) = ([3.0, 2.0, 1.0, 2.0], [3.0, 1.0, 2.0], [5.0, 4.0, 3.5, 3.9, 4.0]);
        // Without a: 8, 5, 5.5, .. at round 2; without b: 8, 6, 4.5, ..; without c: 6, 3, 3, 4; all: 11, 7, 6.5, 7.9.
        let rounds = Rounds::of(&[&a, &b, &c]);
        assert_eq!(rounds, Rounds { folds: vec![2, 3, 2], refit: 3 });
        // Whatever the losses of c, its own rounds stay.
        assert_eq!(Rounds::of(&[&a, &b, &[0.0, 9.0, 9.0]]).folds[2], 2);
        assert_eq!(Rounds::of(&[&a]), Rounds { folds: vec![3], refit: 3 });
        assert_eq!(Rounds::of(&[&[], &a]), Rounds::default());
        // Not more than a fold has.
        assert_eq!(Rounds::of(&[&[1.0], &[3.0, 2.0]]).folds, [1, 1]);
    }
}
