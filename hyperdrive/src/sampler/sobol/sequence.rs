//! The sequence itself.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::numbers::NUMBERS;

const BITS: usize = 32;

/// A Sobol sequence in the unit cube, scrambled by a random linear matrix for each coordinate and a digital shift
/// (Matoušek, J. Complexity 14, 1998; what `scipy.stats.qmc.Sobol` does): every point is uniform, and the net
/// properties of the sequence stay.
///
/// There are direction numbers for 256 coordinates. Those beyond are filled with independent uniform numbers, the same
/// at each call.
pub(in crate::sampler) struct Sequence {
    /// For each coordinate its direction numbers, the most significant bit the first digit.
    directions: Vec<[u32; BITS]>,
    shifts: Vec<u32>,
    /// Coordinates beyond those, and the key of their numbers.
    padding: usize,
    key: u64,
}

impl Sequence {
    /// The sequence of so many coordinates as it is, beginning with the origin.
    fn plain(coordinates: usize) -> Self {
        let known = coordinates.min(NUMBERS.len() + 1);
        let directions: Vec<[u32; BITS]> = (0..known).map(directions).collect();
        Self { directions, shifts: vec![0; known], padding: coordinates - known, key: 0 }
    }

    /// A scrambled sequence of so many coordinates. A coordinate is the same whatever comes after it.
    pub(in crate::sampler) fn scrambled(coordinates: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut sequence = Self::plain(coordinates);
        sequence.key = rng.next_u64();
        for (directions, shift) in sequence.directions.iter_mut().zip(&mut sequence.shifts) {
            // Row i of the matrix: below the diagonal random, on it one.
            let matrix: [u32; BITS] = std::array::from_fn(|i| {
                let diagonal = 1 << (BITS - 1 - i);
                rng.random::<u32>() & !(2 * (diagonal - 1) + 1) | diagonal
            });
            for direction in directions {
                let digit = |i: usize| ((matrix[i] & *direction).count_ones() & 1) << (BITS - 1 - i);
                *direction = (0..BITS).map(digit).sum();
            }
            *shift = rng.random();
        }
        sequence
    }

    /// Point `k` in the order of the Gray code, each coordinate in (0, 1); after 2^32 points it begins again.
    pub(in crate::sampler) fn point(&self, k: u32) -> Vec<f64> {
        let known = (0..self.directions.len()).map(|j| (f64::from(self.digits(j, k)) + 0.5) / (BITS as f64).exp2());
        let mixed = |j: usize| mix(self.key ^ mix((j as u64) << BITS | u64::from(k)));
        let unit = |word: u64| ((word >> 12) as f64 + 0.5) / 52_f64.exp2();
        known.chain((0..self.padding).map(|j| unit(mixed(j)))).collect()
    }

    fn digits(&self, coordinate: usize, k: u32) -> u32 {
        let mut gray = k ^ (k >> 1);
        let mut digits = self.shifts[coordinate];
        while gray != 0 {
            digits ^= self.directions[coordinate][gray.trailing_zeros() as usize];
            gray &= gray - 1;
        }
        digits
    }
}

/// Direction numbers by the recurrence of Joe and Kuo (2008), equation 3; for the first coordinate the binary digits.
fn directions(coordinate: usize) -> [u32; BITS] {
    let mut all: [u32; BITS] = std::array::from_fn(|i| 1 << (BITS - 1 - i));
    let Some((polynomial, first)) = coordinate.checked_sub(1).map(|i| NUMBERS[i]) else {
        return all;
    };
    let degree = first.len();
    for i in 0..BITS {
        all[i] = match first.get(i) {
            Some(number) => u32::from(*number) << (BITS - 1 - i),
            None => (1..=degree)
                .filter(|j| polynomial >> (degree - j) & 1 == 1)
                .fold(all[i - degree] >> degree, |digits, j| digits ^ all[i - j]),
        };
    }
    all
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014).
fn mix(mut word: u64) -> u64 {
    word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// From `SciPy` 1.17.1: `scipy.stats.qmc.Sobol(d=256, scramble=False, bits=32).random(1000)`, times 2^32.
    #[test]
    fn the_plain_sequence_is_that_of_scipy() {
        let sequence = Sequence::plain(256);
        let at = |k| [0, 1, 2, 5, 50, 150, 255].map(|j| sequence.digits(j, k));
        assert_eq!(at(0), [0; 7]);
        assert_eq!(
            at(100),
            [1_778_384_896, 1_107_296_256, 3_321_888_768, 3_187_671_040, 3_791_650_816, 2_650_800_128, 2_449_473_536]
        );
        assert_eq!(
            at(999),
            [675_282_944, 3_904_897_024, 348_127_232, 3_628_072_960, 708_837_376, 2_067_791_872, 1_874_853_888]
        );
        let all = (0..256).flat_map(|j| (0..1000).map(move |k| (j, k)));
        assert_eq!(all.map(|(j, k)| u64::from(sequence.digits(j, k))).sum::<u64>(), 0x1_f382_1000_0000);
    }

    #[test]
    fn scrambling_keeps_the_net() {
        let sequence = Sequence::scrambled(300, &mut ChaCha8Rng::seed_from_u64(5));
        let points: Vec<Vec<f64>> = (0..256).map(|k| sequence.point(k)).collect();
        for j in 0..256 {
            let mut cells: Vec<usize> = points.iter().map(|point| (point[j] * 256.0) as usize).collect();
            cells.sort_unstable();
            assert_eq!(cells, (0..256).collect::<Vec<_>>(), "coordinate {j}");
        }
        // Coordinates 0 and 1 are a (0, 8, 2)-net in base 2: one point in each box of 16 by 16, 64 by 4 and so on.
        for split in 0..=8 {
            let (wide, high) = (f64::from(1 << split), f64::from(256 >> split));
            let cell = |point: &Vec<f64>| (point[0] * wide) as usize * (256 >> split) + (point[1] * high) as usize;
            let mut cells: Vec<usize> = points.iter().map(cell).collect();
            cells.sort_unstable();
            assert_eq!(cells, (0..256).collect::<Vec<_>>(), "split {split}");
        }
        for j in 256..300 {
            let mean = points.iter().map(|point| point[j]).sum::<f64>() / 256.0;
            // Five standard deviations of the mean of 256 uniform numbers.
            assert!((mean - 0.5).abs() < 5.0 / (12.0_f64 * 256.0).sqrt(), "coordinate {j} has mean {mean}");
        }
    }

    #[test]
    fn every_scrambled_point_is_uniform() {
        let first: Vec<f64> =
            (0..1_000).map(|seed| Sequence::scrambled(3, &mut ChaCha8Rng::seed_from_u64(seed)).point(0)[2]).collect();
        for tenth in 0..10 {
            let inside = first.iter().filter(|u| (**u * 10.0) as usize == tenth).count();
            // Five standard deviations of a binomial with p = 1/10.
            assert!((inside as f64 - 100.0).abs() < 5.0 * 90.0_f64.sqrt(), "{inside} in tenth {tenth}");
        }
    }
}
