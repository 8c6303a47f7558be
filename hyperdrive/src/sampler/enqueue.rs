//! Given points first.

use rand_chacha::ChaCha8Rng;

use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::keys::branch;
use crate::params::Params;

/// Tries given points in their order, then hands over.
///
/// Its k-th trial is the k-th point, so a point whose trial fails is not tried again.
pub(super) struct Enqueue {
    pub(super) points: Vec<Params>,
    pub(super) then: Box<dyn Sampler>,
}

impl Sampler for Enqueue {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        match self.points.get(history.trials().len()) {
            Some(point) => Ok(Suggestion::New { params: point.clone(), until: history.spec().top() }),
            None => self.then.suggest(history, &mut branch(rng, "then")),
        }
    }
}
