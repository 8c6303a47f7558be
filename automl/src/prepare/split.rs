//! How rows are split: a holdout when there are enough rows or it is asked for, and folds over the rest. Made once from
//! the seed.

use std::sync::Arc;

use datasets::{DataError, FoldKind, Folds, Table, Values};
use hyperdrive::{Fidelity, Ladder};
use trainers::Target;

use crate::error::AutoMlError;
use crate::spec::{AutoMlSpec, CrossValidation, MOST_FOLDS};

/// Above this many rows one split is as good as five, and a holdout costs little.
const MANY_ROWS: usize = 20_000;
/// Folds of a cross-validation.
const FOLDS: usize = 5;
/// A holdout of a large table: this share, and no more than [`HOLDOUT_CAP`] rows.
const HOLDOUT_SHARE: f64 = 0.1;
/// A score on this many rows is already sharper than what choosing costs.
const HOLDOUT_CAP: usize = 10_000;
/// Azure's bound between ten folds and three, and its share of one split.
const AZURE_FEW: usize = 1_000;
const AZURE_ONE_IN: usize = 10;
/// Below this many training rows a smaller sample saves nothing.
const LADDER_ROWS: usize = 8_000;

/// Which rows train, validate and judge.
#[derive(Debug, Clone)]
pub struct SplitPlan {
    /// Index views for choosing.
    pub folds: Folds,
    /// Rows nothing is chosen on, when cut.
    pub holdout: Option<Arc<[u32]>>,
    /// The rungs: the first fold then all, or a sample of rows then all.
    pub ladder: Ladder,
    /// A number per table row; rows of equal number (groups as asked, else copies) are kept together by every split, those
    /// inside training rows too. None: every row by itself.
    pub together: Option<Arc<[u32]>>,
}

impl SplitPlan {
    /// Whether out-of-fold predictions come from several folds.
    pub fn is_cross_validation(&self) -> bool {
        self.folds.splits.len() > 1
    }

    /// Every row that some fold trains or validates on, ascending: all that are used but the holdout.
    pub(crate) fn searched(&self) -> Vec<u32> {
        let splits = self.folds.splits.iter();
        let mut rows: Vec<u32> =
            splits.flat_map(|split| split.train.iter().chain(split.valid.iter()).copied()).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// The split in words: `5-fold CV on 4,695 rows`.
    pub fn in_words(&self) -> String {
        let splits = &self.folds.splits;
        let valid: usize = splits.iter().map(|split| split.valid.len()).sum();
        let kind = match self.folds.kind {
            FoldKind::Grouped => " by group",
            FoldKind::TimeOrdered => " forward in time",
            FoldKind::Given => " as given",
            FoldKind::Stratified | FoldKind::Plain | FoldKind::Holdout => "",
        };
        let validation = if splits.len() == 1 {
            format!("validation{kind} on {} rows, training on {}", thousands(valid), thousands(splits[0].train.len()))
        } else {
            format!("{}-fold CV{kind} on {} rows", splits.len(), thousands(valid))
        };
        match &self.holdout {
            Some(rows) => format!("{validation} · holdout {} rows", thousands(rows.len())),
            None => validation,
        }
    }
}

/// `12,345`.
pub(crate) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Decides the split from the request and the number of rows.
pub(super) fn plan(
    spec: &AutoMlSpec,
    table: &Table,
    target: &Target,
    rows: &[u32],
    duplicates: Option<&[u32]>,
) -> Result<SplitPlan, AutoMlError> {
    let auto = spec.split.cv == CrossValidation::Auto && spec.split.column.is_none();
    let by_size = auto && spec.test.is_none() && rows.len() > MANY_ROWS;
    let fraction =
        spec.split.holdout.or_else(|| by_size.then(|| HOLDOUT_SHARE.min(HOLDOUT_CAP as f64 / rows.len() as f64)));
    cut(spec, table, target, rows, duplicates, fraction)
}

/// The split with this share of the rows held out, or none.
pub(super) fn cut(
    spec: &AutoMlSpec,
    table: &Table,
    target: &Target,
    rows: &[u32],
    duplicates: Option<&[u32]>,
    holdout: Option<f64>,
) -> Result<SplitPlan, AutoMlError> {
    let classes = target.codes();
    let group = spec.split.group.as_ref().map(|name| group_ids(table, name)).transpose()?;
    let time = spec.split.time.as_ref().map(|name| time_keys(table, name, rows)).transpose()?;
    let seed = spec.seed;
    let auto = spec.split.cv == CrossValidation::Auto && spec.split.column.is_none();
    let (rest, holdout) = match holdout {
        Some(fraction) => {
            let together = group.as_deref().or(duplicates);
            let (rest, held) = datasets::holdout(rows, fraction, classes, together, time.as_deref(), seed)?;
            (rest, Some(Arc::from(held)))
        }
        None => (rows.to_vec(), None),
    };
    let folds = folds(spec, table, &rest, classes, group.as_deref(), time.as_deref(), duplicates)?;
    let one = (auto || spec.split.cv == CrossValidation::Azure) && rest.len() > MANY_ROWS;
    let folds = if one { one_of(folds) } else { folds };
    let ladder = ladder(&folds);
    let together = group.or_else(|| duplicates.map(<[u32]>::to_vec)).map(Arc::from);
    Ok(SplitPlan { folds, holdout, ladder, together })
}

fn folds(
    spec: &AutoMlSpec,
    table: &Table,
    rows: &[u32],
    classes: Option<&[u32]>,
    group: Option<&[u32]>,
    time: Option<&[i64]>,
    duplicates: Option<&[u32]>,
) -> Result<Folds, AutoMlError> {
    let seed = spec.seed;
    let wanted = match spec.split.cv {
        CrossValidation::Auto => FOLDS,
        CrossValidation::Azure if rows.len() < AZURE_FEW => 10,
        CrossValidation::Azure if rows.len() > MANY_ROWS => AZURE_ONE_IN,
        CrossValidation::Azure => 3,
        CrossValidation::Folds(n) => n,
    };
    // What was asked for by number is not made less in silence.
    let at_most = |most: usize, what: &str| match spec.split.cv {
        CrossValidation::Folds(n) if n > most => Err(AutoMlError::unusable(
            format!("--cv {n}: {what}, which makes at most {most} folds"),
            format!("ask for --cv {most}, or leave it out"),
        )),
        _ => Ok(wanted.min(most)),
    };
    if let Some(name) = &spec.split.column {
        let ids = group_ids(table, name)?;
        let n = distinct(rows.iter().map(|&row| ids[row as usize]), "--split-column", spec.split.column.as_ref())?;
        if n > MOST_FOLDS {
            return Err(AutoMlError::unusable(
                format!("--split-column {name} has {n} values, more folds than the {MOST_FOLDS} that make sense"),
                format!("use --group {name} if its rows belong together"),
            ));
        }
        return Ok(Folds::given(rows, &ids)?);
    }
    if let Some(keys) = time {
        let distinct = distinct(rows.iter().map(|&row| keys[row as usize]), "--time", spec.split.time.as_ref())?;
        let n = at_most(distinct - 1, &format!("--time has {distinct} values"))?;
        return Folds::time_ordered(rows, keys, n).map_err(Into::into);
    }
    if let Some(groups) = group {
        let distinct = distinct(rows.iter().map(|&row| groups[row as usize]), "--group", spec.split.group.as_ref())?;
        let n = at_most(distinct, &format!("--group has {distinct} values"))?;
        return Folds::grouped(rows, groups, classes, n, seed).map_err(Into::into);
    }
    let Some(classes) = classes else {
        let n = at_most((rows.len() / 2).max(2), &format!("there are {} rows", rows.len()))?;
        return Ok(Folds::plain(rows, n, seed, duplicates)?);
    };
    let mut counts = std::collections::BTreeMap::new();
    for &row in rows {
        *counts.entry(classes[row as usize]).or_insert(0_usize) += 1;
    }
    let rarest = counts.values().copied().min().unwrap_or(2).max(2);
    let n = at_most(rarest, &format!("the rarest class has {rarest} rows"))?;
    Ok(Folds::stratified(rows, classes, n, seed, duplicates)?)
}

/// How many values a split has; one is too few.
fn distinct<T: Ord>(
    values: impl Iterator<Item = T>,
    option: &str,
    column: Option<&String>,
) -> Result<usize, AutoMlError> {
    let n = values.collect::<std::collections::BTreeSet<_>>().len();
    if n > 1 {
        return Ok(n);
    }
    let column = column.map_or("", String::as_str);
    Err(AutoMlError::unusable(
        format!("{option} {column}: it has one value, which splits nothing"),
        "name another column, or leave the option out",
    ))
}

/// One fold of several: the last, which for folds in time is the one that knows the most past.
fn one_of(mut folds: Folds) -> Folds {
    if let Some(last) = folds.splits.pop() {
        folds.splits = vec![last];
        if matches!(folds.kind, FoldKind::Stratified | FoldKind::Plain) {
            folds.kind = FoldKind::Holdout;
        }
    }
    folds
}

/// The rungs: first fold, then all; with one split, a quarter of the rows, then all.
fn ladder(folds: &Folds) -> Ladder {
    let k = folds.splits.len() as u16;
    let full = Fidelity { rows: 1.0, folds: k, work: 1.0 };
    if k > 1 {
        Ladder::Rungs(vec![Fidelity { folds: 1, ..full }, full])
    } else if folds.splits[0].train.len() > LADDER_ROWS {
        Ladder::Rungs(vec![Fidelity { rows: 0.25, ..full }, full])
    } else {
        Ladder::Rungs(vec![full])
    }
}

/// A number per distinct value of a column; missing is a value of its own.
fn group_ids(table: &Table, name: &str) -> Result<Vec<u32>, DataError> {
    let column =
        table.column(name).ok_or_else(|| DataError::MissingColumns { names: vec![name.to_owned()], nearest: None })?;
    let mut seen = std::collections::BTreeMap::new();
    let ids = (0..table.n_rows()).map(|row| {
        let key = match &column.values {
            Values::Number(values) => values[row].to_string(),
            Values::Category { codes, .. } => codes[row].to_string(),
            Values::Datetime(values) => values[row].to_string(),
            Values::Text(cells) => cells.get(row).unwrap_or_default().to_owned(),
        };
        let next = seen.len() as u32;
        *seen.entry(key).or_insert(next)
    });
    Ok(ids.collect())
}

/// A key that orders rows in time: the date, or the number as it is.
fn time_keys(table: &Table, name: &str, rows: &[u32]) -> Result<Vec<i64>, AutoMlError> {
    let column =
        table.column(name).ok_or_else(|| DataError::MissingColumns { names: vec![name.to_owned()], nearest: None })?;
    let keys = match &column.values {
        Values::Datetime(values) => values.clone(),
        Values::Number(values) => order_of(values),
        Values::Category { .. } | Values::Text(_) => {
            return Err(AutoMlError::unusable(
                format!("column `{name}` holds neither dates nor numbers; rows cannot be ordered by it"),
                format!("say its type with --types {name}=datetime"),
            ));
        }
    };
    let missing = rows.iter().filter(|&&row| keys[row as usize] == i64::MIN).count();
    if missing > 0 {
        return Err(AutoMlError::unusable(
            format!("column `{name}` is missing in {missing} rows, which have no place in time"),
            "fill them in, or leave those rows out",
        ));
    }
    Ok(keys)
}

/// Integers in the order of floats; missing becomes `i64::MIN`.
fn order_of(values: &[f64]) -> Vec<i64> {
    let total = |v: f64| {
        let bits = v.to_bits() as i64;
        bits ^ (((bits >> 63) as u64) >> 1) as i64
    };
    values.iter().map(|&v| if v.is_finite() { total(v) } else { i64::MIN }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_their_order_as_integers() {
        let keys = order_of(&[-10.5, -1.0, 0.0, 0.5, 2.0, 1e300]);
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
        assert_eq!(order_of(&[f64::NAN]), [i64::MIN]);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(4695), "4,695");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
