//! Searches of compute graphs: begun, gone on with, and what their winner comes to.

use std::num::NonZeroUsize;
use std::path::Path;

use evo::{
    Evaluators, Graph, GraphEvaluator, GraphJudges, GraphSearch, Graphs, HeldOutConfig, Search,
    Store, parallel_map,
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

/// What graphs come to.
#[derive(Serialize)]
struct Judged {
    images: String,
    graphs: Vec<JudgedGraph>,
}

#[derive(Serialize)]
struct JudgedGraph {
    name: String,
    /// In the trainings of the search, on its validation images; none where one is stopped.
    search: Option<Measured>,
    /// In fresh trainings, on images that are set aside.
    held_out: Option<Measured>,
    /// Live layers.
    length: usize,
    /// Weights of the network.
    weights: usize,
}

#[derive(Clone, Copy, Serialize)]
struct Measured {
    loss: f64,
    accuracy: f64,
}

impl Judged {
    fn of(
        graphs: &[(String, Graph)],
        judges: &GraphJudges,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Judged> {
        let judged = parallel_map(threads, graphs, |(name, graph)| {
            let measure = |evaluator: &GraphEvaluator| -> anyhow::Result<Option<Measured>> {
                let measured = evaluator.measure(graph)?;
                Ok(measured.map(|it| Measured { loss: it.loss, accuracy: it.accuracy }))
            };
            anyhow::Ok(JudgedGraph {
                name: name.clone(),
                search: measure(&judges.search)?,
                held_out: measure(&judges.held_out)?,
                length: graph.live().ops().len(),
                weights: judges.search.weights(graph),
            })
        });
        let graphs = judged.into_iter().collect::<anyhow::Result<_>>()?;
        Ok(Judged { images: judges.name.clone(), graphs })
    }
}

impl Verdict for Judged {
    fn table(&self) -> String {
        let headings = [
            self.images.as_str(),
            "loss",
            "accuracy",
            "held-out loss",
            "held-out accuracy",
            "layers",
            "weights",
        ];
        let cells = |measured: Option<Measured>| match measured {
            Some(it) => [format!("{:.4}", it.loss), format!("{:.2}%", 100.0 * it.accuracy)],
            None => ["diverged".to_owned(), "-".to_owned()],
        };
        let row = |it: &JudgedGraph| {
            let mut row = vec![it.name.clone()];
            row.extend(cells(it.search).into_iter().chain(cells(it.held_out)));
            row.extend([it.length.to_string(), it.weights.to_string()]);
            row
        };
        let headings = headings.map(str::to_owned).to_vec();
        let rows = self.graphs.iter().map(row);
        output::table(&std::iter::once(headings).chain(rows).collect::<Vec<_>>())
    }
}

/// `evo search`.
pub(crate) fn search(args: &SearchArgs, overrides: &[String]) -> anyhow::Result<ExitCode> {
    let config = GraphSearch::load(&args.config.config, overrides)?;
    let place = Place::cpu(&args.run.device, "graphs")?;
    let directory = RunDirectory::plan(args.out.as_deref(), &args.config.config, config.seed)?;
    let judges = config.judges()?;
    let domain = config.domain(&judges)?;
    let starts = config.start_programs(&domain)?;
    let threads = place.threads(args.run.threads);
    if args.dry_run {
        let stopping = &config.settings.stopping;
        dry_run::print_graphs(&starts, &judges, &domain, stopping, threads)?;
        return Ok(ExitCode::SUCCESS);
    }
    let key = || Ok(config.cache_key(&judges, &place.description(&HeldOutConfig::default())));
    let cache = Attached::open(&args.run.cache, config.settings.deduplication, key)?;
    let search = Attached::to(cache.as_ref(), config.search(&judges)?);
    let base = args.config.config.parent().unwrap_or("".as_ref());
    let search = search.with_store(create(&directory, &config, base, &judges, &starts, &place)?)?;
    let session = Session::new(&config, &directory, &place, &args.run, cache);
    session.say(&format!(
        "searching {} with seed {} on {threads} threads, into {}",
        judges.name,
        config.seed,
        directory.path().display()
    ));
    conclude(&session, &judges, search)
}

/// Creates the run directory, with the configuration as resolved and the store.
pub(crate) fn create(
    directory: &RunDirectory,
    config: &GraphSearch,
    base: &Path,
    judges: &GraphJudges,
    starts: &[Graph],
    place: &Place,
) -> anyhow::Result<Store> {
    directory.make()?;
    let text = config.with_texts_of(starts).placed_in(directory.path(), base).to_ron();
    directory.write(CONFIG, text.as_bytes())?;
    let fingerprint = judges.fingerprint().to_string();
    let cpu = place.description(&config.settings.held_out);
    let properties = [("config", text.as_str()), (FINGERPRINTS, &fingerprint), ("cpu", &cpu)];
    directory.begin(&properties, starts)
}

/// Opens a run directory to go on, when all that decides its outcomes is as it was.
pub(crate) fn reopen(
    again: &Again<'_>,
    place: &Place,
) -> anyhow::Result<(GraphSearch, GraphJudges, Store)> {
    let directory = again.directory;
    let text = directory.config_text()?;
    let config = GraphSearch::load_text(&text, again.overrides, again.scored_by)?;
    let judges = config.judges()?;
    let domain = config.domain(&judges)?;
    let mut store = again.open(&domain)?;
    let data = (&*judges.name, &*judges.fingerprint().to_string());
    resume::refuse_another(&store, directory.path(), &config, data, |config| {
        config.evaluation.paths_mut().into_iter().for_each(|(_, path)| path.clear());
    })?;
    again.check_place(&mut store, &place.description(&config.settings.held_out))?;
    Ok((config, judges, store))
}

/// `evo resume`.
pub(crate) fn resume(
    args: &ResumeArgs,
    directory: &RunDirectory,
    command: &str,
) -> anyhow::Result<ExitCode> {
    let place = Place::cpu(&args.run.device, "graphs")?;
    interruptible_while_replaying(command)?;
    let (config, judges, store) = reopen(&Again::of(args, directory, command), &place)?;
    let key = || Ok(config.cache_key(&judges, &place.description(&HeldOutConfig::default())));
    let cache = Attached::open(&args.run.cache, config.settings.deduplication, key)?;
    let search = Attached::to(cache.as_ref(), config.search(&judges)?).with_store(store);
    let search = search.map_err(|error| hinted(error, command))?;
    directory.write_text(&config.placed_in(directory.path(), directory.path()))?;
    let session = Session::new(&config, directory, &place, &args.run, cache);
    session.say_resuming(search.counters().births);
    conclude(&session, &judges, search)
}

/// `evo evaluate`.
pub(crate) fn evaluate(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let config = GraphSearch::load(&args.config, &args.overrides)?;
    let place = Place::cpu(&args.judging.device, "graphs")?;
    let judges = config.judges()?;
    let mut graphs = Vec::new();
    for source in &args.programs {
        graphs.push((source.clone(), evo::load_graph(source, "".as_ref())?));
    }
    let judged = Judged::of(&graphs, &judges, place.threads(args.judging.threads))?;
    output::print(&match args.judging.json {
        true => serde_json::to_string_pretty(&judged)? + "\n",
        false => judged.table(),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn conclude(
    session: &Session<'_>,
    judges: &GraphJudges,
    mut search: Search<Graphs>,
) -> anyhow::Result<ExitCode> {
    let evaluators = Evaluators { search: &judges.search, held_out: Some(&judges.held_out) };
    let finish = match session.run(&mut search, evaluators)? {
        Ok(finish) => finish,
        Err(code) => return Ok(code),
    };
    let Some(best) = search.best() else {
        let why = finish.nothing_tried(&search);
        eprintln!("{}", why.unwrap_or_else(|| "no graph could be trained".to_owned()));
        return Ok(ExitCode::from(1));
    };
    let threads = session.place.threads(session.args.threads);
    let judged = verdict(judges, &best.individual.program, threads)?;
    conclusion::conclude(session, &search, &finish, judged)
}

/// What a winner comes to.
pub(crate) fn verdict(
    judges: &GraphJudges,
    winner: &Graph,
    threads: NonZeroUsize,
) -> anyhow::Result<impl Verdict + use<>> {
    Judged::of(&[("winner".to_owned(), winner.clone())], judges, threads)
}
