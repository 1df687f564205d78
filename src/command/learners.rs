//! Searches of learners: begun, gone on with, and what their winner comes to.

use std::num::NonZeroUsize;
use std::path::Path;

use evo::{
    Champion, Evaluators, LearnerEvaluator, LearnerJudges, LearnerProgram, LearnerSearch, Learners,
    Search, Store, parallel_map,
};
use serde::Serialize;

use super::cache::Attached;
use super::conclusion::{self, Verdict};
use super::dry_run;
use super::place::Place;
use super::resume::{self, Again};
use super::run_directory::{CONFIG, FINGERPRINTS, RunDirectory};
use super::session::{Session, hinted, interruptible_while_replaying};
use crate::args::{EvaluateArgs, ResumeArgs, SearchArgs};
use crate::exit_code::ExitCode;
use crate::output;

/// What learners come to on the three sets of tasks.
#[derive(Serialize)]
pub(crate) struct Judged {
    problem: String,
    learners: Vec<JudgedLearner>,
    /// The text of the one that is best on the tasks to select by, where one is selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<String>,
    /// Its birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    selected_birth: Option<u64>,
}

/// The file of the learner that is best on the tasks to select by.
pub(super) const SELECTED: &str = "selected.py";

#[derive(Serialize)]
struct JudgedLearner {
    name: String,
    /// The mean fitness on the tasks of the search.
    search: f64,
    select: f64,
    /// And on tasks that nothing was selected by.
    r#final: f64,
    /// The least on one of those.
    worst: f64,
    /// Live statements.
    length: usize,
}

impl Judged {
    pub(super) fn of(
        programs: &[(String, LearnerProgram)],
        judges: &LearnerJudges,
        threads: NonZeroUsize,
    ) -> Judged {
        let learners = parallel_map(threads, programs, |(name, program)| {
            let mean = |evaluator: &LearnerEvaluator| evaluator.fitness(program).0;
            let (last, tasks) = judges.last.fitness(program);
            JudgedLearner {
                name: name.clone(),
                search: mean(&judges.search),
                select: mean(&judges.select),
                r#final: last,
                worst: tasks.into_iter().fold(f64::INFINITY, f64::min),
                length: program.live().statements().len(),
            }
        });
        Judged { problem: judges.name.clone(), learners, selected: None, selected_birth: None }
    }

    /// What each comes to, without what is selected.
    pub(super) fn learner_table(&self) -> String {
        let headings = [self.problem.as_str(), "search", "select", "final", "worst", "length"];
        let row = |it: &JudgedLearner| {
            let numbers = [it.search, it.select, it.r#final, it.worst].map(|it| format!("{it:.6}"));
            [it.name.clone()].into_iter().chain(numbers).chain([it.length.to_string()]).collect()
        };
        let rows: Vec<Vec<String>> = self.learners.iter().map(row).collect();
        let headings = headings.map(str::to_owned).to_vec();
        output::table(&std::iter::once(headings).chain(rows).collect::<Vec<_>>())
    }

    /// The place of the learner that is best on the tasks to select by.
    fn best(&self) -> usize {
        let places = 0..self.learners.len();
        places
            .reduce(|a, b| if self.learners[b].select > self.learners[a].select { b } else { a })
            .unwrap_or(0)
    }
}

impl Verdict for Judged {
    fn table(&self) -> String {
        let table = self.learner_table();
        // Where there is one learner it is printed below.
        match self.selected.as_ref().filter(|_| self.learners.len() > 1) {
            Some(text) => {
                let name = &self.learners[self.best()].name;
                format!("{table}\nselected, in {SELECTED}: the {name}\n{text}")
            }
            None => table,
        }
    }

    fn file(&self) -> Option<&'static str> {
        self.selected.is_some().then_some(SELECTED)
    }
}

/// `evo search`.
pub(crate) fn search(args: &SearchArgs, overrides: &[String]) -> anyhow::Result<ExitCode> {
    let config = LearnerSearch::load(&args.config.config, overrides)?;
    let place = Place::cpu(&args.run.device, "learners")?;
    let directory = RunDirectory::plan(args.out.as_deref(), &args.config.config, config.seed)?;
    let judges = config.judges()?;
    let starts = config.start_programs(&config.domain(&judges)?)?;
    let threads = place.threads(args.run.threads);
    if args.dry_run {
        dry_run::print_learners(&config, &judges, starts.len(), threads)?;
        return Ok(ExitCode::SUCCESS);
    }
    let key = || Ok(config.cache_key(&judges));
    let cache = Attached::open(&args.run.cache, config.settings.deduplication, key)?;
    let search = Attached::to(cache.as_ref(), config.search(&judges)?);
    let base = args.config.config.parent().unwrap_or("".as_ref());
    let search = search.with_store(create(&directory, &config, base, &judges, &starts)?)?;
    let session = Session::new(&config, &directory, &place, &args.run, cache);
    session.say(&format!(
        "searching {} with seed {} on {threads} threads, into {}",
        judges.name,
        config.seed,
        directory.path().display()
    ));
    conclude(&session, &config, &judges, search)
}

/// Creates the run directory, with the configuration as resolved and the store.
pub(crate) fn create(
    directory: &RunDirectory,
    config: &LearnerSearch,
    base: &Path,
    judges: &LearnerJudges,
    starts: &[LearnerProgram],
) -> anyhow::Result<Store> {
    directory.make()?;
    let text = config.with_texts_of(starts).placed_in(directory.path(), base).to_ron();
    directory.write(CONFIG, text.as_bytes())?;
    let fingerprint = judges.fingerprint().to_string();
    directory.begin(&[("config", text.as_str()), (FINGERPRINTS, &fingerprint)], starts)
}

/// Opens a run directory to go on, when all that decides its outcomes is as it was.
pub(crate) fn reopen(again: &Again<'_>) -> anyhow::Result<(LearnerSearch, LearnerJudges, Store)> {
    let directory = again.directory;
    let text = directory.config_text()?;
    let config = LearnerSearch::load_text(&text, again.overrides, again.scored_by)?;
    let judges = config.judges()?;
    let store = again.open(&config.domain(&judges)?)?;
    let data = (&*judges.name, &*judges.fingerprint().to_string());
    resume::refuse_another(&store, directory.path(), &config, data, |config| {
        config.evaluation.paths_mut().into_iter().for_each(|(_, path)| path.clear());
    })?;
    Ok((config, judges, store))
}

/// `evo resume`.
pub(crate) fn resume(
    args: &ResumeArgs,
    directory: &RunDirectory,
    command: &str,
) -> anyhow::Result<ExitCode> {
    let place = Place::cpu(&args.run.device, "learners")?;
    interruptible_while_replaying(command)?;
    let (config, judges, store) = reopen(&Again::of(args, directory, command))?;
    let key = || Ok(config.cache_key(&judges));
    let cache = Attached::open(&args.run.cache, config.settings.deduplication, key)?;
    let search = Attached::to(cache.as_ref(), config.search(&judges)?).with_store(store);
    let search = search.map_err(|error| hinted(error, command))?;
    directory.write_text(&config.placed_in(directory.path(), directory.path()))?;
    let session = Session::new(&config, directory, &place, &args.run, cache);
    session.say_resuming(search.counters().births);
    conclude(&session, &config, &judges, search)
}

/// `evo evaluate`.
pub(crate) fn evaluate(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let config = LearnerSearch::load(&args.config, &args.overrides)?;
    let place = Place::cpu(&args.judging.device, "learners")?;
    let judges = config.judges()?;
    let mut programs = Vec::new();
    for source in &args.programs {
        programs.push((source.clone(), evo::load_learner(source, "".as_ref())?));
    }
    let judged = Judged::of(&programs, &judges, place.threads(args.judging.threads));
    output::print(&match args.judging.json {
        true => serde_json::to_string_pretty(&judged)? + "\n",
        false => judged.table(),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn conclude(
    session: &Session<'_>,
    config: &LearnerSearch,
    judges: &LearnerJudges,
    mut search: Search<Learners>,
) -> anyhow::Result<ExitCode> {
    let evaluators = Evaluators { search: &judges.search, held_out: Some(&judges.select) };
    let finish = match session.run(&mut search, evaluators)? {
        Ok(finish) => finish,
        Err(code) => return Ok(code),
    };
    let Some(best) = search.best() else {
        let why = finish.nothing_tried(&search);
        eprintln!("{}", why.unwrap_or_else(|| "no learner could be scored".to_owned()));
        return Ok(ExitCode::from(1));
    };
    let threads = session.place.threads(session.args.threads);
    let judged = verdict(judges, &search, best, session.directory, threads)?;
    let target = config.settings.stopping.held_out_fitness;
    let missed = target.is_some_and(|target| judged.learners.iter().all(|it| it.select < target));
    let code = conclusion::conclude(session, &search, &finish, judged)?;
    Ok(if missed { ExitCode::from(1) } else { code })
}

/// What the fittest and the best held-out come to; the one to be selected is written down.
pub(crate) fn verdict(
    judges: &LearnerJudges,
    search: &Search<Learners>,
    best: &Champion<LearnerProgram>,
    directory: &RunDirectory,
    threads: NonZeroUsize,
) -> anyhow::Result<Judged> {
    let mut winners = vec![("fittest".to_owned(), best.individual.program.as_ref().clone())];
    let mut births = vec![best.individual.birth];
    // The fittest of all may be one that selection has refused, or that was never looked at.
    if let Some(selected) = search.selected().filter(|it| it.birth != best.individual.birth) {
        winners.push(("best held-out".to_owned(), (*selected.program).clone()));
        births.push(selected.birth);
    }
    let mut judged = Judged::of(&winners, judges, threads);
    let selected = winners[judged.best()].1.live().to_string();
    directory.write(SELECTED, selected.as_bytes())?;
    judged.selected = Some(selected);
    judged.selected_birth = Some(births[judged.best()]);
    Ok(judged)
}
