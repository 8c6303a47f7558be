//! The list of algorithms: one line of the table below registers a trainer with the compliance suite, the
//! command line's help, the documentation's table and the benches.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::UnknownName;
#[cfg(feature = "fit")]
use crate::trainer::Trainer;

macro_rules! algorithms {
    ($($(#[$doc:meta])* $variant:ident = $name:literal | [$($alias:literal),*] => $trainer:path;)+) => {
        /// An algorithm by name. The names are stable: they stand in spaces, journals and model files.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Algorithm {
            $($(#[$doc])* $variant,)+
        }

        impl Algorithm {
            /// Every registered algorithm, the baseline first.
            pub fn all() -> &'static [Algorithm] {
                &[$(Algorithm::$variant,)+]
            }

            /// The stable name, such as `logistic_regression`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Algorithm::$variant => $name,)+
                }
            }

            /// Other names it is known by, without separators: Azure's, its Python classes', and what people say.
            pub fn aliases(self) -> &'static [&'static str] {
                match self {
                    $(Algorithm::$variant => &[$($alias),*],)+
                }
            }

            /// What fits it.
            #[cfg(feature = "fit")]
            pub fn trainer(self) -> &'static dyn Trainer {
                match self {
                    $(Algorithm::$variant => &$trainer,)+
                }
            }
        }
    };
}

algorithms! {
    /// The training rows' class shares or mean, whatever the features say: the baseline.
    Constant = "constant" | ["dummy", "dummyclassifier", "dummyregressor", "baseline"]
        => crate::baseline::ConstantTrainer;
    /// Binary and multinomial logistic regression with an L2 penalty.
    LogisticRegression = "logistic_regression" | ["logistic", "logreg", "lr"] => crate::linear::LogisticTrainer;
    /// Ordinary least squares.
    LinearRegression = "linear_regression" | ["ols", "leastsquares"] => crate::linear::LeastSquaresTrainer;
    /// Least squares with an L1 and L2 penalty.
    ElasticNet = "elastic_net" | ["enet"] => crate::linear::ElasticNetTrainer;
    /// k nearest neighbours.
    Knn = "knn" | ["kneighbors", "knearestneighbors", "kneighborsclassifier", "kneighborsregressor", "nearestneighbors"]
        => crate::neighbors::KnnTrainer;
    /// Naive Bayes with a normal distribution per class and feature.
    GaussianNaiveBayes = "gaussian_naive_bayes" | ["gaussiannb", "naivebayes"] => crate::bayes::GaussianTrainer;
    /// Leaf-wise gradient boosting with LightGBM's defaults.
    LightGbm = "light_gbm"
        | ["lgbm", "lgb", "lightgbmclassifier", "lightgbmregressor", "lgbmclassifier", "lgbmregressor"]
        => crate::trees::LIGHT_GBM;
    /// Depth-wise gradient boosting with XGBoost's defaults.
    XgBoost = "xg_boost" | ["xgb", "xgboostclassifier", "xgboostregressor", "xgbclassifier", "xgbregressor"]
        => crate::trees::XG_BOOST;
    /// Gradient boosting of symmetric trees with CatBoost's defaults.
    CatBoost = "cat_boost" | ["catboostclassifier", "catboostregressor"] => crate::trees::CAT_BOOST;
    /// Gradient boosting of shallow trees.
    GradientBoosting = "gradient_boosting" | ["gbm", "gradientboostingclassifier", "gradientboostingregressor"]
        => crate::trees::GRADIENT_BOOSTING;
    /// Trees on bootstrapped rows, averaged.
    RandomForest = "random_forest" | ["rf", "randomforestclassifier", "randomforestregressor"]
        => crate::trees::RANDOM_FOREST;
    /// Trees with random thresholds, averaged.
    ExtremeRandomTrees = "extreme_random_trees"
        | ["extratrees", "et", "extremelyrandomizedtrees", "extratreesclassifier", "extratreesregressor"]
        => crate::trees::EXTREME_RANDOM_TREES;
    /// A single tree.
    DecisionTree = "decision_tree" | ["tree", "cart", "decisiontreeclassifier", "decisiontreeregressor"]
        => crate::trees::DECISION_TREE;
    /// Linear and logistic regression under an L1 and L2 penalty, by averaged stochastic gradient descent.
    Sgd = "sgd" | ["sgdclassifier", "sgdregressor", "stochasticgradientdescent"] => crate::linear::SgdTrainer;
    /// Least squares with an L1 penalty.
    LassoLars = "lasso_lars" | ["lasso"] => crate::linear::LassoLarsTrainer;
    /// Naive Bayes with a multinomial distribution over the features.
    MultinomialNaiveBayes = "multinomial_naive_bayes" | ["multinomialnb"] => crate::bayes::MultinomialTrainer;
    /// Naive Bayes of features that are or are not there.
    BernoulliNaiveBayes = "bernoulli_naive_bayes" | ["bernoullinb"] => crate::bayes::BernoulliTrainer;
    /// A linear support vector machine, with probabilities.
    LinearSvm = "linear_svm" | ["linearsvc", "linearsvmclassifier"] => crate::svm::LinearSvmTrainer;
    /// A support vector machine along a kernel, with probabilities.
    Svm = "svm" | ["svc", "supportvectormachine", "kernelsvm"] => crate::svm::KernelSvmTrainer;
}

impl Algorithm {
    /// The algorithm of this name or alias, whatever its case and separators: `LightGBM`, `light-gbm` and `lgbm` are
    /// one.
    pub fn parse(name: &str) -> Result<Algorithm, UnknownName> {
        let wanted = plain(name);
        let is =
            |algorithm: &Algorithm| plain(algorithm.name()) == wanted || algorithm.aliases().contains(&wanted.as_str());
        Algorithm::all().iter().copied().find(is).ok_or_else(|| {
            UnknownName::new("algorithm", name, &Algorithm::all().iter().map(|a| a.name()).collect::<Vec<_>>())
        })
    }
}

/// Lower case, and neither separators nor spaces.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_match_serde() {
        for &algorithm in Algorithm::all() {
            assert_eq!(Algorithm::parse(algorithm.name()), Ok(algorithm));
            assert_eq!(
                serde_json::to_string(&algorithm).expect("a unit variant is a string"),
                format!("\"{}\"", algorithm.name())
            );
        }
        assert_eq!(Algorithm::parse("Elastic-Net"), Ok(Algorithm::ElasticNet));
    }

    #[test]
    fn other_names_are_known_and_mean_one_algorithm() {
        for (name, algorithm) in [
            ("LightGBM", Algorithm::LightGbm),
            ("xg_boost_classifier", Algorithm::XgBoost),
            ("xg_boost_regressor", Algorithm::XgBoost),
            ("XGBoostClassifier", Algorithm::XgBoost),
            ("RandomForest", Algorithm::RandomForest),
            ("Extra Trees", Algorithm::ExtremeRandomTrees),
            (" KNN ", Algorithm::Knn),
            ("MultinomialNaiveBayes", Algorithm::MultinomialNaiveBayes),
            ("LinearSVM", Algorithm::LinearSvm),
            ("LassoLars", Algorithm::LassoLars),
            ("SGD", Algorithm::Sgd),
        ] {
            assert_eq!(Algorithm::parse(name), Ok(algorithm), "{name}");
        }
        assert!(Algorithm::parse("TensorFlowDNN").is_err() && Algorithm::parse("").is_err());
        let mut all: Vec<String> = Algorithm::all().iter().map(|algorithm| plain(algorithm.name())).collect();
        for algorithm in Algorithm::all() {
            assert!(
                algorithm.aliases().iter().all(|alias| plain(alias) == *alias),
                "{algorithm}: no alias is written so"
            );
            all.extend(algorithm.aliases().iter().map(ToString::to_string));
        }
        let names = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), names, "a name has two meanings");
    }

    /// Azure's thirteen for classification and ten for regression.
    #[cfg(feature = "fit")]
    #[test]
    fn all_of_azures_are_there() {
        use crate::task::Task;
        let classification = "logistic_regression sgd multinomial_naive_bayes bernoulli_naive_bayes svm linear_svm knn \
            decision_tree random_forest extreme_random_trees light_gbm gradient_boosting xg_boost_classifier";
        let regression = "elastic_net gradient_boosting decision_tree knn lasso_lars sgd random_forest \
            extreme_random_trees light_gbm xg_boost_regressor";
        for (names, n, tasks) in
            [(classification, 13, &[Task::Binary, Task::Multiclass][..]), (regression, 10, &[Task::Regression])]
        {
            assert_eq!(names.split_whitespace().count(), n);
            for name in names.split_whitespace() {
                let algorithm = Algorithm::parse(name).expect("Azure has it");
                let own = algorithm.trainer().describe().tasks;
                assert!(tasks.iter().all(|task| own.contains(task)), "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_name_offers_the_nearest() {
        let error = Algorithm::parse("logistic_regresion").expect_err("a misspelling is no name");
        assert_eq!(error.to_string(), "no algorithm is called `logistic_regresion` (nearest: `logistic_regression`)");
    }
}
