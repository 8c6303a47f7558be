//! `automl completions`: a shell's completion script.

use super::Context;
use super::args::{CompletionsArgs, command};

pub(super) fn run(args: &CompletionsArgs, context: &mut Context) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "automl", &mut script);
    context.screen.raw(&String::from_utf8_lossy(&script));
    0
}
