//! Laws of explanations, on models that were fitted.

use std::sync::Arc;

use datasets::{Column, Raw, RawColumn, RawValues, Schema, Table, TextColumn, TypeOverrides, Values};
use proptest::prelude::*;

use super::*;
use crate::error::ExplainError;
use crate::metric::{Measure, Metric};
use crate::model::{Chain, Estimator, Fitted, LogScale, Logarithm, Member, Model, ModelCard};
use crate::testing;
use crate::transform::{FeaturePlan, Featurizer};
use crate::{Algorithm, Predictions, Target, TargetValues, Task, TrainData};

const LEVELS: [&str; 3] = ["Lyon", "Oslo", "Rome"];

/// `age`, with missing cells, `city`, and `noise` that the target does not know.
fn table(rows: &[(u8, u8, u8)]) -> Table {
    let ages = rows.iter().map(|row| if row.0 == 0 { f64::NAN } else { f64::from(row.0) }).collect();
    let codes = rows.iter().map(|row| u32::from(row.1)).collect();
    let levels: Arc<[String]> = LEVELS.map(String::from).into();
    let noise = rows.iter().map(|row| f64::from(row.2)).collect();
    let columns = vec![
        Column::new("age", Values::Number(ages)),
        Column::new("city", Values::Category { codes, levels }),
        Column::new("noise", Values::Number(noise)),
    ];
    Table::new(columns).expect("columns of one length")
}

fn target(task: Task, rows: &[(u8, u8, u8)]) -> Target {
    let of = |row: &(u8, u8, u8)| u32::from(row.0) / 4 + u32::from(row.1);
    let n_classes = if task == Task::Binary { 2 } else { 3 };
    let values = match task {
        Task::Regression => TargetValues::Numbers(rows.iter().map(|row| f64::from(of(row))).collect()),
        _ => TargetValues::Classes(rows.iter().map(|row| of(row) % n_classes).collect()),
    };
    let names = ["a", "b", "c"].iter().take(if task == Task::Regression { 0 } else { n_classes as usize });
    Target { task, classes: names.map(ToString::to_string).collect(), values }
}

fn card(target: &Target) -> ModelCard {
    let mut cells = TextColumn::new();
    for cell in ["1", "2", "1"] {
        cells.push(Some(cell));
    }
    let raw = Raw::from_columns(vec![RawColumn { name: "y".to_string(), values: RawValues::Text(cells) }]);
    let (schema, _) = Schema::infer(&raw, &TypeOverrides::default()).expect("a plain column");
    ModelCard {
        task: target.task,
        target: "y".to_string(),
        target_schema: schema.columns[0].clone(),
        classes: target.classes.clone(),
        metric: "accuracy".to_string(),
        threshold: None,
        positive: None,
        schema,
        target_range: None,
        trained_on: String::new(),
        seed: 1,
        automl_version: String::new(),
    }
}

fn member(algorithm: Algorithm, table: &Table, target: &Target) -> Member {
    let input = algorithm.trainer().describe().input;
    let columns = table.columns().iter().map(|column| column.name.clone()).collect();
    let plan = FeaturePlan {
        categorical: input.categorical,
        scaling: input.scaling,
        columns,
        settings: crate::transform::FeatureSettings::default(),
    };
    let rows: Vec<u32> = (0..table.n_rows() as u32).collect();
    let features = Featurizer::fit(&plan, table, &rows).expect("plain columns");
    let block = Arc::new(features.apply(table).expect("the same columns"));
    let data = TrainData::new(vec![block], rows.into(), Arc::new(target.clone()), 3);
    let params = algorithm.trainer().default_params(&data.shape());
    let estimator = testing::fit(algorithm, &data, &params).expect("a sound problem");
    Member { weight: 1.0, chains: vec![Chain { features, estimator }], name: algorithm.to_string() }
}

fn fitted(algorithms: &[Algorithm], table: &Table, target: &Target) -> Fitted {
    let members = algorithms.iter().map(|&algorithm| member(algorithm, table, target)).collect();
    Fitted::new(card(target), members)
}

/// The outputs that are explained: of two classes the second.
fn explained(predictions: &Predictions, row: usize) -> &[f64] {
    let row = predictions.row(row);
    if row.len() == 2 { &row[1..] } else { row }
}

fn assert_adds_up(model: &Fitted, table: &Table) {
    let rows: Vec<u32> = (0..table.n_rows() as u32).rev().collect();
    let explained_rows = table.take(&rows).expect("its own rows");
    let predictions = model.predict(table).expect("its own columns");
    let by_column = shap(model, table, &explained_rows, View::Columns).unwrap_or_else(|error| panic!("{error}"));
    let by_feature = shap(model, table, &explained_rows, View::Features).expect("likewise");
    assert_eq!(by_column.names, ["age", "city", "noise"]);
    assert_eq!((by_column.n_rows(), by_feature.n_rows()), (rows.len(), rows.len()));
    for (i, &row) in rows.iter().enumerate() {
        testing::assert_close(&by_column.prediction(i), explained(&predictions, row as usize), 1e-5);
        for output in 0..by_column.base.len() {
            let sum = |shap: &Shap| shap.of(i, output).iter().sum::<f64>();
            assert!((sum(&by_column) - sum(&by_feature)).abs() < 1e-9, "columns and features add up to the same");
        }
    }
}

fn some_rows() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec((0_u8..9, 0_u8..3, 0_u8..50), 40..60).prop_map(|mut rows| {
        // Every class and level is there.
        rows.extend([(1, 0, 1), (1, 1, 2), (1, 2, 3), (5, 0, 4)]);
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// The base and all values add up to the prediction, for every algorithm with exact values.
    #[test]
    fn values_and_base_are_the_prediction(rows in some_rows()) {
        let table = table(&rows);
        for (task, algorithms) in [
            (Task::Binary, [Algorithm::LightGbm, Algorithm::RandomForest, Algorithm::LogisticRegression]),
            (Task::Multiclass, [Algorithm::CatBoost, Algorithm::RandomForest, Algorithm::LogisticRegression]),
            (Task::Regression, [Algorithm::XgBoost, Algorithm::ElasticNet, Algorithm::LinearRegression]),
        ] {
            let target = target(task, &rows);
            for algorithm in algorithms {
                assert_adds_up(&fitted(&[algorithm], &table, &target), &table);
            }
        }
        // A mean of numbers, or of shares of two classes, is one of what their values add up to.
        let numbers = [Algorithm::LinearRegression, Algorithm::LightGbm, Algorithm::Constant];
        assert_adds_up(&fitted(&numbers, &table, &target(Task::Regression, &rows)), &table);
        let shares = [Algorithm::RandomForest, Algorithm::ExtremeRandomTrees, Algorithm::DecisionTree];
        assert_adds_up(&fitted(&shares, &table, &target(Task::Binary, &rows)), &table);
    }

    /// Over the background, the values of a weighted sum are 0 in the mean.
    #[test]
    fn a_weighted_sum_is_explained_against_its_background(rows in some_rows()) {
        let (table, target) = (table(&rows), target(Task::Regression, &rows));
        let shap = shap(&fitted(&[Algorithm::LinearRegression], &table, &target), &table, &table, View::Columns)
            .expect("exact");
        for part in 0..shap.names.len() {
            let mean = (0..shap.n_rows()).map(|row| shap.of(row, 0)[part]).sum::<f64>() / shap.n_rows() as f64;
            prop_assert!(mean.abs() < 1e-5, "{mean}");
        }
    }
}

fn plain_rows() -> Vec<(u8, u8, u8)> {
    (0..90_u8).map(|i| (i % 9, i / 9 % 3, (u32::from(i) * 37 % 50) as u8)).collect()
}

#[test]
fn logarithms_add_up_where_they_are_those_of_the_prediction_and_are_refused_elsewhere() {
    let rows = plain_rows();
    let table = table(&rows);
    let numbers = |least: f64| -> Vec<f64> {
        let target = target(Task::Regression, &rows);
        (0..rows.len() as u32).map(|row| target.number(row).expect("a number") + least).collect()
    };
    let learned = |algorithm: Algorithm, least: f64| {
        let numbers = numbers(least);
        let scale = LogScale::of(numbers.iter().copied());
        let logarithms = numbers.iter().map(|y| scale.logarithm(*y)).collect();
        let target = Target { task: Task::Regression, classes: Vec::new(), values: TargetValues::Numbers(logarithms) };
        let mut model = fitted(&[algorithm], &table, &target);
        let chain = &mut model.members[0].chains[0];
        let estimator = Box::new(chain.estimator.clone());
        chain.estimator = Estimator::Logarithm(Logarithm { scale, estimator });
        model
    };
    assert_adds_up(&learned(Algorithm::LightGbm, 1.0), &table);
    let of = |model: &Fitted| shap(model, &table, &table, View::Columns).expect_err("there is no exact way");
    let zeros = of(&learned(Algorithm::LightGbm, 0.0));
    assert!(matches!(zeros, ExplainError::BoundLogarithm { .. }), "{zeros}");
    assert!(zeros.to_string().contains("`light_gbm`") && zeros.to_string().contains("--block-transformer"), "{zeros}");
    let knn = of(&learned(Algorithm::Knn, 1.0));
    assert!(matches!(knn, ExplainError::NoExactShap { algorithm: Algorithm::Knn, .. }), "{knn}");
}

#[test]
fn what_has_no_exact_values_is_named_with_what_to_do() {
    let rows = plain_rows();
    let table = table(&rows);
    let target = target(Task::Binary, &rows);
    let of = |model: &Fitted| shap(model, &table, &table, View::Columns).expect_err("there is no exact way");
    let knn = of(&fitted(&[Algorithm::Knn], &table, &target));
    assert!(matches!(knn, ExplainError::NoExactShap { algorithm: Algorithm::Knn, .. }), "{knn}");
    assert!(knn.to_string().contains("knn"), "{knn}");
    let both = fitted(&[Algorithm::LightGbm, Algorithm::LogisticRegression], &table, &target);
    let blend = of(&both);
    assert!(blend.to_string().contains("--member") && blend.to_string().contains("light_gbm"), "{blend}");
    assert_adds_up(&part(&both, "logistic_regression").expect("a member"), &table);
    assert!(matches!(part(&both, "xyz"), Err(ExplainError::NoPart { .. })));
    let mut bag = fitted(&[Algorithm::LightGbm], &table, &target);
    let again = bag.members[0].chains[0].clone();
    bag.members[0].chains.push(again);
    assert_eq!(parts(&bag), ["light_gbm/1", "light_gbm/2"]);
    assert!(matches!(of(&bag), ExplainError::Blend { .. }));
    assert_adds_up(&part(&bag, "light_gbm/2").expect("a chain"), &table);
}

#[test]
fn shuffling_costs_where_a_part_is_used() {
    let rows = plain_rows();
    let table = table(&rows);
    let target = target(Task::Regression, &rows);
    let model = fitted(&[Algorithm::LinearRegression], &table, &target);
    let all: Vec<u32> = (0..90).collect();
    let orders: Vec<Vec<u32>> = (1..6).map(|k| (0..90).map(|i| (i * 7 + k * 11) % 90).collect()).collect();
    let measure = Measure::new(Metric::Rmse, None);
    for view in [View::Columns, View::Features] {
        let inputs = Inputs::new(&model, &table, view).expect("its own columns");
        let of = |name: &str, orders: &[Vec<u32>]| {
            let at = inputs.names().iter().position(|known| known == name).expect("a part");
            let score =
                |p: &Predictions| measure.score(&target, &all, p, 0.5).map(|score| measure.goal().signed(score));
            let whole = score(&inputs.predict()).expect("a score");
            importance(&inputs, at, &score, whole, orders).expect("a score")
        };
        let (age, noise) = (of("age", &orders), of("noise", &orders));
        assert!(age.mean > 0.1 && age.deviation > 0.0, "{age:?}");
        assert!(noise.mean.abs() < age.mean / 5.0, "{noise:?}");
        let still = of("age", std::slice::from_ref(&all));
        assert_eq!((still.mean, still.deviation), (0.0, 0.0), "rows in their own order lose nothing");
    }
}

#[test]
fn a_line_depends_in_a_line() {
    let rows = plain_rows();
    let table = table(&rows);
    let model = fitted(&[Algorithm::LinearRegression], &table, &target(Task::Regression, &rows));
    let inputs = Inputs::new(&model, &table, View::Columns).expect("its own columns");
    let ages = dependence(&inputs, 0, 20).expect("numbers");
    assert_eq!(ages.values, ["1", "2", "3", "4", "5", "6", "7", "8"], "missing cells are no value");
    let slope = ages.means[1][0] - ages.means[0][0];
    assert!(slope > 0.1);
    for pair in ages.means.windows(2) {
        assert!((pair[1][0] - pair[0][0] - slope).abs() < 1e-5, "{ages:?}");
    }
    let cities = dependence(&inputs, 1, 20).expect("levels");
    assert_eq!(cities.values, LEVELS);
    assert!(cities.means[2][0] > cities.means[1][0] && cities.means[1][0] > cities.means[0][0], "{cities:?}");
    assert_eq!(dependence(&inputs, 2, 5).expect("quantiles").values.len(), 5);
    let features = Inputs::new(&model, &table, View::Features).expect("its own columns");
    let oslo = features.names().iter().position(|name| name == "city=Oslo").expect("a feature");
    assert_eq!(dependence(&features, oslo, 20).expect("two values").values, ["0", "1"]);
}
