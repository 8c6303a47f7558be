//! Models made by hand, so that they are tested without the `fit` feature too.

use datasets::{ColumnSchema, Raw, RawColumn, RawValues, Schema, TextColumn, TypeOverrides};
use proptest::prelude::*;

use super::{Blend, Chain, Estimator, Fitted, MAGIC, Member, Model, ModelCard, Pooling, Stacked, VERSION, from_bytes};
use crate::error::ModelError;
use crate::linear::{Linear, Logistic};
use crate::neighbors::{Answers, Distance, Knn, Vote};
use crate::task::Task;
use crate::transform::{FeaturizedColumn, Featurizer, Impute, OneHot, Scale, Step};
use crate::trees::{Link, Node, Tree, TreeEnsemble};

/// Columns `age` (numbers) and `city` (Lyon, Oslo), as read from a file.
fn schema() -> Schema {
    let column = |name: &str, cells: [&str; 4]| RawColumn {
        name: name.to_string(),
        values: RawValues::Text(cells.into_iter().collect()),
    };
    let raw = Raw::from_columns(vec![
        column("age", ["31", "52.5", "47", "18"]),
        column("city", ["Lyon", "Oslo", "Lyon", "Oslo"]),
    ]);
    Schema::infer(&raw, &TypeOverrides::default()).expect("two plain columns").0
}

fn featurizer() -> Featurizer {
    let scale = Scale { offset: 40.0, factor: 0.1, low: -10.0, high: 10.0 };
    let age = FeaturizedColumn {
        column: "age".to_string(),
        minus: None,
        encode: Step::Impute(Impute { value: 40.0, marker: false }),
        scale: vec![Some(scale)],
    };
    let city = FeaturizedColumn {
        column: "city".to_string(),
        minus: None,
        encode: Step::OneHot(OneHot {
            levels: vec!["Lyon".to_string(), "Oslo".to_string()],
            infrequent: false,
            missing: false,
            second: Some(0.5),
        }),
        scale: vec![None],
    };
    Featurizer { columns: vec![age, city] }
}

fn member(weight: f64, estimator: impl Into<Estimator>) -> Member {
    let chain = Chain { features: featurizer(), estimator: estimator.into() };
    Member { weight, chains: vec![chain], name: "by hand".to_string() }
}

/// The column `y` of `no` and `yes`, as a training file would give it.
fn target_schema() -> ColumnSchema {
    let mut cells = TextColumn::new();
    for cell in ["no", "yes", "no", "yes"] {
        cells.push(Some(cell));
    }
    let raw = Raw::from_columns(vec![RawColumn { name: "y".to_string(), values: RawValues::Text(cells) }]);
    let (schema, _) = Schema::infer(&raw, &TypeOverrides::default()).expect("a column of two words");
    schema.columns[0].clone()
}

fn card(task: Task) -> ModelCard {
    let classes: &[&str] = if task == Task::Regression { &[] } else { &["no", "yes"] };
    ModelCard {
        task,
        target_schema: target_schema(),
        target: "bought".to_string(),
        classes: classes.iter().map(ToString::to_string).collect(),
        metric: "roc_auc".to_string(),
        threshold: None,
        positive: classes.last().map(ToString::to_string),
        schema: schema(),
        target_range: None,
        trained_on: "nothing".to_string(),
        seed: 1,
        automl_version: "0.1.0".to_string(),
    }
}

fn logistic(weights: [f64; 2]) -> Logistic {
    Logistic { n_outputs: 2, classes: vec![0, 1], weights: weights.to_vec(), intercepts: vec![0.0] }
}

/// One member that looks at the age, weight 3, and one that looks at the city, weight 1.
fn ensemble() -> Fitted {
    Fitted::new(card(Task::Binary), vec![member(3.0, logistic([1.0, 0.0])), member(1.0, logistic([0.0, 2.0]))])
}

/// The same with a second layer of weight 4 that hears both, and adds the age to twice what the first says.
fn in_two_layers() -> Fitted {
    let heard =
        Logistic { n_outputs: 2, classes: vec![0, 1], weights: vec![1.0, 0.0, 2.0, 0.5], intercepts: vec![0.0] };
    let chain = Chain { features: featurizer(), estimator: heard.into() };
    let second = Stacked { weight: 4.0, inputs: vec![0, 1], chain, name: "second".to_string() };
    Fitted { stacked: vec![second], blend: Blend { pooling: Pooling::Geometric, temperature: 2.0 }, ..ensemble() }
}

fn regression() -> Fitted {
    let nearest = Knn {
        n_outputs: 1,
        k: 1,
        vote: Vote::Uniform,
        distance: Distance::Euclidean,
        n_features: 2,
        points: vec![-1.0, 0.0, 1.0, 1.0],
        answers: Answers::Numbers(vec![10.0, 20.0]),
    };
    let mut bag = member(1.0, Linear { weights: vec![2.0, 5.0], intercept: 1.0 });
    bag.chains.push(Chain { features: featurizer(), estimator: Estimator::Knn(nearest) });
    Fitted::new(card(Task::Regression), vec![bag])
}

fn sigmoid(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

#[test]
fn members_vote_by_weight() {
    let row = ensemble().predict_row(&[("age", "50"), ("city", "Oslo")]).expect("a row of the schema");
    let expected = 0.75 * sigmoid(1.0) + 0.25 * sigmoid(2.0);
    assert_eq!(row.label.as_deref(), Some("yes"));
    assert!((row.value - expected).abs() < 1e-12);
    assert!((row.probabilities[0] - (1.0 - expected)).abs() < 1e-12);
    assert_eq!((row.probabilities[1], row.coerced), (row.value, 0));
}

#[test]
fn a_bag_is_averaged() {
    let row = regression().predict_row(&[("city", "Oslo"), ("age", "50")]).expect("a row of the schema");
    assert_eq!(row.value, f64::midpoint(1.0 + 2.0 + 5.0, 20.0));
    assert_eq!((row.label, row.probabilities), (None, Vec::new()));
}

#[test]
fn the_stored_threshold_decides() {
    let mut model = ensemble();
    let cells = [("age", "50"), ("city", "Oslo")];
    model.card.threshold = Some(0.9);
    let row = model.predict_row(&cells).expect("a row of the schema");
    assert_eq!(row.label.as_deref(), Some("no"));
    assert_eq!(row.value, row.probabilities[0]);
    assert_eq!((model.label(&[0.2, 0.8]), model.label(&[0.05, 0.95])), (0, 1));
}

#[test]
fn cells_that_do_not_fit_are_counted_and_predicted() {
    let model = ensemble();
    let row = model.predict_row(&[("age", "old"), ("city", "Rome"), ("shoe", "44")]).expect("stated rules");
    assert_eq!(row.coerced, 2, "an unread number and an unseen level; an extra column is no cell of the model");
    // The age stands at its median, the city between its two levels.
    assert!((row.value - (0.75 * sigmoid(0.0) + 0.25 * sigmoid(1.0))).abs() < 1e-12);
    assert!(matches!(model.predict_row(&[("age", "3")]), Err(ModelError::Data(_))));
}

#[test]
fn a_file_gives_the_model_back() {
    for model in [ensemble(), regression()] {
        let bytes = model.save().expect("a sound model");
        assert_eq!(bytes[..8], *MAGIC);
        assert_eq!(bytes, model.save().expect("a sound model"), "the same model, the same bytes");
        assert_eq!(from_bytes(&bytes).expect("its own file"), model);
    }
}

#[test]
fn what_is_not_a_model_says_why() {
    let bytes = ensemble().save().expect("a sound model");
    assert!(matches!(from_bytes(b""), Err(ModelError::NotAModel)));
    assert!(matches!(from_bytes(b"PK\x03\x04"), Err(ModelError::NotAModel)));
    let error = from_bytes(&bytes[..100]).expect_err("cut off");
    let (found, expected) = (100, bytes.len() as u64);
    assert!(matches!(error, ModelError::Truncated { expected: e, found: f } if (e, f) == (expected, found)));
    let mut newer = bytes.clone();
    newer[8] = 7;
    let error = from_bytes(&newer).expect_err("of a later version");
    assert_eq!(error.to_string(), "model file of version 7; this program reads version 1");
    let mut damaged = bytes.clone();
    *damaged.last_mut().expect("it has bytes") ^= 1;
    assert!(matches!(from_bytes(&damaged), Err(ModelError::Checksum { .. })));
}

#[test]
fn a_second_layer_hears_the_first() {
    let model = in_two_layers();
    let table = model.card.schema.read_row(&[("age", "50"), ("city", "Lyon")]).expect("a row").0;
    let alone = |k: usize| {
        let only = Fitted::new(card(Task::Binary), vec![model.members[k].clone()]);
        only.predict(&table).expect("a prediction").row(0)[1]
    };
    let (first, second) = (alone(0), alone(1));
    let age = model.members[0].chains[0].features.apply(&table).expect("features").column(0)[0];
    let said = sigmoid(f64::from(age) + 2.0 * f64::from(first as f32) + 0.5 * f64::from(second as f32));
    let odds = |p: f64| (p / (1.0 - p)).ln();
    // The geometric mean is the mean of log-odds, and a temperature of 2 halves it.
    let expected = sigmoid((3.0 * odds(first) + odds(second) + 4.0 * odds(said)) / 8.0 / 2.0);
    let found = model.predict(&table).expect("a prediction").row(0)[1];
    assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    let again = from_bytes(&model.save().expect("a sound model")).expect("what was written");
    assert_eq!(again, model);
}

#[test]
fn a_file_of_one_layer_has_no_second() {
    let mut payload = serde_json::to_value(ensemble()).expect("plain data");
    let fields = payload.as_object_mut().expect("a struct");
    assert!(fields.remove("stacked").is_some() && fields.remove("blend").is_some());
    let old: Fitted = serde_json::from_value(payload).expect("as it was written before there was one");
    assert_eq!(old, ensemble());
}

#[test]
fn a_model_that_contradicts_itself_is_neither_written_nor_read() {
    type Break = fn(&mut Fitted);
    let breaks: [Break; 10] = [
        |model| model.members.clear(),
        |model| model.members[0].chains.clear(),
        |model| model.members[0].weight = f64::NAN,
        |model| model.card.classes.push("maybe".to_string()),
        |model| model.members[0].chains[0].estimator = logistic_of_one_feature(),
        |model| model.members[0].chains[0].features.columns[0].scale.clear(),
        |model| model.blend.temperature = 0.0,
        |model| model.stacked[0].inputs[1] = 2,
        |model| model.stacked[0].inputs.truncate(1),
        |model| model.stacked[0].weight = -1.0,
    ];
    for (i, make_wrong) in breaks.iter().enumerate() {
        let mut model = in_two_layers();
        make_wrong(&mut model);
        assert!(matches!(model.save(), Err(ModelError::Payload { .. })), "break {i} is written");
        let payload = rmp_serde::to_vec_named(&model).expect("plain data");
        assert!(matches!(from_bytes(&framed(&payload)), Err(ModelError::Payload { .. })), "break {i} is read");
    }
}

fn logistic_of_one_feature() -> Estimator {
    Estimator::Logistic(Logistic { n_outputs: 2, classes: vec![0, 1], weights: vec![1.0], intercepts: vec![0.0] })
}

/// A payload with a header that is right about it.
fn framed(payload: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let checksum: [u8; 32] = Sha256::digest(payload).into();
    let length = (payload.len() as u64).to_le_bytes();
    [&MAGIC[..], &VERSION.to_le_bytes(), &length, &checksum, payload].concat()
}

proptest! {
    #[test]
    fn a_flipped_byte_is_noticed(at in any::<prop::sample::Index>(), with in 1_u8..) {
        let mut bytes = ensemble().save().expect("a sound model");
        let at = at.index(bytes.len());
        bytes[at] ^= with;
        prop_assert!(from_bytes(&bytes).is_err());
    }

    #[test]
    fn a_cut_or_lengthened_file_is_noticed(
        at in any::<prop::sample::Index>(), more in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        let bytes = ensemble().save().expect("a sound model");
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert!(from_bytes(cut).is_err());
        prop_assert!(from_bytes(&[&bytes[..], &more[..]].concat()).is_err());
    }

    /// A payload with a right checksum may still hold anything.
    #[test]
    fn any_payload_is_a_model_or_an_error(
        at in any::<prop::sample::Index>(),
        with in any::<u8>(),
        noise in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        prop_assert!(from_bytes(&framed(&noise)).is_err());
        let mut payload = rmp_serde::to_vec_named(&ensemble()).expect("plain data");
        let at = at.index(payload.len());
        payload[at] = with;
        if let Ok(model) = from_bytes(&framed(&payload)) {
            // It may predict nonsense or say that a column is missing, but not panic.
            let _ = model.predict_row(&[("age", "50"), ("city", "Oslo")]);
        }
    }

    /// One row at a time gives the same bits as the whole table.
    #[test]
    fn rows_stand_alone(ages in prop::collection::vec(-1e3_f64..1e3, 1..20)) {
        let cells = |ages: &[f64]| {
            let age = ages.iter().map(|age| Some(age.to_string())).collect::<Vec<_>>();
            let raw = Raw::from_columns(vec![
                RawColumn {
                    name: "age".to_string(),
                    values: RawValues::Text(age.iter().map(Option::as_deref).collect()),
                },
                RawColumn { name: "city".to_string(), values: RawValues::Text(ages.iter().map(|_| "Oslo").collect()) },
            ]);
            schema().read(&raw).expect("columns of the schema").0
        };
        for model in [ensemble(), regression()] {
            let all = model.predict(&cells(&ages)).expect("columns of the schema");
            for (i, age) in ages.iter().enumerate() {
                let alone = model.predict(&cells(&[*age])).expect("columns of the schema");
                prop_assert_eq!(alone.row(0), all.row(i));
            }
        }
    }
}

#[test]
fn trees_travel_in_a_file_that_is_checked() {
    let older = Node { feature: 0, threshold: 0.0, left: !0, right: !1, missing_left: true, category: false };
    let tree = Tree {
        nodes: vec![older],
        leaves: vec![-1.0, 2.0],
        gains: vec![1.0],
        covers: vec![4.0, 2.0, 2.0],
        levels: Vec::new(),
    };
    let trees = TreeEnsemble::new(crate::Algorithm::Constant, 2, 2, Link::Logistic, vec![0.5], 1.0, vec![tree]);
    let mut model = Fitted::new(card(Task::Binary), vec![member(1.0, Estimator::Trees(trees))]);
    let bytes = super::to_bytes(&model).expect("a sound model");
    let read = from_bytes(&bytes).expect("what was written");
    assert_eq!(read, model);
    let row = read.predict_row(&[("age", "50"), ("city", "Oslo")]).expect("a row of the schema");
    assert!((row.value - sigmoid(2.5)).abs() < 1e-15);
    let Estimator::Trees(trees) = &mut model.members[0].chains[0].estimator else { panic!("trees were put in") };
    trees.trees[0].nodes[0].right = 0;
    let error = super::to_bytes(&model).expect_err("a node that leads to itself");
    assert!(error.to_string().contains("tree 0: node 0: leads to 0"), "{error}");
}
