//! From text to an expression.
//!
//! ```text
//! metric   = ("maximize:" | "minimize:") sum
//! sum      = product {("+" | "-") product}
//! product  = signed {("*" | "/") signed}
//! signed   = "-" signed | power
//! power    = atom ["^" signed]
//! atom     = number | "(" sum ")" | name | name "(" sum {"," sum} ")"
//! ```

use super::functions::{FUNCTIONS, Function};
use super::tree::{ExpressionError, Node, Operator};
use crate::metric::goal::Goal;
use crate::metric::table::Metric;

/// A text may be no longer than this, in bytes.
const MOST_BYTES: usize = 2000;
/// Parentheses and signs may stand in each other no deeper than this.
const MOST_DEPTH: usize = 50;

/// The goal and the expression after it, which is one number.
pub(super) fn parse(text: &str) -> Result<(Goal, Node), ExpressionError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    if text.len() > MOST_BYTES {
        return Err(parser.error(format!("{} bytes are too long; {MOST_BYTES} are allowed", text.len())));
    }
    let goal = if parser.takes("maximize:") {
        Goal::Higher
    } else if parser.takes("minimize:") {
        Goal::Lower
    } else {
        return Err(parser.error("an expression begins with maximize: or minimize:"));
    };
    let part = parser.sum()?;
    parser.blank();
    if parser.at < text.len() {
        return Err(parser.error("expected the end, or one of + - * / ^"));
    }
    if part.of_rows {
        return Err(parser.error("this is a number for each row; a metric is one number: put mean(…) around it"));
    }
    Ok((goal, part.node))
}

/// A part with whether it is a number for each row, or one number.
struct Part {
    node: Node,
    of_rows: bool,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn sum(&mut self) -> Result<Part, ExpressionError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.error(format!("more than {MOST_DEPTH} parentheses or signs in each other")));
        }
        let mut left = self.product()?;
        loop {
            let operator = if self.takes("+") {
                Operator::Add
            } else if self.takes("-") {
                Operator::Subtract
            } else {
                break;
            };
            left = operation(operator, left, self.product()?);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Part, ExpressionError> {
        let mut left = self.signed()?;
        loop {
            let operator = if self.takes("*") {
                Operator::Multiply
            } else if self.takes("/") {
                Operator::Divide
            } else {
                return Ok(left);
            };
            left = operation(operator, left, self.signed()?);
        }
    }

    fn signed(&mut self) -> Result<Part, ExpressionError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.error(format!("more than {MOST_DEPTH} parentheses or signs in each other")));
        }
        let part = if self.takes("-") {
            let part = self.signed()?;
            Part { of_rows: part.of_rows, node: Node::Negate(Box::new(part.node)) }
        } else {
            let base = self.atom()?;
            if self.takes("^") { operation(Operator::Power, base, self.signed()?) } else { base }
        };
        self.depth -= 1;
        Ok(part)
    }

    fn atom(&mut self) -> Result<Part, ExpressionError> {
        if self.takes("(") {
            let part = self.sum()?;
            self.needs(")")?;
            return Ok(part);
        }
        self.blank();
        let begin = self.at;
        if self.peek().is_some_and(|c| c.is_ascii_digit() || c == '.') {
            return self.number();
        }
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.at += 1;
        }
        let name = &self.text[begin..self.at];
        if name.is_empty() {
            return Err(self.error("expected a number, a name or ("));
        }
        let known = FUNCTIONS.iter().find(|(known, _)| *known == name);
        match (name, known) {
            ("y", _) => Ok(Part { node: Node::Truth, of_rows: true }),
            ("p", _) => Ok(Part { node: Node::Predicted, of_rows: true }),
            (_, Some(&(_, function))) => self.call(name.len(), function),
            _ => {
                let reason = format!("there is no `{name}`: {}", known_names());
                Metric::parse(name).map(|metric| Part { node: Node::Figure(metric), of_rows: false }).map_err(|_| {
                    self.at = begin;
                    self.error(reason)
                })
            }
        }
    }

    fn number(&mut self) -> Result<Part, ExpressionError> {
        let begin = self.at;
        while let Some(c) = self.peek() {
            // A sign belongs to the number only in its exponent.
            let exponent = self.text[begin..self.at].ends_with(['e', 'E']);
            if !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || (exponent && matches!(c, '+' | '-'))) {
                break;
            }
            self.at += 1;
        }
        let text = &self.text[begin..self.at];
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Part { node: Node::Number(value), of_rows: false }),
            _ => {
                let reason = format!("`{text}` is no number");
                self.at = begin;
                Err(self.error(reason))
            }
        }
    }

    fn call(&mut self, length: usize, function: Function) -> Result<Part, ExpressionError> {
        let name = self.text[self.at - length..self.at].to_owned();
        let begin = self.at - length;
        self.needs("(")?;
        let mut arguments = vec![self.sum()?];
        while self.takes(",") {
            arguments.push(self.sum()?);
        }
        self.needs(")")?;
        let end = self.at;
        self.at = begin;
        if arguments.len() != function.n_arguments() {
            let reason = format!("{name} takes {} argument(s), not {}", function.n_arguments(), arguments.len());
            return Err(self.error(reason));
        }
        let of_rows = match function {
            Function::Map(_) | Function::Zip(_) => arguments.iter().any(|argument| argument.of_rows),
            Function::Fold(_) | Function::Quantile if !arguments[0].of_rows => {
                return Err(self.error(format!("{name} is of a number for each row, as in {name}(y - p)")));
            }
            Function::Quantile if arguments[1].of_rows => {
                return Err(self.error("the second argument of quantile is one number from 0 to 1"));
            }
            Function::Fold(_) | Function::Quantile => false,
        };
        self.at = end;
        let nodes = arguments.into_iter().map(|argument| argument.node).collect();
        Ok(Part { node: Node::Call(function, nodes), of_rows })
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn blank(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start().len();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.blank();
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn needs(&mut self, token: &str) -> Result<(), ExpressionError> {
        if self.takes(token) { Ok(()) } else { Err(self.error(format!("expected `{token}`"))) }
    }

    fn error(&self, reason: impl Into<String>) -> ExpressionError {
        let at = self.text[..self.at].chars().count() + 1;
        ExpressionError { text: self.text.trim().to_owned(), at, reason: reason.into() }
    }
}

fn operation(operator: Operator, a: Part, b: Part) -> Part {
    Part { of_rows: a.of_rows || b.of_rows, node: Node::Operation(operator, Box::new(a.node), Box::new(b.node)) }
}

fn known_names() -> String {
    let functions: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
    format!("there are y, p, {} and the metrics by name", functions.join(", "))
}
