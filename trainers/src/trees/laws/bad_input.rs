//! What cannot be learned from is refused by name; what can, however odd, gives finite predictions.

use super::*;

fn said(data: &TrainData, boost: Boost) -> String {
    run(data, boost).map(|_| ()).expect_err("it cannot be learned from").to_string()
}

#[test]
fn targets_and_rows_are_checked() {
    let data = mixed(Objective::Squared, 20, 1);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut labels = data.target.numbers().expect("a regression").to_vec();
        labels[3] = bad;
        let data = TrainData { target: Arc::new(numbers(labels)), ..data.clone() };
        for boost in [boosting(Objective::Squared, 2), forest(2, true)] {
            assert_eq!(said(&data, boost), "training row 3 is not in the data or has no target value");
        }
    }
    let with = |rows: Vec<u32>| TrainData { rows: rows.into(), ..data.clone() };
    assert_eq!(said(&with(Vec::new()), boosting(Objective::Squared, 2)), "light_gbm: no training rows");
    let beyond = "training row 20 is not in the data or has no target value";
    assert_eq!(said(&with(vec![0, 20]), boosting(Objective::Squared, 2)), beyond);
    let target = Arc::new(numbers(vec![1.0; 40]));
    assert_eq!(said(&TrainData { target, ..with(vec![0, 20]) }, boosting(Objective::Squared, 2)), beyond);
    let held_out = TrainData { held_out: Some(vec![21].into()), ..data.clone() };
    let mut boost = boosting(Objective::Squared, 2);
    boost.mode = Mode::Boosting { learning_rate: 0.1, early_stopping_rounds: 1 };
    assert_eq!(said(&held_out, boost), "training row 21 is not in the data or has no target value");
}

type Change = fn(&mut Boost, f64);

#[test]
fn settings_out_of_range_are_named() {
    let data = mixed(Objective::Squared, 20, 1);
    let not_negative: [(&str, Change); 8] = [
        ("min_child_weight", |boost, x| boost.growth.min_child_weight = x),
        ("min_split_gain", |boost, x| boost.growth.min_split_gain = x),
        ("reg_alpha", |boost, x| boost.growth.reg_alpha = x),
        ("reg_lambda", |boost, x| boost.growth.reg_lambda = x),
        ("max_delta_step", |boost, x| boost.growth.max_delta_step = x),
        ("path_smooth", |boost, x| boost.growth.path_smooth = x),
        ("cat_smooth", |boost, x| boost.growth.cat_smooth = x),
        ("cat_l2", |boost, x| boost.growth.cat_l2 = x),
    ];
    let shares: [(&str, Change); 4] = [
        ("colsample_bytree", |boost, x| boost.growth.colsample_bytree = x),
        ("colsample_bynode", |boost, x| boost.growth.colsample_bynode = x),
        ("subsample", |boost, x| boost.subsample = x),
        ("learning_rate", |boost, x| {
            boost.mode = Mode::Boosting { learning_rate: x, early_stopping_rounds: 0 };
        }),
    ];
    let each = not_negative.iter().map(|(name, change)| (name, change, vec![-1.0, f64::NAN, f64::INFINITY]));
    let each = each.chain(shares.iter().map(|(name, change)| (name, change, vec![0.0, -0.5, f64::NAN, f64::INFINITY])));
    for (name, change, values) in each {
        for value in values {
            let mut boost = boosting(Objective::Squared, 1);
            change(&mut boost, value);
            let said = said(&data, boost);
            assert!(said.starts_with(&format!("hyperparameter `{name}` is {value}; ")), "{said}");
        }
    }
    let mut boost = boosting(Objective::Squared, 0);
    assert!(said(&data, boost.clone()).contains("`n_estimators` is 0"));
    boost.n_estimators = 1;
    boost.growth.num_leaves = 1;
    assert!(said(&data, boost.clone()).contains("`num_leaves` is 1"));
    boost.growth.num_leaves = 2;
    boost.growth.monotone_constraints = vec![0, 2];
    assert!(said(&data, boost).contains("`monotone_constraints` is 2"));
}

#[test]
fn an_absent_class_is_unlikely_and_finite() {
    let data = mixed(Objective::Softmax { n_classes: 3 }, 120, 1);
    let codes: Vec<u32> = data.target.codes().expect("classes").iter().map(|&class| class.min(1)).collect();
    let data = TrainData { target: Arc::new(classes(Task::Multiclass, 3, codes)), ..data };
    for boost in [boosting(Objective::Softmax { n_classes: 3 }, 20), forest(5, true)] {
        let predictions = grow(&data, boost).predict(&data.blocks[0], &data.rows);
        assert!(predictions.rows().all(|row| row[2] < 1e-6 && (row.iter().sum::<f64>() - 1.0).abs() < 1e-9));
    }
}

#[test]
fn one_answer_is_given_back() {
    for objective in OBJECTIVES {
        let data = mixed(objective, 60, 1);
        let target = match objective {
            Objective::Logistic => classes(Task::Binary, 2, vec![1; 60]),
            Objective::Softmax { n_classes } => classes(Task::Multiclass, n_classes, vec![1; 60]),
            _ => numbers(vec![2.5; 60]),
        };
        let data = TrainData { target: Arc::new(target), ..data };
        let predictions = grow(&data, boosting(objective, 20)).predict(&data.blocks[0], &data.rows);
        let expected = if data.target.n_classes() > 0 { 1.0 } else { 2.5 };
        let column = predictions.column(usize::from(data.target.n_classes() > 0));
        assert!(column.iter().all(|found| (found - expected).abs() < 1e-5), "{objective:?}: {column:?}");
    }
}

/// Targets far from 0 and of any size are learned as well as others.
#[test]
fn a_target_may_be_of_any_size() {
    let data = mixed(Objective::Squared, 200, 1);
    let labels = data.target.numbers().expect("a regression");
    let predicted = |times: f64, plus: f64| {
        let target = Arc::new(numbers(labels.iter().map(|label| label * times + plus).collect()));
        raw(&grow(&TrainData { target, ..data.clone() }, boosting(Objective::Squared, 20)), &data)
    };
    let usual = predicted(1.0, 0.0);
    for (times, plus) in [(1e-20, 0.0), (1e20, 0.0), (1.0, 1e6), (-1e12, 1e18)] {
        for (found, usual) in predicted(times, plus).iter().zip(&usual) {
            assert!(((found - plus) / times - usual).abs() < 0.02, "{times} {plus}: {found} {usual}");
        }
    }
}
