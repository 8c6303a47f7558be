//! Features cut into bins, the form in which trees are grown.
//!
//! The layout is a hybrid: features stand in groups, a group's bins row by row. A group is as wide as keeps its
//! histogram in the first-level cache ([`GROUP_CELLS`]), so that adding a row to a histogram reads one short run
//! of bytes and hits no cell that is far away; a group per feature (column-major) reads the row index once a
//! feature, one group for all (row-major) leaves the cache as soon as there are more than about twenty features.
//! Features that mostly have one value make up a group of their own, of which only the other values are listed. Beside
//! its place in a group each feature has a column, which is what dividing rows and single features read.

use std::sync::Arc;

use rayon::prelude::*;

use super::cuts::{Lookup, cut_category, cut_number, level_of, sample};
use crate::data::{Block, Kind};
use crate::error::TrainError;

/// Histogram cells of a group: 40 KiB.
const GROUP_CELLS: usize = 5120;
/// Bytes read at once; a group's rows are padded to it.
pub(super) const LANES: usize = 4;
/// Rows binned at once, so that a group's rows are still in the cache when the next feature is written.
const ROWS_AT_ONCE: usize = 1024;
/// Positions are `u32`, sums of quantised weights `i32`.
const MOST_ROWS: usize = 1 << 30;

/// The features of some blocks, cut into bins; missing values have a bin of their own. Immutable, shared by all
/// trainings on the same blocks, whatever their rows.
#[derive(Debug)]
pub struct Bins {
    pub(super) features: Vec<Arc<Feature>>,
    /// Where each feature's cells are.
    pub(super) places: Vec<Place>,
    pub(super) groups: Vec<Placed>,
    /// Cells of a histogram over all features.
    pub(super) n_cells: usize,
    pub(super) n_rows: usize,
}

/// Where a feature's cells are; of no meaning for a feature without a place in a group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) group: usize,
    /// First of its cells in a histogram over all features.
    pub(super) offset: usize,
}

/// A group, which others may share, and where its cells are.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    /// First cell of the group in a histogram over all features.
    pub(super) offset: usize,
    pub(super) group: Arc<Group>,
}

/// One feature's cuts.
#[derive(Debug)]
pub(super) struct Feature {
    pub(super) kind: Kind,
    /// Bins of values, the missing bin not among them.
    pub(super) n_values: usize,
    /// Bins in all; below 2 the feature has no place in a group.
    pub(super) n_bins: usize,
    /// Whether the rows that cuts were taken from differ in it.
    pub(super) tells: bool,
    /// A quantity's bin `b` holds the values above `cuts[b - 1]` up to `cuts[b]`.
    pub(super) cuts: Vec<f32>,
    /// A category's level of each bin.
    pub(super) levels: Vec<u32>,
    /// The bin that most rows have, if it is left out of the group.
    pub(super) usual: Option<usize>,
    /// Its bin in every row; empty when it has no place in a group.
    pub(super) column: Storage,
}

impl Feature {
    /// A quantity with these cuts, never missing, in every row.
    pub(super) fn quantity(cuts: Vec<f32>, values: &[f32]) -> Feature {
        let n_bins = cuts.len() + 1;
        let feature = Feature { n_values: n_bins, n_bins, tells: n_bins > 1, cuts, ..Feature::empty(Kind::Number) };
        Feature { column: Lookup::of(&feature).column(values, n_bins), ..feature }
    }

    /// A feature that says nothing.
    fn empty(kind: Kind) -> Feature {
        Feature {
            kind,
            n_values: 0,
            n_bins: 0,
            tells: false,
            cuts: Vec::new(),
            levels: Vec::new(),
            usual: None,
            column: Storage::Narrow(Vec::new()),
        }
    }

    /// The bin of missing values: the one after all others.
    pub(super) fn missing(&self) -> Option<usize> {
        (self.n_bins > self.n_values).then_some(self.n_values)
    }

    pub(super) fn is_category(&self) -> bool {
        matches!(self.kind, Kind::Category { .. })
    }
}

/// Some features' bins, row by row.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) n_features: usize,
    pub(super) rows: Rows,
    pub(super) n_cells: usize,
}

/// A group's bins.
#[derive(Debug)]
pub(super) enum Rows {
    /// Row-major, a lane per feature.
    Dense {
        /// Bins per row, a multiple of [`LANES`]; the lanes beyond the features hold bin 0.
        width: usize,
        bins: Storage,
        /// First cell of each lane, counted from the group's. Lanes beyond the features add to a cell after all others.
        lane_offsets: Vec<u32>,
    },
    /// The cells, counted from the group's, of all bins but the usual ones.
    Sparse {
        /// Where each row's cells begin, and where the last one's end.
        starts: Vec<u32>,
        cells: Vec<u32>,
        /// Each feature's usual cell, and where its cells begin and end.
        usual: Vec<(u32, u32, u32)>,
    },
}

/// Bins, of one byte or, where a feature has more than 256, of two.
#[derive(Debug)]
pub(super) enum Storage {
    Narrow(Vec<u8>),
    Wide(Vec<u16>),
}

impl Storage {
    pub(super) fn get(&self, at: usize) -> usize {
        match self {
            Storage::Narrow(bins) => bins[at] as usize,
            Storage::Wide(bins) => bins[at] as usize,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Storage::Narrow(bins) => bins.len(),
            Storage::Wide(bins) => bins.len(),
        }
    }

    /// Calls `f` with every row and its bin.
    fn each(&self, mut f: impl FnMut(usize, usize)) {
        match self {
            Storage::Narrow(bins) => bins.iter().enumerate().for_each(|(row, &bin)| f(row, bin as usize)),
            Storage::Wide(bins) => bins.iter().enumerate().for_each(|(row, &bin)| f(row, bin as usize)),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Storage::Narrow(bins) => bins.len(),
            Storage::Wide(bins) => 2 * bins.len(),
        }
    }
}

impl Bins {
    /// Cuts every feature into at most `max_bins` bins (2 to 65,535) and one of missing values, at quantiles of a
    /// sample of `rows`, which is all that is looked at; no target is. All rows of the blocks get bins.
    ///
    /// Values that occur often get a bin of their own, the rest is cut into bins of like counts (LightGBM's
    /// `GreedyFindBin`, Ke et al. 2017). Of a category the most frequent levels get one each, `max_bins` of them or
    /// as many as make up 99% of the rows; the others, and those of fewer than 3 rows, share the bin of missing values.
    /// Runs in the rayon pool it is called in.
    pub fn cut(blocks: &[Arc<Block>], rows: &[u32], max_bins: usize) -> Result<Bins, TrainError> {
        let max_bins = max_bins.clamp(2, usize::from(u16::MAX));
        let n_rows = blocks.first().map_or(0, |block| block.n_rows);
        check(blocks, rows, n_rows)?;
        let columns: Vec<(Kind, &[f32])> = blocks
            .iter()
            .flat_map(|block| block.kinds.iter().enumerate().map(|(j, &kind)| (kind, block.column(j))))
            .collect();
        let sampled = sample(rows);
        let mut features: Vec<Feature> =
            each(columns.len(), |j| feature(columns[j].0, columns[j].1, &sampled, rows, max_bins));
        let filled = each(columns.len(), |j| Lookup::of(&features[j]).column(columns[j].1, features[j].n_bins));
        for (feature, column) in features.iter_mut().zip(filled) {
            feature.column = column;
        }
        Ok(Bins::of(features, &sampled, n_rows))
    }

    /// Puts features into groups, as suits what they are in some sampled rows.
    pub(super) fn of(mut features: Vec<Feature>, sampled: &[u32], n_rows: usize) -> Bins {
        find_usual(&mut features, sampled);
        let (shapes, places, n_cells) = place(&features);
        let groups = shapes.into_iter().map(|shape| shape.fill(&features, &places, n_rows)).collect();
        let features = features.into_iter().map(Arc::new).collect();
        Bins { features, places, groups, n_cells, n_rows }
    }

    /// These features and then those of other bins of the same rows. Columns and groups are shared, not copied.
    pub(super) fn join(&self, other: &Bins) -> Bins {
        debug_assert_eq!(self.n_rows, other.n_rows, "bins of the same rows");
        let (first_group, first_cell) = (self.groups.len(), self.n_cells);
        let places =
            other.places.iter().map(|at| Place { group: at.group + first_group, offset: at.offset + first_cell });
        let groups = other.groups.iter().map(|at| Placed { offset: at.offset + first_cell, group: at.group.clone() });
        Bins {
            features: self.features.iter().chain(&other.features).cloned().collect(),
            places: self.places.iter().copied().chain(places).collect(),
            groups: self.groups.iter().cloned().chain(groups).collect(),
            n_cells: first_cell + other.n_cells,
            n_rows: self.n_rows,
        }
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> usize {
        let of_groups: usize = self.groups.iter().map(|placed| placed.group.rows.bytes()).sum();
        let of_feature = |feature: &Feature| {
            size_of::<Feature>() + 4 * (feature.cuts.len() + feature.levels.len()) + feature.column.bytes()
        };
        of_groups + self.features.iter().map(|feature| of_feature(feature)).sum::<usize>()
    }

    /// How many features there are, those that say nothing among them.
    pub fn n_features(&self) -> usize {
        self.features.len()
    }

    /// How many rows have bins.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The features that say something, in order.
    pub(super) fn telling(&self) -> impl Iterator<Item = usize> {
        self.features.iter().enumerate().filter(|(_, feature)| feature.tells).map(|(j, _)| j)
    }

    /// The bin of a feature that has more than one.
    #[cfg(test)]
    pub(super) fn bin(&self, row: usize, feature: usize) -> usize {
        self.features[feature].column.get(row)
    }
}

impl Rows {
    fn bytes(&self) -> usize {
        match self {
            Rows::Dense { bins, .. } => bins.bytes(),
            Rows::Sparse { starts, cells, .. } => 4 * (starts.len() + cells.len()),
        }
    }
}

fn check(blocks: &[Arc<Block>], rows: &[u32], n_rows: usize) -> Result<(), TrainError> {
    let bad = |reason: String| TrainError::Blocks { reason };
    for block in blocks {
        if block.n_rows != n_rows || block.values.len() != block.n_rows * block.names.len() {
            let (n, f) = (block.values.len(), block.names.len());
            return Err(bad(format!("{n} values, where {n_rows} rows of {f} features are promised")));
        }
        if block.kinds.len() != block.names.len() {
            return Err(bad(format!("{} kinds of {} features", block.kinds.len(), block.names.len())));
        }
    }
    if n_rows > MOST_ROWS {
        return Err(bad(format!("{n_rows} rows; trees are grown on at most {MOST_ROWS}")));
    }
    match rows.iter().find(|&&row| row as usize >= n_rows) {
        Some(&row) if !blocks.is_empty() => Err(TrainError::BadRow { row }),
        _ => Ok(()),
    }
}

/// `f` of 0 to `n`, on the threads of the pool this runs in.
fn each<T: Send>(n: usize, f: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    if in_pool() { (0..n).into_par_iter().map(f).collect() } else { (0..n).map(f).collect() }
}

/// How many threads work here.
pub(super) fn n_threads() -> usize {
    if in_pool() { rayon::current_num_threads() } else { 1 }
}

/// Whether this thread belongs to a pool of several threads, handed to it by whoever called.
pub(super) fn in_pool() -> bool {
    rayon::current_thread_index().is_some() && rayon::current_num_threads() > 1
}

fn feature(kind: Kind, column: &[f32], sampled: &[u32], rows: &[u32], max_bins: usize) -> Feature {
    let empty = Feature::empty(kind);
    match kind {
        Kind::Number => {
            let (cuts, any) = cut_number(column, sampled, max_bins);
            let n_values = if any { cuts.len() + 1 } else { 0 };
            // A missing value anywhere needs a bin, but says nothing when it is not among the rows that count.
            let missing = column.iter().fold(false, |any, value| any | value.is_nan());
            let seen = missing && rows.iter().any(|&row| column[row as usize].is_nan());
            let tells = n_values + usize::from(seen) > 1;
            Feature { n_values, n_bins: n_values + usize::from(missing), tells, cuts, ..empty }
        }
        Kind::Category { n_levels } => {
            let levels = cut_category(column, rows, n_levels, max_bins);
            let seen = levels.len() > 1
                || rows.iter().any(|&row| level_of(column[row as usize], n_levels) != levels.first().copied());
            Feature {
                n_values: levels.len(),
                n_bins: levels.len() + 1,
                tells: seen && !levels.is_empty(),
                levels,
                ..empty
            }
        }
    }
}

/// A feature of which a bin holds this share of the rows may be listed by its other bins.
const USUAL_SHARE: f64 = 0.8;
/// What a row of listed cells costs beside them, in cells.
const LIST_COST: f64 = 12.0;
/// What a listed cell costs, in cells of a dense group.
const LISTED_COST: f64 = 1.5;

/// Marks the features whose usual bin is left out of their group, when there are enough of them to pay.
fn find_usual(features: &mut [Feature], sampled: &[u32]) {
    let mut found: Vec<(usize, usize, f64)> = Vec::new();
    for (j, feature) in features.iter().enumerate().filter(|(_, feature)| feature.n_bins > 1) {
        let mut counts = vec![0_usize; feature.n_bins];
        for &row in sampled {
            counts[feature.column.get(row as usize)] += 1;
        }
        let (bin, most) = counts.iter().enumerate().fold((0, 0), |a, (bin, &n)| if n > a.1 { (bin, n) } else { a });
        let share = most as f64 / sampled.len().max(1) as f64;
        if share >= USUAL_SHARE {
            found.push((j, bin, share));
        }
    }
    let listed: f64 = found.iter().map(|(_, _, share)| (1.0 - share) * LISTED_COST).sum();
    if listed + LIST_COST < found.len() as f64 {
        for (j, bin, _) in found {
            features[j].usual = Some(bin);
        }
    }
}

/// What features of a group have in common.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Form {
    Narrow,
    Wide,
    Sparse,
}

/// A group before its bins are written.
struct Shape {
    features: Vec<usize>,
    offset: usize,
    n_cells: usize,
    form: Form,
}

/// Puts the features that have several bins into groups, and gives each its cells.
fn place(features: &[Feature]) -> (Vec<Shape>, Vec<Place>, usize) {
    let form_of = |feature: &Feature| match feature {
        Feature { usual: Some(_), .. } => Form::Sparse,
        Feature { column: Storage::Wide(_), .. } => Form::Wide,
        Feature { column: Storage::Narrow(_), .. } => Form::Narrow,
    };
    let mut shapes: Vec<Shape> = Vec::new();
    let mut places = vec![Place::default(); features.len()];
    let mut offset = 0;
    for form in [Form::Narrow, Form::Wide, Form::Sparse] {
        for (j, feature) in features.iter().enumerate() {
            if feature.n_bins < 2 || form_of(feature) != form {
                continue;
            }
            let room = if form == Form::Sparse { usize::MAX } else { GROUP_CELLS };
            let fits = |last: &Shape| last.form == form && last.n_cells + feature.n_bins <= room;
            if !shapes.last().is_some_and(fits) {
                // A cell between the groups takes what the lanes of padding add.
                offset += usize::from(!shapes.is_empty());
                shapes.push(Shape { features: Vec::new(), offset, n_cells: 0, form });
            }
            places[j] = Place { group: shapes.len() - 1, offset };
            if let Some(shape) = shapes.last_mut() {
                shape.features.push(j);
                shape.n_cells += feature.n_bins;
            }
            offset += feature.n_bins;
        }
    }
    (shapes, places, offset + 1)
}

impl Shape {
    fn fill(self, features: &[Feature], places: &[Place], n_rows: usize) -> Placed {
        let rows = if self.form == Form::Sparse {
            self.list(features, places, n_rows)
        } else {
            self.lay(features, places, n_rows)
        };
        let group = Group { n_features: self.features.len(), rows, n_cells: self.n_cells };
        Placed { offset: self.offset, group: Arc::new(group) }
    }

    fn lay(&self, features: &[Feature], places: &[Place], n_rows: usize) -> Rows {
        let width = self.features.len().next_multiple_of(LANES);
        let bins = if self.form == Form::Wide {
            let columns = self.features.iter().map(|&j| match &features[j].column {
                Storage::Wide(column) => &column[..],
                Storage::Narrow(_) => &[],
            });
            Storage::Wide(lay(&columns.collect::<Vec<_>>(), n_rows, width))
        } else {
            let columns = self.features.iter().map(|&j| match &features[j].column {
                Storage::Narrow(column) => &column[..],
                Storage::Wide(_) => &[],
            });
            Storage::Narrow(lay(&columns.collect::<Vec<_>>(), n_rows, width))
        };
        let mut lane_offsets: Vec<u32> =
            self.features.iter().map(|&j| (places[j].offset - self.offset) as u32).collect();
        lane_offsets.resize(width, self.n_cells as u32);
        Rows::Dense { width, bins, lane_offsets }
    }

    fn list(&self, features: &[Feature], places: &[Place], n_rows: usize) -> Rows {
        let first = |j: usize| places[j].offset - self.offset;
        let usual_bin = |j: usize| features[j].usual.unwrap_or(0);
        let mut starts = vec![0_u32; n_rows + 1];
        for &j in &self.features {
            let usual = usual_bin(j);
            features[j].column.each(|row, bin| starts[row + 1] += u32::from(bin != usual));
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut cells = vec![0; sum as usize];
        let mut next = starts.clone();
        for &j in &self.features {
            let usual = usual_bin(j);
            features[j].column.each(|row, bin| {
                if bin != usual {
                    cells[next[row] as usize] = (first(j) + bin) as u32;
                    next[row] += 1;
                }
            });
        }
        let usual = self.features.iter().map(|&j| {
            let from = first(j);
            ((from + usual_bin(j)) as u32, from as u32, (from + features[j].n_bins) as u32)
        });
        Rows::Sparse { starts, cells, usual: usual.collect() }
    }
}

/// Columns into rows.
fn lay<B: Copy + Default + Send + Sync>(columns: &[&[B]], n_rows: usize, width: usize) -> Vec<B> {
    let mut bins = vec![B::default(); n_rows * width];
    let write = |(part, piece): (usize, &mut [B])| {
        let first = part * ROWS_AT_ONCE;
        let n = piece.len() / width;
        for (lane, column) in columns.iter().enumerate() {
            for (row, &bin) in piece.chunks_exact_mut(width).zip(&column[first..first + n]) {
                row[lane] = bin;
            }
        }
    };
    if in_pool() {
        bins.par_chunks_mut(ROWS_AT_ONCE * width).enumerate().for_each(write);
    } else {
        bins.chunks_mut(ROWS_AT_ONCE * width).enumerate().for_each(write);
    }
    bins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(columns: &[(Kind, Vec<f32>)], rows: &[u32], max_bins: usize) -> Bins {
        let n_rows = columns.first().map_or(0, |(_, column)| column.len());
        let block = Block {
            names: (0..columns.len()).map(|j| format!("x{j}")).collect(),
            kinds: columns.iter().map(|(kind, _)| *kind).collect(),
            n_rows,
            values: columns.iter().flat_map(|(_, column)| column.iter().copied()).collect(),
        };
        Bins::cut(&[Arc::new(block)], rows, max_bins).expect("a sound block")
    }

    #[test]
    fn few_values_have_a_bin_each_and_missing_ones_their_own() {
        let column: Vec<f32> = (0..30).map(|i| if i % 5 == 4 { f32::NAN } else { (i % 5) as f32 }).collect();
        let rows: Vec<u32> = (0..30).collect();
        let bins = cut(&[(Kind::Number, column)], &rows, 255);
        assert_eq!((bins.features[0].n_values, bins.features[0].n_bins), (4, 5));
        let found: Vec<usize> = (0..5).map(|row| bins.bin(row, 0)).collect();
        assert_eq!(found, [0, 1, 2, 3, 4]);
        assert_eq!(bins.features[0].cuts, [0.5, 1.5, 2.5]);
    }

    #[test]
    fn constant_and_missing_columns_have_no_place() {
        let rows: Vec<u32> = (0..10).collect();
        let constant = (Kind::Number, vec![3.0; 10]);
        let missing = (Kind::Number, vec![f32::NAN; 10]);
        let levels = (Kind::Category { n_levels: 2 }, vec![f32::NAN; 10]);
        let bins = cut(&[constant, missing, levels], &rows, 255);
        assert_eq!(bins.telling().count(), 0);
        assert_eq!(bins.groups.len(), 0);
    }

    #[test]
    fn categories_are_ordered_by_count_and_the_rare_share_the_last_bin() {
        let mut column = vec![2.0_f32; 600];
        column.extend(vec![0.0; 400]);
        column.extend([1.0, 7.0, -1.0, 0.5, f32::NAN]);
        let rows: Vec<u32> = (0..column.len() as u32).collect();
        let bins = cut(&[(Kind::Category { n_levels: 3 }, column)], &rows, 255);
        assert_eq!(bins.features[0].levels, [2, 0]);
        let of = |row: usize| bins.bin(row, 0);
        assert_eq!((of(0), of(600), of(1000), of(1001), of(1002), of(1003), of(1004)), (0, 1, 2, 2, 2, 2, 2));
    }

    #[test]
    fn wide_bins_stand_apart() {
        let column: Vec<f32> = (0..5000).map(|i| i as f32).collect();
        let rows: Vec<u32> = (0..5000).collect();
        let few: Vec<f32> = (0..5000).map(|i| (i % 3) as f32).collect();
        let bins = cut(&[(Kind::Number, column), (Kind::Number, few)], &rows, 1000);
        assert!(bins.features[0].n_values > 900 && bins.features[0].n_values <= 1000);
        assert_eq!(bins.groups.len(), 2);
        let columns: Vec<&Storage> = bins.features.iter().map(|feature| &feature.column).collect();
        assert!(matches!(columns[..], [Storage::Wide(_), Storage::Narrow(_)]));
        assert!((1..5000).all(|row| bins.bin(row, 0) >= bins.bin(row - 1, 0)));
    }

    #[test]
    fn unsound_blocks_are_refused() {
        let mut block = Block::numbers(vec!["a".into()], 4, vec![1.0; 3]);
        let refused = |block: &Block, rows: &[u32]| Bins::cut(&[Arc::new(block.clone())], rows, 255).is_err();
        assert!(refused(&block, &[0]));
        block.values.push(2.0);
        assert!(refused(&block, &[4]));
        assert!(!refused(&block, &[]));
    }

    proptest! {
        #[test]
        fn a_value_is_between_the_cuts_of_its_bin(
            values in proptest::collection::vec(
                prop_oneof![Just(f32::NAN), (-50_i8..50).prop_map(|v| f32::from(v) / 4.0)],
                1..200,
            ),
            max_bins in 2_usize..300,
        ) {
            let rows: Vec<u32> = (0..values.len() as u32).collect();
            let bins = cut(&[(Kind::Number, values.clone())], &rows, max_bins);
            let feature = &bins.features[0];
            prop_assert!(feature.n_values <= max_bins);
            prop_assert!(feature.cuts.windows(2).all(|pair| pair[0] < pair[1]));
            if feature.n_bins > 1 {
                for (row, value) in values.iter().enumerate() {
                    let bin = bins.bin(row, 0);
                    if value.is_nan() {
                        prop_assert_eq!(Some(bin), feature.missing());
                    } else {
                        prop_assert!(bin < feature.n_values);
                        prop_assert!(bin == 0 || *value > feature.cuts[bin - 1]);
                        prop_assert!(bin == feature.cuts.len() || *value <= feature.cuts[bin]);
                    }
                }
            }
        }
    }
}
