//! What is asked of featurization, by Azure's names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use datasets::{Kind, Schema, Storage};
use serde::{Deserialize, Serialize};
use trainers::transform::{FeatureSettings, Fill, HashOneHot, Strategy, Transformer};

use crate::error::AutoMlError;

/// Who decides how columns become features.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeaturizationMode {
    /// The engine.
    #[default]
    Auto,
    /// Nobody: columns are used as they are, filled and scaled where an algorithm cannot do without.
    Off,
    /// The engine, within what the other settings say.
    Custom,
}

/// What a column is for, by Azure's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Numbers.
    Numeric,
    /// Levels without order.
    Categorical,
    /// Levels that are hashed for algorithms that read no categories.
    CategoricalHash,
    /// Times.
    DateTime,
    /// Free text.
    Text,
    /// Left out.
    Ignore,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Purpose; 6] = [
        Purpose::Numeric,
        Purpose::Categorical,
        Purpose::CategoricalHash,
        Purpose::DateTime,
        Purpose::Text,
        Purpose::Ignore,
    ];

    /// The kind of a column for this; `None` for one that is left out.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Purpose::Numeric => Some(Kind::Numeric),
            Purpose::Categorical | Purpose::CategoricalHash => Some(Kind::Categorical),
            Purpose::DateTime => Some(Kind::Datetime),
            Purpose::Text => Some(Kind::Text),
            Purpose::Ignore => None,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Settings of a transformer for some columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForFields<P> {
    /// The columns.
    pub fields: Vec<String>,
    /// What is set.
    pub parameters: P,
}

/// How missing numbers are filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImputerStrategy {
    /// By the mean of the training rows.
    Mean,
    /// By their median.
    Median,
    /// By their most frequent value.
    MostFrequent,
    /// By a number that is given.
    Constant,
}

/// Settings of the imputer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImputerParams {
    /// What stands for a missing number.
    pub strategy: ImputerStrategy,
    /// The number of [`ImputerStrategy::Constant`], finite.
    #[serde(default)]
    pub fill_value: Option<f64>,
}

/// Settings of the hashing encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashParams {
    /// Levels share 2 to this power of features; 1 to 12.
    pub number_of_bits: u8,
}

/// Settings of transformers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransformerParams {
    /// How missing numbers are filled in.
    pub imputer: Vec<ForFields<ImputerParams>>,
    /// How many features hashed levels share.
    pub hash_one_hot_encoder: Vec<ForFields<HashParams>>,
}

/// How columns become features.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeaturizationSpec {
    /// Who decides. Default [`FeaturizationMode::Auto`].
    pub mode: FeaturizationMode,
    /// Transformers that are not used; asks for [`FeaturizationMode::Custom`].
    pub blocked_transformers: Vec<Transformer>,
    /// What columns are for, in any mode.
    pub column_name_and_types: BTreeMap<String, Purpose>,
    /// Settings of transformers; asks for [`FeaturizationMode::Custom`].
    pub transformer_params: TransformerParams,
}

/// Features of a hashed column where nobody says how many: 2 to this power.
const HASH_BITS: u8 = 6;

impl FeaturizationSpec {
    /// Refuses what no data could make sensible.
    pub(crate) fn check(&self, target: &str) -> Result<(), AutoMlError> {
        let usage = |text: String| Err(AutoMlError::Usage(text));
        let params = &self.transformer_params;
        let said = !self.blocked_transformers.is_empty() || *params != TransformerParams::default();
        if self.mode != FeaturizationMode::Custom && said {
            let mode = if self.mode == FeaturizationMode::Off { "off" } else { "auto" };
            return usage(format!(
                "--featurization {mode} excludes --block-transformer and transformer_params: say custom, or leave them out"
            ));
        }
        if self.column_name_and_types.get(target) == Some(&Purpose::Ignore) {
            return usage(format!("`{target}` is the target and cannot be ignored"));
        }
        let mut seen = BTreeSet::new();
        for entry in &params.imputer {
            let ImputerParams { strategy, fill_value } = entry.parameters;
            let constant = strategy == ImputerStrategy::Constant;
            if constant != fill_value.is_some() || fill_value.is_some_and(|value| !value.is_finite()) {
                return usage("imputer: fill_value is a finite number, for the strategy constant and no other".into());
            }
            if let Some(twice) = entry.fields.iter().find(|field| !seen.insert(field.as_str())) {
                return usage(format!("imputer: `{twice}` is named twice"));
            }
        }
        let bits = params.hash_one_hot_encoder.iter().map(|entry| entry.parameters.number_of_bits);
        if let Some(bits) = bits.into_iter().find(|bits| !(1..=HashOneHot::MOST_BITS).contains(bits)) {
            let most = HashOneHot::MOST_BITS;
            return usage(format!("hash_one_hot_encoder: number_of_bits {bits} must lie between 1 and {most}"));
        }
        Ok(())
    }

    /// The columns that are named, each with the setting that names it.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let params = &self.transformer_params;
        let imputed = params.imputer.iter().flat_map(|entry| &entry.fields).map(|field| ("imputer", field));
        let hashed = params.hash_one_hot_encoder.iter().flat_map(|entry| &entry.fields);
        let hashed = hashed.map(|field| ("hash_one_hot_encoder", field));
        self.column_name_and_types.keys().map(|name| ("--column-type", name)).chain(imputed).chain(hashed)
    }

    /// What transforms are to know, once the schema says what the columns hold: only numbers can be imputed, and only
    /// categories hashed.
    pub(crate) fn settings(&self, schema: &Schema) -> Result<FeatureSettings, AutoMlError> {
        let params = &self.transformer_params;
        let mut settings = FeatureSettings {
            plain: self.mode == FeaturizationMode::Off,
            blocked: self.blocked_transformers.iter().copied().collect(),
            ..FeatureSettings::default()
        };
        for (name, purpose) in &self.column_name_and_types {
            if *purpose == Purpose::CategoricalHash {
                settings.hashed.insert(name.clone(), HASH_BITS);
            }
        }
        for entry in &params.hash_one_hot_encoder {
            let bits = entry.parameters.number_of_bits;
            settings.hashed.extend(entry.fields.iter().map(|field| (field.clone(), bits)));
        }
        for entry in &params.imputer {
            let ImputerParams { strategy, fill_value } = entry.parameters;
            let strategy = match strategy {
                ImputerStrategy::Mean => Strategy::Mean,
                ImputerStrategy::Median => Strategy::Median,
                ImputerStrategy::MostFrequent => Strategy::MostFrequent,
                ImputerStrategy::Constant => Strategy::Constant(Fill(fill_value.unwrap_or_default())),
            };
            settings.imputers.extend(entry.fields.iter().map(|field| (field.clone(), strategy)));
        }
        let numbers = settings.imputers.keys().map(|name| (name, Storage::Number, "imputer", "numbers"));
        let levels = settings.hashed.keys().map(|name| (name, Storage::Category, "hash_one_hot_encoder", "categories"));
        for (name, storage, transformer, what) in numbers.chain(levels) {
            if schema.column(name).is_some_and(|column| column.storage != storage) {
                return Err(AutoMlError::Usage(format!(
                    "{transformer}: column `{name}` holds no {what}; say what it is with --column-type {name}=TYPE"
                )));
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a job file of Azure has it.
    #[test]
    fn azure_settings_are_read() {
        let text = r#"{"mode": "custom", "blocked_transformers": ["tf_idf", "wo_e_target_encoder"],
            "column_name_and_types": {"a": "Categorical", "b": "CategoricalHash", "c": "Ignore", "d": "DateTime"},
            "transformer_params": {
                "imputer": [{"fields": ["n"], "parameters": {"strategy": "constant", "fill_value": -1}}],
                "hash_one_hot_encoder": [{"fields": ["a"], "parameters": {"number_of_bits": 3}}]}}"#;
        let spec: FeaturizationSpec = serde_json::from_str(text).expect("Azure's names");
        spec.check("y").expect("they make sense");
        let settings = spec.settings(&Schema { columns: Vec::new() }).expect("nothing is there to contradict");
        assert_eq!(settings.hashed, [("a".to_owned(), 3), ("b".to_owned(), HASH_BITS)].into());
        assert_eq!(settings.imputers["n"], Strategy::Constant(Fill(-1.0)));
        assert!(settings.blocked.contains(&Transformer::WoETargetEncoder) && !settings.plain);
        let names: Vec<&str> = spec.columns().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d", "n", "a"]);
        let again: FeaturizationSpec = serde_json::from_str("{}").expect("everything has a default");
        assert_eq!(again, FeaturizationSpec::default());
    }

    #[test]
    fn contradictions_are_named() {
        let check = |change: &dyn Fn(&mut FeaturizationSpec)| {
            let mut spec = FeaturizationSpec::default();
            change(&mut spec);
            spec.check("y").map_err(|error| error.to_string())
        };
        let block = |spec: &mut FeaturizationSpec| spec.blocked_transformers.push(Transformer::TfIdf);
        let impute = |strategy, fill_value| ForFields {
            fields: vec!["n".into()],
            parameters: ImputerParams { strategy, fill_value },
        };
        assert!(check(&|_| ()).is_ok());
        let error = check(&block).expect_err("nobody said custom");
        assert!(error.contains("--featurization auto excludes --block-transformer"), "{error}");
        let custom = |spec: &mut FeaturizationSpec| spec.mode = FeaturizationMode::Custom;
        assert!(check(&|spec| (block(spec), custom(spec)).0).is_ok());
        for entries in [
            vec![impute(ImputerStrategy::Constant, None)],
            vec![impute(ImputerStrategy::Mean, Some(1.0))],
            vec![impute(ImputerStrategy::Constant, Some(f64::NAN))],
            vec![impute(ImputerStrategy::Mean, None), impute(ImputerStrategy::Median, None)],
        ] {
            let error = check(&|spec| {
                custom(spec);
                spec.transformer_params.imputer.clone_from(&entries);
            });
            assert!(error.expect_err("it makes no sense").starts_with("imputer: "));
        }
        let hashed = |number_of_bits| ForFields { fields: vec!["a".into()], parameters: HashParams { number_of_bits } };
        for bits in [0, 13] {
            let error = check(&|spec| {
                custom(spec);
                spec.transformer_params.hash_one_hot_encoder = vec![hashed(bits)];
            });
            assert!(error.expect_err("so many bits").contains("number_of_bits"));
        }
        let ignored = check(&|spec| spec.column_name_and_types.extend([("y".into(), Purpose::Ignore)]));
        assert_eq!(ignored.expect_err("the target"), "`y` is the target and cannot be ignored");
    }
}
