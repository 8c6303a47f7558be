//! The expression and what is known of it before any row is seen.

use thiserror::Error;

use super::functions::Function;
use super::parse::parse;
use crate::metric::goal::{Goal, Needs};
use crate::metric::table::Metric;
use crate::task::Task;

/// A metric written as an expression. It is text without any effect: arithmetic over the rows that are scored.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(super) text: String,
    pub(super) goal: Goal,
    pub(super) node: Node,
    tasks: Vec<Task>,
    needs: Needs,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.text == other.text
    }
}

/// Why a text is no metric expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}`, at character {at}: {reason}")]
pub struct ExpressionError {
    /// The text as given.
    pub text: String,
    /// Where in it, counted from 1.
    pub at: usize,
    /// What is wrong there, and what would do.
    pub reason: String,
}

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Number(f64),
    /// `y`: the true number of each row; for two classes 1 where it is the positive one, else 0.
    Truth,
    /// `p`: the predicted number of each row; for two classes the probability of the positive one.
    Predicted,
    /// A metric of the table.
    Figure(Metric),
    Negate(Box<Node>),
    Operation(Operator, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Operator {
    pub(super) fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Operator::Add => a + b,
            Operator::Subtract => a - b,
            Operator::Multiply => a * b,
            Operator::Divide => a / b,
            Operator::Power => a.powf(b),
        }
    }
}

impl Expression {
    /// Reads `maximize: …` or `minimize: …`; the grammar is in `docs/metrics.md`.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        let (goal, node) = parse(text)?;
        let mut expression =
            Expression { text: text.trim().to_owned(), goal, node, tasks: Task::ALL.to_vec(), needs: Needs::Numbers };
        let (mut labels, mut tasks) = (false, expression.tasks.clone());
        visit(&expression.node, &mut |node| match node {
            Node::Figure(metric) => {
                tasks.retain(|task| metric.tasks().contains(task));
                labels |= metric.needs() == Needs::Labels;
            }
            Node::Truth | Node::Predicted => tasks.retain(|task| *task != Task::Multiclass),
            _ => {}
        });
        if tasks.is_empty() {
            let reason = "no task has all of its parts: `y` and `p` are of two classes or of numbers, and a metric of \
                          classes does not score numbers";
            return Err(ExpressionError { text: expression.text, at: 1, reason: reason.into() });
        }
        expression.needs = match (labels, tasks.iter().any(|task| task.is_classification())) {
            (true, _) => Needs::Labels,
            (false, true) => Needs::Probabilities,
            (false, false) => Needs::Numbers,
        };
        expression.tasks = tasks;
        Ok(expression)
    }

    /// Whether a text is meant as an expression: it begins with `maximize:` or `minimize:`.
    pub fn is_meant(text: &str) -> bool {
        ["maximize:", "minimize:"].iter().any(|prefix| text.trim_start().starts_with(prefix))
    }

    /// The text, trimmed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which way it improves, as its prefix says.
    pub fn goal(&self) -> Goal {
        self.goal
    }

    /// The tasks that have all of its parts.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Labels where one of its metrics looks at them, else probabilities where it can score classes, else numbers.
    pub fn needs(&self) -> Needs {
        self.needs
    }
}

fn visit(node: &Node, see: &mut impl FnMut(&Node)) {
    see(node);
    match node {
        Node::Negate(inner) => visit(inner, see),
        Node::Operation(_, a, b) => {
            visit(a, see);
            visit(b, see);
        }
        Node::Call(_, arguments) => arguments.iter().for_each(|argument| visit(argument, see)),
        Node::Number(_) | Node::Truth | Node::Predicted | Node::Figure(_) => {}
    }
}
