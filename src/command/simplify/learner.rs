//! `evo simplify` of a learner: exactly, or with a configuration to what is as good on tasks that
//! no search was scored by, to within a tolerance.
//!
//! Invariant: every step is judged on the tasks to select by against the learner as it came, so
//! that small costs do not add up beyond the tolerance; on the final tasks nothing is decided. A
//! fitness has no chance in it, the tasks being given, so none is kept for later: all of it is made
//! again in seconds.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use evo::{
    Bootstrap, Estimate, LearnerJudges, LearnerProgram, LearnerSearch, Seed, learner_reductions,
};
use serde::Serialize;

use super::evidence::PASSES;
use super::folder::Folder;
use crate::args::{RoundingArg, SimplifyArgs};
use crate::command::learners::Judged;
use crate::command::place;
use crate::exit_code::ExitCode;
use crate::output;

/// The most that a short learner may cost where nothing else is said.
const TOLERANCE: f64 = 0.001;

/// What a step was and came to.
#[derive(Serialize)]
struct Step {
    step: String,
    length: usize,
    /// The mean fitness on the tasks to select by.
    select: f64,
    /// By how much less that is than of the learner as it came, with an interval of 95% over the
    /// tasks; `None` where there is one task.
    cost: Option<Estimate>,
    kept: bool,
}

pub(super) fn run(args: &SimplifyArgs) -> anyhow::Result<ExitCode> {
    if matches!(args.rounding, RoundingArg::Allow) {
        bail!("--rounding allow: learners are simplified exactly");
    }
    if args.retune.is_some() {
        bail!("--retune: the constants of learners are rounded, and not varied");
    }
    let program = evo::load_learner(&args.program, "".as_ref())?;
    match &args.config {
        Some(config) => by_evidence(args, config, &program),
        None => exactly(&program),
    }
}

fn exactly(program: &LearnerProgram) -> anyhow::Result<ExitCode> {
    let simplified = program.simplified();
    let (all, live) = (program.statements().len(), program.live().statements().len());
    let length = simplified.statements().len();
    let mut text = simplified.to_string();
    writeln!(text, "# statements: {all}, live: {live}, simplified: {length}")?;
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn by_evidence(
    args: &SimplifyArgs,
    config: &Path,
    program: &LearnerProgram,
) -> anyhow::Result<ExitCode> {
    let config = LearnerSearch::load(config, &args.overrides)?;
    let judges = config.judges()?;
    let tolerance = args.tolerance.unwrap_or(TOLERANCE);
    refuse_worthless(&args.program, program, &judges, tolerance)?;
    let folder = Folder::open(args, "simplified_learner.json", &program.to_string(), &config)?;
    let mut steps = Vec::new();
    let short = reduced(program, &judges, tolerance, &mut steps);
    let programs =
        [("as it came".to_owned(), program.clone()), ("short".to_owned(), short.clone())];
    let judged = Judged::of(&programs, &judges, place::cores(args.threads));
    let whole = serde_json::json!({
        "tolerance": tolerance, "steps": steps, "program": short.to_string(),
        "judged": judged, "config": config,
    });
    folder.write(whole, &short.to_string())?;
    output::print(&text(&short, &steps, &judged, tolerance))?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses a learner of which everything could go: no statement of it counts.
fn refuse_worthless(
    name: &str,
    program: &LearnerProgram,
    judges: &LearnerJudges,
    tolerance: f64,
) -> anyhow::Result<()> {
    let [own, empty] = [program, &LearnerProgram::empty()].map(|it| judges.select.fitness(it).0);
    if own - empty <= tolerance {
        bail!(
            "{name}: nothing of it counts: its fitness on the tasks to select by is {own:.6}, and \
             without any statement {empty:.6}, which the tolerance of {tolerance} allows"
        );
    }
    Ok(())
}

/// Goes through the reductions of a learner, and of what is left of it.
fn reduced(
    program: &LearnerProgram,
    judges: &LearnerJudges,
    tolerance: f64,
    steps: &mut Vec<Step>,
) -> LearnerProgram {
    let (own, on_tasks) = judges.select.fitness(program);
    let bootstrap = Bootstrap::new(Seed(0).derive("simplify"));
    let mut short = program.simplified();
    for _ in 0..PASSES {
        let before = short.structural_hash();
        let (mut place, mut left) = (0, learner_reductions(&short));
        while let Some(reduction) = left.get(place) {
            let shorter = reduction.program.clone();
            let (select, fitness) = judges.select.fitness(&shorter);
            let lost = on_tasks.iter().zip(&fitness).map(|(own, fitness)| own - fitness);
            let kept = own - select <= tolerance;
            steps.push(Step {
                step: reduction.step.clone(),
                length: shorter.statements().len(),
                select,
                cost: bootstrap.mean(&lost.collect::<Vec<f64>>()),
                kept,
            });
            if kept {
                short = shorter;
                (place, left) = (0, learner_reductions(&short));
            } else {
                place += 1;
            }
        }
        if short.structural_hash() == before {
            break;
        }
    }
    short
}

fn text(short: &LearnerProgram, steps: &[Step], judged: &Judged, tolerance: f64) -> String {
    let headings = ["kept", "statements", "select", "cost", "95%"].map(str::to_owned).to_vec();
    let rows = steps.iter().filter(|step| step.kept).map(|step| {
        let cost = step.cost.iter().flat_map(|it| {
            [format!("{:+.6}", it.value), format!("{:+.6} to {:+.6}", it.low, it.high)]
        });
        let length = step.length.to_string();
        let cells = [step.step.clone(), length, format!("{:.6}", step.select)];
        cells.into_iter().chain(cost).collect()
    });
    let table = output::table(&std::iter::once(headings).chain(rows).collect::<Vec<_>>());
    format!(
        "{short}\n{table}\n{}\n{} steps were tried. cost: by how much less the mean fitness on the \
         tasks to select by is than of\nthe learner as it came, at most {tolerance}; on the final \
         tasks nothing was decided.\n",
        judged.learner_table(),
        steps.len(),
    )
}
