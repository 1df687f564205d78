//! What a page says of one run, all of it text but the figures.

use evo::{Reprieves, shell_path};
use serde::Serialize;

use super::figure::Figure;
use super::number::{NONE, percent, signed};
use super::run::{Judged, JudgedProgram, Run, Spread, span};
use super::run_figures;
use super::story::Story;

/// The section of a run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunSection {
    name: String,
    path: String,
    strategy: String,
    seed: String,
    starts: Vec<String>,
    ended: Option<String>,
    digest: Option<String>,
    fitness: String,
    fitness_means: &'static str,
    length: String,
    birth: String,
    program: String,
    births: u64,
    evaluations: usize,
    span: String,
    cpu: String,
    version: String,
    judged: Option<JudgedTable>,
    rates: Vec<Rate>,
    mutations: Vec<MutationRow>,
    restarts: Vec<String>,
    champions: Vec<ChampionRow>,
    story: Option<Story>,
    config: String,
    commands: Vec<String>,
    pub fitness_figure: Option<Figure>,
    pub held_out_figure: Option<Figure>,
    pub front_figure: Option<Figure>,
    pub mutation_figure: Option<Figure>,
    pub duplicate_figure: Option<Figure>,
}

/// A count and its share.
#[derive(Clone, Debug, Serialize)]
struct Rate {
    what: &'static str,
    count: u64,
    share: String,
    of: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct MutationRow {
    kind: String,
    tried: u64,
    neutral: String,
    improved: String,
    counts: (u64, u64),
}

#[derive(Clone, Debug, Serialize)]
struct ChampionRow {
    length: u64,
    birth: u64,
    fitness: String,
    program: String,
}

/// Programs as the judges of a run scored them.
#[derive(Clone, Debug, Serialize)]
struct JudgedTable {
    names: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl RunSection {
    /// The section of a run; `number` tells its files from those of other runs.
    pub(super) fn of(run: &Run, number: Option<usize>) -> RunSection {
        let file = |name: &str| match number {
            None => name.to_owned(),
            Some(number) => format!("run-{}-{name}", number + 1),
        };
        let configured = run.configured.as_ref();
        let best = run.best();
        let last = run.lineage.last();
        let program = best.map(|it| it.program.clone());
        let end = run.end.as_ref();
        RunSection {
            name: run.name.clone(),
            path: run.path.display().to_string(),
            strategy: configured.map_or(NONE.to_owned(), |it| it.strategy.clone()),
            seed: configured.map_or(NONE.to_owned(), |it| it.seed.to_string()),
            starts: configured.map_or(Vec::new(), |it| it.starts.clone()),
            ended: end.map(|it| it.stop_reason.to_string()),
            digest: end.map(|it| it.digest.clone()),
            fitness: run.fitness().map_or(NONE.to_owned(), signed),
            fitness_means: configured.map_or("", |it| it.fitness_means),
            length: best.map_or(NONE.to_owned(), |it| it.length.to_string()),
            birth: last.map_or(NONE.to_owned(), |it| it.birth.to_string()),
            program: program.or_else(|| Some(last?.program.clone())).unwrap_or_default(),
            births: run.births,
            evaluations: run.evaluated.len(),
            span: span(run.seconds),
            cpu: run.cpu.clone(),
            version: run.version.clone(),
            judged: end.and_then(|it| it.comparison.as_ref()).map(JudgedTable::of),
            rates: rates(run),
            mutations: mutations(run),
            restarts: restarts(run),
            champions: champions(run),
            story: Story::of(&run.lineage),
            config: run.config.clone(),
            commands: commands(run),
            fitness_figure: run_figures::fitness(&file("fitness"), &[run]),
            held_out_figure: run_figures::held_out(&file("held-out"), run),
            front_figure: run_figures::front(&file("front"), run),
            mutation_figure: run_figures::mutations(&file("mutations"), run),
            duplicate_figure: run_figures::duplicates(&file("duplicates"), run),
        }
    }

    /// Its figures, in the order of the page.
    pub(super) fn figures(&self) -> impl Iterator<Item = &Figure> {
        let all = [
            &self.fitness_figure,
            &self.held_out_figure,
            &self.front_figure,
            &self.mutation_figure,
            &self.duplicate_figure,
        ];
        all.into_iter().flatten()
    }
}

/// How births and evaluations went, counted now; how duplicates were known as last saved.
fn rates(run: &Run) -> Vec<Rate> {
    let evaluations = run.evaluated.len() as u64;
    let kind = |kind: &str| run.evaluated.iter().filter(|it| it.kind == kind).count() as u64;
    let rate = |what, count, whole, of| Rate { what, count, share: percent(count, whole), of };
    let mut rates = vec![rate("evaluated", evaluations, run.births, "births")];
    if let Some(counters) = &run.counters {
        let structural = counters.structural_hits;
        rates.push(rate("hits by structure", structural, counters.births, "births"));
        let functional = counters.functional_hits;
        rates.push(rate("hits by behaviour", functional, counters.births, "births"));
        if counters.cached > 0 {
            let (cached, all) = (counters.cached, counters.evaluations);
            rates.push(rate("answered by a cache", cached, all, "evaluations"));
        }
    }
    rates.push(rate("scored", kind("scored"), evaluations, "evaluations"));
    for (what, of_kind) in [
        ("stopped at a hurdle", "stopped"),
        ("invalid, could not train", "invalid"),
        ("ended from outside", "ended"),
        ("failed", "failed"),
    ] {
        rates.push(rate(what, kind(of_kind), evaluations, "evaluations"));
    }
    if let Some(counters) = run.counters.as_ref().filter(|it| it.rechecked > 0) {
        let (wrong, all) = (counters.disagreed, counters.rechecked);
        rates.push(rate("wrong of the hits rechecked", wrong, all, "rechecks"));
    }
    if let Some(counts) = &run.reprieves {
        let Reprieves { reprieved, stopped, top, lost } = *counts;
        rates.push(rate("stopped inside of a task", stopped, reprieved, "evaluations reprieved"));
        rates.push(rate("stopped inside of a task", lost, top, "fittest reprieved"));
    }
    if let Some(policies) = &run.policies {
        rates.extend(of_policies(policies, run.births));
    }
    rates.retain(|rate| rate.count > 0 || !["ended from outside", "failed"].contains(&rate.what));
    rates
}

/// What a policy did, where it did something.
fn of_policies(policies: &evo::PolicyCounters, births: u64) -> Vec<Rate> {
    let rate = |what, count, whole, of| Rate { what, count, share: percent(count, whole), of };
    let tried = births + policies.tabu_retries;
    let mut rates = vec![
        rate("duplicates aggregated", policies.aggregated, births, "births"),
        rate("duplicates forgotten", policies.forgotten, births, "births"),
        rate("made again, behaviour tabu", policies.tabu_retries, tried, "children"),
        rate("behaviour tabu after all tries", policies.tabu_kept, births, "births"),
    ];
    for (collisions, whats) in
        [(policies.structural, STRUCTURAL_COLLISIONS), (policies.functional, FUNCTIONAL_COLLISIONS)]
    {
        for ((_, of), what) in collisions.rates().zip(whats) {
            rates.push(rate(what, of.disagreed, of.rechecked, "hits compared"));
        }
    }
    rates.retain(|rate| rate.count > 0 || (rate.of == "hits compared" && rate.share != NONE));
    rates
}

/// In the order of [`evo::COLLISION_TOLERANCES`].
const STRUCTURAL_COLLISIONS: [&str; 3] = [
    "structural hits wrong at all",
    "structural hits wrong by 0.001",
    "structural hits wrong by 0.02",
];
const FUNCTIONAL_COLLISIONS: [&str; 3] = [
    "functional hits wrong at all",
    "functional hits wrong by 0.001",
    "functional hits wrong by 0.02",
];

fn mutations(run: &Run) -> Vec<MutationRow> {
    let tried = run.mutations.iter().filter(|(_, tally)| tally.tried > 0);
    let row = |(kind, tally): &(String, evo::MutationTally)| MutationRow {
        kind: kind.replace('_', " "),
        tried: tally.tried,
        neutral: percent(tally.neutral, tally.tried),
        improved: percent(tally.improved, tally.tried),
        counts: (tally.neutral, tally.improved),
    };
    tried.map(row).collect()
}

fn restarts(run: &Run) -> Vec<String> {
    let text = |it: &evo::StoredRestart| {
        format!("before birth {}: {}, from birth {}", it.birth, it.reason, it.carried)
    };
    run.restarts.iter().map(text).collect()
}

/// The hall of fame, the fittest first.
fn champions(run: &Run) -> Vec<ChampionRow> {
    let mut champions: Vec<&evo::StoredChampion> = run.champions.iter().collect();
    champions.sort_by(|a, b| b.fitness.total_cmp(&a.fitness));
    let row = |it: &evo::StoredChampion| ChampionRow {
        length: it.length,
        birth: it.birth,
        fitness: signed(it.fitness),
        program: it.program.clone(),
    };
    champions.into_iter().map(row).collect()
}

/// What makes the run again, and what goes on from it.
fn commands(run: &Run) -> Vec<String> {
    let path = shell_path(&run.path);
    let config = shell_path(&run.path.join("config.ron"));
    let mut commands = vec![format!("evo search {config} --out AGAIN")];
    if run.end.is_none() {
        commands.push(format!("evo resume {path}"));
    }
    commands.push(format!("evo show {path}"));
    commands.push(format!("evo lineage {path}"));
    commands
}

impl JudgedTable {
    fn of(judged: &Judged) -> JudgedTable {
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        let mut row = |label: String, cell: &dyn Fn(&JudgedProgram) -> Option<String>| {
            let cells = judged.programs.iter().map(|it| cell(it).unwrap_or(NONE.to_owned()));
            rows.push((label, cells.collect()));
        };
        let spread = |it: Spread| format!("{} ±{:.4}", signed(it.mean), it.half_width);
        row("fitness".to_owned(), &|it| it.fitness.map(signed));
        if judged.programs.iter().any(|it| it.fresh.is_some()) {
            row("on fresh repeats".to_owned(), &|it| it.fresh.map(spread));
        }
        if judged.programs.iter().any(|it| it.fresh_gain.is_some()) {
            let first = judged.programs.first().map_or("", |it| it.name.as_str());
            row(format!("above {first}"), &|it| it.fresh_gain.map(spread));
        }
        let loss = |loss: &Option<f64>| loss.map(|it| format!("{it:.4}"));
        for (index, task) in judged.tasks.iter().enumerate() {
            row(format!("loss on {task}"), &|it| it.losses.get(index).and_then(loss));
        }
        for (index, task) in judged.held_out.iter().enumerate() {
            let cell = |it: &JudgedProgram| it.held_out_losses.get(index).and_then(loss);
            row(format!("held out: {task}"), &cell);
        }
        let names = judged.programs.iter().map(|it| it.name.clone()).collect();
        JudgedTable { names, rows }
    }
}
