//! The comparison: programs side by side, on the tasks of the search and on those held out.

use std::num::NonZeroUsize;

use evo::{
    AtMultiple, Config, Evaluator, Interval, Judges, Outcome, Program, Score, TaskConfig, TaskRuns,
    Trial, parallel_map,
};
use serde::Serialize;

use crate::output;

/// Scores of one program.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub name: String,
    /// `None` for a program that cannot train the tasks.
    pub fitness: Option<f64>,
    /// The fitness with one multiple of the learning rate alone, the best.
    pub best_multiple: Option<AtMultiple>,
    /// The fitness on each fresh repeat; empty where there are none or it cannot train there.
    pub fresh_fitness: Vec<f64>,
    /// Their mean, with its interval.
    pub fresh: Option<Interval>,
    /// The same of what they are above those of the first program, repeat by repeat.
    pub fresh_gain: Option<Interval>,
    pub losses: Vec<Option<f64>>,
    pub held_out_losses: Vec<Option<f64>>,
    /// Of the tasks, then of those held out; only of those that it trains.
    pub runs: Vec<Runs>,
    /// Why the program has no fitness or no held-out loss.
    pub problems: Vec<String>,
}

/// What a program's runs on a task came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Runs {
    #[serde(flatten)]
    runs: TaskRuns,
    baseline_loss: Option<f64>,
    /// The first stated step with a mean loss at or below the baseline's; `None` where there is
    /// none on the way.
    steps_to_baseline: Option<u64>,
}

/// Programs and their scores.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    pub tasks: Vec<String>,
    pub held_out: Vec<String>,
    pub programs: Vec<Entry>,
}

impl Comparison {
    /// Evaluates named programs, several at a time.
    pub(crate) fn of(
        config: &Config,
        judges: &Judges,
        programs: &[(String, Program)],
        threads: NonZeroUsize,
    ) -> anyhow::Result<Comparison> {
        let entries = parallel_map(threads, programs, |(name, program)| {
            evaluate(config, judges, name, program)
        });
        let mut entries = entries.into_iter().collect::<anyhow::Result<Vec<Entry>>>()?;
        let first = entries.first().map_or(Vec::new(), |entry| entry.fresh_fitness.clone());
        for entry in entries.iter_mut().skip(1) {
            let gains = entry.fresh_fitness.iter().zip(&first).map(|(own, first)| own - first);
            entry.fresh_gain = Interval::of(&gains.collect::<Vec<_>>());
        }
        let names = |tasks: &[TaskConfig]| tasks.iter().map(|task| task.name.clone()).collect();
        Ok(Comparison {
            tasks: names(&config.evaluation.tasks),
            held_out: names(&config.evaluation.held_out),
            programs: entries,
        })
    }

    /// The table a person reads: a column for each program.
    pub(crate) fn table(&self) -> String {
        let names = self.programs.iter().map(|entry| entry.name.clone());
        let mut rows = vec![std::iter::once(String::new()).chain(names).collect()];
        let mut row = |label: String, value: &dyn Fn(&Entry) -> String| {
            rows.push(std::iter::once(label).chain(self.programs.iter().map(value)).collect());
        };
        row("fitness".to_owned(), &|entry| {
            entry.fitness.map_or("-".to_owned(), |fitness| format!("{fitness:+.4}"))
        });
        row("  at its best multiple".to_owned(), &|entry| {
            let best = entry.best_multiple;
            best.map_or("-".to_owned(), |it| format!("{:+.4} (x{})", it.fitness, it.multiple))
        });
        let interval = |interval: Option<Interval>| {
            interval.map_or("-".to_owned(), |it| format!("{:+.4} ±{:.4}", it.mean, it.half_width))
        };
        let repeats = self.programs.iter().map(|entry| entry.fresh_fitness.len()).max();
        if repeats.is_some_and(|repeats| repeats > 1) {
            row("  on fresh repeats".to_owned(), &|entry| interval(entry.fresh));
            if let [first, _, ..] = &self.programs[..] {
                row(format!("  above {}", first.name), &|entry| interval(entry.fresh_gain));
            }
        }
        let number = |loss: Option<f64>| loss.map_or("-".to_owned(), |loss| format!("{loss:.4}"));
        for (index, task) in self.tasks.iter().enumerate() {
            row(format!("loss on {task}"), &|entry| number(entry.losses[index]));
        }
        for (index, task) in self.held_out.iter().enumerate() {
            row(format!("held out: {task}"), &|entry| number(entry.held_out_losses[index]));
        }
        let mut text = output::table(&rows);
        if let Some(repeats) = repeats.filter(|&repeats| repeats > 1) {
            text.push_str(&format!(
                "fresh repeats: {repeats} more runs of each kind, with initial weights and batches \
                 that no search saw,\nthe same for all programs; ± is 95%, over weights and \
                 batches, not over data\n"
            ));
        }
        for entry in &self.programs {
            for problem in &entry.problems {
                text.push_str(&format!("{}: {problem}\n", entry.name));
            }
        }
        text
    }
}

fn evaluate(
    config: &Config,
    judges: &Judges,
    name: &str,
    program: &Program,
) -> anyhow::Result<Entry> {
    let mut problems = Vec::new();
    let score = take(judge(&judges.search, name, program)?, &mut problems);
    let fresh_fitness = match &score {
        None => Vec::new(),
        Some(_) => fresh_fitness(judges, name, program)?.unwrap_or_else(|problem| {
            problems.push(format!("{problem} with fresh weights"));
            Vec::new()
        }),
    };
    let mut held_out = Vec::new();
    for evaluator in &judges.held_out {
        held_out.push(take(judge(evaluator, name, program)?, &mut problems));
    }
    let tasks = config.evaluation.tasks.iter();
    let mut runs: Vec<Runs> = score.iter().flat_map(|it| runs(it, tasks.clone())).collect();
    for (score, task) in held_out.iter().zip(&config.evaluation.held_out) {
        runs.extend(score.iter().flat_map(|it| self::runs(it, [task])));
    }
    Ok(Entry {
        name: name.to_owned(),
        fitness: score.as_ref().map(|score| score.fitness),
        best_multiple: score.as_ref().map(|score| judges.search.best_multiple(score)),
        fresh: Interval::of(&fresh_fitness),
        fresh_fitness,
        fresh_gain: None,
        losses: score
            .map_or(vec![None; tasks.len()], |it| it.losses.into_iter().map(Some).collect()),
        held_out_losses: held_out.iter().map(|it| it.as_ref().map(|it| it.losses[0])).collect(),
        runs,
        problems,
    })
}

/// The score of a program, or why it has none.
fn judge(
    evaluator: &dyn Evaluator<Program>,
    name: &str,
    program: &Program,
) -> anyhow::Result<Result<Score, String>> {
    let outcome = evaluator.evaluate(&[Trial::of(program)]).pop();
    Ok(match outcome.expect("one outcome for one program") {
        Outcome::Scored(score) => Ok(score),
        Outcome::Invalid(it) => Err(format!("{} at step {} of {}", it.reason, it.step, it.task)),
        Outcome::Ended(ended) => Err(ended.to_string()),
        Outcome::Stopped(_) => anyhow::bail!("{name}: stopped at a hurdle that there was not"),
        Outcome::Failed { message } => anyhow::bail!("{name}: {message}"),
    })
}

fn take(judged: Result<Score, String>, problems: &mut Vec<String>) -> Option<Score> {
    judged.map_err(|problem| problems.push(problem)).ok()
}

/// The fitness on every fresh repeat, or why there is none on one.
fn fresh_fitness(
    judges: &Judges,
    name: &str,
    program: &Program,
) -> anyhow::Result<Result<Vec<f64>, String>> {
    let mut found = Vec::new();
    for evaluator in &judges.fresh {
        match judge(evaluator, name, program)? {
            Ok(score) => found.push(score.fitness),
            Err(problem) => return Ok(Err(problem)),
        }
    }
    Ok(Ok(found))
}

/// The runs of a score on these tasks.
fn runs<'a>(score: &Score, tasks: impl IntoIterator<Item = &'a TaskConfig>) -> Vec<Runs> {
    let runs = score.runs.iter().zip(tasks).map(|(runs, task)| Runs {
        runs: runs.clone(),
        baseline_loss: task.baseline_loss,
        steps_to_baseline: task.baseline_loss.and_then(|loss| runs.steps_to(loss)),
    });
    runs.collect()
}
