//! Laws of ensembles that were made by chance, and what happens to damaged ones.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Link, Node, Tree, TreeEnsemble};
use crate::algorithm::Algorithm;
use crate::data::{Block, Kind, Predictions};
use crate::model::Estimator;

#[path = "../../../benches/made.rs"]
mod made;
mod shap;
#[cfg(feature = "fit")]
mod statistics;

use made::Made;

/// Values that test what a number of a category or a quantity may be.
const ODD: [f32; 10] =
    [f32::NAN, -1.0, -0.0, 0.5, 39.0, 40.0, 1e9, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE];

fn ensemble(link: Link, n_raw: usize, n_outputs: usize, made: Made, n_rounds: usize, seed: u64) -> TreeEnsemble {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let trees = (0..n_rounds * n_raw).map(|_| made.tree(&mut rng)).collect();
    let base = (0..n_raw).map(|_| rng.random_range(-1.0..1.0)).collect();
    let ensemble = TreeEnsemble::new(Algorithm::Constant, made.n_features, n_outputs, link, base, 0.5, trees);
    ensemble.check(made.n_features, n_outputs).expect("a tree that was made is sound");
    ensemble
}

fn regression(made: Made, n_rounds: usize, seed: u64) -> TreeEnsemble {
    ensemble(Link::Identity, 1, 1, made, n_rounds, seed)
}

/// Rows of which one in eight values is odd.
fn odd_block(made: Made, n_rows: usize, seed: u64) -> Block {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 1);
    let mut block = made.block(n_rows, &mut rng);
    for x in &mut block.values {
        if rng.random_bool(0.125) {
            *x = ODD[rng.random_range(0..ODD.len())];
        }
    }
    block
}

fn all_rows(block: &Block) -> Vec<u32> {
    (0..block.n_rows as u32).collect()
}

/// The rules of a node, told again as they stand in the documentation.
fn goes_left(tree: &Tree, node: &Node, x: f32, kind: Kind) -> bool {
    if !node.category {
        return if x.is_nan() { node.missing_left } else { x <= node.threshold };
    }
    let Kind::Category { n_levels } = kind else { panic!("the feature is a category") };
    if x.is_nan() || x < 0.0 || x.fract() != 0.0 || x >= n_levels as f32 {
        return node.missing_left;
    }
    let start = node.threshold as usize;
    let (word, bit) = (x as usize / 32, x as usize % 32);
    word < tree.levels[start] as usize && tree.levels[start + 1 + word] & (1 << bit) != 0
}

fn leaf(tree: &Tree, x: impl Fn(usize) -> f32, kinds: &[Kind]) -> f64 {
    let mut at = if tree.nodes.is_empty() { !0 } else { 0 };
    while at >= 0 {
        let node = &tree.nodes[at as usize];
        let feature = node.feature as usize;
        at = if goes_left(tree, node, x(feature), kinds[feature]) { node.left } else { node.right };
    }
    f64::from(tree.leaves[!at as usize])
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

prop_compose! {
    fn shapes()(
        n_features in 1_usize..12,
        n_leaves in 1_usize..40,
        n_levels in prop::sample::select(vec![0_u32, 3, 40, 100]),
    ) -> Made {
        Made { n_features, n_leaves, n_levels, missing: 0.1 }
    }
}

proptest! {
    /// A raw score is the sum of the leaves that a plain walk finds, in any company of rows.
    #[test]
    fn scores_are_sums_of_leaves(
        made in shapes(), n_rounds in 0_usize..12, n_raw in 1_usize..4, n_rows in 0_usize..40, seed: u64,
    ) {
        let ensemble = ensemble(Link::Softmax, n_raw, n_raw, made, n_rounds, seed);
        let block = odd_block(made, n_rows, seed);
        let rows = all_rows(&block);
        let raw = ensemble.raw(&block, &rows);
        prop_assert_eq!(raw.n_rows(), n_rows);
        for &row in &rows {
            let mut sums = vec![0.0; n_raw];
            for (t, tree) in ensemble.trees().iter().enumerate() {
                sums[t % n_raw] += leaf(tree, |feature| block.column(feature)[row as usize], &block.kinds);
            }
            let expected: Vec<f64> = ensemble.base().iter().zip(sums).map(|(base, sum)| base + 0.5 * sum).collect();
            prop_assert_eq!(bits(raw.row(row as usize)), bits(&expected));
            let alone = ensemble.raw(&block, &[row]);
            prop_assert_eq!(bits(alone.values()), bits(&expected));
        }
    }

    /// Classes have probabilities, whatever the link and the scores.
    #[test]
    fn probabilities_add_up_to_one(
        scores in prop::collection::vec(-2.0_f32..2.0, 3), power in 0_i32..37, which in 0_usize..5,
    ) {
        let (link, n_raw, n_outputs) = [
            (Link::Logistic, 1, 2),
            (Link::Softmax, 3, 3),
            (Link::Shares, 1, 2),
            (Link::Shares, 3, 3),
            (Link::Softmax, 2, 2),
        ][which];
        let trees = scores[..n_raw].iter().map(|score| stump(score * 10.0_f32.powi(power))).collect();
        let ensemble = TreeEnsemble::new(Algorithm::Constant, 1, n_outputs, link, vec![0.0; n_raw], 1.0, trees);
        prop_assert_eq!(ensemble.check(1, n_outputs), Ok(()));
        let predictions = ensemble.predict(&Block::numbers(vec!["x".into()], 1, vec![0.0]), &[0]);
        prop_assert_eq!(predictions.values().len(), n_outputs);
        prop_assert!(predictions.values().iter().all(|p| (0.0..=1.0).contains(p)), "{:?}", predictions);
        prop_assert!((predictions.values().iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    /// A file gives the ensemble back, in either form.
    #[test]
    fn files_give_the_ensemble_back(made in shapes(), n_rounds in 0_usize..5, seed: u64) {
        let estimator = Estimator::Trees(regression(made, n_rounds, seed));
        let bytes = rmp_serde::to_vec_named(&estimator).expect("plain parameters");
        prop_assert_eq!(&rmp_serde::from_slice::<Estimator>(&bytes).expect("what was written"), &estimator);
        let text = serde_json::to_string(&estimator).expect("plain parameters");
        prop_assert_eq!(&serde_json::from_str::<Estimator>(&text).expect("what was written"), &estimator);
    }

    /// Damaged bytes are refused, or are an ensemble that predicts and explains; they are never a panic.
    #[test]
    fn damage_is_an_error(
        made in shapes(), seed: u64, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let estimator = Estimator::Trees(regression(made, 2, seed));
        let mut bytes = rmp_serde::to_vec_named(&estimator).expect("plain parameters");
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(estimator) = rmp_serde::from_slice::<Estimator>(&bytes)
            && estimator.check(made.n_features, 1).is_ok()
            && let Estimator::Trees(ensemble) = estimator
        {
            let block = odd_block(made, 9, seed);
            prop_assert_eq!(ensemble.predict(&block, &all_rows(&block)).n_rows(), 9);
            prop_assert_eq!(ensemble.shap(&block, &[0, 1]).n_rows, 2);
            prop_assert_eq!(ensemble.importance().gain.len(), made.n_features);
        }
    }
}

fn stump(value: f32) -> Tree {
    Tree { leaves: vec![value], covers: vec![1.0], ..Tree::default() }
}

fn predict(link: Link, scores: &[f32], n_outputs: usize) -> Predictions {
    let trees = scores.iter().map(|&score| stump(score)).collect();
    let ensemble = TreeEnsemble::new(Algorithm::Constant, 1, n_outputs, link, vec![0.0; scores.len()], 1.0, trees);
    assert_eq!(ensemble.check(1, n_outputs), Ok(()));
    ensemble.predict(&Block::default(), &[0])
}

#[test]
fn links_are_what_they_say() {
    let logistic = 1.0 / (1.0 + (-2.0_f64).exp());
    assert!((predict(Link::Logistic, &[2.0], 2).values()[1] - logistic).abs() < 1e-15);
    assert_eq!(predict(Link::Logistic, &[-800.0], 2).values(), [1.0, 0.0]);
    assert_eq!(predict(Link::Identity, &[-2.5], 1).values(), [-2.5]);
    assert_eq!(predict(Link::Exp, &[2.0], 1).values(), [2.0_f64.exp()]);
    assert_eq!(predict(Link::Exp, &[1e6], 1).values(), [f64::MAX]);
    assert_eq!(predict(Link::Shares, &[0.25], 2).values(), [0.75, 0.25]);
    assert_eq!(predict(Link::Shares, &[-0.5, 1.5, 1.0], 3).values(), [0.0, 0.5, 0.5]);
    assert_eq!(predict(Link::Shares, &[-0.5, 0.0, 0.0, -1.0], 4).values(), [0.25; 4]);
    let e = 1.0_f64.exp();
    let softmax = predict(Link::Softmax, &[1.0, 0.0], 2);
    assert!((softmax.values()[0] - e / (e + 1.0)).abs() < 1e-15);
}

#[test]
fn what_the_block_does_not_have_reads_as_zero() {
    let made = Made { n_features: 5, n_leaves: 20, n_levels: 40, missing: 0.0 };
    let ensemble = regression(made, 10, 3);
    let zeros = Block { values: vec![0.0; 5], n_rows: 1, ..made.block(0, &mut ChaCha8Rng::seed_from_u64(0)) };
    let expected = ensemble.predict(&zeros, &[0]);
    assert_eq!(ensemble.predict(&zeros, &[7]), expected);
    assert_eq!(ensemble.predict(&Block::default(), &[0]), expected);
    assert_eq!(ensemble.shap(&zeros, &[7]), ensemble.shap(&zeros, &[0]));
}

/// Room for a fifth of what named fields would take: 7 numbers a node at one to five bytes each.
#[test]
fn a_file_holds_numbers_not_names() {
    let made = Made { n_features: 20, n_leaves: 31, n_levels: 0, missing: 0.0 };
    let ensemble = regression(made, 100, 1);
    let bytes = rmp_serde::to_vec_named(&ensemble).expect("plain parameters");
    let per_node = bytes.len() as f64 / (100.0 * 30.0);
    assert!((20.0..27.0).contains(&per_node), "{per_node} bytes a node");
}

#[test]
fn importance_is_summed_over_trees() {
    let node =
        |feature, left, right| Node { feature, threshold: 0.0, left, right, missing_left: false, category: false };
    let first = Tree {
        nodes: vec![node(2, 1, !0), node(0, !1, !2)],
        leaves: vec![0.0; 3],
        gains: vec![5.0, 2.0],
        covers: vec![10.0, 6.0, 4.0, 3.0, 3.0],
        levels: Vec::new(),
    };
    let second = Tree {
        nodes: vec![node(2, !0, !1)],
        leaves: vec![0.0; 2],
        gains: vec![0.5],
        covers: vec![8.0, 4.0, 4.0],
        levels: Vec::new(),
    };
    let trees = vec![first, second, stump(1.0)];
    let ensemble = TreeEnsemble::new(Algorithm::Constant, 3, 1, Link::Identity, vec![0.0], 1.0, trees);
    let importance = ensemble.importance();
    assert_eq!(importance.gain, [2.0, 0.0, 5.5]);
    assert_eq!(importance.cover, [6.0, 0.0, 18.0]);
    assert_eq!(importance.splits, [1, 0, 2]);
}

/// One rule broken at a time, and what is said of it.
#[test]
fn every_disagreement_is_named() {
    let made = Made { n_features: 4, n_leaves: 9, n_levels: 40, missing: 0.0 };
    let check = |damage: &dyn Fn(&mut TreeEnsemble), said: &str| {
        let mut damaged = ensemble(Link::Softmax, 2, 2, made, 3, 5);
        damage(&mut damaged);
        let reason = damaged.check(4, 2).expect_err(said);
        assert!(reason.contains(said), "{reason:?} says nothing of {said:?}");
    };
    let category = |tree: &Tree| tree.nodes.iter().position(|node| node.category).expect("a category was split on");
    check(&|e| e.n_features = 5, "5 features");
    check(&|e| e.n_outputs = 3, "3 outputs");
    check(&|e| e.link = Link::Logistic, "2 raw scores");
    check(&|e| e.base.clear(), "0 raw scores");
    check(&|e| e.trees.truncate(5), "5 trees");
    check(&|e| e.base[1] = f64::NAN, "base or scale is NaN");
    check(&|e| e.scale = f64::INFINITY, "base or scale is inf");
    check(&|e| e.trees[1].leaves.truncate(8), "tree 1: 8 nodes with 8 leaves");
    check(&|e| e.trees[1].gains.truncate(7), "7 gains");
    check(&|e| e.trees[1].covers.truncate(16), "16 covers");
    check(&|e| e.trees[0].leaves[3] = f32::NAN, "a leaf or gain is NaN");
    check(&|e| e.trees[0].covers[3] = -1.0, "a cover is -1");
    check(&|e| e.trees[2].nodes[0].feature = 4, "tree 2: node 0: feature 4 of 4");
    check(&|e| e.trees[2].nodes[7].left = 7, "node 7: leads to 7");
    check(&|e| e.trees[2].nodes[7].left = 0, "node 7: leads to 0");
    check(&|e| e.trees[2].nodes[7].left = 8, "leads to 8");
    check(&|e| e.trees[2].nodes[7].right = !9, "leads to -10");
    check(&|e| e.trees[2].nodes[7].right = i32::MIN, "leads to -2147483648");
    check(&|e| e.trees[2].nodes[7].right = e.trees[2].nodes[7].left, "not one of its own");
    let threshold = |e: &mut TreeEnsemble, x: f32| {
        let at = category(&e.trees[0]);
        e.trees[0].nodes[at].threshold = x;
    };
    check(&|e| threshold(e, f32::NAN), "no set of levels at NaN");
    check(&|e| threshold(e, 1e9), "no set of levels at 1000000000");
    check(&|e| e.trees[0].levels[0] = 1000, "no set of levels at 0");
    check(&|e| e.trees[0].levels[0] = u32::MAX, "no set of levels at 0");
    check(
        &|e| {
            let at = category(&e.trees[0]);
            e.trees[0].nodes[at].category = false;
            e.trees[0].nodes[at].threshold = f32::NAN;
        },
        "the threshold is not a number",
    );
    let share = |e: &mut TreeEnsemble| {
        for node in e.trees[0].nodes.iter_mut().filter(|node| node.category) {
            node.threshold = 0.0;
        }
        let n_words = e.trees[0].levels[0] as usize;
        e.trees[0].levels.truncate(n_words + 1);
    };
    check(&share, "are shared among sets");
}
