//! Stated steps: where on its way a run is validated.
//!
//! Invariant: they follow from the shares of the configuration and the length of the task alone, so
//! all runs on it have their losses at the same steps. They decide what is looked at and never how
//! a run goes on: no fingerprint has them.

use crate::{EvaluatorError, OptimizerConfig, TaskConfig};

/// The numbers of steps that are nearest to shares of `steps`, from 1 to one less than all of them;
/// on a task too short to tell two shares apart, one step for both.
pub(super) fn stated_steps(shares: &[f64], steps: u64) -> Vec<u64> {
    let nearest = |share: &f64| (share * steps as f64).round() as u64;
    let inside =
        |step: u64| steps.checked_sub(1).filter(|&last| last > 0).map(|it| step.clamp(1, it));
    let mut stated: Vec<u64> = shares.iter().map(nearest).filter_map(inside).collect();
    stated.dedup();
    stated
}

impl OptimizerConfig {
    /// The numbers of steps behind which a run on `task` is validated, its last step aside.
    pub fn stated_steps(&self, task: &TaskConfig) -> Vec<u64> {
        stated_steps(&self.loss_at, task.steps.get())
    }

    pub(super) fn check_loss_at(&self) -> Result<(), EvaluatorError> {
        let mut before = 0.0;
        for (index, &share) in self.loss_at.iter().enumerate() {
            let refused = |message| EvaluatorError::config(format!("loss_at[{index}]"), message);
            if !(share > 0.0 && share < 1.0) {
                return Err(refused("must be above 0 and below 1".to_owned()));
            }
            if share <= before {
                return Err(refused(format!("must be above {before}, the one before")));
            }
            before = share;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_steps_are_the_nearest_that_are_neither_the_first_nor_the_last() {
        assert_eq!(stated_steps(&[0.25, 0.5, 0.75], 200), [50, 100, 150]);
        assert_eq!(stated_steps(&[0.001, 0.34, 0.999], 10), [1, 3, 9]);
        assert_eq!(stated_steps(&[0.25, 0.5, 0.75], 2), [1]);
        assert_eq!(stated_steps(&[0.5], 1), [0; 0]);
        assert_eq!(stated_steps(&[], 100), [0; 0]);
    }

    #[test]
    fn shares_that_are_none_or_do_not_rise_are_refused_at_their_key() {
        let check = |shares: &[f64]| {
            let config = OptimizerConfig::new(Vec::new());
            OptimizerConfig { loss_at: shares.to_vec(), ..config }.check_loss_at()
        };
        for (shares, expected) in [
            (&[0.0][..], "loss_at[0]: must be above 0 and below 1"),
            (&[0.5, 1.0], "loss_at[1]: must be above 0 and below 1"),
            (&[0.5, f64::NAN], "loss_at[1]: must be above 0 and below 1"),
            (&[-0.5], "loss_at[0]: must be above 0"),
            (&[0.5, 0.25], "loss_at[1]: must be above 0.5, the one before"),
            (&[0.25, 0.5, 0.5], "loss_at[2]: must be above 0.5"),
        ] {
            let error = check(shares).expect_err("no such shares").to_string();
            assert!(error.starts_with(expected), "{error}, not {expected}");
        }
        assert!(check(&[]).is_ok() && check(&[1e-9, 0.5, 1.0 - 1e-9]).is_ok());
    }
}
