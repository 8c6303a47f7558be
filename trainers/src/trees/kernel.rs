//! The loops in which growing trees spends its time. This is the only file of the crate with `unsafe` code:
//! each loop checks what it relies on before it starts, and then reads and writes unchecked.
#![expect(unsafe_code, reason = "bounds are checked once per call, not once per cell")]

use super::bins::{Group, LANES, Rows, Storage};

/// Two sums in one integer: the gradients' in the upper half, signed, and the weights' in the lower half, not
/// negative. Adding and subtracting cells adds and subtracts both, exactly and in any order, as long as neither
/// sum leaves its half; [`super::quantise`] sees to that.
pub(super) type Cell = i64;

/// A cell of one row.
pub(super) fn pack(gradient: i32, weight: u32) -> Cell {
    (i64::from(gradient) << 32) + i64::from(weight)
}

/// The gradients' sum.
pub(super) fn gradient(cell: Cell) -> i32 {
    (cell >> 32) as i32
}

/// The weights' sum.
pub(super) fn weight(cell: Cell) -> u32 {
    cell as u32
}

/// Panics unless every row is one of so many and has a cell.
fn check(n_rows: usize, rows: &[u32], n_cells: usize) {
    assert_eq!(rows.len(), n_cells, "one cell per row");
    assert!(rows.is_empty() || n_rows > 0, "rows of nothing");
    assert!(rows.iter().fold(0, |most, &row| most.max(row)) < n_rows.max(1) as u32, "a row without bins");
}

/// Adds rows to the histogram of a group: `cells` has one cell more than the group, for the lanes of padding.
pub(super) fn add_rows(group: &Group, rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    assert_eq!(cells.len(), group.n_cells + 1, "a histogram of this group");
    match &group.rows {
        Rows::Dense { width, bins, lane_offsets } => {
            check(bins.len() / width, rows, sums.len());
            assert_eq!((lane_offsets.len(), width % LANES), (*width, 0), "an offset per lane");
            match (bins, width / LANES) {
                (Storage::Narrow(bins), 1) => add_quads::<1>(lane_offsets, bins, rows, sums, cells),
                (Storage::Narrow(bins), 2) => add_quads::<2>(lane_offsets, bins, rows, sums, cells),
                (Storage::Narrow(bins), 3) => add_quads::<3>(lane_offsets, bins, rows, sums, cells),
                (Storage::Narrow(bins), 4) => add_quads::<4>(lane_offsets, bins, rows, sums, cells),
                (Storage::Narrow(bins), 5) => add_quads::<5>(lane_offsets, bins, rows, sums, cells),
                (Storage::Narrow(bins), 6) => add_quads::<6>(lane_offsets, bins, rows, sums, cells),
                (Storage::Narrow(bins), 8) => add_quads::<8>(lane_offsets, bins, rows, sums, cells),
                (Storage::Narrow(bins), _) => add_many(lane_offsets, bins, rows, sums, cells),
                (Storage::Wide(bins), _) => add_wide(lane_offsets, bins, rows, sums, cells),
            }
        }
        Rows::Sparse { starts, cells: listed, usual } => {
            check(starts.len() - 1, rows, sums.len());
            add_listed(starts, listed, rows, sums, cells);
            // What was not listed had the usual bin.
            let total: Cell = sums.iter().sum();
            for &(usual, from, to) in usual {
                let others: Cell = cells[from as usize..to as usize].iter().sum();
                cells[usual as usize] += total - others;
            }
        }
    }
}

/// Rows from now whose bins are fetched into the cache already, where little is done with each.
const AHEAD: usize = 64;

/// Asks for memory that will be read soon; of no effect on any result.
#[inline]
fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address is a hint that cannot fault.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

fn add_quads<const QUADS: usize>(lane_offsets: &[u32], bins: &[u8], rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    let mut offsets = [[0_usize; LANES]; QUADS];
    for (quad, lanes) in offsets.iter_mut().zip(lane_offsets.chunks_exact(LANES)) {
        for (offset, &lane) in quad.iter_mut().zip(lanes) {
            *offset = lane as usize;
        }
    }
    let (bins, cells) = (bins.as_ptr(), cells.as_mut_ptr());
    for (i, (&row, &sum)) in rows.iter().zip(sums).enumerate() {
        if let Some(&soon) = rows.get(i + AHEAD.div_ceil(QUADS) + 8) {
            prefetch(bins.wrapping_add(soon as usize * (QUADS * LANES)));
        }
        // SAFETY: `check` saw that the row has `width = QUADS * LANES` bins.
        let at = unsafe { bins.add(row as usize * (QUADS * LANES)) };
        for (quad, offsets) in offsets.iter().enumerate() {
            // SAFETY: as above; four bytes at any address make a `u32`.
            let four = unsafe { at.add(quad * LANES).cast::<u32>().read_unaligned() }.to_le();
            for (lane, &offset) in offsets.iter().enumerate() {
                let bin = (four >> (8 * lane)) as usize & 0xff;
                // SAFETY: a feature's bins are below its `n_bins` and its cells begin at its offset, so the cell
                // is one of the group's; padding has bin 0 and the offset of the cell after them, which wraps.
                let cell = unsafe { &mut *cells.add(offset + bin) };
                *cell = cell.wrapping_add(sum);
            }
        }
    }
}

/// [`add_quads`] for a width that is known only now.
fn add_many(lane_offsets: &[u32], bins: &[u8], rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    let quads = lane_offsets.as_chunks::<LANES>().0;
    let width = lane_offsets.len();
    let (bins, cells) = (bins.as_ptr(), cells.as_mut_ptr());
    for (i, (&row, &sum)) in rows.iter().zip(sums).enumerate() {
        if let Some(&soon) = rows.get(i + LANES) {
            prefetch(bins.wrapping_add(soon as usize * width));
        }
        // SAFETY: `check` saw that the row has `width` bins, a multiple of four.
        let at = unsafe { bins.add(row as usize * width) };
        for (quad, offsets) in quads.iter().enumerate() {
            // SAFETY: as above; four bytes at any address make a `u32`.
            let four = unsafe { at.add(quad * LANES).cast::<u32>().read_unaligned() }.to_le();
            for (lane, &offset) in offsets.iter().enumerate() {
                let bin = (four >> (8 * lane)) as usize & 0xff;
                // SAFETY: as in `add_quads`.
                let cell = unsafe { &mut *cells.add(offset as usize + bin) };
                *cell = cell.wrapping_add(sum);
            }
        }
    }
}

fn add_wide(lane_offsets: &[u32], bins: &[u16], rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    let width = lane_offsets.len();
    for (&row, &sum) in rows.iter().zip(sums) {
        for (lane, &offset) in lane_offsets.iter().enumerate() {
            // SAFETY: `check` saw that the row has `width` bins.
            let bin = unsafe { *bins.get_unchecked(row as usize * width + lane) };
            // SAFETY: as in `add_quads`.
            let cell = unsafe { cells.get_unchecked_mut(offset as usize + bin as usize) };
            *cell = cell.wrapping_add(sum);
        }
    }
}

fn add_listed(starts: &[u32], listed: &[u32], rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    for (i, (&row, &sum)) in rows.iter().zip(sums).enumerate() {
        if let Some(&soon) = rows.get(i + LANES) {
            prefetch(listed.as_ptr().wrapping_add(starts[soon as usize] as usize));
        }
        for &cell in &listed[starts[row as usize] as usize..starts[row as usize + 1] as usize] {
            // SAFETY: what is listed are cells of this group, and `cells` has all of them.
            unsafe { *cells.get_unchecked_mut(cell as usize) += sum };
        }
    }
}

/// Adds rows to the histogram of one feature, `cells[bin]`.
pub(super) fn add_column(column: &Storage, rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    check(column.len(), rows, sums.len());
    match column {
        Storage::Narrow(bins) => add_bins(bins, rows, sums, cells),
        Storage::Wide(bins) => add_bins(bins, rows, sums, cells),
    }
}

fn add_bins<B: Copy + Into<usize>>(bins: &[B], rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    for (&row, &sum) in rows.iter().zip(sums) {
        // SAFETY: `check` saw that the row has a bin.
        let bin: usize = unsafe { *bins.get_unchecked(row as usize) }.into();
        cells[bin] += sum;
    }
}

/// Moves the positions whose bin goes left to the front, both sides in their order, and gives how many they are.
/// `rows` gives the row of a position, `left` whether a bin goes left; `other` is room for as many positions.
pub(super) fn partition(
    column: &Storage,
    left: &[bool],
    rows: &[u32],
    positions: &mut [u32],
    other: &mut [u32],
) -> usize {
    assert!(other.len() >= positions.len(), "room for every position");
    assert!(positions.is_empty() || !rows.is_empty(), "positions in nothing");
    assert!(positions.iter().fold(0, |most, &at| most.max(at)) < rows.len().max(1) as u32, "a position without row");
    match column {
        Storage::Narrow(bins) => {
            // One byte cannot leave a table of 256.
            let mut table = [false; 256];
            table[..left.len()].copy_from_slice(left);
            partition_by(bins, |bin| table[bin as usize], rows, positions, other)
        }
        Storage::Wide(bins) => partition_by(bins, |bin| left[bin as usize], rows, positions, other),
    }
}

fn partition_by<B: Copy>(
    bins: &[B],
    goes_left: impl Fn(B) -> bool,
    rows: &[u32],
    positions: &mut [u32],
    other: &mut [u32],
) -> usize {
    let (mut to_left, mut to_right) = (0, 0);
    for i in 0..positions.len() {
        // SAFETY: `i` is below the length, `to_left` and `to_right` at most `i`; `other` is as long, and every
        // position has a row, both checked by the caller.
        let (position, row) = unsafe {
            if i + AHEAD < positions.len() {
                let soon = *rows.get_unchecked(*positions.get_unchecked(i + AHEAD) as usize) as usize;
                prefetch(bins.as_ptr().wrapping_add(soon));
            }
            let position = *positions.get_unchecked(i);
            (position, *rows.get_unchecked(position as usize) as usize)
        };
        let left = goes_left(bins[row]);
        // SAFETY: as above.
        unsafe {
            *positions.get_unchecked_mut(to_left) = position;
            *other.get_unchecked_mut(to_right) = position;
        }
        to_left += usize::from(left);
        to_right += usize::from(!left);
    }
    positions[to_left..].copy_from_slice(&other[..to_right]);
    to_left
}

/// How many of the ascending cuts are below each value, and what `cast` makes of it; of cuts there are one less than a
/// power of two.
pub(super) fn count_below<B>(cuts: &[f32], values: &[f32], cast: impl Fn(f32, u32) -> B) -> Vec<B> {
    assert!((cuts.len() + 1).is_power_of_two(), "cuts to halve");
    match cuts.len() {
        255 => halve::<8, B>(cuts, values, cast),
        127 => halve::<7, B>(cuts, values, cast),
        63 => halve::<6, B>(cuts, values, cast),
        31 => halve::<5, B>(cuts, values, cast),
        _ => values.iter().map(|&value| cast(value, cuts.partition_point(|&cut| cut < value) as u32)).collect(),
    }
}

/// Halving without a branch: none can be foreseen, and one value's search runs while another's waits for memory.
fn halve<const STEPS: u32, B>(cuts: &[f32], values: &[f32], cast: impl Fn(f32, u32) -> B) -> Vec<B> {
    assert!(cuts.len() + 1 == 1 << STEPS, "cuts for so many steps");
    let of = |&value: &f32| {
        let mut below = 0;
        for step in (0..STEPS).rev() {
            // SAFETY: `below` is a multiple of `2 << step` below `1 << STEPS`, so the index is below the last.
            let cut = unsafe { *cuts.get_unchecked(below + (1 << step) - 1) };
            below += usize::from(cut < value) << step;
        }
        cast(value, below as u32)
    };
    values.iter().map(of).collect()
}

/// Room for what each cut is worth.
#[derive(Debug, Default)]
pub(super) struct Worths {
    gradients: Vec<f32>,
    weights: Vec<f32>,
    of_cuts: Vec<f32>,
}

/// Where `max(|gl| - α, 0)² / (hl + λ) + max(|gr| - α, 0)² / (hr + λ)` is greatest, the first of equals, and how great;
/// `prefix` holds the sums left of each cut, every `hl + λ` and `hr + λ` is above 0, everything in units. Single
/// precision is enough to choose by.
pub(super) fn best_cut(prefix: &[Cell], total: Cell, penalties: (f32, f32), room: &mut Worths) -> (usize, f32) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { best_cut_avx2(prefix, total, penalties, room) };
    }
    best_cut_any(prefix, total, penalties, room)
}

/// [`best_cut_any`] on wider registers: the same operations on each number, so the same result.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn best_cut_avx2(prefix: &[Cell], total: Cell, penalties: (f32, f32), room: &mut Worths) -> (usize, f32) {
    best_cut_any(prefix, total, penalties, room)
}

#[inline(always)]
fn best_cut_any(prefix: &[Cell], total: Cell, (alpha, lambda): (f32, f32), room: &mut Worths) -> (usize, f32) {
    const STRIDE: usize = 16;
    let n = prefix.len();
    let padded = n.next_multiple_of(STRIDE);
    for numbers in [&mut room.gradients, &mut room.weights, &mut room.of_cuts] {
        numbers.resize(numbers.len().max(padded), 0.0);
    }
    let (gradients, weights) = (&mut room.gradients[..n], &mut room.weights[..n]);
    for ((&left, g), h) in prefix.iter().zip(gradients).zip(weights) {
        *g = gradient(left) as f32;
        *h = weight(left) as i32 as f32;
    }
    let (all_g, all_h) = (gradient(total) as f32, weight(total) as i32 as f32 + 2.0 * lambda);
    let shrunk = |g: f32| {
        let size = g.abs() - alpha;
        if size > 0.0 { size } else { 0.0 }
    };
    let worths = &mut room.of_cuts[..padded];
    for ((worth, &g), &h) in worths.iter_mut().zip(&room.gradients[..n]).zip(&room.weights[..n]) {
        let h = h + lambda;
        let (own, other, other_h) = (shrunk(g), shrunk(all_g - g), all_h - h);
        *worth = (own * own * other_h + other * other * h) / (h * other_h);
    }
    worths[n..].fill(f32::NEG_INFINITY);
    let mut most = [f32::NEG_INFINITY; STRIDE];
    for worths in worths.chunks_exact(STRIDE) {
        for (most, &worth) in most.iter_mut().zip(worths) {
            *most = if worth > *most { worth } else { *most };
        }
    }
    let best = most.iter().fold(f32::NEG_INFINITY, |best, &most| if most > best { most } else { best });
    let holds = |worths: &[f32]| worths.iter().filter(|&&worth| worth == best).count() > 0;
    let stride = worths.chunks_exact(STRIDE).position(holds).unwrap_or(0) * STRIDE;
    (stride + worths[stride..].iter().position(|&worth| worth == best).unwrap_or(0), best)
}

/// The items at these places, side by side in `out`.
pub(super) fn gather<T: Copy>(items: &[T], places: &[u32], out: &mut [T]) {
    assert_eq!(places.len(), out.len(), "room for each");
    assert!(places.iter().fold(0, |most, &at| most.max(at)) < items.len().max(1) as u32, "a place without item");
    assert!(places.is_empty() || !items.is_empty(), "places in nothing");
    for (i, (out, &at)) in out.iter_mut().zip(places).enumerate() {
        if let Some(&soon) = places.get(i + AHEAD) {
            prefetch(items.as_ptr().wrapping_add(soon as usize));
        }
        // SAFETY: every place was seen to be inside.
        *out = unsafe { *items.get_unchecked(at as usize) };
    }
}

/// Adds a value to the items at these places.
pub(super) fn add_at(items: &mut [f32], places: &[u32], value: f32) {
    assert!(places.iter().fold(0, |most, &at| most.max(at)) < items.len().max(1) as u32, "a place without item");
    assert!(places.is_empty() || !items.is_empty(), "places in nothing");
    for (i, &at) in places.iter().enumerate() {
        if let Some(&soon) = places.get(i + AHEAD) {
            prefetch(items.as_ptr().wrapping_add(soon as usize));
        }
        // SAFETY: every place was seen to be inside.
        unsafe { *items.get_unchecked_mut(at as usize) += value };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::bins::{Bins, Placed};
    use super::*;
    use crate::data::Block;

    fn bins(columns: &[Vec<f32>], max_bins: usize) -> Bins {
        let n_rows = columns[0].len();
        let names = (0..columns.len()).map(|j| format!("x{j}")).collect();
        let rows: Vec<u32> = (0..n_rows as u32).collect();
        let block = Block::numbers(names, n_rows, columns.concat());
        Bins::cut(&[Arc::new(block)], &rows, max_bins).expect("a sound block")
    }

    #[test]
    fn halves_of_a_cell_do_not_meet() {
        let cell = pack(-5, 7) + pack(i32::MAX - 10, u32::MAX / 2) - pack(-9, 3);
        assert_eq!((gradient(cell), weight(cell)), (i32::MAX - 10 - 5 + 9, u32::MAX / 2 + 4));
    }

    #[test]
    #[should_panic(expected = "a row without bins")]
    fn a_row_beyond_the_bins_is_refused() {
        let bins = bins(&[(0..20).map(|i| i as f32).collect()], 255);
        let group = &bins.groups[0].group;
        let mut cells = vec![0; group.n_cells + 1];
        add_rows(group, &[20], &[1], &mut cells);
    }

    #[test]
    fn the_best_cut_is_the_best_whatever_the_registers() {
        let mut room = Worths::default();
        for n in [1, 2, 15, 16, 17, 40, 255] {
            let mut sum = 0;
            let prefix: Vec<Cell> = (0..n)
                .map(|i| {
                    let drawn = super::super::draw::mix(n * 1000 + i);
                    sum += pack((drawn % 2001) as i32 - 1000, 1 + (drawn >> 40) as u32 % 50);
                    sum
                })
                .collect();
            let total = sum + pack(333, 20);
            for penalties in [(0.0, 0.0), (40.0, 10.0)] {
                let found = best_cut(&prefix, total, penalties, &mut room);
                assert_eq!(found, best_cut_any(&prefix, total, penalties, &mut room));
                let worth = |left: Cell| {
                    let side = |cell: Cell| {
                        let g = (f64::from(gradient(cell)).abs() - f64::from(penalties.0)).max(0.0);
                        g * g / (f64::from(weight(cell)) + f64::from(penalties.1))
                    };
                    side(left) + side(total - left)
                };
                let best = prefix.iter().map(|&left| worth(left)).fold(0.0, f64::max);
                assert!((worth(prefix[found.0]) / best - 1.0).abs() < 1e-5, "{n} {penalties:?}");
                assert!((f64::from(found.1) / best - 1.0).abs() < 1e-5, "{n} {penalties:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_histogram_sums_what_the_rows_hold(
            seed in 0_u64..1000,
            n_features in 1_usize..45,
            n_rows in 4_usize..90,
            max_bins in prop_oneof![Just(255_usize), Just(600), Just(2)],
        ) {
            let draw = |i: usize| super::super::draw::mix(seed * 1_000_003 + i as u64);
            let columns: Vec<Vec<f32>> = (0..n_features)
                .map(|j| (0..n_rows).map(|i| {
                    let drawn = draw(j * n_rows + i);
                    // Under some seeds most values are the same, which makes a group of lists.
                    if seed % 3 == 0 && drawn >> 60 > 0 { 0.0 } else { (drawn % (1 + 7 * j as u64)) as f32 }
                }).collect())
                .collect();
            let bins = bins(&columns, max_bins);
            let rows: Vec<u32> = (0..n_rows as u32).filter(|&row| draw(row as usize) % 3 > 0).collect();
            let sums: Vec<Cell> = rows.iter().map(|&row| pack(row as i32 - 20, row)).collect();
            for (index, Placed { offset, group }) in bins.groups.iter().enumerate() {
                let mut cells = vec![0; group.n_cells + 1];
                add_rows(group, &rows, &sums, &mut cells);
                for j in (0..n_features).filter(|&j| bins.features[j].n_bins > 1 && bins.places[j].group == index) {
                    let feature = &bins.features[j];
                    let mut expected = vec![0; feature.n_bins];
                    for (&row, &sum) in rows.iter().zip(&sums) {
                        expected[bins.bin(row as usize, j)] += sum;
                    }
                    let at = bins.places[j].offset - offset;
                    prop_assert_eq!(&cells[at..at + feature.n_bins], &expected[..]);
                    let mut alone = vec![0; feature.n_bins];
                    add_column(&feature.column, &rows, &sums, &mut alone);
                    prop_assert_eq!(alone, expected);
                    // Every other bin goes left.
                    let left: Vec<bool> = (0..feature.n_bins).map(|bin| bin % 2 == 0).collect();
                    let mut positions: Vec<u32> = (0..rows.len() as u32).rev().collect();
                    let before = positions.clone();
                    let mut other = vec![0; positions.len()];
                    let n_left = partition(&feature.column, &left, &rows, &mut positions, &mut other);
                    let side = |wanted: bool| before.iter().copied()
                        .filter(|&at| left[bins.bin(rows[at as usize] as usize, j)] == wanted).collect::<Vec<u32>>();
                    prop_assert_eq!(&positions[..n_left], &side(true)[..]);
                    prop_assert_eq!(&positions[n_left..], &side(false)[..]);
                }
            }
        }
    }
}
