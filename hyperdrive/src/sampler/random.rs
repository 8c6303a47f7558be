//! Random search.

use rand_chacha::ChaCha8Rng;

use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;

/// Independent draws from the space, each run to the top rung (Bergstra and Bengio, JMLR 13, 2012).
pub(super) struct Random;

impl Sampler for Random {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let spec = history.spec();
        Ok(Suggestion::New { params: spec.search_space.sample(rng), until: spec.top() })
    }
}
