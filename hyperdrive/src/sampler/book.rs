//! What every halving wrapper keeps of a history: where each trial was to yield first, and who stands where at each
//! rung.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::trial::{Origin, Rank, Rung, Segment, TrialId, TrialState};

/// What the best 1/η of those at a rung are counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promotion {
    /// Trials: the best 1/η of them go on.
    #[default]
    Quantile,
    /// What they cost to come from the rung before to this one: the best go on while together they cost at most 1/η of
    /// all. A good trial that is cheap goes on sooner, a dear one later (the cost-aware promotion of Syne Tune,
    /// `CostPromotionRungSystem`; Salinas et al., `AutoML` 2022). Where all cost the same it is the quantile.
    Cost,
}

/// Trials that reported at a rung, best first.
pub(super) type Standing = BTreeSet<(Rank, TrialId)>;

/// Brought up to date from the history's changes, and rebuilt when it takes something back.
pub(super) struct Book {
    generation: u64,
    /// Changes of the history taken in so far.
    seen: usize,
    /// Segments of the history taken in so far.
    segments: u32,
    /// The rung at which each trial was first to yield.
    starts: BTreeMap<TrialId, Rung>,
    /// Whether trials compare only with those that started at the same rung.
    by_start: bool,
    /// By bracket, then by rung. A bracket is a rung of start; there is one where not `by_start`.
    brackets: Vec<Vec<Standing>>,
}

impl Book {
    /// That of a history, from nothing or from an earlier one of the same study.
    pub(super) fn up_to_date(old: Option<Self>, history: &History, by_start: bool) -> Self {
        let usable = old.filter(|book| book.generation == history.generation());
        let n_rungs = history.spec().ladder.rungs().len();
        let mut book = usable.unwrap_or_else(|| Self {
            generation: history.generation(),
            seen: 0,
            segments: 0,
            starts: BTreeMap::new(),
            by_start,
            brackets: vec![vec![Standing::new(); n_rungs]; if by_start { n_rungs } else { 1 }],
        });
        while book.segments < history.segments() {
            if let Some(span) = history.span(Segment(book.segments))
                && let (Some(trial), true) = (span.trial, span.origin != Origin::Resume)
            {
                book.starts.insert(trial, span.until);
            }
            book.segments += 1;
        }
        let goal = history.spec().goal();
        for id in history.changes(book.seen) {
            let bracket = if by_start { usize::from(book.start(*id).0) } else { 0 };
            for (rung, outcome) in history.trial(*id).map(|trial| trial.reports.as_slice()).unwrap_or_default() {
                book.brackets[bracket][usize::from(rung.0)].insert((outcome.rank(goal), *id));
            }
            book.seen += 1;
        }
        book
    }

    /// Where a trial was first to yield.
    pub(super) fn start(&self, trial: TrialId) -> Rung {
        self.starts.get(&trial).copied().unwrap_or(Rung(0))
    }

    /// How many trials began in each bracket.
    pub(super) fn begun(&self) -> Vec<usize> {
        let mut begun = vec![0; self.brackets.len()];
        for start in self.starts.values() {
            begun[if self.by_start { usize::from(start.0) } else { 0 }] += 1;
        }
        begun
    }

    /// How many trials have reported at a rung.
    pub(super) fn reported(&self, rung: Rung) -> usize {
        self.brackets.iter().map(|bracket| bracket[usize::from(rung.0)].len()).sum()
    }

    /// Those who reported at a rung, of one bracket.
    pub(super) fn standing(&self, bracket: usize, rung: Rung) -> &Standing {
        &self.brackets[bracket][usize::from(rung.0)]
    }

    /// The best trial to go on by the rule of ASHA, at the highest rung from `lowest` on that has one: paused there
    /// and among the best 1 / `reduction_factor` of its bracket, counted as `promotion` says.
    pub(super) fn promotable(
        &self,
        history: &History,
        reduction_factor: usize,
        promotion: Promotion,
        lowest: Rung,
    ) -> Option<(TrialId, Rung)> {
        (lowest.0..history.spec().top().0).rev().map(Rung).find_map(|rung| {
            let paused = |id| history.trial(id).is_some_and(|trial| trial.state == TrialState::Paused { rung });
            let of_bracket = |standing: &Standing| {
                best(standing, history, rung, promotion, reduction_factor as f64).find(|id| paused(*id))
            };
            (0..self.brackets.len()).find_map(|bracket| of_bracket(self.standing(bracket, rung))).map(|id| (id, rung))
        })
    }
}

/// The best 1 / `reduction_factor` of those at a rung, best first.
fn best(
    standing: &Standing,
    history: &History,
    rung: Rung,
    promotion: Promotion,
    reduction_factor: f64,
) -> impl Iterator<Item = TrialId> {
    let cost = move |id| match promotion {
        Promotion::Quantile => 1.0,
        Promotion::Cost => {
            history.trial(id).and_then(|trial| trial.at(rung)).map_or(0.0, |outcome| outcome.cost.max(0.0))
        }
    };
    let total = match promotion {
        Promotion::Quantile => standing.len() as f64,
        Promotion::Cost => standing.iter().map(|(_, id)| cost(*id)).sum(),
    };
    let mut spent = 0.0;
    standing.iter().map(|(_, id)| *id).take_while(move |id| {
        spent += cost(*id);
        spent * reduction_factor <= total
    })
}
