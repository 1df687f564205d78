//! `evo bench`: what the tasks of a configuration cost on this machine, and where the time goes.

use std::time::Duration;

use anyhow::bail;
use evo::{Config, Dataflow, Program, TaskConfig, Workload};
use serde::Serialize;

use super::measure::{self, Cost, PHASES};
use super::place::Place;
use crate::args::BenchArgs;
use crate::exit_code::ExitCode;
use crate::output;

/// What was measured, as `--json` prints it.
#[derive(Serialize)]
struct Report {
    device: String,
    program: String,
    threads: usize,
    tasks: Vec<Row>,
    /// Runs of a task in an evaluation: learning rates times repeats.
    runs: usize,
    /// Seconds of one evaluation of the tasks on one thread, held-out tasks apart.
    evaluation_seconds: f64,
    /// Evaluations a second on all threads.
    evaluations_per_second: f64,
}

#[derive(Serialize)]
struct Row {
    task: String,
    held_out: bool,
    parameters: usize,
    steps: u64,
    /// Candidates that a step trains.
    candidates: usize,
    /// Candidate-steps a second on one thread, everything around the steps included.
    steps_per_second: f64,
    /// The same on all threads together.
    steps_per_second_on_all_threads: f64,
    /// Seconds of one run on one thread, shared out among the candidates.
    run_seconds: f64,
    /// Bytes that an update has to read and write, over the time it takes.
    update_bytes_per_second: f64,
    /// Shares of the time of a run on one thread: data, forward, backward, update, and overhead.
    shares: [f64; 5],
}

pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if !(args.seconds.is_finite() && args.seconds > 0.0) {
        bail!("--seconds: must be a positive number");
    }
    let config = Config::load(&args.config.config, &args.config.overrides)?;
    let source = args.program.as_deref().unwrap_or(config.start.first());
    let program = evo::load_program(source, "".as_ref())?;
    let place = Place::open(&args.device)?;
    let (budget, threads) = (Duration::from_secs_f64(args.seconds), place.threads(args.threads));
    let evaluation = &config.evaluation;
    let tasks = evaluation.tasks.iter().map(|task| (task, false));
    let held_out = evaluation.held_out.iter().map(|task| (task, true));
    let mut rows = Vec::new();
    for (task, held_out) in tasks.chain(held_out) {
        eprintln!("measuring {}", task.name);
        let workload = place.workload(Workload::load(evaluation, task, "".as_ref())?)?;
        let alone = measure::cost(&workload, &program, budget)?;
        let together = match threads.get() {
            1 => vec![alone],
            _ => measure::costs(&workload, &program, budget, threads)?,
        };
        rows.push(Row::new((task, held_out), &workload, &program, alone, &together));
    }
    let runs = evaluation.learning_rate_multiples.len() * evaluation.repeats.get() as usize;
    let device = place.device().to_string();
    let report = Report::new(device, source, threads.get(), runs, rows);
    output::print(&match args.json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => report.text(),
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Row {
    fn new(
        (task, held_out): (&TaskConfig, bool),
        workload: &Workload,
        program: &Program,
        alone: Cost,
        together: &[Cost],
    ) -> Row {
        let steps = workload.steps();
        let run = alone.run(steps);
        let shares = alone.phases.map(|phase| phase * steps as f64 / run);
        let [data, forward, backward, update] = shares;
        let candidates = workload.candidates();
        let candidate_steps = candidates as f64 * steps as f64;
        Row {
            task: task.name.clone(),
            held_out,
            parameters: workload.parameters(),
            steps,
            candidates,
            steps_per_second: candidate_steps / run,
            steps_per_second_on_all_threads: together
                .iter()
                .map(|cost| candidate_steps / cost.run(steps))
                .sum(),
            run_seconds: run / candidates as f64,
            update_bytes_per_second: update_bytes(workload, program) / alone.phases[3],
            shares: [data, forward, backward, update, alone.around / run],
        }
    }
}

/// The bytes of float32 numbers that an update cannot do without: weights and live states read and
/// written, the gradient read.
fn update_bytes(workload: &Workload, program: &Program) -> f64 {
    let numbers = 3 + 2 * Dataflow::of(program).live_states();
    (workload.candidates() * workload.parameters() * numbers * size_of::<f32>()) as f64
}

impl Report {
    fn new(device: String, program: &str, threads: usize, runs: usize, tasks: Vec<Row>) -> Report {
        let searched = || tasks.iter().filter(|row| !row.held_out);
        let seconds = |of: &dyn Fn(&Row) -> f64| searched().map(of).sum::<f64>() * runs as f64;
        let evaluation_seconds = seconds(&|row| row.run_seconds);
        let together = seconds(&|row| row.steps as f64 / row.steps_per_second_on_all_threads);
        Report {
            device,
            program: program.to_owned(),
            threads,
            runs,
            evaluation_seconds,
            evaluations_per_second: 1.0 / together,
            tasks,
        }
    }

    fn text(&self) -> String {
        let mut headings = vec![format!("{} on {}", self.program, self.device)];
        headings.extend(["parameters", "steps/s"].map(str::to_owned));
        if self.threads > 1 {
            headings.extend([format!("on {} threads", self.threads), "times one".to_owned()]);
        }
        headings.extend(PHASES.map(str::to_owned));
        headings.extend(["overhead", "update GB/s"].map(str::to_owned));
        let rows = self.tasks.iter().map(|row| self.cells(row));
        let rows: Vec<_> = std::iter::once(headings).chain(rows).collect();
        let mut text = format!(
            "{}\none evaluation, {} runs of each task: {:.3} s on one thread",
            output::table(&rows),
            self.runs,
            self.evaluation_seconds,
        );
        let rate = self.evaluations_per_second;
        if self.threads > 1 {
            let times = rate * self.evaluation_seconds;
            let threads = self.threads;
            text +=
                &format!("; {rate:.2} evaluations/s on {threads} threads, {times:.2} times one");
        }
        text + "\n"
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let name = if row.held_out { format!("held out: {}", row.task) } else { row.task.clone() };
        let mut cells =
            vec![name, row.parameters.to_string(), format!("{:.0}", row.steps_per_second)];
        if self.threads > 1 {
            let all = row.steps_per_second_on_all_threads;
            cells.push(format!("{all:.0}"));
            cells.push(format!("{:.2}", all / row.steps_per_second));
        }
        cells.extend(row.shares.map(|share| format!("{:.0}%", 100.0 * share)));
        cells.push(format!("{:.2}", 1e-9 * row.update_bytes_per_second));
        cells
    }
}
