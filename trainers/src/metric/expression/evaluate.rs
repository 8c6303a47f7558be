//! The value of an expression on some rows.

use super::functions::{Function, quantile};
use super::tree::{Expression, Node};
use crate::data::{Predictions, Target};
use crate::error::MetricError;
use crate::metric::score::{check, classes, numbers, score};
use crate::task::Task;

/// One number, or one for each row.
enum Value {
    One(f64),
    Rows(Vec<f64>),
}

struct Ground<'a> {
    truth: Vec<f64>,
    predicted: Vec<f64>,
    range: Option<(f64, f64)>,
    target: &'a Target,
    rows: &'a [u32],
    predictions: &'a Predictions,
    threshold: f64,
}

impl Expression {
    /// Its value, as [`Metric::score`](super::super::Metric::score); `range` is that of the training target. Errors: as
    /// there, and a value that is not finite.
    pub(in crate::metric) fn score(
        &self,
        range: Option<(f64, f64)>,
        target: &Target,
        rows: &[u32],
        predictions: &Predictions,
        threshold: f64,
    ) -> Result<f64, MetricError> {
        const NAME: &str = "expression";
        if !self.tasks().contains(&target.task) {
            return Err(MetricError::WrongTask { metric: NAME, task: target.task });
        }
        check(NAME, target, rows, predictions)?;
        let (truth, predicted) = match target.task {
            Task::Regression => (numbers(NAME, target, rows)?, predictions.values().to_vec()),
            Task::Binary => {
                let truth = classes(NAME, target, rows)?.into_iter().map(|class| class as f64).collect();
                (truth, predictions.column(1))
            }
            // Neither `y` nor `p` is of more than two classes.
            Task::Multiclass => (Vec::new(), Vec::new()),
        };
        let ground = Ground { truth, predicted, range, target, rows, predictions, threshold };
        match value(&self.node, &ground)? {
            Value::One(value) if value.is_finite() => Ok(value),
            Value::One(value) => Err(MetricError::Expression { text: self.text.clone(), value }),
            Value::Rows(_) => unreachable!("the parser refuses an expression that is not one number"),
        }
    }
}

fn value(node: &Node, ground: &Ground<'_>) -> Result<Value, MetricError> {
    Ok(match node {
        Node::Number(number) => Value::One(*number),
        Node::Truth => Value::Rows(ground.truth.clone()),
        Node::Predicted => Value::Rows(ground.predicted.clone()),
        Node::Figure(metric) => {
            let Ground { target, rows, predictions, threshold, .. } = ground;
            Value::One(score(*metric, || ground.range, target, rows, predictions, *threshold)?)
        }
        Node::Negate(inner) => map(value(inner, ground)?, |x| -x),
        Node::Operation(operator, a, b) => zip(value(a, ground)?, value(b, ground)?, |a, b| operator.apply(a, b)),
        Node::Call(function, arguments) => {
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(value(argument, ground)?);
            }
            call(*function, values)
        }
    })
}

fn call(function: Function, mut arguments: Vec<Value>) -> Value {
    let last = arguments.pop();
    let first = arguments.pop();
    match (function, first, last) {
        (Function::Map(of), _, Some(value)) => map(value, of),
        (Function::Zip(of), Some(a), Some(b)) => zip(a, b, of),
        (Function::Fold(of), _, Some(Value::Rows(rows))) => Value::One(of(&rows)),
        (Function::Quantile, Some(Value::Rows(rows)), Some(Value::One(q))) => Value::One(quantile(&rows, q)),
        _ => unreachable!("the parser checks how many arguments there are, and which of them are of rows"),
    }
}

fn map(value: Value, of: impl Fn(f64) -> f64) -> Value {
    match value {
        Value::One(value) => Value::One(of(value)),
        Value::Rows(mut rows) => {
            for value in &mut rows {
                *value = of(*value);
            }
            Value::Rows(rows)
        }
    }
}

fn zip(a: Value, b: Value, of: impl Fn(f64, f64) -> f64) -> Value {
    match (a, b) {
        (Value::One(a), Value::One(b)) => Value::One(of(a, b)),
        (a, Value::One(b)) => map(a, |a| of(a, b)),
        (Value::One(a), b) => map(b, |b| of(a, b)),
        (Value::Rows(mut a), Value::Rows(b)) => {
            for (a, b) in a.iter_mut().zip(b) {
                *a = of(*a, b);
            }
            Value::Rows(a)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::metric::tests::{binary, classes, multiclass, numbers};
    use crate::metric::{Goal, Needs};

    const TRUTH: [f64; 4] = [1.0, 2.0, 4.0, 8.0];
    const PREDICTED: [f64; 4] = [1.5, 2.0, 3.0, 10.0];

    fn of_numbers(text: &str) -> f64 {
        let target = numbers(&TRUTH);
        let predictions = Predictions::new(1, PREDICTED.to_vec());
        let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{error}"));
        expression.score(None, &target, &[0, 1, 2, 3], &predictions, 0.5).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Computed by hand; the quantile is `np.quantile([1, 2, 4, 8], 0.9)`.
    #[test]
    fn figures_by_hand() {
        for (text, expected) in [
            ("minimize: mean((y - p)^2) / mean(y)", 5.25 / 4.0 / 3.75),
            ("minimize: 2 + 3 * 4 ^ 2 / 8 - 1", 7.0),
            ("minimize: -2 ^ 2", -4.0),
            ("minimize: 2 ^ -1", 0.5),
            ("minimize: 2 ^ 3 ^ 2", 512.0),
            ("minimize: 8 / 4 / 2 - 1 - 1", -1.0),
            ("minimize: (1 - -1) * 1.5e1", 30.0),
            ("minimize: median(abs(y - p))", 0.75),
            ("minimize: quantile(y, 0.9)", 6.8),
            ("maximize: sum(min(y, p)) - sum(max(y, 2))", 14.0 - 16.0),
            ("minimize: mean(max(0.9 * (y - p), 0.1 * (p - y)))", (0.05 + 0.9 + 0.2) / 4.0),
            ("minimize: exp(ln(sqrt(16)))", 4.0),
            ("minimize: root_mean_squared_error ^ 2 - mean((y - p) ^ 2)", 0.0),
            ("minimize:mae+r2-r2", 3.5 / 4.0),
        ] {
            let found = of_numbers(text);
            assert!((found - expected).abs() < 1e-12, "{text}: {found}, expected {expected}");
        }
    }

    #[test]
    fn classes_have_probabilities_and_metrics() {
        let (target, predictions) = binary();
        let rows: Vec<u32> = (0..12).collect();
        let of = |text: &str| Expression::parse(text).expect("sound").score(None, &target, &rows, &predictions, 0.5);
        let table = |metric: Metric| metric.score(&target, &rows, &predictions, 0.5).expect("a figure");
        assert_eq!(of("minimize: mean((y - p)^2)"), Ok(table(Metric::BrierScore)));
        let mixed = of("maximize: 0.5*roc_auc + 0.5*accuracy");
        assert_eq!(mixed, Ok(0.5 * table(Metric::RocAuc) + 0.5 * table(Metric::Accuracy)));
        let (target, predictions) = multiclass();
        let of_three = Expression::parse("maximize: f1_score_macro - log_loss").expect("sound");
        assert!(of_three.score(None, &target, &rows, &predictions, 0.5).is_ok());
    }

    #[test]
    fn what_is_known_beforehand() {
        let of = |text: &str| Expression::parse(text).expect("sound");
        assert_eq!(of("maximize: sum(y*p)").goal(), Goal::Higher);
        assert_eq!(of("minimize: sum(y*p)").tasks(), [Task::Binary, Task::Regression]);
        assert_eq!(of("minimize: log_loss").tasks(), [Task::Binary, Task::Multiclass]);
        assert_eq!(of("minimize: rmse").needs(), Needs::Numbers);
        assert_eq!(of("minimize: log_loss - accuracy").needs(), Needs::Labels);
        assert_eq!(of("maximize: AUC_binary").tasks(), [Task::Binary]);
    }

    #[test]
    fn values_that_are_none_are_errors() {
        let target = numbers(&TRUTH);
        let predictions = Predictions::new(1, PREDICTED.to_vec());
        let of = |text: &str| Expression::parse(text).expect("sound").score(None, &target, &[0, 1], &predictions, 0.5);
        assert!(matches!(of("minimize: mean(y)"), Err(MetricError::Shape { .. })));
        let of =
            |text: &str| Expression::parse(text).expect("sound").score(None, &target, &[0, 1, 2, 3], &predictions, 0.5);
        for text in ["minimize: 1 / 0", "minimize: mean(ln(y - 1))", "minimize: quantile(y, 2)"] {
            let error = of(text).expect_err("it is not finite");
            assert!(error.to_string().contains(text), "{error}");
        }
        assert!(matches!(of("maximize: roc_auc"), Err(MetricError::WrongTask { .. })));
        let of_classes = classes(Task::Multiclass, vec![0, 1, 2]);
        let three = Predictions::new(3, [0.2, 0.3, 0.5].repeat(3));
        let outcome =
            Expression::parse("minimize: mean(y)").expect("sound").score(None, &of_classes, &[0], &three, 0.5);
        assert!(matches!(outcome, Err(MetricError::WrongTask { .. })));
    }

    #[test]
    fn texts_that_are_no_metric_say_where() {
        let deep = format!("minimize: {}1{}", "(".repeat(60), ")".repeat(60));
        let signs = format!("minimize: {}1", "-".repeat(1900));
        let long = format!("minimize: {}1", "1+".repeat(1500));
        for (text, at, reason) in [
            ("mean(y)", 1, "begins with maximize: or minimize:"),
            ("minimize:", 10, "expected a number"),
            ("minimize: y - p", 16, "put mean"),
            ("minimize: mean(1)", 11, "number for each row"),
            ("minimize: mean(y, p)", 11, "takes 1"),
            ("minimize: quantile(y, p)", 11, "second argument"),
            ("minimize: mean(y", 17, "expected `)`"),
            ("minimize: mean y", 16, "expected `(`"),
            ("minimize: 1 2", 13, "expected the end"),
            ("minimize: meen(y)", 11, "there is no `meen`"),
            ("minimize: 1e999", 11, "no number"),
            ("minimize: 1.2.3", 11, "no number"),
            ("minimize: é", 11, "expected a number"),
            ("minimize: rmse + accuracy", 1, "no task"),
            (&deep, 0, "in each other"),
            (&signs, 0, "in each other"),
            (&long, 1, "too long"),
        ] {
            let error = Expression::parse(text).expect_err(text);
            assert!(error.reason.contains(reason) && (at == 0 || error.at == at), "{text}: {error}");
        }
    }

    mod laws {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            /// Whatever is typed is read or refused.
            #[test]
            fn no_text_is_too_strange(text in "(minimize:|maximize:)?[yp0-9.e+*/^(), a-z-]{0,60}") {
                let _ = Expression::parse(&text);
            }

            /// Sums are read as arithmetic reads them.
            #[test]
            fn operators_bind_as_in_arithmetic(a in 1_i32..50, b in 1_i32..50, c in 1_i32..50, d in 1_i32..50) {
                let (x, y, z, w) = (f64::from(a), f64::from(b), f64::from(c), f64::from(d));
                let found = of_numbers(&format!("minimize: {a} - {b} * {c} / {d} - {a} + {d}^2 * -{b}"));
                let expected = x - y * z / w - x + w * w * -y;
                prop_assert!((found - expected).abs() <= 1e-9 * expected.abs());
            }
        }
    }
}
