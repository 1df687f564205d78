//! `evo validate`: everything a search would check before it starts, and nothing else.

use evo::{
    Config, DomainName, EnumeratedSearch, ExpressionSearch, GraphSearch, LearnerSearch,
    load_funnel, load_studies, states_funnel, states_studies,
};

use crate::args::ConfigArgs;
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let what = match DomainName::stated_in(&args.config)? {
        DomainName::Expressions => {
            let config = ExpressionSearch::load(&args.config, &args.overrides)?;
            Some(config.scorer()?.task())
        }
        DomainName::Learners => {
            Some(LearnerSearch::load(&args.config, &args.overrides)?.judges()?.name)
        }
        DomainName::Enumerated => {
            let space = EnumeratedSearch::load(&args.config, &args.overrides)?.space()?;
            Some(format!("a space of {} sequences of statements", space.sequences()))
        }
        DomainName::Graphs => {
            Some(GraphSearch::load(&args.config, &args.overrides)?.judges()?.name)
        }
        DomainName::Optimizers => judging(args)?,
    };
    if let Some(of) = what {
        output::print(&format!("{}: fine; {of}\n", args.config.display()))?;
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

/// What the configuration of a comparison or a funnel comes to; `None` for that of a search.
fn judging(args: &ConfigArgs) -> anyhow::Result<Option<String>> {
    Ok(if states_studies(&args.config)? {
        let (config, tasks) = load_studies(&args.config, &args.overrides)?;
        let runs =
            config.tuning.settings.get() * config.tuning.repeats.get() + config.repeats.get();
        Some(format!("{} tasks, {runs} runs of each program on each", tasks.len()))
    } else if states_funnel(&args.config)? {
        let (_, stages) = load_funnel(&args.config, &args.overrides)?;
        let counts: Vec<String> = stages.iter().map(|tasks| tasks.len().to_string()).collect();
        Some(format!("stages of {} tasks", counts.join(", ")))
    } else {
        None
    })
}
