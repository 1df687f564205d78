//! `evo simplify --config`: a shorter program that is as good on tasks that no search saw, to
//! within a tolerance.
//!
//! Invariant: every step is judged against the program as it came, so that small costs do not add
//! up beyond the tolerance, and by seeds that no tuning saw. It is kept where chance leaves at most
//! one case in forty that it costs more, at the end of the runs or over their second half: what
//! only saves steps ends no lower, and would be dropped by final losses alone. A program that is
//! made again, or interrupted and made again, comes out alike: each study is kept as soon as it is
//! done.

use std::num::NonZeroUsize;
use std::path::Path;

use evo::{
    Estimate, Hash, Knobs, Program, Reduction, Rounding, Seed, Setting, StudiedTask, Study,
    StudyConfig, funnel_mean, load_studies, parallel_map, reductions, simplify, structural_hash,
};
use serde::Serialize;

use super::folder::Folder;
use crate::args::SimplifyArgs;
use crate::command::place;
use crate::command::studies::{self, StudyKey, StudyStore};
use crate::exit_code::ExitCode;
use crate::output;

/// How often all reductions are gone through, as long as some is kept.
pub(super) const PASSES: usize = 3;

/// The most that a short program may cost where nothing else is said.
const TOLERANCE: f64 = 0.01;

/// How often constants are varied where nothing else is said.
const RETUNE: u32 = 30;

/// A step that was tried.
#[derive(Serialize)]
struct Step {
    step: String,
    live_length: usize,
    #[serde(flatten)]
    costs: Costs,
    kept: bool,
}

/// By how much less is gained than by the program as it came, in ln(loss), with intervals of 95%;
/// `None` where it does not train.
#[derive(Clone, Copy, Serialize)]
struct Costs {
    /// At the end of the runs.
    cost: Option<Estimate>,
    /// Over the second half of the runs.
    cost_on_the_way: Option<Estimate>,
}

impl Costs {
    fn are_within(&self, tolerance: f64) -> bool {
        [self.cost, self.cost_on_the_way].iter().all(|it| it.is_some_and(|it| it.high <= tolerance))
    }

    /// The larger of the two; `None` where it does not train.
    fn value(&self) -> Option<f64> {
        Some(self.cost?.value.max(self.cost_on_the_way?.value))
    }
}

/// What all studies here have in common.
struct Bench<'a> {
    config: &'a StudyConfig,
    tasks: Vec<BenchTask<'a>>,
    store: StudyStore,
    threads: NonZeroUsize,
}

/// A task, its fingerprint, and the setting of the program as it came.
struct BenchTask<'a> {
    name: &'a str,
    task: &'a StudiedTask,
    fingerprint: Hash,
    setting: Setting,
}

pub(super) fn run(args: &SimplifyArgs, config: &Path) -> anyhow::Result<ExitCode> {
    let program = evo::load_program(&args.program, "".as_ref())?;
    let (mut config, tasks) = load_studies(config, &args.overrides)?;
    config.tuning.hyperparameters = 0;
    let folder = Folder::open(args, "simplified.json", &program.to_string(), &config)?;
    let bench = Bench::new(&config, &tasks, folder.path(), place::cores(args.threads), &program)?;
    let own = bench.study(&program)?;
    let mut steps = Vec::new();
    let start = simplify(&program, Rounding::Exact).program.live();
    let tolerance = args.tolerance.unwrap_or(TOLERANCE);
    let short = bench.reduce(start, &own, tolerance, &mut steps)?;
    let tuned = bench.retune(&short, &own, args.retune.unwrap_or(RETUNE), &mut steps)?;
    let whole = serde_json::json!({
        "tolerance": tolerance, "steps": steps,
        "program": tuned.to_string(), "live_length": tuned.live_length(), "config": config,
    });
    folder.write(whole, &tuned.to_string())?;
    output::print(&text(&program, &tuned, &steps, tolerance))?;
    Ok(ExitCode::SUCCESS)
}

impl<'a> Bench<'a> {
    /// Tunes the program as it came on every task.
    fn new(
        config: &'a StudyConfig,
        tasks: &'a [StudiedTask],
        folder: &Path,
        threads: NonZeroUsize,
        program: &Program,
    ) -> anyhow::Result<Bench<'a>> {
        let named = [("as it came".to_owned(), program.clone())];
        let found = studies::of(folder, (config, tasks), &named, threads, false)?;
        let all = config.tasks.iter().zip(tasks).zip(&found[0]);
        let tasks = all.map(|((config_task, task), study)| {
            Ok(BenchTask {
                name: &config_task.name,
                task,
                fingerprint: config.fingerprint(config_task, "".as_ref())?,
                setting: study.tried[study.best].setting.clone(),
            })
        });
        let tasks = tasks.collect::<anyhow::Result<_>>()?;
        Ok(Bench { config, tasks, store: StudyStore::open(folder)?, threads })
    }

    /// The studies of a program near the settings of the one that came.
    fn study(&self, program: &Program) -> anyhow::Result<Vec<Study>> {
        let studies = parallel_map(self.threads, &self.tasks, |it| {
            let key = StudyKey::near(program, it.fingerprint, &it.setting);
            let make = || it.task.study_near(program, &it.setting);
            self.store.get_or_make(key, "reduction", it.name, make)
        });
        studies.into_iter().collect()
    }

    /// By how much less a program gains than the one that came.
    fn costs(&self, program: &Program, own: &[Study]) -> anyhow::Result<Costs> {
        let studies = self.study(program)?;
        let mean = |gains: fn(&Study, &Study) -> Option<Vec<f64>>| {
            let costs = studies.iter().zip(own).map(|(study, own)| gains(own, study));
            funnel_mean(&costs.collect::<Vec<Option<Vec<f64>>>>())
        };
        Ok(Costs {
            cost: mean(Study::gains_over),
            cost_on_the_way: mean(Study::gains_on_the_way_over),
        })
    }

    /// Goes through the reductions of a program, and of what is left of it.
    fn reduce(
        &self,
        mut program: Program,
        own: &[Study],
        tolerance: f64,
        steps: &mut Vec<Step>,
    ) -> anyhow::Result<Program> {
        for _ in 0..PASSES {
            let before = structural_hash(&program);
            let (mut place, mut left) = (0, reductions(&program));
            while let Some(Reduction { step, program: shorter }) = left.get(place).cloned() {
                let costs = self.costs(&shorter, own)?;
                let kept = costs.are_within(tolerance);
                note(steps, Step { step, live_length: shorter.live_length(), costs, kept });
                if kept {
                    program = shorter;
                    left = reductions(&program);
                } else {
                    place += 1;
                }
            }
            if structural_hash(&program) == before {
                break;
            }
        }
        Ok(program)
    }

    /// Varies the constants of a program, keeping what tuning finds better, and then all of it
    /// where other seeds agree.
    fn retune(
        &self,
        program: &Program,
        own: &[Study],
        times: u32,
        steps: &mut Vec<Step>,
    ) -> anyhow::Result<Program> {
        let knobs = Knobs::of(program, u32::MAX);
        let (mut best, mut lowest) = (knobs.own(), self.tuned_loss(program)?);
        for index in 0..times {
            let varied = knobs.varied(&best, index, Seed(self.config.data_seed).derive("retune"));
            let varied = Setting { learning_rate: 1.0, weight_decay: best.weight_decay, ..varied };
            let loss = self.tuned_loss(&knobs.program(&varied))?;
            if loss < lowest {
                (best, lowest) = (varied, loss);
            }
        }
        let tuned = knobs.program(&best);
        if structural_hash(&tuned) == structural_hash(program) {
            return Ok(program.clone());
        }
        let (before, costs) = (self.costs(program, own)?, self.costs(&tuned, own)?);
        let kept = costs.value().zip(before.value()).is_some_and(|(cost, before)| cost < before);
        let step = format!("constants varied {times} times");
        note(steps, Step { step, live_length: tuned.live_length(), costs, kept });
        Ok(if kept { tuned } else { program.clone() })
    }

    /// The mean over tasks of ln(loss) on the seeds of tuning; infinite where one does not train.
    fn tuned_loss(&self, program: &Program) -> anyhow::Result<f64> {
        let losses = self.study(program)?;
        let of_task = |study: &Study| study.tried[study.best].loss.map_or(f64::INFINITY, libm::log);
        Ok(losses.iter().map(of_task).sum::<f64>() / losses.len() as f64)
    }
}

fn note(steps: &mut Vec<Step>, step: Step) {
    let (verdict, cost) = (if step.kept { "kept" } else { "left" }, cost_text(step.costs.cost));
    let way = cost_text(step.costs.cost_on_the_way);
    let length = step.live_length;
    eprintln!("{verdict}: {} ({cost}; on the way {way}; {length} statements)", step.step);
    steps.push(step);
}

fn cost_text(cost: Option<Estimate>) -> String {
    cost.map_or("does not train".to_owned(), |it| {
        format!("{:+.4}, {:+.4} to {:+.4}", it.value, it.low, it.high)
    })
}

fn text(program: &Program, tuned: &Program, steps: &[Step], tolerance: f64) -> String {
    let headings = ["kept", "statements", "cost", "95%", "on the way", "95%"];
    let headings = headings.map(str::to_owned).to_vec();
    let rows = steps.iter().filter(|step| step.kept).map(|step| {
        let costs = [step.costs.cost, step.costs.cost_on_the_way].into_iter().flatten();
        let cells = costs.flat_map(|it| {
            [format!("{:+.4}", it.value), format!("{:+.4} to {:+.4}", it.low, it.high)]
        });
        [step.step.clone(), step.live_length.to_string()].into_iter().chain(cells).collect()
    });
    let table = output::table(&std::iter::once(headings).chain(rows).collect::<Vec<_>>());
    format!(
        "{tuned}\n{table}\n{} steps were tried; live statements: {} before, {} now. cost: mean of \
         ln(loss / loss of the\nprogram as it came), at the end and over the second half of the \
         runs, each at most {tolerance} with\nconfidence; each tuned near the settings of the \
         latter.\n",
        steps.len(),
        program.live_length(),
        tuned.live_length(),
    )
}
