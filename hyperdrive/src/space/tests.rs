//! What is drawn against scipy's distributions: the ten of Azure's search spaces.

use std::f64::consts::E;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Choice, Dimension, Space};
use crate::params::Value;

const DRAWS: usize = 20_000;
/// A sound generator is refused once in ten thousand tests; the seeds are fixed, so a test always says the same.
const LEAST_P: f64 = 1e-4;

fn drawn(dimension: Dimension) -> Vec<Value> {
    let name = dimension.name.clone();
    let space = Space::new(vec![dimension]);
    space.check().expect("sound");
    let mut rng = ChaCha8Rng::seed_from_u64(2_026);
    let draw = |_| space.sample(&mut rng).get(&name).cloned().expect("it has the one dimension");
    (0..DRAWS).map(draw).collect()
}

fn real(value: &Value) -> f64 {
    match value {
        Value::Float(x) => *x,
        other => panic!("{other} is no real number"),
    }
}

/// The greatest distance of the draws' distribution from `cdf`.
fn kolmogorov_smirnov(mut draws: Vec<f64>, cdf: &dyn Fn(f64) -> f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let distance = |(i, x): (usize, &f64)| {
        let p = cdf(*x);
        (p - i as f64 / n).max((i as f64 + 1.0) / n - p)
    };
    draws.iter().enumerate().map(distance).fold(0.0, f64::max)
}

/// Probability of at least this distance (Kolmogorov's limit).
fn p_value(distance: f64, n: usize) -> f64 {
    tail(distance * (n as f64).sqrt())
}

fn tail(lambda: f64) -> f64 {
    let term = |k: i32| f64::from(k % 2 * 4 - 2) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
    (1..=100).map(term).sum()
}

fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / 2.0_f64.sqrt())
}

type Cdf = Box<dyn Fn(f64) -> f64>;
/// The dimension, its distribution function, and values of it.
type Case = (Dimension, Cdf, [(f64, f64); 5]);

/// Each continuous distribution, with what scipy 1.17.1 says of it
/// (`stats.uniform(-2, 5)`, `stats.loguniform(exp(-3), exp(2))`, `stats.norm(1, 2)`,
/// `stats.lognorm(0.75, scale=exp(0.5))`, `.cdf`).
fn continuous() -> Vec<Case> {
    let lognormal = Dimension::normal("x", 0.5, 0.75).log();
    vec![
        (
            Dimension::float("x", -2.0, 3.0),
            Box::new(|x| (x + 2.0) / 5.0),
            [(-1.5, 0.1), (0.0, 0.4), (0.25, 0.45), (1.0, 0.6), (2.9, 0.980_000_000_000_000_1)],
        ),
        (
            Dimension::float("x", E.powi(-3), E.powi(2)).log(),
            Box::new(|x: f64| (x.ln() + 3.0) / 5.0),
            [
                (0.06, 0.037_317_856_647_992_72),
                (0.2, 0.278_112_417_513_179_94),
                (1.0, 0.6),
                (3.0, 0.819_722_457_733_622),
                (7.0, 0.989_182_029_811_062_7),
            ],
        ),
        (
            Dimension::normal("x", 1.0, 2.0),
            Box::new(|x| normal((x - 1.0) / 2.0)),
            [
                (-4.0, 0.006_209_665_325_776_132),
                (-1.0, 0.158_655_253_931_457_07),
                (0.5, 0.401_293_674_317_076_3),
                (2.0, 0.691_462_461_274_013_1),
                (6.0, 0.993_790_334_674_223_8),
            ],
        ),
        (
            lognormal,
            Box::new(|x: f64| normal((x.ln() - 0.5) / 0.75)),
            [
                (0.2, 0.002_457_260_164_234_682),
                (0.9, 0.209_790_796_250_128_8),
                (1.5, 0.449_847_549_285_014_64),
                (3.0, 0.787_608_193_817_726),
                (9.0, 0.988_181_110_542_902_8),
            ],
        ),
    ]
}

#[test]
fn continuous_ones_follow_their_distribution_functions() {
    for (dimension, cdf, golden) in continuous() {
        for (x, p) in golden {
            assert!((cdf(x) - p).abs() < 1e-13, "{dimension:?} at {x}: {} is not {p}", cdf(x));
        }
        let draws: Vec<f64> = drawn(dimension.clone()).iter().map(real).collect();
        let p = p_value(kolmogorov_smirnov(draws.clone(), &cdf), DRAWS);
        assert!(p > LEAST_P, "{dimension:?}: p = {p}");
        // The test can fail: a distribution a 25th of the range off is refused.
        let spread = draws.iter().map(|x| (x - draws[0]).abs()).fold(0.0, f64::max) / 25.0;
        let off = p_value(kolmogorov_smirnov(draws, &|x| cdf(x + spread)), DRAWS);
        assert!(off < LEAST_P, "{dimension:?}: p = {off} for another distribution");
    }
}

#[test]
fn the_tail_is_kolmogorovs() {
    // scipy.stats.kstwobign.sf, scipy 1.17.1.
    let golden = [
        (0.5, 0.963_945_243_664_875_1),
        (1.0, 0.269_999_671_677_354_56),
        (1.5, 0.022_217_962_616_525_127),
        (2.0, 0.000_670_925_255_779_695_3),
    ];
    for (lambda, p) in golden {
        assert!((tail(lambda) - p).abs() < 1e-12 * p, "{lambda}: {} is not {p}", tail(lambda));
    }
}

/// Pearson's statistic of the counts against probabilities, which add up to 1.
fn chi_square(counts: &[usize], probabilities: &[f64]) -> f64 {
    assert_eq!(counts.iter().sum::<usize>(), DRAWS);
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let term = |(count, p): (&usize, &f64)| (*count as f64 - DRAWS as f64 * p).powi(2) / (DRAWS as f64 * p);
    counts.iter().zip(probabilities).map(term).sum()
}

/// Counts of the multiples of `step` from the `first`-th on; both ends take what lies beyond them.
fn multiples(dimension: Dimension, step: f64, first: i64, bins: usize) -> Vec<usize> {
    let mut counts = vec![0; bins];
    for value in drawn(dimension) {
        let k = real(&value) / step;
        assert_eq!(k.fract(), 0.0, "{value} is no multiple of {step}");
        counts[(k as i64 - first).clamp(0, bins as i64 - 1) as usize] += 1;
    }
    counts
}

#[test]
fn rounded_ones_have_the_probabilities_of_their_bins() {
    // Differences of scipy 1.17.1's cdf at the edges of the bins, the outer ones of the normal kinds open; and
    // stats.chi2.ppf(1 - 1e-4, bins - 1).
    let (inner, uniform) = (0.113_636_363_636_363_63, 0.102_272_727_272_727_27);
    let quniform = [uniform, inner, inner, inner, inner, inner, inner, inner, uniform];
    let qloguniform = [
        0.237_439_309_182_739_7,
        0.170_275_207_921_996_85,
        0.112_157_412_207_071_04,
        0.083_771_476_093_635_33,
        0.066_890_231_820_717_07,
        0.055_684_694_887_722_1,
        0.047_700_281_213_557_85,
        0.041_721_047_651_335_22,
        0.037_075_211_703_408_106,
        0.033_361_152_852_327_66,
        0.030_323_926_068_575_37,
        0.027_793_869_646_350_444,
        0.025_653_680_378_709_41,
        0.023_819_654_660_715_006,
        0.006_332_843_711_138_847,
    ];
    let qnormal = [
        0.008_774_475_095_738_36,
        0.043_306_804_319_481_17,
        0.138_705_673_437_291_15,
        0.259_474_822_317_376_4,
        0.283_752_695_781_412_4,
        0.181_419_806_697_364_9,
        0.067_772_415_902_886_85,
        0.016_793_306_448_448_786,
    ];
    let qlognormal = [
        0.005_950_620_768_208_058,
        0.140_852_635_780_299_44,
        0.209_207_711_310_017_47,
        0.175_666_681_682_993_99,
        0.129_095_319_539_878_52,
        0.091_650_092_786_725_65,
        0.064_810_688_936_236_87,
        0.046_155_616_024_836_754,
        0.033_236_714_003_295_31,
        0.024_230_894_764_775_69,
        0.017_885_684_762_463_44,
        0.013_360_764_772_770_04,
        0.047_896_574_867_498_765,
    ];
    let log_range = Dimension::float("x", E.powi(-1), E.powi(2)).log().step(0.5);
    let log_normal = Dimension::normal("x", 0.5, 0.75).log().step(0.5);
    let cases: [(Dimension, f64, i64, &[f64], f64); 4] = [
        (Dimension::float("x", 0.3, 4.7).step(0.5), 0.5, 1, &quniform, 31.827_628_001_262_585),
        (log_range, 0.5, 1, &qloguniform, 42.579_288_953_113_3),
        (Dimension::normal("x", 1.0, 2.0).step(1.5), 1.5, -3, &qnormal, 29.877_503_909_225_17),
        (log_normal, 0.5, 0, &qlognormal, 39.134_403_881_949_81),
    ];
    for (dimension, step, first, probabilities, most) in cases {
        let counts = multiples(dimension.clone(), step, first, probabilities.len());
        let found = chi_square(&counts, probabilities);
        assert!(found < most, "{dimension:?}: {found} of at most {most}, {counts:?}");
        // The test can fail: the same counts one bin further on are refused.
        let mut turned = counts;
        turned.rotate_left(1);
        assert!(chi_square(&turned, probabilities) > most, "{dimension:?}");
    }
}

#[test]
fn whole_numbers_and_options_are_equally_likely() {
    // Azure's randint(7) and choice; stats.chi2.ppf(1 - 1e-4, 6) and (…, 3), scipy 1.17.1.
    let options = ["a", "b", "c", "d"].map(Choice::leaf).to_vec();
    let of = |dimension: Dimension, values: Vec<Value>| {
        let draws = drawn(dimension);
        values.iter().map(|value| draws.iter().filter(|draw| *draw == value).count()).collect::<Vec<usize>>()
    };
    let randint = of(Dimension::int("x", 0, 6), (0..7).map(Value::Int).collect());
    let choice = of(Dimension::choice("x", options), ["a", "b", "c", "d"].map(Value::from).to_vec());
    assert!(chi_square(&randint, &[1.0 / 7.0; 7]) < 27.856_341_236_014_17, "{randint:?}");
    assert!(chi_square(&choice, &[0.25; 4]) < 21.107_513_466_160_444, "{choice:?}");
}
