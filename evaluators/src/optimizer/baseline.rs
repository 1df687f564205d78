//! Baselines: AdamW tuned on a task, the loss a program has to beat.
//!
//! Invariant: tuning is a fixed grid, judged by the very runs programs are judged by, so it is
//! deterministic and tuned AdamW scores a fitness of 0 on its task. Tuning by a random search would
//! hand the search a baseline that depends on luck.

use std::path::Path;

use evo_dsl::{Executor, Program};

use super::proxy_task::ProxyTask;
use super::training::mean_loss;
use crate::{EvaluatorError, OptimizerConfig, TaskConfig};

/// AdamW at its best on a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// Peak incoming learning rate; AdamW's own is 0.001 times this.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Mean validation loss over the task's runs.
    pub loss: f64,
}

/// Incoming learning rates tried: AdamW's own from 0.0005 to 0.064 in steps of two.
const LEARNING_RATES: [f64; 8] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

const WEIGHT_DECAYS: [f64; 3] = [0.0, 0.01, 0.1];

/// AdamW of the zoo with another weight decay.
fn adamw(weight_decay: f64) -> Program {
    let zoo = evo_dsl::zoo::get("adamw").expect("AdamW is in the zoo");
    let text = zoo.text.replace("w * 0.01", &format!("w * {weight_decay:?}"));
    Program::parse(&text).expect("the text is the zoo's, with another number")
}

impl OptimizerConfig {
    /// Tunes AdamW on `task` with the runs this configuration asks for.
    ///
    /// Costs 24 times what one program costs on the task. Where settings tie, the first of the grid
    /// (lower weight decay, then lower learning rate) is kept.
    ///
    /// # Errors
    /// A task that cannot be trained or loaded, with a key path that starts inside the task;
    /// [`EvaluatorError::NoBaseline`] when every setting diverges.
    pub fn tune_baseline(
        &self,
        task: &TaskConfig,
        base_dir: &Path,
    ) -> Result<Baseline, EvaluatorError> {
        let proxy_task = ProxyTask::load(task, base_dir, self.data_seed)?;
        let mut best: Option<Baseline> = None;
        for weight_decay in WEIGHT_DECAYS {
            let program = adamw(weight_decay);
            for learning_rate in LEARNING_RATES {
                let multiples = &self.learning_rate_multiples;
                let runs = proxy_task.runs(learning_rate, multiples, self.repeats.get());
                let fresh = || Executor::new(&program, &proxy_task.layout);
                let Ok(loss) = mean_loss(&proxy_task, &runs, self.divergence, fresh)? else {
                    continue;
                };
                if best.is_none_or(|best| loss < best.loss) {
                    best = Some(Baseline { learning_rate, weight_decay, loss });
                }
            }
        }
        best.ok_or_else(|| EvaluatorError::NoBaseline { task: task.name.clone() })
    }

    /// Fills every missing `learning_rate` and `baseline_loss` by tuning AdamW; the others stay.
    ///
    /// # Errors
    /// As for [`OptimizerConfig::check`] and [`OptimizerConfig::tune_baseline`], with key paths that
    /// start in this configuration.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tuned_program_is_the_zoos_adamw() {
        let zoo = evo_dsl::zoo::get("adamw").expect("a zoo entry").program();
        assert_eq!(adamw(0.01).to_string(), zoo.to_string());
        assert_ne!(adamw(0.1).to_string(), zoo.to_string());
    }
}
