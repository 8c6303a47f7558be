//! Every command and option, with its help.

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};
use datasets::TypeOverrides;
use serde::de::DeserializeOwned;
use trainers::transform::Transformer;
use trainers::{Algorithm, Task};

use crate::featurization::{FeaturizationMode, Purpose};
use crate::fit::More;
use crate::spec::{Bytes, CrossValidation, EnsembleKind, Micros, Seconds};

/// The whole of `automl --help`: commands by what they are for. A test holds that none is missing.
const HELP: &str = "\
{about}

  automl fit train.csv --target y
  automl predict --model train@latest new.csv --proba

Model     fit  predict  evaluate  explain  refit
Search    resume  leaderboard  replay  sweep
Compare   benchmark
Keep      run  model
Machine   doctor  completions

Global    --json  --quiet  --workspace DIR  --version
Exit      0 ok · 1 machine or workspace · 2 usage · 3 bad data · 4 no model · 130 stopped, kept

automl COMMAND --help tells more.
";

/// Find and ship the best model for a table.
#[derive(Debug, Parser)]
#[command(name = "automl", version, help_template = HELP, disable_help_subcommand = true, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    /// One JSON document on standard output, nothing else
    #[arg(long, global = true, help_heading = "Global", display_order = 900)]
    pub(super) json: bool,
    /// Only results and errors
    #[arg(long, short, global = true, help_heading = "Global", display_order = 901)]
    pub(super) quiet: bool,
    /// The workspace folder [default: .automl found upward from here]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global", display_order = 902)]
    pub(super) workspace: Option<PathBuf>,
}

/// The parser, for completions and for the test that prints all help.
pub fn command() -> clap::Command {
    Arguments::command()
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Search algorithms and hyperparameters for a table, and register the best model
    Fit(Box<FitArgs>),
    /// Predict every row of a table with a model
    Predict(PredictArgs),
    /// Score a model on a table that has the target
    Evaluate(EvaluateArgs),
    /// Show what a model looks at, over all rows or for one of them
    Explain(ExplainArgs),
    /// Fit a model's recipe on new rows, without a search, as its next version
    Refit(RefitArgs),
    /// Go on with a search, finished or not
    Resume(ResumeArgs),
    /// Show the models of a run, best first
    Leaderboard(LeaderboardArgs),
    /// Do a run again from its journal, and say whether the same comes of it
    Replay(ReplayArgs),
    /// Tune a script in any language, or any program that can ask and tell
    #[command(subcommand, arg_required_else_help = true)]
    Sweep(SweepCommand),
    /// Measure engines beside each other: ours and any command, on data sets, budgets and seeds
    Benchmark(BenchmarkArgs),
    /// List and show runs
    #[command(subcommand, arg_required_else_help = true)]
    Run(RunCommand),
    /// List, show, download and export registered models
    #[command(subcommand, arg_required_else_help = true)]
    Model(ModelCommand),
    /// Say what this machine has and what will be used
    Doctor,
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

/// `--help` shows the common options, `--help-all` all of them.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct FitArgs {
    /// Training data: files, globs, `-` for standard input, or `open://NAME`; CSV, TSV, Parquet, JSON lines, plain or gzip
    #[arg(required = true, value_name = "FILE")]
    pub(super) train: Vec<String>,

    /// The column to predict
    #[arg(long, value_name = "COL", help_heading = "Data")]
    pub(super) target: String,
    /// A file with the target that is scored once and never trained on
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub(super) test: Option<String>,
    /// Columns to leave out
    #[arg(long, value_name = "COLS", value_delimiter = ',', help_heading = "Data")]
    pub(super) ignore: Vec<String>,
    /// The column that names a row; carried, not learned from
    #[arg(long, value_name = "COL", help_heading = "Data")]
    pub(super) id: Option<String>,
    /// How much each row counts in training, 0 or more; only ratios matter, and scores count every row alike
    #[arg(long, value_name = "COL", help_heading = "Data")]
    pub(super) weight: Option<String>,
    /// Column types that override what is inferred: numeric, integer, boolean, categorical, datetime, text, id; how they are written after a colon, as day=datetime:dmy
    #[arg(long, value_name = "COL=TYPE,…", value_parser = parse_types, help_heading = "Data")]
    pub(super) types: Option<TypeOverrides>,
    /// Who decides how columns become features: auto (the engine), off (they are used as they are), custom (the engine, within --block-transformer) [default: auto]
    #[arg(long, value_name = "MODE", value_parser = parse_named::<FeaturizationMode>, help_heading = "Data", hide_short_help = true)]
    pub(super) featurization: Option<FeaturizationMode>,

    /// Whether models are put together: `stack` in two layers, `voting` in one, `none` not at all
    #[arg(long, value_name = "KIND", value_parser = parse_named::<EnsembleKind>, help_heading = "Result")]
    pub(super) ensemble: Option<EnsembleKind>,

    /// Most time that predicting a row may take the saved model, of many at once on one thread, such as 100us or 1ms; what it is put together of is chosen within that
    #[arg(long, value_name = "100us", help_heading = "Result")]
    pub(super) max_latency: Option<Micros>,

    /// The best single model: the same as --ensemble none
    #[arg(long, conflicts_with = "ensemble", help_heading = "Result")]
    pub(super) single_model: bool,
    /// What columns are for, by Azure's names: `Numeric`, `Categorical`, `CategoricalHash`, `DateTime`, `Text`, `Ignore`
    #[arg(long = "column-type", value_name = "COL=TYPE", value_delimiter = ',', value_parser = parse_purpose, help_heading = "Data", hide_short_help = true)]
    pub(super) column_types: Vec<(String, Purpose)>,
    /// Transformers that are not used, by Azure's names, such as `tf_idf`, `cat_target_encoder`, `one_hot_encoder`
    #[arg(long = "block-transformer", value_name = "NAMES", value_delimiter = ',', value_parser = parse_named::<Transformer>, help_heading = "Data", hide_short_help = true)]
    pub(super) blocked_transformers: Vec<Transformer>,
    /// Columns to keep although a check would leave them out
    #[arg(
        long = "keep-column",
        value_name = "COLS",
        value_delimiter = ',',
        help_heading = "Data",
        hide_short_help = true
    )]
    pub(super) keep_columns: Vec<String>,

    /// Keep the rows of one group on one side of every split
    #[arg(long, value_name = "COL", help_heading = "Split")]
    pub(super) group: Option<String>,
    /// Train on the past, score on the future, by this column
    #[arg(long, value_name = "COL", help_heading = "Split")]
    pub(super) time: Option<String>,
    /// A column whose values are the folds
    #[arg(long, value_name = "COL", help_heading = "Split")]
    pub(super) split_column: Option<String>,
    /// How many folds: a number, `azure` (10, 3 or one split, by size) or `auto` (5, or one split above 20,000 rows) [default: auto]
    #[arg(long, value_name = "N", help_heading = "Split")]
    pub(super) cv: Option<CrossValidation>,
    /// Share of rows held out for the score [default: none up to 20,000 rows, then 10%]
    #[arg(long, value_name = "20%", value_parser = parse_share, help_heading = "Split")]
    pub(super) holdout: Option<f64>,

    /// classification (or binary, multiclass) or regression [default: inferred from the target]
    #[arg(long, value_parser = parse_task, help_heading = "Goal")]
    pub(super) task: Option<Task>,
    /// The metric that chooses, by its common or Azure's name, or an expression [default: by task `roc_auc`, `log_loss` or `rmse`]
    #[arg(long, help_heading = "Goal")]
    pub(super) metric: Option<String>,
    /// The positive class of a binary target [default: yes, true, 1 or the rarer]
    #[arg(long, value_name = "VALUE", help_heading = "Goal")]
    pub(super) positive: Option<String>,

    /// Search only these algorithms; also by Azure's and their libraries' names, such as `LightGBM` or `xg_boost_classifier` [default: all of the task's, see `automl doctor`]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = parse_algorithm, help_heading = "Goal")]
    pub(super) algorithms: Vec<Algorithm>,
    /// Search all algorithms but these
    #[arg(long = "block-algorithms", value_name = "NAMES", value_delimiter = ',', value_parser = parse_algorithm, help_heading = "Goal")]
    pub(super) blocked_algorithms: Vec<Algorithm>,

    /// Wall clock from Enter to prompt [default: 5m, unless --max-trials alone is given]
    #[arg(long, value_name = "5m", help_heading = "Budget")]
    pub(super) time_limit: Option<Seconds>,
    /// Trials to run; alone, the result depends on neither time nor cores
    #[arg(long, value_name = "N", help_heading = "Budget")]
    pub(super) max_trials: Option<u32>,
    /// Computing threads [default: all]
    #[arg(long, value_name = "N", help_heading = "Budget")]
    pub(super) cores: Option<usize>,
    /// Trials at a time; fewer than cores share the cores [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Budget", hide_short_help = true)]
    pub(super) concurrent: Option<usize>,
    /// Memory for features [default: half of what is free]
    #[arg(long, value_name = "4GB", help_heading = "Budget")]
    pub(super) memory: Option<Bytes>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 7, help_heading = "Budget")]
    pub(super) seed: u64,

    /// Try the best configurations of an earlier run first
    #[arg(long, value_name = "RUN", help_heading = "Result")]
    pub(super) from: Option<String>,
    /// Which configurations are tried first: a file made by `automl benchmark --learn-portfolio`, or `none` for the algorithms as they are by default [default: what is shipped]
    #[arg(long, value_name = "FILE", help_heading = "Result", hide_short_help = true)]
    pub(super) portfolio: Option<PathBuf>,
    /// Name of the registered model [default: the file's]
    #[arg(long, value_name = "NAME", help_heading = "Result")]
    pub(super) name: Option<String>,
    /// Also write the model to this file
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(super) model_out: Option<PathBuf>,
    /// Show the plan and the ledger; search nothing, write nothing
    #[arg(long, help_heading = "Result")]
    pub(super) dry_run: bool,

    /// Show the common options
    #[arg(long, short, action = ArgAction::HelpShort, help_heading = "Global", display_order = 998)]
    help: Option<bool>,
    /// Show all options
    #[arg(long, action = ArgAction::HelpLong, help_heading = "Global", display_order = 999)]
    help_all: Option<bool>,
}

#[derive(Debug, Args)]
pub(super) struct PredictArgs {
    /// Rows to predict: files, globs or `-`
    #[arg(required = true, value_name = "FILE")]
    pub(super) input: Vec<String>,
    /// A registered model (churn@1, churn@latest) or a model file
    #[arg(long, value_name = "MODEL")]
    pub(super) model: String,
    /// Also write one probability column per class, p_<class>
    #[arg(long)]
    pub(super) proba: bool,
    /// Where to write the predictions [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Columns of the input to carry over
    #[arg(long, value_name = "COLS", value_delimiter = ',')]
    pub(super) keep: Vec<String>,
    /// When a binary model says yes: a probability, `f1`, or what mistakes cost, `cost:fp=1,fn=5` [default: the model's own]
    #[arg(long, value_name = "0.31")]
    pub(super) threshold: Option<super::predict::Threshold>,
    /// Computing threads [default: all]
    #[arg(long, value_name = "N")]
    pub(super) cores: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// Rows with the target: files, globs or `-`
    #[arg(required = true, value_name = "FILE")]
    pub(super) input: Vec<String>,
    /// A registered model (churn@1, churn@latest) or a model file
    #[arg(long, value_name = "MODEL")]
    pub(super) model: String,
    /// Computing threads [default: all]
    #[arg(long, value_name = "N")]
    pub(super) cores: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Rows to explain it on: files, globs or `-` [default: those it was fitted on]
    #[arg(value_name = "FILE")]
    pub(super) input: Vec<String>,
    /// A registered model (churn@1, churn@latest) or a model file
    #[arg(long, value_name = "MODEL")]
    pub(super) model: String,
    /// Explain the prediction of one row, counted from 1
    #[arg(long, value_name = "N")]
    pub(super) row: Option<usize>,
    /// Explain by the features made of the columns, instead of by the columns
    #[arg(long)]
    pub(super) features: bool,
    /// Explain one member of the model by itself
    #[arg(long, value_name = "NAME")]
    pub(super) member: Option<String>,
    /// A column (or feature) whose dependence to show; may be given more than once [default: the three that matter most]
    #[arg(long, value_name = "COL")]
    pub(super) depend: Vec<String>,
    /// How often each column is shuffled
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(super) repeats: usize,
    /// Rows to look at, at most; drawn by the seed
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(super) sample: usize,
    /// Lines of each table
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) top: usize,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(super) seed: u64,
    /// Computing threads [default: all]
    #[arg(long, value_name = "N")]
    pub(super) cores: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct RefitArgs {
    /// New rows with the target: files, globs or `-`
    #[arg(required = true, value_name = "FILE")]
    pub(super) input: Vec<String>,
    /// A registered model: churn@1, churn@latest
    #[arg(long, value_name = "MODEL")]
    pub(super) model: String,
    /// Name of the new version [default: the model's]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Do not score the recipe on the new rows; its scores are then those of the earlier data
    #[arg(long)]
    pub(super) no_score: bool,
    /// Computing threads [default: all]
    #[arg(long, value_name = "N")]
    pub(super) cores: Option<usize>,
    /// Also write the model to this file
    #[arg(long, value_name = "FILE")]
    pub(super) model_out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// The run, or the beginning of its name
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// More time (+10m) or a new total (30m) [default: what is left]
    #[arg(long, value_name = "+10m", value_parser = parse_more_time, allow_hyphen_values = true)]
    pub(super) time_limit: Option<More<Seconds>>,
    /// More trials (+40) or a new total (100)
    #[arg(long, value_name = "+40", value_parser = parse_more_trials)]
    pub(super) max_trials: Option<More<u32>>,
    /// Computing threads [default: all]
    #[arg(long, value_name = "N")]
    pub(super) cores: Option<usize>,
    /// Also write the model to this file
    #[arg(long, value_name = "FILE")]
    pub(super) model_out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The run, or the beginning of its name
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// Derive its decisions again and do not fit again
    #[arg(long)]
    pub(super) journal_only: bool,
    /// Computing threads [default: all]
    #[arg(long, value_name = "N")]
    pub(super) cores: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct LeaderboardArgs {
    /// The run, or the beginning of its name [default: the latest]
    #[arg(value_name = "RUN")]
    pub(super) run: Option<String>,
    /// How many models to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) top: usize,
}

#[derive(Debug, Subcommand)]
pub(super) enum SweepCommand {
    /// Run a sweep file (Azure ML's YAML of `type: sweep`): its command, once for each trial
    Run(SweepRunArgs),
    /// Suggest parameters and hear results as lines of JSON on standard input and output
    AskTell(AskTellArgs),
}

#[derive(Debug, Args)]
pub(super) struct SweepRunArgs {
    /// The sweep file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Trials at a time, where the file does not say [default: one a core]
    #[arg(long, value_name = "N")]
    pub(super) concurrent: Option<usize>,
    /// Check the file and show the plan; start nothing, write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct AskTellArgs {
    /// The sampler: auto, tpe, gp, `cma_es`, cfo, random, sobol or grid; the first line's own comes before it
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub(super) sampler: String,
    /// Seed of everything random, where the first line has none
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct BenchmarkArgs {
    /// The suite file: data sets, budgets, seeds and engines, in YAML
    #[arg(value_name = "SUITE")]
    pub(super) suite: PathBuf,
    /// Where results and reports are kept; what is there is not run again [default: benchmark-NAME]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Only data sets of these names; `*` and `?` stand for any characters
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Run again what failed
    #[arg(long)]
    pub(super) retry_failed: bool,
    /// Runs at a time; with more than one, times and scores are not comparable
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(super) jobs: usize,
    /// Instead of running engines, measure many configurations on the data sets and write those worth their time, in order, to this file: what `fit --portfolio` reads
    #[arg(long, value_name = "FILE", conflicts_with_all = ["retry_failed", "jobs", "dry_run", "summary_only"])]
    pub(super) learn_portfolio: Option<PathBuf>,
    /// Configurations drawn for each algorithm beside those that are shipped
    #[arg(long, value_name = "N", default_value_t = 6, requires = "learn_portfolio")]
    pub(super) draws: usize,
    /// Sum up what is there; run nothing
    #[arg(long, conflicts_with_all = ["retry_failed", "jobs", "dry_run"])]
    pub(super) summary_only: bool,
    /// Check the suite and show the plan; start nothing, write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum RunCommand {
    /// List runs, newest first
    List {
        /// Show the trials of this run
        #[arg(long, value_name = "RUN")]
        parent: Option<String>,
        /// How many to show
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Compare two fits row by row, on the rows both were judged on
    Compare {
        /// A run, or the beginning of its name
        a: String,
        /// Another
        b: String,
    },
    /// Show all that is recorded of a run or a trial
    Show {
        /// The run, or the beginning of its name [default: the latest]
        run: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// List registered models
    List,
    /// Show a registered model
    Show {
        /// churn@1, churn@latest, churn@ALIAS or churn
        model: String,
    },
    /// Write a registered model to a file
    Download {
        /// churn@1, churn@latest, churn@ALIAS or churn
        model: String,
        /// Where to write it [default: NAME.automl here]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write a model for programs that do not have this one
    Export {
        /// A registered model (churn@1, churn@latest) or a model file
        model: String,
        /// As what: onnx (a file with the whole chain), mlflow (a model folder around it)
        #[arg(long, value_enum, default_value_t = ExportFormat::Onnx)]
        format: ExportFormat,
        /// Where to write it [default: NAME.onnx or NAME-mlflow here]
        #[arg(long, value_name = "PATH")]
        out: Option<PathBuf>,
    },
}

/// What a model is exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ExportFormat {
    /// One file for ONNX Runtime
    Onnx,
    /// A folder that MLflow loads
    Mlflow,
}

impl ExportFormat {
    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            ExportFormat::Onnx => "onnx",
            ExportFormat::Mlflow => "mlflow",
        }
    }

    /// The name in words.
    pub(super) fn title(self) -> &'static str {
        match self {
            ExportFormat::Onnx => "ONNX",
            ExportFormat::Mlflow => "an MLflow model",
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

fn parse_types(text: &str) -> Result<TypeOverrides, String> {
    TypeOverrides::parse(text).map_err(|error| error.to_string())
}

/// A name as it is written in a file of settings; the error lists those there are.
fn parse_named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| error.to_string())
}

fn parse_purpose(text: &str) -> Result<(String, Purpose), String> {
    let (name, purpose) = text.rsplit_once('=').ok_or_else(|| format!("`{text}`: write COL=TYPE"))?;
    if name.is_empty() {
        return Err(format!("`{text}`: it names no column"));
    }
    Ok((name.to_owned(), parse_named(purpose)?))
}

fn parse_algorithm(text: &str) -> Result<Algorithm, String> {
    Algorithm::parse(text).map_err(|error| error.to_string())
}

/// `classification` reads as multiclass; two classes make it binary.
fn parse_task(text: &str) -> Result<Task, String> {
    match text {
        "classification" | "multiclass" => Ok(Task::Multiclass),
        "binary" => Ok(Task::Binary),
        "regression" => Ok(Task::Regression),
        other => Err(format!("`{other}` is no task: classification, binary, multiclass or regression")),
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    let bad = || format!("`{text}` is no share: write 20% or 0.2");
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map_err(|_| bad())? / 100.0,
        None => text.parse().map_err(|_| bad())?,
    };
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err(bad()) }
}

fn parse_more_time(text: &str) -> Result<More<Seconds>, String> {
    match text.strip_prefix('+') {
        Some(plus) => plus.parse().map(More::Plus),
        None => text.parse().map(More::Total),
    }
}

fn parse_more_trials(text: &str) -> Result<More<u32>, String> {
    let number =
        |digits: &str| digits.parse().map_err(|_| format!("`{text}` is no number of trials: write 100 or +40"));
    match text.strip_prefix('+') {
        Some(plus) => number(plus).map(More::Plus),
        None => number(text).map(More::Total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound_and_every_command_is_in_the_help() {
        command().debug_assert();
        for sub in command().get_subcommands() {
            assert!(HELP.contains(sub.get_name()), "{} is missing from the help", sub.get_name());
        }
    }

    #[test]
    fn shares_and_increments_read_as_people_write_them() {
        assert_eq!(parse_share("20%"), Ok(0.2));
        assert_eq!(parse_share("0.2"), Ok(0.2));
        assert!(parse_share("20").is_err());
        assert_eq!(parse_more_trials("+40"), Ok(More::Plus(40)));
        assert_eq!(parse_more_time("10m"), Ok(More::Total(Seconds(600.0))));
        assert!(parse_more_time("+10").is_err());
    }
}
