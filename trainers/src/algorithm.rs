//! The list of algorithms: one line of the table below registers a trainer with the compliance suite, the
//! command line's help, the documentation's table and the benches.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::UnknownName;
#[cfg(feature = "fit")]
use crate::trainer::Trainer;

macro_rules! algorithms {
    ($($(#[$doc:meta])* $variant:ident = $name:literal => $trainer:path;)+) => {
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
    Constant = "constant" => crate::baseline::ConstantTrainer;
    /// Binary and multinomial logistic regression with an L2 penalty.
    LogisticRegression = "logistic_regression" => crate::linear::LogisticTrainer;
    /// Ordinary least squares.
    LinearRegression = "linear_regression" => crate::linear::LeastSquaresTrainer;
    /// Least squares with an L1 and L2 penalty.
    ElasticNet = "elastic_net" => crate::linear::ElasticNetTrainer;
    /// k nearest neighbours.
    Knn = "knn" => crate::neighbors::KnnTrainer;
    /// Naive Bayes with a normal distribution per class and feature.
    GaussianNaiveBayes = "gaussian_naive_bayes" => crate::bayes::GaussianTrainer;
    /// Leaf-wise gradient boosting with LightGBM's defaults.
    LightGbm = "light_gbm" => crate::trees::LIGHT_GBM;
    /// Depth-wise gradient boosting with XGBoost's defaults.
    XgBoost = "xg_boost" => crate::trees::XG_BOOST;
    /// Gradient boosting of symmetric trees with CatBoost's defaults.
    CatBoost = "cat_boost" => crate::trees::CAT_BOOST;
    /// Gradient boosting of shallow trees.
    GradientBoosting = "gradient_boosting" => crate::trees::GRADIENT_BOOSTING;
    /// Trees on bootstrapped rows, averaged.
    RandomForest = "random_forest" => crate::trees::RANDOM_FOREST;
    /// Trees with random thresholds, averaged.
    ExtremeRandomTrees = "extreme_random_trees" => crate::trees::EXTREME_RANDOM_TREES;
    /// A single tree.
    DecisionTree = "decision_tree" => crate::trees::DECISION_TREE;
}

impl Algorithm {
    /// The algorithm of this name; lower and upper case, `-` and `_` are the same.
    pub fn parse(name: &str) -> Result<Algorithm, UnknownName> {
        let wanted = name.trim().to_lowercase().replace('-', "_");
        Algorithm::all().iter().copied().find(|algorithm| algorithm.name() == wanted).ok_or_else(|| {
            UnknownName::new("algorithm", name, &Algorithm::all().iter().map(|a| a.name()).collect::<Vec<_>>())
        })
    }
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
    fn an_unknown_name_offers_the_nearest() {
        let error = Algorithm::parse("logistic_regresion").expect_err("a misspelling is no name");
        assert_eq!(error.to_string(), "no algorithm is called `logistic_regresion` (nearest: `logistic_regression`)");
    }
}
