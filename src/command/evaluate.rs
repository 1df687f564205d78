//! `evo evaluate`: programs scored as the search would score them.

use evo::{Config, DomainName};

use super::comparison::Comparison;
use super::place::Place;
use crate::args::EvaluateArgs;
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    match DomainName::stated_in(&args.config)? {
        DomainName::Expressions => return super::expressions::evaluate(args),
        DomainName::Learners => return super::learners::evaluate(args),
        DomainName::Enumerated => return Err(super::enumerate::no_search("evaluate")),
        DomainName::Graphs => return super::graphs::evaluate(args),
        DomainName::Optimizers => {}
    }
    let config = Config::load_with_baselines(&args.config, &args.overrides)?;
    let place = Place::open(&args.judging.device)?;
    let mut programs = Vec::new();
    for source in &args.programs {
        programs.push((source.clone(), evo::load_program(source, "".as_ref())?));
    }
    let judges = place.judges(&config)?;
    let threads = place.threads(args.judging.threads);
    let comparison = Comparison::of(&config, &judges, &programs, threads)?;
    if args.judging.json {
        output::print(&(serde_json::to_string_pretty(&comparison)? + "\n"))?;
    } else {
        output::print(&comparison.table())?;
    }
    Ok(ExitCode::SUCCESS)
}
