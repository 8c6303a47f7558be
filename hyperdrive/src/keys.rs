//! Randomness keyed by what it is for, so that it depends on nothing else.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::trial::TrialId;

/// The generator for one suggestion: keyed by the study's seed, the number of the suggestion in the unfiltered
/// study, and the path of the sampler in the tree of wrappers.
pub fn keyed_rng(seed: u64, segment: u64, path: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(digest(&[b"suggestion", &seed.to_le_bytes(), &segment.to_le_bytes(), path.as_bytes()]))
}

/// The generator a wrapper hands to the sampler `name` inside it: keyed by the wrapper's own key and the name,
/// whatever the wrapper has drawn so far.
pub fn branch(rng: &ChaCha8Rng, name: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(digest(&[b"branch", &rng.get_seed(), name.as_bytes()]))
}

/// The seed of a trial: keyed by the study's seed and the trial, the same at every attempt and rung.
pub fn trial_seed(seed: u64, trial: TrialId) -> u64 {
    let bytes = digest(&[b"trial", &seed.to_le_bytes(), &trial.0.to_le_bytes()]);
    bytes.iter().take(8).fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

/// SHA-256 of the parts, each after its length, so that no two lists of parts run together.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn every_part_of_the_key_counts() {
        let draw = |mut rng: ChaCha8Rng| rng.random::<u64>();
        let root = || keyed_rng(1, 2, "a");
        let all = [
            draw(root()),
            draw(keyed_rng(2, 2, "a")),
            draw(keyed_rng(1, 3, "a")),
            draw(keyed_rng(1, 2, "b")),
            draw(branch(&root(), "inner")),
            draw(branch(&root(), "other")),
            trial_seed(1, TrialId(2)),
            trial_seed(1, TrialId(3)),
        ];
        for (i, x) in all.iter().enumerate() {
            assert!(!all[..i].contains(x), "key {i} is an earlier one");
        }
        assert_eq!(draw(root()), draw(root()));
    }

    #[test]
    fn a_branch_does_not_depend_on_what_was_drawn() {
        let mut drawn = keyed_rng(1, 2, "");
        let _: u64 = drawn.random();
        let (mut one, mut two) = (branch(&drawn, "inner"), branch(&keyed_rng(1, 2, ""), "inner"));
        assert_eq!(one.random::<u64>(), two.random::<u64>());
    }

    #[test]
    fn keys_do_not_change_between_versions() {
        // A journal written before must replay to the same suggestions: SHA-256 of the parts, checked with Python's
        // hashlib (b"trial", seed 7 and trial 3, each after its 8-byte little-endian length).
        assert_eq!(trial_seed(7, TrialId(3)), TRIAL_SEED_7_3);
    }

    const TRIAL_SEED_7_3: u64 = 0xa0e9_b03a_aaa1_fb93;
}
