//! What an arm searches: a configuration with its data, whatever the representation.
//!
//! Invariant: an arm is loaded and searched by the code of `evo search`, less its run directory.
//! Another representation is another variant here.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use evo::{
    Config, Domain, DomainName, EnumeratedSearch, Evaluator, Evaluators, ExpressionScorer,
    ExpressionSearch, GraphJudges, GraphSearch, Hash, HeldOutConfig, Judges, LearnerJudges,
    LearnerSearch, Program, RecheckRate, RunOptions, Search, Space, SpaceTable, StopReason,
};

use super::cost;
use super::leg::Finished;
use super::watch::Watch;
use crate::args::DeviceArgs;
use crate::command::place::Place;
use crate::command::run_directory::fingerprints;

/// A configuration and what scores its programs.
pub(super) enum Subject {
    Optimizers(Box<Config>, Box<Judges>),
    Expressions(Box<ExpressionSearch>, Box<ExpressionScorer>),
    Learners(Box<LearnerSearch>, Box<LearnerJudges>),
    Graphs(Box<GraphSearch>, Box<GraphJudges>),
    Enumerated(Box<EnumeratedSearch>, Arc<Space>, Arc<SpaceTable>),
}

/// How legs are run.
pub(super) struct Means<'a> {
    pub(super) place: &'a Place,
    pub(super) threads: std::num::NonZeroUsize,
    pub(super) cancel: &'a AtomicBool,
}

impl Subject {
    /// Loads a configuration with overrides, and all that its runs need.
    pub(super) fn load(
        (path, device): (&Path, &DeviceArgs),
        overrides: &[String],
        place: &Place,
    ) -> anyhow::Result<Subject> {
        Ok(match DomainName::stated_in(path)? {
            DomainName::Optimizers => {
                let config = Config::load_with_baselines(path, overrides)?;
                let judges = place.judges(&config)?;
                Subject::Optimizers(Box::new(config), Box::new(judges))
            }
            DomainName::Expressions => {
                Place::cpu(device, "expressions")?;
                let config = ExpressionSearch::load(path, overrides)?;
                let scorer = config.scorer()?;
                scorer.measure()?;
                Subject::Expressions(Box::new(config), Box::new(scorer))
            }
            DomainName::Learners => {
                Place::cpu(device, "learners")?;
                let config = LearnerSearch::load(path, overrides)?;
                let judges = config.judges()?;
                Subject::Learners(Box::new(config), Box::new(judges))
            }
            DomainName::Graphs => {
                Place::cpu(device, "graphs")?;
                let config = GraphSearch::load(path, overrides)?;
                let judges = config.judges()?;
                Subject::Graphs(Box::new(config), Box::new(judges))
            }
            DomainName::Enumerated => {
                let place = Place::cpu(device, "programs of a table")?;
                let config = EnumeratedSearch::load(path, overrides)?;
                let table = config.table(&place.description(&HeldOutConfig::default()))?;
                Subject::Enumerated(Box::new(config.clone()), config.space()?, table)
            }
        })
    }

    /// Whether its functional hash has a number of mantissa bits that can be set.
    pub(super) fn has_mantissa(&self) -> bool {
        !matches!(self, Subject::Learners(..) | Subject::Enumerated(..))
    }

    /// The highest fitness there is, where it is known.
    pub(super) fn optimum(&self) -> Option<f64> {
        match self {
            Subject::Enumerated(_, _, table) => table.best().and_then(|row| row.fitness),
            _ => None,
        }
    }

    /// The same with the seed of a leg.
    pub(super) fn seed(&mut self, seed: u64) {
        match self {
            Subject::Optimizers(config, _) => config.seed = seed,
            Subject::Expressions(config, _) => config.seed = seed,
            Subject::Learners(config, _) => config.seed = seed,
            Subject::Graphs(config, _) => config.seed = seed,
            Subject::Enumerated(config, ..) => config.seed = seed,
        }
    }

    /// What its leg is known by: all that it depends on.
    pub(super) fn key(&self, place: &Place) -> anyhow::Result<Hash> {
        let place = place.description(&HeldOutConfig::default());
        let (config, data, starts): (String, String, Vec<String>) = match self {
            Subject::Optimizers(config, _) => {
                let starts = config.start_programs()?.iter().map(Program::to_string).collect();
                (config.to_ron(), fingerprints(config)?.join(" "), starts)
            }
            Subject::Expressions(config, scorer) => {
                let starts = config.start_programs(scorer)?;
                let starts = starts.iter().map(Program::to_string).collect();
                (config.to_ron(), scorer.fingerprint(), starts)
            }
            // Where the starts are drawn they follow from the configuration.
            Subject::Learners(config, judges) => {
                let starts = config.start_programs(&config.domain(judges)?)?;
                let starts = starts.iter().map(ToString::to_string).collect();
                (config.to_ron(), judges.fingerprint().to_string(), starts)
            }
            Subject::Graphs(config, judges) => {
                let starts = config.start_programs(&config.domain(judges)?)?;
                let starts = starts.iter().map(ToString::to_string).collect();
                (config.to_ron(), judges.fingerprint().to_string(), starts)
            }
            Subject::Enumerated(config, _, table) => {
                (config.to_ron(), table.fingerprint().to_string(), Vec::new())
            }
        };
        let text = format!("{place}\n{data}\n{}\n{config}", starts.join("\n"));
        Ok(Hash::of(text.as_bytes()))
    }

    /// Runs the search; `None` where it was interrupted.
    pub(super) fn run(&self, means: &Means<'_>) -> anyhow::Result<Option<Finished>> {
        match self {
            Subject::Optimizers(config, judges) => {
                let held_out = config.settings.held_out.every;
                let held_out = held_out.and_then(|_| judges.held_out_together());
                let held_out = held_out.as_ref().map(|it| it as &dyn Evaluator<Program>);
                run(config.search()?, Evaluators { search: &judges.search, held_out }, means)
            }
            Subject::Expressions(config, scorer) => {
                let held_out = scorer.held_out();
                let held_out = held_out.as_ref().map(|it| it as &dyn Evaluator<Program>);
                let evaluators = Evaluators { search: scorer.evaluator(), held_out };
                run(config.search(scorer)?, evaluators, means)
            }
            Subject::Learners(config, judges) => {
                let evaluators =
                    Evaluators { search: &judges.search, held_out: Some(&judges.select) };
                run(config.search(judges)?, evaluators, means)
            }
            Subject::Graphs(config, judges) => {
                let held_out = Some(&judges.held_out as &dyn Evaluator<_>);
                run(config.search(judges)?, Evaluators { search: &judges.search, held_out }, means)
            }
            Subject::Enumerated(config, space, table) => {
                let (search, truth) = config.search_in(Arc::clone(space), Arc::clone(table))?;
                run(search, Evaluators { search: &truth, held_out: None }, means)
            }
        }
    }
}

/// Runs a search to its end and tells of it; `None` where it was interrupted.
fn run<D: Domain>(
    search: Search<D>,
    evaluators: Evaluators<'_, D::Program>,
    means: &Means<'_>,
) -> anyhow::Result<Option<Finished>> {
    let watch = Arc::new(Mutex::new(Watch::new()));
    let watching = Arc::clone(&watch);
    let mut search = search.watched_by(Box::new(move |birth| {
        watching.lock().unwrap_or_else(PoisonError::into_inner).note(birth);
    }));
    let options = RunOptions {
        threads: means.threads,
        cohort: means.place.cohort(),
        cancel: Some(means.cancel),
    };
    let reason = evo::run_with(&mut search, evaluators, &mut (), &options)?;
    if reason == StopReason::Cancelled {
        return Ok(None);
    }
    if let StopReason::Failures(count) = reason {
        bail!("{count} evaluations failed, through no fault of what was evaluated");
    }
    let early = matches!(
        reason,
        StopReason::Fitness(_) | StopReason::HeldOutFitness(_) | StopReason::Exhausted(_)
    );
    let RecheckRate { rechecked, disagreed } = RecheckRate::of(search.counters());
    let watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
    let (leg, mut times, sample) = watch.finish((rechecked, disagreed), early);
    times.hashing = cost::hashing(&search, &leg, &sample);
    Ok(Some(Finished { leg, times }))
}
