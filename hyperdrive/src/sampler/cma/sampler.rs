//! CMA-ES over a whole space.

use rand_chacha::ChaCha8Rng;

use super::group::{Group, Start};
use super::options::Options;
use crate::error::StudyError;
use crate::history::History;
use crate::sampler::observations::Observations;
use crate::sampler::suggest::{Sampler, Suggestion};
use crate::space::{Kind, Layout};

/// Searches numbers with CMA-ES and options by the share they have among the best.
///
/// The numbers that exist together (those that always do, and those below each option) have a CMA-ES of their own,
/// which sees the results in which they exist. A generation is the next so many results in the order of completion,
/// whoever suggested them and whichever generation they were drawn from: so a straggler counts where it lands.
pub(in crate::sampler) struct Cma {
    settings: Settings,
    observations: Option<Observations>,
    fold: Option<Fold>,
    /// How often it began from nothing, and how many results it took.
    #[cfg(test)]
    pub(super) counted: (usize, usize),
}

/// What there is to choose.
#[derive(Clone, Copy, Debug)]
pub(in crate::sampler) struct Settings {
    /// Results of a generation; `None` for the usual number.
    pub(in crate::sampler) population: Option<u32>,
    /// Standard deviation at the start, in the unit interval.
    pub(in crate::sampler) sigma: f64,
    /// How many results of the study's own are only to begin from, such as those of the sampler before.
    pub(in crate::sampler) begin_after: usize,
}

/// What the results so far have taught.
struct Fold {
    generation: u64,
    consumed: usize,
    groups: Vec<Group>,
    /// The group of each slot and its place there; `None` for a choice.
    place: Vec<Option<(usize, usize)>>,
    /// Slots of each group.
    members: Vec<Vec<usize>>,
    /// Of each slot that is a choice.
    options: Vec<Option<Options>>,
}

impl Cma {
    pub(in crate::sampler) fn new(settings: Settings) -> Self {
        Self {
            settings,
            observations: None,
            fold: None,
            #[cfg(test)]
            counted: (0, 0),
        }
    }
}

impl Sampler for Cma {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let observations = Observations::up_to_date(self.observations.take(), history);
        let usable = self
            .fold
            .take()
            .filter(|fold| fold.generation == history.generation() && fold.consumed <= observations.n_results());
        #[cfg(test)]
        {
            self.counted.0 += usize::from(usable.is_none());
            self.counted.1 += observations.n_results() - usable.as_ref().map_or(0, |fold| fold.consumed);
        }
        let mut fold = usable.unwrap_or_else(|| Fold::new(&observations.layout, history, self.settings));
        while fold.consumed < observations.n_results() {
            fold.take(&observations, history, self.settings);
        }
        let row = fold.draw(&observations.layout, rng);
        let params = observations.layout.decode(&row);
        self.observations = Some(observations);
        self.fold = Some(fold);
        Ok(Suggestion::New { params, until: history.spec().top() })
    }
}

impl Fold {
    fn new(layout: &Layout, history: &History, settings: Settings) -> Self {
        let spec = history.spec();
        let mut place = vec![None; layout.len()];
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut parents = Vec::new();
        for (i, slot) in layout.slots.iter().enumerate() {
            if matches!(slot.kind, Kind::Category { .. }) {
                continue;
            }
            let group = parents.iter().position(|parent| *parent == slot.parent).unwrap_or_else(|| {
                parents.push(slot.parent);
                members.push(Vec::new());
                parents.len() - 1
            });
            place[i] = Some((group, members[group].len()));
            members[group].push(i);
        }
        let default = spec.search_space.default.as_ref().and_then(|point| layout.encode(point));
        let centre = |slot: usize| default.as_ref().map(|row| row[slot]).filter(|at| !at.is_nan()).unwrap_or(0.5);
        let start = Start { population: settings.population, sigma: settings.sigma, seed: spec.seed };
        let groups = members.iter().map(|members| {
            let slots = members.iter().map(|slot| layout.slots[*slot].clone()).collect();
            Group::new(slots, members.iter().map(|slot| centre(*slot)).collect(), start)
        });
        let options = layout.slots.iter().enumerate().map(|(i, slot)| match slot.kind {
            Kind::Category { levels } => {
                let branches = layout.slots.iter().any(|child| child.parent.is_some_and(|(parent, _)| parent == i));
                Some(Options::new(levels, branches))
            }
            _ => None,
        });
        Self {
            generation: history.generation(),
            consumed: 0,
            groups: groups.collect(),
            options: options.collect(),
            place,
            members,
        }
    }

    /// Takes the next result.
    fn take(&mut self, observations: &Observations, history: &History, settings: Settings) {
        let (row, verdict) = observations.verdict(self.consumed, history);
        let begins = observations.is_known(row) || self.consumed < settings.begin_after + history.spec().known.len();
        self.consumed += 1;
        for (i, options) in self.options.iter_mut().enumerate() {
            let at = observations.column(i)[row];
            if let Some(options) = options.as_mut().filter(|_| !at.is_nan()) {
                options.take(verdict, at as usize);
            }
        }
        for (group, members) in self.groups.iter_mut().zip(&self.members) {
            let point: Vec<f64> = members.iter().map(|slot| observations.column(*slot)[row]).collect();
            if point.iter().any(|at| at.is_nan()) {
                continue;
            }
            if begins {
                group.prepare(verdict, point);
            } else {
                group.take(verdict, point, |i| scattered(row, members[i]));
            }
        }
    }

    fn draw(&self, layout: &Layout, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let mut row = vec![f64::NAN; layout.len()];
        let mut drawn: Vec<Option<Vec<f64>>> = vec![None; self.groups.len()];
        for i in 0..layout.len() {
            if !layout.exists(&row, i) {
                continue;
            }
            if let Some(options) = &self.options[i] {
                row[i] = options.draw(rng) as f64;
            } else if let Some((group, at)) = self.place[i] {
                row[i] = drawn[group].get_or_insert_with(|| self.groups[group].draw(rng))[at];
            }
        }
        row
    }
}

/// A number in (0, 1) that is another for each row and slot, without pattern: Steele et al., SplitMix64, 2014.
fn scattered(row: usize, slot: usize) -> f64 {
    let mut x = ((row as u64) << 16 | slot as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 12) as f64 / (1_u64 << 52) as f64 + f64::EPSILON / 2.0
}
