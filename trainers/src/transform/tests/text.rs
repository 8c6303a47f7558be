//! Text as dense numbers.

use datasets::{Column, Table, Values};

use super::plan;
use crate::testing::assert_close;
use crate::transform::{Encoding, Featurizer, FitTextSvd, Scaling, Step, TextSvd, Transform};

const TEXTS: [&str; 6] = [
    "Red wine, good wine.",
    "white wine is good",
    "A bad RED one; bad!",
    "the good the bad",
    "wine_cellar is here",
    "white good bad cellar here",
];

fn column(texts: &[&str]) -> Column {
    Column::new("t", Values::Text(texts.iter().copied().collect()))
}

fn fitted(fit: FitTextSvd, column: &Column) -> TextSvd {
    let rows: Vec<u32> = (0..column.values.len() as u32).collect();
    let Ok(Step::TextSvd(step)) = fit.fit(column, &rows) else { panic!("text") };
    assert!(step.check());
    step
}

/// Row by row.
fn apply(step: &TextSvd, column: &Column) -> Vec<Vec<f64>> {
    let features = step.apply(column).expect("text");
    (0..column.values.len()).map(|row| features.iter().map(|feature| feature.values[row]).collect()).collect()
}

/// scikit-learn 1.9.1: side by side `TfidfVectorizer(token_pattern=r"(?u)[^\W_]{2,}", ngram_range=(1, 2), **bounds)` and
/// `TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), **bounds)`, both with `min_df=2, max_df=0.9,
/// sublinear_tf=True`: 58 terms; then `TruncatedSVD(3, algorithm="arpack")`, the largest part of each component positive.
#[test]
fn components_are_those_of_scikit_learn() {
    let step = fitted(FitTextSvd { n_components: 3, ..FitTextSvd::default() }, &column(&TEXTS));
    let n_terms: usize = step.vocabularies.iter().map(|vocabulary| vocabulary.terms.len()).sum();
    assert_eq!(n_terms, 58);
    let expected = [
        [0.900_347_764, -0.103_201_204, 1.004_379_141],
        [0.996_188_562, -0.584_076_931, 0.337_853_958],
        [0.736_107_916, 1.007_725_333, 0.045_810_486],
        [0.964_026_903, 0.810_189_897, -0.156_177_156],
        [0.816_786_754, -0.863_654_288, -0.324_755_199],
        [1.101_981_062, -0.129_448_993, -0.779_290_616],
    ];
    for (found, expected) in apply(&step, &column(&TEXTS)).iter().zip(&expected) {
        assert_close(found, expected, 1e-5);
    }
    let new = column(&["good red wine", "nothing known", "unseen wine"]);
    let expected =
        [[0.910_677_672, 0.063_006_44, 0.943_361_538], [0.0; 3], [0.566_881_197, -0.502_898_561, 0.822_533_18]];
    for (found, expected) in apply(&step, &new).iter().zip(&expected) {
        assert_close(found, expected, 1e-5);
    }
}

/// The components keep all lengths and angles where there are as many of them as the texts have dimensions.
#[test]
fn with_enough_components_nothing_is_lost() {
    let step = fitted(FitTextSvd::default(), &column(&TEXTS));
    assert_eq!(step.n_components, TEXTS.len());
    for row in apply(&step, &column(&TEXTS)) {
        let squares: f64 = row.iter().map(|value| value * value).sum();
        // Each of the two sorts of pieces has norm 1.
        assert!((squares - 2.0).abs() < 1e-5, "{squares}");
    }
}

#[test]
fn texts_of_nothing_have_no_components() {
    for texts in [&["", "  ", "!!"][..], &["one", "two"], &["same", "same"]] {
        let step = fitted(FitTextSvd::default(), &column(texts));
        assert_eq!((step.n_components, step.names("t").len()), (0, 0), "{texts:?}");
        assert!(step.apply(&column(&["anything"])).expect("text").is_empty());
    }
    let missing = Column::new(
        "t",
        Values::Text([Some("red wine"), None, Some("red wine"), Some("cellar")].into_iter().collect()),
    );
    let step = fitted(FitTextSvd::default(), &missing);
    assert_eq!(apply(&step, &missing)[1], vec![0.0; step.n_components]);
}

/// Two sorts of text over 200 rows, made of many words: trees get components that tell them apart, few words, and the
/// length; linear models words only.
#[test]
fn trees_see_components_and_others_words() {
    let sorts = ["ship harbour sail anchor mast keel deck tide", "oven flour yeast dough crust loaf bake salt"];
    let texts: Vec<String> = (0..200)
        .map(|row| {
            let words: Vec<&str> = sorts[row % 2].split(' ').collect();
            (0..4).map(|i| words[(row * 7 + i * 3 + row / 8) % words.len()]).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let table = Table::new(vec![column(&texts)]).expect("one column");
    let rows: Vec<u32> = (0..200).collect();
    let block = |encoding| {
        let plan = plan(&table, encoding, Scaling::None);
        Featurizer::fit(&plan, &table, &rows).expect("text").apply(&table).expect("its own table")
    };
    let native = block(Encoding::Native);
    let components: Vec<usize> = (0..native.n_features()).filter(|&j| native.names[j].starts_with("t_svd_")).collect();
    assert!((1..=32).contains(&components.len()));
    let apart = components.iter().any(|&j| {
        let values = native.column(j);
        let (even, odd): (Vec<usize>, Vec<usize>) = (0..200).partition(|row| row % 2 == 0);
        let most = |rows: &[usize]| rows.iter().map(|&row| values[row]).fold(f32::MIN, f32::max);
        let least = |rows: &[usize]| rows.iter().map(|&row| values[row]).fold(f32::MAX, f32::min);
        most(&even) < least(&odd) || most(&odd) < least(&even)
    });
    assert!(apart, "no component tells the two sorts apart");
    assert!(native.names.contains(&"t_length".to_owned()) && native.names.contains(&"t:ship".to_owned()));
    assert_eq!(native, block(Encoding::Native), "the same twice");
    let linear = block(Encoding::OneHot);
    assert!(linear.names.iter().all(|name| !name.contains("_svd_")));
}
