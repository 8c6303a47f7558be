//! Exact Shapley values of a fitted model: what each part adds to a prediction.

use std::fmt;

use datasets::Table;
use serde::{Deserialize, Serialize};

use super::additive::additive;
use super::inputs::View;
use crate::error::ExplainError;
use crate::model::{Blend, Estimator, Fitted, Member, softmax};
use crate::trees::shares;

/// What Shapley values are added up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapUnit {
    /// The prediction itself: the number, or the probability.
    Prediction,
    /// The log-odds of the second of two classes: `ln(p / (1 - p))`.
    LogOdds,
    /// One score per class, of which the softmax is the probabilities.
    Softmax,
    /// One share per class, which are clipped to 0 to 1 and brought to sum 1: forests of more than two classes.
    Shares,
    /// The logarithm of the predicted number.
    Logarithm,
}

impl fmt::Display for ShapUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ShapUnit::Prediction => "prediction",
            ShapUnit::LogOdds => "log-odds",
            ShapUnit::Softmax => "score before the softmax",
            ShapUnit::Shares => "share before all sum to 1",
            ShapUnit::Logarithm => "logarithm of the prediction",
        })
    }
}

/// Shapley values: for each row and output, the base and the values of all parts add up to what is predicted, in
/// [`Shap::unit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Shap {
    /// What they are added up to.
    pub unit: ShapUnit,
    /// The columns or features.
    pub names: Vec<String>,
    /// One per output: what is predicted of a row nothing is known of. Outputs are one for regression and for two
    /// classes (the second), else one per class.
    pub base: Vec<f64>,
    /// `rows × outputs × names`.
    pub values: Vec<f64>,
}

impl Shap {
    /// The values of a row's output, one a part.
    pub fn of(&self, row: usize, output: usize) -> &[f64] {
        let n = self.names.len();
        &self.values[(row * self.base.len() + output) * n..][..n]
    }

    /// How many rows were explained.
    pub fn n_rows(&self) -> usize {
        self.values.len().checked_div(self.base.len() * self.names.len()).unwrap_or(0)
    }

    /// What the model predicts of a row, from the base and the values: one number an output.
    pub fn prediction(&self, row: usize) -> Vec<f64> {
        let total = |output: usize| self.base[output] + self.of(row, output).iter().sum::<f64>();
        let mut totals: Vec<f64> = (0..self.base.len()).map(total).collect();
        match self.unit {
            ShapUnit::Prediction => {}
            ShapUnit::LogOdds => totals.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp())),
            ShapUnit::Softmax => softmax(&mut totals),
            ShapUnit::Shares => shares(&mut totals),
            ShapUnit::Logarithm => totals.iter_mut().for_each(|score| *score = score.exp()),
        }
        totals
    }

    /// The mean absolute value of each part for an output, over the rows.
    pub fn mean_absolute(&self, output: usize) -> Vec<f64> {
        let mut sums = vec![0.0; self.names.len()];
        for row in 0..self.n_rows() {
            for (sum, value) in sums.iter_mut().zip(self.of(row, output)) {
                *sum += value.abs();
            }
        }
        sums.into_iter().map(|sum| sum / self.n_rows().max(1) as f64).collect()
    }
}

/// The fitted chains of a model by name: a member's, or `member/1` and on where it is a bag.
pub fn parts(model: &Fitted) -> Vec<String> {
    named(model).map(|(name, ..)| name).collect()
}

fn named(model: &Fitted) -> impl Iterator<Item = (String, &Member, usize)> {
    model.members.iter().flat_map(|member| {
        let n = member.chains.len();
        let name = move |k: usize| if n == 1 { member.name.clone() } else { format!("{}/{}", member.name, k + 1) };
        (0..n).map(move |k| (name(k), member, k))
    })
}

/// One chain of a model as a model of its own, by its name among [`parts`].
pub fn part(model: &Fitted, name: &str) -> Result<Fitted, ExplainError> {
    let (name, member, at) = named(model)
        .find(|(known, ..)| known == name)
        .ok_or_else(|| ExplainError::NoPart { name: name.to_owned(), known: parts(model) })?;
    let member = Member { weight: 1.0, chains: vec![member.chains[at].clone()], name };
    Ok(Fitted::new(model.card.clone(), vec![member]))
}

/// Explains every row of the table; the rows of the background are what weighted sums are explained against, where trees
/// know their training rows.
///
/// Errors: a chain has no exact values (nearest neighbours, kernels, naive Bayes other than multinomial), the model has a
/// second layer, or the prediction is a mean of several chains
/// that is not a mean of what their values add up to, as a mean of probabilities is not one of log-odds.
pub fn shap(model: &Fitted, background: &Table, table: &Table, view: View) -> Result<Shap, ExplainError> {
    if !model.stacked.is_empty() {
        return Err(ExplainError::Stacked { known: parts(model) });
    }
    let (backgrounds, blocks) = (model.blocks(background)?, model.blocks(table)?);
    let names = names(model, view);
    let total = model.total_weight();
    let several = named(model).filter(|(_, member, _)| member.weight > 0.0).count() > 1;
    let mut found: Option<Shap> = None;
    for (name, member, at) in named(model).filter(|(_, member, _)| member.weight > 0.0) {
        let chain = &member.chains[at];
        let at = model.block_of(chain);
        let block = &blocks[at];
        let no_way = || match &chain.estimator {
            Estimator::Logarithm(log) if additive(&log.estimator, &backgrounds[at], block).is_some() => {
                ExplainError::BoundLogarithm { name: name.clone() }
            }
            other => ExplainError::NoExactShap { name: name.clone(), algorithm: other.algorithm() },
        };
        let own = additive(&chain.estimator, &backgrounds[at], block).ok_or_else(no_way)?;
        let plain = model.blend == Blend::default() || !model.card.task.is_classification();
        let adds_up = plain && own.unit == ShapUnit::Prediction;
        if several && !adds_up {
            return Err(ExplainError::Blend { unit: own.unit, known: parts(model) });
        }
        let shap = found.get_or_insert_with(|| Shap {
            unit: own.unit,
            names: names.clone(),
            base: vec![0.0; own.base.len()],
            values: vec![0.0; table.n_rows() * own.base.len() * names.len()],
        });
        let share = member.weight / (total * member.chains.len() as f64);
        for (sum, base) in shap.base.iter_mut().zip(&own.base) {
            *sum += share * base;
        }
        let to: Vec<usize> = of_view(chain, view).map(|name| position(&shap.names, &name)).collect();
        let (n_own, n_all) = (block.n_features(), shap.names.len());
        for (of_row, sums) in own.values.chunks_exact(n_own.max(1)).zip(shap.values.chunks_exact_mut(n_all.max(1))) {
            for (value, &at) in of_row.iter().zip(&to) {
                sums[at] += share * value;
            }
        }
    }
    found.ok_or_else(|| ExplainError::NoPart { name: String::new(), known: parts(model) })
}

/// The part that each feature of a chain belongs to.
fn of_view(chain: &crate::model::Chain, view: View) -> impl Iterator<Item = String> {
    chain.features.columns.iter().flat_map(move |fitted| {
        let names = fitted.encode.names(&fitted.column);
        names.into_iter().map(move |name| if view == View::Columns { fitted.column.clone() } else { name })
    })
}

/// The parts of all chains, each once, in order.
fn names(model: &Fitted, view: View) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in model.members.iter().flat_map(|member| &member.chains).flat_map(|chain| of_view(chain, view)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn position(names: &[String], name: &str) -> usize {
    names.iter().position(|known| known == name).expect("the names are those of all chains")
}
