//! Shapley values against their definition.

use proptest::prelude::*;

use super::{Made, Tree, all_rows, bits, ensemble, goes_left, odd_block, regression, stump};
use crate::algorithm::Algorithm;
use crate::data::{Block, Kind};
use crate::trees::{Link, Node, TreeEnsemble};

/// What a tree earns for the coalition of features whose bits are set: `EXPVALUE`, algorithm 1 of Lundberg, Erion &
/// Lee (2018).
fn earned(tree: &Tree, child: i32, row: &[f32], kinds: &[Kind], coalition: usize) -> f64 {
    if child < 0 {
        return f64::from(tree.leaves[!child as usize]);
    }
    let node = &tree.nodes[child as usize];
    let feature = node.feature as usize;
    let below = |child: i32| earned(tree, child, row, kinds, coalition);
    if coalition >> feature & 1 == 1 {
        return below(if goes_left(tree, node, row[feature], kinds[feature]) { node.left } else { node.right });
    }
    let (left, right) = (tree.cover(node.left), tree.cover(node.right));
    let share = if left + right > 0.0 { left / (left + right) } else { 0.5 };
    share * below(node.left) + (1.0 - share) * below(node.right)
}

/// Shapley's definition: the mean over all orders of what each of `m` players adds.
fn shapley(m: usize, earns: impl Fn(usize) -> f64) -> Vec<f64> {
    let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
    (0..m)
        .map(|player| {
            let without = (0..1_usize << m).filter(|coalition| coalition >> player & 1 == 0);
            without
                .map(|coalition| {
                    let size = coalition.count_ones() as usize;
                    let weight = factorial(size) * factorial(m - size - 1) / factorial(m);
                    weight * (earns(coalition | 1 << player) - earns(coalition))
                })
                .sum()
        })
        .collect()
}

fn by_definition(tree: &Tree, row: &[f32], kinds: &[Kind]) -> Vec<f64> {
    let root = if tree.nodes.is_empty() { !0 } else { 0 };
    shapley(row.len(), |coalition| earned(tree, root, row, kinds, coalition))
}

fn row_of(block: &Block, row: u32) -> Vec<f32> {
    (0..block.n_features()).map(|j| block.column(j)[row as usize]).collect()
}

fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-3_f64, |most, x| most.max(x.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 * scale.max(1.0), "{found:?} where {expected:?} is expected");
    }
}

prop_compose! {
    fn shapes()(n_features in 1_usize..7, n_leaves in 1_usize..24, n_levels in prop::sample::select(vec![0_u32, 3, 40]))
        -> Made
    {
        Made { n_features, n_leaves, n_levels, missing: 0.1 }
    }
}

proptest! {
    #[test]
    fn values_are_shapleys(
        made in shapes(), seed: u64, zeros in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut model = regression(made, 1, seed);
        // Some covers are nothing: of a leaf, of a whole branch, of the root.
        let covers = &mut model.trees[0].covers;
        for zero in zeros {
            let place = zero.index(covers.len());
            covers[place] = 0.0;
        }
        let block = odd_block(made, 6, seed);
        let rows = all_rows(&block);
        let found = model.shap(&block, &rows);
        for (row, values) in rows.iter().zip(found.values.chunks_exact(made.n_features)) {
            let expected = by_definition(&model.trees[0], &row_of(&block, *row), &block.kinds);
            assert_near(values, &expected.iter().map(|x| 0.5 * x).collect::<Vec<_>>());
        }
    }

    /// Values and expectation add up to the raw score, for one row as among many.
    #[test]
    fn values_add_up(
        n_features in 1_usize..60, n_leaves in 1_usize..120, n_raw in 1_usize..4, n_levels in 0_u32..50, seed: u64,
    ) {
        let made = Made { n_features, n_leaves, n_levels, missing: 0.1 };
        let model = ensemble(Link::Softmax, n_raw, n_raw, made, 3, seed);
        let block = odd_block(made, 20, seed);
        let rows = all_rows(&block);
        let (found, raw) = (model.shap(&block, &rows), model.raw(&block, &rows));
        prop_assert_eq!((found.n_rows, found.n_raw_outputs, found.n_features), (20, n_raw, n_features));
        let sums = found.values.chunks_exact(n_features).enumerate();
        let sums: Vec<f64> = sums.map(|(i, values)| values.iter().sum::<f64>() + found.expected[i % n_raw]).collect();
        assert_near(&sums, raw.values());
        for (row, values) in found.values.chunks_exact(n_raw * n_features).enumerate() {
            prop_assert_eq!(bits(&model.shap(&block, &[row as u32]).values), bits(values));
        }
    }
}

/// A tree that asks about a new feature at each node, left leading on.
fn chain(n: usize) -> TreeEnsemble {
    let nodes = (0..n).map(|i| {
        let left = if i + 1 < n { i as i32 + 1 } else { !(n as i32) };
        let feature = i as u32 % (n as u32 * 5 / 6);
        Node { feature, threshold: 0.5, left, right: !(i as i32), missing_left: false, category: false }
    });
    let tree = Tree {
        nodes: nodes.collect(),
        leaves: (0..=n).map(|i| (i % 7) as f32).collect(),
        gains: vec![1.0; n],
        covers: (0..n).map(|i| (2 * n - i) as f32).chain((0..n).map(|_| 1.0)).chain([n as f32]).collect(),
        levels: Vec::new(),
    };
    let model = TreeEnsemble::new(Algorithm::Constant, n, 1, Link::Identity, vec![0.25], 1.0, vec![tree]);
    model.check(n, 1).expect("a chain is a tree");
    model
}

/// Longer paths than fit into tables (11 features) and masks (32).
#[test]
fn long_paths_add_up() {
    for n in [12, 18, 30, 42, 48, 90, 300] {
        let model = chain(n);
        // Row `r` fails `r` of the features, evenly spread.
        let n_rows = 4;
        let values = (0..n).flat_map(|j| (0..n_rows).map(move |r| if (j * r) % n < r { 1.0 } else { 0.0 })).collect();
        let block = Block::numbers((0..n).map(|j| j.to_string()).collect(), n_rows, values);
        let rows = if n > 100 { vec![1] } else { all_rows(&block) };
        let (found, raw) = (model.shap(&block, &rows), model.raw(&block, &rows));
        let sums: Vec<f64> =
            found.values.chunks_exact(n).map(|values| values.iter().sum::<f64>() + found.expected[0]).collect();
        assert_near(&sums, raw.values());
        if n == 12 {
            for (row, values) in rows.iter().zip(found.values.chunks_exact(n)) {
                assert_near(values, &by_definition(&model.trees[0], &row_of(&block, *row), &block.kinds));
            }
        }
    }
}

#[test]
fn a_lone_leaf_explains_nothing() {
    let model = TreeEnsemble::new(Algorithm::Constant, 2, 1, Link::Identity, vec![1.0], 1.0, vec![stump(0.5)]);
    let found = model.shap(&Block::default(), &[0, 1]);
    assert_eq!((found.values, found.expected), (vec![0.0; 4], vec![1.5]));
}

/// Two trees that ask twice about a feature and meet missing values, against `shap` 0.51.0:
/// `TreeExplainer({"trees": [...], "internal_dtype": float64, "input_dtype": float64},
/// feature_perturbation="tree_path_dependent").shap_values(rows)` and its `expected_value`, of the same trees as
/// dictionaries.
#[test]
fn values_are_those_of_shap() {
    let node = |feature, threshold, left, right, missing_left| Node {
        feature,
        threshold,
        left,
        right,
        missing_left,
        category: false,
    };
    let first = Tree {
        nodes: vec![node(0, 0.5, 1, 2, true), node(1, -1.0, !0, !1, false), node(0, 2.0, !2, !3, true)],
        leaves: vec![1.0, -2.0, 4.0, 0.5],
        gains: vec![1.0; 3],
        covers: vec![100.0, 60.0, 40.0, 20.0, 40.0, 30.0, 10.0],
        levels: Vec::new(),
    };
    let second = Tree {
        nodes: vec![node(2, 0.25, !0, 1, false), node(1, 0.75, !1, !2, true)],
        leaves: vec![0.5, -1.0, 3.0],
        gains: vec![1.0; 2],
        covers: vec![100.0, 75.0, 25.0, 45.0, 30.0],
        levels: Vec::new(),
    };
    let model = TreeEnsemble::new(Algorithm::Constant, 3, 1, Link::Identity, vec![0.0], 1.0, vec![first, second]);
    model.check(3, 1).expect("two trees");
    let columns = [[0.5, 3.0, f32::NAN, 1.0], [-1.5, 0.0, f32::NAN, 2.0], [0.0, 0.3, f32::NAN, 0.25]];
    let block = Block::numbers(["a", "b", "c"].map(String::from).to_vec(), 4, columns.concat());
    let found = model.shap(&block, &[0, 1, 2, 3]);
    let expected = [
        [-1.25, 1.0, 0.525],
        [0.149_999_999_999_999_77, -1.7, -0.174_999_999_999_999_93],
        [-1.85, -2.2, -0.174_999_999_999_999_93],
        [3.65, 0.599_999_999_999_999_9, -0.974_999_999_999_999_8],
    ];
    assert_near(&found.values, &expected.concat());
    assert_near(&found.expected, &[1.225]);
}

/// A category and what is derived from it are one player: a coalition with the category knows both.
#[cfg(feature = "fit")]
#[test]
fn a_derived_quantity_is_its_categorys_share() {
    for seed in 0..40 {
        let (model, narrow, wide) = super::statistics::derived(2 + seed as usize, seed);
        let rows = all_rows(&narrow);
        let (found, raw) = (model.shap(&narrow, &rows), model.raw(&narrow, &rows));
        for (row, values) in rows.iter().zip(found.values.chunks_exact(4)) {
            let own = row_of(&wide, *row);
            let mut expected = vec![0.0; 4];
            for tree in model.trees() {
                let values = shapley(4, |known| {
                    let derived = [known & 1, known >> 3 & 1];
                    earned(tree, 0, &own, &wide.kinds, known | derived[0] << 4 | derived[1] << 5)
                });
                expected.iter_mut().zip(values).for_each(|(sum, value)| *sum += 0.5 * value);
            }
            assert_near(values, &expected);
            let sum = values.iter().sum::<f64>() + found.expected[0];
            assert_near(&[sum], raw.row(*row as usize));
        }
    }
}
