//! The optimizer evaluator: trains every task with a program and compares with tuned AdamW.
//!
//! Invariant: evaluating changes nothing in the evaluator, so threads share one; the same program
//! gives the same bits alone, in a cohort, and on any thread. Cohort members are trained one after
//! another: measured on CPUs, training them as one batched network is slower for all but the
//! tiniest networks. With [`Lanes`], which is for accelerators, they are trained as one.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use evo_dsl::{Executor, Program};

use super::config::keyed;
use super::judgement::{AtMultiple, best_multiple};
use super::lanes::{LaneTask, Lanes, lane_losses};
use super::progress::{Progress, gain};
use super::proxy_task::{ProxyTask, Run};
use super::training::{mean, run_losses};
use crate::{
    DependsOn, Evaluator, EvaluatorError, Invalid, OptimizerConfig, Outcome, Score, TaskConfig,
    Trial,
};

/// Scores programs of the optimizer domain by training proxy networks with them.
///
/// The fitness is the mean over the tasks of ln(baseline loss / loss), at most 2 for each, a
/// task's loss being the mean validation loss over its runs (in nats where it is a cross-entropy):
/// one for each learning rate multiple and repeat. Tasks are trained in order of the
/// configuration; behind each of its stages the mean so far has to clear the trial's hurdle.
#[derive(Debug)]
pub struct OptimizerEvaluator {
    tasks: Vec<Contest>,
    held_out: Vec<Contest>,
    /// Numbers of tasks after which a hurdle is tested.
    stages: Vec<usize>,
    divergence: f64,
    /// Factors of each task's learning rate.
    multiples: Vec<f64>,
    laned: Option<Laned>,
}

/// What training with lanes needs.
#[derive(Debug)]
struct Laned {
    lanes: Lanes,
    /// In the order of the tasks.
    tasks: Vec<LaneTask>,
    /// Held while a cohort is trained: two cohorts on one device gain nothing, and candle does not
    /// order what several threads do there.
    one_at_a_time: Mutex<()>,
}

/// A task, the runs on it, and the loss to beat.
#[derive(Debug)]
struct Contest {
    task: ProxyTask,
    runs: Vec<Run>,
    /// Runs that no search trains with, those of one repeat after those of another.
    fresh: Vec<Vec<Run>>,
    baseline_loss: f64,
}

impl OptimizerEvaluator {
    /// Loads the data of every task; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] or [`EvaluatorError::Data`], with a key path that starts in
    /// `config`; a task whose `learning_rate` or `baseline_loss` is missing is one of them (see
    /// [`OptimizerConfig::resolve_baselines`]).
    pub fn new(config: &OptimizerConfig, base_dir: &Path) -> Result<Self, EvaluatorError> {
        config.check()?;
        let contests = |list, tasks| {
            keyed(list, tasks)
                .map(|(key, task)| {
                    Contest::load(task, config, base_dir).map_err(|error| error.within(&key))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            tasks: contests("tasks", &config.tasks)?,
            held_out: contests("held_out", &config.held_out)?,
            stages: config.stages.clone(),
            divergence: config.divergence,
            multiples: config.learning_rate_multiples.clone(),
            laned: None,
        })
    }

    /// The same evaluator training cohorts with lanes. Held-out tasks stay where they are, on the
    /// CPU.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle cannot use the device.
    pub fn with_lanes(mut self, lanes: Lanes) -> Result<Self, EvaluatorError> {
        let tasks = self.tasks.iter().map(|contest| LaneTask::new(&contest.task, &lanes));
        let tasks = tasks.collect::<candle_core::Result<_>>()?;
        // What was copied is there for every thread.
        lanes.device.candle().synchronize()?;
        self.laned = Some(Laned { lanes, tasks, one_at_a_time: Mutex::new(()) });
        Ok(self)
    }

    /// The loss of `program` on each held-out task, or why it cannot train it, in order.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle refuses an operation.
    pub fn held_out_loss(
        &self,
        program: &Program,
    ) -> Result<Vec<Result<f64, Invalid>>, EvaluatorError> {
        let losses = self.held_out.iter().map(|contest| {
            let losses = contest.losses(&contest.runs, program, self.divergence)?;
            Ok(losses.map(|losses| mean(&losses)))
        });
        losses.collect()
    }

    /// The multiple at which a score of this evaluator is best, the same on all tasks; of several
    /// that are, the first.
    pub fn best_multiple(&self, score: &Score) -> AtMultiple {
        let baselines: Vec<f64> = self.tasks.iter().map(|contest| contest.baseline_loss).collect();
        best_multiple(&self.multiples, &baselines, &score.runs)
    }

    /// The fitness of `program` on each repeat that no search trains with, with initial weights and
    /// batches of its own, or why it cannot train a task there.
    ///
    /// # Errors
    /// [`EvaluatorError::Internal`] when candle refuses an operation.
    pub fn fresh_fitness(
        &self,
        program: &Program,
    ) -> Result<Result<Vec<f64>, Invalid>, EvaluatorError> {
        let repeats = self.tasks.first().map_or(0, |contest| contest.fresh.len());
        let mut found = Vec::with_capacity(repeats);
        for repeat in 0..repeats {
            let mut total = 0.0;
            for contest in &self.tasks {
                match contest.losses(&contest.fresh[repeat], program, self.divergence)? {
                    Ok(losses) => total += gain(contest.baseline_loss, mean(&losses)),
                    Err(invalid) => return Ok(Err(invalid)),
                }
            }
            found.push(total / self.tasks.len() as f64);
        }
        Ok(Ok(found))
    }

    fn outcome(&self, trial: Trial<'_>) -> Outcome {
        let mut progress = Progress::new(trial);
        for contest in &self.tasks {
            let outcome = match contest.losses(&contest.runs, trial.program, self.divergence) {
                Ok(losses) => progress.absorb(losses, contest.baseline_loss, &self.stages),
                Err(error) => Some(failed(&error)),
            };
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
        progress.score()
    }

    /// The outcomes of a cohort trained with lanes. Those left after a task are grouped anew, so
    /// that no lane is filled up which a candidate could have.
    fn outcomes_with_lanes(&self, cohort: &[Trial<'_>], laned: &Laned) -> Vec<Outcome> {
        let _alone = laned.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let mut progress: Vec<Progress<'_>> = cohort.iter().copied().map(Progress::new).collect();
        let mut outcomes: Vec<Option<Outcome>> = vec![None; cohort.len()];
        for (contest, lane_task) in self.tasks.iter().zip(&laned.tasks) {
            let left: Vec<usize> = (0..cohort.len()).filter(|&at| outcomes[at].is_none()).collect();
            for group in left.chunks(laned.lanes.count.get()) {
                let programs: Vec<&Program> =
                    group.iter().map(|&at| progress[at].trial().program).collect();
                let losses =
                    contest.lane_losses(&programs, lane_task, &laned.lanes, self.divergence);
                match losses {
                    Ok(losses) => {
                        for (&at, losses) in group.iter().zip(losses) {
                            let baseline_loss = contest.baseline_loss;
                            outcomes[at] = progress[at].absorb(losses, baseline_loss, &self.stages);
                        }
                    }
                    Err(error) => group.iter().for_each(|&at| outcomes[at] = Some(failed(&error))),
                }
            }
        }
        let ended = outcomes.into_iter().zip(progress);
        ended.map(|(outcome, progress)| outcome.unwrap_or_else(|| progress.score())).collect()
    }
}

fn failed(error: &EvaluatorError) -> Outcome {
    Outcome::Failed { message: error.to_string() }
}

impl Evaluator<Program> for OptimizerEvaluator {
    fn evaluate(&self, cohort: &[Trial<'_>]) -> Vec<Outcome> {
        match &self.laned {
            Some(laned) => self.outcomes_with_lanes(cohort, laned),
            None => cohort.iter().map(|&trial| self.outcome(trial)).collect(),
        }
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

impl Contest {
    fn load(
        config: &TaskConfig,
        all: &OptimizerConfig,
        base_dir: &Path,
    ) -> Result<Self, EvaluatorError> {
        let required = |key: &str, value: Option<f64>| {
            value.ok_or_else(|| {
                EvaluatorError::config(key, "is missing, and baselines have not been tuned")
            })
        };
        let learning_rate = required("learning_rate", config.learning_rate)?;
        let baseline_loss = required("baseline_loss", config.baseline_loss)?;
        let task = ProxyTask::load(config, base_dir, all.data_seed)?;
        let multiples = &all.learning_rate_multiples;
        let repeats = all.repeats.get();
        let fresh = repeats..repeats.saturating_add(all.fresh_repeats);
        Ok(Self {
            runs: task.runs(learning_rate, multiples, 0..repeats),
            fresh: fresh.map(|it| task.runs(learning_rate, multiples, it..it + 1)).collect(),
            task,
            baseline_loss,
        })
    }

    /// The losses of `program` on some runs of the task, or why it cannot train one.
    fn losses(
        &self,
        runs: &[Run],
        program: &Program,
        divergence: f64,
    ) -> Result<Result<Vec<f64>, Invalid>, EvaluatorError> {
        run_losses(&self.task, runs, divergence, |run| {
            Executor::new(&run.program(program), &self.task.layout)
        })
    }

    /// The losses of `programs`, no more of them than lanes, trained as one cohort.
    fn lane_losses(
        &self,
        programs: &[&Program],
        lane_task: &LaneTask,
        lanes: &Lanes,
        divergence: f64,
    ) -> Result<Vec<Result<Vec<f64>, Invalid>>, EvaluatorError> {
        lane_losses(&self.task, lane_task, &self.runs, programs, lanes, divergence)
    }
}
