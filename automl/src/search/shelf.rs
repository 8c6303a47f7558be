//! What is kept of the best trials, within a bound on memory. Anything let go can be made again from its seed.

use std::collections::BTreeMap;

use hyperdrive::TrialId;

/// Things by trial with their scores, greater better, and sizes in bytes. The worst leave first.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    capacity: u64,
    most: usize,
    held: u64,
    things: BTreeMap<TrialId, Thing<T>>,
}

#[derive(Debug)]
struct Thing<T> {
    score: f64,
    bytes: u64,
    value: T,
}

impl<T> Shelf<T> {
    /// Room for `capacity` bytes and `most` things.
    pub(super) fn new(capacity: u64, most: usize) -> Self {
        Self { capacity, most, held: 0, things: BTreeMap::new() }
    }

    /// Keeps a thing, and lets go of the worst until the rest fits; of equal ones the latest.
    pub(super) fn put(&mut self, trial: TrialId, score: f64, bytes: u64, value: T) {
        self.take(trial);
        self.held += bytes;
        self.things.insert(trial, Thing { score, bytes, value });
        while self.held > self.capacity || self.things.len() > self.most {
            let worst = self.things.iter().min_by(|a, b| a.1.score.total_cmp(&b.1.score).then(b.0.cmp(a.0)));
            let Some(worst) = worst.map(|(trial, _)| *trial) else { break };
            self.take(worst);
        }
    }

    pub(super) fn get(&self, trial: TrialId) -> Option<&T> {
        self.things.get(&trial).map(|thing| &thing.value)
    }

    pub(super) fn take(&mut self, trial: TrialId) -> Option<T> {
        let thing = self.things.remove(&trial)?;
        self.held -= thing.bytes;
        Some(thing.value)
    }

    /// The `n` best, best first.
    pub(super) fn best(&self, n: usize) -> Vec<TrialId> {
        let mut order: Vec<(f64, TrialId)> = self.things.iter().map(|(trial, thing)| (thing.score, *trial)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        order.into_iter().take(n).map(|(_, trial)| trial).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_leave_first_and_the_rest_fits() {
        let mut shelf = Shelf::new(100, 10);
        for (trial, score, bytes) in [(1, 0.5, 40), (2, 0.9, 40), (3, 0.7, 40)] {
            shelf.put(TrialId(trial), score, bytes, trial);
        }
        assert_eq!(shelf.get(TrialId(1)), None);
        assert_eq!(shelf.best(5), [TrialId(2), TrialId(3)]);
        assert_eq!(shelf.take(TrialId(2)), Some(2));
        // A thing larger than the whole shelf is not kept, nor anything worse than it.
        shelf.put(TrialId(4), 1.0, 1000, 4);
        assert_eq!(shelf.best(5), []);
    }
}
