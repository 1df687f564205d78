//! `evo validate`: everything a search would check before it starts, and nothing else.

use std::process::ExitCode;

use evo::{Config, ExpressionSearch};

use crate::args::ConfigArgs;
use crate::output;

pub(crate) fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    if ExpressionSearch::is_stated_in(&args.config)? {
        let config = ExpressionSearch::load(&args.config, &args.overrides)?;
        let (file, scorer) = (args.config.display(), config.scorer()?);
        output::print(&format!("{file}: fine; {}\n", scorer.task()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load_with_baselines(&args.config, &args.overrides)?;
    let programs = config.start_programs()?;
    let lengths: Vec<String> = programs.iter().map(|it| it.live_length().to_string()).collect();
    let plural = if lengths.len() == 1 { "" } else { "s" };
    output::print(&format!(
        "{}: fine; {} tasks, {} held out, start program{plural} of {} live statements\n",
        args.config.display(),
        config.evaluation.tasks.len(),
        config.evaluation.held_out.len(),
        lengths.join(", "),
    ))?;
    Ok(ExitCode::SUCCESS)
}
