//! Hyperband, asynchronous: halving from several first rungs at once.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::suggest::{Sampler, Suggestion};
use super::trust::lowest_trusted;
use super::views::{Inner, Views};
use crate::error::StudyError;
use crate::history::History;
use crate::trial::Rung;

/// At which rung a new trial first yields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brackets {
    /// Each rung in its turn, low ones more often, as Hyperband has it: right on average whatever a rung is worth.
    #[default]
    Rotating,
    /// The lowest rung whose order of trials has been found to be that of the top, which the first trials go to.
    Trusted,
}

/// Hyperband (Li et al., JMLR 18, 2018) with the promotions of ASHA (Li et al., `MLSys` 2020) in each bracket, so
/// that nobody waits; with a model inside it is BOHB (Falkner, Klein and Hutter, ICML 2018), asynchronous.
///
/// A bracket is a first rung: on a ladder with top rung R, of every so many new trials the share that goes to rung s
/// first is in proportion to ⌈(R + 1) / (R − s + 1) · η^(R − s)⌉, the sizes of Hyperband's brackets, and trials
/// compare only within their bracket.
///
/// With [`Brackets::Trusted`] there is one bracket, and no trial is judged at a rung below the lowest that is trusted.
pub(super) struct Hyperband {
    reduction_factor: usize,
    brackets: Brackets,
    views: Views,
    book: Option<Book>,
}

impl Hyperband {
    pub(super) fn new(reduction_factor: u32, brackets: Brackets, views: Views) -> Self {
        Self { reduction_factor: reduction_factor as usize, brackets, views, book: None }
    }

    /// The first rung of the next new trial.
    fn start(&self, book: &Book, top: Rung) -> Rung {
        let begun = book.begun();
        let wanted = |s: u16| {
            let below = f64::from(top.0 - s);
            (f64::from(top.0 + 1) / (below + 1.0) * (self.reduction_factor as f64).powf(below)).ceil()
        };
        // The one that is furthest behind its share, the lowest of several.
        let due = |s: &u16| (begun[usize::from(*s)] as f64 + 1.0) / wanted(*s);
        Rung((0..=top.0).min_by(|a, b| due(a).total_cmp(&due(b))).unwrap_or(top.0))
    }
}

impl Sampler for Hyperband {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let top = history.spec().top();
        if top == Rung(0) {
            return self.views.whole(history, rng);
        }
        let rotating = self.brackets == Brackets::Rotating;
        let book = Book::up_to_date(self.book.take(), history, rotating);
        let book = &*self.book.insert(book);
        let lowest = if rotating { Rung(0) } else { lowest_trusted(history) };
        if let Some((trial, rung)) = book.promotable(history, self.reduction_factor, lowest) {
            return Ok(Suggestion::Resume { trial, until: Rung(rung.0 + 1) });
        }
        match self.views.point(history, book, rng)? {
            Inner::Point(params) => {
                let book = self.book.as_ref().filter(|_| rotating);
                Ok(Suggestion::New { params, until: book.map_or(lowest, |book| self.start(book, top)) })
            }
            Inner::Ends(end) => Ok(end),
        }
    }
}
