//! `evo audit`: how far the tasks of a search can be trusted to tell which programs are better on
//! the tasks that count.

mod panel;
mod ways;

use std::num::NonZeroUsize;
use std::time::Instant;

use evo::{
    AUDIT_TOP, AuditedWay, Baseline, Bootstrap, Config, Estimate, Evaluator, OptimizerConfig,
    OptimizerEvaluator, Outcome, Program, Seed, Study, TaskGains, Trial, Trust, kendall_interval,
    load_studies, parallel_map,
};
use serde::Serialize;

use super::studies::{self, Named};
use super::{place, whole_file};
use crate::args::AuditArgs;
use crate::exit_code::ExitCode;
use crate::output;

/// The most that a task adds to a figure on the targets, to either side: as in a fitness, one that
/// falls out of all proportion must not decide.
const MOST: f64 = 2.0;

/// An audit, as `--json` prints it.
#[derive(Serialize)]
struct Audit {
    panel: Vec<String>,
    /// The mean gain of each program over tuned AdamW on the target tasks; `None` for what does
    /// not train one of them.
    targets: Vec<Option<f64>>,
    /// How far the ranks by every other target task agree with those by the rest: no way to score
    /// can be expected to agree with all of them better than they do among themselves.
    agreement: Option<Estimate>,
    ways: Vec<AuditedWay>,
}

pub(crate) fn run(args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load_with_baselines(&args.config, &args.overrides)?;
    let (study_config, tasks) = load_studies(&args.targets, &args.target_overrides)?;
    let ways = ways::of(&config.evaluation, &args.ways)?;
    let panel = panel::of(&args.panel)?;
    let threads = place::cores(args.studies.threads);
    let folder = studies::folder("compare", &args.studies, &args.targets);
    let programs: Vec<Named> =
        std::iter::once(studies::adamw()).chain(panel.iter().cloned()).collect();
    let studies =
        studies::of(&folder, (&study_config, &tasks), &programs, threads, args.studies.quiet)?;
    let gains_of = |part: &dyn Fn(usize) -> bool| -> Vec<f64> {
        studies[1..].iter().map(|own| gain(own, &studies[0], part)).collect()
    };
    let targets = gains_of(&|_| true);
    let halves = [0, 1].map(|half| gains_of(&|task| task % 2 == half));
    let mut audited = Vec::new();
    for (name, evaluation) in ways {
        if !args.studies.quiet {
            eprintln!("scoring {} programs: {name}", panel.len());
        }
        let gains = gains(&evaluation, &panel, threads)?;
        audited.push(AuditedWay::of(&name, &gains, &targets));
    }
    let audit = Audit {
        panel: panel.into_iter().map(|(name, _)| name).collect(),
        targets: targets.into_iter().map(|it| Some(it).filter(|it| it.is_finite())).collect(),
        agreement: (tasks.len() > 1).then(|| agreement(&halves)).flatten(),
        ways: audited,
    };
    let json = serde_json::to_string_pretty(&audit)? + "\n";
    whole_file::write(&folder.join("audit.json"), json.as_bytes())?;
    output::print(&if args.studies.json { json } else { text(&audit) })?;
    Ok(ExitCode::SUCCESS)
}

/// The mean over a part of the target tasks of ln(reference's loss / loss); minus infinity where
/// one of them is not trained.
fn gain(own: &[Study], reference: &[Study], part: &dyn Fn(usize) -> bool) -> f64 {
    let of_task = |(own, reference): (&Study, &Study)| {
        let gains = own.gains_over(reference);
        let mean = gains.map(|gains| gains.iter().sum::<f64>() / gains.len() as f64);
        mean.map_or(f64::NEG_INFINITY, |mean| mean.clamp(-MOST, MOST))
    };
    let pairs = own.iter().zip(reference).enumerate();
    let gains: Vec<f64> =
        pairs.filter(|(task, _)| part(*task)).map(|(_, pair)| of_task(pair)).collect();
    gains.iter().sum::<f64>() / gains.len() as f64
}

fn agreement([even, odd]: &[Vec<f64>; 2]) -> Option<Estimate> {
    kendall_interval(even, odd, &Bootstrap::new(Seed(0).derive("agreement")))
}

/// What every program gains on each task of a search over AdamW as it stands in the zoo, scored in
/// the same way.
#[expect(clippy::disallowed_methods, reason = "a clock measures what an evaluation costs")]
fn gains(
    evaluation: &OptimizerConfig,
    panel: &[Named],
    threads: NonZeroUsize,
) -> anyhow::Result<Vec<TaskGains>> {
    let mut found = Vec::new();
    for task in &evaluation.tasks {
        let mut alone = evaluation.clone();
        (alone.tasks, alone.held_out, alone.stages) = (vec![task.clone()], vec![], vec![]);
        // Losses do not depend on it.
        alone.tasks[0].baseline_loss = Some(1.0);
        let evaluator = OptimizerEvaluator::new(&alone, "".as_ref())?;
        let (_, adamw) = studies::adamw();
        let baseline = Baseline {
            learning_rate: 1.0,
            weight_decay: None,
            loss: loss(&evaluator, &adamw)?.unwrap_or(1.0),
        };
        let scored = parallel_map(threads, panel, |(_, program)| {
            let start = Instant::now();
            let gain = loss(&evaluator, program)?.map(|loss| baseline.gain(loss));
            anyhow::Ok((gain.unwrap_or(f64::NEG_INFINITY), start.elapsed().as_secs_f64()))
        });
        let scored = scored.into_iter().collect::<anyhow::Result<Vec<(f64, f64)>>>()?;
        let seconds = scored.iter().map(|(_, seconds)| seconds).sum::<f64>();
        found.push(TaskGains {
            task: task.name.clone(),
            gains: scored.iter().map(|(gain, _)| *gain).collect(),
            seconds: seconds / panel.len() as f64,
        });
    }
    Ok(found)
}

/// The loss of a program on the one task of an evaluator; `None` where it cannot train it.
fn loss(evaluator: &OptimizerEvaluator, program: &Program) -> anyhow::Result<Option<f64>> {
    let outcome = evaluator.evaluate(&[Trial::of(program)]).pop();
    match outcome.expect("one outcome for one program") {
        Outcome::Failed { message } => anyhow::bail!(message),
        Outcome::Scored(score) => Ok(Some(score.losses[0])),
        _ => Ok(None),
    }
}

fn text(audit: &Audit) -> String {
    let trained = audit.targets.iter().flatten().count();
    let mut text = format!(
        "{} programs, {trained} of which train every target; Kendall's tau-b of their ranks by \
         fitness and by gain on the targets:\n",
        audit.panel.len()
    );
    if let Some(tau) = audit.agreement {
        let (value, low, high) = (tau.value, tau.low, tau.high);
        text = format!(
            "the target tasks among themselves, every other against the rest: tau {value:.2}, \
             {low:.2} to {high:.2}\n{text}"
        );
    }
    text += &table("way to score", audit.ways.iter().map(|it| (&it.way, &it.whole)));
    for (title, of) in [("each task alone", true), ("all tasks but one", false)] {
        let Some(first) = audit.ways.first() else { continue };
        let rows = if of { &first.alone } else { &first.without };
        if !rows.is_empty() {
            text += &format!("\n{title}, {}:\n", first.way);
            text += &table("task", rows.iter().map(|(task, trust)| (task, trust)));
        }
    }
    text += "\nlead: by how much the fittest is ahead of the median; a task whose lead is many times \
             the others' decides\nalone. seconds: an evaluation, one thread. regret: by how much \
             the best of the panel is better on the targets\nthan the best of the first so many by \
             fitness. Intervals are bootstrapped over the panel.\n";
    text
}

fn table<'a>(heading: &str, rows: impl Iterator<Item = (&'a String, &'a Trust)>) -> String {
    let regrets = AUDIT_TOP.map(|k| format!("regret@{k}"));
    let headings = [heading, "train", "tau", "95%", "lead", "seconds"].map(str::to_owned);
    let mut cells = vec![headings.into_iter().chain(regrets).collect()];
    for (name, trust) in rows {
        let (tau, interval) = match trust.tau {
            None => ("-".to_owned(), String::new()),
            Some(tau) => {
                (format!("{:.2}", tau.value), format!("{:.2} to {:.2}", tau.low, tau.high))
            }
        };
        let regrets = trust.regret.map(|it| it.map_or("-".to_owned(), |it| format!("{it:.3}")));
        let lead = trust.lead.map_or("-".to_owned(), |it| format!("{it:.2}"));
        let (trained, seconds) = (trust.trained.to_string(), format!("{:.3}", trust.seconds));
        let numbers = [trained, tau, interval, lead, seconds];
        cells.push([name.clone()].into_iter().chain(numbers).chain(regrets).collect());
    }
    output::table(&cells)
}
