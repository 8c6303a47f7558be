//! Where a feature is cut, and which bin a value belongs to.

use super::bins::{Feature, Storage};
use super::draw;
use super::kernel::count_below;

/// Cuts are taken from at most this many rows.
const SAMPLE: usize = 50_000;
/// A bin holds at least this many sampled rows, unless the value between its cuts is the only one (LightGBM's
/// `min_data_in_bin`).
const LEAST_IN_BIN: usize = 3;
/// The levels with bins of their own make up this share of the rows (LightGBM).
const COVERED: f64 = 0.99;
/// Bins are two bytes at most, and one is for all other levels.
const MOST_LEVELS: usize = u16::MAX as usize - 1;

/// Rows to take cuts from: all of them, or one from each of [`SAMPLE`] equal parts.
pub(super) fn sample(rows: &[u32]) -> Vec<u32> {
    if rows.len() <= SAMPLE {
        return rows.to_vec();
    }
    let n = rows.len() as u64;
    let at = |i: u64| {
        let (from, to) = (i * n / SAMPLE as u64, (i + 1) * n / SAMPLE as u64);
        from + draw::mix(i) % (to - from).max(1)
    };
    (0..SAMPLE as u64).map(|i| rows[at(i) as usize]).collect()
}

/// Ascending cuts of a quantity, and whether there is any value at all.
pub(super) fn cut_number(column: &[f32], rows: &[u32], max_bins: usize) -> (Vec<f32>, bool) {
    let values = || rows.iter().map(|&row| column[row as usize]);
    // Zeros are often the most; they need not be sorted.
    let n_zeros = values().filter(|value| *value == 0.0).count();
    let mut keys: Vec<u32> = values().filter(|value| *value != 0.0 && !value.is_nan()).map(key).collect();
    sort(&mut keys);
    let mut distinct: Vec<(f32, usize)> = Vec::new();
    for run in keys.chunk_by(|a, b| a == b) {
        distinct.push((value(run[0]), run.len()));
    }
    if n_zeros > 0 {
        distinct.insert(distinct.partition_point(|(value, _)| *value < 0.0), (0.0, n_zeros));
    }
    let n = keys.len() + n_zeros;
    let cuts = if distinct.len() <= max_bins { every(&distinct) } else { greedy(&distinct, n, max_bins) };
    (cuts, !distinct.is_empty())
}

/// A cut between each two neighbours with enough rows between the cuts.
fn every(distinct: &[(f32, usize)]) -> Vec<f32> {
    let mut cuts = Vec::new();
    let mut count = 0;
    for pair in distinct.windows(2) {
        count += pair[0].1;
        if count >= LEAST_IN_BIN {
            cuts.push(between(pair[0].0, pair[1].0));
            count = 0;
        }
    }
    cuts
}

/// LightGBM's `GreedyFindBin`: a bin for every value that fills one by itself, the rest in bins of like counts.
fn greedy(distinct: &[(f32, usize)], n: usize, max_bins: usize) -> Vec<f32> {
    let max_bins = max_bins.min(n / LEAST_IN_BIN).max(1);
    let full = n as f64 / max_bins as f64;
    let is_big = |i: usize| distinct[i].1 as f64 >= full;
    let (mut rows_left, mut bins_left) = (n, max_bins);
    for (i, (_, count)) in distinct.iter().enumerate() {
        if is_big(i) {
            rows_left -= count;
            bins_left -= 1;
        }
    }
    let mean = |rows: usize, bins: usize| if bins == 0 { f64::INFINITY } else { rows as f64 / bins as f64 };
    let mut full = mean(rows_left, bins_left);
    let mut cuts = Vec::with_capacity(max_bins);
    let mut count = 0;
    for i in 0..distinct.len() - 1 {
        let big = is_big(i);
        count += distinct[i].1;
        if !big {
            rows_left -= distinct[i].1;
        }
        let before_big = is_big(i + 1) && count as f64 >= (full * 0.5).max(1.0);
        if big || count as f64 >= full || before_big {
            cuts.push(between(distinct[i].0, distinct[i + 1].0));
            if cuts.len() + 1 >= max_bins {
                break;
            }
            count = 0;
            if !big {
                bins_left = bins_left.saturating_sub(1);
                full = mean(rows_left, bins_left);
            }
        }
    }
    cuts
}

/// A cut that puts `a` left and `b` right.
fn between(a: f32, b: f32) -> f32 {
    let middle = a / 2.0 + b / 2.0;
    if middle >= a && middle < b { middle } else { a }
}

/// The levels that get a bin of their own, the most frequent first.
pub(super) fn cut_category(column: &[f32], rows: &[u32], n_levels: u32, max_bins: usize) -> Vec<u32> {
    let mut counts = vec![0_usize; n_levels as usize];
    let mut n = 0;
    for &row in rows {
        if let Some(level) = level_of(column[row as usize], n_levels) {
            counts[level as usize] += 1;
            n += 1;
        }
    }
    let mut order: Vec<u32> = (0..n_levels).filter(|&level| counts[level as usize] > 0).collect();
    order.sort_by_key(|&level| (std::cmp::Reverse(counts[level as usize]), level));
    // As in LightGBM, a category of many levels gets more bins than a quantity, until they make up the share.
    let enough = (COVERED * n as f64).ceil() as usize;
    let mut covered = 0;
    let keep = order.iter().enumerate().take_while(|&(i, &level)| {
        let count = counts[level as usize];
        let wanted = (covered < enough || i < max_bins) && (count >= LEAST_IN_BIN || i < 2);
        covered += count;
        wanted
    });
    let keep = keep.count().min(MOST_LEVELS);
    order.truncate(keep);
    order
}

/// The level a value stands for; `None` when it is missing or no level.
pub(super) fn level_of(value: f32, n_levels: u32) -> Option<u32> {
    let level = value as u32;
    (level as f32 == value && value >= 0.0 && level < n_levels).then_some(level)
}

/// Finds values' bins.
pub(super) enum Lookup {
    /// Cuts, padded with infinities to one less than a power of two, and the missing bin.
    Number { cuts: Vec<f32>, missing: u32 },
    /// The bin of each level, and the bin of all else.
    Category { bins: Vec<u32>, other: u32 },
}

impl Lookup {
    pub(super) fn of(feature: &Feature) -> Lookup {
        if feature.is_category() {
            let n_levels = feature.levels.iter().max().map_or(0, |&most| most as usize + 1);
            let other = feature.n_values as u32;
            let mut bins = vec![other; n_levels];
            for (bin, &level) in feature.levels.iter().enumerate() {
                bins[level as usize] = bin as u32;
            }
            return Lookup::Category { bins, other };
        }
        let mut cuts = feature.cuts.clone();
        cuts.resize((cuts.len() + 1).next_power_of_two() - 1, f32::INFINITY);
        Lookup::Number { cuts, missing: feature.n_values as u32 }
    }

    /// The bins of a column; nothing when there is but one.
    pub(super) fn column(&self, values: &[f32], n_bins: usize) -> Storage {
        if n_bins < 2 {
            Storage::Narrow(Vec::new())
        } else if n_bins <= 256 {
            Storage::Narrow(self.bins(values, |bin| bin as u8))
        } else {
            Storage::Wide(self.bins(values, |bin| bin as u16))
        }
    }

    fn bins<B: Copy>(&self, values: &[f32], cast: impl Fn(u32) -> B) -> Vec<B> {
        match self {
            Lookup::Number { cuts, missing } => {
                let cast = |value: f32, below: u32| cast(if value.is_nan() { *missing } else { below });
                count_below(cuts, values, cast)
            }
            Lookup::Category { bins, other } => {
                let of = |&value: &f32| level_of(value, bins.len() as u32).map_or(*other, |level| bins[level as usize]);
                values.iter().map(of).map(cast).collect()
            }
        }
    }
}

/// A number whose unsigned order is the order of the values.
fn key(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn value(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

/// Radix sort in three passes of eleven bits; several times faster than by comparison.
fn sort(keys: &mut Vec<u32>) {
    const BITS: u32 = 11;
    if keys.len() < 256 {
        keys.sort_unstable();
        return;
    }
    let digit = |key: u32, pass: u32| (key >> (pass * BITS)) as usize & ((1 << BITS) - 1);
    let mut starts = vec![[0_u32; 1 << BITS]; 3];
    for &key in keys.iter() {
        for pass in 0..3 {
            starts[pass as usize][digit(key, pass)] += 1;
        }
    }
    let mut other = vec![0_u32; keys.len()];
    for pass in 0..3 {
        let starts = &mut starts[pass as usize];
        if starts.iter().any(|&count| count as usize == keys.len()) {
            continue;
        }
        let mut sum = 0;
        for start in starts.iter_mut() {
            sum += std::mem::replace(start, sum);
        }
        for &key in keys.iter() {
            let to = &mut starts[digit(key, pass)];
            other[*to as usize] = key;
            *to += 1;
        }
        std::mem::swap(keys, &mut other);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frequent_values_have_a_bin_of_their_own() {
        let column: Vec<f32> = (0..1000).map(|i| if i % 2 == 0 { 0.0 } else { i as f32 }).collect();
        let rows: Vec<u32> = (0..1000).collect();
        let (cuts, _) = cut_number(&column, &rows, 16);
        assert!(cuts[0] >= 0.0 && cuts[0] < 1.0, "{cuts:?}");
        assert_eq!(cuts.len(), 15);
    }

    #[test]
    fn a_cut_is_never_above_what_it_puts_right() {
        for (a, b) in [(f32::MIN, f32::MAX), (1.0, 1.0_f32.next_up()), (0.0, f32::from_bits(1)), (-1.0, 1.0)] {
            let cut = between(a, b);
            assert!(a <= cut && cut < b, "{a} {cut} {b}");
        }
    }

    proptest! {
        #[test]
        fn keys_sort_as_values_do(values in proptest::collection::vec(-1e30_f32..1e30, 0..2000)) {
            let mut keys: Vec<u32> = values.iter().map(|&v| key(v)).collect();
            sort(&mut keys);
            let mut expected = values;
            expected.sort_unstable_by(f32::total_cmp);
            prop_assert!(keys.iter().zip(&expected).all(|(&k, &v)| value(k) == v));
        }
    }
}
