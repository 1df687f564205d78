//! The dry run: what a search would cost, from some training steps on each of its tasks.
//!
//! Invariant: it takes seconds, however long an evaluation is; the start program is evaluated only
//! where that is quick as well.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::Context;
use evo::{
    Config, Domain, Evaluator, Evaluators, Graph, GraphJudges, Graphs, Keep, LearnerJudges,
    LearnerSearch, OptimizerEvaluator, Outcome, Program, RunOptions, Stopping, StrategyConfig,
    TaskConfig, Trial, Workload,
};

use super::measure;
use super::memory::{mebibytes, resident};
use super::place::Place;
use crate::output;

/// How long each task is measured.
const BUDGET: Duration = Duration::from_millis(500);

/// How long learners are searched for.
const MOMENT: Duration = Duration::from_secs(1);

/// How many graphs are evaluated, at most.
const GRAPHS: usize = 8;

/// Seconds of an evaluation up to which the start program is evaluated.
const QUICK: f64 = 20.0;

/// Bytes a behaviour takes in memory: its hashes, its outcome, and the maps around them.
const BEHAVIOUR: u64 = 600;

/// Bytes of an outcome for each run, and for each loss on the way of one.
const RUN: (u64, u64) = (64, 16);

/// Behaviours held in memory, whatever the length of the run.
const BEHAVIOURS: u64 = 20_000;

/// Bytes an individual takes: a program of some thirty statements.
const INDIVIDUAL: u64 = 2_500;

/// Pages of the store in memory.
const STORE: u64 = 32 << 20;

/// Measures the tasks and prints estimates.
pub(crate) fn print(
    config: &Config,
    evaluator: &OptimizerEvaluator,
    place: &Place,
    threads: NonZeroUsize,
) -> anyhow::Result<()> {
    let programs = config.start_programs()?;
    let before = resident();
    let searched = &config.evaluation.tasks;
    let (seconds, tasks) = evaluation(config, place, &programs[0], searched)?;
    let mut text = listed(&programs);
    writeln!(text, "one evaluation: {} on one thread ({tasks})", span(seconds))?;
    if let Some(every) = config.settings.held_out.every {
        let held_out = &config.evaluation.held_out;
        let (seconds, tasks) = evaluation(config, place, &programs[0], held_out)?;
        let cost = span(seconds);
        writeln!(text, "held out: at most {cost} more behind every {every} births ({tasks})")?;
    }
    if seconds < QUICK {
        text.push_str(&fitness(&programs, evaluator)?);
    }
    text.push_str(&totals(&config.settings.stopping, seconds, threads));
    if let (Some(before), Some(after)) = (before, resident()) {
        let training = after.saturating_sub(before) * (threads.get() as u64 - 1);
        let total = after + training + search_memory(config);
        writeln!(text, "memory: about {} at most", mebibytes(total))?;
    }
    output::print(&text)
}

fn listed(programs: &[Program]) -> String {
    programs.iter().map(Program::to_string).collect()
}

/// A line for each start program, with its fitness.
fn fitness(starts: &[Program], evaluator: &dyn Evaluator<Program>) -> anyhow::Result<String> {
    let mut text = String::new();
    for start in starts {
        let outcome = evaluator.evaluate(&[Trial::of(start)]).pop();
        let fitness = outcome.context("one outcome for one program")?.fitness();
        writeln!(text, "start program: fitness {fitness:+.4}")?;
    }
    Ok(text)
}

/// Evaluates the expressions that a search starts from and prints what they come to and cost.
#[expect(clippy::disallowed_methods, reason = "a clock measures what is printed")]
pub(crate) fn print_expressions(
    starts: &[Program],
    evaluator: &dyn Evaluator<Program>,
    stopping: &Stopping,
    threads: NonZeroUsize,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let fitness = fitness(starts, evaluator)?;
    let seconds = begun.elapsed().as_secs_f64() / starts.len() as f64;
    let (listed, cost, totals) =
        (listed(starts), span(seconds), totals(stopping, seconds, threads));
    output::print(&format!("{listed}one evaluation: {cost} on one thread\n{fitness}{totals}"))
}

/// Evaluates some of the graphs that a search starts from, hashes what they compute, and prints
/// what both cost.
#[expect(clippy::disallowed_methods, reason = "a clock measures what is printed")]
pub(crate) fn print_graphs(
    starts: &[Graph],
    judges: &GraphJudges,
    domain: &Graphs,
    stopping: &Stopping,
    threads: NonZeroUsize,
) -> anyhow::Result<()> {
    let some = &starts[..starts.len().min(GRAPHS)];
    let begun = Instant::now();
    let outcomes: Vec<Outcome> =
        some.iter().flat_map(|it| judges.search.evaluate(&[Trial::of(it)])).collect();
    let seconds = begun.elapsed().as_secs_f64() / some.len() as f64;
    let begun = Instant::now();
    for graph in some {
        std::hint::black_box(domain.behaviour(graph, &domain.analyse(graph)));
    }
    let hashing = begun.elapsed().as_secs_f64() / some.len() as f64;
    let (first, fitness) = (&some[0], outcomes[0].fitness());
    let (name, weights) = (&judges.name, judges.search.weights(first));
    output::print(&format!(
        "{first}{name}: {} start programs\n\
         one evaluation: {} on one thread; one functional hash: {} (means of {})\n\
         first start program: fitness {fitness:+.4}, {weights} weights\n{}",
        starts.len(),
        span(seconds),
        span(hashing),
        some.len(),
        totals(stopping, seconds, threads)
    ))
}

/// Searches learners for a moment, in memory alone, and prints how many candidates that was.
#[expect(clippy::disallowed_methods, reason = "a clock measures what is printed")]
pub(crate) fn print_learners(
    config: &LearnerSearch,
    judges: &LearnerJudges,
    starts: usize,
    threads: NonZeroUsize,
) -> anyhow::Result<()> {
    let mut moment = config.clone();
    // Nothing but the time ends it, and nothing is kept.
    let seconds = MOMENT.as_secs_f64();
    moment.settings.stopping = Stopping { seconds: Some(seconds), ..Stopping::default() };
    moment.settings.keep = Keep::Births;
    let mut search = moment.search(judges)?;
    let evaluators = Evaluators { search: &judges.search, held_out: Some(&judges.select) };
    let begun = Instant::now();
    evo::run_with(&mut search, evaluators, &mut (), &RunOptions::default())?;
    let births = search.counters().births;
    let rate = births as f64 / begun.elapsed().as_secs_f64();
    let (name, tasks) = (&judges.name, judges.search.tasks().len());
    let mut text = format!(
        "{name}: {tasks} tasks, {starts} start programs\n\
         candidates a second on one thread: {rate:.0}, by the first {births}\n"
    );
    if let Some(limit) = config.settings.stopping.candidates {
        let total = span(limit as f64 / rate / threads.get() as f64);
        writeln!(text, "{limit} candidates on {threads} threads: about {total}")?;
    }
    output::print(&text)
}

/// What as many evaluations as a search may make come to.
fn totals(stopping: &Stopping, seconds: f64, threads: NonZeroUsize) -> String {
    let limits = [(stopping.evaluations, ""), (stopping.candidates, "at most ")];
    let line = |(limit, bound): (Option<u64>, &str)| {
        let limit = limit?;
        let total = span(seconds * limit as f64 / threads.get() as f64);
        Some(format!("{limit} evaluations on {threads} threads: {bound}{total}\n"))
    };
    limits.into_iter().filter_map(line).collect()
}

/// Seconds of an evaluation on these tasks on one thread, and of each task's runs in words.
fn evaluation(
    config: &Config,
    place: &Place,
    program: &Program,
    tasks: &[TaskConfig],
) -> anyhow::Result<(f64, String)> {
    let evaluation = &config.evaluation;
    let runs = runs_on_a_task(config);
    let (mut total, mut parts) = (0.0, Vec::new());
    for task in tasks {
        let workload = place.workload(Workload::load(evaluation, task, "".as_ref())?)?;
        let cost = measure::cost(&workload, program, BUDGET)?;
        let stated = evaluation.stated_steps(task).len() as f64;
        let cohort = runs as f64 * (cost.run(workload.steps()) + stated * cost.validation);
        let seconds = cohort / workload.candidates() as f64;
        parts.push(format!("{} {}", task.name, span(seconds)));
        total += seconds;
    }
    Ok((total, parts.join(", ")))
}

fn runs_on_a_task(config: &Config) -> u64 {
    let evaluation = &config.evaluation;
    evaluation.learning_rate_multiples.len() as u64 * u64::from(evaluation.repeats.get())
}

/// A length of time in words: two digits of a second, or the largest unit and the next.
fn span(seconds: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
    match UNITS.iter().position(|(length, _)| seconds >= *length) {
        None => format!("{seconds:.3} s"),
        Some(last) if last + 1 == UNITS.len() => format!("{seconds:.1} s"),
        Some(unit) => {
            let ((length, name), (next_length, next_name)) = (UNITS[unit], UNITS[unit + 1]);
            let count = (seconds / length).floor();
            let rest = ((seconds - count * length) / next_length).floor();
            format!("{count:.0} {name} {rest:.0} {next_name}")
        }
    }
}

/// What the search itself comes to hold.
fn search_memory(config: &Config) -> u64 {
    let individuals = match config.settings.strategy {
        StrategyConfig::RegularizedEvolution { population, .. }
        | StrategyConfig::ConstantTuning { population, .. } => population,
        StrategyConfig::Islands { islands, population, .. } => islands * population,
        _ => 1,
    };
    let limits = [config.settings.stopping.candidates, config.settings.stopping.evaluations];
    let behaviours = limits.into_iter().flatten().min().unwrap_or(u64::MAX).min(BEHAVIOURS);
    let held = individuals as u64
        + config.settings.window
        + config.settings.mutation.max_statements as u64;
    let of_runs = |task| {
        let stated = config.evaluation.stated_steps(task).len() as u64;
        runs_on_a_task(config) * (RUN.0 + stated * RUN.1)
    };
    let outcome = config.evaluation.tasks.iter().map(of_runs).sum::<u64>();
    held * INDIVIDUAL + behaviours * (BEHAVIOUR + outcome) + STORE
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_have_two_units_at_most() {
        let spans = [0.0126, 4.25, 75.0, 3_600.0, 86_399.0, 90_061.0, 8.64e7].map(span);
        let expected =
            ["0.013 s", "4.2 s", "1 min 15 s", "1 h 0 min", "23 h 59 min", "1 d 1 h", "1000 d 0 h"];
        assert_eq!(spans, expected);
    }
}
