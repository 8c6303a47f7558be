//! What is learned of the target, and that no row sees its own.

use datasets::{Column, MISSING, Table, UNSEEN, Values};
use proptest::prelude::*;

use super::{category, plan};
use crate::data::{Target, TargetValues};
use crate::error::TrainError;
use crate::task::Task;
use crate::testing::assert_close;
use crate::transform::cross_fit::out_of_part;
use crate::transform::{
    Encoding, FeaturePlan, Featurizer, FitTargetMean, Scaling, Smoothing, Step, Supervision, TargetMean,
    TargetTransform,
};

const CODES: [u32; 15] = [0, 1, 0, 2, 1, 0, 3, 2, 1, 0, 4, 1, 2, 0, 3];
const NUMBERS: [f64; 15] = [1.5, -2.0, 3.25, 0.5, 4.0, 2.25, -1.0, 0.75, 3.5, 1.0, 7.0, 2.0, -0.5, 0.0, 1.25];
const BINARY: [u32; 15] = [1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0];
const MULTI: [u32; 15] = [0, 1, 2, 1, 1, 0, 2, 2, 1, 0, 0, 1, 2, 0, 1];

fn numbers(values: &[f64]) -> Target {
    Target { task: Task::Regression, classes: Vec::new(), values: TargetValues::Numbers(values.to_vec()) }
}

fn classes(task: Task, names: &[&str], values: &[u32]) -> Target {
    let classes = names.iter().map(ToString::to_string).collect();
    Target { task, classes, values: TargetValues::Classes(values.to_vec()) }
}

fn column(codes: &[u32]) -> Column {
    category("x", codes, &["a", "b", "c", "d", "e"])
}

fn fitted(smoothing: Smoothing, target: &Target, codes: &[u32]) -> TargetMean {
    let rows: Vec<u32> = (0..codes.len() as u32).collect();
    let fit = FitTargetMean { smoothing, ..FitTargetMean::new(target, &rows) };
    let Ok(Step::TargetMean(step)) = fit.fit(&column(codes), &rows, target) else { panic!("a target mean") };
    assert!(step.check());
    step
}

/// The values by level, in the order of the names of the levels.
fn by_name(step: &TargetMean, feature: usize) -> Vec<f64> {
    let n = step.levels.len();
    let mut named: Vec<(&String, f64)> =
        step.levels.iter().zip(step.values[feature * n..][..n].iter().copied()).collect();
    named.sort_by(|a, b| a.0.cmp(b.0));
    named.into_iter().map(|(_, value)| value).collect()
}

/// scikit-learn 1.9.1, `TargetEncoder(smooth="auto").fit(X, y).encodings_` on these columns.
#[test]
fn automatic_smoothing_is_that_of_scikit_learn() {
    let step = fitted(Smoothing::Auto, &numbers(&NUMBERS), &CODES);
    assert_close(&step.prior, &[1.566_666_666_667], 1e-12);
    let expected = [1.598_370_840_503, 1.805_085_178_803, 0.276_524_308_353, 0.295_152_088_177, 7.0];
    assert_close(&by_name(&step, 0), &expected, 1e-11);

    let step = fitted(Smoothing::Auto, &classes(Task::Binary, &["no", "yes"], &BINARY), &CODES);
    let expected = [0.769_620_253_165, 0.294_904_907_255, 0.379_204_892_966, 0.511_144_130_758, 1.0];
    assert_close(&by_name(&step, 0), &expected, 1e-11);
    assert_eq!(step.names("x"), ["x_target"]);

    let step = fitted(Smoothing::Auto, &classes(Task::Multiclass, &["p", "q", "r"], &MULTI), &CODES);
    assert_close(&by_name(&step, 0), &[0.741_258_741_259, 0.0, 0.0, 0.0, 1.0], 1e-11);
    assert_close(&by_name(&step, 1), &[0.0, 1.0, 0.349_056_603_774, 0.465_753_424_658, 0.0], 1e-11);
    assert_close(&by_name(&step, 2), &[0.209_375, 0.0, 0.556_776_556_777, 0.409_012_131_716, 0.0], 1e-11);
    assert_close(&step.prior, &[1.0 / 3.0, 0.4, 4.0 / 15.0], 1e-12);
    assert_eq!(step.names("x"), ["x_target:p", "x_target:q", "x_target:r"]);
}

/// scikit-learn 1.9.1, for each part `TargetEncoder(smooth="auto")` fitted on the others and applied to it, which is what
/// its `fit_transform` does; parts are `i % 3`.
#[test]
fn training_rows_are_encoded_by_the_other_parts() {
    let rows: Vec<u32> = (0..15).collect();
    let parts: Vec<Vec<u32>> = (0..3).map(|part| (0..15).filter(|i| i % 3 == part).collect()).collect();
    let number = numbers(&NUMBERS);
    let binary = classes(Task::Binary, &["no", "yes"], &BINARY);
    for (target, expected) in [
        (
            &number,
            [
                1.870_492_852_571,
                2.574_964_639_321,
                0.839_339_228_917,
                0.75,
                2.574_964_639_321,
                0.839_339_228_917,
                1.25,
                0.083_713_850_837,
                1.052_739_525_344,
                1.870_492_852_571,
                1.375,
                1.052_739_525_344,
                0.75,
                1.946_719_792_439,
                -1.0,
            ],
        ),
        (
            &binary,
            [
                0.603_773_584_906,
                0.534_246_575_342,
                1.0,
                0.0,
                0.534_246_575_342,
                1.0,
                0.0,
                0.534_246_575_342,
                0.0,
                0.603_773_584_906,
                0.6,
                0.0,
                0.0,
                0.725_490_196_078,
                1.0,
            ],
        ),
    ] {
        let fit = FitTargetMean { smoothing: Smoothing::Auto, ..FitTargetMean::new(target, &rows) };
        let own = out_of_part(&fit, &column(&CODES), &rows, &parts, target).expect("a column of categories");
        assert_eq!(own.len(), 1);
        assert_close(&own[0], &expected, 1e-11);
    }
}

/// The analysis of variance written out in numpy 2 (`pooled` of the cited formulas) on the same columns.
#[test]
fn pooled_smoothing_draws_small_levels_to_the_mean() {
    let step = fitted(Smoothing::Pooled, &numbers(&NUMBERS), &CODES);
    let expected = [1.592_915_687_977, 1.797_220_261_75, 0.658_504_419_424, 0.705_827_038_657, 3.879_271_464_007];
    assert_close(&by_name(&step, 0), &expected, 1e-11);
    // Levels that differ less than chance lets them are all alike.
    let alike = fitted(Smoothing::Pooled, &numbers(&[0.0, 1.0, 0.0, 1.0]), &[0, 0, 1, 1]);
    assert_eq!(alike.values, [0.5, 0.5]);
    // A level for every row tells nothing of any.
    let single = fitted(Smoothing::Pooled, &numbers(&[0.0, 1.0, 5.0, 2.0]), &[0, 1, 2, 3]);
    assert_eq!(single.values, [2.0; 4]);
    let greedy = fitted(Smoothing::Auto, &numbers(&[0.0, 1.0, 5.0, 2.0]), &[0, 1, 2, 3]);
    assert_eq!(greedy.values, [0.0, 1.0, 5.0, 2.0]);
}

#[test]
fn unseen_levels_have_the_prior_and_missing_cells_are_a_level() {
    let target = numbers(&[0.0, 0.1, 10.0, 10.1, 5.0, 5.1, f64::NAN]);
    let step = fitted(Smoothing::Auto, &target, &[0, 0, 1, 1, MISSING, MISSING, 2]);
    assert_eq!(step.levels, ["a", "b", "c"]);
    let new = category("x", &[1, 0, MISSING, UNSEEN, 2], &["b", "a", "new"]);
    let features = step.apply(&new).expect("categories");
    let values = &features[0].values;
    assert!((values[0] - 0.05).abs() < 0.01 && (values[1] - 10.05).abs() < 0.01 && (values[2] - 5.05).abs() < 0.01);
    assert_eq!((values[3], values[4]), (step.prior[0], step.prior[0]));
    // A level of which no row has a target is as good as unseen.
    assert_eq!(step.values[2], step.prior[0]);
    let none = fitted(Smoothing::Pooled, &numbers(&[f64::NAN; 2]), &[0, 1]);
    assert_eq!((none.values, none.prior), (vec![0.0, 0.0], vec![0.0]));
}

#[test]
fn of_many_classes_those_of_most_rows_have_features() {
    let names: Vec<String> = (0..14).map(|i| format!("k{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let values: Vec<u32> = (0..14).chain(4..14).collect();
    let target = classes(Task::Multiclass, &names, &values);
    let codes: Vec<u32> = (0..24).map(|i| i % 5).collect();
    let step = fitted(Smoothing::Pooled, &target, &codes);
    assert_eq!(step.classes, &names[4..]);
}

/// A table of one column with `n` levels, three rows each.
fn many_levels(n: u32) -> Table {
    let levels: Vec<String> = (0..n).map(|level| format!("l{level}")).collect();
    let values = Values::Category { codes: (0..3 * n).map(|row| row % n).collect(), levels: levels.into() };
    Table::new(vec![Column::new("x", values)]).expect("one column")
}

fn supervised(table: &Table, target: &Target, together: Option<&[u32]>) -> (FeaturePlan, Vec<Vec<f32>>) {
    let plan = plan(table, Encoding::Target, Scaling::Standard);
    let rows: Vec<u32> = (0..table.n_rows() as u32).collect();
    let supervision = Supervision { target, together, seed: 7 };
    let fitted = Featurizer::fit_to(&plan, table, &rows, &supervision).expect("a table of categories");
    let block = fitted.block(table).expect("its own table");
    assert_eq!(block.names, fitted.featurizer.names());
    let again = Featurizer::fit_to(&plan, table, &rows, &supervision).expect("a table of categories");
    assert_eq!(again, fitted, "the same twice");
    let blind = fitted.featurizer.apply(table).expect("its own table");
    (plan, vec![block.column(0).to_vec(), blind.column(0).to_vec()])
}

#[test]
fn few_levels_stay_columns_and_many_are_described_by_the_target() {
    let target = numbers(&(0..99).map(f64::from).collect::<Vec<_>>());
    for (n, expected) in [(32, 32), (33, 2)] {
        let table = many_levels(n);
        let plan = plan(&table, Encoding::Target, Scaling::Standard);
        let rows: Vec<u32> = (0..3 * n).collect();
        let supervision = Supervision { target: &target, together: None, seed: 7 };
        let fitted = Featurizer::fit_to(&plan, &table, &rows, &supervision).expect("categories");
        assert_eq!(fitted.featurizer.names().len(), expected, "{n} levels");
        fitted.featurizer.check().expect("it agrees with itself");
        let blind = Featurizer::fit(&plan, &table, &rows);
        if n == 33 {
            assert_eq!(fitted.featurizer.names(), ["x_target", "x_frequency"]);
            assert!(matches!(blind, Err(TrainError::NoTarget { column }) if column == "x"));
        } else {
            assert_eq!(blind.expect("no target is needed"), fitted.featurizer);
        }
    }
}

fn correlation(a: &[f32], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().map(|&v| f64::from(v)).sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(&x, &y)| f(f64::from(x) - ma, y - mb)).sum::<f64>();
    let spread = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    if spread > 0.0 { sum(&|x, y| x * y) / spread } else { 0.0 }
}

/// Against a target that has nothing to do with the levels, what training rows see is uncorrelated to it, while what a
/// fit on all of them would have shown them is not.
#[test]
fn a_random_target_does_not_leak() {
    use rand::RngExt;
    let table = many_levels(300);
    let mut rng = hyperdrive::keyed_rng(1, 0, "noise");
    let noise: Vec<f64> = (0..900).map(|_| rng.random::<f64>()).collect();
    let target = numbers(&noise);
    let (_, features) = supervised(&table, &target, None);
    // Under chance alone a correlation of 900 rows has a standard error of 0.033.
    assert!(correlation(&features[0], &noise).abs() < 0.1, "{}", correlation(&features[0], &noise));
    let rows: Vec<u32> = (0..900).collect();
    let leaky = FitTargetMean { smoothing: Smoothing::Auto, ..FitTargetMean::new(&target, &rows) };
    let step = leaky.fit(&table.columns()[0], &rows, &target).expect("categories");
    let leaked: Vec<f32> =
        step.apply(&table.columns()[0]).expect("categories")[0].values.iter().map(|&v| v as f32).collect();
    assert!(correlation(&leaked, &noise) > 0.4, "{}", correlation(&leaked, &noise));
}

/// Copies of a row say no more of the target than the row itself does to itself.
#[test]
fn rows_that_belong_together_do_not_see_each_other() {
    let table = many_levels(60);
    let effect: Vec<f64> = (0..180).map(|row| f64::from(row % 60)).collect();
    let target = numbers(&effect);
    let (_, apart) = supervised(&table, &target, None);
    assert!(correlation(&apart[0], &effect) > 0.9);
    // Each level is one group: without its own rows nothing is known of it.
    let together: Vec<u32> = (0..180).map(|row| row % 60).collect();
    let (_, features) = supervised(&table, &target, Some(&together));
    assert!(correlation(&features[0], &effect) < 0.1, "{}", correlation(&features[0], &effect));
    // New rows are seen through the fit on all rows, whichever way the training rows were.
    assert!(correlation(&features[1], &effect) > 0.9);
    // One group alone cannot be divided; its rows are told nothing.
    let (_, features) = supervised(&table, &target, Some(&[0; 180]));
    assert!(features[0].iter().all(|value| *value == features[0][0]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A training row's features do not change with its own target, for any column and target; other rows' may.
    #[test]
    fn no_row_sees_its_own_target(
        cells in prop::collection::vec((0_u32..40, -5.0..5.0_f64), 45..120),
        row in 0_usize..45,
        other in -100.0..100.0_f64,
    ) {
        let levels: Vec<String> = (0..40).map(|level| format!("l{level}")).collect();
        // Forty levels in the first forty rows, so that the target is looked at.
        let codes = cells.iter().enumerate().map(|(i, cell)| if i < 40 { i as u32 } else { cell.0 }).collect();
        let table = Table::new(vec![Column::new("x", Values::Category { codes, levels: levels.into() })])
            .expect("one column");
        let mut values: Vec<f64> = cells.iter().map(|cell| cell.1).collect();
        let plan = plan(&table, Encoding::Target, Scaling::None);
        let rows: Vec<u32> = (0..cells.len() as u32).collect();
        let seen = |values: &[f64]| {
            let target = numbers(values);
            let supervision = Supervision { target: &target, together: None, seed: 3 };
            let fitted = Featurizer::fit_to(&plan, &table, &rows, &supervision).expect("categories");
            fitted.block(&table).expect("its own table").column(0)[row]
        };
        let before = seen(&values);
        values[row] = other;
        prop_assert_eq!(before.to_bits(), seen(&values).to_bits());
    }
}
