//! `automl completions`: a shell's completion script.

use super::Context;
use super::args::{CompletionsArgs, command};
use crate::error::AutoMlError;

pub(super) fn run(args: &CompletionsArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "automl", &mut script);
    context.screen.raw(&String::from_utf8_lossy(&script));
    Ok(0)
}
