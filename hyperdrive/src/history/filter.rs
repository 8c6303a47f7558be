//! The part of a history that a wrapping sampler shows to the one inside.

use super::state::History;
use crate::study::StudySpec;
use crate::trial::Trial;

impl History {
    /// What a sampler inside a wrapper sees: each trial as `cut` makes it, or not at all.
    ///
    /// Numbers of trials and of suggestions stay those of the unfiltered study, and so does what counts against
    /// `max_trials`. `spec` is the study as the inner sampler should take it (for example with a shorter ladder).
    #[must_use]
    pub fn filtered(&self, spec: &StudySpec, cut: &dyn Fn(&Trial) -> Option<Trial>) -> Self {
        let mut inner = Self::new(spec);
        inner.generation = self.generation;
        inner.followed_generation = self.generation;
        inner.follow(self, cut);
        inner
    }

    /// Brings a filtered history up to date with its source; takes time for what changed alone.
    ///
    /// `cut` is the function it was filtered with. Where the source took something back ([`History::generation`]), the
    /// filtered history is rebuilt; where `cut` shows a trial that had ended (as far as it showed) as another than
    /// before, the filtered history's own generation is another one.
    pub fn follow(&mut self, source: &Self, cut: &dyn Fn(&Trial) -> Option<Trial>) {
        if self.followed_generation != source.generation || self.followed > source.changes.len() {
            // A space that grows is another generation.
            let spec = StudySpec { search_space: source.spec.search_space.clone(), ..self.spec.clone() };
            let generation = source.generation.max(self.generation + 1);
            *self = Self { generation, followed_generation: source.generation, ..Self::new(&spec) };
        }
        for i in self.followed..source.changes.len() {
            if let Some(trial) = source.trial(source.changes[i]).and_then(cut) {
                self.place(trial);
            }
        }
        self.followed = source.changes.len();
        self.spec.limits = source.spec.limits.clone();
        self.next = source.next;
        self.segments = source.segments;
        self.counted = source.counted;
        self.since_best = source.since_best;
        self.spent = source.spent;
        self.hang_guard = source.hang_guard;
    }

    fn place(&mut self, trial: Trial) {
        let id = trial.id;
        *self.counts.of(&trial.state) += 1;
        self.cost += trial.cost;
        let i = match self.trials.binary_search_by_key(&id, |trial| trial.id) {
            Ok(i) => {
                if self.trials[i] == trial {
                    *self.counts.of(&trial.state) -= 1;
                    self.cost -= trial.cost;
                    return;
                }
                let before = std::mem::replace(&mut self.trials[i], trial);
                let now = &self.trials[i];
                if before.ended.is_some() && (&before.state, &before.reports) != (&now.state, &now.reports) {
                    self.generation += 1;
                }
                *self.counts.of(&before.state) -= 1;
                self.cost -= before.cost;
                i
            }
            Err(i) => {
                self.trials.insert(i, trial);
                i
            }
        };
        self.changes.push(id);
        self.consider(i);
    }
}
