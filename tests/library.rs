//! The library call behind the command line.

use automl::{AutoMl, AutoMlSpec, Clock, Session, Silent};
use platform::Workspace;
use trainers::Model;

use crate::support::{Place, sample};

#[test]
fn a_library_call_fits_and_its_model_predicts() {
    let place = Place::new();
    let workspace = Workspace::find_or_create(Some(&place.path("ws")), place.0.path()).expect("a workspace");
    let mut spec = AutoMlSpec::new(sample("wine.csv"), "class");
    spec.budget.max_trials = Some(10);
    let summary = AutoMl::new(spec)
        .expect("a sound request")
        .fit(&mut Session {
            workspace: &workspace,
            clock: Clock::start(),
            stop: std::sync::Arc::default(),
            narrator: &mut Silent,
            command_line: Vec::new(),
        })
        .expect("a model");
    let version = workspace.resolve_model(&summary.model.name).expect("registered");
    let fitted = trainers::from_bytes(&workspace.model_bytes(&version).expect("its bytes")).expect("a sound file");
    let row: Vec<(&str, &str)> = vec![
        ("alcohol", "14.23"),
        ("malic_acid", "1.71"),
        ("ash", "2.43"),
        ("alcalinity_of_ash", "15.6"),
        ("magnesium", "127"),
        ("total_phenols", "2.8"),
        ("flavanoids", "3.06"),
        ("nonflavanoid_phenols", "0.28"),
        ("proanthocyanins", "2.29"),
        ("color_intensity", "5.64"),
        ("hue", "1.04"),
        ("od280_od315_of_diluted_wines", "3.92"),
        ("proline", "1065"),
    ];
    let predicted = fitted.predict_row(&row).expect("a prediction");
    assert_eq!(predicted.label.as_deref(), Some("class_0"));
    assert_eq!(fitted.card().classes.len(), 3);
}
