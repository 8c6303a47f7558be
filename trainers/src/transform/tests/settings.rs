//! What a person may say about features.

use datasets::{Column, MISSING, MISSING_TIME, Table, Values};

use super::{bits, category, number};
use crate::data::{Block, Target, TargetValues};
use crate::task::Task;
use crate::transform::{
    Encoding, FeaturePlan, FeatureSettings, Featurizer, Fill, Scaling, Strategy, Supervision, Transformer,
};

/// Forty rows of a number, categories of two and of forty levels, two times and a text.
fn table() -> Table {
    let levels: Vec<String> = (0..40).map(|level| format!("l{level}")).collect();
    let day = 86_400_000_000_i64;
    let times =
        |step: i64| Values::Datetime((0..40).map(|row| if row == 3 { MISSING_TIME } else { row * step }).collect());
    let text: Vec<&str> = (0..40).map(|row| if row % 2 == 0 { "red wine" } else { "white wine" }).collect();
    Table::new(vec![
        number("n", &(0..40).map(|row| if row < 2 { f64::NAN } else { f64::from(row % 7) }).collect::<Vec<_>>()),
        category("two", &(0..40).map(|row| row % 2).collect::<Vec<_>>(), &["a", "b"]),
        Column::new("many", Values::Category { codes: (0..40).collect(), levels: levels.into() }),
        Column::new("d", times(day)),
        Column::new("e", times(3 * day)),
        Column::new("t", Values::Text(text.into_iter().collect())),
    ])
    .expect("columns of one length")
}

fn block(categorical: Encoding, settings: FeatureSettings) -> Block {
    let table = table();
    let columns = table.columns().iter().map(|column| column.name.clone()).collect();
    let plan = FeaturePlan { categorical, scaling: Scaling::None, columns, settings };
    let values = TargetValues::Numbers((0..40).map(f64::from).collect());
    let target = Target { task: Task::Regression, classes: Vec::new(), values };
    let supervision = Supervision { target: &target, together: None, seed: 1 };
    let rows: Vec<u32> = (0..40).collect();
    Featurizer::fit_to(&plan, &table, &rows, &supervision).expect("features").block(&table).expect("its own table")
}

/// The names of the features of a column.
fn of(block: &Block, column: &str) -> Vec<String> {
    block.names.iter().filter(|name| name.starts_with(column)).cloned().collect()
}

fn blocked(transformers: &[Transformer]) -> FeatureSettings {
    FeatureSettings { blocked: transformers.iter().copied().collect(), ..FeatureSettings::default() }
}

#[test]
fn what_is_blocked_is_not_used() {
    use Transformer::{CatTargetEncoder, LabelEncoder, OneHotEncoder, TfIdf};
    let usual = block(Encoding::Target, FeatureSettings::default());
    assert_eq!(of(&usual, "two"), ["two=b"]);
    assert_eq!(of(&usual, "many"), ["many_target", "many_frequency"]);
    let without = block(Encoding::Target, blocked(&[OneHotEncoder]));
    assert_eq!(of(&without, "two"), ["two_target", "two_frequency"]);
    let without = block(Encoding::Target, blocked(&[CatTargetEncoder]));
    // Every level is in one row, too few to be kept.
    assert_eq!(of(&without, "many"), ["many_infrequent"]);
    let without = block(Encoding::Target, blocked(&[CatTargetEncoder, OneHotEncoder]));
    assert_eq!((of(&without, "two"), of(&without, "many")), (vec!["two".into()], vec!["many".into()]));
    let without = block(Encoding::Target, blocked(&[CatTargetEncoder, OneHotEncoder, LabelEncoder]));
    assert_eq!(of(&without, "two"), ["two_frequency"]);
    for encoding in [Encoding::Target, Encoding::Native] {
        assert!(of(&block(encoding, FeatureSettings::default()), "t:").len() > 1);
        let without = block(encoding, blocked(&[TfIdf]));
        assert_eq!((of(&without, "t_"), of(&without, "t:")), (vec!["t_length".to_owned()], Vec::new()));
    }
}

#[test]
fn plain_features_are_the_columns_themselves() {
    let settings = || FeatureSettings { plain: true, ..FeatureSettings::default() };
    let native = block(Encoding::Native, settings());
    assert_eq!(native.names, ["n", "two", "many", "d_epoch", "e_epoch", "t_length"]);
    let shared = block(Encoding::Target, settings());
    assert_eq!(of(&shared, "many"), ["many_infrequent"]);
    assert!(of(&shared, "e_minus").is_empty() && of(&shared, "d_day").is_empty());
}

#[test]
fn missing_numbers_are_filled_as_asked_for_trees_too() {
    let values: Vec<f64> = (2..40).map(|row| f64::from(row % 7)).collect();
    let mean = values.iter().sum::<f64>() / 38.0;
    for (strategy, expected) in [
        (Strategy::Mean, mean as f32),
        (Strategy::Median, 3.0),
        // 2, 3 and 4 occur six times.
        (Strategy::MostFrequent, 2.0),
        (Strategy::Constant(Fill(-1.5)), -1.5),
    ] {
        for encoding in [Encoding::Target, Encoding::Native] {
            let imputers = [("n".to_owned(), strategy)].into();
            let block = block(encoding, FeatureSettings { imputers, ..FeatureSettings::default() });
            assert_eq!(of(&block, "n"), ["n", "n_WASNULL"]);
            assert!((block.column(0)[0] - expected).abs() < 1e-6, "{strategy:?}: {}", block.column(0)[0]);
        }
    }
    let usual = block(Encoding::Native, FeatureSettings::default());
    assert_eq!(bits(&usual.column(0)[..1]), bits(&[f32::NAN]));
}

#[test]
fn hashed_levels_share_columns_and_need_not_have_been_seen() {
    let hashed = || [("many".to_owned(), 3)].into();
    let hashing = || FeatureSettings { hashed: hashed(), ..FeatureSettings::default() };
    let block_of = block(Encoding::Target, hashing());
    assert_eq!(of(&block_of, "many").len(), 8);
    let at = block_of.names.iter().position(|name| name == "many_hash_0").expect("it is hashed");
    let sums: Vec<f32> = (0..8).map(|slot| block_of.column(at + slot).iter().sum()).collect();
    assert_eq!(sums.iter().sum::<f32>(), 40.0, "each row has one");
    assert!(sums.iter().filter(|sum| **sum > 0.0).count() >= 6, "{sums:?}");
    assert_eq!(of(&block(Encoding::Native, hashing()), "many"), ["many"]);
    let blocked = FeatureSettings { hashed: hashed(), ..blocked(&[Transformer::HashOneHotEncoder]) };
    assert_eq!(of(&block(Encoding::Target, blocked), "many"), ["many_target", "many_frequency"]);

    let columns = vec!["x".to_owned()];
    let settings = FeatureSettings { hashed: [("x".to_owned(), 2)].into(), ..FeatureSettings::default() };
    let plan = FeaturePlan { categorical: Encoding::OneHot, scaling: Scaling::None, columns, settings };
    let table = Table::new(vec![category("x", &[0, 1], &["a", "b"])]).expect("one column");
    let fitted = Featurizer::fit(&plan, &table, &[0, 1]).expect("categories");
    let other = Table::new(vec![category("x", &[0, 1, MISSING], &["new", "a"])]).expect("one column");
    let (block, before) = (fitted.apply(&other).expect("categories"), fitted.apply(&table).expect("categories"));
    let row = |block: &Block, row: usize| (0..4).map(|j| block.column(j)[row]).collect::<Vec<_>>();
    assert_eq!(row(&block, 1), row(&before, 0), "a level is found by its name");
    assert_eq!(row(&block, 0).iter().sum::<f32>(), 1.0);
    assert_eq!(row(&block, 2), [0.0; 4]);
}
