//! Linear algebra of symmetric positive definite matrices, in plain rows of `f64` that compilers turn into vector code.

/// Sum of products. The order of the sum is fixed: eight partial sums, then their pairs.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut lanes = [0.0; 8];
    let (heads, others) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = heads.remainder().iter().zip(others.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in heads.zip(others) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h)) + tail
}

/// Adds `factor` times `x` to `y`.
pub(crate) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// The inverse W of the Cholesky factor of a symmetric positive definite matrix K = L Lᵀ, grown row by row: W K Wᵀ is
/// the unit matrix.
///
/// A row costs O(n²) and is computed from those before it alone, so a matrix that grew is bit for bit the same as one
/// made at once. With W at hand, to solve is two products without a chain of dependencies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whitener {
    /// Rows of the lower triangle, one after the other: row `i` has `i + 1` numbers.
    rows: Vec<f64>,
    n: usize,
    log_determinant: f64,
}

impl Whitener {
    /// An empty matrix.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Row `i` of W up to the diagonal.
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        let start = i * (i + 1) / 2;
        &self.rows[start..=start + i]
    }

    /// Logarithm of the determinant of K.
    pub(crate) fn log_determinant(&self) -> f64 {
        self.log_determinant
    }

    /// Adds a row to K: its entries left of the diagonal, and that on it. What the others leave of the diagonal is
    /// taken to be at least `least`, above 0, so that a row that follows from the others up to rounding is no error.
    pub(crate) fn push(&mut self, left: &[f64], diagonal: f64, least: f64) {
        let n = self.n;
        let l: Vec<f64> = (0..n).map(|i| dot(self.row(i), left)).collect();
        let rest = (diagonal - dot(&l, &l)).max(least).sqrt();
        let mut new = vec![0.0; n + 1];
        for (i, l) in l.iter().enumerate() {
            add_scaled(&mut new[..=i], -l / rest, self.row(i));
        }
        new[n] = 1.0 / rest;
        self.rows.extend_from_slice(&new);
        self.n += 1;
        self.log_determinant += 2.0 * rest.ln();
    }

    /// W `x`: where `x` is a column of covariances, the squares of the result sum to what K explains.
    pub(crate) fn whiten(&self, x: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.extend((0..self.n).map(|i| dot(self.row(i), x)));
    }

    /// Wᵀ `x`: with `x` = W k it is K⁻¹ k.
    pub(crate) fn whiten_back(&self, x: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.resize(self.n, 0.0);
        for (i, x) in x.iter().enumerate().take(self.n) {
            add_scaled(&mut out[..=i], *x, self.row(i));
        }
    }

    /// K⁻¹ `x`.
    #[cfg(test)]
    pub(crate) fn solve(&self, x: &[f64]) -> Vec<f64> {
        let (mut white, mut out) = (Vec::new(), Vec::new());
        self.whiten(x, &mut white);
        self.whiten_back(&white, &mut out);
        out
    }

    /// The columns of W below the diagonal, one after the other: column `i` has `n - i` numbers. Entry (a, b), a ≥ b,
    /// of K⁻¹ is the sum of products of column a with the end of column b.
    pub(crate) fn columns(&self) -> Vec<Vec<f64>> {
        (0..self.n).map(|j| (j..self.n).map(|i| self.rows[i * (i + 1) / 2 + j]).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A random Gram matrix with a ridge, and its Cholesky factor by the textbook.
    fn matrix(points: &[f64], n: usize) -> Vec<Vec<f64>> {
        let d = points.len() / n;
        let at = |i: usize| &points[i * d..(i + 1) * d];
        (0..n).map(|i| (0..n).map(|j| dot(at(i), at(j)) + if i == j { 0.1 } else { 0.0 }).collect()).collect()
    }

    fn cholesky(k: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let n = k.len();
        let mut l = vec![vec![0.0; n]; n];
        for i in 0..n {
            for j in 0..=i {
                let rest = k[i][j] - (0..j).map(|m| l[i][m] * l[j][m]).sum::<f64>();
                l[i][j] = if i == j { rest.sqrt() } else { rest / l[j][j] };
            }
        }
        l
    }

    proptest! {
        #[test]
        fn grown_row_by_row_it_is_the_inverse_of_the_textbook_factor(
            points in proptest::collection::vec(-1.0..1.0_f64, 12 * 4),
            x in proptest::collection::vec(-1.0..1.0_f64, 12),
        ) {
            let k = matrix(&points, 12);
            let l = cholesky(&k);
            let mut w = Whitener::new();
            for (i, row) in k.iter().enumerate() {
                w.push(&row[..i], row[i], 1e-12);
            }
            for i in 0..12 {
                for j in 0..12 {
                    let unit: f64 = w.row(i).iter().zip(&l).map(|(w, l)| w * l[j]).sum();
                    prop_assert!((unit - f64::from(u8::from(i == j))).abs() < 1e-9);
                }
            }
            let determinant: f64 = (0..12).map(|i| 2.0 * l[i][i].ln()).sum();
            prop_assert!((w.log_determinant() - determinant).abs() < 1e-9);
            let solved = w.solve(&x);
            for i in 0..12 {
                prop_assert!((dot(&k[i], &solved) - x[i]).abs() < 1e-9);
            }
            let columns = w.columns();
            let inverse = |a: usize, b: usize| dot(&columns[a], &columns[b][a - b..]);
            for a in 0..12 {
                let mut unit = vec![0.0; 12];
                unit[a] = 1.0;
                let column = w.solve(&unit);
                for (b, entry) in column.iter().enumerate().take(a + 1) {
                    prop_assert!((entry - inverse(a, b)).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn a_row_that_is_there_already_is_no_error() {
        let mut w = Whitener::new();
        w.push(&[], 1.0, 1e-10);
        w.push(&[1.0], 1.0, 1e-10);
        assert!(w.solve(&[1.0, 1.0]).iter().all(|x| x.is_finite()));
    }

    #[test]
    fn sums_of_products_of_any_length() {
        for n in 0..40 {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let expected: f64 = a.iter().map(|x| x * x).sum();
            assert_eq!(dot(&a, &a), expected);
        }
    }
}
