//! Splits by levels.

use proptest::prelude::*;

use super::*;
use crate::trees::Order;

fn stump(objective: Objective) -> Boost {
    let mut boost = boosting(objective, 1);
    boost.growth = Growth { num_leaves: 2, min_data_per_group: 1, ..Growth::default() };
    boost
}

fn levels(tree: &Tree, node: &Node) -> Vec<u32> {
    let words = tree.set(node);
    (0..32 * words.len() as u32).filter(|&level| words[level as usize / 32] >> (level % 32) & 1 == 1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// 30 levels of 20 rows; any subset is a run of the levels in order of their means, from one end or the other.
    #[test]
    fn any_subset_is_one_split(subset in prop::collection::btree_set(0_u32..30, 1..29), seed in 0_u64..100) {
        let column: Vec<f32> = (0..600).map(|i| (i * 7 % 30) as f32).collect();
        let noise = |i: usize| unit(seed, i) - 0.5;
        let target = (0..600).map(|i| f64::from(u8::from(subset.contains(&(i as u32 * 7 % 30)))) * 3.0 + noise(i));
        let data = data(&[(Kind::Category { n_levels: 30 }, column)], numbers(target.collect()));
        let tree = grow(&data, stump(Objective::Squared)).trees()[0].clone();
        let left = levels(&tree, &tree.nodes[0]);
        let wanted: Vec<u32> = subset.iter().copied().collect();
        let others: Vec<u32> = (0..30).filter(|level| !subset.contains(level)).collect();
        prop_assert!(left == wanted || left == others, "{:?} {:?}", left, wanted);
    }
}

/// To the right: what is missing, what was never seen, what is no level at all.
#[test]
fn what_is_no_level_goes_right() {
    for order in [Order::LeafWise, Order::Symmetric] {
        let column: Vec<f32> = (0..300).map(|i| (i % 10) as f32).collect();
        let target = numbers((0..300).map(|i| f64::from(u8::from(i % 10 < 4)) * 2.0).collect());
        let kind = Kind::Category { n_levels: 40 };
        let mut boost = stump(Objective::Squared);
        boost.growth = Growth { order, max_depth: 1, ..boost.growth };
        let model = grow(&data(&[(kind, column)], target), boost);
        let tree = &model.trees()[0];
        assert!(!tree.nodes[0].missing_left && tree.nodes[0].category);
        let odd = vec![f32::NAN, 10.0, 39.0, 40.0, -1.0, 0.5, 1e9, f32::INFINITY];
        let right = f64::from(tree.leaves[!tree.nodes[0].right as usize]) + model.base()[0];
        let n = odd.len();
        let found = raw(&model, &data(&[(kind, odd)], numbers(vec![0.0; n])));
        assert!(found.iter().all(|value| (value - right).abs() < 1e-6), "{found:?} {right}");
    }
}

/// Four levels are asked about one at a time, five are not.
#[test]
fn few_levels_are_asked_about_alone() {
    for (n_levels, alone) in [(4, true), (5, false)] {
        let column: Vec<f32> = (0..200).map(|i| (i % n_levels) as f32).collect();
        // The two outer levels against the rest.
        let target = (0..200).map(|i| if i % n_levels == 0 || i % n_levels == n_levels - 1 { 1.0 } else { 0.0 });
        let kind = Kind::Category { n_levels: n_levels as u32 };
        let data = data(&[(kind, column)], numbers(target.collect()));
        let mut boost = stump(Objective::Squared);
        assert_eq!(
            levels(&grow(&data, boost.clone()).trees()[0], &grow(&data, boost.clone()).trees()[0].nodes[0]).len() == 1,
            alone
        );
        boost.growth = Growth { num_leaves: 0, order: Order::Symmetric, max_depth: 3, ..boost.growth };
        let tree = grow(&data, boost).trees()[0].clone();
        assert!(tree.nodes.iter().all(|node| levels(&tree, node).len() == 1));
    }
}

#[test]
fn bounds_of_levels_hold() {
    let column: Vec<f32> = (0..600).map(|i| (i * 7 % 30) as f32).collect();
    let target = numbers((0..600).map(|i| f64::from(u8::from(i * 7 % 30 < 12)) + 0.1 * unit(1, i)).collect());
    let data = data(&[(Kind::Category { n_levels: 30 }, column)], target);
    let found = |change: &dyn Fn(&mut Growth)| {
        let mut boost = stump(Objective::Squared);
        change(&mut boost.growth);
        let tree = grow(&data, boost).trees()[0].clone();
        tree.nodes.first().map_or(0, |node| levels(&tree, node).len())
    };
    assert_eq!(found(&|_| {}), 12);
    assert_eq!(found(&|growth| growth.max_cat_threshold = 5), 5);
    // Groups of 100 rows are five levels: runs end at 5 or 10.
    assert_eq!(found(&|growth| growth.min_data_per_group = 100), 10);
    // A level has 20 rows.
    assert_eq!(found(&|growth| growth.cat_smooth = 20.0), 12);
    assert_eq!(found(&|growth| growth.cat_smooth = 21.0), 0);
}
