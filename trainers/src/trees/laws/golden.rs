//! Single trees as `LightGBM` grows them.
//!
//! Figures: `LightGBM` 4.7.0 through its Python package, `lightgbm.train(params, Dataset(X, label, init_score=base,
//! categorical_feature=[2]), num_boost_round=1).dump_model()` on the rows of [`rows`], with the settings of
//! [`settings`] as `learning_rate=1, min_data_in_leaf=3, min_sum_hessian_in_leaf=0, num_leaves=8, cat_smooth=1,
//! cat_l2=0, min_data_per_group=1, max_cat_to_onehot=1, feature_pre_filter=False, boost_from_average=False,
//! enable_bundle=False`; `base` is the best constant.
//!
//! Departures:
//! - Quantiles of leaves are numpy's, where `LightGBM` counts from the other end: the figures of `quantile` and
//!   `absolute` are `numpy.quantile` of the rows in `LightGBM`'s leaves.
//! - A split of the missing values from the rest has them on the right, `LightGBM`'s on the left.
//! - `LightGBM` does not ask again about a feature that could not split the parent; here every node asks about all.
//!   `num_leaves` of some cases stops before that matters, or before gains that are ties or nothing but rounding.
//!
//! Of levels the side of the least comes first.

use std::collections::BTreeSet;

use super::*;

const N: usize = 60;

/// The values of the three features and the target.
fn rows() -> (Vec<(Kind, Vec<f32>)>, Vec<f64>) {
    let mut columns =
        vec![(Kind::Number, Vec::new()), (Kind::Number, Vec::new()), (Kind::Category { n_levels: 8 }, Vec::new())];
    let mut target = Vec::new();
    for i in 0..N {
        let first = if i % 11 == 3 { f32::NAN } else { ((i * 7 + i / 6) % 6 + 1) as f32 };
        let second = ((i * 5 + i / 7) % 4) as f32 + 0.5;
        let level = (i % 29 != 5).then_some((i * 3 + i / 8) % 8);
        columns[0].1.push(first);
        columns[1].1.push(second);
        columns[2].1.push(level.map_or(f32::NAN, |level| level as f32));
        let by_level = level.map_or(0.0, |level| [0.9, -1.3, 0.2, 2.1, -0.4, 1.6, -2.2, 0.5][level]);
        let by_first = if first.is_nan() { 2.5 } else { 0.6 * f64::from(first) };
        target.push(by_first - 0.35 * f64::from(second) + by_level + 1.7 * (i * 37 % 61) as f64 / 61.0);
    }
    (columns, target)
}

fn settings(objective: Objective, change: impl Fn(&mut Growth)) -> Boost {
    let mut boost = boosting(objective, 1);
    boost.mode = Mode::Boosting { learning_rate: 1.0, early_stopping_rounds: 0 };
    boost.growth = Growth {
        num_leaves: 8,
        min_child_samples: 3,
        min_child_weight: 0.0,
        cat_smooth: 1.0,
        cat_l2: 0.0,
        min_data_per_group: 1,
        max_cat_to_onehot: 1,
        ..Growth::default()
    };
    change(&mut boost.growth);
    boost
}

fn settings_of(name: &str) -> Boost {
    let squared = |change: fn(&mut Growth)| settings(Objective::Squared, change);
    match name {
        "squared" => squared(|_| {}),
        "squared, L1 and L2" => {
            squared(|growth| (growth.num_leaves, growth.reg_alpha, growth.reg_lambda) = (5, 2.0, 1.5))
        }
        "squared, max_delta_step" => squared(|growth| growth.max_delta_step = 1.5),
        "squared, monotone" => squared(|growth| {
            (growth.num_leaves, growth.monotone_constraints) = (6, vec![1, 1, 0]);
        }),
        "squared, path_smooth" => squared(|growth| growth.path_smooth = 5.0),
        "squared, one-hot" => squared(|growth| (growth.max_cat_to_onehot, growth.cat_l2) = (16, 5.0)),
        "squared, cat_l2" => squared(|growth| (growth.num_leaves, growth.cat_l2) = (2, 5.0)),
        "squared, depth 2, min_gain" => squared(|growth| (growth.max_depth, growth.min_split_gain) = (2, 1.0)),
        "logistic" => settings(Objective::Logistic, |growth| growth.num_leaves = 5),
        "logistic, L2" => {
            settings(Objective::Logistic, |growth| (growth.reg_lambda, growth.min_child_samples) = (1.0, 5))
        }
        "poisson" => settings(Objective::Poisson, |_| {}),
        "quantile" => settings(Objective::Quantile { alpha: 0.3 }, |growth| growth.num_leaves = 7),
        "absolute" => settings(Objective::Absolute, |growth| growth.num_leaves = 7),
        "huber" => settings(Objective::Huber { delta: 0.9 }, |_| {}),
        _ => panic!("no settings for {name}"),
    }
}

/// Questions, gains and values, a node before what is left and then right of it; the target of the objective.
const LIGHT_GBM: &[(&str, &str)] = &[
    (
        "squared",
        "c in 0,3,5,7 or missing gain 104.341 | x0 <= 3.5 gain 19.244 | c in 0 gain 3.474 | -0.64776 | 0.57918 \
         | x1 <= 1.0 gain 3.410 | 2.58393 | 1.62181 | c in 1,2,4 gain 20.107 | x0 <= 2.5 gain 9.552 | -1.62787 \
         | -0.27747 | x0 <= 3.5 gain 5.624 | -3.65377 | -1.84257",
    ),
    (
        "squared, L1 and L2",
        "c in 0,3,5,7 or missing gain 89.521 | x0 <= 3.5 gain 13.471 | 0.12748 | 1.64025 | x0 <= 3.5 gain 9.052 \
         | -1.86411 | c in 1,6 gain 2.999 | -0.78083 | 0.00000",
    ),
    (
        "squared, max_delta_step",
        "c in 0,3,5,7 or missing gain 104.341 | x0 <= 3.5 gain 16.572 | c in 0 gain 3.474 | -0.64776 | x1 <= \
         1.0 gain 1.117 | 0.98844 | 0.30634 | 1.50000 | x0 <= 3.5 gain 10.791 | -1.50000 | c in 1,6 gain 5.946 \
         | x0 <= 4.5 gain 1.914 | -0.67119 | -1.50000 | 0.13967",
    ),
    (
        "squared, monotone",
        "c in 0,3,5,7 or missing gain 104.341 | x0 <= 3.5 gain 19.244 | 0.29604 | 1.87500 | c in 1,2,4 gain \
         20.107 | x0 <= 2.5 gain 9.552 | -1.62787 | -0.27747 | x0 <= 3.5 gain 5.624 | -3.65377 | -1.84257",
    ),
    ("squared, cat_l2", "c in 0,3,5,7 or missing gain 89.330 | 1.06685 | -1.19617"),
    (
        "squared, depth 2, min_gain",
        "c in 0,3,5,7 or missing gain 104.341 | x0 <= 3.5 gain 19.244 | 0.29604 | 1.87500 | c in 1,2,4 gain \
         20.107 | -0.92052 | -2.87754",
    ),
    (
        "logistic",
        "c in 0,3,5,7 or missing gain 32.411 | x0 <= 4.5 gain 2.757 | x1 <= 3.0 gain 2.022 | c in 0,7 or \
         missing gain 1.929 | 0.50000 | 2.00000 | -0.66667 | 2.00000 | -1.57143",
    ),
    (
        "logistic, L2",
        "c in 0,3,5,7 or missing gain 28.569 | x0 <= 2.5 gain 1.853 | 0.18182 | 1.44828 | c in 1,4,6 gain 0.133 \
         | -1.52000 | -0.54545",
    ),
    (
        "poisson",
        "c in 0,3,5,7 or missing gain 8.830 | x0 <= 3.5 gain 1.893 | c in 0 gain 0.361 | -0.07465 | 0.04868 | \
         0.17475 | c in 1,2,4 gain 2.045 | x0 <= 2.5 gain 1.148 | -0.15579 | x1 <= 2.0 gain 0.344 | 0.03199 | \
         -0.08276 | x0 <= 3.5 gain 0.561 | -0.35053 | -0.17202",
    ),
    (
        "quantile",
        "c in 0,3,5,7 or missing gain 4.953 | x0 <= 1.5 or missing gain 0.169 | 0.47180 | 1.62115 | x0 <= 3.5 \
         or missing gain 2.026 | c in 1,4,6 gain 0.971 | -2.33262 | x1 <= 2.0 gain 0.167 | 0.01377 | -0.67508 | \
         c in 1,6 gain 0.682 | -0.32811 | 0.98377",
    ),
    (
        "absolute",
        "c in 0,3,5,7 or missing gain 32.411 | x0 <= 4.5 gain 2.757 | x1 <= 3.0 gain 2.022 | c in 0,7 or \
         missing gain 1.929 | 0.69672 | 0.77336 | -0.61803 | 2.09262 | x0 <= 3.5 gain 1.286 | -2.19221 | c in \
         1,6 gain 3.429 | -1.34057 | 0.11311",
    ),
    (
        "huber",
        "c in 0,3,5,7 or missing gain 21.645 | x0 <= 3.5 gain 2.622 | c in 0 gain 2.176 | -0.52038 | x1 <= 1.0 \
         gain 0.599 | 0.75049 | 0.25096 | 0.80946 | x0 <= 3.5 gain 1.923 | -0.89330 | c in 1,6 gain 2.719 | x0 \
         <= 4.5 gain 0.178 | -0.60160 | -0.90000 | 0.13967",
    ),
];

/// The tree in those words.
fn told(tree: &Tree, block: &Block, rows: &[u32], at: i32, out: &mut Vec<String>) {
    if at < 0 || tree.nodes.is_empty() {
        out.push(format!("{:.5}", tree.leaves[if at < 0 { !at as usize } else { 0 }]));
        return;
    }
    let node = &tree.nodes[at as usize];
    let (left, right) = children(tree, node, block, rows);
    let is_missing = |row: &u32| block.column(node.feature as usize)[*row as usize].is_nan();
    let question = if node.category {
        // The side of the least level comes first, whichever it is.
        let column = block.column(node.feature as usize);
        let levels = |rows: &[u32]| -> BTreeSet<u32> {
            rows.iter().filter(|row| !is_missing(row)).map(|&row| column[row as usize] as u32).collect()
        };
        let (mut first, mut second) = ((&left, node.left), (&right, node.right));
        if levels(&right).first() < levels(&left).first() {
            (first, second) = (second, first);
        }
        let words: Vec<String> = levels(first.0).iter().map(ToString::to_string).collect();
        let missing = if first.0.iter().any(is_missing) { " or missing" } else { "" };
        out.push(format!("c in {}{missing} gain {:.3}", words.join(","), tree.gains[at as usize]));
        for (rows, child) in [first, second] {
            told(tree, block, rows, child, out);
        }
        return;
    } else if node.threshold == f32::INFINITY {
        format!("x{} any", node.feature)
    } else {
        let missing = if left.iter().any(is_missing) { " or missing" } else { "" };
        format!("x{} <= {:.1}{missing}", node.feature, node.threshold)
    };
    out.push(format!("{question} gain {:.3}", tree.gains[at as usize]));
    told(tree, block, &left, node.left, out);
    told(tree, block, &right, node.right, out);
}

/// Whether two such words are the same, but for the last digits of their numbers.
fn alike(found: &str, expected: &str) -> bool {
    let parse = |word: &str| match word.split_once(" gain ") {
        Some((question, gain)) => (question.to_string(), gain.parse::<f64>().expect("a number"), true),
        None => (String::new(), word.parse::<f64>().expect("a number"), false),
    };
    let (found, expected) = (parse(found), parse(expected));
    let tolerance = if found.2 { 1e-3 + 1e-4 * expected.1 } else { 1e-4 };
    found.0 == expected.0 && found.2 == expected.2 && (found.1 - expected.1).abs() < tolerance
}

pub(super) fn check(name: &str, expected: &str) -> Result<(), String> {
    let (columns, signal) = rows();
    let boost = settings_of(name);
    let mut sorted = signal.clone();
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[N / 2 - 1], sorted[N / 2]);
    let target = if name.starts_with("logistic") {
        classes(Task::Binary, 2, signal.iter().map(|&value| u32::from(value > median)).collect())
    } else if name == "poisson" {
        numbers(signal.iter().map(|value| (value + 2.5).max(0.0).round()).collect())
    } else {
        numbers(signal)
    };
    let data = data(&columns, target);
    let model = grow(&data, boost);
    let mut found = Vec::new();
    told(&model.trees()[0], &data.blocks[0], &data.rows, 0, &mut found);
    let expected: Vec<&str> = expected.split(" | ").collect();
    let same = found.len() == expected.len() && found.iter().zip(&expected).all(|(a, b)| alike(a, b));
    if same { Ok(()) } else { Err(format!("{name}:\n  found    {found:?}\n  expected {expected:?}")) }
}

#[test]
fn trees_are_those_of_light_gbm() {
    let wrong: Vec<String> = LIGHT_GBM.iter().filter_map(|(name, expected)| check(name, expected).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
