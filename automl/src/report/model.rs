//! What was saved: the members of the ensemble, its second layer and the check of it, the threshold, every metric.

use maud::{Markup, html};

use super::page::Material;
use super::svg::number;
use crate::candidate::ALGORITHM;
use crate::leaderboard::Summary;
use crate::prepare::thousands;

pub(super) fn section(material: &Material<'_>) -> Markup {
    let summary = material.summary;
    html! {
        div.pair {
            div.panel {
                (made_of(summary))
                @if let Some(near) = &summary.score.within_noise_of { p { "Within noise of " strong { (near) } " alone." } }
                @if summary.is_constant() {
                    p { "Nothing found is better than the mean by more than noise; the mean is saved." }
                }
                @if let Some(threshold) = &summary.threshold {
                    p { "Says " code { (summary.goal.classes[1]) } " from a probability of " strong { (number(threshold.value)) }
                        ": best " (threshold.metric) " on out-of-fold rows (" (number(threshold.score)) "; one half gives " (number(threshold.score_at_half)) ")." }
                }
            }
            div.panel { (metrics(summary)) }
        }
        (members(material))
        (guard(summary))
    }
}

fn made_of(summary: &Summary) -> Markup {
    let n = summary.model.members.len();
    html! {
        @match &summary.model.ensemble {
            Some(ensemble) => {
                p { strong { (ensemble.kind) } " of " (n) ": the weighted " (ensemble.mean) " mean of its members"
                    @if ensemble.temperature != 1.0 {
                        ", at a temperature of " (number(ensemble.temperature))
                        @if ensemble.temperature < 1.0 { " (surer than the mean)" } @else { " (less sure than the mean)" }
                    } "." }
            }
            None => @for (name, _) in &summary.model.members { p { "A single model: " strong { (name) } "." } },
        }
        p.soft { (super::page::capital(&summary.model.trained_on)) "." }
    }
}

fn metrics(summary: &Summary) -> Markup {
    let test = summary.test.as_ref();
    html! {
        div.wide { table {
            thead { tr { th scope="col" { "metric" } th.num scope="col" { (summary.score.source) } @if test.is_some() { th.num scope="col" { "test" } } } }
            tbody {
                tr { td { strong { (summary.score.metric) } } td.num { (number(summary.score.value)) }
                    @if let Some(test) = test { td.num { (number(test.value)) } } }
                @for (name, value) in &summary.score.others {
                    tr { td { (name) } td.num { (number(*value)) }
                        @if let Some(test) = test { td.num { @if let Some(v) = test.others.get(name) { (number(*v)) } } } }
                }
            }
        } }
    }
}

/// Members with their weights, what they hear, and their parameters.
fn members(material: &Material<'_>) -> Markup {
    let (members, fitted) = (&material.summary.model.members, &material.concluded.fitted);
    let total: f64 = members.iter().map(|(_, weight)| weight).sum();
    let heard = |name: &str| {
        let voice = fitted.stacked.iter().find(|voice| voice.name == name)?;
        let names = voice.inputs.iter().filter_map(|&at| Some(fitted.members.get(at)?.name.as_str()));
        Some(names.collect::<Vec<_>>().join(", "))
    };
    let listeners = fitted.members.iter().filter(|member| member.weight == 0.0 && !fitted.stacked.is_empty());
    html! {
        div.wide { table {
            thead { tr { th scope="col" { "member" } th.num scope="col" { "weight" } th scope="col" { "layer" } th scope="col" { "parameters" } } }
            tbody {
                @for (name, weight) in members {
                    tr { td { (name) } td.num { (number(weight / total.max(f64::MIN_POSITIVE))) }
                        @match heard(name) {
                            Some(inputs) => { td { "second" } td.soft.params { small { "hears " (inputs) } } }
                            None => { td { "first" } td.soft.params { small { (parameters(material, name)) } } }
                        } }
                }
                @for member in listeners {
                    tr { td { (member.name) } td.num { "0" } td { "first, heard only" } td.soft.params { small { (parameters(material, &member.name)) } } }
                }
            }
        } }
    }
}

/// The parameters of the trial of this name, `light_gbm #12`.
fn parameters(material: &Material<'_>, name: &str) -> String {
    let found = material.history.trials().iter().find_map(|trial| {
        let algorithm = trial.params.text(ALGORITHM).ok()?;
        (format!("{algorithm} #{}", trial.id) == name).then(|| trial.params.under(algorithm).to_string())
    });
    found.filter(|words| !words.is_empty()).unwrap_or_else(|| "as they are by default".into())
}

fn guard(summary: &Summary) -> Markup {
    html! {
        @if let Some(guard) = &summary.stacking {
            p { "A second layer, which hears the first, was " strong { (if guard.fired { "dropped" } else { "kept" }) }
                ": on " (thousands(guard.n_rows)) " rows kept from both its loss is " (number(guard.two_layers)) ", without it "
                (number(guard.one_layer)) " (standard error of the difference " (number(guard.standard_error))
                "); with a first layer that had seen those rows it had claimed " (number(guard.claimed)) "." }
        }
    }
}
