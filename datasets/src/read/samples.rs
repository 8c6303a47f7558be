//! The sample data that comes with the crate; `data/README.md` says where it is from.

const SAMPLES: [(&str, &[u8]); 4] = [
    ("iris", include_bytes!("../../data/iris.csv")),
    ("wine", include_bytes!("../../data/wine.csv")),
    ("breast_cancer", include_bytes!("../../data/breast_cancer.csv")),
    ("diabetes", include_bytes!("../../data/diabetes.csv")),
];

/// The names that `open://` knows.
pub fn sample_names() -> &'static [&'static str] {
    const NAMES: [&str; 4] = [SAMPLES[0].0, SAMPLES[1].0, SAMPLES[2].0, SAMPLES[3].0];
    &NAMES
}

/// The bytes of the sample of this name.
pub(crate) fn sample(name: &str) -> Option<&'static [u8]> {
    SAMPLES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}
