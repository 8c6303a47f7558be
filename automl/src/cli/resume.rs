//! `automl resume`: goes on with a search or a sweep, finished or not.

use super::args::ResumeArgs;
use super::live::Storyteller;
use super::{Context, fit, sweep};
use crate::error::AutoMlError;
use crate::fit::{AutoMl, Extra, Session};
use crate::spec::available_cores;
use crate::sweep::SWEEP;

pub(super) fn run(args: &ResumeArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    fit::writable(args.model_out.as_deref())?;
    let workspace = context.existing_workspace()?;
    let run = workspace.find_run(&args.run)?;
    let cores = Some(args.cores.unwrap_or_else(available_cores));
    let extra = Extra { time: args.time_limit, trials: args.max_trials, cores };
    if workspace.get_run(&run)?.kind == SWEEP {
        return sweep::resume(&run, extra, context);
    }
    let mut storyteller = Storyteller::new(&context.screen, context.clock, &context.interrupt);
    let result = AutoMl::resume(
        &run,
        extra,
        &mut Session {
            workspace: &workspace,
            clock: context.clock,
            stop: context.interrupt.stop.clone(),
            narrator: &mut storyteller,
            command_line: context.command_line.clone(),
        },
    );
    let run = storyteller.finish();
    fit::conclude(result, run, args.model_out.as_deref(), &workspace, context)
}
