//! Truncated singular value decomposition of a sparse matrix, by random projection.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// More directions are followed than asked for, so that those asked for come out well.
const OVERSAMPLED: usize = 10;
/// Passes that draw the projection to the leading directions.
const POWER_ITERATIONS: usize = 3;
/// One-sided Jacobi converges quadratically; it has never been seen to take more sweeps than ten.
const MOST_SWEEPS: usize = 30;

/// Rows of (column, value), column by column in ascending order.
pub(super) struct Sparse {
    pub(super) n_columns: usize,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f32>,
    /// Where each row ends in the two above.
    pub(super) ends: Vec<usize>,
}

/// Dense vectors of one length, end to end.
struct Vectors {
    length: usize,
    values: Vec<f64>,
}

impl Sparse {
    fn rows(&self) -> impl Iterator<Item = (&[u32], &[f32])> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| (&self.columns[start..end], &self.values[start..end]))
    }

    /// The matrix times each of `k` vectors that lie interleaved: vector j of column c at `c * k + j`.
    fn times(&self, dense: &[f64], k: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.ends.len() * k];
        for (out, (columns, values)) in out.chunks_exact_mut(k).zip(self.rows()) {
            for (&column, &value) in columns.iter().zip(values) {
                let from = &dense[column as usize * k..][..k];
                out.iter_mut().zip(from).for_each(|(out, from)| *out += f64::from(value) * from);
            }
        }
        out
    }

    /// The transposed matrix times each of `k` interleaved vectors.
    fn transposed_times(&self, dense: &[f64], k: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.n_columns * k];
        for (from, (columns, values)) in dense.chunks_exact(k).zip(self.rows()) {
            for (&column, &value) in columns.iter().zip(values) {
                let out = &mut out[column as usize * k..][..k];
                out.iter_mut().zip(from).for_each(|(out, from)| *out += f64::from(value) * from);
            }
        }
        out
    }
}

impl Vectors {
    /// From vectors that lie interleaved.
    fn from_interleaved(values: &[f64], k: usize) -> Vectors {
        let length = values.len() / k;
        Vectors { length, values: (0..k).flat_map(|j| (0..length).map(move |i| values[i * k + j])).collect() }
    }

    fn interleaved(&self) -> Vec<f64> {
        let k = self.values.len() / self.length;
        (0..self.length).flat_map(|i| (0..k).map(move |j| self.values[j * self.length + i])).collect()
    }

    /// Makes the vectors orthonormal, each to those before it; one that depends on those becomes 0. Gram-Schmidt done
    /// twice is enough (Giraud et al. 2005).
    fn orthonormalise(&mut self) {
        let n = self.length;
        for j in 0..self.values.len() / n {
            let (before, rest) = self.values.split_at_mut(j * n);
            let own = &mut rest[..n];
            let size = norm(own);
            for _ in 0..2 {
                for other in before.chunks_exact(n) {
                    let along = dot(own, other);
                    own.iter_mut().zip(other).for_each(|(own, other)| *own -= along * other);
                }
            }
            let left = norm(own);
            let factor = if left > 1e-10 * size { 1.0 / left } else { 0.0 };
            for value in own {
                *value *= factor;
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// The at most `k` leading right singular vectors, by falling singular value, interleaved: component j of column c at
/// `c * n_found + j`, and how many were found. A vector's component of largest size is positive.
///
/// Halko, Martinsson and Tropp 2011, "Finding structure with randomness", algorithms 4.4 and 5.1; the small matrix by
/// one-sided Jacobi (Hestenes 1958). One thread, so the same on any machine's number of cores.
pub(super) fn leading_directions(matrix: &Sparse, k: usize, rng: &mut ChaCha8Rng) -> (Vec<f32>, usize) {
    let width = (k + OVERSAMPLED).min(matrix.n_columns).min(matrix.ends.len());
    if width == 0 || k == 0 {
        return (Vec::new(), 0);
    }
    // Signs do as well as normal numbers, and are the same on every machine.
    let sign = |_| if rng.random::<bool>() { 1.0 } else { -1.0 };
    let random: Vec<f64> = (0..matrix.n_columns * width).map(sign).collect();
    let mut basis = Vectors::from_interleaved(&matrix.times(&random, width), width);
    basis.orthonormalise();
    for _ in 0..POWER_ITERATIONS {
        let back = matrix.transposed_times(&basis.interleaved(), width);
        let mut columns = Vectors::from_interleaved(&back, width);
        columns.orthonormalise();
        basis = Vectors::from_interleaved(&matrix.times(&columns.interleaved(), width), width);
        basis.orthonormalise();
    }
    let mut small = Vectors::from_interleaved(&matrix.transposed_times(&basis.interleaved(), width), width);
    rotate(&mut small);
    let n = small.length;
    let mut found: Vec<(f64, &[f64])> = small.values.chunks_exact(n).map(|vector| (norm(vector), vector)).collect();
    // The sort is stable, so equal ones stay in their order.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let least = found.first().map_or(0.0, |first| first.0 * 1e-6);
    found.retain(|(size, _)| *size > least);
    found.truncate(k);
    let factors: Vec<f64> = found
        .iter()
        .map(|(size, vector)| {
            let largest = vector.iter().fold(0.0_f64, |most, &v| if v.abs() > most.abs() { v } else { most });
            largest.signum() / size
        })
        .collect();
    let columns = (0..n).flat_map(|c| found.iter().zip(&factors).map(move |((_, v), factor)| (v[c] * factor) as f32));
    (columns.collect(), found.len())
}

/// Turns the vectors within the space they span until they are orthogonal: their lengths are then the singular values.
fn rotate(vectors: &mut Vectors) {
    let n = vectors.length;
    let k = vectors.values.len() / n;
    for _ in 0..MOST_SWEEPS {
        let mut turned = false;
        for i in 0..k {
            for j in i + 1..k {
                let (head, tail) = vectors.values.split_at_mut(j * n);
                let (a, b) = (&mut head[i * n..][..n], &mut tail[..n]);
                let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                if ab.abs() <= 1e-12 * (aa * bb).sqrt() {
                    continue;
                }
                turned = true;
                let zeta = (bb - aa) / (2.0 * ab);
                let tangent = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
                let sine = cosine * tangent;
                for (a, b) in a.iter_mut().zip(b.iter_mut()) {
                    (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                }
            }
        }
        if !turned {
            break;
        }
    }
}
