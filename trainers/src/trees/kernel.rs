//! The loops in which growing trees spends its time. This is the only file of the crate with `unsafe` code:
//! each loop checks what it relies on before it starts, and then reads and writes unchecked.
#![expect(unsafe_code, reason = "bounds are checked once per call, not once per cell")]

use super::bins::{Group, LANES, Storage};

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

/// Panics unless every row has bins and the parallel slices are parallel.
fn check(group: &Group, rows: &[u32], parallel: usize) {
    let n_rows = match &group.bins {
        Storage::Narrow(bins) => bins.len(),
        Storage::Wide(bins) => bins.len(),
    } / group.width;
    assert_eq!(rows.len(), parallel, "one cell per row");
    assert!(rows.iter().fold(0, |most, &row| most.max(row)) < n_rows.max(1) as u32, "a row without bins");
    assert!(rows.is_empty() || n_rows > 0, "rows of an empty group");
}

/// Adds rows to the histogram of a group: `cells` has one cell more than the group, for the lanes of padding.
pub(super) fn add_rows(group: &Group, rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    check(group, rows, sums.len());
    assert_eq!(cells.len(), group.n_cells + 1, "a histogram of this group");
    assert_eq!(group.lane_offsets.len(), group.width, "an offset per lane");
    match (&group.bins, group.width / LANES) {
        (Storage::Narrow(bins), 1) => add_quads::<1>(group, bins, rows, sums, cells),
        (Storage::Narrow(bins), 2) => add_quads::<2>(group, bins, rows, sums, cells),
        (Storage::Narrow(bins), 3) => add_quads::<3>(group, bins, rows, sums, cells),
        (Storage::Narrow(bins), 4) => add_quads::<4>(group, bins, rows, sums, cells),
        (Storage::Narrow(bins), 5) => add_quads::<5>(group, bins, rows, sums, cells),
        (Storage::Narrow(bins), 6) => add_quads::<6>(group, bins, rows, sums, cells),
        (Storage::Narrow(bins), 8) => add_quads::<8>(group, bins, rows, sums, cells),
        (Storage::Narrow(bins), _) => add_any(group, bins, rows, sums, cells),
        (Storage::Wide(bins), _) => add_any(group, bins, rows, sums, cells),
    }
}

/// Rows from now whose bins are fetched into the cache already, where little is done with each.
const AHEAD: usize = 64;

/// Asks for memory that will be read soon; of no effect on any result.
#[inline(always)]
fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address is a hint that cannot fault.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

fn add_quads<const QUADS: usize>(group: &Group, bins: &[u8], rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    let mut offsets = [[0_usize; LANES]; QUADS];
    for (quad, lanes) in offsets.iter_mut().zip(group.lane_offsets.chunks_exact(LANES)) {
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

fn add_any<B: Copy + Into<usize>>(group: &Group, bins: &[B], rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    let width = group.width;
    for (&row, &sum) in rows.iter().zip(sums) {
        for (lane, &offset) in group.lane_offsets.iter().enumerate() {
            // SAFETY: `check` saw that the row has `width` bins.
            let bin: usize = unsafe { *bins.get_unchecked(row as usize * width + lane) }.into();
            // SAFETY: as in `add_quads`.
            let cell = unsafe { cells.get_unchecked_mut(offset as usize + bin) };
            *cell = cell.wrapping_add(sum);
        }
    }
}

/// Adds rows to the histogram of one lane, `cells[bin]`.
pub(super) fn add_lane(group: &Group, lane: usize, n_bins: usize, rows: &[u32], sums: &[Cell], cells: &mut [Cell]) {
    check(group, rows, sums.len());
    assert!(lane < group.width && n_bins <= cells.len(), "a histogram of this lane");
    match &group.bins {
        Storage::Narrow(bins) => add_column(bins, group.width, lane, rows, sums, cells),
        Storage::Wide(bins) => add_column(bins, group.width, lane, rows, sums, cells),
    }
}

fn add_column<B: Copy + Into<usize>>(
    bins: &[B],
    width: usize,
    lane: usize,
    rows: &[u32],
    sums: &[Cell],
    cells: &mut [Cell],
) {
    for (&row, &sum) in rows.iter().zip(sums) {
        // SAFETY: `check` saw that the row has `width` bins, of which `lane` is one.
        let bin: usize = unsafe { *bins.get_unchecked(row as usize * width + lane) }.into();
        // SAFETY: the lane's bins are below its `n_bins`, which is at most `cells.len()`.
        unsafe { *cells.get_unchecked_mut(bin) += sum };
    }
}

/// Moves the positions whose bin goes left to the front, both sides in their order, and gives how many they are.
/// `rows` gives the row of a position, `left` whether a bin goes left; `other` is room for as many positions.
pub(super) fn partition(
    group: &Group,
    lane: usize,
    left: &[bool],
    rows: &[u32],
    positions: &mut [u32],
    other: &mut [u32],
) -> usize {
    assert!(lane < group.width && other.len() >= positions.len(), "room for every position");
    assert!(positions.iter().fold(0, |most, &at| most.max(at)) < rows.len().max(1) as u32, "a position without row");
    match &group.bins {
        Storage::Narrow(bins) => partition_by(bins, group.width, lane, left, rows, positions, other),
        Storage::Wide(bins) => partition_by(bins, group.width, lane, left, rows, positions, other),
    }
}

fn partition_by<B: Copy + Into<usize>>(
    bins: &[B],
    width: usize,
    lane: usize,
    left: &[bool],
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
                prefetch(bins.as_ptr().wrapping_add(soon * width + lane));
            }
            let position = *positions.get_unchecked(i);
            (position, *rows.get_unchecked(position as usize) as usize)
        };
        let goes_left = left[bins[row * width + lane].into()];
        // SAFETY: as above.
        unsafe {
            *positions.get_unchecked_mut(to_left) = position;
            *other.get_unchecked_mut(to_right) = position;
        }
        to_left += usize::from(goes_left);
        to_right += usize::from(!goes_left);
    }
    positions[to_left..].copy_from_slice(&other[..to_right]);
    to_left
}

/// The items at these places, side by side.
pub(super) fn gather<T: Copy>(items: &[T], places: &[u32], out: &mut Vec<T>) {
    assert!(places.iter().fold(0, |most, &at| most.max(at)) < items.len().max(1) as u32, "a place without item");
    assert!(places.is_empty() || !items.is_empty(), "places in nothing");
    out.clear();
    out.extend(places.iter().enumerate().map(|(i, &at)| {
        if let Some(&soon) = places.get(i + AHEAD) {
            prefetch(items.as_ptr().wrapping_add(soon as usize));
        }
        // SAFETY: every place was seen to be inside.
        unsafe { *items.get_unchecked(at as usize) }
    }));
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

    use super::super::bins::Bins;
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
        let mut cells = vec![0; bins.groups[0].n_cells + 1];
        add_rows(&bins.groups[0], &[20], &[1], &mut cells);
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
                .map(|j| (0..n_rows).map(|i| (draw(j * n_rows + i) % (1 + 7 * j as u64)) as f32).collect())
                .collect();
            let bins = bins(&columns, max_bins);
            let rows: Vec<u32> = (0..n_rows as u32).filter(|&row| draw(row as usize) % 3 > 0).collect();
            let sums: Vec<Cell> = rows.iter().map(|&row| pack(row as i32 - 20, row)).collect();
            for group in &bins.groups {
                let mut cells = vec![0; group.n_cells + 1];
                add_rows(group, &rows, &sums, &mut cells);
                for (lane, &j) in group.features.iter().enumerate() {
                    let feature = &bins.features[j];
                    let mut expected = vec![0; feature.n_bins];
                    for (&row, &sum) in rows.iter().zip(&sums) {
                        expected[bins.bin(row as usize, j)] += sum;
                    }
                    let at = group.lane_offsets[lane] as usize;
                    prop_assert_eq!(&cells[at..at + feature.n_bins], &expected[..]);
                    let mut alone = vec![0; feature.n_bins];
                    add_lane(group, lane, feature.n_bins, &rows, &sums, &mut alone);
                    prop_assert_eq!(alone, expected);
                    // Every other bin goes left.
                    let left: Vec<bool> = (0..feature.n_bins).map(|bin| bin % 2 == 0).collect();
                    let mut positions: Vec<u32> = (0..rows.len() as u32).rev().collect();
                    let before = positions.clone();
                    let mut other = vec![0; positions.len()];
                    let n_left = partition(group, lane, &left, &rows, &mut positions, &mut other);
                    let side = |wanted: bool| before.iter().copied()
                        .filter(|&at| left[bins.bin(rows[at as usize] as usize, j)] == wanted).collect::<Vec<u32>>();
                    prop_assert_eq!(&positions[..n_left], &side(true)[..]);
                    prop_assert_eq!(&positions[n_left..], &side(false)[..]);
                }
            }
        }
    }
}
