//! Activations side by side: found ones and known ones, each tuned alike on every network.
//!
//! Invariant: all train the same fresh repeats over the same learning rates, and a gain is over the
//! first of them repeat by repeat, so its interval is over initial weights and batches.

use std::num::NonZeroUsize;

use anyhow::bail;
use evo::{
    ActivationEvaluator, ActivationJudges, Evaluator, Interval, Outcome, Program, RunResult, Trial,
    known_activations, parallel_map, tuned_runs,
};
use serde::Serialize;

use crate::output;

/// What networks of a kind came to with one activation.
#[derive(Clone, Serialize)]
struct Trained {
    task: String,
    /// Whether no search sees the task.
    held_out: bool,
    /// The multiple of the task's learning rate that suits the activation best, and what the fresh
    /// repeats came to with it; none where it cannot be trained with.
    multiple: Option<f64>,
    losses: Vec<f64>,
    loss: Option<f64>,
    /// The mean over the repeats of ln(loss of the first activation / loss).
    gain: Option<Interval>,
}

/// One activation.
#[derive(Serialize)]
struct Row {
    name: String,
    /// As the search scores it.
    fitness: Option<f64>,
    networks: Vec<Trained>,
    /// The gains on all networks that no search sees, as one.
    held_out_gain: Option<Interval>,
    problems: Vec<String>,
}

/// Activations and what networks come to with them.
#[derive(Serialize)]
pub(crate) struct Activations {
    activations: Vec<Row>,
}

/// What was found by one evaluator.
struct Found {
    fitness: Option<f64>,
    networks: Vec<Trained>,
    problem: Option<String>,
}

impl Activations {
    /// Evaluates the known activations and these programs behind them, several at a time.
    pub(crate) fn of(
        programs: &[(String, Program)],
        judges: &ActivationJudges,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Activations> {
        let known = known_activations().map(|(known, program)| (format!("{known:?}"), program));
        let programs: Vec<&(String, Program)> = known.iter().chain(programs).collect();
        let evaluators: Vec<&ActivationEvaluator> =
            [&judges.search, &judges.fresh].into_iter().chain(&judges.held_out).collect();
        for measured in parallel_map(threads, &evaluators, |evaluator| evaluator.measure()) {
            measured?;
        }
        let pairs: Vec<(&(String, Program), usize)> = programs
            .iter()
            .flat_map(|&program| (0..evaluators.len()).map(move |judge| (program, judge)))
            .collect();
        let found = parallel_map(threads, &pairs, |&((name, program), judge)| {
            Found::of(name, program, evaluators[judge], judge > 1)
        });
        let found = found.into_iter().collect::<anyhow::Result<Vec<Found>>>()?;
        let rows = programs.iter().zip(found.chunks(evaluators.len()));
        let mut rows: Vec<Row> = rows.map(|((name, _), found)| Row::of(name, found)).collect();
        if let Some((first, others)) = rows.split_first_mut() {
            others.iter_mut().for_each(|row| row.compare(&first.networks));
        }
        Ok(Activations { activations: rows })
    }

    /// The table a person reads: a column for each activation.
    pub(crate) fn table(&self) -> String {
        let number = |it: Option<f64>| it.map_or("-".to_owned(), |it| format!("{it:.4}"));
        let interval = |it: Option<Interval>| {
            it.map_or("-".to_owned(), |it| format!("{:+.4} ±{:.4}", it.mean, it.half_width))
        };
        let names = self.activations.iter().map(|row| row.name.clone());
        let mut rows = vec![std::iter::once(String::new()).chain(names).collect()];
        let mut row = |label: String, cell: &dyn Fn(&Row) -> String| {
            rows.push(std::iter::once(label).chain(self.activations.iter().map(cell)).collect());
        };
        row("fitness in the search".to_owned(), &|row| {
            row.fitness.map_or("-".to_owned(), |it| format!("{it:+.4}"))
        });
        let Some(first) = self.activations.first() else { return String::new() };
        for (index, Trained { task, held_out, .. }) in first.networks.iter().enumerate() {
            let kind = if *held_out { "held out" } else { "searched" };
            row(format!("{kind}: {task}"), &|row| number(row.networks[index].loss));
            row(format!("  above {}", first.name), &|row| interval(row.networks[index].gain));
        }
        row("all held out, above it".to_owned(), &|row| interval(row.held_out_gain));
        let repeats = first.networks.first().map_or(0, |network| network.losses.len());
        let mut text = output::table(&rows);
        text.push_str(&format!(
            "losses: means of {repeats} fresh repeats, with initial weights and batches that no \
             search saw, each at the\nbest multiple of its learning rate; above: of ln(loss of the \
             first / loss); ± is 95%, over weights and\nbatches, not over data\n"
        ));
        for row in &self.activations {
            for problem in &row.problems {
                text.push_str(&format!("{}: {problem}\n", row.name));
            }
        }
        text
    }
}

impl Found {
    fn of(
        name: &str,
        program: &Program,
        evaluator: &ActivationEvaluator,
        held_out: bool,
    ) -> anyhow::Result<Found> {
        let outcome = evaluator.evaluate(&[Trial::of(program)]).pop();
        let (score, problem) = match outcome.expect("one outcome for one program") {
            Outcome::Scored(score) => (Some(score), None),
            Outcome::Invalid(it) => {
                let problem = format!("{} at step {} of {}", it.reason, it.step, it.task);
                (None, Some(problem))
            }
            Outcome::Failed { message } => bail!("{name}: {message}"),
            other => bail!("{name}: an outcome of no training: {other:?}"),
        };
        let fitness = score.as_ref().map(|score| score.fitness);
        let networks = match score {
            Some(score) => score
                .runs
                .iter()
                .map(|runs| Trained::of(&runs.task, held_out, tuned_runs(runs)))
                .collect(),
            None => evaluator.tasks().map(|task| Trained::of(task, held_out, &[])).collect(),
        };
        Ok(Found { fitness, networks, problem })
    }
}

impl Trained {
    fn of(task: &str, held_out: bool, runs: &[RunResult]) -> Trained {
        let losses: Vec<f64> = runs.iter().map(|run| run.loss).collect();
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        Trained {
            task: task.to_owned(),
            held_out,
            multiple: runs.first().map(|run| run.multiple),
            loss: runs.first().map(|_| mean),
            losses,
            gain: None,
        }
    }

    /// The gain on each repeat.
    fn gains(&self, first: &Trained) -> Vec<f64> {
        let pairs = first.losses.iter().zip(&self.losses);
        pairs.map(|(first, own)| libm::log(first / own)).collect()
    }
}

impl Row {
    /// From what the search's evaluator found, and all the others.
    fn of(name: &str, found: &[Found]) -> Row {
        let (search, judges) = found.split_first().expect("the search has an evaluator");
        Row {
            name: name.to_owned(),
            fitness: search.fitness,
            networks: judges.iter().flat_map(|it| it.networks.iter().cloned()).collect(),
            held_out_gain: None,
            problems: found.iter().filter_map(|it| it.problem.clone()).collect(),
        }
    }

    fn compare(&mut self, first: &[Trained]) {
        let mut held_out: Vec<Vec<f64>> = Vec::new();
        for (network, first) in self.networks.iter_mut().zip(first) {
            let gains = network.gains(first);
            network.gain = Interval::of(&gains);
            if network.held_out {
                held_out.push(gains);
            }
        }
        let repeats = held_out.iter().map(Vec::len).min().unwrap_or(0);
        let mean = |repeat: usize| {
            held_out.iter().map(|gains| gains[repeat]).sum::<f64>() / held_out.len() as f64
        };
        self.held_out_gain = Interval::of(&(0..repeats).map(mean).collect::<Vec<_>>());
    }
}
