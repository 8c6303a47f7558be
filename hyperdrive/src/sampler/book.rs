//! What every halving wrapper keeps of a history: where each trial was to yield first, and who stands where at each
//! rung.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::History;
use crate::trial::{Origin, Rank, Rung, Segment, TrialId, TrialState};

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
    /// and among the best 1 / `reduction_factor` of its bracket.
    pub(super) fn promotable(
        &self,
        history: &History,
        reduction_factor: usize,
        lowest: Rung,
    ) -> Option<(TrialId, Rung)> {
        (lowest.0..history.spec().top().0).rev().map(Rung).find_map(|rung| {
            let paused = |id| history.trial(id).is_some_and(|trial| trial.state == TrialState::Paused { rung });
            let of_bracket = |standing: &Standing| {
                let best = standing.iter().take(standing.len() / reduction_factor);
                best.map(|(_, id)| *id).find(|id| paused(*id))
            };
            (0..self.brackets.len()).find_map(|bracket| of_bracket(self.standing(bracket, rung))).map(|id| (id, rung))
        })
    }
}
