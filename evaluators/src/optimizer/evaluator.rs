//! The optimizer evaluator: trains every task with a program and compares with tuned AdamW.
//!
//! Invariant: evaluating changes nothing in the evaluator, so threads share one; the same program
//! gives the same bits alone, in a cohort, and on any thread. Cohort members are trained one after
//! another: measured on CPUs, training them as one batched network is slower for all but the
//! tiniest networks. With [`Lanes`], which is for accelerators, they are trained as one.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use evo_dsl::Program;

use super::config::keyed;
use super::judgement::{AtMultiple, best_multiple};
use super::lanes::{LaneRuns, LaneTask, Lanes, train_lanes};
use super::partial::Abreast;
use super::progress::Progress;
use super::proxy_task::{ProxyTask, Run, repeats_anew};
use super::scoring::{Rates, Scoring};
use super::stated::stated_steps;
use super::training::Watching;
use crate::task::MOST_WEIGHTS;
use crate::{
    DependsOn, Evaluator, EvaluatorError, OptimizerConfig, Outcome, Score, TaskConfig, Trial,
};

/// Scores programs of the optimizer domain by training proxy networks with them.
///
/// The fitness is the mean over the tasks of ln(baseline loss / loss), at most 2 for each, a
/// task's loss being the mean validation loss over its runs (in nats where it is a cross-entropy):
/// one for each learning rate multiple and repeat, unless the [`Scoring`] says otherwise. A trial
/// that is not the first of its behaviour has as many runs with other weights and batches. Tasks
/// are trained in order of the configuration; behind each of its stages the mean so far has to
/// clear the trial's hurdle.
#[derive(Debug)]
pub struct OptimizerEvaluator {
    tasks: Vec<Contest>,
    /// Numbers of tasks after which a hurdle is tested.
    stages: Vec<usize>,
    /// Shares of the steps of each task behind which one is tested.
    within: Vec<f64>,
    divergence: f64,
    /// Factors of each task's learning rate.
    multiples: Vec<f64>,
    scoring: Scoring,
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
    task: Arc<ProxyTask>,
    learning_rate: f64,
    runs: Vec<Run>,
    /// Runs with each multiple, one after the other.
    repeats: usize,
    baseline_loss: f64,
    /// Where the runs are validated on their way.
    stated: Vec<u64>,
}

impl OptimizerEvaluator {
    /// The evaluator of the tasks that a search sees. Loads their data; relative paths start at
    /// `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] or [`EvaluatorError::Data`], with a key path that starts in
    /// `config`; a task whose `learning_rate` or `baseline_loss` is missing is one of them (see
    /// [`OptimizerConfig::resolve_baselines`]).
    pub fn new(config: &OptimizerConfig, base_dir: &Path) -> Result<Self, EvaluatorError> {
        config.check()?;
        let contests = keyed("tasks", &config.tasks).map(|(key, task)| {
            Contest::load(task, config, base_dir).map_err(|error| error.within(&key))
        });
        let stages = config.stages.clone();
        Ok(Self { stages, ..Self::of(contests.collect::<Result<_, _>>()?, config) })
    }

    /// The evaluator of one task as this configuration trains it; errors name keys inside the task.
    pub(super) fn of_task(
        task: &TaskConfig,
        config: &OptimizerConfig,
        base_dir: &Path,
    ) -> Result<Self, EvaluatorError> {
        Ok(Self::of(vec![Contest::load(task, config, base_dir)?], config))
    }

    fn of(tasks: Vec<Contest>, config: &OptimizerConfig) -> Self {
        Self {
            tasks,
            stages: Vec::new(),
            within: Vec::new(),
            divergence: config.divergence,
            multiples: config.learning_rate_multiples.clone(),
            scoring: config.scoring.clone(),
            laned: None,
        }
    }

    /// The evaluator of the same tasks with the runs of one repeat, whole evaluations without
    /// stages and stated steps.
    pub(super) fn on_repeat(&self, repeat: u32) -> Self {
        let multiples = &self.multiples;
        let contest = |contest: &Contest| Contest {
            task: Arc::clone(&contest.task),
            runs: contest.task.runs(
                contest.learning_rate,
                multiples,
                repeat..repeat + 1,
                &self.scoring,
            ),
            repeats: 1,
            stated: Vec::new(),
            ..*contest
        };
        Self {
            tasks: self.tasks.iter().map(contest).collect(),
            stages: Vec::new(),
            within: Vec::new(),
            divergence: self.divergence,
            multiples: multiples.clone(),
            scoring: self.scoring.clone(),
            laned: None,
        }
    }

    /// The evaluator of the tasks of all these, in order: whole evaluations without stages and
    /// stated steps, on the very runs of each. `None` of none.
    pub(super) fn together(evaluators: &[Self]) -> Option<Self> {
        let first = evaluators.first()?;
        let contests = evaluators.iter().flat_map(|evaluator| &evaluator.tasks);
        let contest = |contest: &Contest| Contest {
            task: Arc::clone(&contest.task),
            runs: contest.runs.clone(),
            stated: Vec::new(),
            ..*contest
        };
        Some(Self {
            tasks: contests.map(contest).collect(),
            stages: Vec::new(),
            within: Vec::new(),
            divergence: first.divergence,
            multiples: first.multiples.clone(),
            scoring: first.scoring.clone(),
            laned: None,
        })
    }

    /// The same evaluator with stages at these shares of the steps of each task too, in (0, 1) and
    /// rising: behind each, the fitness so far, with the partial loss for that on the task, has to
    /// clear the trial's hurdle. The runs on a task are then in memory together.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] where those are too many for networks of that size.
    pub fn within(self, shares: &[f64]) -> Result<Self, EvaluatorError> {
        for (index, contest) in self.tasks.iter().enumerate().filter(|_| !shares.is_empty()) {
            let (weights, runs) = (contest.task.layout.len(), contest.runs.len());
            if weights as f64 * runs as f64 > MOST_WEIGHTS {
                let message = format!(
                    "has {weights} weights, and hurdles inside of tasks hold {runs} runs of it in \
                     memory: at most {MOST_WEIGHTS} together"
                );
                return Err(EvaluatorError::config(format!("tasks[{index}].model"), message));
            }
        }
        Ok(Self { within: shares.to_vec(), ..self })
    }

    /// The same evaluator training cohorts with lanes.
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

    /// The multiple at which a score of this evaluator is best, the same on all tasks; of several
    /// that are, the first.
    pub fn best_multiple(&self, score: &Score) -> AtMultiple {
        let baselines: Vec<f64> = self.tasks.iter().map(|contest| contest.baseline_loss).collect();
        best_multiple(&self.multiples, &baselines, &score.runs)
    }

    /// The runs of an evaluation on a task: those of the first, or as many with other repeats.
    fn runs<'a>(&self, contest: &'a Contest, evaluation: u32) -> Cow<'a, [Run]> {
        if evaluation == 0 {
            return Cow::Borrowed(&contest.runs);
        }
        let repeats = u32::try_from(contest.repeats).expect("a configuration states it as one");
        let (rate, repeats) = (contest.learning_rate, repeats_anew(evaluation, repeats));
        Cow::Owned(contest.task.runs(rate, &self.multiples, repeats, &self.scoring))
    }

    fn outcome(&self, trial: Trial<'_>) -> Outcome {
        let mut progress = Progress::new(trial, self.scoring.rates.measure());
        for contest in &self.tasks {
            match self.go_on(contest, &mut progress) {
                Ok(None) => {}
                Ok(Some(outcome)) => return outcome,
                Err(error) => return failed(&error),
            }
        }
        progress.score()
    }

    /// Trains the next task; the outcome where the evaluation ends there.
    fn go_on(
        &self,
        contest: &Contest,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Outcome>, EvaluatorError> {
        let trial = progress.trial();
        let runs = self.runs(contest, trial.repeat);
        let watching = self.watching(contest);
        let rates = self.scoring.rates;
        if self.within.is_empty() {
            let runs = (&runs[..], contest.repeats);
            let trained = rates.train(&contest.task, trial.program, runs, watching)?;
            return Ok(progress.absorb(trained, contest.baseline_loss, &self.stages));
        }
        let parts = rates.parts(&runs, contest.repeats);
        let mut abreast = Abreast::start(&contest.task, trial.program, parts, watching)?;
        for place in 0..self.within.len() {
            let stopped = progress.pass(abreast.loss_at(place)?, contest.baseline_loss);
            if stopped.is_some() {
                return Ok(stopped);
            }
        }
        Ok(progress.absorb(abreast.ending()?, contest.baseline_loss, &self.stages))
    }

    fn watching<'a>(&'a self, contest: &'a Contest) -> Watching<'a> {
        let (divergence, loss) = (self.divergence, self.scoring.loss);
        Watching { divergence, stated: &contest.stated, within: &self.within, loss }
    }

    /// The outcomes of a cohort trained with lanes. Those left after a task are grouped anew, so
    /// that no lane is filled up which a candidate could have.
    fn outcomes_with_lanes(&self, cohort: &[Trial<'_>], laned: &Laned) -> Vec<Outcome> {
        let _alone = laned.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let measure = self.scoring.rates.measure();
        let begun = cohort.iter().map(|&trial| Progress::new(trial, measure));
        let mut progress: Vec<Progress<'_>> = begun.collect();
        let mut outcomes: Vec<Option<Outcome>> = vec![None; cohort.len()];
        for (contest, lane_task) in self.tasks.iter().zip(&laned.tasks) {
            let left = (0..cohort.len()).filter(|&at| outcomes[at].is_none());
            for group in groups(cohort, left.collect(), laned.lanes.count.get()) {
                let programs: Vec<&Program> =
                    group.iter().map(|&at| progress[at].trial().program).collect();
                let runs = self.runs(contest, cohort[group[0]].repeat);
                let watching = self.watching(contest);
                let trained = contest.train_lanes(
                    (&programs, &runs),
                    (lane_task, &laned.lanes),
                    watching,
                    self.scoring.rates,
                );
                match trained {
                    Ok(runs) => {
                        for (&at, trained) in group.iter().zip(runs) {
                            let LaneRuns { runs, partial } = trained;
                            let (progress, baseline) = (&mut progress[at], contest.baseline_loss);
                            let mut partial = partial.into_iter();
                            let stopped = partial.find_map(|loss| progress.pass(loss, baseline));
                            outcomes[at] =
                                stopped.or_else(|| progress.absorb(runs, baseline, &self.stages));
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

/// Members of a cohort, by their places, as they are trained together: no more than there are
/// lanes, and all with the same repeat, since the lanes of a run read the same batches.
fn groups(cohort: &[Trial<'_>], mut members: Vec<usize>, lanes: usize) -> Vec<Vec<usize>> {
    let repeat = |at: &usize| cohort[*at].repeat;
    members.sort_by_key(repeat);
    let of_one = members.chunk_by(|a, b| repeat(a) == repeat(b));
    of_one.flat_map(|members| members.chunks(lanes)).map(<[usize]>::to_vec).collect()
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

    /// Two programs that differ in the scale of their updates are normalised to updates that differ
    /// in the last bit, and training amplifies that.
    fn depends_on(&self) -> DependsOn {
        match self.scoring.normalise_updates {
            true => DependsOn::Structure,
            false => DependsOn::Behaviour,
        }
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
        Ok(Self {
            runs: task.runs(
                learning_rate,
                &all.learning_rate_multiples,
                0..all.repeats.get(),
                &all.scoring,
            ),
            repeats: all.repeats.get() as usize,
            learning_rate,
            baseline_loss,
            stated: stated_steps(&all.loss_at, task.steps),
            task: Arc::new(task),
        })
    }

    /// What the runs come to with each of `programs`, no more of them than lanes, trained as one
    /// cohort.
    fn train_lanes(
        &self,
        (programs, runs): (&[&Program], &[Run]),
        (lane_task, lanes): (&LaneTask, &Lanes),
        watching: Watching<'_>,
        rates: Rates,
    ) -> Result<Vec<LaneRuns>, EvaluatorError> {
        let mut parts: Vec<Vec<LaneRuns>> = programs.iter().map(|_| Vec::new()).collect();
        for runs in rates.parts(runs, self.repeats) {
            let trained = train_lanes(&self.task, lane_task, runs, programs, lanes, watching)?;
            parts.iter_mut().zip(trained).for_each(|(parts, part)| parts.push(part));
        }
        Ok(parts.into_iter().map(|parts| LaneRuns::joined(&self.task.name, parts)).collect())
    }
}
