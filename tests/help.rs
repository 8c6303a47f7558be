//! The whole help as one snapshot: a change to any option is seen in review.

use std::fmt::Write;

fn render(command: &mut clap::Command, path: &str, out: &mut String) {
    let _ = writeln!(out, "=== {path}\n\n{}", command.clone().term_width(100).render_long_help());
    for sub in command.get_subcommands_mut() {
        let name = format!("{path} {}", sub.get_name());
        render(sub, &name, out);
    }
}

#[test]
fn the_whole_help() {
    let mut command = automl::cli::command();
    command.build();
    let mut text = String::new();
    render(&mut command, "automl", &mut text);
    insta::assert_snapshot!(text);
}

#[test]
fn common_options_come_first_and_the_rest_on_request() {
    let place = crate::support::Place::new();
    let (short, long) = (place.ok(&["fit", "--help"]), place.ok(&["fit", "--help-all"]));
    assert!(short.out.contains("--target") && !short.out.contains("--keep-column"), "{}", short.out);
    assert!(long.out.contains("--keep-column"), "{}", long.out);
    assert_eq!(place.run(&["fit"]).code, 2);
    assert_eq!(place.run(&["frobnicate"]).code, 2);
    assert_eq!(place.ok(&["--version"]).out.trim(), format!("automl {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_are_made_for_every_shell() {
    let place = crate::support::Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(place.ok(&["completions", shell]).out.contains("leaderboard"), "{shell}");
    }
}
