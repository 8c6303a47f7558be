//! Calibration by one number (Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017): a
//! mean of models is as a rule less sure than it could be. It keeps the order of classes and, of two classes, of rows.

use trainers::{Metric, Predictions};

use super::{Choice, Pool};

/// The logarithm of a temperature lies between these.
const BOUNDS: (f64, f64) = (-1.2, 1.2);
/// Steps of the golden section, each of which leaves 0.62 of the interval.
const STEPS: usize = 16;
/// A log loss that is better by less than this share is no reason.
const WORTH: f64 = 1e-3;
/// Least probability whose logarithm is taken, as by the metric.
const LEAST: f64 = 1e-15;

/// The temperature with the least log loss on the rows of some folds together and on one more that was mistaken for
/// another class (Laplace's rule of succession): where next to no row is mistaken they alone cannot say how sure to be. 1
/// where there is nothing to win.
pub(super) fn best_temperature(pool: &Pool, folds: &[usize], choice: &Choice) -> f64 {
    let judged = &pool.judged;
    let rows: Vec<u32> = folds.iter().flat_map(|&fold| judged.fold_rows(fold).iter().copied()).collect();
    let parts: Vec<Predictions> = folds.iter().map(|&fold| choice.predict(pool, fold)).collect();
    let n_outputs = judged.target.n_outputs();
    let all = Predictions::new(n_outputs, parts.iter().flat_map(|part| part.values().iter().copied()).collect());
    let metric = judged.metric.with(Metric::LogLoss);
    let usual = usual(&all);
    let loss = |logarithm: f64| {
        let heated = trainers::Blend { temperature: logarithm.exp(), ..trainers::Blend::default() };
        let found = metric.score(&judged.target, &rows, &heated.of(std::iter::once((1.0, &all))), 0.5);
        let n = rows.len() as f64;
        let one_more = mistaken(&heated.of(std::iter::once((1.0, &usual))));
        found.map_or(f64::INFINITY, |found| (found * n + one_more) / (n + 1.0))
    };
    let best = golden_section(BOUNDS, &loss);
    if loss(best) < loss(0.0) * (1.0 - WORTH) { best.exp() } else { 1.0 }
}

/// The row about which the model is as sure as about most.
fn usual(all: &Predictions) -> Predictions {
    let mut rows: Vec<&[f64]> = all.rows().collect();
    let sure = |row: &[f64]| row.iter().copied().fold(0.0, f64::max);
    rows.sort_by(|a, b| sure(a).total_cmp(&sure(b)));
    Predictions::new(all.n_outputs(), rows.get(rows.len() / 2).map_or_else(Vec::new, |row| row.to_vec()))
}

/// The log loss of a row whose class is the second most probable.
fn mistaken(row: &Predictions) -> f64 {
    let mut probabilities = row.values().to_vec();
    probabilities.sort_by(|a, b| b.total_cmp(a));
    -probabilities.get(1).map_or(1.0, |second| second.max(LEAST)).ln()
}

/// The least of a function of one valley (Kiefer, "Sequential minimax search for a maximum", 1953).
fn golden_section((mut low, mut high): (f64, f64), function: &dyn Fn(f64) -> f64) -> f64 {
    let share = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - share * (high - low), low + share * (high - low));
    let (mut at_left, mut at_right) = (function(left), function(right));
    for _ in 0..STEPS {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - share * (high - low);
            at_left = function(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + share * (high - low);
            at_right = function(right);
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_row_like_most_is_mistaken_for_the_second_class() {
        let all = Predictions::new(3, vec![0.4, 0.3, 0.3, 0.05, 0.9, 0.05, 0.2, 0.1, 0.7]);
        let row = usual(&all);
        assert_eq!(row.values(), [0.2, 0.1, 0.7]);
        assert!((mistaken(&row) - 5.0_f64.ln()).abs() < 1e-12);
        assert!(mistaken(&Predictions::new(2, vec![0.0, 1.0])) < 35.0);
    }

    #[test]
    fn the_valley_is_found() {
        for least in [-1.0, 0.0, 0.3] {
            let found = golden_section(BOUNDS, &|x| (x - least) * (x - least));
            assert!((found - least).abs() < 2e-3, "{found} instead of {least}");
        }
    }
}
