//! What the fitted transforms make of tables.

mod settings;
mod target;
mod text;

use std::sync::Arc;

use datasets::{Column, MISSING, MISSING_TIME, Table, UNSEEN, Values};
use proptest::prelude::*;

use super::{Encoding, FeaturePlan, FeatureSettings, Featurizer, FitOneHot, Scaling, Step, Transform};
use crate::data::{Block, Kind};
use crate::error::{ModelError, TrainError};

fn number(name: &str, values: &[f64]) -> Column {
    Column::new(name, Values::Number(values.to_vec()))
}

fn category(name: &str, codes: &[u32], levels: &[&str]) -> Column {
    let levels: Arc<[String]> = levels.iter().map(ToString::to_string).collect();
    Column::new(name, Values::Category { codes: codes.to_vec(), levels })
}

fn plan(table: &Table, categorical: Encoding, scaling: Scaling) -> FeaturePlan {
    let columns = table.columns().iter().map(|column| column.name.clone()).collect();
    FeaturePlan { categorical, scaling, columns, settings: FeatureSettings::default() }
}

/// Fits on `rows` and applies to the whole table.
fn features(columns: Vec<Column>, categorical: Encoding, scaling: Scaling, rows: &[u32]) -> Block {
    let table = Table::new(columns).expect("columns of one length");
    let fitted = Featurizer::fit(&plan(&table, categorical, scaling), &table, rows).expect("columns of the plan");
    fitted.check().expect("what was fitted agrees with itself");
    let block = fitted.apply(&table).expect("the table it was fitted on");
    assert_eq!(block.names, fitted.names());
    assert_eq!(block.values.len(), block.n_rows * block.names.len());
    block
}

#[test]
fn numbers_are_filled_marked_and_scaled_by_the_training_rows() {
    let x = number("x", &[1.0, 3.0, f64::NAN, 5.0, 1e9]);
    let block = features(vec![x.clone()], Encoding::OneHot, Scaling::Standard, &[0, 1, 2, 3]);
    assert_eq!(block.names, ["x", "x_WASNULL"]);
    // Median 3 and so mean 3; variance (4 + 0 + 0 + 4) / 4 = 2. Row 4 is clipped.
    let unit = 1.0 / 2.0_f32.sqrt();
    assert_eq!(block.column(0), [-2.0 * unit, 0.0, 0.0, 2.0 * unit, 10.0]);
    assert_eq!(block.column(1), [0.0, 0.0, 1.0, 0.0, 0.0]);
    let block = features(vec![x.clone()], Encoding::OneHot, Scaling::MinMax, &[0, 1, 3]);
    assert_eq!(block.names, ["x"]);
    assert_eq!(block.column(0), [0.0, 0.5, 0.5, 1.0, 1.5]);
    let block = features(vec![x], Encoding::OneHot, Scaling::None, &[0, 1, 3]);
    assert_eq!(block.column(0), [1.0, 3.0, 3.0, 5.0, 1e9]);
}

#[test]
fn constant_and_missing_columns_have_finite_features() {
    let columns = || vec![number("c", &[7.1; 3]), number("m", &[f64::NAN; 3]), number("h", &[1e300, -1e300, 0.0])];
    for scaling in [Scaling::None, Scaling::Standard, Scaling::MinMax] {
        for rows in [&[0, 1, 2][..], &[1], &[]] {
            let block = features(columns(), Encoding::OneHot, scaling, rows);
            assert!(block.values.iter().all(|value| value.is_finite()), "{scaling:?} {rows:?}: {:?}", block.values);
            assert_eq!(block.names, ["c", "m", "h"]);
        }
    }
}

#[test]
fn categories_become_columns_of_their_frequent_levels() {
    let levels = ["a", "b", "c", "rare", "never"];
    let codes = [0, 0, 1, 1, 2, 2, 3, MISSING, UNSEEN, 4];
    let block =
        features(vec![category("x", &codes, &levels)], Encoding::OneHot, Scaling::Standard, &[0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(block.names, ["x=a", "x=b", "x=c", "x_infrequent", "x_WASNULL"]);
    let hot: Vec<usize> =
        (0..10).map(|row| (0..5).find(|&j| block.column(j)[row] == 1.0).expect("every cell has its column")).collect();
    assert_eq!(hot, [0, 0, 1, 1, 2, 2, 3, 4, 3, 3]);
    assert_eq!(block.values.iter().sum::<f32>(), 10.0);
}

#[test]
fn without_infrequent_levels_the_unseen_leave_zeros() {
    let codes = [0, 0, 1, 1, 2, 2, UNSEEN, MISSING];
    let rows = [0, 1, 2, 3, 4, 5];
    let block = features(vec![category("x", &codes, &["a", "b", "c"])], Encoding::OneHot, Scaling::None, &rows);
    assert_eq!(block.names, ["x=a", "x=b", "x=c"]);
    assert!((0..3).all(|j| block.column(j)[6..] == [0.0, 0.0]));
}

#[test]
fn two_levels_are_one_column() {
    let codes = [0, 0, 0, 1, UNSEEN, MISSING];
    // One row of the second level is too few to keep it, so it is drawn from more rows.
    let rows = [0, 1, 2, 3, 3];
    let block = features(vec![category("x", &codes, &["no", "yes"])], Encoding::OneHot, Scaling::Standard, &rows);
    assert_eq!(block.names, ["x=yes"]);
    assert_eq!(block.column(0), [0.0, 0.0, 0.0, 1.0, 0.4, 0.4]);
}

#[test]
fn only_the_most_frequent_levels_are_kept() {
    let codes: Vec<u32> = (0..100_u32).flat_map(|level| vec![level; 2 + level as usize % 5]).collect();
    let levels: Vec<String> = (0..100).map(|level| format!("l{level:02}")).collect();
    let rows: Vec<u32> = (0..codes.len() as u32).collect();
    let column = Column::new("x", Values::Category { codes, levels: levels.into() });
    let Ok(Step::OneHot(step)) = FitOneHot::default().fit(&column, &rows) else { panic!("a one-hot step") };
    assert_eq!(step.levels.len(), 40);
    assert!(step.infrequent && !step.missing && step.second.is_none());
    // Six rows and five rows: the levels that leave 4 and 3 over 5.
    assert!(step.levels.iter().all(|level| level.ends_with(['3', '4', '8', '9'])), "{:?}", step.levels);
}

#[test]
fn ordinals_rank_the_levels_seen() {
    let codes = [2, 0, 3, UNSEEN, MISSING, 1];
    let columns = || vec![category("x", &codes, &["a", "b", "c", "d"])];
    let block = features(columns(), Encoding::Ordinal, Scaling::None, &[0, 1, 2]);
    assert_eq!(block.column(0), [1.0, 0.0, 2.0, 3.0, 3.0, 3.0]);
    let block = features(columns(), Encoding::Ordinal, Scaling::MinMax, &[0, 1, 2]);
    assert_eq!(block.column(0), [0.5, 0.0, 1.0, 1.5, 1.5, 1.5]);
}

#[test]
fn levels_are_found_by_name_in_another_table() {
    let fitted_on = Table::new(vec![category("x", &[0, 0, 1, 1, 2, 2], &["a", "b", "c"])]).expect("one column");
    let plan = plan(&fitted_on, Encoding::OneHot, Scaling::None);
    let fitted = Featurizer::fit(&plan, &fitted_on, &[0, 1, 2, 3, 4, 5]).expect("its own table");
    let other = Table::new(vec![category("x", &[0, 1], &["c", "z"])]).expect("one column");
    let block = fitted.apply(&other).expect("the column is there");
    assert_eq!((block.column(2), block.column(0)), (&[1.0, 0.0][..], &[0.0, 0.0][..]));
}

#[test]
fn times_keep_the_parts_that_vary() {
    let day = 86_400_000_000_i64;
    let times = Values::Datetime(vec![0, day, 2 * day, MISSING_TIME]);
    let block = features(vec![Column::new("t", times)], Encoding::OneHot, Scaling::None, &[0, 1, 2, 3]);
    assert_eq!(block.names, ["t_epoch", "t_day", "t_day_of_week", "t_day_of_year", "t_WASNULL"]);
    assert_eq!(block.column(0), [0.0, 86_400.0, 172_800.0, 86_400.0]);
    assert_eq!(block.column(1), [1.0, 2.0, 3.0, 2.0]);
    assert_eq!(block.column(2), [3.0, 4.0, 5.0, 4.0]);
    assert_eq!(block.column(4), [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn days_between_times_are_features_where_they_vary() {
    let day = 86_400_000_000_i64;
    let columns = || {
        vec![
            Column::new("a", Values::Datetime(vec![0, 0, MISSING_TIME, day])),
            Column::new("b", Values::Datetime(vec![day, 3 * day, day, day / 2])),
            // Always one day after `b`.
            Column::new("c", Values::Datetime(vec![2 * day, 4 * day, 2 * day, day / 2 + day])),
        ]
    };
    let between = |name: &&String| name.contains("minus");
    let block = features(columns(), Encoding::Native, Scaling::None, &[0, 1, 2, 3]);
    let names: Vec<&String> = block.names.iter().filter(between).collect();
    assert_eq!(names, ["b_minus_a", "c_minus_a"]);
    let at = block.names.iter().position(|name| name == "b_minus_a").expect("it varies");
    assert_eq!(bits(block.column(at)), bits(&[1.0, 3.0, GONE, -0.5]));
    let block = features(columns(), Encoding::OneHot, Scaling::None, &[0, 1, 2, 3]);
    let at = block.names.iter().position(|name| name == "b_minus_a").expect("it varies");
    assert_eq!(block.column(at), [1.0, 3.0, 1.0, -0.5]);
    assert_eq!((&*block.names[at + 1], block.column(at + 1)), ("b_minus_a_WASNULL", &[0.0, 0.0, 1.0, 0.0][..]));
    // Among the rows of one difference there is nothing to tell.
    let block = features(columns(), Encoding::OneHot, Scaling::None, &[0, 2]);
    assert_eq!(block.names.iter().filter(between).count(), 0);
}

/// scikit-learn 1.9.1, `TfidfVectorizer(token_pattern=r"(?u)[^\W_]{2,}", min_df=2, max_df=0.9)` on these texts.
#[test]
fn words_weigh_as_in_scikit_learn() {
    let texts = [
        "Red wine, good wine.",
        "white wine is good",
        "A bad RED one; bad!",
        "the good the bad",
        "wine_cellar is here",
    ];
    let column = Column::new("t", Values::Text(texts.into_iter().map(Some).chain([None]).collect()));
    let block = features(vec![column], Encoding::OneHot, Scaling::None, &[0, 1, 2, 3, 4]);
    assert_eq!(block.names, ["t:bad", "t:good", "t:is", "t:red", "t:wine", "t_length"]);
    let expected = [
        [0.0, 0.393_710_747_699, 0.0, 0.474_298_677_767, 0.787_421_495_398],
        [0.0, 0.538_282_557_346, 0.648_462_625_687, 0.0, 0.538_282_557_346],
        [0.894_427_191, 0.0, 0.0, 0.447_213_595_5, 0.0],
        [0.769_447_072_973, 0.638_710_577_565, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.769_447_072_973, 0.0, 0.638_710_577_565],
    ];
    for (row, expected) in expected.iter().enumerate() {
        for (j, expected) in expected.iter().enumerate() {
            assert!((f64::from(block.column(j)[row]) - expected).abs() < 1e-6, "row {row}, {}", block.names[j]);
        }
    }
    assert!((0..6).all(|j| block.column(j)[5] == 0.0), "a missing text has neither words nor length");
    assert_eq!(block.column(5)[1], 19.0_f32.ln());
}

/// Features as bits, so that what is missing can be compared too.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { u32::MAX } else { value.to_bits() }).collect()
}

const GONE: f32 = f32::NAN;

#[test]
fn natively_nothing_is_filled_in() {
    let day = 86_400_000_000_i64;
    let columns = vec![
        number("n", &[1.5, f64::NAN, -1e300, f64::INFINITY, 1e300]),
        category("c", &[1, 0, 1, UNSEEN, MISSING], &["a", "b", "never"]),
        Column::new("d", Values::Datetime(vec![0, day, MISSING_TIME, 2 * day, 0])),
        Column::new("t", Values::Text(["red wine", "wine", "red wine", "", "x"].into_iter().map(Some).collect())),
    ];
    for scaling in [Scaling::None, Scaling::Standard, Scaling::MinMax] {
        let block = features(columns.clone(), Encoding::Native, scaling, &[0, 1, 2, 3, 4]);
        let names: Vec<&String> = block.names.iter().filter(|name| !name.starts_with("t_svd")).collect();
        let expected = ["n", "c", "d_epoch", "d_day", "d_day_of_week", "d_day_of_year", "t:red", "t:wine", "t_length"];
        assert_eq!(names, expected);
        let mut kinds = vec![Kind::Number; block.n_features()];
        kinds[1] = Kind::Category { n_levels: 2 };
        assert_eq!(block.kinds, kinds);
        assert_eq!(bits(block.column(0)), bits(&[1.5, GONE, f32::MIN, GONE, f32::MAX]));
        // `b` has two rows and `a` one, so `b` is level 0.
        assert_eq!(bits(block.column(1)), bits(&[0.0, 1.0, 0.0, GONE, GONE]));
        assert_eq!(bits(block.column(2)), bits(&[0.0, 86_400.0, GONE, 172_800.0, 0.0]));
        assert_eq!(bits(block.column(3)), bits(&[1.0, 2.0, GONE, 3.0, 1.0]));
        assert_eq!(block.column(7)[1], 1.0);
    }
}

#[test]
fn native_levels_are_ordered_by_count_then_as_in_the_schema() {
    let codes = [3, 2, 2, 0, 0, 1, 4];
    let column = category("x", &codes, &["a", "b", "c", "d", "e"]);
    let Ok(Step::Level(step)) = super::FitLevel.fit(&column, &[0, 1, 2, 3, 4, 5]) else { panic!("a level step") };
    assert_eq!(step.levels, ["a", "c", "b", "d"]);
    let block = features(vec![column], Encoding::Native, Scaling::None, &[0, 1, 2, 3, 4, 5]);
    assert_eq!(bits(block.column(0)), bits(&[3.0, 1.0, 1.0, 0.0, 0.0, 2.0, GONE]));
    // A level is found by its name, wherever another table has it.
    let table = Table::new(vec![category("x", &codes, &["a", "b", "c", "d", "e"])]).expect("one column");
    let rows = [0, 1, 2, 3, 4, 5];
    let fitted = Featurizer::fit(&plan(&table, Encoding::Native, Scaling::None), &table, &rows).expect("its own table");
    let other = Table::new(vec![category("x", &[0, 1], &["b", "new"])]).expect("one column");
    let block = fitted.apply(&other).expect("the column is there");
    assert_eq!(bits(block.column(0)), bits(&[2.0, GONE]));
    assert_eq!(block.kinds, [Kind::Category { n_levels: 4 }]);
}

#[test]
fn native_columns_that_are_missing_throughout_are_nan_throughout() {
    let columns = || {
        vec![
            number("n", &[f64::NAN; 3]),
            category("c", &[MISSING, UNSEEN, MISSING], &["a"]),
            Column::new("d", Values::Datetime(vec![MISSING_TIME; 3])),
        ]
    };
    for rows in [&[0, 1, 2][..], &[1], &[]] {
        let block = features(columns(), Encoding::Native, Scaling::None, rows);
        assert_eq!(block.names, ["n", "c", "d_epoch"]);
        assert!(block.values.iter().all(|value| value.is_nan()), "{:?}", block.values);
        assert_eq!(block.kinds[1], Kind::Category { n_levels: 0 });
    }
}

#[test]
fn a_wrong_table_is_an_error_that_names_the_column() {
    let table = Table::new(vec![number("x", &[1.0])]).expect("one column");
    let fitted = Featurizer::fit(&plan(&table, Encoding::OneHot, Scaling::None), &table, &[0]).expect("its own table");
    let other = Table::new(vec![number("y", &[1.0])]).expect("one column");
    let error = fitted.apply(&other).expect_err("x is missing");
    assert_eq!(error.to_string(), "column `x` is missing from the table");
    let other = Table::new(vec![category("x", &[0], &["a"])]).expect("one column");
    let error = fitted.apply(&other).expect_err("x is of another kind");
    assert_eq!(error.to_string(), "column `x`: the model was fitted on number values, the table holds category");
    let wanted = FeaturePlan { columns: vec!["z".into()], ..plan(&table, Encoding::OneHot, Scaling::None) };
    let error = Featurizer::fit(&wanted, &table, &[0]).expect_err("z is missing");
    assert!(matches!(error, TrainError::Features(ModelError::MissingColumn { column }) if column == "z"));
}

/// A table of every kind of column, with missing and unseen cells.
fn any_table() -> impl Strategy<Value = Table> {
    let cell = (
        prop_oneof![4 => -1e6..1e6, 1 => Just(f64::NAN)],
        prop_oneof![4 => 0_u32..5, 1 => Just(MISSING), 1 => Just(UNSEEN)],
        prop_oneof![4 => -4_000_000_000_000_000_i64..4_000_000_000_000_000, 1 => Just(MISSING_TIME)],
        prop_oneof![4 => "[a-c ]{0,12}".prop_map(Some), 1 => Just(None)],
    );
    prop::collection::vec(cell, 1..30).prop_map(|cells| {
        let levels: Arc<[String]> = ["a", "b", "c", "d", "e"].map(String::from).into();
        let codes = cells.iter().map(|cell| cell.1).collect();
        Table::new(vec![
            Column::new("n", Values::Number(cells.iter().map(|cell| cell.0).collect())),
            Column::new("c", Values::Category { codes, levels }),
            Column::new("d", Values::Datetime(cells.iter().map(|cell| cell.2).collect())),
            Column::new("e", Values::Datetime(cells.iter().rev().map(|cell| cell.2).collect())),
            Column::new("t", Values::Text(cells.iter().map(|cell| cell.3.as_deref()).collect())),
        ])
        .expect("columns of one length")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A row's features are the same alone and in the batch, and do not depend on rows outside the training
    /// view.
    #[test]
    fn rows_stand_alone(
        table in any_table(),
        encoding in prop_oneof![Just(Encoding::OneHot), Just(Encoding::Ordinal), Just(Encoding::Native)],
        scaling in prop_oneof![Just(Scaling::None), Just(Scaling::Standard), Just(Scaling::MinMax)],
    ) {
        let plan = plan(&table, encoding, scaling);
        let n = table.n_rows() as u32;
        let rows: Vec<u32> = (0..n).step_by(2).collect();
        let fitted = Featurizer::fit(&plan, &table, &rows).expect("its own table");
        let block = fitted.apply(&table).expect("its own table");
        prop_assert!(encoding == Encoding::Native || block.values.iter().all(|value| value.is_finite()));
        prop_assert!(block.values.iter().all(|value| !value.is_infinite()));
        prop_assert_eq!(block.kinds.len(), block.names.len());
        for (j, kind) in block.kinds.iter().enumerate() {
            let Kind::Category { n_levels } = *kind else { continue };
            let level = |value: &f32| value.fract() == 0.0 && (0.0..n_levels as f32).contains(value);
            let index = |value: &f32| value.is_nan() || level(value);
            prop_assert!(block.column(j).iter().all(index), "{:?} of {} levels", block.column(j), n_levels);
        }
        for row in 0..n {
            let alone = fitted.apply(&table.take(&[row]).expect("a row of the table")).expect("the same columns");
            for j in 0..block.n_features() {
                prop_assert_eq!(bits(alone.column(j)), bits(&[block.column(j)[row as usize]]));
            }
        }
        let written = rmp_serde::to_vec_named(&fitted).expect("plain parameters");
        let read: Featurizer = rmp_serde::from_slice(&written).expect("what was written can be read");
        prop_assert_eq!(&read, &fitted);
        let view = table.take(&rows).expect("rows of the table");
        let all: Vec<u32> = (0..view.n_rows() as u32).collect();
        prop_assert_eq!(Featurizer::fit(&plan, &view, &all).expect("the same columns"), fitted);
    }
}
