//! What it should take for one of several ways of searching to improve on the best of all.

/// What one way of searching has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effort {
    /// All it has cost, in trials or in the study's own costs.
    pub(super) spent: f64,
    /// What it had cost at its best result, and at the one that was best before.
    improved: [f64; 2],
    /// Its best loss, and the one before.
    pub(super) best: [f64; 2],
}

impl Effort {
    pub(super) const NEW: Self = Self { spent: 0.0, improved: [0.0; 2], best: [f64::INFINITY; 2] };

    /// Something that cost so much and has no loss, or none yet.
    pub(super) fn spend(&mut self, cost: f64) {
        self.spent += cost;
    }

    /// A result.
    pub(super) fn hear(&mut self, loss: f64, cost: f64) {
        self.spent += cost;
        if loss < self.best[0] {
            self.improved = [self.spent, self.improved[0]];
            self.best = [loss, self.best[0]];
        }
    }

    /// What it should take to improve on the best of all: as much as it took to improve on its own, and where it is
    /// behind at least what it takes to catch up at the rate of its last improvement (Wang et al., "FLAML", `MLSys`
    /// 2021, section 4.2).
    pub(super) fn to_improve(self, best_of_all: f64) -> f64 {
        let since = self.spent - self.improved[0];
        let between = self.improved[0] - self.improved[1];
        let own = since.max(between).max(f64::MIN_POSITIVE);
        let behind = self.best[0] - best_of_all;
        if behind <= 0.0 {
            return own;
        }
        let gained = self.best[1] - self.best[0];
        let share = if gained.is_finite() { behind / gained } else { 1.0 };
        // Without a finite loss of its own it is as far behind as can be.
        let share = if share.is_nan() { 1.0 } else { share };
        own.max(2.0 * share * (self.spent - self.improved[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effort(losses: &[f64]) -> Effort {
        let mut effort = Effort::NEW;
        for loss in losses {
            effort.hear(*loss, 1.0);
        }
        effort
    }

    #[test]
    fn it_is_that_of_flaml() {
        // The best of all: four trials since its best, which took two from the one before.
        let best = effort(&[5.0, 4.0, 6.0, 3.0, 7.0, 7.0, 7.0, 7.0]);
        assert_eq!((best.improved, best.best, best.to_improve(3.0)), ([4.0, 2.0], [3.0, 4.0], 4.0));
        // One behind by 2, which gained 4 in its last improvement: 2 · (2 / 4) · (6 - 1) trials.
        assert_eq!(effort(&[9.0, 9.0, 5.0, 6.0, 6.0, 6.0]).to_improve(3.0), 5.0);
        // One result: as many trials as twice its number.
        assert_eq!(effort(&[9.0]).to_improve(3.0), 2.0);
        // Only pending ones.
        assert_eq!(Effort { spent: 3.0, ..Effort::NEW }.to_improve(3.0), 6.0);
    }

    #[test]
    fn what_stands_still_gives_way_to_what_improves() {
        let still = effort(&[1.0; 100]);
        let improves = effort(&[5.0, 4.0, 3.0, 2.0]);
        assert!(improves.to_improve(1.0) < still.to_improve(1.0) / 10.0);
    }
}
