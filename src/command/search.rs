//! `evo search`: from a configuration to a discovered program.

use evo::{Config, DomainName, HeldOutConfig};

use super::cache::Attached;
use super::dry_run;
use super::place::Place;
use super::run_directory::RunDirectory;
use super::session::Session;
use crate::args::SearchArgs;
use crate::exit_code::ExitCode;

pub(crate) fn run(args: &SearchArgs) -> anyhow::Result<ExitCode> {
    let mut overrides = args.config.overrides.clone();
    overrides.extend(args.seed.map(|seed| format!("seed={seed}")));
    match DomainName::stated_in(&args.config.config)? {
        DomainName::Expressions => return super::expressions::search(args, &overrides),
        DomainName::Learners => return super::learners::search(args, &overrides),
        DomainName::Enumerated => return Err(super::enumerate::no_search("search")),
        DomainName::Graphs => return super::graphs::search(args, &overrides),
        DomainName::Optimizers => {}
    }
    let config = Config::load_with_baselines(&args.config.config, &overrides)?;
    let place = Place::open(&args.run.device)?;
    let directory = RunDirectory::plan(args.out.as_deref(), &args.config.config, config.seed)?;
    let judges = place.judges(&config)?;
    let threads = place.threads(args.run.threads);
    if args.dry_run {
        dry_run::print(&config, &judges.search, &place, threads)?;
        return Ok(ExitCode::SUCCESS);
    }
    let starts = config.start_programs()?;
    let base = args.config.config.parent().unwrap_or("".as_ref());
    let here = place.description(&config.settings.held_out);
    let key = || config.cache_key(&place.description(&HeldOutConfig::default()));
    let cache = Attached::open(&args.run.cache, config.settings.deduplication, key)?;
    let store = directory.create(&config, base, &starts, &here)?;
    let search = Attached::to(cache.as_ref(), config.search_from(starts)?).with_store(store)?;
    let session = Session::new(&config, &directory, &place, &args.run, cache);
    session.say(&format!(
        "searching with seed {} on {threads} threads, into {}",
        config.seed,
        directory.path().display()
    ));
    super::optimizers::run(&session, &config, &judges, search)
}
