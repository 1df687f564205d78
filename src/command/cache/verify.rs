//! `evo cache verify`: whether a cache holds what was written, and whether that is so.
//!
//! Invariant: an outcome that is evaluated again is compared to the bit, in all of it. One that a
//! hurdle stopped is compared with what the whole evaluation comes to behind that hurdle.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use anyhow::{Context, bail};
use evo::{
    CacheContents, CacheKey, CachedOutcome, Config, Domain, DomainName, Evaluator,
    ExpressionSearch, GraphSearch, Hash, HeldOutConfig, LearnerSearch, Outcome, Trial,
    parallel_map,
};
use serde::Serialize;

use crate::args::CacheVerifyArgs;
use crate::command::place::{Place, cores};
use crate::exit_code::ExitCode;
use crate::output;

#[derive(Serialize)]
struct Verified {
    /// Entries of the file, all of them as they were written.
    entries: u64,
    /// Those of the configuration's evaluator.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_evaluator: Option<usize>,
    /// Outcomes evaluated again.
    evaluated: usize,
    differences: Vec<Difference>,
}

/// An outcome that was not found again.
#[derive(Serialize)]
struct Difference {
    structure: String,
    program: String,
    kept: String,
    again: String,
}

/// What outcomes are evaluated by.
struct Judge<'a, D: Domain> {
    key: CacheKey,
    domain: &'a D,
    evaluator: &'a dyn Evaluator<D::Program>,
    threads: NonZeroUsize,
    cohort: usize,
}

pub(crate) fn run(args: &CacheVerifyArgs) -> anyhow::Result<ExitCode> {
    let contents = CacheContents::read(&args.file)?;
    let entries = contents.check()?;
    let whole = Verified { entries, of_evaluator: None, evaluated: 0, differences: Vec::new() };
    let verified = match &args.config {
        Some(config) => Verified { entries, ..by_config(args, config, &contents)? },
        None => whole,
    };
    output::print(&match args.judging.json {
        true => serde_json::to_string_pretty(&verified)? + "\n",
        false => verified.text(args),
    })?;
    Ok(if verified.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn by_config(
    args: &CacheVerifyArgs,
    config: &std::path::Path,
    contents: &CacheContents,
) -> anyhow::Result<Verified> {
    let sets = &args.overrides;
    let threads = cores(args.judging.threads);
    match DomainName::stated_in(config)? {
        DomainName::Optimizers => {
            let config = Config::load_with_baselines(config, sets)?;
            let place = Place::open(&args.judging.device)?;
            let key = config.cache_key(&place.description(&HeldOutConfig::default()))?;
            let (evaluator, domain) = (place.evaluator(&config)?, config.domain()?);
            let (threads, cohort) = (place.threads(args.judging.threads), place.cohort().get());
            Judge { key, domain: &domain, evaluator: &evaluator, threads, cohort }
                .verify(args, contents)
        }
        DomainName::Expressions => {
            let config = ExpressionSearch::load(config, sets)?;
            let place = Place::cpu(&args.judging.device, "expressions")?;
            let scorer = config.scorer()?;
            scorer.measure()?;
            let key = config.cache_key(&scorer, &place.description(&HeldOutConfig::default()));
            let domain = config.domain(&scorer)?;
            Judge { key, domain: &domain, evaluator: scorer.evaluator(), threads, cohort: 1 }
                .verify(args, contents)
        }
        DomainName::Learners => {
            let config = LearnerSearch::load(config, sets)?;
            Place::cpu(&args.judging.device, "learners")?;
            let judges = config.judges()?;
            let (key, domain) = (config.cache_key(&judges), config.domain(&judges)?);
            Judge { key, domain: &domain, evaluator: &judges.search, threads, cohort: 1 }
                .verify(args, contents)
        }
        DomainName::Graphs => {
            let config = GraphSearch::load(config, sets)?;
            let place = Place::cpu(&args.judging.device, "graphs")?;
            let judges = config.judges()?;
            let key = config.cache_key(&judges, &place.description(&HeldOutConfig::default()));
            let domain = config.domain(&judges)?;
            Judge { key, domain: &domain, evaluator: &judges.search, threads, cohort: 1 }
                .verify(args, contents)
        }
        DomainName::Enumerated => bail!("programs of a table are looked up, and need no cache"),
    }
}

impl<D: Domain> Judge<'_, D> {
    fn verify(&self, args: &CacheVerifyArgs, contents: &CacheContents) -> anyhow::Result<Verified> {
        let (of_evaluator, sample) = self.sample(args, contents)?;
        let read = |it: &CachedOutcome| {
            let program = self.domain.read(&it.program).map_err(anyhow::Error::msg);
            program.with_context(|| {
                format!("{}: the program of {}", args.file.display(), it.structure)
            })
        };
        let programs: Vec<D::Program> = sample.iter().map(read).collect::<Result<_, _>>()?;
        let cohorts: Vec<&[D::Program]> = programs.chunks(self.cohort).collect();
        let outcomes = parallel_map(self.threads, &cohorts, |cohort| {
            let trials: Vec<Trial<'_, D::Program>> = cohort.iter().map(Trial::of).collect();
            self.evaluator.evaluate(&trials)
        });
        let mut differences = Vec::new();
        for ((kept, program), own) in sample.iter().zip(&programs).zip(outcomes.concat()) {
            if let Outcome::Failed { message } = own {
                bail!("{}: {message}", kept.structure);
            }
            differences.extend(self.difference(kept, program, own));
        }
        let evaluated = sample.len();
        Ok(Verified { entries: 0, of_evaluator: Some(of_evaluator), evaluated, differences })
    }

    /// How many outcomes of this evaluator there are, and those that are drawn to be evaluated.
    fn sample(
        &self,
        args: &CacheVerifyArgs,
        contents: &CacheContents,
    ) -> anyhow::Result<(usize, Vec<CachedOutcome>)> {
        let (mut count, mut drawn) = (0, BTreeMap::new());
        contents.for_each(|it| {
            if it.key.fingerprint() == self.key.fingerprint()
                && it.key.domain() == self.key.domain()
                && it.key.structure_version() == self.key.structure_version()
            {
                count += 1;
                let lot = [&args.seed.to_le_bytes()[..], &it.structure.0].concat();
                drawn.insert(Hash::of(&lot), it);
                if drawn.len() > args.sample {
                    drawn.pop_last();
                }
            }
            true
        })?;
        if count == 0 {
            bail!(
                "{}: it holds no outcome by this configuration: its evaluator has the fingerprint \
                 {}, and `evo cache stats` lists those that are there",
                args.file.display(),
                self.key.fingerprint()
            );
        }
        Ok((count, drawn.into_values().collect()))
    }

    fn difference(
        &self,
        kept: &CachedOutcome,
        program: &D::Program,
        own: Outcome,
    ) -> Option<Difference> {
        let structure = self.domain.structure(program, &self.domain.analyse(program));
        let own = behind_hurdle(own, &kept.outcome);
        // As text, in which NaN equals NaN, and numbers are equal if their bits are.
        let (mut was, mut is) = (format!("{:?}", kept.outcome), format!("{own:?}"));
        if structure != kept.structure {
            (was, is) = (format!("the hash {}", kept.structure), format!("the hash {structure}"));
        }
        (was != is).then(|| Difference {
            structure: kept.structure.to_string(),
            program: kept.program.clone(),
            kept: was,
            again: is,
        })
    }
}

/// What a whole evaluation comes to where a hurdle is up that stopped another one.
fn behind_hurdle(own: Outcome, kept: &Outcome) -> Outcome {
    let Outcome::Stopped(stopped) = kept else { return own };
    let mut hurdles = vec![f64::NEG_INFINITY; stopped.stage];
    hurdles.push(if stopped.fitness.is_nan() { 0.0 } else { stopped.fitness.next_up() });
    own.stopped_by(&hurdles).map_or(own, Outcome::Stopped)
}

/// Differences that are written out.
const TOLD: usize = 10;

impl Verified {
    fn text(&self, args: &CacheVerifyArgs) -> String {
        let Verified { entries, of_evaluator, evaluated, differences } = self;
        let mut text =
            format!("{}: {entries} entries, each as it was written\n", args.file.display());
        if let Some(count) = of_evaluator {
            text += &format!(
                "{evaluated} of {count} by this configuration evaluated again: {}\n",
                match differences.len() {
                    0 => "all the same, to the bit".to_owned(),
                    others => format!("{others} came out otherwise"),
                }
            );
        }
        for Difference { structure, program, kept, again } in differences.iter().take(TOLD) {
            text += &format!("\n{structure}\n{program}kept:  {kept}\nagain: {again}\n");
        }
        if let Some(more) = differences.len().checked_sub(TOLD).filter(|more| *more > 0) {
            text += &format!("\n{more} more; --json lists all\n");
        }
        text
    }
}
