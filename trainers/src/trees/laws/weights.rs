//! A weight is so many rows.

use super::*;

/// Two quantities of six values, whose every pair has five rows or more.
fn grid(n: usize) -> Vec<Vec<f32>> {
    vec![(0..n).map(|i| (i % 6) as f32).collect(), (0..n).map(|i| (i / 6 % 6) as f32).collect()]
}

fn signal(i: usize) -> f64 {
    ((i % 6) as f64 - 2.2).abs() + 0.4 * (i / 6 % 6) as f64 + unit(3, i)
}

#[test]
fn whole_weights_are_repeated_rows() {
    let n = 216;
    let weight = |row: usize| 1 + row * 7 % 3;
    for objective in [Objective::Squared, Objective::Logistic, Objective::Poisson] {
        let target = match objective {
            Objective::Logistic => classes(Task::Binary, 2, (0..n).map(|i| u32::from(signal(i) > 2.2)).collect()),
            _ => numbers((0..n).map(|i| signal(i).round()).collect()),
        };
        let all = quantities(&grid(n), target);
        let weights: Arc<[f64]> = (0..n).map(|row| weight(row) as f64).collect();
        let weighted = TrainData { weights: Some(weights), ..all.clone() };
        let rows = (0..n).flat_map(|row| vec![row as u32; weight(row)]).collect();
        let repeated = TrainData { rows, ..all.clone() };
        let mut boost = boosting(objective, 10);
        boost.growth.min_child_samples = 1;
        let (a, b) = (grow(&weighted, boost.clone()), grow(&repeated, boost));
        assert!(a.trees()[0].nodes.len() == 7);
        for (a, b) in raw(&a, &all).iter().zip(raw(&b, &all)) {
            assert!((a - b).abs() < 1e-3, "{objective:?}: {a} {b}");
        }
    }
}

#[test]
fn only_ratios_matter_and_zero_is_absence() {
    for objective in OBJECTIVES {
        let all = mixed(objective, 200, 43);
        let boost = boosting(objective, 8);
        let zeros: Arc<[f64]> = (0..200).map(|row| f64::from(u32::from(row % 4 > 0))).collect();
        let without = TrainData { rows: (0..200).filter(|row| row % 4 > 0).collect(), ..all.clone() };
        let with = TrainData { weights: Some(zeros), ..all.clone() };
        assert_eq!(bytes(&grow(&with, boost.clone())), bytes(&grow(&without, boost.clone())));
        let uneven = |times: f64| {
            let weights = (0..200).map(|row| times * f64::from(1 + row % 4)).collect();
            bytes(&grow(&TrainData { weights: Some(weights), ..all.clone() }, boost.clone()))
        };
        assert_eq!(uneven(1.0), uneven(8.0));
        assert_ne!(uneven(1.0), bytes(&grow(&all, boost.clone())));
    }
}

#[test]
fn weights_that_mean_nothing_are_refused() {
    let data = mixed(Objective::Squared, 20, 1);
    for (bad, said) in [
        (0.0, "all have weight 0"),
        (-1.0, "has weight -1"),
        (f64::NAN, "has weight NaN"),
        (f64::INFINITY, "has weight inf"),
    ] {
        let data = TrainData { weights: Some(vec![bad; 20].into()), ..data.clone() };
        let error = run(&data, boosting(Objective::Squared, 2)).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
    let short = TrainData { weights: Some(vec![1.0; 19].into()), ..data };
    assert!(matches!(run(&short, boosting(Objective::Squared, 2)), Err(TrainError::BadRow { row: 19 })));
}
