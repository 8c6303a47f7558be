//! Eigenvalues and eigenvectors of small symmetric matrices.

/// M = Σ λₖ vₖ vₖᵀ, in no particular order.
#[derive(Clone, Debug)]
pub(crate) struct Eigen {
    /// λₖ.
    pub(crate) values: Vec<f64>,
    /// vₖ one after another, each of length 1, at right angles to one another.
    pub(crate) vectors: Vec<f64>,
}

/// Sweeps after which rounding is all that is left to rotate away.
const SWEEPS: usize = 40;

/// The decomposition of the `d` by `d` symmetric `matrix` by cyclic Jacobi rotations (Golub and Van Loan, Matrix
/// Computations, section 8.5), begun from the eigenvectors `guess` of a matrix like it: the closer, the fewer sweeps.
pub(crate) fn symmetric(matrix: &[f64], d: usize, guess: &[f64]) -> Eigen {
    let mut vectors = guess.to_vec();
    let mut rest = turned(matrix, d, guess);
    let scale = rest.iter().map(|x| x * x).sum::<f64>().sqrt();
    for _ in 0..SWEEPS {
        let mut turns = 0;
        for p in 0..d {
            for q in p + 1..d {
                if rest[p * d + q].abs() > f64::EPSILON * 1e-3 * scale {
                    rotate(&mut rest, &mut vectors, d, p, q);
                    turns += 1;
                }
            }
        }
        if turns == 0 {
            break;
        }
    }
    Eigen { values: (0..d).map(|k| rest[k * d + k]).collect(), vectors }
}

/// The `d` unit vectors.
pub(crate) fn identity(d: usize) -> Vec<f64> {
    (0..d * d).map(|i| if i % (d + 1) == 0 { 1.0 } else { 0.0 }).collect()
}

/// V M Vᵀ, where the rows of V are `basis`.
fn turned(matrix: &[f64], d: usize, basis: &[f64]) -> Vec<f64> {
    let mut half = vec![0.0; d * d];
    for (out, v) in half.chunks_exact_mut(d).zip(basis.chunks_exact(d)) {
        for (weight, row) in v.iter().zip(matrix.chunks_exact(d)) {
            for (sum, x) in out.iter_mut().zip(row) {
                *sum += weight * x;
            }
        }
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    half.chunks_exact(d).flat_map(|a| basis.chunks_exact(d).map(move |b| dot(a, b))).collect()
}

/// Turns the axes `p` < `q` so that the matrix has no entry between them.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], d: usize, p: usize, q: usize) {
    let theta = (matrix[q * d + q] - matrix[p * d + p]) / (2.0 * matrix[p * d + q]);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    let turn = |a: &mut f64, b: &mut f64| (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    for row in matrix.chunks_exact_mut(d) {
        let (left, right) = row.split_at_mut(q);
        turn(&mut left[p], &mut right[0]);
    }
    for all in [matrix, vectors] {
        let (above, below) = all.split_at_mut(q * d);
        for (a, b) in above[p * d..(p + 1) * d].iter_mut().zip(&mut below[..d]) {
            turn(a, b);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rebuilt(eigen: &Eigen, d: usize) -> Vec<f64> {
        let mut matrix = vec![0.0; d * d];
        for (value, v) in eigen.values.iter().zip(eigen.vectors.chunks_exact(d)) {
            for i in 0..d {
                for j in 0..d {
                    matrix[i * d + j] += value * v[i] * v[j];
                }
            }
        }
        matrix
    }

    #[test]
    fn agrees_with_numpy() {
        // numpy.linalg.eigvalsh([[4,1,-2],[1,3,0.5],[-2,0.5,1]]), numpy 2.4.6.
        let eigen = symmetric(&[4.0, 1.0, -2.0, 1.0, 3.0, 0.5, -2.0, 0.5, 1.0], 3, &identity(3));
        let mut values = eigen.values;
        values.sort_by(f64::total_cmp);
        for (value, golden) in values.iter().zip(GOLDEN) {
            assert!((value - golden).abs() < 1e-13, "{value} is not {golden}");
        }
    }

    const GOLDEN: [f64; 3] = [-0.252_609_916_663_607_3, 3.034_654_141_519_038_5, 5.217_955_775_144_569];

    proptest! {
        #[test]
        fn the_parts_give_the_matrix(d in 1_usize..12, entries in proptest::collection::vec(-1.0..1.0_f64, 144), far in 0_i32..9) {
            let mut matrix = vec![0.0; d * d];
            for i in 0..d {
                for j in 0..=i {
                    // Scales far apart, as at the end of a search.
                    let scale = 10_f64.powi(-far * (i + j) as i32 / 4);
                    (matrix[i * d + j], matrix[j * d + i]) = (entries[i * 12 + j] * scale, entries[i * 12 + j] * scale);
                }
            }
            let cold = symmetric(&matrix, d, &identity(d));
            let warm = symmetric(&matrix, d, &cold.vectors);
            for eigen in [cold, warm] {
                for (a, b) in rebuilt(&eigen, d).iter().zip(&matrix) {
                    prop_assert!((a - b).abs() < 1e-13 * d as f64);
                }
                let one = Eigen { values: vec![1.0; d], ..eigen };
                for (a, b) in rebuilt(&one, d).iter().zip(identity(d)) {
                    prop_assert!((a - b).abs() < 1e-13 * d as f64);
                }
            }
        }
    }
}
