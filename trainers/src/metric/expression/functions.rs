//! What an expression can call: one line a function.

/// A function of an expression.
#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    /// Of one number, or of each row's.
    Map(fn(f64) -> f64),
    /// Of two numbers, or of each row's.
    Zip(fn(f64, f64) -> f64),
    /// Of all rows' numbers, one number.
    Fold(fn(&[f64]) -> f64),
    /// Of all rows' numbers and a number, one number.
    Quantile,
}

/// Every function by name.
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("abs", Function::Map(f64::abs)),
    ("sqrt", Function::Map(f64::sqrt)),
    ("ln", Function::Map(f64::ln)),
    ("exp", Function::Map(f64::exp)),
    ("min", Function::Zip(f64::min)),
    ("max", Function::Zip(f64::max)),
    ("mean", Function::Fold(mean)),
    ("sum", Function::Fold(sum)),
    ("median", Function::Fold(median)),
    ("quantile", Function::Quantile),
];

impl Function {
    pub(super) fn n_arguments(self) -> usize {
        match self {
            Function::Map(_) | Function::Fold(_) => 1,
            Function::Zip(_) | Function::Quantile => 2,
        }
    }
}

fn sum(values: &[f64]) -> f64 {
    values.iter().sum()
}

fn mean(values: &[f64]) -> f64 {
    sum(values) / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which a share `q` of the values lies, between two neighbours in proportion (`NumPy`'s `linear`); NaN
/// outside 0 to 1.
pub(super) fn quantile(values: &[f64], q: f64) -> f64 {
    if !(0.0..=1.0).contains(&q) {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    if low == high { low } else { low + (high - low) * at.fract() }
}
