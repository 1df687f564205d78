//! Baselines: AdamW tuned on a task, the loss a program has to beat.
//!
//! Invariant: tuning tries every setting of a [`Grid`], judged by the very runs programs are judged
//! by, so it is deterministic, whatever the number of threads, and tuned AdamW scores a fitness of
//! 0 on its task. Where the best of several multiples counts, many learning rates come to the same
//! runs under other multiples, and the luckiest may be far from AdamW's best: the rate is one at
//! which the multiple nearest to 1 is the best.

use std::num::NonZeroUsize;
use std::path::Path;

use super::grid::{Grid, Setting};
use super::progress::gain;
use super::proxy_task::ProxyTask;
use super::rates::tuned_runs;
use super::scoring::Rates;
use super::training::Watching;
use crate::{EvaluatorError, Invalid, OptimizerConfig, TaskConfig, TaskRuns, parallel_map};

/// An optimizer at its best on a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// What every update is multiplied by, on top of the schedule; AdamW's own learning rate is at
    /// most 0.001 times this.
    pub learning_rate: f64,
    /// Decoupled weight decay; `None` for a program without.
    pub weight_decay: Option<f64>,
    /// Mean validation loss over the task's runs.
    pub loss: f64,
}

impl Baseline {
    /// What another optimizer's loss on the task adds to a fitness measured against this.
    pub fn gain(&self, loss: f64) -> f64 {
        gain(self.loss, loss)
    }
}

/// Whether another multiple than that nearest to 1 is the best where the best counts, and the loss
/// of a setting; or why it has none.
type Tried = Result<Result<(bool, f64), Invalid>, EvaluatorError>;

impl OptimizerConfig {
    /// Tunes a program on `task` over its grid, several settings at a time, with the runs this
    /// configuration asks for.
    ///
    /// Costs as many times what the program costs on the task as the grid has settings. Where
    /// settings tie, the first of the grid (lower weight decay, then lower learning rate) is kept.
    ///
    /// # Errors
    /// A task that cannot be trained or loaded, with a key path that starts inside the task;
    /// [`EvaluatorError::NoBaseline`] when every setting diverges.
    pub fn tune(
        &self,
        grid: &Grid,
        task: &TaskConfig,
        base_dir: &Path,
        threads: NonZeroUsize,
    ) -> Result<Baseline, EvaluatorError> {
        let proxy_task = ProxyTask::load(task, base_dir, self.data_seed)?;
        let settings = grid.settings();
        let tried = parallel_map(threads, &settings, |it| self.try_setting(&proxy_task, it));
        let mut best: Option<(bool, Baseline)> = None;
        for (setting, tried) in settings.iter().zip(tried) {
            let Ok((aside, loss)) = tried? else { continue };
            let &Setting { learning_rate, weight_decay, .. } = setting;
            if best.is_none_or(|(was, best)| (aside, loss) < (was, best.loss)) {
                best = Some((aside, Baseline { learning_rate, weight_decay, loss }));
            }
        }
        let best = best.map(|(_, baseline)| baseline);
        best.ok_or_else(|| EvaluatorError::NoBaseline { task: task.name.clone() })
    }

    fn try_setting(&self, task: &ProxyTask, setting: &Setting<'_>) -> Tried {
        let multiples = &self.learning_rate_multiples;
        let (repeats, scoring) = (self.repeats.get(), &self.scoring);
        let runs = task.runs(setting.learning_rate, multiples, 0..repeats, scoring);
        let watching =
            Watching { divergence: self.divergence, stated: &[], within: &[], loss: scoring.loss };
        let runs = (&runs[..], repeats as usize);
        let trained = scoring.rates.train(task, setting.program, runs, watching)?;
        Ok(trained.map(|runs| {
            let aside = scoring.rates == Rates::Best && best_multiple(&runs) != nearest(multiples);
            (aside, scoring.rates.measure()(&runs))
        }))
    }

    /// Tunes AdamW on `task`, on this thread.
    ///
    /// # Errors
    /// As for [`OptimizerConfig::tune`].
    pub fn tune_baseline(
        &self,
        task: &TaskConfig,
        base_dir: &Path,
    ) -> Result<Baseline, EvaluatorError> {
        self.tune(&Grid::adamw(), task, base_dir, NonZeroUsize::MIN)
    }

    /// Fills every missing `learning_rate` and `baseline_loss` by tuning AdamW; the others stay.
    ///
    /// # Errors
    /// As for [`OptimizerConfig::check`] and [`OptimizerConfig::tune_baseline`], with key paths
    /// that start in this configuration.
    pub fn resolve_baselines(&mut self, base_dir: &Path) -> Result<(), EvaluatorError> {
        self.check()?;
        for (list, held_out) in [("tasks", false), ("held_out", true)] {
            let tasks = if held_out { &self.held_out } else { &self.tasks };
            let mut tasks = tasks.clone();
            for (index, task) in tasks.iter_mut().enumerate() {
                if task.learning_rate.is_some() && task.baseline_loss.is_some() {
                    continue;
                }
                let baseline = self
                    .tune_baseline(task, base_dir)
                    .map_err(|error| error.within(&format!("{list}[{index}]")))?;
                task.learning_rate.get_or_insert(baseline.learning_rate);
                task.baseline_loss.get_or_insert(baseline.loss);
            }
            *(if held_out { &mut self.held_out } else { &mut self.tasks }) = tasks;
        }
        Ok(())
    }
}

/// The multiple with the lowest mean loss; `None` of no runs.
fn best_multiple(runs: &TaskRuns) -> Option<f64> {
    tuned_runs(runs).first().map(|run| run.multiple)
}

/// The multiple nearest to 1, by its ratio; of several the first.
fn nearest(multiples: &[f64]) -> Option<f64> {
    let distance = |multiple: &f64| libm::log(*multiple).abs();
    multiples.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))
}
