//! Categories as 0/1 columns, many levels to a column.

use datasets::{Column, MISSING};
use serde::{Deserialize, Serialize};

use super::step::{Feature, categories, features};
use crate::error::ModelError;

/// 2 to the power of `bits` 0/1 features, of which a level sets the one its name hashes to (FNV-1a of 64 bits, folded), so
/// that levels nobody has seen have a place too. A missing cell sets none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashOneHot {
    /// 1 to 12.
    pub bits: u8,
}

impl HashOneHot {
    /// More features than 2 to this power are a mistake.
    pub const MOST_BITS: u8 = 12;

    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let (codes, levels) = categories(column)?;
        let mask = (1_u64 << self.bits) - 1;
        let slots: Vec<usize> = levels.iter().map(|level| (fold(fnv(level)) & mask) as usize).collect();
        let mut values = vec![vec![0.0; codes.len()]; 1 << self.bits];
        for (row, &code) in codes.iter().enumerate() {
            if code != MISSING
                && let Some(&slot) = slots.get(code as usize)
            {
                values[slot][row] = 1.0;
            }
        }
        Ok(features(self.names(&column.name), values, false))
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        (0..1_usize << self.bits).map(|slot| format!("{column}_hash_{slot}")).collect()
    }

    pub(super) fn check(&self) -> bool {
        (1..=HashOneHot::MOST_BITS).contains(&self.bits)
    }
}

/// Fowler, Noll and Vo: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// All bits have a say in the low ones.
fn fold(hash: u64) -> u64 {
    let half = hash ^ (hash >> 32);
    half ^ (half >> 16)
}

#[cfg(feature = "fit")]
pub use fit::FitHashOneHot;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;

    use super::super::step::{Step, Transform, categories};
    use super::HashOneHot;
    use crate::error::TrainError;

    /// Gives [`HashOneHot`] for a column of categories.
    #[derive(Debug, Clone, Copy)]
    pub struct FitHashOneHot {
        /// 1 to [`HashOneHot::MOST_BITS`]; beyond, the nearest.
        pub bits: u8,
    }

    impl Transform for FitHashOneHot {
        fn fit(&self, column: &Column, _: &[u32]) -> Result<Step, TrainError> {
            categories(column)?;
            Ok(Step::HashOneHot(HashOneHot { bits: self.bits.clamp(1, HashOneHot::MOST_BITS) }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference's own test vectors.
    #[test]
    fn hashes_are_those_of_the_reference() {
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(fnv(text), hash, "{text}");
        }
    }
}
