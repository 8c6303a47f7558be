//! How to use the model, and how to make it again.

use maud::{Markup, html};

use super::page::Material;
use crate::spec::{Bytes, Seconds};

pub(super) fn section(material: &Material<'_>) -> Markup {
    let (summary, cost) = (material.summary, &material.summary.cost);
    let more = if summary.search.trials_exhausted { "--max-trials +40" } else { "--time-limit +10m" };
    let fact = |name: &str| material.facts.get(name).map_or("", String::as_str);
    let command = as_typed(fact("command_line"));
    html! {
        div.panel { pre { code {
            "automl predict --model " (summary.model.name) " new.csv --out predictions.csv\n"
            "automl explain --model " (summary.model.name) "\n"
            "automl leaderboard " (summary.run) "\n"
            "automl resume " (summary.run) " " (more) "\n"
            "automl model download " (summary.model.name) " --out model.automl"
        } } }
        h3 { "Made by" }
        div.panel { pre { code { @if command.is_empty() { "a program's call of the library; its request is with the run" } @else { (command) } } } }
        p { @if summary.search.reproducible {
            "The same command on the same data, by this version, gives the same model byte for byte, on any number of cores."
        } @else {
            "The search was bounded by time, so that the same command may try other trials. The journal of the run has every trial with its parameters and seed."
        } }
        div.wide { table { tbody {
            (line("seed", &summary.goal.seed.to_string()))
            (line("version", &format!("automl {}", summary.automl_version)))
            @if !fact("git.commit").is_empty() {
                (line("folder's commit", &format!("{}{}", fact("git.commit"), if fact("git.dirty") == "true" { ", with changes" } else { "" })))
            }
            (line("data, SHA-256", &summary.data.sha256))
            (line("model, SHA-256", &summary.model.sha256))
            (line("model", &Bytes(summary.model.bytes).to_string()))
            (line("machine", &format!("{} · {} · {}", fact("host.cpu"), fact("host.os"), fact("host.arch"))))
            (line("cores used", &cost.cores.to_string()))
            (line("time", &format!("{}{}", Seconds(cost.used_seconds), cost.asked_seconds.map_or_else(String::new, |asked| format!(" of {}", Seconds(asked))))))
            (line("peak memory", &Bytes(cost.peak_memory_bytes).to_string()))
        } } }
    }
}

/// A command line with the program's name for its path, which is another on every machine.
fn as_typed(command: &str) -> String {
    match command.split_once(' ') {
        Some((program, rest)) if program.ends_with("/automl") => format!("automl {rest}"),
        _ => command.to_owned(),
    }
}

fn line(name: &str, value: &str) -> Markup {
    html! { tr { th scope="row" { (name) } td { code { (value) } } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_without_its_path() {
        assert_eq!(as_typed("/opt/bin/automl fit 'a b.csv'"), "automl fit 'a b.csv'");
        assert_eq!(as_typed("automl fit"), "automl fit");
        assert_eq!((as_typed("python3 run.py").as_str(), as_typed("").as_str()), ("python3 run.py", ""));
    }
}
