//! Laws of every metric of the table.

use proptest::prelude::*;

use super::tests::{all_rows, classes, numbers, of_positive};
use super::*;
use crate::data::{Predictions, Target, TargetValues};
use crate::task::Task;

/// Rows of three classes, some of them tied in their probabilities.
fn some_classes() -> impl Strategy<Value = (Vec<u32>, Vec<[f64; 3]>)> {
    prop::collection::vec((0_u32..3, [1_u32..6, 1_u32..6, 1_u32..6]), 2..40).prop_map(|rows| {
        let share = |parts: [u32; 3]| parts.map(|part| f64::from(part) / f64::from(parts.iter().sum::<u32>()));
        rows.into_iter().map(|(class, parts)| (class, share(parts))).unzip()
    })
}

/// The target and predictions of a task made of the same drawn rows.
fn of_task(task: Task, codes: &[u32], shares: &[[f64; 3]]) -> (Target, Predictions) {
    match task {
        Task::Binary => {
            let positive: Vec<f64> = shares.iter().map(|row| row[1]).collect();
            (classes(task, codes.iter().map(|&code| u32::from(code == 1)).collect()), of_positive(&positive))
        }
        Task::Multiclass => (classes(task, codes.to_vec()), Predictions::new(3, shares.concat())),
        Task::Regression => {
            let truth: Vec<f64> = codes.iter().map(|&code| f64::from(code) + 0.5).collect();
            (numbers(&truth), Predictions::new(1, shares.iter().map(|row| 4.0 * row[0]).collect()))
        }
    }
}

fn perfect(target: &Target) -> Predictions {
    match &target.values {
        TargetValues::Numbers(values) => Predictions::new(1, values.clone()),
        TargetValues::Classes(codes) => {
            let n = target.n_classes();
            let row = |&code: &u32| (0..n).map(move |class| f64::from(u8::from(class == code as usize)));
            Predictions::new(n, codes.iter().flat_map(row).collect())
        }
    }
}

/// Least and greatest that a score can be.
fn bounds(metric: Metric, task: Task) -> (f64, f64) {
    use Metric as M;
    match metric {
        M::MatthewsCorrelation | M::CohenKappa | M::NormMacroRecall | M::SpearmanCorrelation => (-1.0, 1.0),
        M::BrierScore if task == Task::Multiclass => (0.0, 2.0),
        M::R2 | M::ExplainedVariance => (f64::NEG_INFINITY, 1.0),
        M::LogLoss => (0.0, f64::INFINITY),
        _ if task == Task::Regression => (0.0, f64::INFINITY),
        _ => (0.0, 1.0),
    }
}

proptest! {
    /// The order of the rows is nothing to any metric.
    #[test]
    fn rows_may_come_in_any_order((codes, shares) in some_classes(), seed in any::<u64>()) {
        let n = codes.len() as u64;
        for task in Task::ALL {
            let (target, predictions) = of_task(task, &codes, &shares);
            // Coprime steps visit every row.
            let step = (1..=n).map(|i| seed % n + i).find(|step| gcd(*step, n) == 1).expect("one of n in a row is");
            let rows: Vec<u32> = (0..n).map(|i| (i * step % n) as u32).collect();
            let values = rows.iter().flat_map(|&row| predictions.row(row as usize).to_vec()).collect();
            let turned = Predictions::new(predictions.n_outputs(), values);
            for metric in Metric::all().iter().filter(|metric| metric.tasks().contains(&task)) {
                let plain = metric.score(&target, &all_rows(&predictions), &predictions, 0.5);
                let other = metric.score(&target, &rows, &turned, 0.5);
                match (plain, other) {
                    (Ok(a), Ok(b)) => prop_assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{metric}: {a} {b}"),
                    (a, b) => prop_assert_eq!(a, b),
                }
            }
        }
    }

    /// Nothing beats the truth, and every score is within its bounds.
    #[test]
    fn perfection_is_best((codes, shares) in some_classes()) {
        for task in Task::ALL {
            let (target, predictions) = of_task(task, &codes, &shares);
            let rows = all_rows(&predictions);
            for &metric in Metric::all().iter().filter(|metric| metric.tasks().contains(&task)) {
                let Ok(some) = metric.score(&target, &rows, &predictions, 0.5) else { continue };
                let best = metric.score(&target, &rows, &perfect(&target), 0.5);
                if let Ok(best) = best {
                    prop_assert!(metric.goal().signed(best - some) >= -1e-12, "{metric}: {some} beats {best}");
                }
                let (low, high) = bounds(metric, task);
                prop_assert!((low - 1e-12..=high + 1e-12).contains(&some), "{metric}: {some}");
            }
        }
    }

    /// Naming the classes the other way round turns no figure that treats them alike.
    #[test]
    fn classes_are_interchangeable((codes, shares) in some_classes()) {
        let (target, predictions) = of_task(Task::Multiclass, &codes, &shares);
        let turned = classes(Task::Multiclass, codes.iter().map(|code| (code + 1) % 3).collect());
        let values = shares.iter().flat_map(|row| [row[2], row[0], row[1]]).collect();
        let turned_predictions = Predictions::new(3, values);
        // Of equal probabilities the first class is predicted, so that labels may turn with the names.
        let tied = |row: &[f64; 3]| row[0] == row[1] || row[1] == row[2] || row[0] == row[2];
        let ties = shares.iter().any(tied);
        for metric in Metric::of(Task::Multiclass).filter(|metric| !ties || metric.needs() != Needs::Labels) {
            let rows = all_rows(&predictions);
            let plain = metric.score(&target, &rows, &predictions, 0.5);
            let other = metric.score(&turned, &rows, &turned_predictions, 0.5);
            match (plain, other) {
                (Ok(a), Ok(b)) => prop_assert!((a - b).abs() < 1e-12, "{metric}: {a} {b}"),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
