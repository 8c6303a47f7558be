//! Parameters by name: one line a setting. Names are those of the scikit-learn interfaces of LightGBM and XGBoost.

use hyperdrive::{Params, StudyError, Value};

use crate::data::Shape;
use crate::error::TrainError;
use crate::task::Task;
use crate::trees::growth::{Order, refused};
use crate::trees::loss::Objective;
use crate::trees::settings::{Boost, Mode};

/// Applies parameters to settings, in their order.
pub(super) fn apply(boost: &mut Boost, shape: &Shape, params: &Params) -> Result<(), TrainError> {
    for (name, value) in params.iter() {
        set(boost, shape, params, name, value)?;
    }
    Ok(())
}

fn set(boost: &mut Boost, shape: &Shape, params: &Params, name: &str, value: &Value) -> Result<(), TrainError> {
    let float = || params.float(name);
    let count = || -> Result<usize, TrainError> {
        let whole = params.int(name)?;
        usize::try_from(whole).map_err(|_| unusable(name, value, "it must not be negative"))
    };
    let growth = &mut boost.growth;
    match name {
        "n_estimators" => boost.n_estimators = count()?,
        "learning_rate" => {
            if let Mode::Boosting { learning_rate, .. } = &mut boost.mode {
                *learning_rate = float()?;
            }
        }
        "early_stopping_rounds" => {
            if let Mode::Boosting { early_stopping_rounds, .. } = &mut boost.mode {
                *early_stopping_rounds = count()?;
            }
        }
        "bootstrap" => {
            if let Mode::Forest { bootstrap } = &mut boost.mode {
                *bootstrap = truth(params, name, value)?;
            }
        }
        "subsample" => boost.subsample = float()?,
        "num_leaves" => growth.num_leaves = count()?,
        "max_depth" => growth.max_depth = count()?,
        "min_child_samples" => growth.min_child_samples = count()?,
        "min_child_weight" => growth.min_child_weight = float()?,
        "min_split_gain" => growth.min_split_gain = float()?,
        "reg_alpha" => growth.reg_alpha = float()?,
        "reg_lambda" => growth.reg_lambda = float()?,
        "max_delta_step" => growth.max_delta_step = float()?,
        "path_smooth" => growth.path_smooth = float()?,
        "colsample_bytree" => growth.colsample_bytree = float()?,
        "colsample_bynode" => growth.colsample_bynode = float()?,
        "max_cat_to_onehot" => growth.max_cat_to_onehot = count()?,
        "max_cat_threshold" => growth.max_cat_threshold = count()?,
        "cat_smooth" => growth.cat_smooth = float()?,
        "cat_l2" => growth.cat_l2 = float()?,
        "min_data_per_group" => growth.min_data_per_group = count()?,
        "extra_trees" => growth.extra_trees = truth(params, name, value)?,
        "cat_statistics" => boost.cat_statistics = truth(params, name, value)?,
        "grow_policy" => {
            growth.order = match params.text(name)? {
                "leaf_wise" => Order::LeafWise,
                "depth_wise" => Order::DepthWise,
                "symmetric" => Order::Symmetric,
                _ => return Err(unusable(name, value, "it must be `leaf_wise`, `depth_wise` or `symmetric`")),
            }
        }
        "max_features" => {
            let n = shape.n_features.max(1) as f64;
            growth.colsample_bynode = match params.text(name)? {
                "sqrt" => n.sqrt() / n,
                "log2" => n.log2().max(1.0) / n,
                "third" => 1.0 / 3.0,
                "half" => 0.5,
                "all" => 1.0,
                _ => return Err(unusable(name, value, "it must be `sqrt`, `log2`, `third`, `half` or `all`")),
            }
            .clamp(1.0 / n, 1.0);
        }
        "objective" => boost.loss = objective(shape, params, value)?.build()?,
        // Read with the objective.
        "alpha" | "delta" => {}
        _ => return Err(unusable(name, value, "no tree has such a setting")),
    }
    Ok(())
}

fn objective(shape: &Shape, params: &Params, value: &Value) -> Result<Objective, TrainError> {
    Ok(match (params.text("objective")?, shape.task) {
        ("squared", Task::Regression) => Objective::Squared,
        ("absolute", Task::Regression) => Objective::Absolute,
        ("huber", Task::Regression) => Objective::Huber { delta: params.float("delta")? },
        ("quantile", Task::Regression) => Objective::Quantile { alpha: params.float("alpha")? },
        ("poisson", Task::Regression) => Objective::Poisson,
        ("logistic", Task::Binary) => Objective::Logistic,
        ("softmax", Task::Multiclass) => Objective::Softmax { n_classes: shape.n_classes },
        (_, Task::Regression) => {
            return Err(refused(
                "objective",
                words(value),
                "of numbers it is `squared`, `absolute`, `huber`, `quantile` or `poisson`",
            ));
        }
        (_, Task::Binary) => return Err(refused("objective", words(value), "of two classes it is `logistic`")),
        (_, Task::Multiclass) => return Err(refused("objective", words(value), "of several classes it is `softmax`")),
    })
}

fn truth(params: &Params, name: &str, value: &Value) -> Result<bool, TrainError> {
    match params.text(name)? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(unusable(name, value, "it must be `true` or `false`")),
    }
}

fn unusable(name: &str, value: &Value, reason: &str) -> TrainError {
    TrainError::Params(StudyError::Params { key: name.to_string(), reason: format!("{}: {reason}", words(value)) })
}

fn words(value: &Value) -> String {
    match value {
        Value::Float(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(value) => format!("`{value}`"),
        Value::Bool(value) => value.to_string(),
    }
}
