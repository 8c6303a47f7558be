//! Figures of scikit-learn.

use super::*;
use crate::data::{Predictions, Target, TargetValues};
use crate::error::MetricError;
use crate::task::Task;

pub(super) fn classes(task: Task, codes: Vec<u32>) -> Target {
    let n_classes = if task == Task::Binary { 2 } else { 3 };
    let names = ["a", "b", "c"].map(String::from)[..n_classes].to_vec();
    Target { task, classes: names, values: TargetValues::Classes(codes) }
}

pub(super) fn numbers(values: &[f64]) -> Target {
    Target { task: Task::Regression, classes: Vec::new(), values: TargetValues::Numbers(values.to_vec()) }
}

pub(super) fn of_positive(positive: &[f64]) -> Predictions {
    Predictions::new(2, positive.iter().flat_map(|p| [1.0 - p, *p]).collect())
}

pub(super) fn binary() -> (Target, Predictions) {
    let positive = [0.1, 0.8, 0.35, 0.35, 0.9, 0.5, 0.05, 0.6, 0.35, 0.7, 0.95, 0.2];
    (classes(Task::Binary, vec![0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0]), of_positive(&positive))
}

pub(super) fn multiclass() -> (Target, Predictions) {
    let rows = [
        [0.7, 0.2, 0.1],
        [0.25, 0.5, 0.25],
        [0.1, 0.3, 0.6],
        [0.4, 0.35, 0.25],
        [0.05, 0.9, 0.05],
        [0.3, 0.4, 0.3],
        [0.2, 0.2, 0.6],
        [0.1, 0.6, 0.3],
        [0.55, 0.25, 0.2],
        [0.15, 0.2, 0.65],
        [0.25, 0.5, 0.25],
        [0.3, 0.45, 0.25],
    ];
    (classes(Task::Multiclass, vec![0, 1, 2, 1, 1, 0, 2, 1, 0, 1, 2, 1]), Predictions::new(3, rows.concat()))
}

/// The rows of some classes only.
fn only((target, predictions): &(Target, Predictions), kept: &[u32]) -> (Vec<u32>, Predictions) {
    let is_kept = |row: &u32| target.class(*row).is_some_and(|class| kept.contains(&class));
    let rows: Vec<u32> = (0..predictions.n_rows() as u32).filter(is_kept).collect();
    let values = rows.iter().flat_map(|&row| predictions.row(row as usize).to_vec()).collect();
    (rows, Predictions::new(predictions.n_outputs(), values))
}

pub(super) fn all_rows(predictions: &Predictions) -> Vec<u32> {
    (0..predictions.n_rows() as u32).collect()
}

fn check(target: &Target, rows: &[u32], predictions: &Predictions, threshold: f64, expected: &[(&str, f64)]) {
    for &(name, expected) in expected {
        let metric = Metric::parse(name).expect("a metric");
        let found = metric.score(target, rows, predictions, threshold).expect("the figure exists");
        assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1e-3), "{name}: {found}, expected {expected}");
    }
}

/// scikit-learn 1.9.1 on the arrays above; labels are `probability >= threshold`. `AUC_*` and
/// `average_precision_score_*` are `roc_auc_score` and `average_precision_score` of one-hot truth with that `average`,
/// `*_binary` of the positive class; `weighted_accuracy` is `accuracy_score(sample_weight=counts[y])`,
/// `norm_macro_recall` is `balanced_accuracy_score(adjusted=True)`.
#[test]
fn binary_scores_are_those_of_scikit_learn() {
    let (target, predictions) = binary();
    let rows = all_rows(&predictions);
    check(
        &target,
        &rows,
        &predictions,
        0.5,
        &[
            ("AUC_macro", 0.833_333_333_333_333_3),
            ("AUC_micro", 0.822_916_666_666_666_7),
            ("AUC_weighted", 0.833_333_333_333_333_4),
            ("AUC_binary", 0.833_333_333_333_333_3),
            ("average_precision_score_macro", 0.848_412_698_412_698_3),
            ("average_precision_score_micro", 0.840_030_394_442_159_2),
            ("average_precision_score_weighted", 0.848_412_698_412_698_4),
            ("average_precision_score_binary", 0.855_555_555_555_555_5),
            ("f1_score_macro", 0.666_666_666_666_666_6),
            ("f1_score_micro", 0.666_666_666_666_666_6),
            ("f1_score_weighted", 0.666_666_666_666_666_6),
            ("f1_score_binary", 0.666_666_666_666_666_6),
            ("precision_score_macro", 0.666_666_666_666_666_6),
            ("precision_score_micro", 0.666_666_666_666_666_6),
            ("precision_score_weighted", 0.666_666_666_666_666_6),
            ("precision_score_binary", 0.666_666_666_666_666_6),
            ("recall_score_macro", 0.666_666_666_666_666_6),
            ("recall_score_micro", 0.666_666_666_666_666_6),
            ("recall_score_weighted", 0.666_666_666_666_666_6),
            ("recall_score_binary", 0.666_666_666_666_666_6),
            ("norm_macro_recall", 0.333_333_333_333_333_26),
            ("weighted_accuracy", 0.666_666_666_666_666_6),
            ("brier_score", 0.164_375_000_000_000_02),
            ("cohen_kappa", 0.333_333_333_333_333_37),
            ("accuracy", 0.666_666_666_666_666_6),
            ("balanced_accuracy", 0.666_666_666_666_666_6),
            ("matthews_correlation", 0.333_333_333_333_333_3),
            ("log_loss", 0.474_830_624_705_071_15),
        ],
    );
    check(
        &target,
        &rows,
        &predictions,
        0.35,
        &[
            ("f1_score_macro", 0.733_333_333_333_333_4),
            ("f1_score_micro", 0.75),
            ("f1_score_weighted", 0.733_333_333_333_333_4),
            ("f1_score_binary", 0.8),
            ("precision_score_macro", 0.833_333_333_333_333_3),
            ("precision_score_micro", 0.75),
            ("precision_score_weighted", 0.833_333_333_333_333_4),
            ("precision_score_binary", 0.666_666_666_666_666_6),
            ("recall_score_macro", 0.75),
            ("recall_score_micro", 0.75),
            ("recall_score_weighted", 0.75),
            ("recall_score_binary", 1.0),
            ("norm_macro_recall", 0.5),
            ("weighted_accuracy", 0.75),
            ("cohen_kappa", 0.5),
            ("accuracy", 0.75),
            ("balanced_accuracy", 0.75),
            ("matthews_correlation", 0.577_350_269_189_625_7),
        ],
    );
}

/// scikit-learn 1.9.1 with the same calls; `brier_score_loss(labels=range(3))`.
#[test]
fn multiclass_scores_are_those_of_scikit_learn() {
    let (target, predictions) = multiclass();
    check(
        &target,
        &all_rows(&predictions),
        &predictions,
        0.9,
        &[
            ("AUC_macro", 0.822_530_864_197_530_9),
            ("AUC_micro", 0.845_486_111_111_111_2),
            ("AUC_weighted", 0.807_870_370_370_370_3),
            ("average_precision_score_macro", 0.738_756_613_756_613_6),
            ("average_precision_score_micro", 0.751_898_656_898_657),
            ("average_precision_score_weighted", 0.752_579_365_079_365),
            ("f1_score_macro", 0.666_666_666_666_666_6),
            ("f1_score_micro", 0.666_666_666_666_666_6),
            ("f1_score_weighted", 0.666_666_666_666_666_6),
            ("precision_score_macro", 0.666_666_666_666_666_6),
            ("precision_score_micro", 0.666_666_666_666_666_6),
            ("precision_score_weighted", 0.666_666_666_666_666_6),
            ("recall_score_macro", 0.666_666_666_666_666_6),
            ("recall_score_micro", 0.666_666_666_666_666_6),
            ("recall_score_weighted", 0.666_666_666_666_666_6),
            ("norm_macro_recall", 0.499_999_999_999_999_94),
            ("weighted_accuracy", 0.666_666_666_666_666_6),
            ("brier_score", 0.449_583_333_333_333_3),
            ("cohen_kappa", 0.466_666_666_666_666_7),
            ("accuracy", 0.666_666_666_666_666_6),
            ("balanced_accuracy", 0.666_666_666_666_666_6),
            ("matthews_correlation", 0.466_666_666_666_666_7),
            ("log_loss", 0.777_794_284_233_872_9),
        ],
    );
}

/// scikit-learn 1.9.1 on the rows that are not of the third class, which some of them are predicted as.
#[test]
fn a_class_that_no_row_has() {
    let data = multiclass();
    let (rows, predictions) = only(&data, &[0, 1]);
    check(
        &data.0,
        &rows,
        &predictions,
        0.5,
        &[
            ("AUC_micro", 0.854_938_271_604_938_3),
            ("average_precision_score_micro", 0.768_999_518_999_519_1),
            ("f1_score_macro", 0.464_646_464_646_464_7),
            ("f1_score_micro", 0.666_666_666_666_666_6),
            ("f1_score_weighted", 0.707_070_707_070_707_1),
            ("precision_score_macro", 0.488_888_888_888_888_93),
            ("precision_score_micro", 0.666_666_666_666_666_6),
            ("precision_score_weighted", 0.755_555_555_555_555_6),
            ("recall_score_macro", 0.444_444_444_444_444_4),
            ("recall_score_micro", 0.666_666_666_666_666_6),
            ("recall_score_weighted", 0.666_666_666_666_666_6),
            ("norm_macro_recall", 0.333_333_333_333_333_26),
            ("weighted_accuracy", 0.666_666_666_666_666_6),
            ("brier_score", 0.446_666_666_666_666_7),
            ("cohen_kappa", 0.357_142_857_142_857_2),
            ("accuracy", 0.666_666_666_666_666_6),
            ("balanced_accuracy", 0.666_666_666_666_666_6),
            ("matthews_correlation", 0.368_604_890_387_242_87),
            ("log_loss", 0.769_509_533_572_733_4),
        ],
    );
}

/// scikit-learn 1.9.1, every row predicted `[0.6, 0.4]`, or `[0.2, 0.5, 0.3]`.
#[test]
fn the_same_prediction_for_every_row() {
    let (target, predictions) = binary();
    let rows = all_rows(&predictions);
    check(
        &target,
        &rows,
        &of_positive(&[0.4; 12]),
        0.5,
        &[
            ("AUC_macro", 0.5),
            ("AUC_micro", 0.5),
            ("AUC_weighted", 0.5),
            ("AUC_binary", 0.5),
            ("average_precision_score_macro", 0.5),
            ("average_precision_score_micro", 0.5),
            ("average_precision_score_weighted", 0.5),
            ("average_precision_score_binary", 0.5),
            ("f1_score_macro", 0.333_333_333_333_333_3),
            ("f1_score_micro", 0.5),
            ("f1_score_weighted", 0.333_333_333_333_333_3),
            ("f1_score_binary", 0.0),
            ("precision_score_macro", 0.25),
            ("precision_score_micro", 0.5),
            ("precision_score_weighted", 0.25),
            ("precision_score_binary", 0.0),
            ("recall_score_macro", 0.5),
            ("recall_score_micro", 0.5),
            ("recall_score_weighted", 0.5),
            ("recall_score_binary", 0.0),
            ("norm_macro_recall", 0.0),
            ("weighted_accuracy", 0.5),
            ("brier_score", 0.26),
            ("cohen_kappa", 0.0),
            ("accuracy", 0.5),
            ("balanced_accuracy", 0.5),
            ("matthews_correlation", 0.0),
            ("log_loss", 0.713_558_177_820_072_8),
        ],
    );
    let (target, _) = multiclass();
    check(
        &target,
        &rows,
        &Predictions::new(3, [0.2, 0.5, 0.3].repeat(12)),
        0.5,
        &[
            ("AUC_macro", 0.5),
            ("AUC_micro", 0.625),
            ("AUC_weighted", 0.5),
            ("average_precision_score_macro", 0.333_333_333_333_333_3),
            ("average_precision_score_micro", 0.427_083_333_333_333_3),
            ("average_precision_score_weighted", 0.375),
            ("f1_score_macro", 0.222_222_222_222_222_2),
            ("f1_score_micro", 0.5),
            ("f1_score_weighted", 0.333_333_333_333_333_3),
            ("precision_score_macro", 0.166_666_666_666_666_66),
            ("precision_score_micro", 0.5),
            ("precision_score_weighted", 0.25),
            ("recall_score_macro", 0.333_333_333_333_333_3),
            ("recall_score_micro", 0.5),
            ("recall_score_weighted", 0.5),
            ("norm_macro_recall", 0.0),
            ("weighted_accuracy", 0.666_666_666_666_666_6),
            ("brier_score", 0.630_000_000_000_000_1),
            ("cohen_kappa", 0.0),
            ("accuracy", 0.5),
            ("balanced_accuracy", 0.333_333_333_333_333_3),
            ("matthews_correlation", 0.0),
            ("log_loss", 1.049_926_269_469_981_6),
        ],
    );
}

/// scikit-learn 1.9.1 on the rows of the positive class; it has no area and no adjusted recall there, and gives its
/// average precision of a class without rows as 0, where there is none here.
#[test]
fn one_class_has_no_ranking() {
    let data = binary();
    let (rows, predictions) = only(&data, &[1]);
    check(
        &data.0,
        &rows,
        &predictions,
        0.5,
        &[
            ("AUC_micro", 0.777_777_777_777_777_8),
            ("average_precision_score_micro", 0.833_333_333_333_333_3),
            ("f1_score_macro", 0.4),
            ("f1_score_micro", 0.666_666_666_666_666_6),
            ("f1_score_weighted", 0.800_000_000_000_000_2),
            ("f1_score_binary", 0.8),
            ("precision_score_macro", 0.5),
            ("precision_score_micro", 0.666_666_666_666_666_6),
            ("precision_score_weighted", 1.0),
            ("precision_score_binary", 1.0),
            ("recall_score_macro", 0.333_333_333_333_333_3),
            ("recall_score_micro", 0.666_666_666_666_666_6),
            ("recall_score_weighted", 0.666_666_666_666_666_6),
            ("recall_score_binary", 0.666_666_666_666_666_6),
            ("weighted_accuracy", 0.666_666_666_666_666_6),
            ("brier_score", 0.176_250_000_000_000_02),
            ("cohen_kappa", 0.0),
            ("accuracy", 0.666_666_666_666_666_6),
            ("balanced_accuracy", 0.666_666_666_666_666_6),
            ("matthews_correlation", 0.0),
            ("log_loss", 0.498_377_872_353_822_2),
        ],
    );
    for name in ["roc_auc", "AUC_macro", "AUC_weighted", "AUC_binary", "average_precision", "norm_macro_recall"] {
        let outcome = Metric::parse(name).expect("a metric").score(&data.0, &rows, &predictions, 0.5);
        assert!(matches!(outcome, Err(MetricError::Undefined { .. })), "{name}: {outcome:?}");
    }
    let none = Metric::CohenKappa.score(&data.0, &rows, &of_positive(&[0.9; 6]), 0.5);
    assert!(matches!(none, Err(MetricError::Undefined { .. })), "{none:?}");
    assert_eq!(Metric::F1.score(&data.0, &rows, &predictions, 2.0), Ok(0.0));
}

const TRUTH: [f64; 10] = [3.0, 0.5, 2.0, 7.0, 4.25, 2.0, 1.5, 10.0, 6.0, 2.5];
const PREDICTED: [f64; 10] = [2.5, 1.0, 2.0, 8.0, 4.0, 2.0, 1.0, 8.5, 6.5, 4.0];

fn check_numbers(truth: &[f64], predicted: &[f64], expected: &[(&str, f64)]) {
    let predictions = Predictions::new(1, predicted.to_vec());
    check(&numbers(truth), &all_rows(&predictions), &predictions, 0.5, expected);
}

/// scikit-learn 1.9.1 and `SciPy` 1.17.1; normalized errors are divided by `np.ptp` of the truth.
#[test]
fn numbers_are_scored_as_in_scikit_learn() {
    let below_zero = [3.0, -0.5, 2.0, 7.0, 4.25, 2.0, -1.5, 10.0, 6.0, 2.5];
    check_numbers(
        &below_zero,
        &[2.5, 0.0, 2.0, 8.0, 4.0, 2.0, -1.0, 8.5, 6.5, 4.0],
        &[
            ("rmse", 0.810_092_587_300_982_5),
            ("normalized_root_mean_squared_error", 0.070_442_833_678_346_3),
            ("mse", 0.656_25),
            ("mae", 0.625),
            ("normalized_mean_absolute_error", 0.054_347_826_086_956_52),
            ("r2", 0.939_267_742_495_228_2),
            ("median_absolute_error", 0.5),
            ("normalized_median_absolute_error", 0.043_478_260_869_565_216),
            ("explained_variance", 0.942_101_914_512_117_6),
            ("mape", 0.253_501_400_560_224_1),
            ("spearman_correlation", 0.978_597_848_105_453_7),
        ],
    );
    check_numbers(
        &TRUTH,
        &PREDICTED,
        &[
            ("rmse", 0.810_092_587_300_982_5),
            ("normalized_root_mean_squared_error", 0.085_272_903_926_419_22),
            ("mse", 0.656_25),
            ("mae", 0.625),
            ("normalized_mean_absolute_error", 0.065_789_473_684_210_52),
            ("r2", 0.916_567_342_073_897_5),
            ("median_absolute_error", 0.5),
            ("normalized_median_absolute_error", 0.052_631_578_947_368_42),
            ("explained_variance", 0.917_282_479_141_835_5),
            ("mape", 0.253_501_400_560_224_1),
            ("rmsle", 0.178_915_506_964_172_13),
            ("normalized_root_mean_squared_log_error", 0.018_833_211_259_386_54),
            ("mean_poisson_deviance", 0.170_289_522_486_904),
            ("mean_gamma_deviance", 0.085_568_441_039_925_7),
            ("spearman_correlation", 0.975_478_480_327_811_1),
        ],
    );
    let with_zero: Vec<f64> = TRUTH.iter().map(|&t| if t == 0.5 { 0.0 } else { t }).collect();
    check_numbers(
        &with_zero,
        &PREDICTED,
        &[
            ("rmse", 0.855_131_568_824_353_5),
            ("normalized_root_mean_squared_error", 0.085_513_156_882_435_35),
            ("mse", 0.731_25),
            ("mae", 0.675),
            ("normalized_mean_absolute_error", 0.0675),
            ("r2", 0.911_100_980_168_680_2),
            ("median_absolute_error", 0.5),
            ("normalized_median_absolute_error", 0.05),
            ("explained_variance", 0.913_000_531_874_477_6),
            ("mape", 450_359_962_737_049.8),
            ("rmsle", 0.267_917_827_967_926_9),
            ("normalized_root_mean_squared_log_error", 0.026_791_782_796_792_69),
            ("mean_poisson_deviance", 0.339_604_240_542_898_5),
            ("spearman_correlation", 0.975_478_480_327_811_1),
        ],
    );
}

/// scikit-learn 1.9.1; a constant prediction has no rank correlation in `SciPy` and scores 0 here.
#[test]
fn numbers_that_do_not_vary() {
    check_numbers(
        &[2.0; 4],
        &[2.0, 2.0, 3.0, 2.0],
        &[
            ("rmse", 0.5),
            ("mse", 0.25),
            ("mae", 0.25),
            ("r2", 0.0),
            ("median_absolute_error", 0.0),
            ("explained_variance", 0.0),
            ("mape", 0.125),
            ("rmsle", 0.143_841_036_225_890_4),
            ("mean_poisson_deviance", 0.094_534_891_891_835_62),
            ("mean_gamma_deviance", 0.036_065_887_387_415_56),
        ],
    );
    check_numbers(
        &TRUTH,
        &[3.0; 10],
        &[
            ("rmse", 2.937_898_909_084_517_6),
            ("normalized_root_mean_squared_error", 0.309_252_516_745_738_67),
            ("mse", 8.631_25),
            ("mae", 2.175),
            ("normalized_mean_absolute_error", 0.228_947_368_421_052_62),
            ("r2", -0.097_338_100_913_786_36),
            ("median_absolute_error", 1.375),
            ("normalized_median_absolute_error", 0.144_736_842_105_263_16),
            ("explained_variance", 0.0),
            ("mape", 0.926_554_621_848_739_4),
            ("rmsle", 0.570_717_899_811_676_4),
            ("normalized_root_mean_squared_log_error", 0.060_075_568_401_229_094),
            ("mean_poisson_deviance", 2.169_346_954_019_577),
            ("mean_gamma_deviance", 0.660_420_109_984_73),
            ("spearman_correlation", 0.0),
        ],
    );
    check_numbers(
        &TRUTH[..1],
        &PREDICTED[..1],
        &[
            ("rmse", 0.5),
            ("mse", 0.25),
            ("mae", 0.5),
            ("median_absolute_error", 0.5),
            ("explained_variance", 1.0),
            ("mape", 0.166_666_666_666_666_66),
            ("rmsle", 0.133_531_392_624_522_52),
            ("mean_poisson_deviance", 0.093_929_340_763_727_61),
            ("mean_gamma_deviance", 0.035_356_886_412_090_56),
        ],
    );
    check_numbers(&[2.0; 3], &[2.0; 3], &[("r2", 1.0), ("explained_variance", 1.0)]);
}

/// Where scikit-learn raises, so is it here.
#[test]
fn numbers_without_a_figure() {
    for (name, truth, predicted, why) in [
        ("r2", [2.0].as_slice(), [2.0].as_slice(), "two rows"),
        ("rmsle", &[-1.0, 2.0], &[1.0, 2.0], "a target"),
        ("rmsle", &[1.0, 2.0], &[-1.0, 2.0], "a prediction"),
        ("mean_poisson_deviance", &[-0.5, 2.0], &[1.0, 2.0], "a target"),
        ("mean_poisson_deviance", &[0.0, 2.0], &[0.0, 2.0], "a prediction"),
        ("mean_gamma_deviance", &[0.0, 2.0], &[1.0, 2.0], "a target"),
        ("mean_gamma_deviance", &[1.0, 2.0], &[0.0, 2.0], "a prediction"),
        ("spearman_correlation", &[1.0, 1.0], &[5.0, 6.0], "constant"),
        ("normalized_mean_absolute_error", &[1.0, 1.0], &[5.0, 6.0], "constant"),
    ] {
        let predictions = Predictions::new(1, predicted.to_vec());
        let metric = Metric::parse(name).expect("a metric");
        let error = metric.score(&numbers(truth), &all_rows(&predictions), &predictions, 0.5).expect_err("undefined");
        assert!(error.to_string().contains(why), "{name}: {error}");
    }
}

/// The range is that of the training target, whatever rows are scored and wherever they are from.
#[test]
fn normalized_errors_know_the_training_target() {
    let target = numbers(&[0.0, 10.0, 4.0, 5.0]);
    let predictions = Predictions::new(1, vec![5.0, 7.0]);
    let metric = Metric::NormalizedMeanAbsoluteError;
    assert_eq!(metric.score(&target, &[2, 3], &predictions, 0.5), Ok(0.15));
    assert_eq!(Measure::new(metric, Some((0.0, 30.0))).score(&target, &[2, 3], &predictions, 0.5), Ok(0.05));
    let unknown = Measure::new(metric, None).score(&target, &[2, 3], &predictions, 0.5);
    assert!(matches!(unknown, Err(MetricError::Undefined { .. })));
    assert_eq!(Measure::new(Metric::Mae, None).score(&target, &[2, 3], &predictions, 0.5), Ok(1.5));
}

/// Rounding once carried this beyond -1.
#[test]
fn a_perfectly_wrong_answer_is_no_worse_than_that() {
    let target = classes(Task::Multiclass, vec![1, 1, 1, 2]);
    let predictions =
        Predictions::new(3, [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]].concat());
    let score =
        Metric::MatthewsCorrelation.score(&target, &all_rows(&predictions), &predictions, 0.5).expect("a score");
    assert!((-1.0..-0.999).contains(&score), "{score}");
}
